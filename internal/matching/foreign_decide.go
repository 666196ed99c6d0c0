package matching

import (
	"fmt"
	"slices"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/event"
)

// decideForeign follows the ticket policy: one request for as long as the
// foreign ticket is open, each comment once, subject and status by the
// publisher's clock. An entry belongs to the request in whose life it falls; one
// that is not newer than the end of a completed request is late and brings it
// only a comment or a newer subject. A newer entry opens the next request,
// unless the foreign ticket is closed itself.
func decideForeign(requests []Request, r event.Resolved, at time.Time) Decision {
	when := foreignTime(r, at)
	fresh := r.Note != "" && !seenComment(requests, r)
	index := home(requests, when)
	if index < 0 || opensNext(&requests[index], r, when) {
		return Decision{Outcome: event.Created, Index: -1, NoteAdded: fresh, Tell: unknownStatus(nil, r, when)}
	}
	q := &requests[index]
	d := Decision{
		Outcome: event.Unchanged, Index: index, Late: q.completed(),
		Changes: q.foreignChanges(r, when), Tell: unknownStatus(q.Foreign, r, when),
	}
	d.addNote(q, fresh)
	if d.NoteAdded || len(d.Tell) > 0 || !d.Changes.Empty() {
		d.Outcome = event.Updated
	}
	return d
}

// foreignTime is the publisher's time of the change, or the time of receipt
// where the publisher gave none.
func foreignTime(r event.Resolved, at time.Time) time.Time {
	if r.Foreign == nil || r.Foreign.UpdatedAt.IsZero() {
		return at
	}
	return r.Foreign.UpdatedAt
}

// home is the request in whose life an entry falls: the first completed one
// that ended no earlier, else the last one; -1 where there is none.
func home(requests []Request, when time.Time) int {
	for i := range requests {
		q := &requests[i]
		if q.completed() && q.Foreign != nil && !when.After(q.Foreign.end()) {
			return i
		}
	}
	return len(requests) - 1
}

// end is when a completed request ended, by the publisher's clock: when the
// foreign ticket closed or, if somebody completed it on our side, with the
// newest entry that had come.
func (s ForeignState) end() time.Time {
	if s.Status == statusCompleted {
		return s.StatusAt
	}
	return s.LastAt
}

// opensNext: the request has ended before the entry, and the foreign ticket is
// not closed. An entry without a status leaves the foreign ticket as it was.
func opensNext(q *Request, r event.Resolved, when time.Time) bool {
	if !q.completed() || q.Foreign == nil || !when.After(q.Foreign.end()) {
		return false
	}
	status := q.Foreign.Status
	if r.Foreign != nil && r.Foreign.Status != "" {
		status = foreignStatus(r.Foreign.Status)
	}
	return status != statusCompleted
}

func seenComment(requests []Request, r event.Resolved) bool {
	hash := commentHash(commentID(r))
	return slices.ContainsFunc(requests, func(q Request) bool {
		return q.Foreign != nil && hasHash(q.Foreign.CommentHashes, hash)
	})
}

// commentID falls back on the text for a comment without an id.
func commentID(r event.Resolved) string {
	if r.Foreign == nil || r.Foreign.Comment == nil || r.Foreign.Comment.ID == "" {
		return "text:" + NormaliseNote(r.Note)
	}
	return "id:" + r.Foreign.Comment.ID
}

// foreignChanges are the changes that are newer than what the request took
// last. A completed request keeps its status.
func (q *Request) foreignChanges(r event.Resolved, when time.Time) event.Changes {
	var c event.Changes
	state := q.foreignState()
	if when.After(state.SubjectAt) {
		c.Subject = r.Changes.Subject
	}
	if !q.completed() && state.newerStatus(r, when) {
		c.Status, c.CompletionReason = r.Changes.Status, r.Changes.CompletionReason
	}
	return differing(q.Fields, c)
}

// newerStatus: of two statuses at the same instant the one nearer to the end
// wins, whichever arrives first.
func (s ForeignState) newerStatus(r event.Resolved, when time.Time) bool {
	if r.Changes.Status == nil {
		return false
	}
	if when.Equal(s.StatusAt) {
		return statusRank(*r.Changes.Status) > statusRank(s.Status)
	}
	return when.After(s.StatusAt)
}

func statusRank(status string) int {
	return slices.Index([]string{statusAssigned, statusInProgress, statusWaitingCustomer, statusCompleted}, status)
}

// unknownStatus is the line for a status without a counterpart here, told once.
func unknownStatus(state *ForeignState, r event.Resolved, when time.Time) []string {
	text := untranslated(r)
	if text == "" || state != nil && (text == state.Told || !when.After(state.ToldAt)) {
		return nil
	}
	return []string{fmt.Sprintf("Status of the foreign ticket: %s", text)}
}

func untranslated(r event.Resolved) string {
	if r.Foreign == nil || r.Changes.Status != nil {
		return ""
	}
	return oneLine(valid(r.Foreign.Status))
}

func (q *Request) foreignState() ForeignState {
	if q.Foreign == nil {
		return ForeignState{}
	}
	return *q.Foreign
}

// takeForeign remembers what an entry brought. A late status is remembered too:
// it may be newer than the one that completed the request.
func (q *Request) takeForeign(d Decision, r event.Resolved, at time.Time) {
	when := foreignTime(r, at)
	state := q.foreignState()
	if r.Changes.Subject != nil && when.After(state.SubjectAt) {
		state.SubjectAt = when
	}
	if state.newerStatus(r, when) {
		state.Status, state.StatusAt = *r.Changes.Status, when
	}
	if len(d.Tell) > 0 {
		state.Told, state.ToldAt = untranslated(r), when
	}
	if when.After(state.LastAt) {
		state.LastAt = when
	}
	if d.NoteAdded {
		if q.Notes < MaxNotes {
			state.CommentHashes = append(state.CommentHashes, commentHash(commentID(r))...)
		}
		q.Notes++
	}
	q.Foreign = &state
}

// inherit gives the next request of a foreign ticket the subject that the one
// before knew, where the entry that opens it has none or an older one.
func (q *Request) inherit(previous *Request, r event.Resolved, at time.Time) {
	if r.Key.Policy != event.PolicyTicket {
		return
	}
	known := previous.foreignState().SubjectAt
	if known.IsZero() || r.Changes.Subject != nil && !known.After(foreignTime(r, at)) {
		return
	}
	q.Fields.Subject = previous.Fields.Subject
	q.Foreign = &ForeignState{SubjectAt: known}
}

// forgetForeign lets an entry count as new again: its comment, and its place
// after all that the request has seen.
func (q *Request) forgetForeign(r event.Resolved) {
	state := q.foreignState()
	if hashes, found := withoutHash(state.CommentHashes, commentHash(commentID(r))); found {
		state.CommentHashes = hashes
		q.Notes--
	}
	if r.Foreign != nil && !state.LastAt.Before(r.Foreign.UpdatedAt) {
		state.LastAt = r.Foreign.UpdatedAt.Add(-time.Nanosecond)
	}
	q.Foreign = &state
}
