package config

import "slices"

// Types of feeds.
const (
	TypeCloudFeeds = "cloudfeeds"
	TypeAcronis    = "acronis"
)

// Types of integrations; the names are those of the Synqly Ticketing Connector.
const (
	TypeJira          = "ticketing_jira"
	TypeServiceNow    = "ticketing_servicenow"
	TypeServiceNowSIR = "ticketing_servicenow_sir"
	TypePagerDuty     = "ticketing_pagerduty"
	TypeZendesk       = "ticketing_zendesk"
	TypeFreshdesk     = "ticketing_freshdesk"
	TypeAutotask      = "ticketing_autotask"
	TypeTorq          = "ticketing_torq"
	TypeMock          = "ticketing_mock_ticketing"
)

// Types of credentials.
const (
	CredentialRackspaceAPIKey = "rackspace_api_key"
	CredentialToken           = "token"
	CredentialOAuthClient     = "oauth_client"
	CredentialBasic           = "basic"
	CredentialBearer          = "bearer"
)

// Known says which types the running program implements. Other types that this
// package has heard of are "not available in this version".
type Known struct {
	FeedTypes        []string
	IntegrationTypes []IntegrationType
}

func feedTypes() []string { return []string{TypeCloudFeeds, TypeAcronis} }

// integrationTypes are those of the Connector, and what else the program has.
func (k Known) integrationTypes() []string {
	types := []string{
		TypeJira, TypeServiceNow, TypeServiceNowSIR, TypePagerDuty, TypeZendesk,
		TypeFreshdesk, TypeAutotask, TypeTorq, TypeMock,
	}
	for _, name := range k.integrationNames() {
		if !slices.Contains(types, name) {
			types = append(types, name)
		}
	}
	return types
}

// integrationNames are the integration types of the program, in its order.
func (k Known) integrationNames() []string {
	names := make([]string, len(k.IntegrationTypes))
	for i, t := range k.IntegrationTypes {
		names[i] = t.Name
	}
	return names
}

// integrationType finds a type that the program has.
func (k Known) integrationType(name string) (IntegrationType, bool) {
	i := slices.IndexFunc(k.IntegrationTypes, func(t IntegrationType) bool { return t.Name == name })
	if i < 0 {
		return IntegrationType{}, false
	}
	return k.IntegrationTypes[i], true
}

// feedCredentials are the credential types of a feed type.
func feedCredentials(feedType string) []string {
	if feedType == TypeAcronis {
		return []string{CredentialOAuthClient}
	}
	return []string{CredentialRackspaceAPIKey, CredentialToken}
}

// credentialKeys are the keys of a credential type beside `type`: those it must
// have and those it may have.
func credentialKeys(credentialType string) (required, optional []string) {
	switch credentialType {
	case CredentialRackspaceAPIKey:
		return []string{"username", "secret"}, []string{"identity_url", "requests_per_minute"}
	case CredentialOAuthClient:
		return []string{"client_id", "secret"}, []string{"token_url", "requests_per_minute"}
	case CredentialBasic:
		return []string{"username", "secret"}, nil
	case CredentialToken:
		return []string{"secret"}, []string{"requests_per_minute"}
	default:
		return []string{"secret"}, nil
	}
}
