package workflows

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/matching"
)

// decideAll decides every queued event, in the order they were received.
func (m *matchKey) decideAll(ctx workflow.Context) error {
	for len(m.state.Queue) > 0 {
		q := m.state.Queue[0]
		m.state.Queue = m.state.Queue[1:]
		if err := m.decide(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

func (m *matchKey) decide(ctx workflow.Context, q queued) error {
	e := q.Event
	m.deciding = e.ID
	defer func() { m.deciding = "" }()
	if e.ReceivedAt.IsZero() {
		e.ReceivedAt = workflow.Now(ctx).UTC()
	}
	if !q.Again {
		if m.state.Seen.has(e.ID) {
			m.state.Duplicates++
			return nil
		}
		m.state.Seen.add(e.ID)
		m.state.Events++
		m.state.LastEventAt = workflow.Now(ctx)
		if m.repeats(e) {
			return nil
		}
	}
	if e.Resolved == nil {
		resolved, reason, err := m.resolve(ctx, e)
		if err != nil {
			return err
		}
		if reason != "" {
			m.park(ctx, e, reason)
			return nil
		}
		e.Resolved = &resolved
	}
	return m.apply(ctx, e)
}

// repeats recognises an event without an identity of its own that equals the
// last one applied: a re-post after an answer that was lost.
func (m *matchKey) repeats(e event.Event) bool {
	hash := hashOf(e.Caller + "\n" + e.Params.Canonical())
	last := m.state.Unkeyed
	if e.Unkeyed && last != nil && last.Hash == hash && e.ReceivedAt.Sub(last.At) <= event.UnkeyedRepeatWithin {
		m.state.Duplicates++
		m.state.record(recorded{EventID: e.ID, Outcome: event.Unchanged, Request: last.Request, Repeat: true})
		return true
	}
	return false
}

// resolve asks an activity to resolve an event that was typed by hand. A reason
// means that it cannot be.
func (m *matchKey) resolve(ctx workflow.Context, e event.Event) (event.Resolved, string, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: time.Minute,
		Summary:             summary("resolve event " + e.ID),
	})
	var resolved event.Resolved
	err := workflow.ExecuteActivity(ctx, eventActivities.Resolve, activities.ResolveInput{Event: e}).Get(ctx, &resolved)
	switch {
	case temporal.IsCanceledError(err):
		return resolved, "", err
	case err != nil:
		return resolved, errorText(err), nil
	}
	if resolved.Key != m.key {
		return resolved, fmt.Sprintf("belongs to %s; send it there", contract.MatchID(m.integration, resolved.Key)), nil
	}
	return resolved, "", nil
}

func (m *matchKey) apply(ctx workflow.Context, e event.Event) error {
	d := m.decision(e)
	if d.Index >= 0 {
		if err := m.askClosed(ctx, m.state.Requests[d.Index].ID, e.ReceivedAt); err != nil {
			return err
		}
		d = m.decision(e) // the wait may have changed the requests
	}
	before := len(m.state.Requests)
	m.state.Requests = matching.Apply(m.state.Requests, d, *e.Resolved, e.ReceivedAt, m.newRequestID(e.ID), e.ID)
	for range len(m.state.Requests) - before {
		m.state.Tracks = append(m.state.Tracks, &track{})
	}
	id := int64(0)
	switch {
	case d.Outcome == event.Created:
		id = m.state.Requests[len(m.state.Requests)-1].ID
		m.planCreate(ctx, id, e, d)
	case d.Index >= 0:
		id = m.state.Requests[d.Index].ID
		m.planUpdate(ctx, id, e, d)
	}
	m.state.Unkeyed = &unkeyed{Hash: hashOf(e.Caller + "\n" + e.Params.Canonical()), At: e.ReceivedAt, Request: id}
	m.state.record(recorded{EventID: e.ID, Outcome: d.Outcome, Request: id, NoteAdded: d.NoteAdded, Errors: d.Errors})
	return nil
}

func (m *matchKey) decision(e event.Event) matching.Decision {
	options := matching.Options{
		ApplyOnRepeat: e.Resolved.ApplyOnRepeat, IgnoreOrphanRecovery: e.Resolved.IgnoreOrphanRecovery,
	}
	return options.Decide(m.state.Requests, *e.Resolved, e.ReceivedAt)
}

// newRequestID is the request's number from the event that creates it. An event
// that is decided again may create a second request.
func (m *matchKey) newRequestID(eventID string) int64 {
	id := contract.RequestID(m.id, eventID)
	for n := 2; ; n++ {
		if r, _ := m.state.find(id); r == nil {
			return id
		}
		id = contract.RequestID(m.id, fmt.Sprintf("%s#%d", eventID, n))
	}
}

// askClosed asks, at most once a minute, whether somebody closed the request's
// ticket at the provider. While the provider cannot be reached the last known
// state holds.
func (m *matchKey) askClosed(ctx workflow.Context, id int64, received time.Time) error {
	_, t := m.state.find(id)
	if t.Ticket == nil || workflow.Now(ctx).Sub(t.AskedAt) < askEvery {
		return nil
	}
	t.AskedAt = workflow.Now(ctx)
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:              contract.ProviderQueue(m.provider),
		ScheduleToCloseTimeout: askTimeout,
		RetryPolicy:            &temporal.RetryPolicy{MaximumAttempts: 1},
		Summary:                summary("is " + t.Ticket.Key + " still open?"),
	})
	var result activities.TicketResult
	err := workflow.ExecuteActivity(ctx, ticketActivities.GetTicket,
		activities.GetTicketInput{Integration: m.integration, TicketID: t.Ticket.ID}).Get(ctx, &result)
	if temporal.IsCanceledError(err) {
		return err
	}
	r, _ := m.state.find(id)
	if err == nil && r != nil && result.Closed && !result.ClosedAt.After(received) {
		r.Close(result.ClosedAt, "the provider")
	}
	return nil
}

