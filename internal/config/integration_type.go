package config

import (
	"reflect"
	"slices"
)

// IntegrationType is what a provider says of the integrations that it takes: all
// that this package knows of it.
type IntegrationType struct {
	// Name is the type in the configuration, like ticketing_jira.
	Name string
	// Credentials are the types of credential that it takes; none: it has none.
	Credentials []string
	Address     Address
	// EventsNeedProject: where events become tickets, default_project must be there.
	EventsNeedProject bool
	// Defaults are for what the configuration leaves out. Of its fields URL,
	// DefaultIssueType, Rate and Settling count.
	Defaults Integration
	// Own makes a pointer to a struct with the keys, by its yaml tags, that only
	// this type has, and their defaults; it becomes Integration.Own. Nil: none.
	Own func() any
	// Keys describe the keys of Own, by their paths, such as "mock.faults[].kind".
	Keys map[string]Key
	// Check looks for what is wrong with an integration beyond types and
	// presence; nil: nothing more is.
	Check func(in *Integration, r Report)
}

// Key describes a key that only some types of integration have.
type Key struct {
	// About is a sentence for people.
	About string
	// Enum are the only values that it takes; empty: any.
	Enum []string
	// Required: it cannot be left out.
	Required bool
	// Address: where secrets are sent depends on it, as on the url: one that is kept
	// has to be given again when the key changes, with all that is below it. Like a
	// Secret, only an outermost key can be one.
	Address bool
}

// Address says whether integrations of a type have a url.
type Address int

// Values of an Address.
const (
	// AddressRequired: every integration has one of its own.
	AddressRequired Address = iota
	// AddressOptional: there is a usual one.
	AddressOptional
	// AddressNone: there is nothing to call.
	AddressNone
)

// Own are the keys that only the integration's type has; the type's defaults for
// an integration that was not read from a configuration. T is the struct that the
// type's Own makes.
func Own[T any](in Integration, defaults func() *T) T {
	if own, ok := in.Own.(*T); ok {
		return *own
	}
	return *defaults()
}

// ownFields are the outermost keys of an integration's Own, with their values.
func (in Integration) ownFields() map[string]reflect.Value {
	fields := map[string]reflect.Value{}
	if in.Own == nil {
		return fields
	}
	own := reflect.ValueOf(in.Own).Elem()
	for _, field := range reflect.VisibleFields(own.Type()) {
		if key := keyOf(field); key != "" {
			fields[key] = own.FieldByIndex(field.Index)
		}
	}
	return fields
}

// OwnKeys describe the keys that only a type has, by their paths.
func (k Known) OwnKeys(integrationType string) map[string]Key {
	t, _ := k.integrationType(integrationType)
	return t.Keys
}

// SecretKeys are the keys of a type's own that hold a secret.
func (k Known) SecretKeys(integrationType string) []string {
	t, ok := k.integrationType(integrationType)
	if !ok || t.Own == nil {
		return nil
	}
	return (Integration{Own: t.Own()}).secretKeys()
}

func (in Integration) secretKeys() []string {
	var keys []string
	for key, value := range in.ownFields() {
		if _, is := value.Interface().(Secret); is {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// Secrets are all that the integration has: the credential's, and those among the
// keys that only its type has.
func (in Integration) Secrets() []Secret {
	all := []Secret{in.Credential.Secret}
	fields := in.ownFields()
	for _, key := range in.secretKeys() {
		secret, _ := fields[key].Interface().(Secret)
		all = append(all, secret)
	}
	return all
}

// withKey are the types that have a key of their own by this name.
func (k Known) withKey(key string) []string {
	var names []string
	for _, t := range k.IntegrationTypes {
		if t.Own == nil {
			continue
		}
		if _, has := (Integration{Own: t.Own()}).ownFields()[key]; has {
			names = append(names, t.Name)
		}
	}
	return slices.Compact(names)
}
