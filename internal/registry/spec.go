package registry

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/operate"
	"github.com/ticketbridge/ticketbridge/internal/seal"
)

func isSealed(secret string) bool { return strings.HasPrefix(secret, seal.Prefix) }

func isReference(secret string) bool {
	return strings.HasPrefix(secret, "env:") || strings.HasPrefix(secret, "file:")
}

// spec checks what is wanted and makes of it what may be kept: the secret becomes
// ciphertext. before is the integration as it is; nil for a new one.
func (r *Registry) spec(name string, want Wanted, before *contract.IntegrationSpec) (contract.IntegrationSpec, config.Integration, error) {
	none, nothing := contract.IntegrationSpec{}, config.Integration{}
	var keys map[string]any
	if err := json.Unmarshal(want.ProviderConfig, &keys); err != nil || keys == nil {
		return none, nothing, fmt.Errorf("%w: %w", operate.ErrInvalid, errNoObject)
	}
	if err := r.closeSecret(name, keys, before); err != nil {
		return none, nothing, fmt.Errorf("%w: %w", operate.ErrInvalid, err)
	}
	text, err := plainJSON(keys)
	if err != nil {
		return none, nothing, err
	}
	in, err := r.parse(name, text)
	if err != nil {
		return none, nothing, fmt.Errorf("%w: provider_config: %w", operate.ErrInvalid, err)
	}
	spec := contract.IntegrationSpec{
		Account: cmp.Or(want.Account, DefaultAccount), Fullname: want.Fullname, CatalogAccount: want.CatalogAccount, Person: want.Person, ProviderConfig: text,
	}
	if err := spec.Validate(); err != nil {
		return none, nothing, fmt.Errorf("%w: %w", operate.ErrInvalid, err)
	}
	return spec, in, nil
}

// closeSecret puts in the place of a secret what nobody can read.
func (r *Registry) closeSecret(name string, keys map[string]any, before *contract.IntegrationSpec) error {
	credential, has := keys["credential"].(map[string]any)
	if !has {
		return nil // whether the type needs one is checked with everything else
	}
	secret, isText := credential["secret"].(string)
	switch {
	case !isText && credential["secret"] != nil:
		return fmt.Errorf("provider_config.credential.secret: want a text")
	case secret == "" || secret == Stored:
		return keepSecret(keys, credential, before)
	case isSealed(secret):
		return fmt.Errorf("provider_config.credential.secret: give the secret itself, a reference (env:NAME, file:/path), or %q to keep the one that is there", Stored)
	case strings.HasPrefix(secret, "env:TICKETBRIDGE_"):
		return fmt.Errorf("provider_config.credential.secret: variables that begin with TICKETBRIDGE_ are our own settings")
	case isReference(secret):
		return nil
	}
	sealed, err := r.Keys.Seal(contract.IntegrationID(name), secret)
	if err != nil {
		return fmt.Errorf("provider_config.credential.secret: %w", err)
	}
	credential["secret"] = sealed
	return nil
}

// keepSecret takes over the secret that is there. It goes only where it went
// before: who may change an address must not get to read secrets by it.
func keepSecret(keys, credential map[string]any, before *contract.IntegrationSpec) error {
	if before == nil {
		if credential["secret"] == Stored {
			return fmt.Errorf("provider_config.credential.secret: there is none stored yet")
		}
		return nil
	}
	var old map[string]any
	if err := json.Unmarshal(before.ProviderConfig, &old); err != nil {
		return err
	}
	oldCredential, _ := old["credential"].(map[string]any)
	if oldCredential["secret"] == nil {
		return nil
	}
	for at, same := range map[string]bool{
		"type": keys["type"] == old["type"], "url": keys["url"] == old["url"],
		"credential.type":      credential["type"] == oldCredential["type"],
		"credential.token_url": credential["token_url"] == oldCredential["token_url"],
	} {
		if !same {
			return fmt.Errorf("provider_config.%s: is another one; give the secret again, so that none is sent where it did not belong", at)
		}
	}
	credential["secret"] = oldCredential["secret"]
	return nil
}
