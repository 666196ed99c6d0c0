package matching

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/event"
)

const (
	// Window is how long after its creation a request takes events, the last
	// moment included.
	Window = 24 * time.Hour
	// MaxNotes is how many notes of a request are told apart; from then on the
	// request only counts them.
	MaxNotes = 5000

	noteHashSize    = 16
	commentHashSize = 8
)

// Request is what an event created: workflow state, so it keeps hashes of texts
// in place of the texts.
type Request struct {
	ID int64 `json:"id"`
	// EventID is the event that created the request.
	EventID     string       `json:"event_id,omitempty"`
	Policy      event.Policy `json:"policy,omitempty"`
	Fields      event.Fields `json:"fields"`
	CreatedAt   time.Time    `json:"created_at"`
	UpdatedAt   time.Time    `json:"updated_at"`
	CompletedAt time.Time    `json:"completed_at,omitzero"`
	// ClosedBy names who completed the request at the provider.
	ClosedBy string `json:"closed_by,omitempty"`
	// Archived requests (archived or deleted at the provider) take no events.
	Archived bool `json:"archived,omitempty"`
	// Notes counts the public notes, those that were only counted included.
	Notes int `json:"notes"`
	// NoteHashes are the first 16 bytes of the SHA-256 of each public note,
	// normalised, one after the other.
	NoteHashes []byte `json:"note_hashes,omitempty"`
	// Foreign is kept under the ticket policy.
	Foreign *ForeignState `json:"foreign,omitempty"`
}

// Open reports whether an event received at this time may match the request:
// not completed and, under the event policy, at most 24 hours old.
func (q *Request) Open(at time.Time) bool {
	if q.completed() || q.Archived {
		return false
	}
	return q.Policy == event.PolicyTicket || at.Sub(q.CreatedAt) <= Window
}

func (q *Request) completed() bool { return q.Fields.Status == statusCompleted }

// Close completes a request whose ticket was closed at the provider, by whom is
// said in by. A request that is completed already stays as it is.
func (q *Request) Close(at time.Time, by string) {
	if q.completed() {
		return
	}
	q.Fields.Status = statusCompleted
	q.ClosedBy = by
	q.CompletedAt, q.UpdatedAt = at, at
}

// WakeAt is when waiting_until puts the request back to assigned; zero means
// that it does not wait.
func (q *Request) WakeAt() time.Time {
	if q.Fields.Status != statusWaitingFor {
		return time.Time{}
	}
	return q.Fields.WaitingUntil
}

// Wake puts a waiting request back to assigned when its time has come, and
// reports whether it did.
func (q *Request) Wake(at time.Time) bool {
	due := q.WakeAt()
	if due.IsZero() || at.Before(due) {
		return false
	}
	q.Fields.Status = statusAssigned
	q.UpdatedAt = at
	return true
}

// AddAgentNote remembers a public note that a person wrote at the ticket:
// an event's note that equals it is a repeat.
func (q *Request) AddAgentNote(text string) {
	if note := NormaliseNote(text); note != "" && !q.hasNote(note) {
		q.addNote(note)
	}
}

// Forget takes back that the request has seen an event, so that the event can
// be decided again: its ticket turned out to be closed, or not to exist.
func (q *Request) Forget(r event.Resolved) {
	if r.Key.Policy == event.PolicyTicket {
		q.forgetForeign(r)
		return
	}
	if hashes, found := withoutHash(q.NoteHashes, noteHash(NormaliseNote(r.Note))); found {
		q.NoteHashes = hashes
		q.Notes--
	}
}

// hasNote and addNote take normalised texts.
func (q *Request) hasNote(note string) bool { return hasHash(q.NoteHashes, noteHash(note)) }

func (q *Request) addNote(note string) {
	if q.Notes < MaxNotes {
		q.NoteHashes = append(q.NoteHashes, noteHash(note)...)
	}
	q.Notes++
}

func noteHash(note string) []byte {
	sum := sha256.Sum256([]byte(note))
	return sum[:noteHashSize]
}

func commentHash(id string) []byte {
	sum := sha256.Sum256([]byte(id))
	return sum[:commentHashSize]
}

func hasHash(packed, hash []byte) bool { return indexHash(packed, hash) >= 0 }

// indexHash is where a hash stands among hashes of its size, packed; -1 for nowhere.
func indexHash(packed, hash []byte) int {
	for from := 0; ; {
		i := bytes.Index(packed[from:], hash)
		if i < 0 {
			return -1
		}
		if (from+i)%len(hash) == 0 {
			return from + i
		}
		from += i + 1 // across the border of two hashes
	}
}

func withoutHash(packed, hash []byte) ([]byte, bool) {
	i := indexHash(packed, hash)
	if i < 0 {
		return packed, false
	}
	return slices.Delete(packed, i, i+len(hash)), true
}
