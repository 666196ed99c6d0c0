package integration

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Custom fields go out and come back in their types, by paths with dots and
// slashes, a project's own mapping before that for all; what cannot be one of
// their values is a Problem that names the field and what is wanted.
func TestCustomFieldsByTypeAndProject(t *testing.T) {
	t.Parallel()
	for provider, b := range startBoth(t) {
		t.Run(provider, func(t *testing.T) {
			b.testTypedFields(t)
			b.testProjectFields(t)
			b.testWrongFields(t)
			b.testRemoteFields(t)
		})
	}
}

func (b *bench) testTypedFields(t *testing.T) {
	t.Helper()
	want := map[string]any{
		"severity": b.choice(0), "count": 9.5, "sites": []any{"lon", "ber"}, "began": "2026-03-02T08:00:00Z", "goal": "ship it",
	}
	made, err := b.createTicket(t.Context(), map[string]any{"name": "Typed", "custom_fields": want})
	require.NoError(t, err)
	read, err := b.getTicket(t.Context(), made.ID)
	require.NoError(t, err)
	for name, value := range want {
		assert.Equal(t, value, read.CustomFields[name], name)
	}
	if b.jira {
		assert.Equal(t, "lon", read.CustomFields["first_site"])
	}

	patched, err := b.patchTicket(t.Context(), made.ID,
		replace("/custom_fields/severity", b.choice(1)), replace("/custom_fields/count", "100"), replace("/custom_fields/sites", []string{"ber"}),
		patchOp{Op: "test", Path: "/custom_fields/goal", Value: "ship it"}, patchOp{Op: "remove", Path: "/custom_fields/goal"})
	require.NoError(t, err)
	assert.Equal(t, []any{b.choice(1), 100.0, []any{"ber"}},
		[]any{patched.CustomFields["severity"], patched.CustomFields["count"], patched.CustomFields["sites"]}, "a number may be written as a text")
	assert.NotContains(t, patched.CustomFields, "goal")
	_, err = b.patchTicket(t.Context(), made.ID, patchOp{Op: "test", Path: "/custom_fields/severity", Value: b.choice(0)}, replace("/custom_fields/count", 1))
	refused(t, err)
}

// refused: the patch did not pass its own test.
func refused(t *testing.T, err error) {
	t.Helper()
	var e *apiError
	require.ErrorAs(t, err, &e)
	assert.Contains(t, []int{http.StatusBadRequest, http.StatusConflict}, e.Status, e.Text)
}

// testProjectFields: DEV has a mapping of its own for goal, and only_dev alone.
func (b *bench) testProjectFields(t *testing.T) {
	t.Helper()
	made, err := b.createTicket(t.Context(), map[string]any{"name": "Of DEV", "project": "DEV", "custom_fields": map[string]any{"goal": "release"}})
	require.NoError(t, err)
	read, err := b.getTicket(t.Context(), made.ID)
	require.NoError(t, err)
	assert.Equal(t, "release", read.CustomFields["goal"])
	assert.Equal(t, "release", read.CustomFields["only_dev"], "two names of one field")
	_, err = b.createTicket(t.Context(), map[string]any{"name": "Of OPS", "project": "OPS", "custom_fields": map[string]any{"only_dev": "release"}})
	p := refusal(t, http.StatusBadRequest, err).Problem
	assert.Contains(t, *p.Detail, "only_dev")
	assert.Contains(t, *p.Detail, "custom_field_mappings")
}

func (b *bench) testWrongFields(t *testing.T) {
	t.Helper()
	type wrong struct {
		name  string
		value any
		says  string
	}
	cases := []wrong{
		{"count", "many", "number"}, {"count", true, "number"}, {"count", []any{1}, "number"}, {"count", map[string]any{"n": 1}, "number"}, {"count", "NaN", "number"},
		{"severity", b.choice(2), b.choice(0)}, {"severity", []any{b.choice(0), b.choice(1)}, "one"}, {"severity", 7, b.choice(0)},
	}
	if b.jira {
		cases = append(cases,
			wrong{"began", "yesterday", "RFC 3339"}, wrong{"began", 5, "RFC 3339"}, wrong{"began", []any{}, "RFC 3339"},
			wrong{"goal", map[string]any{"a": 1}, "a text"}, wrong{"goal", []any{"a", "b"}, "a text"},
			wrong{"sites", []any{[]any{"lon"}}, "one value"}, wrong{"sites", []any{"lon", "mars"}, "nyc"},
			wrong{"first_site", "lon", "first_site"}, wrong{"nobody_mapped_it", "x", "custom_field_mappings"},
			wrong{"customfield_10015", "nobody@nowhere.example", "nobody@nowhere.example"},
		)
	}
	for _, c := range cases {
		text := fmt.Sprintf("%s: %v", c.name, c.value)
		_, err := b.createTicket(t.Context(), map[string]any{"name": "Wrong", "custom_fields": map[string]any{c.name: c.value}})
		if !assert.Error(t, err, text) {
			continue
		}
		p := refusal(t, http.StatusBadRequest, err).Problem
		require.NotNil(t, p.Detail, text)
		assert.Contains(t, *p.Detail, c.says, text)
	}
	_, err := b.createTicket(t.Context(), map[string]any{"name": "Wrong", "custom_fields": []any{}})
	refusal(t, http.StatusBadRequest, err)
	made, err := b.createTicket(t.Context(), map[string]any{"name": "Right"})
	require.NoError(t, err)
	_, err = b.patchTicket(t.Context(), made.ID, patchOp{Op: "add", Path: "/custom_fields/count", Value: "many"})
	assert.Contains(t, *refusal(t, http.StatusBadRequest, err).Problem.Detail, "number")
}

// testRemoteFields: every mapped field is among the remote ones, with its type and
// options.
func (b *bench) testRemoteFields(t *testing.T) {
	t.Helper()
	fields, err := b.listRemoteFields(t.Context())
	require.NoError(t, err)
	types, scopes := map[string]string{}, map[string]string{}
	for _, f := range fields {
		require.NotNil(t, f.Schema, f.FieldID)
		types[f.FieldID], scopes[f.FieldID] = f.Schema.FieldTypeID, f.FieldScope
		if f.ProjectID != nil && *f.ProjectID == "DEV" {
			scopes[f.FieldID] += " of DEV"
		}
		if f.Schema.FieldTypeID == "enum" && len(f.Schema.EnumValues) > 0 {
			assert.Len(t, f.Schema.EnumOptionValues, len(f.Schema.EnumValues), f.FieldID)
			types[f.FieldID] = "enum of " + f.Schema.EnumValues[0]
		}
	}
	want := map[string][2]string{
		"customer_impact": {"enum of None", "integration_custom"}, "downtime_minutes": {"number", "integration_custom"},
		"Places.sites": {"other", "integration_custom"}, "Sprint.goal": {"other", "project_custom of DEV"}, "name": {"string", "standard"},
	}
	if b.jira {
		want = map[string][2]string{
			"customfield_10010": {"enum of red", "integration_custom"}, "customfield_10013": {"number", "integration_custom"},
			"customfield_10011": {"string", "integration_custom"}, "customfield_10017": {"string", "project_custom of DEV"},
			"summary": {"string", "standard"}, "priority": {types["priority"], "standard"},
		}
	}
	for id, what := range want {
		assert.Equal(t, what, [2]string{types[id], scopes[id]}, id)
	}
}
