package event

import (
	"encoding/json"
	"time"
)

// Step asks a feed for one step of reading. Everything up to Position was handed
// over durably, so that a feed that wants its readers to commit may be told.
type Step struct {
	// Position is where to go on; empty: from the configured start.
	Position json.RawMessage
	// Reader is who reads: one UUID for the whole life of the feed's workflow, on
	// whatever worker. A vendor that lets one reader at a time read knows us by it.
	Reader string
	// Wait is how long the feed may keep the request until it has something new,
	// where it can; 0: not at all.
	Wait time.Duration
}

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
	// Wait is what the feed asked for before the next step; 0: nothing.
	Wait time.Duration
	// Gaps are windows in which events may have been missed.
	Gaps []Gap
	// Note is what a person should know of the feed though nothing is wrong, e.g.
	// that somebody else reads it; empty: nothing.
	Note string
	// Refused counts entries of a foreign tenant, Dropped those that the feed's
	// transform leaves out.
	Refused, Dropped int
	// Holes counts places where the feed's numbering says that entries stand
	// between two that came. On a filtered feed that is no gap.
	Holes int
	// Marker and Newest describe Position to a person: the newest entry's id
	// and the time the feed stored it.
	Marker string
	Newest time.Time
}

// Entry is one entry of a feed.
type Entry struct {
	// ID identifies the entry for ever; one that came before has no effect.
	ID string
	// Place is what the feed finds the entry again by, where that is not its ID.
	Place string
	// StoredAt is when the feed stored the entry.
	StoredAt time.Time
	// Replayed: the entry is at or below the highest position handed over before.
	Replayed bool
	// Create lets a replayed entry make a ticket where none is found: whether it
	// was handed over before cannot be told.
	Create  bool
	Foreign *Foreign
	// Params are the entry in the Events API's parameters, for feeds that
	// match by the event policy.
	Params Params
	// Data is the whole entry as decoded JSON, for the feed's transform: objects,
	// lists, strings, json.Number, booleans and nil.
	Data map[string]any
	// Raw is the entry as sent (XML or JSON), cut at 32 KB.
	Raw string
	// Malformed says why the entry cannot be handed over; it is parked.
	Malformed string
	// Dropped: the feed's transform leaves the entry out. A Reading has no such
	// entries, it counts them; Newest shows them.
	Dropped bool
}

// Gap is a window in which events may have been missed.
type Gap struct {
	From   time.Time `json:"from,omitzero"`
	To     time.Time `json:"to,omitzero"`
	Reason string    `json:"reason"`
}

// Item is the name that a person retries or discards the entry by.
func (e Entry) Item() string {
	if e.Place != "" {
		return e.Place
	}
	return e.ID
}
