package workflows

import (
	"slices"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/matching"
)

const (
	// keptEvents is how many event ids a match key remembers (64 KB).
	keptEvents = 8192
	// keptOutcomes is how many decisions can still be asked for.
	keptOutcomes = 400
	// keptRequests and keptRequestBytes bound the requests that are over and have
	// nothing left to deliver.
	keptRequests     = 20
	keptRequestBytes = 32 << 10
	// keptCommentHashes bounds, in bytes, the foreign comments that all requests
	// of a key tell apart.
	keptCommentHashes = 40_000
	// keptCustomFields is the longest custom_fields text that stays with a
	// request once it was told to the ticket.
	keptCustomFields = 8 << 10
	// keptParkedEvents and keptParkedBytes bound the events that wait for a person:
	// those typed by hand that could not be resolved, and those of feeds that the
	// rules refused, of which keptRefusedBytes has room for one with a long note.
	keptParkedEvents = 20
	keptParkedBytes  = 32 << 10
	keptRefusedBytes = 96 << 10
	// idleTicket ends a foreign ticket that nobody ever closed.
	idleTicket = 30 * 24 * time.Hour
	// askEvery is how often, at most, a ticket's state is asked for.
	askEvery = time.Minute
)

// matchState is what a run of MatchEvents hands to the next one.
type matchState struct {
	// Queue holds events that were received and are not decided yet.
	Queue []queued `json:"queue,omitempty"`
	// Requests are all requests of the key, oldest first; Tracks, in the same
	// order, is how far their tickets are.
	Requests []matching.Request `json:"requests,omitempty"`
	Tracks   []*track           `json:"tracks,omitempty"`
	Seen     *hashSet           `json:"seen,omitempty"`
	Outcomes []recorded         `json:"outcomes,omitempty"`
	Unkeyed  *unkeyed           `json:"unkeyed,omitempty"`
	// Parked are events that could not be resolved, or of a feed and refused.
	Parked   []*parkedEvent `json:"parked,omitempty"`
	LastItem int64          `json:"last_item,omitempty"`
	// Begun: a request was opened under this key.
	Begun         bool      `json:"begun,omitempty"`
	LastEventAt   time.Time `json:"last_event_at,omitzero"`
	Events        int64     `json:"events,omitempty"`
	Duplicates    int64     `json:"duplicates,omitempty"`
	NotTicketed   int64     `json:"not_ticketed,omitempty"`
	Rejected      int64     `json:"rejected,omitempty"`
	LastRejection string    `json:"last_rejection,omitempty"`
}

// queued is an event that waits to be decided; Again when it was decided before
// and the decision turned out to rest on an outdated state of the ticket.
type queued struct {
	Event event.Event `json:"event"`
	Again bool        `json:"again,omitempty"`
}

// track is how far a request's ticket is.
type track struct {
	Ticket *contract.TicketView `json:"ticket,omitempty"`
	// Adopted: the ticket was there before this run knew of it, so any comment
	// may be there as well.
	Adopted bool         `json:"adopted,omitempty"`
	AskedAt time.Time    `json:"asked_at,omitzero"`
	Pending []*operation `json:"pending,omitempty"`
}

// recorded is the decision about one event.
type recorded struct {
	// Event is the hash of the event's id.
	Event     uint64        `json:"event"`
	Outcome   event.Outcome `json:"outcome"`
	Request   int64         `json:"request,omitempty"`
	NoteAdded bool          `json:"note_added,omitempty"`
	Errors    [][2]string   `json:"errors,omitempty"`
	Repeat    bool          `json:"repeat,omitempty"`
}

// unkeyed is the last event that was applied, to recognise a re-post by.
type unkeyed struct {
	// Hash is that of caller and parameters, Event that of the event's id.
	Hash  uint64    `json:"hash"`
	Event uint64    `json:"event"`
	At    time.Time `json:"at"`
}

