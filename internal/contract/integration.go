package contract

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"
)

// KeepIntegration is the workflow that keeps an integration made by the
// integrations API; its id is IntegrationID of its name.
const KeepIntegration = "KeepIntegration"

// ChangeIntegration is the name of KeepIntegration's update, and of the signal
// that does the same for who has no updates.
const ChangeIntegration = "change"

const integrationPrefix = "integration:"

// IntegrationID is the workflow id of an integration made by the API.
func IntegrationID(name string) string { return integrationPrefix + name }

// MemoIntegration holds, in KeepIntegration's memo, its view but for the changes:
// what can be read while no worker runs.
const MemoIntegration = "integration"

// ErrorConflict: the integration is not, or no longer, as the change says.
const ErrorConflict = "Conflict"

// Limits of an integration made by the API. Together they keep the state below
// 256 KB.
const (
	// MaxIntegrationBytes bounds what it is made of.
	MaxIntegrationBytes = 64 << 10
	// MaxIntegrationTokens is how many tokens it may have at a time.
	MaxIntegrationTokens = 100
	// KeptChanges is how many of its changes are remembered.
	KeptChanges = 200
	maxLabel    = 200
)

// IntegrationSpec is what an integration is made of, but for its name.
type IntegrationSpec struct {
	// Account groups integrations, as the Synqly connector's accounts do.
	Account  string `json:"account_id,omitempty"`
	Fullname string `json:"fullname,omitempty"`
	// CatalogAccount and Person are where, and as whom, events sent with one of
	// its tokens are matched.
	CatalogAccount string `json:"catalog_account,omitempty"`
	Person         string `json:"person,omitempty"`
	// ProviderConfig has the keys of the configuration file's integrations but
	// for the name. Its credential's secret is a reference (env:, file:) or
	// ciphertext (sealed:), never the secret itself.
	ProviderConfig json.RawMessage `json:"provider_config"`
}

// KeepIntegrationInput starts KeepIntegration.
type KeepIntegrationInput struct {
	Name string `json:"name"`
	// By is who made it, At when; absent: when its workflow begins.
	By   string          `json:"by"`
	At   time.Time       `json:"at,omitzero"`
	Spec IntegrationSpec `json:"spec"`
	// Token is a first token, where one is wanted.
	Token *IntegrationToken `json:"token,omitempty"`
	// State is what a run hands to the next one.
	State *IntegrationView `json:"state,omitempty"`
}

var integrationName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

// reservedName is a word in the paths of the integrations API.
const reservedName = "verify"

// IsIntegrationName reports whether an integration made by the API, or an account,
// can have this name.
func IsIntegrationName(name string) bool {
	return integrationName.MatchString(name) && name != reservedName
}

const wantName = "want lower-case letters, digits, - and _, beginning with a letter or digit, at most 63, and not the word verify"

// Validate checks the input and that workflowID is the one it belongs to.
func (in KeepIntegrationInput) Validate(workflowID string) error {
	switch {
	case !IsIntegrationName(in.Name):
		return fmt.Errorf("name: %q: %s", in.Name, wantName)
	case workflowID != IntegrationID(in.Name):
		return fmt.Errorf("this integration belongs to the workflow id %q, not %q; start it there", IntegrationID(in.Name), workflowID)
	case in.State != nil:
		return nil
	case in.By == "":
		return errors.New("by: missing: say who you are")
	}
	if in.Token != nil {
		if err := in.Token.Validate(); err != nil {
			return fmt.Errorf("token.%w", err)
		}
	}
	if err := in.Spec.Validate(); err != nil {
		return fmt.Errorf("spec.%w", err)
	}
	return nil
}

// Validate checks what can be checked without knowing providers; above all that
// no secret lies open in it.
func (s IntegrationSpec) Validate() error {
	var config struct {
		Type       string `json:"type"`
		Credential struct {
			Secret string `json:"secret"`
		} `json:"credential"`
	}
	size := len(s.ProviderConfig) + len(s.Account) + len(s.Fullname) + len(s.CatalogAccount) + len(s.Person)
	switch {
	case size > MaxIntegrationBytes:
		return fmt.Errorf("provider_config: all of it is %d bytes; want at most %d", size, MaxIntegrationBytes)
	case s.Account != "" && !IsIntegrationName(s.Account):
		return fmt.Errorf("account_id: %q: %s", s.Account, wantName)
	case len(s.Fullname) > maxLabel:
		return fmt.Errorf("fullname: want at most %d characters", maxLabel)
	case len(s.ProviderConfig) == 0:
		return errors.New("provider_config: missing")
	}
	if err := json.Unmarshal(s.ProviderConfig, &config); err != nil {
		return fmt.Errorf("provider_config: %w", err)
	}
	if config.Type == "" {
		return errors.New("provider_config.type: missing")
	}
	if secret := config.Credential.Secret; secret != "" && !closedSecret.MatchString(secret) {
		return errors.New(`provider_config.credential.secret: want a reference ("env:NAME", "file:/path") or what was sealed; ` +
			"if a secret stood here, it is in Temporal's history now: renew it at the provider")
	}
	return nil
}

