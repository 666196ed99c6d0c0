package workflows

import (
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
	"github.com/ticketbridge/ticketbridge/internal/rest"
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

// clockSkew is how far the clocks of intake and workers may differ.
const clockSkew = 5 * time.Minute

func (m *matchKey) decide(ctx workflow.Context, q queued) error {
	e := q.Event
	m.deciding = e.ID
	defer func() { m.deciding = "" }()
	if now := workflow.Now(ctx).UTC(); e.ReceivedAt.IsZero() || e.ReceivedAt.After(now.Add(clockSkew)) {
		e.ReceivedAt = now // typed by hand: a window in the future would never end
	}
	if !q.Again {
		if m.state.Seen.has(e.ID) && !m.mended(ctx, e) {
			m.state.Duplicates++
			return nil
		}
		m.state.Seen.add(e.ID)
		m.state.Events++
		m.state.LastEventAt = workflow.Now(ctx)
		if m.repeats(e) {
			return nil
		}
		m.state.Unkeyed = &unkeyed{Hash: contentHash(e), Event: hashOf(e.ID), At: e.ReceivedAt}
	}
	takenBack := m.takenBack
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
	if belongs := contract.MatchID(m.integration, e.Resolved.Key); belongs != m.id {
		m.park(ctx, e, fmt.Sprintf("belongs to %s; send it there", belongs))
		return nil
	}
	if m.stepBack(takenBack, e) {
		return nil
	}
	return m.apply(ctx, e)
}

// stepBack lets events go first that were taken back from a closed ticket while
// this one waited: they are older. It reports whether there were any.
func (m *matchKey) stepBack(before int, e event.Event) bool {
	n := m.takenBack - before
	if n == 0 {
		return false
	}
	m.state.Queue = slices.Insert(m.state.Queue, min(n, len(m.state.Queue)), queued{Event: e, Again: true})
	return true
}

// repeats recognises an event without an identity of its own that equals the
// last one applied: a re-post after an answer that was lost.
func (m *matchKey) repeats(e event.Event) bool {
	last := m.state.Unkeyed
	if !e.Unkeyed || last == nil || last.Hash != contentHash(e) || e.ReceivedAt.Sub(last.At) > event.UnkeyedRepeatWithin {
		return false
	}
	m.state.Duplicates++
	first, _ := m.state.outcome(last.Event)
	m.state.record(recorded{Event: hashOf(e.ID), Outcome: event.Unchanged, Request: first.Request, Repeat: true})
	return true
}

func contentHash(e event.Event) uint64 { return hashOf(e.Caller + "\n" + e.Params.Canonical()) }

// resolve asks an activity to resolve an event that was typed by hand. A reason
// means that it cannot be.
func (m *matchKey) resolve(ctx workflow.Context, e event.Event) (event.Resolved, string, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: time.Minute,
		Summary:             summary("resolve event " + e.ID),
	})
	if m.key.Policy == event.PolicyTicket && e.Caller == "" {
		e.Caller = "feed:" + m.key.Feed
	}
	var resolved event.Resolved
	err := workflow.ExecuteActivity(ctx, eventActivities.Resolve, activities.ResolveInput{Event: e}).Get(ctx, &resolved)
	switch {
	case temporal.IsCanceledError(err):
		return resolved, "", err
	case err != nil:
		return resolved, errorText(err), nil
	}
	return resolved, "", nil
}

func (m *matchKey) apply(ctx workflow.Context, e event.Event) error {
	d := m.decision(e)
	if d.Index >= 0 {
		takenBack := m.takenBack
		if err := m.askClosed(ctx, m.state.Requests[d.Index].ID, e.ReceivedAt); err != nil {
			return err
		}
		if m.stepBack(takenBack, e) {
			return nil
		}
		d = m.decision(e) // the wait may have changed the requests
	}
	if d.Outcome == event.Created && m.replayedUnknown(e) {
		m.state.NotTicketed++
		m.state.Seen.remove(e.ID) // a rewind that may create finds it new
		m.state.record(recorded{Event: hashOf(e.ID), Outcome: event.Unchanged})
		return nil
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
	case d.Outcome == event.Rejected:
		m.state.Unkeyed = nil // not applied: sent again, it is refused again
		m.refuse(ctx, e, d.Errors)
	case d.Index >= 0:
		id = m.state.Requests[d.Index].ID
		m.planUpdate(ctx, id, e, d)
	}
	m.state.record(recorded{Event: hashOf(e.ID), Outcome: d.Outcome, Request: id, NoteAdded: d.NoteAdded, Errors: d.Errors})
	return nil
}

