package jira

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// FilterField is a field that tickets can be filtered by.
type FilterField struct {
	Name string
	// Type is string, datetime, enum or number.
	Type      string
	Operators []ticket.Operator
}

// FilterFields are those of QueryTickets; besides them custom fields can be named,
// by their mapping or as customfield_N, with every operator.
func FilterFields() []FilterField {
	var out []FilterField
	for _, f := range queryFields() {
		out = append(out, FilterField{f.name, f.kind, f.operators})
	}
	return out
}

// OrderFields are those that QueryTickets can order by; besides them custom
// fields, as in FilterFields.
func OrderFields() []string {
	var out []string
	for _, f := range queryFields() {
		if f.order != "" {
			out = append(out, f.name)
		}
	}
	return out
}

// queryField is a field of the model as QueryTickets knows it.
type queryField struct {
	name      string
	kind      string
	operators []ticket.Operator
	// order is JQL's name to order by, empty where Jira cannot.
	order string
	// condition understands a filter on it.
	condition func(ctx context.Context, s *scope, f ticket.Filter) (condition, error)
}

func equalOperators() []ticket.Operator {
	return []ticket.Operator{ticket.Equal, ticket.NotEqual, ticket.In, ticket.NotIn}
}

func textOperators() []ticket.Operator {
	return append(equalOperators(), ticket.Like, ticket.NotLike)
}

func timeOperators() []ticket.Operator {
	return []ticket.Operator{ticket.Equal, ticket.NotEqual, ticket.Greater, ticket.GreaterOrEqual, ticket.Less, ticket.LessOrEqual}
}

func queryFields() []queryField {
	text, times, all := textOperators(), timeOperators(), ticket.Operators()
	summary := textField("summary", func(m ticket.Ticket) string { return m.Summary })
	return []queryField{
		{"id", "string", all, "", referenceField(func(i issue) string { return i.ID }, "id")},
		{"key", "string", all, "key", referenceField(func(i issue) string { return i.Key }, "id")},
		{"project", "string", text, "project", projectField},
		{"status", "string", text, "status", namedField("status")},
		{"priority", "enum", all, "priority", priorityField},
		{"creator", "string", text, "creator", personField("creator")},
		{"assignee", "string", text, "assignee", personField("assignee")},
		{"contact", "string", text, "reporter", personField("reporter")},
		{"name", "string", text, "summary", summary},
		{"summary", "string", text, "summary", summary},
		{"description", "string", text, "", textField("", func(m ticket.Ticket) string { return m.Description })},
		{"tags", "string", text, "", tagField},
		{"issue_type", "string", text, "issuetype", namedField("issuetype")},
		{"parent", "string", text, "", referenceField(func(i issue) string { return i.value("parent").Key }, "parent")},
		{"created_at", "datetime", times, "created", timeField("created")},
		{"updated_at", "datetime", times, "updated", timeField("updated")},
		{"due_date", "datetime", times, "duedate", timeField("duedate")},
		{"completion_date", "datetime", times, "resolutiondate", timeField("resolutiondate")},
	}
}

// scope is what the filters of one query share.
type scope struct {
	t  *turn
	at *position
	// project is the one that is searched, where it is one.
	project project
}

// maxValues bounds a list of values.
const maxValues = 100

// selection understands a query.
func (t *turn) selection(ctx context.Context, q ticket.Query, at *position) (selection, error) {
	s := &scope{t: t, at: at}
	out := selection{}
	filters := slices.Clone(q.Filters)
	if t.c.config.DefaultProject != "" && !slices.ContainsFunc(filters, saysWhere) {
		filters = append(filters, ticket.Filter{Field: "project", Op: ticket.Equal, Values: []string{t.c.config.DefaultProject}})
	}
	// The project first: custom fields are mapped by it.
	slices.SortStableFunc(filters, func(a, b ticket.Filter) int {
		return cmp.Compare(rank(a.Field == "project"), rank(b.Field == "project"))
	})
	for _, f := range filters {
		c, err := s.condition(ctx, f)
		if slices.ContainsFunc(q.Filters, func(given ticket.Filter) bool { return given.Field == f.Field }) {
			err = ticket.RefusedFor("filter", f.Text(), err) // it is the caller's
		}
		if err != nil {
			return out, err
		}
		out.conditions = append(out.conditions, c)
	}
	order, err := s.orderBy(ctx, q.Orders)
	out.word(order)
	return out, err
}

func rank(first bool) int {
	if first {
		return 0
	}
	return 1
}

// saysWhere: the filter says itself where to look.
func saysWhere(f ticket.Filter) bool {
	named := f.Op == ticket.Equal || f.Op == ticket.In
	return f.Field == "project" || named && (f.Field == "id" || f.Field == "key")
}

func (s *scope) condition(ctx context.Context, f ticket.Filter) (condition, error) {
	list := f.Op == ticket.In || f.Op == ticket.NotIn
	switch {
	case len(f.Values) == 0 || len(f.Values) > 1 && !list:
		return condition{}, s.t.permanent("filter on %s: %d values: want one, or up to %d with in and not_in", f.Field, len(f.Values), maxValues)
	case len(f.Values) > maxValues:
		return condition{}, s.t.permanent("filter on %s: %d values: the most is %d", f.Field, len(f.Values), maxValues)
	}
	fields := queryFields()
	i := slices.IndexFunc(fields, func(field queryField) bool { return field.name == f.Field })
	if i < 0 {
		return s.customCondition(ctx, f)
	}
	if !slices.Contains(fields[i].operators, f.Op) {
		return condition{}, s.t.permanent("filter on %s: the operator %s is not available: it takes %s", f.Field, f.Op, joined(fields[i].operators))
	}
	return fields[i].condition(ctx, s, f)
}

func joined(operators []ticket.Operator) string {
	var names []string
	for _, op := range operators {
		names = append(names, string(op))
	}
	return strings.Join(names, ", ")
}

// maxOrders is Jira's.
const maxOrders = 7

// orderBy words the order; the key decides among equals, so that it is the same
// each time.
func (s *scope) orderBy(ctx context.Context, orders []ticket.Order) (string, error) {
	if len(orders) == 0 {
		return " ORDER BY created DESC, key DESC", nil
	}
	if len(orders) > maxOrders {
		return "", ticket.RefusedFor("order", "", s.t.permanent("order: %d fields: Jira takes at most %d", len(orders), maxOrders))
	}
	var parts []string
	keyed := false
	for _, o := range orders {
		field, err := s.orderField(ctx, o.Field)
		if err != nil {
			return "", ticket.RefusedFor("order", o.Text(), err)
		}
		keyed = keyed || field == "key"
		if o.Descending {
			field += " DESC"
		} else {
			field += " ASC"
		}
		parts = append(parts, field)
	}
	if !keyed && len(parts) < maxOrders {
		parts = append(parts, "key ASC")
	}
	return " ORDER BY " + strings.Join(parts, ", "), nil
}

func (s *scope) orderField(ctx context.Context, name string) (string, error) {
	for _, f := range queryFields() {
		if f.name == name && f.order != "" {
			return f.order, nil
		}
	}
	path, known := s.path(name)
	if known && len(path.within) == 0 && customID(path.field) != "" {
		schemas, err := s.t.schemas(ctx)
		if err != nil {
			return "", err
		}
		if schema := schemas[path.field]; schema.Type != "" && schema.Type != "array" && !schema.richText() {
			return "cf[" + customID(path.field) + "]", nil
		}
	}
	return "", s.t.permanent("order by %s: Jira cannot: it orders by %s, and by custom fields of one value", name, strings.Join(OrderFields(), ", "))
}
