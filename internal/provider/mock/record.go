package mock

import (
	"cmp"
	"container/list"
	"maps"
	"slices"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// record is a ticket in memory.
type record struct {
	number    int64
	id, key   string
	marker    ticket.Marker
	createdAt time.Time
	updatedAt time.Time
	fields    fields
	entries   []*entry
	files     []*file
	// added counts what was ever added without an operation, for ids.
	added int
	// entryBytes are those of entries; counted is what the memory counts for all.
	entryBytes, counted int
	age                 *list.Element
}

// fields are what a patch can change of a ticket.
type fields struct {
	name, summary, description string
	creator, assignee, contact string
	priority                   ticket.Priority
	dueDate, completionDate    time.Time
	status, resolution         string
	// closedAt is zero while the ticket is open.
	closedAt                   time.Time
	project, issueType, parent string
	tags                       []string
	// custom are values as JSON has them, by path.
	custom map[string]any
}

// clone shares only the values of custom fields, which nothing changes.
func (f fields) clone() fields {
	f.tags = slices.Clone(f.tags)
	f.custom = maps.Clone(f.custom)
	return f
}

// shownSummary is the name where nobody gave another one.
func (f *fields) shownSummary() string { return cmp.Or(f.summary, f.name) }

// What is needed beside the texts, roughly: by a ticket or file, and by an entry.
const (
	recordBytes = 512
	entryBytes  = 256
	valueBytes  = 32
)

func (r *record) size() int {
	f := r.fields
	n := recordBytes + r.entryBytes + len(f.name) + len(f.summary) + len(f.description) + len(f.creator) + len(f.assignee) +
		len(f.contact) + len(f.status) + len(f.resolution) + len(f.project) + len(f.issueType) + len(f.parent) +
		len(r.marker.Key) + len(r.marker.Operation)
	for _, tag := range f.tags {
		n += len(tag) + valueBytes
	}
	for path, value := range f.custom {
		n += len(path) + sizeOf(value)
	}
	for _, f := range r.files {
		n += recordBytes + len(f.FileName) + len(f.FileType)
	}
	return n
}

// fits refuses what would make a ticket too large: more bytes than it has.
func (r *record) fits(a act, more int) error {
	if r.size()+more > MaxTicketBytes {
		return a.permanent("a test provider keeps at most %d MiB of text for a ticket with its comments and notes", MaxTicketBytes>>20)
	}
	return nil
}

// openSince refuses, with kind Closed, a ticket that was closed before a time.
func (r *record) openSince(a act, before time.Time) error {
	at := r.fields.closedAt
	if before.IsZero() || at.IsZero() || !at.Before(before) {
		return nil
	}
	return &ticket.Error{
		Kind: ticket.Closed, Op: a.op, ClosedAt: at,
		Message: r.key + " is closed since " + at.Format(time.RFC3339),
	}
}

// model is a ticket in the unified model; nothing of it is shared with the memory.
func (c *Client) model(r *record) ticket.Ticket {
	f := r.fields
	out := ticket.Ticket{
		ID: r.id, Key: r.key, Name: f.name, Summary: f.shownSummary(), Description: f.description,
		Creator: f.creator, Assignee: f.assignee, Contact: f.contact, Priority: f.priority,
		CreatedAt: r.createdAt, UpdatedAt: r.updatedAt, DueDate: f.dueDate, CompletionDate: f.completionDate,
		Status: f.status, Closed: !f.closedAt.IsZero(), Project: f.project, IssueType: f.issueType, Parent: f.parent,
		Tags: slices.Clone(f.tags), CustomFields: c.namedFields(f), Operation: r.marker.Operation,
		Unmapped: map[string]any{"key": r.key, "expires_at": r.updatedAt.Add(TicketLife).Format(time.RFC3339)},
	}
	if f.resolution != "" {
		out.Unmapped["resolution"] = f.resolution
	}
	return out
}
