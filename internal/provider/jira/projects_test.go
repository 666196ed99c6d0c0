package jira

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/jira"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func TestProjectsByNamePageByPage(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	for n := range 7 {
		w.sim.AddProject(sim.Project{ID: fmt.Sprint(100 + n), Key: fmt.Sprintf("Z%d", n), Name: fmt.Sprintf("Zone %d", n), Type: "software"})
	}
	var names []string
	cursor := ""
	for pages := 1; ; pages++ {
		page, err := w.client.ListProjects(ctx, cursor, 3)
		require.NoError(t, err)
		for _, p := range page.Items {
			names = append(names, p.Name)
		}
		if cursor = page.Cursor; cursor == "" {
			assert.Equal(t, 4, pages)
			break
		}
	}
	assert.True(t, slices.IsSorted(names), names)
	assert.Len(t, names, 10)
	page, err := w.client.ListProjects(ctx, "", 0)
	require.NoError(t, err)
	i := slices.IndexFunc(page.Items, func(p ticket.Project) bool { return p.Name == "Help desk" })
	assert.Equal(t, ticket.Project{ID: "HELP", Name: "Help desk", Unmapped: map[string]any{"id": "2", "type": "service_desk", "style": "classic"}}, page.Items[i])
	for _, wrong := range []string{"x", startCursor(-1), startCursor(0)} {
		_, err = w.client.ListProjects(ctx, wrong, 3)
		assert.Equal(t, ticket.Permanent, kindOf(t, err))
	}
}

func TestNoProjectsAreAnEmptyListForThoseWhoAreKnown(t *testing.T) {
	w := newWorld(t)
	for _, key := range []string{"OPS", "HELP", "DEV"} {
		require.NoError(t, w.sim.DeleteProject(key))
	}
	page, err := w.client.ListProjects(context.Background(), "", 0)
	require.NoError(t, err)
	assert.Empty(t, page.Items)
	w.fail(sim.Fault{Kind: sim.ErrorBefore, Op: "myself", Status: 401})
	_, err = w.newClient().ListProjects(context.Background(), "", 0)
	assert.Equal(t, ticket.Credentials, kindOf(t, err))
	for kind, fault := range map[ticket.Kind]sim.Fault{
		ticket.Retry: {Kind: sim.HTML, Op: "projects"}, ticket.RateLimited: {Kind: sim.TooMany, RetryAfter: 60}, ticket.Credentials: {Kind: sim.ErrorBefore, Status: 403},
	} {
		w.fail(fault)
		_, err = w.newClient().ListProjects(context.Background(), "", 0)
		assert.Equal(t, kind, kindOf(t, err))
	}
}

func remoteFields(t *testing.T, w *world) map[string]ticket.RemoteField {
	t.Helper()
	list, err := w.client.ListRemoteFields(context.Background())
	require.NoError(t, err)
	out := map[string]ticket.RemoteField{}
	for _, f := range list {
		out[f.ID] = f
	}
	assert.Len(t, out, len(list), "each once")
	return out
}

func TestRemoteFieldsHaveTypesOptionsAndScope(t *testing.T) {
	w := newWorld(t)
	w.sim.TakeOffScreen("OPS", "customfield_10014")
	fields := remoteFields(t, w)
	assert.Equal(t, ticket.RemoteField{
		ID: "customfield_10010", Name: "Severity", Scope: ticket.ScopeIntegrationCustom, Path: "customfield_10010", Type: ticket.FieldEnum, NativeType: "option",
		Options: []ticket.FieldOption{{ID: "20000", Name: "red"}, {ID: "20001", Name: "amber"}, {ID: "20002", Name: "green"}},
	}, fields["customfield_10010"])
	assert.Equal(t, ticket.RemoteField{
		ID: "customfield_10017", Name: "Sprint goal", Scope: ticket.ScopeProjectCustom, Project: "DEV", Path: "customfield_10017", Type: ticket.FieldString, NativeType: "string",
	}, fields["customfield_10017"])
	assert.True(t, fields["summary"].Required)
	assert.Equal(t, ticket.ScopeStandard, fields["summary"].Scope)
	assert.Len(t, fields["priority"].Options, 5)
	assert.Equal(t, ticket.FieldNumber, fields["customfield_10013"].Type)
	assert.Equal(t, "array<option>", fields["customfield_10014"].NativeType)
	assert.Empty(t, fields["customfield_10014"].Options, "no screen that was read has it")

	w = newWorld(t, func(_ *sim.Options, c *Config) {
		c.CustomFieldMappings = []CustomFieldMapping{{Name: "x", ProjectID: "DEV", ProviderFieldPath: "customfield_10014"}, {Name: "y", ProjectID: "GONE", ProviderFieldPath: "z"}}
	})
	w.sim.TakeOffScreen("OPS", "customfield_10014")
	assert.Len(t, remoteFields(t, w)["customfield_10014"].Options, 3, "the mapped project's screen is read too")

	w = newWorld(t, func(_ *sim.Options, c *Config) { c.DefaultProject = "" })
	assert.Len(t, remoteFields(t, w)["customfield_10010"].Options, 3, "without any project the first ones are taken")
	w.fail(sim.Fault{Kind: sim.ErrorBefore, Op: "meta", Status: 403})
	assert.Empty(t, remoteFields(t, w)["customfield_10010"].Options, "who may not create sees the fields")
	for kind, fault := range map[ticket.Kind]sim.Fault{
		ticket.Retry: {Kind: sim.DropAfter, Op: "meta"}, ticket.RateLimited: {Kind: sim.TooMany, RetryAfter: 60, Op: "fields"}, ticket.Credentials: {Kind: sim.ErrorBefore, Status: 401, Op: "fields"},
	} {
		w.fail(fault)
		_, err := w.newClient().ListRemoteFields(context.Background())
		assert.Equal(t, kind, kindOf(t, err))
	}
}

