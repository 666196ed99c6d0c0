package servicenow

import (
	"context"
	"slices"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// FilterField is a field that tickets can be filtered by.
type FilterField struct {
	Name string
	// Type is string, datetime or enum.
	Type      string
	Operators []ticket.Operator
}

// FilterFields are those of QueryTickets, of both applications; besides them custom
// fields can be named, by their mapping or by their column, with every operator.
func FilterFields() []FilterField {
	var out []FilterField
	for _, f := range queryFields() {
		out = append(out, FilterField{f.name, f.kind, ticket.Operators()})
	}
	return out
}

// OrderFields are those that QueryTickets can order by; besides them custom
// fields, as in FilterFields.
func OrderFields() []string {
	var out []string
	for _, f := range queryFields() {
		if f.order != nil {
			out = append(out, f.name)
		}
	}
	return out
}

// queryField is a field of the model as QueryTickets knows it.
type queryField struct {
	name, kind string
	// condition understands a filter on it.
	condition func(ctx context.Context, s *scope, f ticket.Filter) (condition, error)
	// order is what to order by, nil where the instance cannot.
	order func(a Application) sortKey
}

func queryFields() []queryField {
	by := func(column string) func(Application) sortKey {
		return func(Application) sortKey { return sortKey{column: column} }
	}
	// Columns that compare as we do, so that a list can go on behind a value.
	keyed := func(column string) func(Application) sortKey {
		return func(Application) sortKey { return sortKey{column: column, keyed: true} }
	}
	optional := func(column string) func(Application) sortKey {
		return func(Application) sortKey { return sortKey{column: column, keyed: true, optional: true} }
	}
	title := textField("short_description", func(m ticket.Ticket) string { return m.Name })
	return []queryField{
		{"id", "string", idField("sys_id"), keyed("sys_id")},
		{"key", "string", idField("number"), by("number")},
		{"project", "string", projectField, by("sys_class_name")},
		{"status", "string", choiceField("state"), optional("state")},
		{"priority", "enum", priorityField, func(Application) sortKey {
			return sortKey{column: "priority", keyed: true, optional: true, reverse: true} // 1 is the most urgent
		}},
		{"creator", "string", personField(func(Application) string { return "opened_by" }), by("opened_by")},
		{"assignee", "string", personField(func(Application) string { return "assigned_to" }), by("assigned_to")},
		{"contact", "string", personField(func(a Application) string { return a.contact }), func(a Application) sortKey { return sortKey{column: a.contact} }},
		{"name", "string", title, by("short_description")},
		{"summary", "string", title, by("short_description")},
		{"description", "string", descriptionField, nil},
		{"tags", "string", tagField, nil},
		{"issue_type", "string", choiceField("category"), by("category")},
		{"parent", "string", parentField, func(a Application) sortKey { return sortKey{column: a.parent} }},
		{"created_at", "datetime", timeField(columnsOf("sys_created_on"), ticketCreated), keyed("sys_created_on")},
		{"updated_at", "datetime", timeField(columnsOf("sys_updated_on"), ticketUpdated), keyed("sys_updated_on")},
		{"due_date", "datetime", timeField(columnsOf("due_date"), ticketDue), optional("due_date")},
		{"completion_date", "datetime", timeField(func(a Application) []string { return a.completed }, ticketCompleted), nil},
	}
}

// condition is a filter that was understood.
type condition struct {
	// ask selects at least what fits; empty where the instance cannot be asked.
	ask []clause
	// column must be seen by the account; columns are read besides those of a ticket.
	column  string
	columns []string
	fits    func(r record, m ticket.Ticket) bool
}

// scope is what the filters of one query share.
type scope struct {
	t *turn
	// table is the one that is searched.
	table string
}

// maxValues bounds a list of values.
const maxValues = 100

func (s *scope) condition(ctx context.Context, f ticket.Filter) (condition, error) {
	list := f.Op == ticket.In || f.Op == ticket.NotIn
	switch {
	case !slices.Contains(ticket.Operators(), f.Op):
		return condition{}, s.t.permanent("filter on %s: there is no operator %q: want one of %v", f.Field, f.Op, ticket.Operators())
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
	return fields[i].condition(ctx, s, f)
}

func fieldNames() string {
	var out []string
	for _, f := range queryFields() {
		out = append(out, f.name)
	}
	return strings.Join(out, ", ")
}
