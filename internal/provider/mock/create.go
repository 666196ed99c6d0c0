package mock

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// ourName is who creates what names no creator.
const ourName = "ticketbridge"

// RequiredFields are those of a new ticket that CreateTicket refuses to do without.
func RequiredFields() []string { return []string{"name"} }

// CreateTicket makes a ticket; one of the same operation is made once only, and
// answered as it is now. Any project will do.
func (c *Client) CreateTicket(ctx context.Context, n ticket.New) (ticket.Ticket, error) {
	project := cmp.Or(strings.TrimSpace(n.Project), c.config.DefaultProject)
	a := writing(opCreateTicket, "create ticket in %s", project)
	return call(ctx, c, a, func(m *memory) (ticket.Ticket, error) {
		if r, ok := m.operation(n.Marker.Operation); ok {
			return c.model(r), nil
		}
		now := c.time()
		made, err := c.newFields(a, m, n, project, now)
		if err != nil {
			return ticket.Ticket{}, err
		}
		number := m.made + 1
		r := &record{
			number: number, key: fmt.Sprintf("%s-%d", project, number), marker: n.Marker, fields: made,
			id: idOf("ticket", m.born.Format(time.RFC3339Nano), strconv.FormatInt(number, 10)),
		}
		if n.Marker.Operation != "" {
			r.id = ticket.OperationHash(n.Marker.Operation)
		}
		if err := r.fits(a, 0); err != nil {
			return ticket.Ticket{}, err
		}
		m.made = number
		m.add(r, now)
		return c.model(r), nil
	})
}

// operation finds the ticket that an operation made.
func (m *memory) operation(operation string) (*record, bool) {
	if operation == "" {
		return nil, false
	}
	r, ok := m.tickets[ticket.OperationHash(operation)]
	return r, ok
}

func (c *Client) newFields(a act, m *memory, n ticket.New, project string, now time.Time) (fields, error) {
	f := fields{
		name: strings.TrimSpace(n.Name), summary: n.Summary, description: n.Description,
		creator: cmp.Or(n.Creator, ourName), assignee: n.Assignee, contact: n.Contact,
		priority: n.Priority, dueDate: stamp(n.DueDate), completionDate: stamp(n.CompletionDate),
		project: project, issueType: cmp.Or(n.IssueType, c.config.DefaultIssueType),
	}
	f.setTags(n.Tags)
	f.setStatus(c.statusOf(n.Status), now)
	if err := c.setParent(a, m, &f, n.Parent); err != nil {
		return f, err
	}
	if err := c.setCustom(a, &f, n.CustomFields); err != nil {
		return f, err
	}
	return f, f.check(a)
}

// RecoverTicket finds the ticket of an operation.
func (c *Client) RecoverTicket(ctx context.Context, n ticket.New, _ ticket.Attempt) (ticket.Ticket, bool, error) {
	a := reading(opQueryTickets, "look for a lost ticket")
	if n.Marker.Operation == "" {
		return ticket.Ticket{}, false, a.permanent("the ticket bears no operation to find it by")
	}
	found, err := call(ctx, c, a, func(m *memory) (*ticket.Ticket, error) {
		r, ok := m.operation(n.Marker.Operation)
		if !ok {
			return nil, nil
		}
		out := c.model(r)
		return &out, nil
	})
	if err != nil || found == nil {
		return ticket.Ticket{}, false, err
	}
	return *found, true, nil
}

// maxFound bounds what FindTicket answers.
const maxFound = 500

// FindTicket finds tickets by our marker, newest first; every member that m has
// must be the ticket's.
func (c *Client) FindTicket(ctx context.Context, marker ticket.Marker) ([]ticket.Ticket, error) {
	a := reading(opQueryTickets, "find tickets by their marker")
	if marker.Key == "" && marker.Request == 0 {
		return nil, a.permanent("the marker has neither key nor request")
	}
	return call(ctx, c, a, func(m *memory) ([]ticket.Ticket, error) {
		var out []ticket.Ticket
		all := m.all()
		for i := len(all) - 1; i >= 0 && len(out) < maxFound; i-- {
			if bears(all[i].marker, marker) {
				out = append(out, c.model(all[i]))
			}
		}
		return out, nil
	})
}

func bears(has, asked ticket.Marker) bool {
	return (asked.Key == "" || asked.Key == has.Key) &&
		(asked.Request == 0 || asked.Request == has.Request) &&
		(asked.Operation == "" || asked.Operation == has.Operation)
}

// GetTicket reads a ticket by its id or key.
func (c *Client) GetTicket(ctx context.Context, id string) (ticket.Ticket, error) {
	a := reading(opGetTicket, "read ticket %s", id)
	return call(ctx, c, a, func(m *memory) (ticket.Ticket, error) {
		r, err := m.find(a, id)
		if err != nil {
			return ticket.Ticket{}, err
		}
		return c.model(r), nil
	})
}
