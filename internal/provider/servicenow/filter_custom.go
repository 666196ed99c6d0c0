package servicenow

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// customPrefix may stand before the name of a custom field in a filter or order.
const customPrefix = "custom_fields."

func (c *Client) isMapped(name string) bool {
	return slices.ContainsFunc(c.config.CustomFieldMappings, func(m CustomFieldMapping) bool { return m.Name == name })
}

// customCondition is a filter on a custom field. Which column that is depends on
// each record's own table.
func (s *scope) customCondition(ctx context.Context, f ticket.Filter) (condition, error) {
	client, name := s.t.c, strings.TrimPrefix(f.Field, customPrefix)
	known, err := s.t.dictionary(ctx, s.table)
	if err != nil {
		return condition{}, err
	}
	path, ok := client.mapping(name, s.table)
	if _, column := known[name]; !ok && column {
		path, ok = name, true
	}
	if !ok && !client.isMapped(name) {
		return condition{}, s.t.permanent("filter on %s: there is no such field: it is none of %s, no name of custom_field_mappings of integration %s, and no column of table %s",
			f.Field, fieldNames(), client.config.Name, s.table)
	}
	c := condition{fits: func(r record, _ ticket.Ticket) bool {
		column, ok := client.mapping(name, r.text("sys_class_name"))
		if !ok && !client.isMapped(name) {
			column = path
		}
		about, _ := client.knownAt(s.table, column)
		return values().judge(f.Op, about.words(r[column]), f.Values)
	}}
	if !ok {
		return c, nil
	}
	if first, _, _ := strings.Cut(path, "."); len(known) > 0 && known[first].kind == "" && known[first].label == "" {
		return c, s.t.permanent("filter on %s: table %s has no column %s: name the table that has it by a filter on project", f.Field, s.table, first)
	}
	c.columns = []string{path}
	same, err := s.sameColumn(ctx, name, path)
	if err != nil || !same {
		return c, err
	}
	if !strings.Contains(path, ".") {
		c.column = path
	}
	about, err := s.t.about(ctx, s.table, path)
	if err == nil && about.isTime() {
		err = s.areTimes(f)
	}
	if err == nil && about.choice && c.column != "" && names(f.Op) {
		options, err := s.t.choicesOf(ctx, s.table, path)
		picked := chosen(f, path, options)
		picked.columns = c.columns
		return picked, err
	}
	if err == nil {
		c.ask, err = s.customClauses(ctx, f, path, about)
	}
	return c, err
}

// sameColumn: the name means the same column in all tables that extend the
// searched one.
func (s *scope) sameColumn(ctx context.Context, name, path string) (bool, error) {
	client := s.t.c
	for _, m := range client.config.CustomFieldMappings {
		if m.Name != name || m.ProjectID == "*" || m.ProjectID == s.table || client.config.path(m) == path {
			continue
		}
		chain, err := s.t.chain(ctx, m.ProjectID)
		if err != nil || slices.Contains(chain, s.table) {
			return false, err
		}
	}
	if general, _ := client.mapping(name, "*"); general != path && client.isMapped(name) {
		// Tables below have the general mapping, or none.
		all, err := s.t.tables(ctx)
		if err != nil || len(all.below([]string{s.table})) > 1 {
			return false, err
		}
	}
	return true, nil
}

// words are what a custom field's value can be named by.
func (c column) words(v value) []string {
	if c.kind == "glide_list" {
		if list, ok := namesOf(v).([]any); ok && v.Value != "" {
			out := strings.Split(v.Value, ",")
			for _, name := range list {
				out = append(out, name.(string)) // namesOf makes nothing else
			}
			return some(out...)
		}
	}
	if c.isTime() { // parts of texts are looked for in either
		return some(isoTime(v.Value), v.Value)
	}
	if v.Display == v.Value || c.kind == "glide_date" || c.isNumber() && !c.choice {
		return some(v.Value)
	}
	return some(v.Display, v.Value)
}

// customClauses ask for a custom field by the type of its column.
func (s *scope) customClauses(ctx context.Context, f ticket.Filter, path string, about column) ([]clause, error) {
	empty := names(f.Op) && len(f.Values) == 1 && f.Values[0] == ""
	switch {
	case empty:
		return emptyClauses(f.Op, []string{path}), nil
	case about.isTime():
		reads, err := s.t.reads(ctx)
		return timeClauses(f, []string{path}, reads), err
	case about.isNumber() && !about.choice:
		return about.numberClauses(f, path), nil
	case about.kind == "reference" && f.Op == ticket.Like:
		return nil, nil // the sys_id is compared, too
	case about.kind == "reference":
		clauses := textClauses(f, nil, []string{path})
		for i := range clauses {
			clauses[i] = append(clauses[i], among(path, f.Values, false)...)
		}
		return clauses, nil
	case about.kind == "string" && !about.choice && !hasNumber(f.Values):
		return textClauses(f, []string{path}, nil), nil
	default:
		return nil, nil
	}
}

// hasNumber: a value that may equal texts that are written otherwise.
func hasNumber(given []string) bool {
	return slices.ContainsFunc(given, func(v string) bool {
		_, time := parsePeriod(v)
		_, is := number(v)
		return time || is
	})
}

// numberClauses ask for numbers; whole ones are compared with whole ones.
func (c column) numberClauses(f ticket.Filter, path string) []clause {
	want, ok := number(f.Values[0])
	if len(f.Values) != 1 || !ok || math.Abs(want) > exact {
		return nil
	}
	from, to := f.Values[0], f.Values[0]
	if c.isWhole() {
		from, to = strconv.FormatFloat(math.Floor(want), 'f', -1, 64), strconv.FormatFloat(math.Ceil(want), 'f', -1, 64)
	} else if !decimalPattern.MatchString(from) {
		return nil
	}
	low, high := clause{{path, ">=", from, true}}, clause{{path, "<=", to, true}}
	switch f.Op {
	case ticket.Equal, ticket.In:
		return []clause{low, high}
	case ticket.Greater, ticket.GreaterOrEqual:
		return []clause{low}
	case ticket.Less, ticket.LessOrEqual:
		return []clause{high}
	default:
		return nil
	}
}
