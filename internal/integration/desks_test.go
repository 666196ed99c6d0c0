package integration

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/simulator/servicenow"
)

// bothDesks is a stack with both applications of one ServiceNow instance, each in a
// table of the tenant's own that has the same columns.
type bothDesks struct {
	*stack
	sim *servicenow.Simulator
}

// counter is one application of bothDesks, with a caller of its own.
type counter struct {
	*connector
	sim *servicenow.Simulator
	// table extends base; fresh, working and done are labels of states, contact is
	// the column of the one who is affected.
	table, base, fresh, working, done, contact string
}

const securityToken = "test-token-of-security"

func startBothDesks(t *testing.T) *bothDesks {
	t.Helper()
	sim := servicenow.New(servicenow.Options{Username: "bridge", Secret: "secret-of-snow"})
	sim.AddTable(servicenow.Table{
		Name: "u_ops_security", Label: "Operations security incident", Super: "sn_si_incident", Display: "number", Prefix: "OSIR",
		Columns: []servicenow.Column{
			{Name: "u_site", Label: "Site", Type: "string", MaxLength: 20}, {Name: "u_outage", Label: "Outage", Type: "boolean"},
			{Name: "u_begin", Label: "Begin", Type: "glide_date_time"}, {Name: "u_machines", Label: "Machines", Type: "integer"},
			{Name: "u_floor", Label: "Floor", Type: "string", MaxLength: 40, Choice: "3"}, {Name: "u_load", Label: "Load", Type: "decimal"},
			{Name: "u_day", Label: "Day", Type: "glide_date"}, {Name: "u_owner", Label: "Owner", Type: "reference", Reference: "sys_user"},
		},
	})
	for value, label := range map[string]string{"b1": "Basement", "g": "Ground floor", "1": "First floor"} {
		sim.Add("sys_choice", map[string]string{"name": "u_ops_security", "element": "u_floor", "value": value, "label": label, "language": "en", "inactive": "false"})
	}
	sim.AllowDelete("sys_journal_field", true)
	site := httptest.NewServer(sim)
	t.Cleanup(site.Close)
	s := start(t, options{
		env:    []string{"TEST_SNOW_SECRET=secret-of-snow", "TEST_SECURITY_TOKEN=" + securityToken},
		config: func(text string) string { return withDesks(text, site.URL) },
	})
	return &bothDesks{s, sim}
}

// withDesks puts both applications into the place of Jira.
func withDesks(text, url string) string {
	before, rest, _ := strings.Cut(text, "  - name: jira-ops")
	_, after, _ := strings.Cut(rest, fastRate)
	for _, d := range [][3]string{{"snow-ops", "ticketing_servicenow", "u_ops_incident"}, {"snow-security", "ticketing_servicenow_sir", "u_ops_security"}} {
		before += fmt.Sprintf(`  - name: %s
    type: %s
    url: %s
    credential: {type: basic, username: bridge, secret: "env:TEST_SNOW_SECRET"}
    default_project: %s
    settling: %s
    custom_field_mappings:
      - {name: begin, project_id: "*", provider_field_path: u_begin}
      - {name: machines, project_id: "*", provider_field_path: u_machines}
      - {name: floor, project_id: "*", provider_field_path: u_floor}
      - {name: site, project_id: "*", provider_field_path: %s/u_site}
      - {name: server, project_id: "*", provider_field_path: cmdb_ci.name}
%s`, d[0], d[1], url, d[2], settling, d[2], fastRate)
	}
	const callers = "callers:\n"
	after = strings.Replace(after, callers, callers+"  - {name: security, token: \"env:TEST_SECURITY_TOKEN\", integration: snow-security}\n", 1)
	return strings.ReplaceAll(before+after, "jira-ops", "snow-ops")
}

// counters are the two applications.
func (b *bothDesks) counters() []counter {
	security := b.connector(1)
	security.token = securityToken
	return []counter{
		{b.connector(1), b.sim, "u_ops_incident", "incident", "New", "In Progress", "Resolved", "caller_id"},
		{security, b.sim, "u_ops_security", "sn_si_incident", "Draft", "Analysis", "Closed", "affected_user"},
	}
}

// create makes a ticket as a caller does, and lets it be created so many hours
// after the first day of 2026.
func (c counter) create(t *testing.T, hours int, asked map[string]any) ticketShape {
	t.Helper()
	made, err := c.createTicket(t.Context(), asked)
	require.NoError(t, err)
	c.createdAt(t, made.ID, hours)
	return made
}

func (c counter) createdAt(t *testing.T, id string, hours int) {
	t.Helper()
	at := time.Date(2026, 1, 1, hours, 0, 0, 0, time.UTC).Format(time.DateTime)
	require.NoError(t, c.sim.Put(id, map[string]string{"sys_created_on": at}))
}

// add puts a ticket into the table as somebody else does, with a tag.
func (c counter) add(t *testing.T, hours int, name, tag string) string {
	t.Helper()
	id := c.sim.Add(c.table, map[string]string{
		"number": "N" + name, "short_description": name, "description": "Tags: " + tag, "active": "true", "state": "1",
	})
	c.createdAt(t, id, hours)
	return id
}
