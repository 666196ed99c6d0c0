package servicenow

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/servicenow"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// projects reads every page.
func (w *world) projects(limit int) (out []ticket.Project) {
	w.t.Helper()
	for cursor := ""; ; {
		page, err := w.client.ListProjects(context.Background(), cursor, limit)
		require.NoError(w.t, err)
		out = append(out, page.Items...)
		if cursor = page.Cursor; cursor == "" {
			return out
		}
	}
}

func namesOfProjects(all []ticket.Project) (out []string) {
	for _, p := range all {
		out = append(out, p.ID+": "+p.Name)
	}
	return out
}

func TestTablesAreListedAsProjects(t *testing.T) {
	w := newWorld(t)
	w.sim.AddTable(sim.Table{Name: "u_alpha", Label: "zeta", Super: "u_ops_incident"})
	w.sim.AddTable(sim.Table{Name: "u_beta", Label: "Alpha", Super: "u_alpha"})
	w.sim.AddTable(sim.Table{Name: "u_other", Label: "Other", Super: "task"})
	want := []string{"incident: Incident", "u_beta: Alpha", "u_ops_incident: Operations incident", "u_alpha: zeta"}
	for _, limit := range []int{0, 1, 3, 1000} {
		assert.Equal(t, want, namesOfProjects(w.projects(limit)), "%d a page", limit)
	}
	assert.Equal(t, map[string]any{"extends": "incident"}, w.projects(0)[2].Unmapped)
	for _, cursor := range []string{"x", "e30", "WyJhIl0"} {
		_, err := w.client.ListProjects(context.Background(), cursor, 1)
		assert.Equal(t, ticket.Permanent, kindOf(t, err), cursor)
	}
	s := newWorld(t, security)
	assert.Equal(t, []string{"sn_si_incident: Security Incident"}, namesOfProjects(s.projects(0)))
}

// A table that comes or goes between pages moves no other one over their edge.
func TestPagesOfTablesThatChange(t *testing.T) {
	w := newWorld(t)
	for n := range 6 {
		w.sim.AddTable(sim.Table{Name: fmt.Sprintf("u_t%d", n), Label: fmt.Sprintf("T%d", n), Super: "incident"})
	}
	first, err := w.client.ListProjects(context.Background(), "", 3)
	require.NoError(t, err)
	w.sim.AddTable(sim.Table{Name: "u_new", Label: "A new one", Super: "incident"})
	w.client = w.newClient()
	second, err := w.client.ListProjects(context.Background(), first.Cursor, 100)
	require.NoError(t, err)
	assert.Equal(t, []string{"incident: Incident", "u_ops_incident: Operations incident", "u_t0: T0", "u_t1: T1", "u_t2: T2", "u_t3: T3", "u_t4: T4", "u_t5: T5"},
		namesOfProjects(append(first.Items, second.Items...)))
}

func TestTablesOfAnAccountThatMayNotListThem(t *testing.T) {
	for _, blind := range []func(*sim.Simulator, string){(*sim.Simulator).Deny, (*sim.Simulator).HideRows} {
		w := newWorld(t, func(_ *sim.Options, c *Config) {
			c.DefaultProject = "u_ops_incident"
			c.CustomFieldMappings = []CustomFieldMapping{{"a", "u_more", "u_a"}, {"b", "*", "u_b"}, {"c", "u_ops_incident", "u_c"}}
		})
		blind(w.sim, "sys_db_object")
		assert.Equal(t, []string{"incident: incident", "u_more: u_more", "u_ops_incident: u_ops_incident"}, namesOfProjects(w.projects(1)))
	}
}

func fieldOf(t *testing.T, fields []ticket.RemoteField, id string) ticket.RemoteField {
	t.Helper()
	for _, f := range fields {
		if f.ID == id {
			return f
		}
	}
	require.Failf(t, "no such field", "%s", id)
	return ticket.RemoteField{}
}

