package workflows

import (
	"fmt"
	"maps"
	"slices"
	"strings"

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
func (m *matchKey) receive(ctx workflow.Context) {
	each(m.signals.event, m.reject(contract.SignalEvent), func(s contract.EventsSignal) {
		for i, e := range s.Events {
			if err := s.Check(i); err != nil {
				m.reject(contract.SignalEvent)(err)
				continue
			}
			e.Raw = "" // stays in the history
			m.state.Queue = append(m.state.Queue, queued{Event: e})
		}
	})
	each(m.signals.ticketChanged, m.reject(contract.SignalTicketChanged), func(s contract.TicketChangedSignal) {
		if s.At.IsZero() {
			s.At = workflow.Now(ctx).UTC()
		}
		m.ticketChanged(s)
	})
	each(m.signals.retry, m.reject(contract.SignalRetry), func(s contract.ItemSignal) {
		m.free(ctx, contract.SignalRetry, s.Item, nil)
	})
	each(m.signals.amend, m.reject(contract.SignalAmend), func(s contract.AmendSignal) {
		m.free(ctx, contract.SignalAmend, s.Item, s.Set)
	})
	each(m.signals.discard, m.reject(contract.SignalDiscard), func(s contract.ItemSignal) {
		m.discard(ctx, s.Item)
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
		if s.Closed {
			m.state.Requests[i].Close(s.At, closedAtProvider)
		}
		return
	}
	m.reject(contract.SignalTicketChanged)(fmt.Errorf("ticket %q belongs to no request of this key", s.Ticket))
}

// Who completed a request, other than an event.
const (
	closedAtProvider = "the provider"
	closedByDiscard  = "a person who discarded its creation"
)

// free lets parked items go on, all of them when item is empty, with what a
// person amended.
func (m *matchKey) free(ctx workflow.Context, signal, item string, set map[string]string) {
	found := false
	for _, t := range m.state.Tracks {
		for _, op := range t.Pending {
			if !op.isParked(item) {
				continue
			}
			found = true
			if err := op.amend(set); err != nil {
				m.reject(signal)(err)
				continue
			}
			op.Parked = ""
			countParked(ctx, contract.MetricUnparked, op.Kind)
		}
	}
	for _, p := range slices.Clone(m.state.Parked) {
		if item == "" || p.Item == item {
			found = true
			m.unpark(ctx, p.Item)
			m.decideAmended(p, set)
		}
	}
	if !found {
		m.reject(signal)(fmt.Errorf("item %q: %w", item, errNoSuchItem))
	}
}

func (o *operation) isParked(item string) bool {
	return o.Parked != "" && (item == "" || o.Item == item)
}

// amend takes what a person set; what the item has no place for is an error.
func (o *operation) amend(set map[string]string) error {
	can := o.amendable()
	o.size = 0
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if !slices.Contains(can, name) {
			return fmt.Errorf("item %s: set.%s: want %s", o.Item, rest.Truncate(name, keptText), strings.Join(can, ", "))
		}
	}
	if o.Kind == opComment || o.Kind == opNote {
		if text, ok := set["text"]; ok {
			o.Text = text
		}
		return nil
	}
	if len(set) > 0 {
		o.Set = set
	}
	return nil
}

// decideAmended decides a parked event once more, with amended parameters.
func (m *matchKey) decideAmended(p *parkedEvent, set map[string]string) {
	e := p.Event
	if p.Refused {
		e.Create = true // a person asks for it, however old the event is
	}
	if len(set) > 0 {
		e.Params = maps.Clone(e.Params)
		if e.Params == nil {
			e.Params = map[string]string{}
		}
		maps.Copy(e.Params, set)
		e.Resolved = nil
	}
	m.state.Queue = append(m.state.Queue, queued{Event: e, Again: true})
}

// discard drops parked items for good, all of them when item is empty. Without
// its create a request has no ticket, so what waits for one goes as well, and
// the next event opens the next request.
func (m *matchKey) discard(ctx workflow.Context, item string) {
	found := false
	for i, t := range m.state.Tracks {
		for _, op := range slices.Clone(t.Pending) {
			if !op.isParked(item) {
				continue
			}
			found = true
			countParked(ctx, contract.MetricUnparked, op.Kind)
			t.remove(op)
			if op.Kind == opCreate {
				t.Pending = nil
				m.state.Requests[i].Close(workflow.Now(ctx).UTC(), closedByDiscard)
				break
			}
		}
	}
	for _, p := range slices.Clone(m.state.Parked) {
		if item == "" || p.Item == item {
			found = true
			m.unpark(ctx, p.Item)
		}
	}
	if !found {
		m.reject(contract.SignalDiscard)(fmt.Errorf("item %q: %w", item, errNoSuchItem))
	}
}