// closedSecret is a secret that nobody can read from it.
var closedSecret = regexp.MustCompile(`^(env|file|sealed):.`)

// IntegrationToken lets its bearer call the HTTP interfaces for an integration.
type IntegrationToken struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	// Hash is the SHA-256 of the token in hexadecimal; the token itself is known
	// to its bearer only. Answers leave it out.
	Hash      string    `json:"hash,omitempty"`
	CreatedBy string    `json:"created_by,omitempty"`
	CreatedAt time.Time `json:"created_at,omitzero"`
	// ExpiresAt is when it ends to be good; zero for never.
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

var sha256Hex = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Validate names what is missing.
func (t IntegrationToken) Validate() error {
	switch {
	case t.ID == "" || len(t.ID) > maxLabel:
		return fmt.Errorf("id: want 1 to %d characters", maxLabel)
	case len(t.Name) > maxLabel:
		return fmt.Errorf("name: want at most %d characters", maxLabel)
	case !sha256Hex.MatchString(t.Hash):
		return errors.New("hash: want the SHA-256 of the token, 64 hexadecimal digits")
	}
	return nil
}

// IntegrationChange is one change of an integration: exactly one of Spec, Token,
// Revoke and Delete.
type IntegrationChange struct {
	By string `json:"by"`
	// Spec replaces all that the integration is made of.
	Spec *IntegrationSpec `json:"spec,omitempty"`
	// Token is added; Revoke is the id of one that ends to be good now.
	Token  *IntegrationToken `json:"token,omitempty"`
	Revoke string            `json:"revoke,omitempty"`
	// Delete ends the integration.
	Delete bool `json:"delete,omitempty"`
	// IfVersion refuses the change where the integration has been changed since
	// that version; 0 for whatever it is.
	IfVersion int64 `json:"if_version,omitempty"`
}

// Validate names what is missing or too much.
func (c IntegrationChange) Validate() error {
	asked := 0
	for _, is := range []bool{c.Spec != nil, c.Token != nil, c.Revoke != "", c.Delete} {
		if is {
			asked++
		}
	}
	switch {
	case c.By == "":
		return errors.New("by: missing: say who you are")
	case len(c.By) > maxLabel:
		return fmt.Errorf("by: want at most %d characters", maxLabel)
	case asked != 1:
		return errors.New("want exactly one of spec, token, revoke and delete")
	}
	if c.Token != nil {
		if err := c.Token.Validate(); err != nil {
			return fmt.Errorf("token.%w", err)
		}
	}
	if c.Spec != nil {
		if err := c.Spec.Validate(); err != nil {
			return fmt.Errorf("spec.%w", err)
		}
	}
	return nil
}

// IntegrationView answers KeepIntegration's state query, and is its result.
type IntegrationView struct {
	Name string          `json:"name"`
	Spec IntegrationSpec `json:"spec"`
	// Version counts the changes of Spec, from 1.
	Version   int64              `json:"version"`
	CreatedAt time.Time          `json:"created_at"`
	CreatedBy string             `json:"created_by"`
	UpdatedAt time.Time          `json:"updated_at"`
	UpdatedBy string             `json:"updated_by"`
	Deleted   bool               `json:"deleted,omitempty"`
	Tokens    []IntegrationToken `json:"tokens,omitempty"`
	// Changes are the last KeptChanges, newest first. Partial: they are not told.
	Changes []IntegrationChanged `json:"changes,omitempty"`
	Partial bool                 `json:"partial,omitempty"`
	// Rejected counts change signals that were refused; LastRejection is why.
	Rejected      int64  `json:"rejected,omitempty"`
	LastRejection string `json:"last_rejection,omitempty"`
}

// Brief is the view as the memo holds it.
func (v IntegrationView) Brief() IntegrationView {
	v.Changes, v.Partial = nil, true
	return v
}

// IntegrationChanged is what is remembered of a change: no values.
type IntegrationChanged struct {
	At time.Time `json:"at"`
	By string    `json:"by"`
	// What is created, changed, deleted, token created or token revoked.
	What string `json:"what"`
	// Fields are the keys that it touched, or the token's name and id.
	Fields []string `json:"fields,omitempty"`
}
