package operate

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// took is how long an equal write is held back.
func (g *gates) took(ctx context.Context, id string) (time.Duration, error) {
	begin := time.Now()
	_, err := g.wait(ctx, id)
	return time.Since(begin), err
}

func TestAGateHoldsBackEqualWritesAndNoOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g gates
		first, second := g.close("a"), g.close("a")
		time.AfterFunc(time.Second, first)
		time.AfterFunc(3*time.Second, second)
		other, err := g.took(t.Context(), "b")
		require.NoError(t, err)
		assert.Zero(t, other)
		took, err := g.took(t.Context(), "a")
		require.NoError(t, err)
		assert.Equal(t, 3*time.Second, took)
		assert.Empty(t, g.closed, "nothing is remembered")

		slow := g.close("a")
		took, err = g.took(t.Context(), "a")
		require.NoError(t, err)
		assert.Equal(t, gatePatience, took, "a caller who reads slowly holds nobody up for ever")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = g.took(ctx, "a")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		slow()
	})
}

func TestAWriteIsNamedInTheUI(t *testing.T) {
	assert.Equal(t, "create_ticket: Disk full", writeSummary(WriteRequest{Operator: contract.WriteCreateTicket, Body: ticket.New{Name: "Disk full"}}))
	assert.Equal(t, "delete_comment OPS-1", writeSummary(WriteRequest{Operator: contract.WriteDeleteComment, TicketID: "OPS-1", PartID: "7"}))
	long := writeSummary(WriteRequest{Operator: contract.WriteCreateTicket, Body: ticket.New{Name: string(make([]rune, 300))}})
	assert.LessOrEqual(t, len(long), maxWriteSummary)
}

// The parked items of writes are asked for in their own form.
func TestParkedWritesAreListed(t *testing.T) {
	id := contract.WriteID("ops", contract.KeyedHash("k"))
	s := &server{workflows: []string{id}, answers: map[string]any{id: contract.WriteView{
		Parked: []contract.PendingView{{Item: "1", Kind: contract.WriteCreateTicket, Parked: "too long", Set: []string{"name"}}},
	}}}
	items, err := (&Parked{Temporal: s}).List(t.Context(), Filter{})
	require.NoError(t, err)
	assert.Equal(t, []Item{{Workflow: id, Item: "1", Integration: "ops", Kind: contract.WriteCreateTicket, Reason: "too long", Set: []string{"name"}}}, items)
}
