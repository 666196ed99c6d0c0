package registry

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/seal"
)

// OpenPrefix begins the names of the variables that integrations made by the API
// may refer to. Who manages integrations can have a secret sent to any address,
// and so read it: the rest of the environment is not theirs.
const OpenPrefix = "INTEGRATION_"

// place is where something stands in an integration: its key, below those before it.
type place []string

// places are those of the secrets that an integration of this type has.
func (r *Registry) places(keys map[string]any) []place {
	all := []place{{"credential", "secret"}}
	for _, key := range r.Known.SecretKeys(typeOf(keys)) {
		all = append(all, place{key})
	}
	return all
}

// addresses are the places of all that says where the secrets are sent.
func (r *Registry) addresses(keys map[string]any) []place {
	all := []place{{"type"}, {"url"}, {"credential", "type"}, {"credential", "token_url"}}
	own := r.Known.OwnKeys(typeOf(keys))
	for _, key := range slices.Sorted(maps.Keys(own)) {
		if own[key].Address {
			all = append(all, place{key})
		}
	}
	return all
}

// optional: an integration of this type can do without the secret there.
func (r *Registry) optional(keys map[string]any, at place) bool {
	return len(at) == 1 && !r.Known.OwnKeys(typeOf(keys))[at.key()].Required
}

func typeOf(keys map[string]any) string {
	text, _ := keys["type"].(string)
	return text
}

func (p place) key() string     { return p[len(p)-1] }
func (p place) pointer() string { return "/provider_config/" + strings.Join(p, "/") }

// holder is the object that it stands in; nil where there is none.
func (p place) holder(keys map[string]any) map[string]any {
	for _, key := range p[:len(p)-1] {
		keys, _ = keys[key].(map[string]any)
	}
	return keys
}

func isSealed(secret string) bool { return strings.HasPrefix(secret, seal.Prefix) }

func isReference(secret string) bool {
	return strings.HasPrefix(secret, "env:") || strings.HasPrefix(secret, "file:")
}

// closeSecrets puts in the place of each secret what nobody can read.
func (r *Registry) closeSecrets(name string, keys map[string]any, before *contract.IntegrationSpec) error {
	for _, at := range r.places(keys) {
		if err := r.closeSecret(name, keys, at, before); err != nil {
			return err
		}
	}
	return nil
}

func (r *Registry) closeSecret(name string, keys map[string]any, at place, before *contract.IntegrationSpec) error {
	holder, key := at.holder(keys), at.key()
	if holder == nil {
		return nil // whether the type needs one is checked with everything else
	}
	given, there := holder[key]
	secret, isText := given.(string)
	switch {
	case there && given == nil && r.optional(keys, at):
		delete(holder, key) // null takes it away
		return nil
	case !isText && given != nil:
		return invalid(at.pointer(), "want a text")
	case secret == "" || secret == Stored:
		return r.keepSecret(keys, at, before)
	case isSealed(secret):
		return invalid(at.pointer(), "give the secret itself, a reference, or %q to keep the one that is there", Stored)
	case isReference(secret):
		return nil // parse looks whether it may be used
	}
	sealed, err := r.Keys.Seal(contract.IntegrationID(name), secret)
	if err != nil {
		return invalid(at.pointer(), "%s", err)
	}
	holder[key] = sealed
	return nil
}

// keepSecret takes over the secret that is there. It goes only where it went
// before: who may change an address must not get to read secrets by it.
func (r *Registry) keepSecret(keys map[string]any, at place, before *contract.IntegrationSpec) error {
	holder, key := at.holder(keys), at.key()
	if before == nil {
		if holder[key] == Stored {
			return invalid(at.pointer(), "there is none stored yet")
		}
		return nil
	}
	var old map[string]any
	if err := json.Unmarshal(before.ProviderConfig, &old); err != nil {
		return err
	}
	kept := at.holder(old)[key]
	if kept == nil {
		return nil
	}
	for _, address := range r.addresses(keys) {
		if !reflect.DeepEqual(address.holder(keys)[address.key()], address.holder(old)[address.key()]) {
			return invalid(address.pointer(), "is another one; give the secret again, so that none is sent where it did not belong")
		}
	}
	holder[key] = kept
	return nil
}

// checkReferences refuses references to secrets that are not open to the API.
func (r *Registry) checkReferences(providerConfig []byte) error {
	var keys map[string]any
	// What is no such object is refused where all of it is read.
	_ = json.Unmarshal(providerConfig, &keys)
	for _, at := range r.places(keys) {
		secret, _ := at.holder(keys)[at.key()].(string)
		if message := r.closed(secret); message != "" {
			return config.Problems{{Path: strings.Join(at, "."), Message: message}}
		}
	}
	return nil
}

// closed says why the API may not refer to a secret; nothing where it may.
func (r *Registry) closed(reference string) string {
	kind, name, _ := strings.Cut(reference, ":")
	switch {
	case kind == "env" && !strings.HasPrefix(name, OpenPrefix):
		return "by the API only variables whose names begin with " + OpenPrefix + " can be referred to; give the secret itself, which is encrypted"
	case kind == "file" && r.SecretDir == "":
		return "by the API no files can be referred to, unless TICKETBRIDGE_SECRET_DIR names their folder; give the secret itself, which is encrypted"
	case kind == "file" && !within(r.SecretDir, name):
		return "by the API only files in the folder that TICKETBRIDGE_SECRET_DIR names can be referred to"
	}
	return ""
}

// within reports whether a path is that of something in a folder, as it is written.
func within(dir, path string) bool {
	rest, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsAbs(path) && filepath.IsLocal(rest) && rest != "."
}
