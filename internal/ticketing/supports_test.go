package ticketing_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

// half can make tickets, but not find one whose answer was lost.
type half struct{}

func (*half) CreateTicket(context.Context, ticket.New) (ticket.Ticket, error) {
	return ticket.Ticket{}, nil
}

func (*half) ListProjects(context.Context, string, int) (ticket.Page[ticket.Project], error) {
	return ticket.Page[ticket.Project]{Cursor: "asked"}, nil
}

type whole struct{ half }

func (*whole) RecoverTicket(context.Context, ticket.New, ticket.Attempt) (ticket.Ticket, bool, error) {
	return ticket.Ticket{}, false, nil
}

func TestAClientSupportsWhatItImplements(t *testing.T) {
	for _, op := range ticketing.Operators() {
		assert.Equal(t, op == ticketing.ListProjects, ticketing.Supports((*half)(nil), op), op)
		assert.Equal(t, op == ticketing.ListProjects || op == ticketing.CreateTicket, ticketing.Supports((*whole)(nil), op), op)
	}
	assert.False(t, ticketing.Supports((*whole)(nil), "make_coffee"))
	assert.Len(t, ticketing.Operators(), 19)
}

func TestReadsAskOnlyWhatIsSupported(t *testing.T) {
	reads := ticketing.Reads{Integration: func(_ context.Context, name string) (ticketing.Integration, error) {
		if name != "ops" {
			return ticketing.Integration{}, errors.New("there is no integration " + name)
		}
		return ticketing.Integration{Name: name, Provider: "half", Client: &half{}}, nil
	}}
	page, err := reads.ListProjects(t.Context(), "ops", "", 1)
	require.NoError(t, err)
	assert.Equal(t, "asked", page.Cursor)
	require.NoError(t, reads.Supports(t.Context(), "ops", ticketing.ListProjects))
	_, err = reads.GetTicket(t.Context(), "ops", "1")
	assert.Equal(t, ticket.NotSupported, ticket.KindOf(err))
	assert.ErrorContains(t, err, "get_ticket: half cannot do this (integration ops)")
	assert.Equal(t, err, reads.Supports(t.Context(), "ops", ticketing.GetTicket))
	assert.Equal(t, ticket.NotFound, ticket.KindOf(reads.Supports(t.Context(), "opps", ticketing.GetTicket)))
}
