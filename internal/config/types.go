package config

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
	IntegrationTypes []string
}

func feedTypes() []string { return []string{TypeCloudFeeds, TypeAcronis} }

func integrationTypes() []string {
	return []string{
		TypeJira, TypeServiceNow, TypeServiceNowSIR, TypePagerDuty, TypeZendesk,
		TypeFreshdesk, TypeAutotask, TypeTorq, TypeMock,
	}
}

// feedCredentials are the credential types of a feed type.
func feedCredentials(feedType string) []string {
	if feedType == TypeAcronis {
		return []string{CredentialOAuthClient}
	}
	return []string{CredentialRackspaceAPIKey, CredentialToken}
}

// integrationCredentials are the credential types of a provider; none for the
// test provider.
func integrationCredentials(integrationType string) []string {
	switch integrationType {
	case TypeMock:
		return nil
	case TypeJira:
		return []string{CredentialBasic, CredentialBearer}
	case TypeServiceNow, TypeServiceNowSIR:
		return []string{CredentialBasic, CredentialToken, CredentialOAuthClient}
	case TypePagerDuty, TypeFreshdesk:
		return []string{CredentialToken}
	case TypeTorq:
		return []string{CredentialOAuthClient}
	default:
		return []string{CredentialBasic}
	}
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
