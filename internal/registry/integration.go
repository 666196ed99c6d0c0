package registry

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/contract"
)

// DefaultAccount is that of integrations that name none, and of the file's.
const DefaultAccount = "default"

// Integration is one as people see it: no secret can be read from it.
type Integration struct {
	Name           string
	Fullname       string
	Account        string
	CatalogAccount string
	Person         string
	// ProviderConfig has the keys of the file's integrations. A secret is a
	// reference, or Stored.
	ProviderConfig json.RawMessage
	// ReadOnly: it stands in the configuration file.
	ReadOnly  bool
	Version   int64
	CreatedAt time.Time
	CreatedBy string
	UpdatedAt time.Time
	UpdatedBy string
	// Tokens have no hashes.
	Tokens  []contract.IntegrationToken
	Changes []contract.IntegrationChanged
	// Partial: Changes could not be read, because no worker answered.
	Partial bool
	// Tag stands for this state of this very integration, also if one of its name
	// was deleted before.
	Tag string
}

func tagOf(v contract.IntegrationView) string {
	return strconv.FormatInt(v.CreatedAt.UnixMilli(), 36) + "-" + strconv.FormatInt(v.Version, 10)
}

// Stored stands for a secret that was given once and is kept encrypted.
const Stored = "[stored]"

// Wanted is what an integration is to be made of.
type Wanted struct {
	Fullname       string
	Account        string
	CatalogAccount string
	Person         string
	// ProviderConfig is as in Integration. In the place of a secret stands the
	// secret itself, which is encrypted, or a reference; Stored, an empty text or
	// nothing keeps what is there; null takes away what the type can do without.
	ProviderConfig json.RawMessage
}

// viewOf shows an integration of the API.
func viewOf(v contract.IntegrationView) (Integration, error) {
	shown, err := masked(v.Spec.ProviderConfig)
	if err != nil {
		return Integration{}, fmt.Errorf("integration %s: %w", v.Name, err)
	}
	tokens := make([]contract.IntegrationToken, len(v.Tokens))
	for i, t := range v.Tokens {
		t.Hash = ""
		tokens[i] = t
	}
	return Integration{
		Name: v.Name, Fullname: v.Spec.Fullname, Account: cmp.Or(v.Spec.Account, DefaultAccount),
		CatalogAccount: v.Spec.CatalogAccount, Person: v.Spec.Person, ProviderConfig: shown,
		Version: v.Version, CreatedAt: v.CreatedAt, CreatedBy: v.CreatedBy, UpdatedAt: v.UpdatedAt, UpdatedBy: v.UpdatedBy,
		Tokens: tokens, Changes: v.Changes, Partial: v.Partial, Tag: tagOf(v),
	}, nil
}

// inFileView shows an integration of the file.
func inFileView(in config.Integration) (Integration, error) {
	keys, err := in.Keys()
	if err != nil {
		return Integration{}, fmt.Errorf("integration %s: %w", in.Name, err)
	}
	text, err := json.Marshal(keys)
	return Integration{Name: in.Name, Account: DefaultAccount, ProviderConfig: text, ReadOnly: true}, err
}

// masked is a stored configuration without what was sealed.
func masked(stored json.RawMessage) (json.RawMessage, error) {
	var keys map[string]any
	if err := json.Unmarshal(stored, &keys); err != nil {
		return nil, err
	}
	mask(keys)
	return plainJSON(keys)
}

// mask puts Stored wherever something sealed stands.
func mask(keys map[string]any) {
	for key, value := range keys {
		switch v := value.(type) {
		case map[string]any:
			mask(v)
		case string:
			if isSealed(v) {
				keys[key] = Stored
			}
		}
	}
}

// plainJSON writes < and & as they are.
func plainJSON(value any) (json.RawMessage, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return bytes.TrimSpace(out.Bytes()), err
}
