package mock

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// fuzzed are tickets with few values, so that filters hit some of them.
func fuzzed(t testing.TB) *Client {
	c, clock := newWorld(t, Config{})
	words := []string{"", "a", "B", "ab", "a*b", "ÄB", "10", "9.5"}
	for n := range 40 { // within the life of the first one
		clock.advance(35 * time.Minute)
		n := ticket.New{
			Name: "x" + words[n%8], Description: words[n%7], Priority: append(ticket.Priorities(), "")[n%8], Status: []string{"", "Done", "ab"}[n%3],
			Assignee: words[n%5], Tags: []string{words[n%8], words[n%6]}, CustomFields: map[string]any{"c": []any{words[n%8], n % 12, nil, n%2 == 0}[n%4]},
		}
		if n.Assignee != "" {
			n.DueDate = clock.at.Add(24 * time.Hour)
		}
		c.must(t, n)
	}
	return c
}

// naive evaluates a filter on a ticket of the model, by another way.
func naive(t ticket.Ticket, f ticket.Filter) bool {
	some := slices.ContainsFunc[[]string]
	switch f.Op {
	case ticket.NotEqual, ticket.NotIn, ticket.NotLike:
		opposite := map[ticket.Operator]ticket.Operator{ticket.NotEqual: ticket.Equal, ticket.NotIn: ticket.In, ticket.NotLike: ticket.Like}
		f.Op = opposite[f.Op]
		return !naive(t, f)
	case ticket.In:
		return some(f.Values, func(v string) bool {
			return naive(t, ticket.Filter{Field: f.Field, Op: ticket.Equal, Values: []string{v}})
		})
	case ticket.GreaterOrEqual:
		return some(naiveValues(t, f.Field), func(v string) bool { return v != "" && naiveCompare(f.Field, v, f.Values[0]) >= 0 })
	case ticket.LessOrEqual:
		return some(naiveValues(t, f.Field), func(v string) bool { return v != "" && naiveCompare(f.Field, v, f.Values[0]) <= 0 })
	case ticket.Greater:
		return some(naiveValues(t, f.Field), func(v string) bool { return v != "" && naiveCompare(f.Field, v, f.Values[0]) > 0 })
	case ticket.Less:
		return some(naiveValues(t, f.Field), func(v string) bool { return v != "" && naiveCompare(f.Field, v, f.Values[0]) < 0 })
	case ticket.Like:
		parts := strings.Split(strings.ToLower(f.Values[0]), "*")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		pattern := regexp.MustCompile(`(?s)` + strings.Join(parts, ".*"))
		return some(naiveValues(t, f.Field), func(v string) bool { return pattern.MatchString(strings.ToLower(v)) })
	default:
		return some(naiveValues(t, f.Field), func(v string) bool { return naiveCompare(f.Field, v, f.Values[0]) == 0 })
	}
}

func naiveValues(t ticket.Ticket, field string) []string {
	when := func(at time.Time) []string {
		if at.IsZero() {
			return []string{""}
		}
		return []string{at.Format(time.RFC3339Nano)}
	}
	values := map[string][]string{
		"name": {t.Name}, "description": {t.Description}, "priority": {string(t.Priority)}, "status": {t.Status}, "assignee": {t.Assignee},
		"tags": t.Tags, "created_at": when(t.CreatedAt), "due_date": when(t.DueDate), "custom_fields.c": {""},
	}
	if custom := t.CustomFields["c"]; custom != nil {
		values["custom_fields.c"] = []string{fmt.Sprint(custom)}
	}
	if len(values[field]) == 0 {
		return []string{""}
	}
	return values[field]
}