// parkedEvent is an event that waits for a person.
type parkedEvent struct {
	Item   string      `json:"item"`
	Event  event.Event `json:"event"`
	Reason string      `json:"reason"`
	Since  time.Time   `json:"since"`
	// Refused: the rules refuse what a feed said.
	Refused bool `json:"refused,omitempty"`
}

// roomForParked is how many bytes of parked events are kept.
func (s *matchState) roomForParked() int {
	if slices.ContainsFunc(s.Parked, func(p *parkedEvent) bool { return p.Refused }) {
		return keptRefusedBytes
	}
	return keptParkedBytes
}

// find is the request with this id and its track.
func (s *matchState) find(id int64) (*matching.Request, *track) {
	for i := range s.Requests {
		if s.Requests[i].ID == id {
			return &s.Requests[i], s.Tracks[i]
		}
	}
	return nil, nil
}

func (s *matchState) drop(id int64) {
	for i := range s.Requests {
		if s.Requests[i].ID == id {
			s.Requests = slices.Delete(s.Requests, i, i+1)
			s.Tracks = slices.Delete(s.Tracks, i, i+1)
			return
		}
	}
}

// record remembers a decision; a later one about the same event replaces it.
func (s *matchState) record(r recorded) {
	s.Outcomes = slices.DeleteFunc(s.Outcomes, func(o recorded) bool { return o.Event == r.Event })
	s.Outcomes = newest(append(s.Outcomes, r), keptOutcomes)
}

func (s *matchState) outcome(event uint64) (recorded, bool) {
	for _, o := range s.Outcomes {
		if o.Event == event {
			return o, true
		}
	}
	return recorded{}, false
}

// prune forgets the oldest requests that are over and fully delivered, and the
// hashes of notes that no event is compared with any more.
func (s *matchState) prune(now time.Time) {
	over, size, hashes := 0, 0, 0
	for i := len(s.Requests) - 1; i >= 0; i-- {
		r := &s.Requests[i]
		if !r.CompletedAt.IsZero() || i < len(s.Requests)-1 {
			r.NoteHashes = nil
		}
		if r.Foreign != nil {
			if hashes += len(r.Foreign.CommentHashes); hashes > keptCommentHashes && i < len(s.Requests)-1 {
				r.Foreign.CommentHashes = nil
			}
		}
		if r.Open(now) || len(s.Tracks[i].Pending) > 0 {
			continue
		}
		over++
		size += encodedSize(r.Fields)
		if over > 1 && (over > keptRequests || size > keptRequestBytes) {
			s.Requests = slices.Delete(s.Requests, i, i+1)
			s.Tracks = slices.Delete(s.Tracks, i, i+1)
		}
	}
}

// pending reports whether anything is left to do.
func (s *matchState) pending() bool {
	for _, t := range s.Tracks {
		if len(t.Pending) > 0 {
			return true
		}
	}
	return len(s.Queue) > 0 || len(s.Parked) > 0
}

// endAt is when the key may be forgotten if nothing more comes. A request that
// waits until a certain time is not over before.
func (s *matchState) endAt(memory time.Duration) time.Time {
	end := s.LastEventAt.Add(memory)
	for i := range s.Requests {
		if at := s.requestEnd(&s.Requests[i]).Add(memory); at.After(end) {
			end = at
		}
		if at := s.Requests[i].WakeAt(); at.After(end) {
			end = at
		}
	}
	return end
}

func (s *matchState) requestEnd(r *matching.Request) time.Time {
	switch {
	case !r.CompletedAt.IsZero():
		return r.CompletedAt
	case r.Policy == event.PolicyTicket:
		return s.LastEventAt.Add(idleTicket)
	default:
		return r.CreatedAt.Add(matching.Window)
	}
}

// wakeAt is when the first of the waiting requests goes on; zero for none.
func (s *matchState) wakeAt() time.Time {
	var first time.Time
	for i := range s.Requests {
		if at := s.Requests[i].WakeAt(); !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}
