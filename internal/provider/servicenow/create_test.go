package servicenow

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/servicenow"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func TestATicketBecomesAnIncident(t *testing.T) {
	w := newWorld(t, func(_ *sim.Options, c *Config) {
		c.CustomFieldMappings = []CustomFieldMapping{{Name: "affected_ci", ProjectID: "*", ProviderFieldPath: "incident/cmdb_ci"}}
		c.DefaultIssueType = "Network"
	})
	n := newTicket(1)
	n.Priority, n.Assignee, n.Contact = ticket.High, "MIA@acme.example", "mia.krystof"
	n.DueDate = time.Date(2026, 3, 5, 10, 0, 0, 0, time.FixedZone("", 3600))
	n.CustomFields = map[string]any{"affected_ci": "srv-001"}
	made := w.create(n)

	assert.Equal(t, ticket.OperationHash(n.Marker.Operation), made.ID)
	assert.Equal(t, "INC0010001", made.Key)
	assert.Contains(t, made.URL, "/nav_to.do?uri=incident.do%3Fsys_id%3D"+made.ID)
	assert.Equal(t, "New", made.Status)
	assert.Equal(t, ticket.High, made.Priority)
	assert.Equal(t, "mia@acme.example", made.Assignee)
	assert.Equal(t, "Network", made.IssueType)
	assert.Equal(t, map[string]any{"affected_ci": "srv-001"}, made.CustomFields)
	assert.True(t, made.MadeBy(n.Marker.Operation))
	assert.Empty(t, made.Warnings())

	r := w.stored(made.ID)
	for name, want := range map[string]string{
		"short_description": n.Name, "description": n.Description, "impact": "1", "urgency": "2", "priority": "2",
		"assigned_to": sim.UserMia, "caller_id": sim.UserMia, "due_date": "2026-03-05 09:00:00", "cmdb_ci": sim.CIServer, "category": "network",
		"correlation_id":      "tb:abcdefghijklmnopqrstuvwxyz:9001:" + made.ID,
		"correlation_display": "ticketbridge",
	} {
		assert.Equal(t, want, r.Fields[name], name)
	}
	got, err := w.client.GetTicket(context.Background(), "INC0010001")
	require.NoError(t, err)
	assert.Equal(t, made, got)
}

func TestASecurityIncidentHasItsOwnTableAndPriority(t *testing.T) {
	w := newWorld(t, security)
	n := newTicket(1)
	n.Priority, n.Contact = ticket.Critical, "mia@acme.example"
	made := w.create(n)
	assert.Equal(t, "SIR0010001", made.Key)
	assert.Equal(t, "Draft", made.Status)
	assert.Equal(t, ticket.Critical, made.Priority)
	assert.Equal(t, sim.UserMia, w.stored(made.ID).Fields["affected_user"])
	assert.Empty(t, w.sim.Tickets("incident"))
}

// A table of the tenant's own is known with its columns, and so are their types.
func TestATableThatExtendsIncident(t *testing.T) {
	w := newWorld(t, func(_ *sim.Options, c *Config) {
		c.DefaultProject = "u_ops_incident"
		c.CustomFieldMappings = []CustomFieldMapping{
			{Name: "begin", ProjectID: "u_ops_incident", ProviderFieldPath: "u_begin"}, {Name: "begin", ProjectID: "*", ProviderFieldPath: "opened_at"},
			{Name: "machines", ProjectID: "*", ProviderFieldPath: "u_machines"}, {Name: "outage", ProjectID: "*", ProviderFieldPath: "u_outage"},
		}
	})
	require.NoError(t, w.client.Check(context.Background()))
	n := newTicket(1)
	n.CustomFields = map[string]any{"begin": "2026-03-04T10:00:00+01:00", "machines": 7.0, "outage": true, "u_site": strings.Repeat("x", 30)}
	made := w.create(n)
	assert.Equal(t, "OPS0010001", made.Key)
	assert.Equal(t, "u_ops_incident", made.Project)
	f := w.stored(made.ID).Fields
	assert.Equal(t, []string{"2026-03-04 09:00:00", "7", "true", strings.Repeat("x", 19) + "…"}, []string{f["u_begin"], f["u_machines"], f["u_outage"], f["u_site"]})
	assert.Equal(t, "2026-03-04T09:00:00Z", made.CustomFields["begin"])
	assert.Equal(t, "2026-03-04T12:00:00Z", made.Unmapped["opened_at"])
	got, err := w.client.GetTicket(context.Background(), made.ID)
	require.NoError(t, err)
	assert.EqualValues(t, 7, got.CustomFields["machines"], "a number is one")

	n = newTicket(2)
	n.CustomFields = map[string]any{"machines": "many"}
	_, err = w.client.CreateTicket(context.Background(), n)
	assert.Equal(t, ticket.Permanent, kindOf(t, err))
	assert.ErrorContains(t, err, `u_machines: "many": want a whole number`)
	n.CustomFields = map[string]any{"colour": "red"}
	_, err = w.client.CreateTicket(context.Background(), n)
	assert.ErrorContains(t, err, "custom_field_mappings of integration snow-ops")
}