// replayedUnknown: a replayed event that would open a further request under the
// event policy. Its own request was forgotten; without leave it makes no other.
func (m *matchKey) replayedUnknown(e event.Event) bool {
	return m.state.Begun && e.Replayed && !e.Create && m.key.Policy == event.PolicyEvent
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
	r, t := m.state.find(id)
	if m.draining || t.Ticket == nil || !r.CompletedAt.IsZero() || workflow.Now(ctx).Sub(t.AskedAt) < askEvery {
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
	// Found anew: while this waited the request may have moved or gone.
	if r, _ = m.state.find(id); err == nil && r != nil && result.Closed && !result.ClosedAt.After(received) {
		r.Close(orTime(result.ClosedAt, received), closedAtProvider)
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
	create := (&operation{Kind: opCreate, Since: now, EventID: e.ID, Tell: d.Tell}).keep(e, e.Resolved.Note)
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
	if len(r.Fields.CustomFields) > keptCustomFields {
		r.Fields.CustomFields = "" // the create operation has them
	}
	m.state.prune(now)
}

// statusAssigned is the status that a new ticket has anyway.
const statusAssigned = "assigned"

// planUpdate queues what an event changes on a request that exists.
func (m *matchKey) planUpdate(ctx workflow.Context, id int64, e event.Event, d matching.Decision) {
	now := workflow.Now(ctx)
	comment := &operation{Kind: opComment, Since: now, EventID: e.ID, Tell: d.Tell, Changes: d.Changes, Late: d.Late}
	switch {
	case d.SayCounting:
		comment.Text = countingText
	case d.NoteAdded && !d.CountOnly:
		comment.keep(e, e.Resolved.Note)
	case len(d.Tell) > 0, len(matching.DescribeChanges(d.Changes)) > 0:
		comment.keep(e, "") // lines alone: what has no field at the ticket
	default:
		comment = nil
	}
	if comment != nil {
		m.plan(id, comment)
	}
	if d.Changes.Empty() {
		return
	}
	patch := &operation{Kind: opPatch, Since: now, EventID: e.ID, Changes: d.Changes, Late: d.Late}
	if comment == nil {
		patch.keep(e, "")
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

// plan queues an operation. A request that never gets a ticket takes none.
func (m *matchKey) plan(id int64, op *operation) {
	_, t := m.state.find(id)
	if t == nil || op.Kind != opCreate && t.lost() {
		return
	}
	op.Item = m.state.newItem()
	t.Pending = append(t.Pending, op)
}

// decideAgain takes events back from a request whose ticket turned out to be
// closed, or not to exist, and puts them first in the queue.
func (m *matchKey) decideAgain(id int64, events ...event.Event) {
	r, t := m.state.find(id)
	again := make([]queued, 0, len(events))
	for _, e := range events {
		if r != nil {
			r.Forget(*e.Resolved)
		}
		if t != nil {
			t.Pending = slices.DeleteFunc(t.Pending, func(o *operation) bool { return o.EventID == e.ID && o.Parked == "" })
		}
		again = append(again, queued{Event: e, Again: true})
	}
	m.takenBack += len(again)
	m.state.Queue = append(again, m.state.Queue...)
}

// park keeps an event that could not be resolved, or belongs elsewhere, for a person.
func (m *matchKey) park(ctx workflow.Context, e event.Event, reason string) {
	m.parkEvent(ctx, &parkedEvent{Event: e, Reason: reason})
}

// parkEvent keeps an event for a person. There is room for a few: the oldest is
// named among what was refused when there are more.
func (m *matchKey) parkEvent(ctx workflow.Context, p *parkedEvent) {
	p.Item, p.Since, p.Reason = m.state.newItem(), workflow.Now(ctx), rest.Truncate(p.Reason, 2*keptText)
	m.state.Parked = append(m.state.Parked, p)
	countParked(ctx, contract.MetricParked, kindEvent)
	for len(m.state.Parked) > keptParkedEvents || encodedSize(m.state.Parked) > m.state.roomForParked() {
		oldest := m.state.Parked[0]
		m.unpark(ctx, oldest.Item)
		m.reject(contract.SignalEvent)(fmt.Errorf("no room to park event %q: %s", oldest.Event.ID, oldest.Reason))
	}
}

// kindEvent is the kind of a parked event; operations have their own kinds.
const kindEvent = "event"

func (m *matchKey) unpark(ctx workflow.Context, item string) {
	m.state.Parked = slices.DeleteFunc(m.state.Parked, func(p *parkedEvent) bool { return p.Item == item })
	countParked(ctx, contract.MetricUnparked, kindEvent)
}

func orTime(t, otherwise time.Time) time.Time {
	if t.IsZero() {
		return otherwise
	}
	return t
}
