package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// deliver starts a coroutine for every request that has something to deliver
// and none yet. The operations of one request follow each other; requests do
// not wait for each other.
func (m *matchKey) deliver(ctx workflow.Context) {
	for i := range m.state.Requests {
		id := m.state.Requests[i].ID
		if m.delivering[id] || m.state.Tracks[i].next() == nil {
			continue
		}
		m.delivering[id] = true
		workflow.Go(ctx, func(ctx workflow.Context) {
			m.deliverRequest(ctx, id)
			delete(m.delivering, id)
			m.nudged = true
		})
	}
}

func (m *matchKey) deliverRequest(ctx workflow.Context, id int64) {
	for !m.closing {
		_, t := m.state.find(id)
		if t == nil {
			return
		}
		op := t.next()
		if op == nil {
			return
		}
		if err := m.perform(ctx, id, t, op); err != nil {
			return // cancelled: the operation stays for the next run
		}
		m.show(ctx)
	}
}

// perform takes one operation one step further. Its only error is cancellation.
func (m *matchKey) perform(ctx workflow.Context, id int64, t *track, op *operation) error {
	switch op.Kind {
	case opCreate:
		return m.performCreate(ctx, id, t, op)
	case opPatch:
		return m.performPatch(ctx, id, t, op)
	default:
		return m.performComment(ctx, id, t, op)
	}
}

func (m *matchKey) performCreate(ctx workflow.Context, id int64, t *track, op *operation) error {
	in := activities.CreateTicketInput{
		Integration: m.integration, Fields: op.Event.Resolved.Fields, Note: op.Text,
		Marker:           ticket.Marker{Key: contract.KeyHash(m.key), Request: id, Operation: m.operationID(op)},
		Adopt:            op.Adopt,
		OnlyAdopt:        op.OnlyAdopt,
		Set:              op.Set,
		FirstScheduledAt: op.Since,
	}
	var result activities.TicketResult
	var err error
	if op.Unknown != nil {
		again := activities.RecoverTicketInput{Create: in, EndedAt: op.Unknown.EndedAt, Last: op.Unknown.Scans > 0}
		err = workflow.ExecuteActivity(m.search(ctx, "look for the ticket of an unanswered create"), ticketActivities.RecoverTicket, again).Get(ctx, &result)
	} else {
		err = workflow.ExecuteActivity(m.once(ctx, createTimeout, "create ticket in "+m.integration), ticketActivities.CreateTicket, in).Get(ctx, &result)
	}
	if err != nil {
		return m.failed(ctx, op, err)
	}
	switch {
	case result.Found:
		m.ticketExists(ctx, id, t, op, result)
	case op.Unknown == nil:
		m.nothingToAdopt(id, op)
	default:
		op.scanned(workflow.Now(ctx))
	}
	return nil
}

// scans is how often a lost create is searched for before it is made again.
const scans = 2

// scanned notes that a search found nothing.
func (o *operation) scanned(now time.Time) {
	o.Unknown.Scans++
	o.Unknown.EndedAt = now
	if o.Unknown.Scans >= scans {
		o.Unknown = nil
	}
}

// ticketExists records a request's ticket. A comment of an adopted ticket's
// event may be there or not; if not, it is added.
func (m *matchKey) ticketExists(ctx workflow.Context, id int64, t *track, op *operation, found activities.TicketResult) {
	t.Ticket = &contract.TicketView{ID: found.ID, Key: found.Key, URL: found.URL}
	t.AskedAt = workflow.Now(ctx)
	t.Adopted = found.Adopted
	t.remove(op)
	if !found.Adopted {
		return
	}
	if r, _ := m.state.find(id); r != nil && found.Closed && r.CompletedAt.IsZero() {
		r.Close(found.ClosedAt, "the provider")
	}
	if op.Text != "" {
		comment := &operation{Item: op.Item, Kind: opComment, Since: op.Since, EventID: op.EventID, Event: op.Event, Text: op.Text}
		t.Pending = append([]*operation{comment}, t.Pending...)
	}
}

