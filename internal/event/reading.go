package event

import (
	"encoding/json"
	"time"
)

// Reading is what one step of reading a feed brought.
type Reading struct {
	// Entries are to be handed over in this order, oldest first.
	Entries []Entry
	// Position is where to go on once Entries were handed over: the feed
	// package's own JSON, opaque to everybody else, at most 12 KB.
	Position json.RawMessage
	// More is true while catching up: the next step should follow at once
	// (the feed's least interval still holds).
	More bool
	// Gaps are windows in which events may have been missed.
	Gaps []Gap
	// Refused counts entries of a foreign tenant.
	Refused int
	// Marker and Newest describe Position to a person: the newest entry's id
	// and the time the feed stored it.
	Marker string
	Newest time.Time
}

// Entry is one entry of a feed.
type Entry struct {
	ID string
	// StoredAt is when the feed stored the entry.
	StoredAt time.Time
	// Replayed: the entry is at or below the highest position handed over before.
	Replayed bool
	Foreign  *Foreign
	// Params are the entry in the Events API's parameters, for feeds that
	// match by the event policy.
	Params Params
	// Raw is the entry as sent (XML or JSON), cut at 32 KB.
	Raw string
	// Malformed says why the entry cannot be handed over; it is parked.
	Malformed string
}

// Gap is a window in which events may have been missed.
type Gap struct {
	From   time.Time `json:"from,omitzero"`
	To     time.Time `json:"to,omitzero"`
	Reason string    `json:"reason"`
}
