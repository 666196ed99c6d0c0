package mock

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func mapped() Config {
	return Config{CustomFieldMappings: []CustomFieldMapping{
		{Name: "due", ProjectID: "*", ProviderFieldPath: "Dates/due-date"},
		{Name: "site", ProjectID: "*", ProviderFieldPath: "general.site"},
		{Name: "site", ProjectID: "OPS", ProviderFieldPath: "/ops/site/"},
		{Name: "rack", ProjectID: "OPS", ProviderFieldPath: "rack"},
		{Name: "impact", ProjectID: "*", ProviderFieldPath: "customer_impact"},
	}}
}

// A name stands for the path that the ticket's project has for it; the paths are
// seen once the ticket moves to a project that has no name for them.
func TestCustomFieldsAreByMapping(t *testing.T) {
	c, _ := newWorld(t, mapped())
	values := map[string]any{"due": "2026-05-01", "site": "Lisbon", "free": true}
	ops := c.must(t, ticket.New{Project: "OPS", CustomFields: values})
	assert.Equal(t, values, ops.CustomFields)
	moved, err := c.PatchTicket(t.Context(), ops.ID, ticket.Patch{Project: ptr("HELP")})
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"due": "2026-05-01", "ops.site": "Lisbon", "free": true}, moved.CustomFields)

	byPath := c.must(t, ticket.New{Project: "HELP", CustomFields: map[string]any{"Dates.due-date": "x", "general/site": "y"}})
	assert.Equal(t, map[string]any{"due": "x", "site": "y"}, byPath.CustomFields)
	_, err = c.CreateTicket(t.Context(), ticket.New{Name: "n", Project: "HELP", CustomFields: map[string]any{"rack": "7"}})
	requireKind(t, ticket.Permanent, err, `custom_fields.rack: custom_field_mappings of integration try has it for other projects only, not for HELP`)
}

func TestCustomFieldsHoldWhatJSONHolds(t *testing.T) {
	c, _ := newWorld(t, mapped())
	given := map[string]any{
		"whole": int64(math.MaxInt64), "float": 1.5, "list": []string{"a", "b"}, "object": map[string]any{"x": []any{nil, false}}, "none": nil, "due": []any{"a"},
		"ticket": struct {
			Name string `json:"name"`
		}{"n"},
	}
	made := c.must(t, ticket.New{CustomFields: given})
	assert.Equal(t, map[string]any{
		"whole": json.Number("9223372036854775807"), "float": json.Number("1.5"), "list": []any{"a", "b"},
		"object": map[string]any{"x": []any{nil, false}}, "ticket": map[string]any{"name": "n"}, "due": []any{"a"},
	}, made.CustomFields)
	made.CustomFields["due"].([]any)[0] = "b"
	made.CustomFields["object"].(map[string]any)["x"].([]any)[1] = true
	read, err := c.GetTicket(t.Context(), made.ID)
	require.NoError(t, err)
	assert.Equal(t, []any{nil, false}, read.CustomFields["object"].(map[string]any)["x"], "what was answered is the caller's")
	assert.Equal(t, []any{"a"}, read.CustomFields["due"])
	for _, wrong := range []any{math.NaN(), make(chan int)} {
		_, err = c.CreateTicket(t.Context(), ticket.New{Name: "n", CustomFields: map[string]any{"x": wrong}})
		requireKind(t, ticket.Permanent, err, `custom_fields.x`)
	}
	_, err = c.CreateTicket(t.Context(), ticket.New{Name: "n", CustomFields: map[string]any{"x": strings.Repeat("x", MaxTicketBytes)}})
	requireKind(t, ticket.Permanent, err, "at most 4 MiB")
}

func TestPresetFieldsAreTyped(t *testing.T) {
	c, _ := newWorld(t, mapped())
	made := c.must(t, ticket.New{CustomFields: map[string]any{"impact": "minor", "downtime_minutes": " 5", "affected_site": 12}})
	assert.Equal(t, map[string]any{"impact": "Minor", "downtime_minutes": json.Number("5"), "affected_site": "12"}, made.CustomFields)
	for says, values := range map[string]map[string]any{
		`custom field customer_impact: "huge": want one of None, Minor, Major`: {"impact": "huge"},
		`custom field downtime_minutes: "long": want a number`:                 {"downtime_minutes": "long"},
		`custom field downtime_minutes: "NaN": want a number`:                  {"downtime_minutes": "NaN"},
	} {
		_, err := c.PatchTicket(t.Context(), made.ID, ticket.Patch{CustomFields: values})
		requireKind(t, ticket.Permanent, err, says)
	}
	cleared, err := c.PatchTicket(t.Context(), made.ID, ticket.Patch{CustomFields: map[string]any{"impact": nil, "downtime_minutes": nil, "affected_site": nil}})
	require.NoError(t, err)
	assert.Empty(t, cleared.CustomFields)
}

func TestRemoteFields(t *testing.T) {
	c, _ := newWorld(t, mapped())
	fields, err := c.ListRemoteFields(t.Context())
	require.NoError(t, err)
	type place struct{ id, scope, project string }
	found := map[place]ticket.RemoteField{}
	for _, f := range fields {
		found[place{f.ID, f.Scope, f.Project}] = f
	}
	assert.Len(t, found, len(fields), "each once")
	assert.True(t, found[place{"name", ticket.ScopeStandard, ""}].Required)
	assert.Len(t, found[place{"priority", ticket.ScopeStandard, ""}].Options, 7)
	impact := found[place{"customer_impact", ticket.ScopeIntegrationCustom, ""}]
	assert.Equal(t, ticket.FieldEnum, impact.Type)
	assert.Equal(t, []ticket.FieldOption{{ID: "None", Name: "None"}, {ID: "Minor", Name: "Minor"}, {ID: "Major", Name: "Major"}}, impact.Options)
	assert.Equal(t, ticket.FieldNumber, found[place{"downtime_minutes", ticket.ScopeIntegrationCustom, ""}].Type)
	assert.Equal(t, "rack", found[place{"rack", ticket.ScopeProjectCustom, "OPS"}].Name)
	assert.Equal(t, "Dates.due-date", found[place{"Dates.due-date", ticket.ScopeIntegrationCustom, ""}].Path)
}
