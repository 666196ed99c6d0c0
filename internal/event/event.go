// Package event holds what the rest of ticketbridge says to each other about
// events: pure data, no Temporal and no I/O.
package event

import "time"

// Event is one thing that happened, as a feed or a caller told it. It is what
// the "event" signal of MatchEvents carries.
type Event struct {
	// ID is the event's identity: a feed's entry id, a caller's Idempotency-Key,
	// or one made at intake. An id takes effect once.
	ID string `json:"id"`
	// ReceivedAt is stamped once, at intake. It is the only clock of the match window.
	ReceivedAt time.Time `json:"received_at"`
	// Caller names who sent the event: a caller of the configuration, or "feed:<name>".
	Caller string `json:"caller,omitempty"`
	// Params are the Events API's parameters as given.
	Params Params `json:"params,omitempty"`
	// Foreign says what the event tells of a ticket that lives elsewhere.
	Foreign *Foreign `json:"foreign,omitempty"`
	// Unkeyed marks an event whose sender gave no identity: it is the same event
	// again as the last one of its key when caller and parameters are equal and
	// at most UnkeyedRepeatWithin has passed.
	Unkeyed bool `json:"unkeyed,omitempty"`
	// Replayed marks an event at or below the highest position that its feed had
	// handed over before.
	Replayed bool `json:"replayed,omitempty"`
	// Create lets a replayed event make a ticket where none is found.
	Create bool `json:"create,omitempty"`
	// Raw is the entry as the feed sent it, unknown fields included.
	Raw string `json:"raw,omitempty"`
	// Resolved is absent in events typed by hand; an activity adds it then.
	Resolved *Resolved `json:"resolved,omitempty"`
}

// UnkeyedRepeatWithin is how long an equal event without an identity of its own
// counts as a re-post of the last one.
const UnkeyedRepeatWithin = 10 * time.Minute

// Foreign is what one entry of a feed says about a ticket that lives elsewhere.
// Members that the entry does not have are empty.
type Foreign struct {
	TicketID string `json:"ticket_id"`
	Subject  string `json:"subject,omitempty"`
	Status   string `json:"status,omitempty"`
	// Type is the publisher's word for what happened, e.g. CREATE or UPDATE.
	Type string `json:"type,omitempty"`
	// UpdatedAt is the publisher's time of the change. It, not the order of
	// arrival, decides which of two subjects or statuses is the newer one.
	UpdatedAt time.Time       `json:"updated_at"`
	Comment   *ForeignComment `json:"comment,omitempty"`
}

// ForeignComment is a comment on a foreign ticket.
type ForeignComment struct {
	ID         string    `json:"id"`
	Author     string    `json:"author,omitempty"`
	AuthorType string    `json:"author_type,omitempty"`
	CreatedAt  time.Time `json:"created_at,omitzero"`
	Text       string    `json:"text"`
}
