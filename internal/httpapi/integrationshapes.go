package httpapi

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/registry"
)

// integrationShape is an integration as it is shown.
type integrationShape struct {
	ID             string          `json:"id" doc:"The name again; it is what paths take."`
	Name           string          `json:"name"`
	Fullname       string          `json:"fullname,omitempty"`
	Account        string          `json:"account_id"`
	Category       string          `json:"category" doc:"ticketing"`
	CatalogAccount string          `json:"catalog_account,omitempty" doc:"Where events sent with its tokens are matched."`
	Person         string          `json:"person,omitempty" doc:"As whom they are matched: an e-mail address."`
	ProviderConfig json.RawMessage `json:"provider_config" doc:"The keys of an integration in the configuration file, but for the name. A secret is shown as its reference, or as [stored]."`
	ReadOnly       bool            `json:"read_only" doc:"It stands in the configuration file."`
	Version        int64           `json:"version,omitempty"`
	CreatedAt      time.Time       `json:"created_at,omitzero"`
	CreatedBy      string          `json:"created_by,omitempty"`
	UpdatedAt      time.Time       `json:"updated_at,omitzero"`
	UpdatedBy      string          `json:"updated_by,omitempty"`
}

func integrationOf(in registry.Integration) integrationShape {
	return integrationShape{
		ID: in.Name, Name: in.Name, Fullname: in.Fullname, Account: in.Account, Category: "ticketing",
		CatalogAccount: in.CatalogAccount, Person: in.Person, ProviderConfig: in.ProviderConfig, ReadOnly: in.ReadOnly,
		Version: in.Version, CreatedAt: in.CreatedAt, CreatedBy: in.CreatedBy, UpdatedAt: in.UpdatedAt, UpdatedBy: in.UpdatedBy,
	}
}

type integrationList struct {
	Result []integrationShape `json:"result"`
}

type integrationAnswer struct {
	Result integrationShape `json:"result"`
}

type integrationCreated struct {
	Result integrationAndToken `json:"result"`
}

type integrationAndToken struct {
	Integration integrationShape `json:"integration"`
	Token       tokenSecret      `json:"token"`
}

type accountList struct {
	Result []accountShape `json:"result"`
}

// accountShape is a group of integrations; it is there as long as one names it.
type accountShape struct {
	ID           string `json:"id"`
	Name         string `json:"name"`
	Fullname     string `json:"fullname"`
	Integrations int    `json:"integrations"`
}

type changeList struct {
	Result []contract.IntegrationChanged `json:"result"`
}

type verifyAnswer struct {
	Result verifyShape `json:"result"`
}

type verifyShape struct {
	Verified bool `json:"verified"`
}

// replaceIntegrationRequest is all that an integration is made of.
type replaceIntegrationRequest struct {
	Name           string          `json:"name,omitempty" doc:"Lower-case letters, digits, - and _; it cannot be changed."`
	Fullname       string          `json:"fullname,omitempty"`
	Account        string          `json:"account_id,omitempty" doc:"Absent: default."`
	CatalogAccount string          `json:"catalog_account,omitempty"`
	Person         string          `json:"person,omitempty"`
	ProviderConfig json.RawMessage `json:"provider_config" doc:"type, url, credential, default_project, custom_field_mappings and the other keys of an integration in the configuration file. A credential's secret is kept encrypted, unless it is a reference (env:NAME, file:/path)."`
}

// mergeIntegrationRequest is how the document shows a JSON Merge Patch.
type mergeIntegrationRequest struct {
	Fullname       *string         `json:"fullname,omitempty" doc:"null takes it away, as for all members; what is absent stays."`
	Account        *string         `json:"account_id,omitempty"`
	CatalogAccount *string         `json:"catalog_account,omitempty"`
	Person         *string         `json:"person,omitempty"`
	ProviderConfig *map[string]any `json:"provider_config,omitempty" doc:"Merged member by member."`
}

func (q replaceIntegrationRequest) wanted() registry.Wanted {
	return registry.Wanted{
		Fullname: q.Fullname, Account: q.Account, CatalogAccount: q.CatalogAccount, Person: q.Person, ProviderConfig: q.ProviderConfig,
	}
}

// documentOf is the integration as a patch sees it.
func documentOf(in registry.Integration) replaceIntegrationRequest {
	return replaceIntegrationRequest{
		Name: in.Name, Fullname: in.Fullname, Account: in.Account, CatalogAccount: in.CatalogAccount, Person: in.Person, ProviderConfig: in.ProviderConfig,
	}
}

type createIntegrationRequest struct {
	replaceIntegrationRequest
	TokenTTL string `json:"token_ttl,omitempty" doc:"How long the first token is good, e.g. 24h; absent: until it is revoked."`
}

// tokenSecret is a token that was just made.
type tokenSecret struct {
	ID     string      `json:"id"`
	Name   string      `json:"name,omitempty"`
	Access tokenAccess `json:"access"`
}

type tokenAccess struct {
	Secret  string    `json:"secret" doc:"What to send as the bearer token. It is shown this once."`
	Expires time.Time `json:"expires,omitzero"`
}

func accessOf(token string, expires time.Time) tokenAccess {
	return tokenAccess{Secret: token, Expires: expires}
}

// longestTTL only catches slips of the finger.
const longestTTL = 10 * 365 * 24 * time.Hour

// expiry is when a token that lives so long ends to be good.
func (a *api) expiry(ttl string) (time.Time, error) {
	if ttl == "" {
		return time.Time{}, nil
	}
	d, err := time.ParseDuration(ttl)
	if err != nil || d < time.Minute || d > longestTTL {
		return time.Time{}, badParameter("body", "/token_ttl", ttl, errors.New("token_ttl: want a duration of at least 1m, e.g. 24h"))
	}
	return a.Now().UTC().Add(d), nil
}
