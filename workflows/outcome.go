package workflows

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/matching"
)

// waitOutcome answers the outcome update: it waits until the event is decided.
// The event itself came by signal; an update alone would not be durable before
// a worker took it.
func (m *matchKey) waitOutcome(ctx workflow.Context, r contract.OutcomeRequest) (contract.OutcomeAnswer, error) {
	var answer contract.OutcomeAnswer
	err := workflow.Await(ctx, func() bool {
		answer = m.answer(r.EventID)
		return m.closing || answer.Known || m.parkedEvent(r.EventID)
	})
	answer.Again = m.closing && !answer.Known
	return answer, err
}

// answer is the decision about an event, if it is known.
func (m *matchKey) answer(eventID string) contract.OutcomeAnswer {
	o, ok := m.state.outcome(hashOf(eventID))
	switch {
	case !ok && m.forgotten(eventID):
		return contract.OutcomeAnswer{Known: true, Outcome: event.Decided}
	case !ok:
		return contract.OutcomeAnswer{}
	}
	answer := contract.OutcomeAnswer{
		Known: true, Outcome: o.Outcome, NoteAdded: o.NoteAdded, Errors: o.Errors, Repeat: o.Repeat,
	}
	if r, t := m.state.find(o.Request); r != nil {
		view := requestView(r, t)
		view.Pending = brief(view.Pending)
		answer.Request = &view
	}
	return answer
}

// keptPending is how many pending operations an answer about one event names.
const keptPending = 3

// brief is what a caller needs of pending operations: whether the ticket is on
// its way. Answers go into the history, so texts and long lists must not.
func brief(pending []contract.PendingView) []contract.PendingView {
	pending = pending[:min(len(pending), keptPending)]
	for i := range pending {
		pending[i].Text = ""
	}
	return pending
}

// forgotten: the event was decided, too many events ago to tell how.
func (m *matchKey) forgotten(eventID string) bool {
	if !m.state.Seen.has(eventID) || m.parkedEvent(eventID) {
		return false
	}
	for _, q := range m.state.Queue {
		if q.Event.ID == eventID {
			return false
		}
	}
	return m.deciding != eventID
}

// parkedEvent: the event waits for a person to be decided.
func (m *matchKey) parkedEvent(eventID string) bool {
	return slices.ContainsFunc(m.state.Parked, func(p *parkedEvent) bool { return p.Event.ID == eventID })
}

func requestView(r *matching.Request, t *track) contract.RequestView {
	v := contract.RequestView{
		ID: r.ID, Fields: r.Fields, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt, CompletedAt: r.CompletedAt,
		Ticket: t.Ticket, Notes: r.Notes,
	}
	for _, op := range t.Pending {
		v.Pending = append(v.Pending, op.view())
	}
	return v
}

func (m *matchKey) view() contract.MatchView {
	v := contract.MatchView{
		Integration: m.integration, Key: m.key, Events: m.state.Events, Duplicates: m.state.Duplicates,
		NotTicketed: m.state.NotTicketed, Rejected: m.state.Rejected, LastRejection: m.state.LastRejection,
	}
	for i := range m.state.Requests {
		v.Requests = append(v.Requests, requestView(&m.state.Requests[i], m.state.Tracks[i]))
	}
	for _, p := range m.state.Parked {
		v.Parked = append(v.Parked, contract.PendingView{
			Item: p.Item, Kind: kindEvent, Since: p.Since, Text: p.Event.Params["subject"], Parked: p.Reason,
			Set: []string{"any parameter of the event"},
		})
	}
	return v
}
