package servicenow

import (
	"slices"
	"strings"
	"time"
)

// Reading is what instances, and their databases, do differently when they
// compare and order. The zero value tells upper from lower case, takes literal
// times for UTC, and takes an empty value for a text.
type Reading struct {
	// IgnoreCase: upper and lower case are the same.
	IgnoreCase bool
	// Zone is in which literal times of queries are; nil is UTC.
	Zone *time.Location
	// EmptyIsNull: an empty value meets no comparison, those with "not" included.
	EmptyIsNull bool
	// EmptyLast orders empty values behind all others, before them where the order
	// descends; else it is the other way round.
	EmptyLast bool
	// NoCount leaves out X-Total-Count.
	NoCount bool
}

func (o Reading) fold(have, shown string, t term) (string, string, term) {
	if o.IgnoreCase {
		have, shown, t.value = strings.ToLower(have), strings.ToLower(shown), strings.ToLower(t.value)
	}
	return have, shown, t
}

// literal is a value of a query as it is stored.
func (s *Simulator) literal(table string, t term) string {
	zone := s.options.Reading.Zone
	if c := s.lead(table, t.field); zone == nil || c == nil || c.Type != typeTime {
		return t.value
	}
	at, err := time.ParseInLocation(timeLayout, t.value, zone)
	if err != nil {
		return t.value
	}
	return stamp(at)
}

// order compares two records by one key: references by what stands for them.
func (s *Simulator) order(table string, o order, a, b *Record) int {
	x, y := s.sortValue(table, o.field, a), s.sortValue(table, o.field, b)
	c := compare(x, y)
	if (x == "") != (y == "") {
		c = 1
		if (x == "") != s.options.Reading.EmptyLast {
			c = -1
		}
	}
	if o.descending {
		c = -c
	}
	return c
}

func (s *Simulator) sortValue(table, field string, r *Record) string {
	value := s.value(r, field)
	if c := s.lead(table, field); c != nil && c.Type == typeReference {
		value = s.displayOf(c.Reference, value)
	}
	if s.options.Reading.IgnoreCase {
		value = strings.ToLower(value)
	}
	return value
}

// namesOf are the names of a list of references.
func (s *Simulator) namesOf(table, ids string) string {
	if ids == "" {
		return ""
	}
	names := strings.Split(ids, ",")
	for i, id := range names {
		names[i] = s.displayOf(table, id)
	}
	return strings.Join(names, ", ")
}

// Term is a condition of an encoded query.
type Term struct {
	Field, Operator, Value string
	// Or: an alternative to the term before it.
	Or bool
}

// ParseQuery reads an encoded query as the instance does, without regard to any
// table: the groups of which one must hold, and the columns by which it orders,
// with a "-" before those that descend. ok is false where something is no term.
func ParseQuery(encoded string) (groups [][]Term, orders []string, ok bool) {
	groups, ok = [][]Term{nil}, true
	for _, part := range split(encoded) {
		if part == "" || part == "EQ" {
			continue
		}
		if field, found := strings.CutPrefix(part, "ORDERBYDESC"); found {
			orders = append(orders, "-"+field)
			continue
		}
		if field, found := strings.CutPrefix(part, "ORDERBY"); found {
			orders = append(orders, field)
			continue
		}
		rest, fresh := strings.CutPrefix(part, "NQ")
		if fresh {
			groups = append(groups, nil)
		}
		rest, or := strings.CutPrefix(rest, "OR")
		t, is := parseTerm(rest)
		if !is {
			ok = false
			continue
		}
		last := len(groups) - 1
		groups[last] = append(groups[last], Term{t.field, t.op, t.value, or})
	}
	return groups, orders, ok
}

// Columns are the names of a table's columns, inherited ones included.
func (s *Simulator) Columns(table string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, c := range s.columns(table) {
		out = append(out, c.Name)
	}
	slices.Sort(out)
	return out
}

// AddTable makes a table that extends another one, with columns of its own.
func (s *Simulator) AddTable(t Table) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addTable(&t)
}

// Put sets fields of a record as nobody does: no rule looks at them.
func (s *Simulator) Put(id string, fields map[string]string) error {
	return s.on(id, func(r *Record, _ time.Time) error {
		for name, value := range fields {
			r.Fields[name] = value
		}
		return nil
	})
}
