package matching

import (
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/event"
)

// Decision is what an event does to the requests of its match key.
type Decision struct {
	Outcome event.Outcome
	// Index is the request that the event matched, -1 for none (it creates one,
	// or is rejected, or does nothing).
	Index int
	// NoteAdded: the event's public note goes to the ticket, as description or
	// as comment. InternalNoteAdded likewise; only a new request takes one.
	NoteAdded         bool
	InternalNoteAdded bool
	// CountOnly: the note is counted, and told to nobody, because the request
	// has MaxNotes already. SayCounting marks the first such note, so that one
	// comment can say so.
	CountOnly   bool
	SayCounting bool
	// Changes are the new values that differ from the matched request's.
	Changes event.Changes
	// Errors are pairs of field and text where the outcome is Rejected.
	Errors [][2]string
	// Late: the matched request is completed; what comes is delivered all the same.
	Late bool
	// Tell are further lines for the ticket.
	Tell []string
}

// Decide compares an event received at this time with the requests of its key,
// with the documented behaviour. It changes nothing.
func Decide(requests []Request, r event.Resolved, at time.Time) Decision {
	return Options{}.Decide(requests, r, at)
}

// Decide compares an event received at this time with the requests of its key.
func (o Options) Decide(requests []Request, r event.Resolved, at time.Time) Decision {
	if r.Key.Policy == event.PolicyTicket {
		return decideForeign(requests, r, at)
	}
	match := newestOpen(requests, at)
	if match < 0 {
		return o.decideCreate(r)
	}
	return o.decideUpdate(&requests[match], match, r)
}

// newestOpen is the open request that was created last; ids break ties.
func newestOpen(requests []Request, at time.Time) int {
	newest := -1
	for i := range requests {
		if !requests[i].Open(at) {
			continue
		}
		if newest < 0 || newer(&requests[i], &requests[newest]) {
			newest = i
		}
	}
	return newest
}

func newer(a, b *Request) bool {
	if order := a.CreatedAt.Compare(b.CreatedAt); order != 0 {
		return order > 0
	}
	return a.ID > b.ID
}

func (o Options) decideCreate(r event.Resolved) Decision {
	recovery := r.Changes.Status != nil && *r.Changes.Status == statusCompleted
	switch {
	case recovery && o.IgnoreOrphanRecovery:
		return Decision{Outcome: event.Unchanged, Index: -1}
	case len(r.CreateErrors) > 0:
		return Decision{Outcome: event.Rejected, Index: -1, Errors: r.CreateErrors}
	}
	return Decision{
		Outcome:           event.Created,
		Index:             -1,
		NoteAdded:         NormaliseNote(r.Note) != "",
		InternalNoteAdded: NormaliseNote(r.InternalNote) != "",
	}
}

func (o Options) decideUpdate(q *Request, index int, r event.Resolved) Decision {
	note := NormaliseNote(r.Note)
	fresh := note != "" && !q.hasNote(note)
	unchanged := Decision{Outcome: event.Unchanged, Index: index}
	if !fresh && !o.ApplyOnRepeat {
		return unchanged
	}
	changes := differing(q.Fields, r.Changes)
	if errs := incomplete(r.Changes, changed(q.Fields, changes)); len(errs) > 0 {
		return Decision{Outcome: event.Rejected, Index: index, Errors: errs}
	}
	if !fresh && changes.Empty() {
		return unchanged
	}
	d := Decision{Outcome: event.Updated, Index: index, Changes: changes}
	d.addNote(q, fresh)
	return d
}

// addNote says what becomes of a note that the request does not have yet.
func (d *Decision) addNote(q *Request, fresh bool) {
	d.NoteAdded = fresh
	d.CountOnly = fresh && q.Notes >= MaxNotes
	d.SayCounting = fresh && q.Notes == MaxNotes
}

// Apply carries a decision out: newID and eventID are those of the request that
// a Created outcome makes, which is the last one of the answer. Unchanged ones
// are to be applied, too: the times of late entries are remembered. Like append
// it may reuse its argument: use only the answer afterwards.
func Apply(requests []Request, d Decision, r event.Resolved, at time.Time, newID int64, eventID string) []Request {
	switch d.Outcome {
	case event.Created:
		q := Request{
			ID: newID, EventID: eventID, Policy: r.Key.Policy,
			Fields: r.Fields, CreatedAt: at, UpdatedAt: at,
		}
		if q.completed() {
			q.CompletedAt = at
		}
		if len(requests) > 0 {
			q.inherit(&requests[len(requests)-1], r, at)
		}
		q.take(d, r, at)
		return append(requests, q)
	case event.Updated:
		q := &requests[d.Index]
		wasCompleted := q.completed()
		q.Fields = changed(q.Fields, d.Changes)
		q.UpdatedAt = at
		if q.completed() && !wasCompleted {
			q.CompletedAt = at
		}
		q.take(d, r, at)
	case event.Unchanged:
		if d.Index >= 0 {
			requests[d.Index].take(d, r, at)
		}
	}
	return requests
}

// take remembers what the event brought.
func (q *Request) take(d Decision, r event.Resolved, at time.Time) {
	if r.Key.Policy == event.PolicyTicket {
		q.takeForeign(d, r, at)
		return
	}
	if d.NoteAdded {
		q.addNote(NormaliseNote(r.Note))
	}
}

// differing keeps the changes that would really change the fields.
func differing(f event.Fields, c event.Changes) event.Changes {
	return event.Changes{
		Subject:             otherThan(c.Subject, f.Subject, equal),
		Status:              otherThan(c.Status, f.Status, equal),
		CompletionReason:    otherThan(c.CompletionReason, f.CompletionReason, equal),
		Team:                otherThan(c.Team, f.Team, sameRecord),
		Member:              otherThan(c.Member, f.Member, sameRecord),
		DesiredCompletionAt: otherThan(c.DesiredCompletionAt, f.DesiredCompletionAt, time.Time.Equal),
		WaitingUntil:        otherThan(c.WaitingUntil, f.WaitingUntil, time.Time.Equal),
		DowntimeStartAt:     otherThan(c.DowntimeStartAt, f.DowntimeStartAt, time.Time.Equal),
		DowntimeEndAt:       otherThan(c.DowntimeEndAt, f.DowntimeEndAt, time.Time.Equal),
	}
}

func otherThan[T any](change *T, current T, same func(T, T) bool) *T {
	if change == nil || same(*change, current) {
		return nil
	}
	return change
}

func equal(a, b string) bool { return a == b }

func sameRecord(a, b event.Ref) bool {
	if a.ID != 0 || b.ID != 0 {
		return a.ID == b.ID
	}
	return strings.EqualFold(a.Email, b.Email) && strings.EqualFold(a.Name, b.Name)
}

// changed is the fields with the changes applied.
func changed(f event.Fields, c event.Changes) event.Fields {
	set(&f.Subject, c.Subject)
	set(&f.Status, c.Status)
	set(&f.CompletionReason, c.CompletionReason)
	set(&f.Team, c.Team)
	set(&f.Member, c.Member)
	set(&f.DesiredCompletionAt, c.DesiredCompletionAt)
	set(&f.WaitingUntil, c.WaitingUntil)
	set(&f.DowntimeStartAt, c.DowntimeStartAt)
	set(&f.DowntimeEndAt, c.DowntimeEndAt)
	return f
}

func set[T any](field *T, change *T) {
	if change != nil {
		*field = *change
	}
}
