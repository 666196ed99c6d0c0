package workflows

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/matching"
)

// Each answer to a waiting caller goes into the history: it must not carry the
// backlog of a provider that is down.
func TestAnAnswerDoesNotCarryTheBacklog(t *testing.T) {
	pending := []*operation{{Item: "1", Kind: opCreate, Text: "first"}}
	for range 500 {
		pending = append(pending, &operation{Item: "2", Kind: opComment, Text: "a long note"})
	}
	m := &matchKey{state: matchState{
		Requests: []matching.Request{{ID: 7}}, Tracks: []*track{{Pending: pending}},
		Outcomes: []recorded{{Event: hashOf("e1"), Outcome: event.Created, Request: 7}},
	}}
	answer := m.answer("e1")
	assert.Len(t, answer.Request.Pending, keptPending)
	assert.Equal(t, contract.PendingView{Item: "1", Kind: opCreate}, answer.Request.Pending[0])
	assert.Len(t, m.view().Requests[0].Pending, 501, "the state query shows everything")
}
