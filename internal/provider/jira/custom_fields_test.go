package jira

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/jira"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// mappedWorld has names for fields by every form of path.
func mappedWorld(t *testing.T) *world {
	return newWorld(t, func(_ *sim.Options, c *Config) {
		for name, path := range map[string]string{
			"severity": "customfield_10010.value", "severity_id": "customfield_10010/id", "count": "fields/customfield_10013",
			"sites": "customfield_10014.value", "first_site": "customfield_10014/0/value", "began": "customfield_10016", "owner": "customfield_10015",
		} {
			c.CustomFieldMappings = append(c.CustomFieldMappings, CustomFieldMapping{Name: name, ProjectID: "*", ProviderFieldPath: path})
		}
	})
}

// A value goes where its path leads, in the form of the field's type.
func TestCustomFieldsAreWrittenWhereTheirPathLeads(t *testing.T) {
	w := mappedWorld(t)
	for field, given := range map[string]struct {
		name  string
		value any
		want  string
	}{
		"customfield_10010": {"severity", "red", `{"value":"red"}`},
		"customfield_10013": {"count", "9.5", `9.5`},
		"customfield_10014": {"sites", "lon", `[{"value":"lon"}]`}, // one is a list of one
		"customfield_10016": {"began", "2026-03-02T08:00:00Z", `"2026-03-02T08:00:00.000+0000"`},
	} {
		n := newTicket(1)
		n.CustomFields = map[string]any{given.name: given.value}
		made, err := w.client.CreateTicket(t.Context(), n)
		require.NoError(t, err, given.name)
		assert.JSONEq(t, given.want, string(w.stored(made.ID).Custom[field]), given.name)
	}
	for _, given := range []struct {
		name  string
		value any
		says  string
	}{
		{"count", "NaN", `"NaN" is no number`}, {"count", "-Inf", "is no number"}, {"count", json.Number("1e999"), "is no number"},
		{"severity", []any{"red", "amber"}, "takes one value"}, {"severity_id", []any{"1", "2"}, "takes one value"},
		{"first_site", "lon", "one member of a list (0.value), which can be read only"},
	} {
		n := newTicket(1)
		n.CustomFields = map[string]any{given.name: given.value}
		_, err := w.client.CreateTicket(t.Context(), n)
		assert.Equal(t, ticket.Permanent, kindOf(t, err), "%s %v", given.name, given.value)
		assert.ErrorContains(t, err, "custom_fields."+given.name+": ")
		assert.ErrorContains(t, err, given.says)
	}
}
