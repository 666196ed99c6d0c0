package mock

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// listing is a list whose next pages may be asked for.
type listing struct {
	number int64 // 0 until it is remembered
	begun  time.Time
	shape  string
	ids    []string
}

// listing is the list that a query goes on with, and where; a new one, made by
// begin, for a query without a cursor.
func (m *memory) listing(a act, q ticket.Query, begin func() []string, now time.Time) (*listing, int, error) {
	if q.Cursor == "" {
		return &listing{begun: now, shape: shape(q), ids: begin()}, 0, nil
	}
	wrong := a.permanent("cursor: not one of this list: begin it again, without a cursor")
	parts := strings.Split(q.Cursor, ".")
	if len(parts) != 3 {
		return nil, 0, wrong
	}
	number, errNumber := strconv.ParseInt(parts[0], 10, 64)
	from, errFrom := strconv.Atoi(parts[1])
	if errNumber != nil || errFrom != nil || from < 0 || parts[2] != m.seal(number, shape(q)) {
		return nil, 0, wrong
	}
	for e := m.lists.Front(); e != nil; e = e.Next() {
		if l := e.Value.(*listing); l.number == number {
			return l, from, nil
		}
	}
	return nil, 0, a.permanent("cursor: its list was begun more than %s ago, or %d others were begun since: begin it again, without a cursor", ListLife, MaxLists)
}

// cursor names a place in a list, which is remembered for it.
func (m *memory) cursor(l *listing, at int) string {
	if l.number == 0 {
		m.listed++
		l.number = m.listed
		for m.lists.Len() >= MaxLists {
			m.lists.Remove(m.lists.Front())
		}
		m.lists.PushBack(l)
	}
	return fmt.Sprintf("%d.%d.%s", l.number, at, m.seal(l.number, l.shape))
}

// seal binds a cursor to its query, and to this memory.
func (m *memory) seal(number int64, shape string) string {
	return idOf("list", m.born.Format(time.RFC3339Nano), strconv.FormatInt(number, 10), shape)[:16]
}
