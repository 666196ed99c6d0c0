package servicenow

import (
	"net/url"
	"slices"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// term is one comparison of an encoded query.
type term struct {
	column, op, value string
	// exact: the value is in the case in which it is stored.
	exact bool
}

// clause is alternatives, one of which must hold. An instance leaves out terms
// that it finds invalid. So that it answers all the same whatever may fit, the
// alternatives are of one column, or none of them can hold where its column has
// no value.
type clause []term

// either adds a clause.
func (q query) either(c clause) query {
	q.parts = slices.Clip(q.parts)
	for i, t := range c {
		if q = q.where(t.column, t.op, t.value); q.err != nil {
			return q
		}
		if last := len(q.parts) - 1; i > 0 {
			q.parts[last] = "OR" + q.parts[last]
		}
	}
	return q
}

const (
	// maxAsked bounds what a query says of filters, as it goes into the address;
	// platforms and proxies take some 8,000 characters of one.
	maxAsked = 4500
	// maxTermText is the longest text that is looked for.
	maxTermText = 200
)

// asking is what the instance is asked of filters.
type asking struct {
	query
	length int
	// whole: every condition is in it.
	whole bool
}

// add adds a condition's clauses as far as they can be said.
func (a *asking) add(clauses []clause, reads reading) {
	if len(clauses) == 0 {
		a.whole = false
	}
	for _, c := range clauses {
		said := a.either(c)
		length := a.length + len(url.QueryEscape(query{}.either(c).text()))
		if said.err != nil || !c.isSafe(reads) || length > maxAsked {
			a.whole = false
			continue
		}
		a.query, a.length = said, length
	}
}

// isSafe: the instance reads the clause as it is meant. Whether upper and lower
// case are the same depends on its database.
func (c clause) isSafe(reads reading) bool {
	return !slices.ContainsFunc(c, func(t term) bool {
		switch {
		case t.value == "":
			return t.op != "ISEMPTY" && t.op != "ISNOTEMPTY"
		case t.op != "IN" && len(t.value) > maxTermText || strings.TrimSpace(t.value) != t.value:
			return true
		case strings.ContainsAny(t.value[:1], "=<>!*%@^") || strings.HasSuffix(t.value, "^") || strings.Contains(t.value, `\`):
			return true // it could be read with what is beside it
		case t.op == "IN" && strings.HasPrefix(t.value, "STANCE"):
			return true
		case !reads.anyCase && !t.exact && strings.ContainsFunc(t.value, isLetter):
			return true
		}
		return strings.ContainsFunc(t.value, func(r rune) bool { return r < ' ' || r > '~' })
	})
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r > '~' }

// among is a column to be one of values; an empty one stands for none.
func among(column string, values []string, exact bool) clause {
	var out clause
	given := some(slices.Clone(values)...)
	listed := !slices.ContainsFunc(given, func(v string) bool { return strings.Contains(v, ",") || strings.TrimSpace(v) != v })
	if len(given) > 1 && listed {
		out = append(out, term{column, "IN", strings.Join(given, ","), exact})
	} else {
		for _, v := range given {
			out = append(out, term{column, "=", v, exact})
		}
	}
	if len(given) < len(values) {
		out = append(out, term{column, "ISEMPTY", "", true})
	}
	return out
}

// except is a column to be none of values, which are numbers; one without a value
// is none of them unless the empty one is. Of texts it is not asked: what else a
// database takes for the same text would be left out.
func except(column string, values []string) []clause {
	given := some(slices.Clone(values)...)
	if len(given) < len(values) {
		return []clause{{{column, "ISNOTEMPTY", "", true}}}
	}
	if len(given) == 0 || slices.ContainsFunc(given, func(v string) bool { return strings.ContainsFunc(v, notDigit) }) {
		return nil
	}
	op := "NOT IN"
	if len(given) == 1 {
		op = "!="
	}
	return []clause{{{column, op, strings.Join(given, ","), true}, {column, "ISEMPTY", "", true}}}
}

func notDigit(r rune) bool { return r < '0' || r > '9' }

// maxParts bounds the parts of a pattern that are asked for.
const maxParts = 4

// textClauses ask for texts of columns: one of them must equal a value, or have
// all parts of a pattern. like are the columns that have their text by LIKE only:
// references, whose text is the name of what they lead to.
func textClauses(f ticket.Filter, columns, references []string) []clause {
	switch {
	case f.Op == ticket.Like:
		return partClauses(f.Values[0], append(slices.Clone(columns), references...))
	case f.Op == ticket.NotEqual || f.Op == ticket.NotIn:
		if len(columns) == 1 && slices.Contains(f.Values, "") {
			return []clause{{{columns[0], "ISNOTEMPTY", "", true}}}
		}
		return nil
	case !names(f.Op) || slices.Contains(f.Values, "") && len(columns)+len(references) > 1:
		return nil
	}
	var either clause
	for _, column := range columns {
		either = append(either, among(column, f.Values, false)...)
	}
	for _, column := range references {
		for _, v := range f.Values {
			either = append(either, term{column, "LIKE", v, false})
		}
	}
	return []clause{either}
}

func partClauses(pattern string, columns []string) []clause {
	var out []clause
	for part := range strings.SplitSeq(pattern, "*") {
		part = strings.TrimSpace(part)
		if part == "" || len(out) == maxParts {
			continue
		}
		var either clause
		for _, column := range columns {
			either = append(either, term{column, "LIKE", part, false})
		}
		out = append(out, either)
	}
	return out
}