// What ServiceNow can do without never costs the ticket.
func TestWhatIsNotKnownBecomesALineOfTheDescription(t *testing.T) {
	w := newWorld(t, func(_ *sim.Options, c *Config) {
		c.CustomFieldMappings = []CustomFieldMapping{{Name: "affected_ci", ProjectID: "*", ProviderFieldPath: "cmdb_ci"}, {Name: "site", ProjectID: "*", ProviderFieldPath: "u_site"}}
	})
	n := newTicket(1)
	n.Assignee, n.Contact = "nobody@acme.example", "gone@acme.example"
	n.CustomFields = map[string]any{"affected_ci": "srv-999", "site": "Berlin"}
	made := w.create(n)
	text := w.stored(made.ID).Fields["description"]
	for _, line := range []string{"The disk is full.", "Assignee: nobody@acme.example", "Contact: gone@acme.example", "affected_ci: srv-999", "site: Berlin"} {
		assert.Contains(t, text, line)
	}
	assert.Len(t, made.Warnings(), 4)
	assert.Contains(t, strings.Join(made.Warnings(), "\n"), "site: table incident has no column u_site")
}

// The creator, else the default one, opened the ticket, and asked for a security
// incident; an instance that keeps it otherwise is told of.
func TestWhoOpensATicket(t *testing.T) {
	for name, c := range map[string]struct {
		change     func(*sim.Options, *Config)
		requester  string
		hasDefault bool
	}{
		"incident":          {func(*sim.Options, *Config) {}, "caller_id", false},
		"security incident": {security, "caller", false},
		"with a default": {func(o *sim.Options, c *Config) {
			security(o, c)
			c.DefaultCreator = "MIA@acme.example"
		}, "caller", true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, c.change)
			require.NoError(t, w.client.Check(context.Background()))
			plain := w.stored(w.create(newTicket(1)).ID).Fields
			n := newTicket(2)
			n.Creator = "mia.krystof"
			made := w.create(n)
			assert.Equal(t, "mia@acme.example", made.Creator)
			assert.Empty(t, made.Warnings())
			named := w.stored(made.ID).Fields
			assert.Equal(t, sim.UserMia, named["opened_by"])
			assert.NotContains(t, named["description"], "Creator")
			if w.config.Application.requester == "" {
				assert.Empty(t, named[c.requester], "who opens an incident is not who calls")
			} else {
				assert.Equal(t, sim.UserMia, named[c.requester])
			}
			if c.hasDefault {
				assert.Equal(t, []string{sim.UserMia, sim.UserMia}, []string{plain["opened_by"], plain[c.requester]})
			} else {
				assert.Equal(t, []string{sim.UserBridge, ""}, []string{plain["opened_by"], plain[c.requester]})
			}
			n = newTicket(3)
			n.Creator = "stranger@acme.example"
			made = w.create(n)
			assert.Equal(t, "bridge@acme.example", made.Creator)
			assert.Contains(t, w.stored(made.ID).Fields["description"], "Creator: stranger@acme.example")
			assert.Contains(t, strings.Join(made.Warnings(), "\n"), "creator: ServiceNow knows nobody")

			w.sim.Restrict(w.config.Application.table, "opened_by", true, false)
			w.sim.RemoveColumn(w.config.Application.table, "caller")
			n = newTicket(4)
			n.Creator = "mia@acme.example"
			assert.Contains(t, strings.Join(w.create(n).Warnings(), "\n"), "opened_by: ")
		})
	}
}

