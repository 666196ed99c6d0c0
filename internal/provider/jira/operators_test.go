package jira

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

// all are the operators that Jira can do; escalation policies it has none.
type all interface {
	ticketing.TicketQuerier
	ticketing.TicketGetter
	ticketing.CommentLister
	ticketing.CommentDeleter
	ticketing.NoteLister
	ticketing.NoteCreator
	ticketing.NoteRecoverer
	ticketing.NotePatcher
	ticketing.NoteDeleter
	ticketing.AttachmentCreator
	ticketing.AttachmentRecoverer
	ticketing.AttachmentLister
	ticketing.AttachmentDownloader
	ticketing.AttachmentDeleter
	ticketing.ProjectLister
	ticketing.RemoteFieldLister
}

var _ all = (*Client)(nil)

func TestFieldsOfQueriesAreNamed(t *testing.T) {
	names := map[string]bool{}
	for _, f := range FilterFields() {
		assert.NotEmpty(t, f.Operators, f.Name)
		assert.False(t, names[f.Name], "%s twice", f.Name)
		names[f.Name] = true
	}
	for _, name := range OrderFields() {
		assert.True(t, names[name], name)
	}
	assert.Contains(t, names, "parent")
	assert.NotContains(t, OrderFields(), "description")
}

// A cursor comes from outside: whatever it is, it is refused or makes sense.
func FuzzCursor(f *testing.F) {
	f.Add(position{Query: digestOf(ticket.Query{}), Token: "x", Size: 5, Left: []string{"1"}}.cursor())
	f.Add("")
	f.Add("e30")
	f.Fuzz(func(t *testing.T, cursor string) {
		turn := &turn{c: &Client{}}
		at, err := turn.position(ticket.Query{Cursor: cursor})
		if err == nil && cursor != "" {
			again, err := turn.position(ticket.Query{Cursor: at.cursor()})
			if err != nil {
				t.Fatalf("%q: %v", cursor, err)
			}
			assert.Equal(t, at, again)
		}
		for _, id := range at.Left {
			if leadingDigits(id) != len(id) || id == "" {
				t.Fatalf("%q: the id %q", cursor, id)
			}
		}
		if start, ok := parseStart(cursor); ok && start < 0 {
			t.Fatalf("%q: %d", cursor, start)
		}
	})
}
