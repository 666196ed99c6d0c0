package config

import (
	"reflect"
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

// IntegrationSchema describes an integration of a type as it stands in the
// configuration, with the defaults that it has.
func IntegrationSchema(integrationType string) *Schema {
	defaults := Integration{Type: integrationType}
	defaultIntegration(&defaults)
	s := schemaOf("", reflect.ValueOf(defaults))
	s.Required = []string{"name", "type"}
	s.Properties["type"].Enum, s.Properties["type"].Default = []string{integrationType}, nil
	if credentials := integrationCredentials(integrationType); len(credentials) > 0 {
		s.Properties["credential"] = credentialSchema(credentials)
		s.Required = append(s.Required, "credential")
	} else {
		delete(s.Properties, "credential")
	}
	if !isServiceNow(integrationType) {
		for _, key := range serviceNowKeys() {
			delete(s.Properties, key)
		}
	}
	if integrationType == TypeMock {
		delete(s.Properties, "url")
	} else {
		delete(s.Properties, "mock")
		s.Required = append(s.Required, "url")
	}
	return s
}

// serviceNowKeys are those that only ServiceNow's integrations have.
func serviceNowKeys() []string {
	return []string{"create_mode", "import_table", "import_fields", "default_creator"}
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

// schemaOf describes a value of the configuration, which is the default.
func schemaOf(path string, value reflect.Value) *Schema {
	s := &Schema{Description: integrationKeys()[path], Enum: integrationEnums()[path]}
	switch v := value.Interface().(type) {
	case Credential:
		return s // depends on the type of integration
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
		s.Type, s.Items = "array", schemaOf(path+"[]", reflect.New(value.Type().Elem()).Elem())
	case reflect.Map:
		s.Type, s.AdditionalProperties = "object", &Schema{Type: "string"}
	case reflect.Struct:
		s.Type, s.Properties, s.AdditionalProperties = "object", map[string]*Schema{}, false
		for _, field := range reflect.VisibleFields(value.Type()) {
			if field.Anonymous {
				continue // its keys stand among the others
			}
			key := field.Tag.Get("yaml")
			s.Properties[key] = schemaOf(strings.TrimPrefix(path+"."+key, "."), value.FieldByIndex(field.Index))
		}
		return s
	}
	if !value.IsZero() {
		s.Default = value.Interface()
	}
	return s
}

func integrationEnums() map[string][]string {
	return map[string][]string{
		"create_mode":               {CreateInTable, CreateByImport},
		"mock.faults[].kind":        mockFaultKinds(),
		"mock.faults[].operators[]": MockOperators(),
	}
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
		"credential": "How the provider knows us. A secret is written env:NAME or file:/path; " +
			"it never stands in the configuration itself.",
		"credential.username":                         "The account's name, or e-mail address.",
		"credential.secret":                           "env:NAME or file:/path.",
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
		"internal_role":                               "Who may see internal notes where the provider has no other way to keep them internal.",
		"rate":                                        "Limits of the calls of one process.",
		"rate.per_second":                             "Calls a second.",
		"rate.concurrency":                            "Calls at a time.",
		"settling":                                    "How long after a lost answer the ticket is looked for, like 60s.",
		"memory":                                      "How long past its end a request still knows its events, like 7d.",
		"create_mode":                                 "Where tickets are made: in their own table, or through a staging table.",
		"import_table":                                "The staging table of create_mode import_set.",
		"import_fields":                               "The staging table's names of columns that have another one in the tickets' table.",
		"default_creator":                             "Who opened tickets that name no creator: an e-mail address, user name or sys_id.",
		"mock":                                        "How a test provider misbehaves.",
		"mock.latency":                                "How long each call takes, like 200ms.",
		"mock.seed":                                   "The same seed, the same faults.",
		"mock.faults":                                 "What goes wrong.",
		"mock.faults[]":                               "One way in which calls go wrong.",
		"mock.faults[].kind":                          "What happens.",
		"mock.faults[].share":                         "The part of the calls that it befalls, up to 1; absent: all.",
		"mock.faults[].operators":                     "The operators that it befalls; absent: all.",
		"mock.faults[].operators[]":                   "The name of an operator.",
		"mock.faults[].delay":                         "How late a slow answer comes, like 3s.",
		"mock.faults[].retry_after":                   "What a rate limit asks callers to wait, like 2s.",
	}
}
