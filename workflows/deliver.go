package workflows

import (
	"errors"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/rest"
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
	for !m.draining {
		_, t := m.state.find(id)
		if t == nil {
			return
		}
		op := t.next()
		if op == nil {
			return
		}
		op.busy = true
		err := m.perform(ctx, id, t, op)
		op.busy = false
		if err != nil {
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
		Integration: m.integration, Fields: op.Event.Resolved.Fields, Note: op.text(),
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
		return m.failed(ctx, op, err, op.Unknown == nil)
	}
	switch {
	case result.Found:
		m.ticketExists(ctx, id, t, op, result)
	case op.Unknown == nil:
		m.nothingToAdopt(id, op)
	default:
		op.Unknown = op.Unknown.scanned(workflow.Now(ctx))
	}
	return nil
}

// ticketExists records a request's ticket. A comment of an adopted ticket's
// event may be there or not; if not, it is added.
func (m *matchKey) ticketExists(ctx workflow.Context, id int64, t *track, op *operation, found activities.TicketResult) {
	if op.Unknown != nil && (op.Adopt || op.OnlyAdopt) {
		// What the search found may have been there long before this attempt.
		found.Adopted, found.Told = true, true
	}
	t.Ticket = &contract.TicketView{ID: found.ID, Key: found.Key, URL: found.URL}
	t.AskedAt = workflow.Now(ctx)
	t.Adopted = found.Adopted
	if !found.Adopted {
		t.remove(op)
		return
	}
	if before := op.closedBefore(); found.Closed && found.ClosedAt.Before(before) {
		m.closedMeanwhile(id, op, found.ClosedAt)
		return
	}
	t.remove(op)
	if r, _ := m.state.find(id); r != nil && found.Closed {
		r.Close(orTime(found.ClosedAt, t.AskedAt), closedAtProvider)
	}
	if op.text() != "" && !found.Told {
		comment := *op
		comment.Kind, comment.Adopt, comment.OnlyAdopt, comment.Set = opComment, false, false, nil
		comment.busy, comment.size = false, 0
		t.Pending = append([]*operation{&comment}, t.Pending...)
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
			m.state.NotTicketed += int64(o.Merged)
		case o.Event.Replayed && !o.Event.Create:
			m.state.NotTicketed++
			m.state.Seen.remove(o.EventID) // a rewind that may create finds it new
			m.state.record(recorded{Event: hashOf(o.EventID), Outcome: event.Unchanged})
		default:
			again = append(again, t.original(o, m.key))
		}
	}
	m.state.drop(id)
	m.state.Begun = len(m.state.Requests) > 0
	m.decideAgain(id, again...)
}

func (m *matchKey) performComment(ctx workflow.Context, id int64, t *track, op *operation) error {
	in := activities.AddCommentInput{
		Integration: m.integration, TicketID: t.Ticket.ID, Note: op.text(), Internal: op.Kind == opNote,
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
		m.closedMeanwhile(id, op, closedAt(err))
	case err != nil:
		return m.failed(ctx, op, err, op.Unknown == nil && !check)
	case result.Found:
		t.remove(op)
	default:
		op.Unknown, op.Checked = nil, true
	}
	return nil
}

// closedMeanwhile: somebody closed the ticket before the event was received, so
// the event, and those received after the ticket was closed, belong to another
// request.
func (m *matchKey) closedMeanwhile(id int64, op *operation, closedAt time.Time) {
	closedAt = orTime(closedAt, op.Event.ReceivedAt)
	r, t := m.state.find(id)
	r.Close(closedAt, closedAtProvider)
	var again []event.Event
	taken := map[string]bool{}
	for _, o := range t.Pending {
		if taken[o.EventID] {
			continue // another operation of the same event
		}
		if o == op || o.Parked == "" && o.closedBefore().After(closedAt) {
			again = append(again, t.original(o, m.key))
			taken[o.EventID] = true
		}
	}
	m.decideAgain(id, again...)
}

// closedAt is when the ticket that refused an operation was closed; zero where
// the provider does not say.
func closedAt(err error) time.Time {
	var found activities.TicketResult
	if app, ok := errors.AsType[*temporal.ApplicationError](err); ok && app.HasDetails() {
		_ = app.Details(&found) // without details the time of the event serves
	}
	return found.ClosedAt
}

func (m *matchKey) performPatch(ctx workflow.Context, id int64, t *track, op *operation) error {
	in := activities.PatchTicketInput{
		Integration: m.integration, TicketID: t.Ticket.ID, Changes: op.Changes, Set: op.Set,
		UnlessClosedBefore: op.closedBefore(),
	}
	var result activities.PatchTicketResult
	err := workflow.ExecuteActivity(m.repeatable(ctx, "update "+t.Ticket.Key), ticketActivities.PatchTicket, in).Get(ctx, &result)
	switch {
	case isType(err, contract.ErrorTicketClosed):
		m.closedMeanwhile(id, op, closedAt(err))
	case err != nil:
		return m.failed(ctx, op, err, false)
	default:
		t.remove(op)
		m.tellWarnings(ctx, t, op, result.Warnings)
	}
	return nil
}

// tellWarnings says in a comment what a patch could not set: nobody would see it
// anywhere else.
func (m *matchKey) tellWarnings(ctx workflow.Context, t *track, op *operation, warnings []string) {
	if len(warnings) == 0 {
		return
	}
	text := rest.Truncate("Not set at this ticket:\n\n- "+strings.Join(warnings, "\n- "), shortText)
	comment := &operation{Item: m.state.newItem(), Kind: opComment, Since: workflow.Now(ctx), EventID: op.EventID + "/not set", Text: text}
	t.Pending = append([]*operation{comment}, t.Pending...)
}

// failed decides what an activity's final error means for the operation: search
// for what it may have done (where once says that it must not be done twice),
// wait for a person, or, in a run that ends, leave it to the next run.
func (m *matchKey) failed(ctx workflow.Context, op *operation, err error, once bool) error {
	v := judge(ctx, err, once)
	if v.unknown {
		op.Unknown = &unknown{EndedAt: workflow.Now(ctx)}
	}
	if v.person {
		op.size = 0
		op.Parked = parkedText(err)
		countParked(ctx, contract.MetricParked, op.Kind)
	}
	return v.stop
}
