package registry

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/operate"
)

// Invalid is what cannot be an integration: pairs of a JSON Pointer into what was
// asked for and a text. It is operate.ErrInvalid, too.
type Invalid struct {
	Fields [][2]string
}

func (e *Invalid) Error() string {
	texts := make([]string, len(e.Fields))
	for i, field := range e.Fields {
		texts[i] = strings.ReplaceAll(strings.TrimPrefix(field[0], "/"), "/", ".") + ": " + field[1]
	}
	return strings.Join(texts, "; ")
}

// Is makes it an operate.ErrInvalid.
func (e *Invalid) Is(target error) bool { return target == operate.ErrInvalid }

func invalid(pointer, format string, args ...any) error {
	return &Invalid{Fields: [][2]string{{pointer, fmt.Sprintf(format, args...)}}}
}

// ofConfig are the problems of a configuration as they stand in provider_config.
func ofConfig(err error) error {
	problems, ok := errors.AsType[config.Problems](err)
	if !ok {
		return err
	}
	out := &Invalid{}
	for _, p := range problems {
		path := strings.NewReplacer(".", "/", "[", "/", "]", "").Replace(p.Path)
		out.Fields = append(out.Fields, [2]string{strings.TrimSuffix("/provider_config/"+path, "/"), p.Message})
	}
	return out
}

// spec checks what is wanted and makes of it what may be kept: secrets become
// ciphertext. before is the integration as it is; nil for a new one.
func (r *Registry) spec(name string, want Wanted, before *contract.IntegrationSpec) (contract.IntegrationSpec, config.Integration, error) {
	none, nothing := contract.IntegrationSpec{}, config.Integration{}
	var keys map[string]any
	if err := json.Unmarshal(want.ProviderConfig, &keys); err != nil || keys == nil {
		return none, nothing, invalid("/provider_config", "want a JSON object")
	}
	if err := r.closeSecrets(name, keys, before); err != nil {
		return none, nothing, err
	}
	text, err := plainJSON(keys)
	if err != nil {
		return none, nothing, err
	}
	in, err := r.parse(name, text)
	if err != nil {
		return none, nothing, ofConfig(err)
	}
	if want.Person != "" && !r.File.HasPerson(want.Person) {
		return none, nothing, invalid("/person", "nobody in the catalog has the e-mail address %q", want.Person)
	}
	spec := contract.IntegrationSpec{
		Account: cmp.Or(want.Account, DefaultAccount), Fullname: want.Fullname, CatalogAccount: want.CatalogAccount, Person: want.Person, ProviderConfig: text,
	}
	if err := spec.Validate(); err != nil {
		member, message, _ := strings.Cut(err.Error(), ": ")
		return none, nothing, invalid("/"+strings.ReplaceAll(member, ".", "/"), "%s", message)
	}
	return spec, in, nil
}
