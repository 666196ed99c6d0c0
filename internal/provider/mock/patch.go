package mock

import (
	"context"
	"reflect"
	"slices"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// PatchTicket sets fields of a ticket, all of them or, with an error, none. A
// patch that changes nothing leaves the ticket's time of change as it is.
func (c *Client) PatchTicket(ctx context.Context, id string, p ticket.Patch) (ticket.Ticket, error) {
	a := writing(opPatchTicket, "patch ticket %s", id)
	return call(ctx, c, a, func(m *memory) (ticket.Ticket, error) {
		r, err := m.find(a, id)
		if err != nil {
			return ticket.Ticket{}, err
		}
		if err := r.openSince(a, p.UnlessClosedBefore); err != nil {
			return ticket.Ticket{}, err
		}
		if p.KeepClosed && !r.fields.closedAt.IsZero() {
			p.Status, p.Resolution = nil, nil
		}
		before, next := r.fields, r.fields.clone()
		if err := c.apply(a, m, r, &next, p); err != nil {
			return ticket.Ticket{}, err
		}
		if reflect.DeepEqual(before, next) {
			return c.model(r), nil
		}
		r.fields = next
		if err := r.fits(a, 0); err != nil {
			r.fields = before
			return ticket.Ticket{}, err
		}
		m.changed(r, c.time())
		return c.model(r), nil
	})
}

func (c *Client) apply(a act, m *memory, r *record, f *fields, p ticket.Patch) error {
	set(&f.name, p.Name)
	set(&f.summary, p.Summary)
	set(&f.description, p.Description)
	set(&f.priority, p.Priority)
	set(&f.resolution, p.Resolution)
	set(&f.assignee, p.Assignee)
	set(&f.creator, p.Creator)
	set(&f.contact, p.Contact)
	set(&f.issueType, p.IssueType)
	f.name = strings.TrimSpace(f.name)
	if p.Project != nil {
		f.project = strings.TrimSpace(*p.Project)
	}
	if p.DueDate != nil {
		f.dueDate = stamp(*p.DueDate)
	}
	if p.Tags != nil {
		f.setTags(*p.Tags)
	}
	if p.Status != nil {
		f.setStatus(c.statusOf(*p.Status), c.time())
	}
	if p.CompletionDate != nil {
		f.completionDate = stamp(*p.CompletionDate)
	}
	if p.Parent != nil {
		if err := c.setParent(a, m, f, *p.Parent); err != nil {
			return err
		}
		if f.parent == r.id {
			return a.permanent("parent: a ticket cannot be its own")
		}
	}
	if err := c.setCustom(a, f, p.CustomFields); err != nil {
		return err
	}
	return f.check(a)
}

func set[T any](to *T, value *T) {
	if value != nil {
		*to = *value
	}
}

// check refuses what no ticket may be.
func (f fields) check(a act) error {
	switch {
	case f.name == "":
		return a.permanent("name: empty: a ticket needs one")
	case f.project == "":
		return a.permanent("project: empty: a ticket needs one")
	case f.priority != "" && !slices.Contains(ticket.Priorities(), f.priority):
		return a.permanent("priority: %q: want one of %v", f.priority, ticket.Priorities())
	}
	return nil
}

// setTags keeps each tag once, in the order given.
func (f *fields) setTags(tags []string) {
	f.tags = nil
	for _, tag := range tags {
		if tag = strings.TrimSpace(tag); tag != "" && !slices.Contains(f.tags, tag) {
			f.tags = append(f.tags, tag)
		}
	}
}

// setParent sets the parent by its id or key.
func (c *Client) setParent(a act, m *memory, f *fields, parent string) error {
	if parent == "" || parent == f.parent {
		f.parent = parent
		return nil
	}
	r, err := m.find(a, parent)
	if err != nil {
		return a.permanent("parent: there is no ticket %q", parent)
	}
	f.parent = r.id
	return nil
}
