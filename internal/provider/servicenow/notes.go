package servicenow

import (
	"context"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// untitled is the title of a work note that has none of its own: the model wants one.
const untitled = "Work note"

// ListNotes lists a ticket's work notes, oldest first. The journal has no titles:
// a note's is the paragraph that it begins with, where that is one line.
func (c *Client) ListNotes(ctx context.Context, ticketID string) ([]ticket.Note, error) {
	found, err := c.entries(ctx, ticketID, journalNotes)
	notes := make([]ticket.Note, len(found))
	for i, entry := range found {
		notes[i] = noteOf(entry)
	}
	return notes, err
}

// CreateNote makes one attempt to add a work note.
func (c *Client) CreateNote(ctx context.Context, ticketID string, n ticket.NewNote) (ticket.Note, error) {
	made, err := c.CreateComment(ctx, ticketID, asComment(n))
	return noteOf(made), err
}

// RecoverNote looks for a work note whose creation had an unknown outcome.
func (c *Client) RecoverNote(ctx context.Context, ticketID string, n ticket.NewNote, a ticket.Attempt) (ticket.Note, bool, error) {
	found, ok, err := c.RecoverComment(ctx, ticketID, asComment(n), a)
	return noteOf(found), ok, err
}

func asComment(n ticket.NewNote) ticket.NewComment {
	return ticket.NewComment{Content: n.Title + "\n\n" + n.Content, Internal: true, Operation: n.Operation}
}

func noteOf(c ticket.Comment) ticket.Note {
	n := ticket.Note{
		ID: c.ID, TicketID: c.TicketID, Title: untitled, Content: c.Content, Creator: c.Creator,
		CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt,
	}
	first, rest, found := strings.Cut(strings.ReplaceAll(c.Content, "\r\n", "\n"), "\n\n")
	if found && first != "" && !strings.Contains(first, "\n") {
		n.Title, n.Content = first, rest
	}
	return n
}
