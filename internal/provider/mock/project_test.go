package mock

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func TestProjects(t *testing.T) {
	c, clock := newWorld(t, Config{DefaultProject: "ZOO"})
	c.must(t, ticket.New{Project: "apes"})
	c.must(t, ticket.New{Project: "OPS"})
	ids := func(limit int) (all []string) {
		cursor := ""
		for range 10 {
			page, err := c.ListProjects(t.Context(), cursor, limit)
			require.NoError(t, err)
			require.LessOrEqual(t, len(page.Items), max(limit, defaultShortPage))
			for _, p := range page.Items {
				all = append(all, p.ID)
			}
			if cursor = page.Cursor; cursor == "" {
				break
			}
		}
		return all
	}
	for _, limit := range []int{0, 1, 2, 5, 100} {
		assert.Equal(t, []string{"apes", "DEMO", "OPS", "HELP", "ZOO"}, ids(limit), "by name")
	}
	page, err := c.ListProjects(t.Context(), "", 1)
	require.NoError(t, err)
	clock.advance(TicketLife) // the project where the page ended is gone
	page, err = c.ListProjects(t.Context(), page.Cursor, 1)
	require.NoError(t, err)
	assert.Equal(t, []ticket.Project{{ID: "DEMO", Name: "Demonstration"}}, page.Items)
	for _, wrong := range []string{"%", "wrong", "x", "YWZ0ZXI6", "OPS", "zzzzzzzz", "1"} { // "YWZ0ZXI6" is "after:"
		_, err = c.ListProjects(t.Context(), wrong, 1)
		requireKind(t, ticket.Permanent, err, "cursor: not one of this list")
	}
}

func TestEscalationPolicies(t *testing.T) {
	c, _ := newWorld(t, Config{})
	first, err := c.QueryEscalationPolicies(t.Context(), ticket.Query{Limit: 1, Orders: []ticket.Order{{Field: "name", Descending: true}}})
	require.NoError(t, err)
	require.Len(t, first.Items, 1)
	assert.Equal(t, "Service desk", first.Items[0].Name)
	second, err := c.QueryEscalationPolicies(t.Context(), ticket.Query{Limit: 1, Cursor: first.Cursor, Orders: []ticket.Order{{Field: "name", Descending: true}}})
	require.NoError(t, err)
	require.Len(t, second.Items, 1)
	assert.Empty(t, second.Cursor)
	operations := second.Items[0]
	assert.Equal(t, "policy-1", operations.ID)
	require.Len(t, operations.Rules, 2)
	assert.Equal(t, ticket.ActorSchedule, operations.Rules[0].Actors[0].Kind)
	assert.Equal(t, 15*time.Minute, operations.Rules[1].Delay)
	assert.Equal(t, "ben@mock.example", operations.Rules[1].Actors[0].Agent.Email)

	found, err := c.QueryEscalationPolicies(t.Context(), ticket.Query{Filters: []ticket.Filter{{Field: "description", Op: ticket.Like, Values: []string{"night"}}}})
	require.NoError(t, err)
	assert.Equal(t, []ticket.EscalationPolicy{operations}, found.Items)
	_, err = c.QueryEscalationPolicies(t.Context(), ticket.Query{Filters: []ticket.Filter{{Field: "mood", Op: ticket.Equal, Values: []string{"x"}}}})
	requireKind(t, ticket.Permanent, err, "there are description, id, name")
	_, err = c.QueryEscalationPolicies(t.Context(), ticket.Query{Orders: []ticket.Order{{Field: "mood"}}})
	requireKind(t, ticket.Permanent, err, "order mood")
	for _, wrong := range []string{"-1", "0", "2", "x", "9223372036854775807"} { // there are two
		_, err = c.QueryEscalationPolicies(t.Context(), ticket.Query{Cursor: wrong})
		requireKind(t, ticket.Permanent, err, "cursor: not one of this list")
	}

	onCall, err := c.ListOnCall(t.Context(), "policy-1")
	require.NoError(t, err)
	require.Len(t, onCall, 2)
	assert.Equal(t, "Ana Torres", onCall[0].FullName)
	_, err = c.ListOnCall(t.Context(), "policy-9")
	requireKind(t, ticket.NotFound, err, "no such policy")
}