func naiveCompare(field, value, given string) int {
	switch field {
	case "priority":
		ranks := []string{"", "PLANNING", "LOW", "MODERATE", "MEDIUM", "HIGH", "CRITICAL", "URGENT"}
		has, wanted := slices.Index(ranks, strings.ToUpper(value)), slices.Index(ranks, strings.ToUpper(given))
		if wanted < 0 {
			return len(ranks) // there is no such: no ticket has it
		}
		return has - wanted
	case "created_at", "due_date":
		if value == "" || given == "" {
			return len(value) - len(given)
		}
		if len(given) == len(time.DateOnly) {
			return strings.Compare(value[:len(time.DateOnly)], given)
		}
		v, _ := time.Parse(time.RFC3339, value)
		g, _ := time.Parse(time.RFC3339, given)
		return v.Compare(g)
	case "custom_fields.c":
		v, errV := strconv.ParseFloat(value, 64)
		g, errG := strconv.ParseFloat(given, 64)
		infinite := g-g != 0 && errG == nil
		switch {
		case errV == nil && errG == nil && !infinite && v == g:
			return 0
		case errV == nil && errG == nil && !infinite && v < g, errV == nil && (errG != nil || infinite) && given != "":
			return -1
		case errV == nil && errG == nil && !infinite, errV != nil && errG == nil && !infinite && value != "":
			return 1
		}
	}
	return strings.Compare(strings.ToLower(value), strings.ToLower(given))
}

// FuzzFilters: a filter that is understood selects what the naive evaluation does.
func FuzzFilters(f *testing.F) {
	for _, seed := range []string{
		"name[eq]xAB", "name[like]x*b", "name[gt]xa", "description[ne]", "priority[gte]low", "priority[not in]LOW,urgent", "priority[eq]000", "priority[ne]P", "status[lt]done", "assignee[lte]a",
		"tags[ne]ab", "tags[in]a,äb", "created_at[gt]2026-03-05", "created_at[lte]2026-03-06T12:00:00+02:00", "due_date[eq]2026-03-07", `due_date[ne]""`,
		"custom_fields.c[eq]10", "custom_fields.c[gt]9.50", "custom_fields.c[lt]a", "custom_fields.c[like]tr*e", "custom_fields.c[gte]Inf", "tags[not like]*a*",
	} {
		f.Add(seed)
	}
	c := fuzzed(f)
	all := c.list(f.Context(), f, ticket.Query{Limit: MaxPage})
	require.Len(f, all, 40)
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := ticket.ParseFilter(text)
		if err != nil {
			return
		}
		if known := naiveFields(); !slices.Contains(known, filter.Field) {
			filter.Field = known[len(text)%len(known)]
		}
		page, err := c.QueryTickets(t.Context(), ticket.Query{Filters: []ticket.Filter{filter}})
		if err != nil {
			require.Equal(t, ticket.Permanent, ticket.KindOf(err), "%v", err)
			return
		}
		want := []string{}
		for _, one := range all {
			if naive(one, filter) {
				want = append(want, one.ID)
			}
		}
		got := []string{}
		for _, one := range page.Items {
			got = append(got, one.ID)
		}
		require.Equal(t, want, got, "%+v", filter)
	})
}

func naiveFields() []string {
	return []string{"name", "description", "priority", "status", "assignee", "tags", "created_at", "due_date", "custom_fields.c"}
}

// FuzzCursors: a cursor that somebody made up is refused, or names a place.
func FuzzCursors(f *testing.F) {
	c := fuzzed(f)
	first, err := c.QueryTickets(f.Context(), ticket.Query{Limit: 3})
	require.NoError(f, err)
	for _, seed := range []string{"", first.Cursor, "1.3." + strings.Repeat("0", 16), "1", "..", "ZGVtbwBERU1P"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		tickets, failed := c.QueryTickets(t.Context(), ticket.Query{Limit: 3, Cursor: cursor})
		projects, wrong := c.ListProjects(t.Context(), cursor, 3)
		policies, strange := c.QueryEscalationPolicies(t.Context(), ticket.Query{Limit: 3, Cursor: cursor})
		for _, err := range []error{failed, wrong, strange} {
			if err != nil {
				require.Equal(t, ticket.Permanent, ticket.KindOf(err), "%v", err)
			}
		}
		require.LessOrEqual(t, len(tickets.Items), 3)
		require.LessOrEqual(t, len(projects.Items), 3)
		require.LessOrEqual(t, len(policies.Items), 3)
	})
}
