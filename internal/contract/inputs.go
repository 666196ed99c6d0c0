package contract

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/event"
)

// PollFeedInput starts PollFeed.
type PollFeedInput struct {
	Feed string `json:"feed"`
	// State is what a run hands to the next one; absent when a person starts it.
	State json.RawMessage `json:"state,omitempty"`
}

// Validate names what is missing.
func (in PollFeedInput) Validate() error {
	if in.Feed == "" {
		return fmt.Errorf(`feed: missing; start PollFeed with {"feed":"<name>"}, a name from the configuration`)
	}
	return nil
}

// MatchEventsInput starts MatchEvents; `starter event id` prints it for an event.
type MatchEventsInput struct {
	Integration string    `json:"integration"`
	Key         event.Key `json:"key"`
	// Provider is the short name of the integration's provider, e.g. "jira".
	// Without it an activity looks it up.
	Provider string `json:"provider,omitempty"`
	// Memory is how long past its last request's end the key remembers its
	// events, e.g. "168h", which is also the default.
	Memory string `json:"memory,omitempty"`
	// State is what a run hands to the next one.
	State json.RawMessage `json:"state,omitempty"`
}

// Validate checks the input and that workflowID is the one it belongs to.
func (in MatchEventsInput) Validate(workflowID string) error {
	switch {
	case in.Integration == "":
		return fmt.Errorf("integration: missing")
	case strings.Contains(in.Integration, ":"):
		return fmt.Errorf("integration: %q must not contain a colon", in.Integration)
	case in.Key.Policy != event.PolicyEvent && in.Key.Policy != event.PolicyTicket:
		return fmt.Errorf("key.policy: %q is neither %q nor %q", in.Key.Policy, event.PolicyEvent, event.PolicyTicket)
	}
	if _, err := in.MemoryDuration(); err != nil {
		return err
	}
	if want := MatchID(in.Integration, in.Key); want != workflowID {
		return fmt.Errorf("this key belongs to the workflow id %q, not %q; start it there", want, workflowID)
	}
	return nil
}

// DefaultMemory outlives the retention of every feed.
const DefaultMemory = 7 * 24 * time.Hour

// MemoryDuration reads Memory.
func (in MatchEventsInput) MemoryDuration() (time.Duration, error) {
	if in.Memory == "" {
		return DefaultMemory, nil
	}
	memory, err := time.ParseDuration(in.Memory)
	if err != nil || memory <= 0 {
		return 0, fmt.Errorf("memory: %q is not a duration such as %q", in.Memory, DefaultMemory)
	}
	return memory, nil
}

// EventsSignal is the payload of the "event" signal.
type EventsSignal struct {
	Events []event.Event `json:"events"`
}

// Validate refuses a payload that is not events.
func (s EventsSignal) Validate() error {
	if len(s.Events) == 0 {
		return fmt.Errorf("events: missing or empty")
	}
	return nil
}

// Check refuses one of the events; the others are taken all the same.
func (s EventsSignal) Check(i int) error {
	switch e := s.Events[i]; {
	case e.ID == "":
		return fmt.Errorf("events[%d].id: missing", i)
	case len(e.ID) > MaxEventID:
		return fmt.Errorf("events[%d].id: longer than %d bytes", i, MaxEventID)
	case e.Resolved == nil && e.Foreign == nil && len(e.Params) == 0:
		return fmt.Errorf("events[%d]: has neither params nor foreign", i)
	}
	return nil
}

// MaxEventID is the longest event id, in bytes.
const MaxEventID = 1000

// RewindSignal moves a feed's position back; To is a marker or an offset,
// whichever the feed has, an RFC 3339 time, or "oldest". Create lets replayed
// events make tickets where none is found.
type RewindSignal struct {
	To     string `json:"to" doc:"A marker or an offset, whichever the feed has; an RFC 3339 time; or oldest."`
	Create bool   `json:"create,omitempty" doc:"Let events whose ticket is not found make one."`
}

// Validate names what is missing.
func (s RewindSignal) Validate() error {
	const longest = 500
	switch {
	case s.To == "":
		return fmt.Errorf(`to: missing; want a marker or an offset (whichever the feed has), a time like 2026-01-15T12:00:00Z, or "oldest"`)
	case len(s.To) > longest:
		return fmt.Errorf("to: longer than %d bytes", longest)
	}
	return nil
}

// ItemSignal is the payload of "retry" and "discard"; without an item it means all.
type ItemSignal struct {
	Item string `json:"item,omitempty"`
}

// AmendSignal changes a parked item and retries it. Set holds what the item's
// `set` line in the state query names, e.g. {"name":"shorter"} or {"text":"..."};
// for an entry of a feed, what AmendableEntry lists.
type AmendSignal struct {
	Item string            `json:"item"`
	Set  map[string]string `json:"set"`
}

// Validate names what is missing.
func (s AmendSignal) Validate() error {
	switch {
	case s.Item == "":
		return fmt.Errorf("item: missing")
	case len(s.Set) == 0:
		return fmt.Errorf("set: missing or empty")
	}
	return nil
}

// TicketChangedSignal tells that something happened to a ticket at its provider.
type TicketChangedSignal struct {
	Ticket string    `json:"ticket"`
	Closed bool      `json:"closed"`
	At     time.Time `json:"at,omitzero"`
}

// Validate names what is missing.
func (s TicketChangedSignal) Validate() error {
	if s.Ticket == "" {
		return fmt.Errorf("ticket: missing; want the ticket's id at the provider")
	}
	return nil
}
