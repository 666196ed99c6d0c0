package workflows

import (
	"slices"
	"strconv"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
)

// Kinds of operations; each is one act at the provider.
const (
	opCreate  = "create"
	opComment = "comment"
	opNote    = "note" // internal
	opPatch   = "patch"
)

// operation is something that a request's ticket does not have yet.
type operation struct {
	Item string `json:"item"`
	Kind string `json:"kind"`
	// Since is when it was first scheduled: nothing of it can be older.
	Since   time.Time `json:"since"`
	EventID string    `json:"event_id"`
	// Event is what is decided again if the ticket turns out to be closed; only
	// in creates and comments.
	Event *event.Event `json:"event,omitempty"`
	// Text is the event's note, Tell are lines to stand under it.
	Text    string        `json:"text,omitempty"`
	Tell    []string      `json:"tell,omitempty"`
	Changes event.Changes `json:"changes,omitzero"`
	// Late: the request was completed when the event came; a closed ticket gets
	// it all the same.
	Late bool `json:"late,omitempty"`
	// Merged counts the notes that were merged into this one.
	Merged int `json:"merged,omitempty"`
	// Adopt: look for a ticket of the key first. OnlyAdopt: never create.
	Adopt     bool `json:"adopt,omitempty"`
	OnlyAdopt bool `json:"only_adopt,omitempty"`
	// Unknown is set while an attempt may have had its effect unseen.
	Unknown *unknown `json:"unknown,omitempty"`
	// Checked: the adopted ticket was searched for this comment.
	Checked bool `json:"checked,omitempty"`
	// Parked is why a person is needed.
	Parked string            `json:"parked,omitempty"`
	Set    map[string]string `json:"set,omitempty"`

	// busy: a coroutine performs it right now.
	busy bool
	// size is what it weighs in the state; 0 when that is to be found out.
	size int
}

func (o *operation) bytes() int {
	if o.size == 0 {
		o.size = encodedSize(o)
	}
	return o.size
}

// keep makes the operation remember its event and what of its note it tells,
// once: the event goes without what the operation itself, another one of the
// event, or the workflow's input holds already.
func (o *operation) keep(e event.Event, text string) *operation {
	resolved := *e.Resolved
	resolved.Key = event.Key{}
	o.Text = text
	if text == resolved.Note {
		resolved.Note = ""
	}
	if o.Kind == opCreate {
		resolved.InternalNote = "" // an operation of its own
	}
	e.Raw, e.Params, e.Resolved = "", nil, &resolved
	o.Event = &e
	return o
}

// original is the event that an operation of this track came from.
func (t *track) original(o *operation, key event.Key) event.Event {
	e, resolved := *o.Event, *o.Event.Resolved
	resolved.Key = key
	if resolved.Note == "" {
		resolved.Note = o.Text
	}
	for _, other := range t.Pending {
		if other.Kind == opNote && other.EventID == o.EventID {
			resolved.InternalNote = other.Text
		}
	}
	e.Resolved = &resolved
	return e
}

// text is what a comment or a new ticket says.
func (o *operation) text() string { return told(o.Text, o.Tell) }

func (o *operation) view() contract.PendingView {
	v := contract.PendingView{
		Item: o.Item, Kind: o.Kind, Since: o.Since, Text: o.text(), Internal: o.Kind == opNote, Parked: o.Parked,
	}
	switch {
	case o.Parked != "":
		v.Set = o.amendable()
	case o.Unknown != nil:
		v.Waiting = "an attempt had no answer; looking for what it may have done"
	case o.OnlyAdopt, o.Adopt:
		v.Waiting = "looking for a ticket made before"
	}
	return v
}

// closedBefore: an operation of an event is refused by a ticket that somebody
// closed before the event was received; the event then belongs to another
// request. Zero: the ticket's state does not matter.
func (o *operation) closedBefore() time.Time {
	if o.Event == nil || o.Event.Replayed || o.Late {
		return time.Time{}
	}
	return o.Event.ReceivedAt
}

// amendable lists what an amend signal may set.
func (o *operation) amendable() []string {
	switch o.Kind {
	case opCreate:
		return []string{"name", "description", "priority", "assignee"}
	case opPatch:
		return []string{"name", "status", "resolution", "assignee"}
	default:
		return []string{"text"}
	}
}

// next is the operation to perform now: later ones overtake a parked one, but
// nothing can be done before the ticket exists.
func (t *track) next() *operation {
	for _, op := range t.Pending {
		if op.Parked != "" && op.Kind != opCreate {
			continue
		}
		if op.Parked != "" || op.Kind != opCreate && t.Ticket == nil {
			return nil
		}
		return op
	}
	return nil
}

// lost: the request has no ticket and will not get one.
func (t *track) lost() bool { return t.Ticket == nil && t.create() == nil }

// create is the operation that the ticket is waiting for, if any.
func (t *track) create() *operation {
	for _, op := range t.Pending {
		if op.Kind == opCreate {
			return op
		}
	}
	return nil
}

func (t *track) remove(op *operation) {
	t.Pending = slices.DeleteFunc(t.Pending, func(o *operation) bool { return o == op })
}

func (s *matchState) newItem() string {
	s.LastItem++
	return strconv.FormatInt(s.LastItem, 10)
}