// nothingToAdopt drops a request that was only to be found again. Events that
// are not replayed, and came meanwhile, are decided anew.
func (m *matchKey) nothingToAdopt(id int64, op *operation) {
	_, t := m.state.find(id)
	var again []event.Event
	for _, o := range t.Pending {
		switch {
		case o.Event == nil:
		case o.Event.Replayed && !o.Event.Create:
			m.state.NotTicketed++
			m.state.record(recorded{EventID: o.EventID, Outcome: event.Unchanged})
		default:
			again = append(again, *o.Event)
		}
	}
	m.state.drop(id)
	m.state.Begun = len(m.state.Requests) > 0
	m.decideAgain(id, again...)
}

func (m *matchKey) performComment(ctx workflow.Context, id int64, t *track, op *operation) error {
	in := activities.AddCommentInput{
		Integration: m.integration, TicketID: t.Ticket.ID, Note: op.Text, Internal: op.Kind == opNote,
		Changes: op.Changes, Operation: m.operationID(op), FirstScheduledAt: op.Since,
		UnlessClosedBefore: op.closedBefore(),
	}
	var result activities.CommentResult
	var err error
	check := t.Adopted && !op.Checked
	switch {
	case op.Unknown != nil:
		again := activities.RecoverCommentInput{Comment: in, EndedAt: op.Unknown.EndedAt}
		err = workflow.ExecuteActivity(m.search(ctx, "look for an unanswered comment"), ticketActivities.RecoverComment, again).Get(ctx, &result)
	case check:
		in.FirstScheduledAt = time.Time{} // it may be of any age
		err = workflow.ExecuteActivity(m.search(ctx, "is this comment there already?"), ticketActivities.RecoverComment, activities.RecoverCommentInput{Comment: in}).Get(ctx, &result)
	default:
		err = workflow.ExecuteActivity(m.once(ctx, callTimeout, "comment on "+t.Ticket.Key), ticketActivities.AddComment, in).Get(ctx, &result)
	}
	switch {
	case isType(err, contract.ErrorTicketClosed):
		m.closedMeanwhile(id, op, err)
	case err != nil:
		return m.failed(ctx, op, err)
	case result.Found:
		t.remove(op)
	default:
		op.Unknown, op.Checked = nil, true
	}
	return nil
}

// closedMeanwhile: somebody closed the ticket before the event was received, so
// the event belongs to another request.
func (m *matchKey) closedMeanwhile(id int64, op *operation, err error) {
	var found activities.TicketResult
	if app, ok := errors.AsType[*temporal.ApplicationError](err); ok && app.HasDetails() {
		_ = app.Details(&found) // without details the time of the event serves
	}
	closedAt := found.ClosedAt
	if closedAt.IsZero() {
		closedAt = op.Event.ReceivedAt
	}
	r, t := m.state.find(id)
	r.Close(closedAt, "the provider")
	var again []event.Event
	for _, o := range t.Pending {
		if o == op || (o.Parked == "" && o.closedBefore().After(closedAt)) {
			again = append(again, *o.Event)
		}
	}
	m.decideAgain(id, again...)
}

func (m *matchKey) performPatch(ctx workflow.Context, id int64, t *track, op *operation) error {
	in := activities.PatchTicketInput{
		Integration: m.integration, TicketID: t.Ticket.ID, Changes: op.Changes, Set: op.Set,
		UnlessClosedBefore: op.closedBefore(),
	}
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           contract.ProviderQueue(m.provider),
		StartToCloseTimeout: callTimeout,
		WaitForCancellation: true,
		Summary:             summary("update " + t.Ticket.Key),
		RetryPolicy:         retryPolicy(),
	})
	err := workflow.ExecuteActivity(ctx, ticketActivities.PatchTicket, in).Get(ctx, nil)
	switch {
	case isType(err, contract.ErrorTicketClosed):
		m.closedMeanwhile(id, op, err)
	case err != nil:
		return m.failed(ctx, op, err)
	default:
		t.remove(op)
	}
	return nil
}

// failed decides what an activity's final error means for the operation: search
// for what it may have done, or wait for a person.
func (m *matchKey) failed(ctx workflow.Context, op *operation, err error) error {
	switch {
	case temporal.IsCanceledError(err):
		return err
	case op.Unknown == nil && unknownOutcome(err):
		op.Unknown = &unknown{EndedAt: workflow.Now(ctx)}
	default:
		op.Parked = errorText(err)
	}
	return nil
}
