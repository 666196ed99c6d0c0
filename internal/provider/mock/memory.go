package mock

import (
	"cmp"
	"container/list"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// memory holds the tickets of one integration. Its methods need its lock.
type memory struct {
	mu sync.Mutex
	// born tells one memory from the next, after a restart.
	born    time.Time
	tickets map[string]*record // by id
	keys    map[string]*record // by key
	// age has all *record, the longest unchanged first.
	age   *list.List
	lists *list.List // of *listing, the oldest first
	// made and listed count what there ever was.
	made, listed int64
	// bytes are those of texts, files those of attachments, including what is on
	// its way.
	bytes int
	files int64
}

func newMemory(now time.Time) *memory {
	return &memory{
		born: now, tickets: map[string]*record{}, keys: map[string]*record{},
		age: list.New(), lists: list.New(),
	}
}

// find finds a ticket by its id or key.
func (m *memory) find(a act, id string) (*record, error) {
	if r, ok := m.tickets[id]; ok {
		return r, nil
	}
	if r, ok := m.keys[id]; ok {
		return r, nil
	}
	return nil, a.notFound("there is no ticket %q: a test provider forgets tickets %s after their last change, and all of them when starter serve stops", id, TicketLife)
}

// add keeps a new ticket; for it, the longest unchanged ones may go.
func (m *memory) add(r *record, now time.Time) {
	for len(m.tickets) >= MaxTickets {
		m.drop(m.oldest())
	}
	m.tickets[r.id], m.keys[r.key] = r, r
	r.age = m.age.PushBack(r)
	r.createdAt = now
	m.changed(r, now)
}

// changed notes a change of a ticket, and makes room for what it holds now.
func (m *memory) changed(r *record, now time.Time) {
	r.updatedAt = now
	m.age.MoveToBack(r.age)
	m.bytes += r.size() - r.counted
	r.counted = r.size()
	for m.bytes > MaxBytes && m.oldest() != r {
		m.drop(m.oldest())
	}
}

func (m *memory) oldest() *record { return m.age.Front().Value.(*record) }

func (m *memory) drop(r *record) {
	delete(m.tickets, r.id)
	delete(m.keys, r.key)
	m.age.Remove(r.age)
	m.bytes -= r.counted
	for _, f := range r.files {
		m.files -= f.Size
	}
}

// expire drops the tickets and lists whose time is over.
func (m *memory) expire(now time.Time) {
	for m.age.Len() > 0 && now.Sub(m.oldest().updatedAt) >= TicketLife {
		m.drop(m.oldest())
	}
	for front := m.lists.Front(); front != nil && now.Sub(front.Value.(*listing).begun) >= ListLife; front = m.lists.Front() {
		m.lists.Remove(front)
	}
}

// all are the tickets in the order in which they were made.
func (m *memory) all() []*record {
	out := make([]*record, 0, len(m.tickets))
	for _, r := range m.tickets {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b *record) int { return cmp.Compare(a.number, b.number) })
	return out
}

// idOf makes ids of what something is, so that a repeated call makes the same
// one, and nothing gets the id that another thing had before a restart.
func idOf(what ...string) string {
	return ticket.OperationHash(strings.Join(what, "\n"))
}
