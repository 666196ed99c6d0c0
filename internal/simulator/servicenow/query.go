package servicenow

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// term is one condition of an encoded query.
type term struct {
	field, op, value string
	// or: an alternative to the term before it.
	or bool
}

// query is an encoded query: groups of terms, one of which must hold, and an order.
type query struct {
	groups [][]term
	orders []order
	// invalid terms were left out.
	invalid int
}

type order struct {
	field      string
	descending bool
}

// operators, longer ones before those that they begin with.
func operators() []string {
	return []string{
		"ISNOTEMPTY", "EMPTYSTRING", "STARTSWITH", "NOT LIKE", "ENDSWITH", "ANYTHING", "ISEMPTY", "NOT IN", "BETWEEN",
		"LIKE", "!=", "<=", ">=", "IN", "=", "<", ">",
	}
}

// split cuts an encoded query at its separators; ^^ is a ^ of a value.
func split(text string) []string {
	const caret = "\x00"
	parts := strings.Split(strings.ReplaceAll(text, "^^", caret), "^")
	for i := range parts {
		parts[i] = strings.ReplaceAll(parts[i], caret, "^")
	}
	return parts
}

// parse reads an encoded query against a table. Terms of fields that the table
// lacks are left out, as the platform does by default.
func (s *Simulator) parse(table, text string) query {
	q := query{groups: [][]term{nil}}
	for _, part := range split(text) {
		if part == "" || part == "EQ" {
			continue
		}
		if field, ok := strings.CutPrefix(part, "ORDERBYDESC"); ok {
			q.orders = append(q.orders, order{field, true})
			continue
		}
		if field, ok := strings.CutPrefix(part, "ORDERBY"); ok {
			q.orders = append(q.orders, order{field, false})
			continue
		}
		rest, fresh := strings.CutPrefix(part, "NQ")
		if fresh {
			q.groups = append(q.groups, nil)
		}
		rest, or := strings.CutPrefix(rest, "OR")
		t, ok := parseTerm(rest)
		if !ok || s.lead(table, t.field) == nil {
			q.invalid++
			continue
		}
		t.or = or
		if t.value == "javascript:gs.getUserID()" {
			t.value = UserBridge
		}
		t.value = s.literal(table, t)
		last := len(q.groups) - 1
		q.groups[last] = append(q.groups[last], t)
	}
	return q
}

func parseTerm(text string) (term, bool) {
	end := strings.IndexFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' && r != '.'
	})
	if end <= 0 {
		return term{}, false
	}
	for _, op := range operators() {
		if value, ok := strings.CutPrefix(text[end:], op); ok {
			return term{field: text[:end], op: op, value: value}, true
		}
	}
	return term{}, false
}

// lead follows a dotted path through references to its last column.
func (s *Simulator) lead(table, path string) *Column {
	name, rest, deeper := strings.Cut(path, ".")
	c := s.column(table, name)
	if c == nil || !deeper {
		return c
	}
	if c.Type != typeReference {
		return nil
	}
	return s.lead(c.Reference, rest)
}

// value is what a record holds at a path.
func (s *Simulator) value(r *Record, path string) string {
	name, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		return r.Fields[name]
	}
	next := s.state.Records[r.Fields[name]]
	if next == nil {
		return ""
	}
	return s.value(next, rest)
}

func (s *Simulator) matches(r *Record, table string, q query) bool {
	return slices.ContainsFunc(q.groups, func(group []term) bool { return s.matchesAll(r, table, group) })
}

// matchesAll: each term holds, or one of the alternatives after it.
func (s *Simulator) matchesAll(r *Record, table string, group []term) bool {
	for i := 0; i < len(group); {
		holds := s.holds(r, table, group[i])
		for i++; i < len(group) && group[i].or; i++ {
			holds = holds || s.holds(r, table, group[i])
		}
		if !holds {
			return false
		}
	}
	return true
}

func (s *Simulator) holds(r *Record, table string, t term) bool {
	have := s.value(r, t.field)
	shown := have
	if c := s.lead(table, t.field); c.Type == typeReference {
		shown = s.displayOf(c.Reference, have)
	}
	have, shown, t = s.options.Reading.fold(have, shown, t)
	if s.options.Reading.EmptyIsNull && have == "" && t.value != "" && t.op != "ISEMPTY" && t.op != "EMPTYSTRING" {
		return false
	}
	switch t.op {
	case "=":
		return have == t.value
	case "!=":
		return have != t.value
	case "STARTSWITH":
		return strings.HasPrefix(shown, t.value)
	case "ENDSWITH":
		return strings.HasSuffix(shown, t.value)
	case "LIKE":
		return strings.Contains(shown, t.value)
	case "NOT LIKE":
		return !strings.Contains(shown, t.value)
	case "IN":
		return slices.Contains(strings.Split(t.value, ","), have)
	case "NOT IN":
		return !slices.Contains(strings.Split(t.value, ","), have)
	case "ISEMPTY", "EMPTYSTRING":
		return have == ""
	case "ISNOTEMPTY":
		return have != ""
	case "BETWEEN":
		low, high, _ := strings.Cut(t.value, "@")
		return compare(have, low) >= 0 && compare(have, high) <= 0
	case "<":
		return compare(have, t.value) < 0
	case "<=":
		return compare(have, t.value) <= 0
	case ">":
		return compare(have, t.value) > 0
	case ">=":
		return compare(have, t.value) >= 0
	default:
		return true // ANYTHING
	}
}

// compare orders numbers as numbers and all else, times among it, as text.
func compare(a, b string) int {
	if sysID(a) || sysID(b) { // digits alone are an id too
		return cmp.Compare(a, b)
	}
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	if errX == nil && errY == nil {
		return cmp.Compare(x, y)
	}
	return cmp.Compare(a, b)
}

// find are the records that a query selects, in its order.
func (s *Simulator) find(table string, q query) []*Record {
	var out []*Record
	for _, r := range s.rows(table) {
		if s.matches(r, table, q) {
			out = append(out, r)
		}
	}
	slices.SortStableFunc(out, func(a, b *Record) int {
		for _, o := range q.orders {
			c := s.order(table, o, a, b)
			if c != 0 {
				return c
			}
		}
		return 0
	})
	return out
}