// A default creator who is not there is told before the first ticket, by whatever name.
func TestCheckLooksForTheDefaultCreator(t *testing.T) {
	for _, who := range []string{"gone@acme.example", "nobody", sim.UserGone, strings.Repeat("0", 32)} {
		w := newWorld(t, func(_ *sim.Options, c *Config) { c.DefaultCreator = who })
		err := w.client.Check(context.Background())
		assert.Equal(t, ticket.Permanent, kindOf(t, err), who)
		assert.ErrorContains(t, err, "default_creator: ServiceNow knows nobody, or more than one, by "+who)
	}
	w := newWorld(t, func(_ *sim.Options, c *Config) { c.DefaultCreator = sim.UserMia })
	require.NoError(t, w.client.Check(context.Background()))
	require.NoError(t, w.sim.Hide(sim.UserMia, true))
	require.NoError(t, w.newClient().Check(context.Background()), "it works though it is not seen")
	w.sim.Deny("sys_user")
	require.NoError(t, w.newClient().Check(context.Background()))
	assert.Equal(t, sim.UserMia, w.stored(w.create(newTicket(1)).ID).Fields["opened_by"])
}

// A text that does not fit is not lost: it is the first comment.
func TestALongTextIsTheFirstComment(t *testing.T) {
	w := newWorld(t)
	n := newTicket(1)
	n.Description = strings.Repeat("event ", 1000) + "last"
	made := w.create(n)
	assert.Len(t, []rune(w.stored(made.ID).Fields["description"]), 4000)
	journal := w.sim.Journal(made.ID)
	require.Len(t, journal, 1)
	assert.Equal(t, "comments", journal[0].Element)
	assert.Equal(t, n.Description, journal[0].Value)
	assert.Contains(t, strings.Join(made.Warnings(), "\n"), "description: 6004 characters: cut at the 4000 that ServiceNow takes: the first comment holds the text")
}

// Without the dictionary, the choices and the list of tables it works still.
func TestAnAccountThatMayReadLittle(t *testing.T) {
	for name, blind := range map[string]func(*sim.Simulator, string){
		"refused": (*sim.Simulator).Deny, "answered with nothing": (*sim.Simulator).HideRows,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for _, table := range []string{"sys_dictionary", "sys_choice", "sys_db_object", "sys_user"} {
				blind(w.sim, table)
			}
			n := newTicket(1)
			n.Assignee = "mia@acme.example"
			made := w.create(n)
			assert.Len(t, made.Warnings(), 1)
			status, reason := "completed", "solved"
			done, err := w.client.PatchTicket(context.Background(), made.ID, ticket.Patch{Status: &status, Resolution: &reason})
			require.NoError(t, err)
			assert.True(t, done.Closed)
			assert.Equal(t, "Solution provided", w.stored(made.ID).Fields["close_code"])
		})
	}
}

func TestNewNamesEverythingThatIsWrong(t *testing.T) {
	_, err := New(Config{
		Name: "x", URL: "acme", Credential: Credential{Type: "bearer"}, Application: ITSM(), DefaultProject: "Incident!",
		PriorityMap: map[ticket.Priority]string{ticket.High: "High"}, StatusMap: map[string]string{"completed": ""},
		CustomFieldMappings: []CustomFieldMapping{{Name: "a", ProjectID: "*", ProviderFieldPath: "u_a^NQ"}},
	})
	for _, want := range []string{"integration x", "url", "credential.type", "credential.secret", "default_project", "priority_map.HIGH", "status_map.completed", "custom_field_mappings[0]"} {
		assert.ErrorContains(t, err, want)
	}
}