func TestRemoteFields(t *testing.T) {
	w := newWorld(t, func(_ *sim.Options, c *Config) {
		c.CustomFieldMappings = []CustomFieldMapping{
			{"site", "u_ops_incident", "u_site"}, {"machine", "*", "cmdb_ci/name"}, {"again", "*", "cmdb_ci.name"}, {"no reference", "*", "category.name"},
		}
	})
	w.sim.AddTable(sim.Table{Name: "u_narrow", Label: "Narrow", Super: "u_ops_incident", Columns: []sim.Column{
		{Name: "u_site", Label: "Narrow site", Type: "string", MaxLength: 5}, {Name: "u_must", Label: "Must", Type: "decimal", Mandatory: true}, {Name: "u_given", Label: "Given", Type: "string", Mandatory: true, Default: "x"},
	}})
	w.sim.Add("sys_dictionary_override", map[string]string{"name": "u_ops_incident", "base_table": "task", "element": "short_description", "mandatory": "true", "mandatory_override": "true"})
	w.sim.Add("sys_choice", map[string]string{"name": "u_ops_incident", "element": "category", "value": "ours", "label": "Ours", "language": "en", "inactive": "false"})
	ctx := context.Background()
	fields, err := w.client.ListRemoteFields(ctx)
	require.NoError(t, err)
	state := fieldOf(t, fields, "state")
	assert.Equal(t, ticket.FieldEnum, state.Type)
	assert.Equal(t, ticket.FieldOption{ID: "6", Name: "Resolved"}, state.Options[3])
	assert.Equal(t, ticket.RemoteField{ID: "u_site", Name: "Site", Scope: ticket.ScopeTicketCustom, Project: "u_ops_incident", Path: "u_site", Type: ticket.FieldString, NativeType: "string"}, fieldOf(t, fields, "u_site"))
	assert.Equal(t, ticket.RemoteField{ID: "cmdb_ci.name", Name: "machine", Scope: ticket.ScopeTicketCustom, Path: "cmdb_ci.name", Type: ticket.FieldString, NativeType: "string"}, fieldOf(t, fields, "cmdb_ci.name"))
	for id, kind := range map[string]string{"u_machines": ticket.FieldNumber, "u_floor": ticket.FieldEnum, "u_owner": ticket.FieldOther, "u_outage": ticket.FieldOther, "u_begin": ticket.FieldString, "u_load": ticket.FieldNumber, "comments": ticket.FieldString, "short_description": ticket.FieldString} {
		assert.Equal(t, kind, fieldOf(t, fields, id).Type, id)
	}
	assert.Equal(t, ticket.ScopeStandard, fields[0].Scope, "standard ones first")
	assert.Equal(t, ticket.ScopeTicketCustom, fields[len(fields)-1].Scope)
	before := len(w.seen.all())
	_, err = w.client.ListRemoteFields(ctx)
	require.NoError(t, err)
	assert.Len(t, w.seen.all(), before, "it is remembered")

	// The row of the table itself wins, and what it overrides.
	w.config.DefaultProject = "u_narrow"
	fields, err = w.newClient().ListRemoteFields(ctx)
	require.NoError(t, err)
	assert.Equal(t, "Narrow site", fieldOf(t, fields, "u_site").Name)
	assert.Equal(t, "Ours", fieldOf(t, fields, "category").Options[0].Name)
	for id, required := range map[string]bool{"short_description": true, "u_must": true, "u_given": false, "description": false} {
		assert.Equal(t, required, fieldOf(t, fields, id).Required, id)
	}
}

func TestRemoteFieldsOfAnAccountThatMayNotReadTheDictionary(t *testing.T) {
	for _, blind := range []func(*sim.Simulator, string){(*sim.Simulator).Deny, (*sim.Simulator).HideRows} {
		w := newWorld(t, func(_ *sim.Options, c *Config) { c.DefaultProject = "u_ops_incident" })
		blind(w.sim, "sys_dictionary")
		fields, err := w.client.ListRemoteFields(context.Background())
		require.NoError(t, err)
		assert.Equal(t, ticket.FieldOther, fieldOf(t, fields, "short_description").Type, "what is known without any record")
		w.create(newTicket(1))
		fields, err = w.newClient().ListRemoteFields(context.Background())
		require.NoError(t, err)
		assert.Equal(t, ticket.RemoteField{ID: "u_site", Name: "u_site", Scope: ticket.ScopeTicketCustom, Path: "u_site", Type: ticket.FieldOther}, fieldOf(t, fields, "u_site"))
		assert.Len(t, fields, len(w.sim.Columns("u_ops_incident")))
		for _, name := range w.sim.Columns("u_ops_incident") {
			fieldOf(t, fields, name)
		}
	}
	w := newWorld(t)
	w.fail(sim.Fault{Kind: sim.ErrorBefore, Op: "meta"})
	_, err := w.client.ListRemoteFields(context.Background())
	assert.Equal(t, ticket.Retry, kindOf(t, err), "trouble is no lack of a right")
}

// A project that holds no tickets of the application is refused where it is used.
func TestAProjectThatIsNoTableOfTickets(t *testing.T) {
	for project, want := range map[string]string{"sn_si_incident": "does not extend incident", "nothing_such": "Table nothing_such does not exist", "sys_user": "does not extend incident"} {
		w := newWorld(t, func(_ *sim.Options, c *Config) { c.DefaultProject = project })
		w.sim.Add("incident", map[string]string{"number": "INC0000001", "correlation_id": "x"})
		ctx := context.Background()
		_, err := w.client.QueryTickets(ctx, ticket.Query{})
		assert.ErrorContains(t, err, want)
		_, err = w.client.CreateTicket(ctx, newTicket(1))
		assert.ErrorContains(t, err, want)
		assert.Equal(t, ticket.Permanent, kindOf(t, err))
		assert.ErrorContains(t, w.client.Check(ctx), want)
	}
	for want, mappings := range map[string][]CustomFieldMapping{
		"does not extend incident":         {{"a", "sn_si_incident", "u_a"}},
		"table u_ops_incident has no colu": {{"a", "u_ops_incident", "u_a"}},
		"category of table incident is no": {{"a", "*", "category.name"}},
		"":                                 {{"a", "u_ops_incident", "u_owner.email"}, {"a", "*", "cmdb_ci/name"}},
	} {
		w := newWorld(t, func(_ *sim.Options, c *Config) { c.CustomFieldMappings = mappings })
		if err := w.client.Check(context.Background()); want == "" {
			assert.NoError(t, err)
		} else {
			assert.ErrorContains(t, err, want)
		}
	}
}
