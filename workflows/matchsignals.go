package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/rest"
)

// matchSignals are the channels of MatchEvents.
type matchSignals struct {
	event, ticketChanged, retry, discard, amend workflow.ReceiveChannel
}

func openMatchSignals(ctx workflow.Context) matchSignals {
	return matchSignals{
		event:         workflow.GetSignalChannel(ctx, contract.SignalEvent),
		ticketChanged: workflow.GetSignalChannel(ctx, contract.SignalTicketChanged),
		retry:         workflow.GetSignalChannel(ctx, contract.SignalRetry),
		discard:       workflow.GetSignalChannel(ctx, contract.SignalDiscard),
		amend:         workflow.GetSignalChannel(ctx, contract.SignalAmend),
	}
}

func (s matchSignals) pending() bool {
	return s.event.Len()+s.ticketChanged.Len()+s.retry.Len()+s.discard.Len()+s.amend.Len() > 0
}

// receive moves every buffered signal into the state. It never blocks.
func (m *matchKey) receive() {
	each(m.signals.event, m.reject(contract.SignalEvent), func(s contract.EventsSignal) {
		for _, e := range s.Events {
			e.Raw = "" // stays in the history
			m.state.Queue = append(m.state.Queue, queued{Event: e})
		}
	})
	each(m.signals.ticketChanged, m.reject(contract.SignalTicketChanged), m.ticketChanged)
	each(m.signals.retry, m.reject(contract.SignalRetry), func(s contract.ItemSignal) {
		m.forParked(contract.SignalRetry, s.Item, nil)
	})
	each(m.signals.amend, m.reject(contract.SignalAmend), func(s contract.AmendSignal) {
		m.forParked(contract.SignalAmend, s.Item, s.Set)
	})
	each(m.signals.discard, m.reject(contract.SignalDiscard), func(s contract.ItemSignal) {
		m.discard(s.Item)
	})
}

func (m *matchKey) reject(signal string) func(error) {
	return func(err error) {
		m.state.Rejected++
		m.state.LastRejection = rest.Truncate(signal+": "+err.Error(), 2*keptText)
	}
}

func (m *matchKey) ticketChanged(s contract.TicketChangedSignal) {
	for i, t := range m.state.Tracks {
		if t.Ticket == nil || (t.Ticket.ID != s.Ticket && t.Ticket.Key != s.Ticket) {
			continue
		}
		if s.Closed && m.state.Requests[i].CompletedAt.IsZero() {
			m.state.Requests[i].Close(s.At, "the provider")
		}
		return
	}
	m.reject(contract.SignalTicketChanged)(fmt.Errorf("ticket %q belongs to no request of this key", s.Ticket))
}

// forParked frees parked items, all of them when item is empty, with what a
// person amended.
func (m *matchKey) forParked(signal, item string, set map[string]string) {
	found := false
	for _, t := range m.state.Tracks {
		for _, op := range t.Pending {
			if op.Parked == "" || (item != "" && op.Item != item) {
				continue
			}
			found = true
			op.Parked = ""
			op.amend(set)
		}
	}
	for _, p := range m.state.Parked {
		if item == "" || p.Item == item {
			found = true
			m.requeue(p, set)
		}
	}
	if !found {
		m.reject(signal)(fmt.Errorf("item %q: %w", item, errNoSuchItem))
	}
}

func (o *operation) amend(set map[string]string) {
	if text, ok := set["text"]; ok && o.Kind != opPatch && o.Kind != opCreate {
		o.Text = text
		return
	}
	if len(set) > 0 {
		o.Set = set
	}
}

// requeue decides a parked event once more, with amended parameters.
func (m *matchKey) requeue(p *parkedEvent, set map[string]string) {
	e := p.Event
	for name, value := range set {
		if e.Params == nil {
			e.Params = map[string]string{}
		}
		e.Params[name] = value
	}
	m.unpark(p.Item)
	m.state.Queue = append(m.state.Queue, queued{Event: e, Again: true})
}

// discard drops parked items for good, all of them when item is empty. Without
// its create a request has no ticket, so what waits for one goes as well.
func (m *matchKey) discard(item string) {
	found := false
	for _, t := range m.state.Tracks {
		for _, op := range append([]*operation(nil), t.Pending...) {
			if op.Parked == "" || (item != "" && op.Item != item) {
				continue
			}
			found = true
			t.remove(op)
			if op.Kind == opCreate {
				t.Pending = nil
			}
		}
	}
	for _, p := range append([]*parkedEvent(nil), m.state.Parked...) {
		if item == "" || p.Item == item {
			found = true
			m.unpark(p.Item)
		}
	}
	if !found {
		m.reject(contract.SignalDiscard)(fmt.Errorf("item %q: %w", item, errNoSuchItem))
	}
}
