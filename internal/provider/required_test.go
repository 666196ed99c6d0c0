package provider

import (
	"cmp"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/simulator/jira"
	"github.com/ticketbridge/ticketbridge/internal/simulator/servicenow"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

// bare is an integration of a simulated provider that has no defaults of its own. A
// provider that needs more than an address and the first of its credentials gets it
// here.
func bare(t *testing.T, kind string) config.Integration {
	t.Helper()
	r, ok := all().registered(kind)
	require.True(t, ok)
	in := config.Integration{Name: "x", Type: kind, Rate: config.Rate{PerSecond: 10_000, Concurrency: 8}}
	if len(r.kind.Credentials) > 0 {
		in.Credential = config.Credential{
			Type: r.kind.Credentials[0], Username: "bridge", ClientID: "bridge", Secret: config.NewSecret("hunter2"),
		}
	}
	var site *httptest.Server
	switch kind {
	case config.TypeJira:
		site = httptest.NewServer(jira.New(jira.Options{}))
	case config.TypeServiceNow, config.TypeServiceNowSIR:
		site = httptest.NewServer(servicenow.New(servicenow.Options{Username: "bridge", Secret: "hunter2"}))
	default:
		require.Equal(t, config.AddressNone, r.kind.Address, "give %s its simulator here", kind)
		return in
	}
	t.Cleanup(site.Close)
	in.URL = site.URL
	return in
}

// newTicket has the fields named, and no other.
func newTicket(t *testing.T, fields []string) ticket.New {
	t.Helper()
	n := ticket.New{}
	for _, field := range fields {
		switch field {
		case "name":
			n.Name = "Disk full"
		case "project":
			n.Project = "OPS"
		case "issue_type":
			n.IssueType = "Task"
		default:
			require.Fail(t, "give the test a value for the field", field)
		}
	}
	return n
}

// A new ticket needs the fields that the capabilities name, each of them, and no
// other.
func TestRequiredFieldsAreWhatACreateNeeds(t *testing.T) {
	for _, p := range Capabilities() {
		t.Run(p.ID, func(t *testing.T) {
			set, err := fileOnly(bare(t, p.ID))
			require.NoError(t, err)
			in, err := set.Integration(t.Context(), "x")
			require.NoError(t, err)
			creator, ok := in.Client.(ticketing.TicketCreator)
			require.True(t, ok)
			require.NotEmpty(t, p.RequiredFields)
			_, err = creator.CreateTicket(t.Context(), newTicket(t, p.RequiredFields))
			require.NoError(t, err, "all that is required is there")
			for i, missing := range p.RequiredFields {
				rest := append(append([]string{}, p.RequiredFields[:i]...), p.RequiredFields[i+1:]...)
				_, err := creator.CreateTicket(t.Context(), newTicket(t, rest))
				require.Error(t, err, "without %s", missing)
				assert.Equal(t, ticket.Permanent, ticket.KindOf(err), "without %s: %v", missing, err)
			}
		})
	}
}

// What a provider says of its lists is what they take.
func TestListsTakeTheFiltersAndOrdersThatTheyName(t *testing.T) {
	values := map[string]string{"datetime": "2026-01-02T03:04:05Z", "enum": "HIGH", "string": "OPS-1", "number": "1"}
	projects := map[string]string{config.TypeServiceNow: "incident", config.TypeServiceNowSIR: "sn_si_incident"}
	for _, p := range Capabilities() {
		list, ok := p.Lists[ticketing.QueryTickets]
		if !ok {
			assert.False(t, ticketing.Supports(p.Client, ticketing.QueryTickets), "%s lists tickets, and names no filters", p.ID)
			continue
		}
		t.Run(p.ID, func(t *testing.T) {
			set, err := fileOnly(bare(t, p.ID))
			require.NoError(t, err)
			in, err := set.Integration(t.Context(), "x")
			require.NoError(t, err)
			querier, ok := in.Client.(ticketing.TicketQuerier)
			require.True(t, ok)
			for _, f := range list.Filters {
				value := values[f.Type]
				require.NotEmpty(t, value, "%s has the type %q", f.Name, f.Type)
				if f.Name == "project" {
					value = cmp.Or(projects[p.ID], "OPS")
				}
				for _, op := range f.Operators {
					_, err := querier.QueryTickets(t.Context(), ticket.Query{Filters: []ticket.Filter{{Field: f.Name, Op: op, Values: []string{value}}}})
					assert.NoError(t, err, "%s[%s]", f.Name, op)
				}
			}
			for _, name := range list.Orders {
				_, err := querier.QueryTickets(t.Context(), ticket.Query{Orders: []ticket.Order{{Field: name, Descending: true}}})
				assert.NoError(t, err, "order by %s", name)
			}
			_, err = querier.QueryTickets(t.Context(), ticket.Query{Filters: []ticket.Filter{{Field: "shoe_size", Op: ticket.Equal, Values: []string{"43"}}}})
			assert.Equal(t, ticket.Permanent, ticket.KindOf(err))
		})
	}
}
