package mock

import (
	"context"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func (e *entry) note() ticket.Note {
	return ticket.Note{
		ID: e.id, TicketID: e.ticketID, Title: e.title, Content: e.content, Creator: e.creator,
		CreatedAt: e.createdAt, UpdatedAt: e.updatedAt,
	}
}

// CreateNote adds a note.
func (c *Client) CreateNote(ctx context.Context, ticketID string, n ticket.NewNote) (ticket.Note, error) {
	a := writing(opCreateNote, "add a note to ticket %s", ticketID)
	return call(ctx, c, a, func(m *memory) (ticket.Note, error) {
		e, err := c.add(a, m, ticketID, newEntry{
			entry: entry{title: n.Title, content: n.Content, internal: true}, operation: n.Operation,
		})
		if err != nil {
			return ticket.Note{}, err
		}
		return e.note(), nil
	})
}

// RecoverNote finds the note of an operation.
func (c *Client) RecoverNote(ctx context.Context, ticketID string, n ticket.NewNote, _ ticket.Attempt) (ticket.Note, bool, error) {
	e, err := c.lost(ctx, reading(opListNotes, "look for a lost note of ticket %s", ticketID), ticketID, n.Operation)
	if err != nil || e == nil {
		return ticket.Note{}, false, err
	}
	return e.note(), true, nil
}

// ListNotes lists a ticket's notes, oldest first; internal comments are notes
// without a title.
func (c *Client) ListNotes(ctx context.Context, ticketID string) ([]ticket.Note, error) {
	a := reading(opListNotes, "list notes of ticket %s", ticketID)
	return call(ctx, c, a, func(m *memory) ([]ticket.Note, error) {
		r, err := m.find(a, ticketID)
		if err != nil {
			return nil, err
		}
		out := []ticket.Note{}
		for _, e := range r.entries {
			if e.internal {
				out = append(out, e.note())
			}
		}
		return out, nil
	})
}

// PatchNote sets title and content of a note.
func (c *Client) PatchNote(ctx context.Context, ticketID, noteID string, p ticket.NotePatch) (ticket.Note, error) {
	a := writing(opPatchNote, "patch note %s of ticket %s", noteID, ticketID)
	return call(ctx, c, a, func(m *memory) (ticket.Note, error) {
		r, err := m.find(a, ticketID)
		if err != nil {
			return ticket.Note{}, err
		}
		e := r.entry(noteID)
		if e == nil || !e.internal {
			return ticket.Note{}, a.notFound("there is no such note")
		}
		next := *e
		set(&next.title, p.Title)
		set(&next.content, p.Content)
		if next == *e {
			return e.note(), nil
		}
		if strings.TrimSpace(next.content) == "" {
			return ticket.Note{}, a.permanent("content: empty")
		}
		if err := r.fits(a, next.size()-e.size()); err != nil {
			return ticket.Note{}, err
		}
		next.updatedAt = c.time()
		r.entryBytes += next.size() - e.size()
		*e = next
		m.changed(r, next.updatedAt)
		return e.note(), nil
	})
}

// DeleteNote deletes a note.
func (c *Client) DeleteNote(ctx context.Context, ticketID, noteID string) error {
	return c.deleteEntry(ctx, writing(opDeleteNote, "delete note %s of ticket %s", noteID, ticketID), ticketID, noteID, true)
}
