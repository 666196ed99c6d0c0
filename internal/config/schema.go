package config

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// Schema describes keys of the configuration, in the words of JSON Schema.
type Schema struct {
	Type        string             `json:"type,omitempty"`
	Description string             `json:"description,omitempty"`
	Enum        []string           `json:"enum,omitempty"`
	Default     any                `json:"default,omitempty"`
	Properties  map[string]*Schema `json:"properties,omitempty"`
	Required    []string           `json:"required,omitempty"`
	Items       *Schema            `json:"items,omitempty"`
	// AdditionalProperties is a *Schema, or false where there are none.
	AdditionalProperties any       `json:"additionalProperties,omitempty"`
	OneOf                []*Schema `json:"oneOf,omitempty"`
}

// Schema describes an integration of the type as it stands in the configuration,
// with the defaults that it has.
func (t IntegrationType) Schema() *Schema {
	defaults := Integration{Type: t.Name}
	t.fillIn(&defaults)
	d := describer{keys: t.describedKeys()}
	s := d.schema("", reflect.ValueOf(defaults))
	s.Required = []string{"name", "type"}
	s.Properties["type"].Enum, s.Properties["type"].Default = []string{t.Name}, nil
	delete(s.Properties, "credential")
	if len(t.Credentials) > 0 {
		s.Properties["credential"] = credentialSchema(t.Credentials)
		s.Required = append(s.Required, "credential")
	}
	switch t.Address {
	case AddressRequired:
		s.Required = append(s.Required, "url")
	case AddressNone:
		delete(s.Properties, "url")
	}
	if t.Own == nil {
		return s
	}
	own := d.schema("", reflect.ValueOf(t.Own()).Elem())
	maps.Copy(s.Properties, own.Properties)
	for _, key := range slices.Sorted(maps.Keys(own.Properties)) {
		if t.Keys[key].Required {
			s.Required = append(s.Required, key)
		}
	}
	return s
}

// describedKeys are all keys of an integration of the type.
func (t IntegrationType) describedKeys() map[string]Key {
	all := map[string]Key{}
	for path, about := range integrationKeys() {
		all[path] = Key{About: about}
	}
	maps.Copy(all, t.Keys)
	return all
}

func credentialSchema(types []string) *Schema {
	out := &Schema{Description: integrationKeys()["credential"]}
	for _, credential := range types {
		required, optional := credentialKeys(credential)
		one := &Schema{
			Type: "object", Required: append([]string{"type"}, required...), AdditionalProperties: false,
			Properties: map[string]*Schema{"type": {Type: "string", Enum: []string{credential}}},
		}
		for _, key := range append(required, optional...) {
			if key == "requests_per_minute" {
				continue // of feeds only
			}
			one.Properties[key] = &Schema{Type: "string", Description: integrationKeys()["credential."+key]}
		}
		out.OneOf = append(out.OneOf, one)
	}
	return out
}

// describer makes schemas of Go values.
type describer struct {
	keys map[string]Key
}

// schema describes a value of the configuration, which is the default.
func (d describer) schema(path string, value reflect.Value) *Schema {
	s := &Schema{Description: d.keys[path].About, Enum: d.keys[path].Enum}
	switch v := value.Interface().(type) {
	case Credential:
		return s // depends on the type of integration
	case Secret:
		s.Type = "string"
		return s
	case Duration:
		s.Type = "string"
		if v != 0 {
			s.Default = v.String()
		}
		return s
	}
	switch value.Kind() {
	case reflect.String:
		s.Type = "string"
	case reflect.Int:
		s.Type = "integer"
	case reflect.Float64:
		s.Type = "number"
	case reflect.Slice:
		s.Type, s.Items = "array", d.schema(path+"[]", reflect.New(value.Type().Elem()).Elem())
	case reflect.Map:
		s.Type, s.AdditionalProperties = "object", &Schema{Type: "string"}
	case reflect.Struct:
		s.Type, s.Properties, s.AdditionalProperties = "object", map[string]*Schema{}, false
		for _, field := range reflect.VisibleFields(value.Type()) {
			key := keyOf(field)
			if key == "" {
				continue // what an embedded struct has stands among the others
			}
			s.Properties[key] = d.schema(strings.TrimPrefix(path+"."+key, "."), value.FieldByIndex(field.Index))
		}
		return s
	}
	if !value.IsZero() {
		s.Default = value.Interface()
	}
	return s
}

// integrationKeys say what each key of an integration is for.
func integrationKeys() map[string]string {
	var priorities []string
	for _, p := range ticket.Priorities() {
		priorities = append(priorities, string(p))
	}
	return map[string]string{
		"":     "One account at a ticketing provider.",
		"name": "What feeds, callers and commands call it: lower-case letters, digits, - and _.",
		"type": "What kind of provider.",
		"url":  "The provider's address.",
		"credential": "How the provider knows us. In the configuration file a secret is written env:NAME or file:/path, " +
			"and never stands there itself; by the API it may be sent as it is, and is kept encrypted.",
		"credential.username":                         "The account's name, or e-mail address.",
		"credential.secret":                           "env:NAME or file:/path; by the API also the secret itself.",
		"credential.client_id":                        "The OAuth client's id.",
		"credential.token_url":                        "Where OAuth tokens come from; absent: the provider's usual place.",
		"default_project":                             "The project (Jira) or table (ServiceNow) of tickets that name none.",
		"default_issue_type":                          "The issue type (Jira) or category (ServiceNow) of tickets that name none.",
		"custom_field_mappings":                       "Names for the provider's own fields.",
		"custom_field_mappings[]":                     "One name. A mapping for the very project goes before one for all.",
		"custom_field_mappings[].name":                "The name in custom_fields.",
		"custom_field_mappings[].project_id":          `A project, or "*" for all.`,
		"custom_field_mappings[].provider_field_path": "The provider's field, with the members to go down to.",
		"custom_field_mappings[].project_field_path":  "Another spelling of provider_field_path.",
		"priority_map":                                "The provider's name of a priority: " + strings.Join(priorities, ", ") + ".",
		"status_map":                                  "The provider's status for a request's: " + strings.Join(requestStatuses(), ", ") + ".",
		"field_map":                                   "The custom field that holds a field of the request.",
		"rate":                                        "Limits of the calls of one process.",
		"rate.per_second":                             "Calls a second.",
		"rate.concurrency":                            "Calls at a time.",
		"settling":                                    "How long after a lost answer the ticket is looked for, like 60s.",
		"memory":                                      "How long past its end a request still knows its events, like 7d.",
	}
}