// askTimeout keeps a caller who waits for the decision from waiting for a
// provider that does not answer.
const askTimeout = 5 * time.Second

// planCreate queues what a new request asks of the provider.
func (m *matchKey) planCreate(ctx workflow.Context, id int64, e event.Event, d matching.Decision) {
	now := workflow.Now(ctx)
	// What the request took over from the one before it is in its own fields.
	r, _ := m.state.find(id)
	fields, resolved := r.Fields, *e.Resolved
	resolved.Fields = fields
	e.Resolved = &resolved
	first := !m.state.Begun
	m.state.Begun = true
	create := &operation{Kind: opCreate, Since: now, EventID: e.ID, Event: &e, Text: told(e.Resolved.Note, d.Tell)}
	if first {
		create.Adopt = e.Replayed || e.Resolved.Key.Policy == event.PolicyTicket
		create.OnlyAdopt = e.Replayed && !e.Create
	}
	m.plan(id, create)
	if e.Resolved.InternalNote != "" {
		m.plan(id, &operation{Kind: opNote, Since: now, EventID: e.ID, Text: e.Resolved.InternalNote})
	}
	if fields.Status != statusAssigned {
		changes := event.Changes{Status: &fields.Status}
		if fields.CompletionReason != "" {
			changes.CompletionReason = &fields.CompletionReason
		}
		m.plan(id, &operation{Kind: opPatch, Since: now, EventID: e.ID, Changes: changes})
	}
	m.state.prune(now)
}

// statusAssigned is the status that a new ticket has anyway.
const statusAssigned = "assigned"

// planUpdate queues what an event changes on a request that exists.
func (m *matchKey) planUpdate(ctx workflow.Context, id int64, e event.Event, d matching.Decision) {
	now := workflow.Now(ctx)
	switch {
	case d.SayCounting:
		m.plan(id, &operation{Kind: opComment, Since: now, EventID: e.ID, Text: countingText})
	case d.NoteAdded && !d.CountOnly, len(d.Tell) > 0:
		text := ""
		if d.NoteAdded {
			text = e.Resolved.Note
		}
		m.plan(id, &operation{Kind: opComment, Since: now, EventID: e.ID, Event: &e, Text: told(text, d.Tell), Changes: d.Changes})
	}
	if d.Changes.Empty() {
		return
	}
	patch := &operation{Kind: opPatch, Since: now, EventID: e.ID, Changes: d.Changes}
	if !d.NoteAdded {
		patch.Event = &e
	}
	m.plan(id, patch)
}

// told is a note with further lines under it.
func told(note string, lines []string) string {
	if len(lines) == 0 {
		return note
	}
	return strings.TrimSpace(note + "\n\n" + strings.Join(lines, "\n"))
}

const countingText = "This request has 5,000 notes. Further notes are counted, not added; see the request's workflow for the count."

func (m *matchKey) plan(id int64, op *operation) {
	op.Item = m.state.newItem()
	if op.Event != nil {
		op.Event.Raw, op.Event.Params = "", nil
	}
	if _, t := m.state.find(id); t != nil {
		t.Pending = append(t.Pending, op)
	}
}

// decideAgain takes an event back from a request whose ticket turned out to be
// closed, or not to exist, and puts it first in the queue.
func (m *matchKey) decideAgain(id int64, events ...event.Event) {
	r, t := m.state.find(id)
	again := make([]queued, 0, len(events))
	for _, e := range events {
		if r != nil {
			r.Forget(*e.Resolved)
		}
		if t != nil {
			t.Pending = slices.DeleteFunc(t.Pending, func(o *operation) bool { return o.EventID == e.ID })
		}
		again = append(again, queued{Event: e, Again: true})
	}
	m.state.Queue = append(again, m.state.Queue...)
}

func (m *matchKey) park(ctx workflow.Context, e event.Event, reason string) {
	m.state.Parked = append(m.state.Parked, &parkedEvent{
		Item: m.state.newItem(), Event: e, Reason: reason, Since: workflow.Now(ctx),
	})
}

func (m *matchKey) unpark(item string) {
	m.state.Parked = slices.DeleteFunc(m.state.Parked, func(p *parkedEvent) bool { return p.Item == item })
}

// errorText is what an activity's error says, without Temporal's frame around it.
func errorText(err error) string {
	if app, ok := errors.AsType[*temporal.ApplicationError](err); ok {
		return app.Message()
	}
	return err.Error()
}
