package mock

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// entry is a comment or, where internal, a note.
type entry struct {
	id, ticketID            string
	title, content, creator string
	internal                bool
	createdAt, updatedAt    time.Time
}

func (e *entry) size() int { return entryBytes + len(e.title) + len(e.content) + len(e.creator) }

func (e *entry) comment() ticket.Comment {
	return ticket.Comment{
		ID: e.id, TicketID: e.ticketID, Creator: e.creator, Content: e.content,
		CreatedAt: e.createdAt, UpdatedAt: e.updatedAt, Internal: e.internal,
	}
}

// partID is the id of a part of a ticket: that of its operation, else the next one.
func (r *record) partID(kind, operation string) string {
	if operation != "" {
		return idOf(kind, r.id, operation)
	}
	r.added++
	return idOf(kind, r.id, "", strconv.Itoa(r.added))
}

func (r *record) entry(id string) *entry {
	i := slices.IndexFunc(r.entries, func(e *entry) bool { return e.id == id })
	if i < 0 {
		return nil
	}
	return r.entries[i]
}

// newEntry is an entry to add; unless names the time before which its ticket must
// not have been closed.
type newEntry struct {
	entry
	operation string
	unless    time.Time
}

// add adds an entry; one of the same operation is added once only.
func (c *Client) add(a act, m *memory, ticketID string, n newEntry) (*entry, error) {
	r, err := m.find(a, ticketID)
	if err != nil {
		return nil, err
	}
	if there := r.entry(idOf(entryKind, r.id, n.operation)); there != nil {
		return there, nil
	}
	if err := r.openSince(a, n.unless); err != nil {
		return nil, err
	}
	if strings.TrimSpace(n.content) == "" {
		return nil, a.permanent("content: empty")
	}
	if len(r.entries) >= MaxEntries {
		return nil, a.permanent("a test provider keeps at most %d comments and notes of a ticket", MaxEntries)
	}
	if err := r.fits(a, n.size()); err != nil {
		return nil, err
	}
	e := n.entry
	e.id, e.ticketID, e.creator, e.createdAt = r.partID(entryKind, n.operation), r.id, cmp.Or(n.creator, ourName), c.time()
	r.entries = append(r.entries, &e)
	r.entryBytes += e.size()
	m.changed(r, e.createdAt)
	return &e, nil
}

// entryKind tells ids of comments and notes from those of files.
const entryKind = "entry"

// CreateComment adds a comment or, where it is internal, a note without a title.
func (c *Client) CreateComment(ctx context.Context, ticketID string, n ticket.NewComment) (ticket.Comment, error) {
	operator := opCreateComment
	if n.Internal {
		operator = opCreateNote
	}
	a := writing(operator, "comment on ticket %s", ticketID)
	return call(ctx, c, a, func(m *memory) (ticket.Comment, error) {
		e, err := c.add(a, m, ticketID, newEntry{
			entry: entry{content: n.Content, creator: n.Creator, internal: n.Internal}, operation: n.Operation, unless: n.UnlessClosedBefore,
		})
		if err != nil {
			return ticket.Comment{}, err
		}
		return e.comment(), nil
	})
}

// RecoverComment finds the comment of an operation.
func (c *Client) RecoverComment(ctx context.Context, ticketID string, n ticket.NewComment, _ ticket.Attempt) (ticket.Comment, bool, error) {
	e, err := c.lost(ctx, reading(opListComments, "look for a lost comment of ticket %s", ticketID), ticketID, n.Operation)
	if err != nil || e == nil {
		return ticket.Comment{}, false, err
	}
	return e.comment(), true, nil
}

// lost finds the entry of an operation; a copy of it, nil where there is none.
func (c *Client) lost(ctx context.Context, a act, ticketID, operation string) (*entry, error) {
	if operation == "" {
		return nil, a.permanent("it bears no operation to find it by")
	}
	return call(ctx, c, a, func(m *memory) (*entry, error) {
		r, err := m.find(a, ticketID)
		if err != nil {
			return nil, err
		}
		e := r.entry(idOf(entryKind, r.id, operation))
		if e == nil {
			return nil, nil
		}
		copied := *e
		return &copied, nil
	})
}

// ListComments lists a ticket's comments and, marked as internal, its notes,
// oldest first.
func (c *Client) ListComments(ctx context.Context, ticketID string) ([]ticket.Comment, error) {
	a := reading(opListComments, "list comments of ticket %s", ticketID)
	return call(ctx, c, a, func(m *memory) ([]ticket.Comment, error) {
		r, err := m.find(a, ticketID)
		if err != nil {
			return nil, err
		}
		out := []ticket.Comment{}
		for _, e := range r.entries {
			out = append(out, e.comment())
		}
		return out, nil
	})
}

// DeleteComment deletes a comment; notes are none.
func (c *Client) DeleteComment(ctx context.Context, ticketID, commentID string) error {
	return c.deleteEntry(ctx, writing(opDeleteComment, "delete comment %s of ticket %s", commentID, ticketID), ticketID, commentID, false)
}

func (c *Client) deleteEntry(ctx context.Context, a act, ticketID, id string, internal bool) error {
	_, err := call(ctx, c, a, func(m *memory) (struct{}, error) {
		r, err := m.find(a, ticketID)
		if err != nil {
			return struct{}{}, err
		}
		e := r.entry(id)
		if e == nil || e.internal != internal {
			return struct{}{}, a.notFound("there is no such entry")
		}
		r.entries = slices.DeleteFunc(r.entries, func(other *entry) bool { return other == e })
		r.entryBytes -= e.size()
		m.changed(r, c.time())
		return struct{}{}, nil
	})
	return err
}