func TestRefusedValuesOfCustomFieldsAreExplained(t *testing.T) {
	w := newWorld(t, func(_ *sim.Options, c *Config) {
		c.CustomFieldMappings = []CustomFieldMapping{{Name: "severity", ProjectID: "*", ProviderFieldPath: "customfield_10010"}}
	})
	ctx := context.Background()
	issue := w.create(newTicket(1))
	_, patched := w.client.PatchTicket(ctx, issue.ID, ticket.Patch{CustomFields: map[string]any{"severity": "purple"}})
	n := newTicket(2)
	n.CustomFields = map[string]any{"severity": "purple"}
	_, created := w.client.CreateTicket(ctx, n)
	for _, err := range []error{patched, created} {
		assert.Equal(t, ticket.Permanent, kindOf(t, err))
		assert.ErrorContains(t, err, `custom_fields.severity (customfield_10010) takes one of: red, amber, green.`)
		assert.ErrorContains(t, err, "purple")
	}
}

func TestValuesOfAnotherTypeAreRefusedBeforeTheyAreSent(t *testing.T) {
	w := newWorld(t)
	for field, value := range map[string]any{
		"customfield_10013": []any{1, 2}, "customfield_10016": map[string]any{"a": 1}, "customfield_10011": []any{"x"}, "customfield_10010": []any{"red"},
		"customfield_10015": []any{"mia@acme.example"},
	} {
		n := newTicket(1)
		n.CustomFields = map[string]any{field: value}
		_, err := w.client.CreateTicket(context.Background(), n)
		assert.Equal(t, ticket.Permanent, kindOf(t, err))
		assert.ErrorContains(t, err, field)
		assert.ErrorContains(t, err, "the field takes")
	}
	assert.Zero(t, w.sim.Stats().Requests["create"])
}

func TestPathsIntoCustomFields(t *testing.T) {
	w := newWorld(t, func(_ *sim.Options, c *Config) {
		for name, path := range map[string]string{
			"a": "customfield_10010.value", "b": "fields/customfield_10014/value", "c": "customfield_10014/0/value", "d": "customfield_10015.displayName", "e": "customfield_10016", "f": "customfield_10010/nothing",
		} {
			c.CustomFieldMappings = append(c.CustomFieldMappings, CustomFieldMapping{Name: name, ProjectID: "*", ProviderFieldPath: path})
		}
	})
	n := newTicket(1)
	n.CustomFields = map[string]any{"a": "red", "b": []any{"lon", "nyc"}, "customfield_10015": "mia@acme.example", "e": "2026-03-04T12:00:00+02:00"}
	made := w.create(n)
	got, err := w.client.GetTicket(context.Background(), made.ID)
	require.NoError(t, err)
	assert.Equal(t, "red", got.CustomFields["a"])
	assert.Equal(t, []any{"lon", "nyc"}, got.CustomFields["b"])
	assert.Equal(t, "lon", got.CustomFields["c"])
	assert.Equal(t, "2026-03-04T10:00:00Z", got.CustomFields["e"], "times are RFC 3339")
	assert.NotContains(t, got.CustomFields, "f")
	assert.True(t, strings.HasPrefix(got.Operation, "create jira-ops"))
}
