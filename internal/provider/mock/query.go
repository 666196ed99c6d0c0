package mock

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// QueryTickets lists tickets, in the order in which they were made unless another
// one is asked for. A list is decided by its first page, so that what changes
// meanwhile makes no ticket appear twice, and none be left out; later pages show
// tickets as they are then, without those that are gone or that the filters no
// longer select.
//
// Every field of the model can be filtered and ordered by, custom fields as
// custom_fields.NAME or, where the integration maps them, as NAME.
func (c *Client) QueryTickets(ctx context.Context, q ticket.Query) (ticket.Page[ticket.Ticket], error) {
	a := reading(opQueryTickets, "list tickets")
	selects, err := conditions(a, q.Filters, c.ticketField)
	if err != nil {
		return ticket.Page[ticket.Ticket]{}, err
	}
	compare, err := ordering(a, q.Orders, c.ticketField)
	if err != nil {
		return ticket.Page[ticket.Ticket]{}, err
	}
	return call(ctx, c, a, func(m *memory) (ticket.Page[ticket.Ticket], error) {
		l, from, err := m.listing(a, q, func() []string {
			return idsOf(m.all(), selects, compare)
		}, c.now())
		if err != nil {
			return ticket.Page[ticket.Ticket]{}, ticket.RefusedFor("cursor", q.Cursor, err)
		}
		return page(c, m, l, from, limitOf(q.Limit), selects), nil
	})
}

func idsOf(all []*record, selects condition[*record], compare func(a, b *record) int) []string {
	all = slices.DeleteFunc(all, func(r *record) bool { return !selects(r) })
	slices.SortStableFunc(all, compare)
	ids := make([]string, len(all))
	for i, r := range all {
		ids[i] = r.id
	}
	return ids
}

// page answers the next tickets of a list, and remembers the list if it goes on.
func page(c *Client, m *memory, l *listing, from, limit int, selects condition[*record]) ticket.Page[ticket.Ticket] {
	out := ticket.Page[ticket.Ticket]{Items: []ticket.Ticket{}}
	for i := from; i < len(l.ids); i++ {
		r, there := m.tickets[l.ids[i]]
		if !there || !selects(r) {
			continue
		}
		if len(out.Items) == limit {
			out.Cursor = m.cursor(l, i)
			break
		}
		out.Items = append(out.Items, c.model(r))
	}
	return out
}

func limitOf(limit int) int {
	if limit <= 0 {
		limit = DefaultPage
	}
	return min(limit, MaxPage)
}

// ordering compares by several fields; an absent value comes first.
func ordering[T any](a act, orders []ticket.Order, named func(string) (field[T], error)) (func(x, y T) int, error) {
	var keys []func(x, y T) int
	for _, o := range orders {
		by, err := named(o.Field)
		if err != nil {
			return nil, ticket.RefusedFor("order", o.Text(), a.permanent("order %s: %v", o.Field, err))
		}
		sign := 1
		if o.Descending {
			sign = -1
		}
		keys = append(keys, func(x, y T) int {
			return sign * slices.CompareFunc(by.values(x), by.values(y), by.kind.position)
		})
	}
	return func(x, y T) int {
		for _, key := range keys {
			if order := key(x, y); order != 0 {
				return order
			}
		}
		return 0
	}, nil
}

// customPrefixes stand before a custom field's name.
func customPrefixes() []string { return []string{"custom_fields.", "custom_fields/"} }

// ticketField finds a field of the model, or a custom field.
func (c *Client) ticketField(name string) (field[*record], error) {
	known := ticketFields()
	if f, ok := known[name]; ok {
		return f, nil
	}
	for _, prefix := range customPrefixes() {
		if custom, ok := strings.CutPrefix(name, prefix); ok && custom != "" {
			return c.customField(custom), nil
		}
	}
	if slices.ContainsFunc(c.config.CustomFieldMappings, func(m CustomFieldMapping) bool { return m.Name == name }) {
		return c.customField(name), nil
	}
	return field[*record]{}, unknown(known, ", custom_fields.NAME and the names of custom_field_mappings")
}

// customField: which path a name stands for depends on the ticket's project.
func (c *Client) customField(name string) field[*record] {
	return field[*record]{anythings(), func(r *record) []string {
		path, ok := c.mapping(name, r.fields.project)
		value, there := r.fields.custom[path]
		if !ok || !there {
			return nil
		}
		return textsOf(value)
	}}
}

func ticketFields() map[string]field[*record] {
	text := func(of func(f *fields) string) field[*record] {
		return field[*record]{texts(), func(r *record) []string { return []string{of(&r.fields)} }}
	}
	at := func(of func(r *record) time.Time) field[*record] {
		return field[*record]{dates(), func(r *record) []string { return []string{timeText(of(r))} }}
	}
	return map[string]field[*record]{
		"id":              {texts(), func(r *record) []string { return []string{r.id} }},
		"key":             {texts(), func(r *record) []string { return []string{r.key} }},
		"name":            text(func(f *fields) string { return f.name }),
		"summary":         text(func(f *fields) string { return f.shownSummary() }),
		"description":     text(func(f *fields) string { return f.description }),
		"creator":         text(func(f *fields) string { return f.creator }),
		"assignee":        text(func(f *fields) string { return f.assignee }),
		"contact":         text(func(f *fields) string { return f.contact }),
		"status":          text(func(f *fields) string { return f.status }),
		"project":         text(func(f *fields) string { return f.project }),
		"issue_type":      text(func(f *fields) string { return f.issueType }),
		"parent":          text(func(f *fields) string { return f.parent }),
		"priority":        {urgencies(), func(r *record) []string { return []string{string(r.fields.priority)} }},
		"tags":            {texts(), func(r *record) []string { return r.fields.tags }},
		"created_at":      at(func(r *record) time.Time { return r.createdAt }),
		"updated_at":      at(func(r *record) time.Time { return r.updatedAt }),
		"due_date":        at(func(r *record) time.Time { return r.fields.dueDate }),
		"completion_date": at(func(r *record) time.Time { return r.fields.completionDate }),
	}
}

func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339Nano)
}

// shape tells one query from another, its page aside.
func shape(q ticket.Query) string { return fmt.Sprintf("%q %v", q.Filters, q.Orders) }
