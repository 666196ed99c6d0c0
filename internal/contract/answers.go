package contract

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/event"
)

// OutcomeRequest is the argument of the "outcome" update.
type OutcomeRequest struct {
	EventID string `json:"event_id"`
}

// Validate names what is missing.
func (r OutcomeRequest) Validate() error {
	if r.EventID == "" {
		return errors.New("event_id: missing")
	}
	return nil
}

// OutcomeAnswer is the recorded decision about an event.
type OutcomeAnswer struct {
	// Again: the run is about to continue as new; ask once more.
	Again bool `json:"again,omitempty"`
	// Known is false where the workflow never saw the event, or has forgotten it.
	Known     bool          `json:"known"`
	Outcome   event.Outcome `json:"outcome,omitempty"`
	NoteAdded bool          `json:"note_added,omitempty"`
	Errors    [][2]string   `json:"errors,omitempty"`
	// Repeat: the event was taken for a re-post of the one before.
	Repeat  bool         `json:"repeat,omitempty"`
	Request *RequestView `json:"request,omitempty"`
}

// RequestView is a request as queries, results and HTTP answers show it.
type RequestView struct {
	ID          int64        `json:"id"`
	Fields      event.Fields `json:"fields"`
	CreatedAt   time.Time    `json:"created_at"`
	UpdatedAt   time.Time    `json:"updated_at"`
	CompletedAt time.Time    `json:"completed_at,omitzero"`
	Ticket      *TicketView  `json:"ticket,omitempty"`
	// Notes counts all notes; Pending are those the provider does not have yet.
	Notes   int           `json:"notes"`
	Pending []PendingView `json:"pending,omitempty"`
}

// TicketView names a request's ticket.
type TicketView struct {
	ID  string `json:"id"`
	Key string `json:"key,omitempty"`
	URL string `json:"url,omitempty"`
}

// PendingView is an operation that the provider has not confirmed.
type PendingView struct {
	Item string `json:"item"`
	// Kind is create, comment, note or patch.
	Kind  string    `json:"kind"`
	Since time.Time `json:"since"`
	// Text of a comment or note that was not delivered yet.
	Text     string `json:"text,omitempty"`
	Internal bool   `json:"internal,omitempty"`
	// Waiting says what for, where it is not simply on its way.
	Waiting string `json:"waiting,omitempty"`
	// Parked is the reason why a person is needed, Set what `amend` can change.
	Parked string   `json:"parked,omitempty"`
	Set    []string `json:"set,omitempty"`
}

// MatchView answers the state query of MatchEvents; without Pending it is also
// the run's result.
type MatchView struct {
	Integration string        `json:"integration"`
	Key         event.Key     `json:"key"`
	Requests    []RequestView `json:"requests"`
	// Counters over the life of the key.
	Events     int64 `json:"events"`
	Duplicates int64 `json:"duplicates"`
	// NotTicketed counts replayed events for which no ticket was found or made.
	NotTicketed int64 `json:"not_ticketed,omitempty"`
	Rejected    int64 `json:"rejected"`
	// LastRejection says what was wrong with the last signal that was refused.
	LastRejection string `json:"last_rejection,omitempty"`
	// Parked are events that could not be resolved, as items.
	Parked []PendingView `json:"parked,omitempty"`
}

// FeedView answers the state query of PollFeed.
type FeedView struct {
	Feed  string `json:"feed"`
	State string `json:"state"`
	// Match is the policy that its events are matched by, known from the first
	// reading on.
	Match event.Policy `json:"match,omitempty"`
	// Marker is the newest entry handed over, Newest when the feed stored it.
	Marker   string          `json:"marker,omitempty"`
	Newest   time.Time       `json:"newest,omitzero"`
	Position json.RawMessage `json:"position,omitempty"`
	LastPoll time.Time       `json:"last_poll,omitzero"`
	// These count over the feed's life: requests; events handed over; entries of
	// a foreign tenant, left out by the transform, and malformed; holes in the
	// feed's numbering, which are normal where it is filtered.
	Polls     int64 `json:"polls"`
	Events    int64 `json:"events"`
	Refused   int64 `json:"refused"`
	Dropped   int64 `json:"dropped"`
	Holes     int64 `json:"holes"`
	Malformed int64 `json:"malformed"`
	// CatchingUp: there is more to read right now.
	CatchingUp bool   `json:"catching_up,omitempty"`
	LastError  string `json:"last_error,omitempty"`
	// Note is what a person should know though nothing is wrong.
	Note          string       `json:"note,omitempty"`
	Gaps          []event.Gap  `json:"gaps,omitempty"`
	GapCount      int64        `json:"gap_count,omitempty"`
	Parked        []ParkedItem `json:"parked,omitempty"`
	Rejected      int64        `json:"rejected"`
	LastRejection string       `json:"last_rejection,omitempty"`
	// Samples are the last few events handed over.
	Samples []string `json:"samples,omitempty"`
}

// ParkedItem is an entry of a feed that could not be handed over.
type ParkedItem struct {
	Item   string    `json:"item"`
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
}
