package jira

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/jira"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// Who may not be looked up is not unknown: a field that must hold somebody waits for
// the permission, an assignee is a warning, and as soon as the permission is there
// everybody is found.
func TestPeopleWhoMayNotBeLookedUpAreNotForgotten(t *testing.T) {
	for _, person := range []string{"mia krystof", "acc-mia", "mia@acme.example"} {
		t.Run(person, func(t *testing.T) {
			w := newWorld(t)
			owned, assigned := newTicket(1), newTicket(2)
			owned.CustomFields, assigned.Assignee = map[string]any{"customfield_10015": person}, person
			w.fail(sim.Fault{Kind: sim.ErrorBefore, Op: "users", Status: http.StatusForbidden})
			_, err := w.client.CreateTicket(t.Context(), owned)
			assert.Equal(t, ticket.Credentials, kindOf(t, err), "it heals by itself")
			made := w.create(assigned)
			require.Len(t, made.Warnings(), 1)
			assert.Contains(t, made.Warnings()[0], "assignee: "+person+" could not be looked up")
			q := ticket.Query{Filters: []ticket.Filter{filter(t, "assignee[eq]"+person)}}
			_, err = w.client.QueryTickets(t.Context(), q)
			require.NoError(t, err, "a filter goes by what tickets show")

			w.fail()
			assert.JSONEq(t, `{"accountId":"acc-mia"}`, string(w.stored(w.create(owned).ID).Custom["customfield_10015"]))
			assigned.Marker.Operation += " again"
			assert.Equal(t, "acc-mia", w.stored(w.create(assigned).ID).Assignee)
		})
	}
}

// A wish to wait passes, in filters too.
func TestALookUpOfPeopleThatIsToWaitWaits(t *testing.T) {
	w := newWorld(t)
	w.fail(sim.Fault{Kind: sim.TooMany, Op: "users", RetryAfter: 7})
	q := ticket.Query{Filters: []ticket.Filter{filter(t, "assignee[eq]Mia Krystof")}}
	_, err := w.client.QueryTickets(t.Context(), q)
	assert.Equal(t, ticket.RateLimited, kindOf(t, err))
	w = newWorld(t)
	w.fail(sim.Fault{Kind: sim.TooMany, Op: "users", RetryAfter: 7})
	n := newTicket(1)
	n.Assignee = "Mia Krystof"
	_, err = w.client.CreateTicket(t.Context(), n)
	assert.Equal(t, ticket.RateLimited, kindOf(t, err))
}
