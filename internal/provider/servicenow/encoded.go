package servicenow

import (
	"fmt"
	"regexp"
	"strings"
)

// query is an encoded query that is made of checked parts only.
type query struct {
	parts []string
	err   error
}

var (
	namePattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,79}$`)
	pathPattern = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$`)
	idPattern   = regexp.MustCompile(`^[0-9a-f]{32}$`)
)

// isName: a table's or column's name.
func isName(text string) bool { return namePattern.MatchString(text) }

// isPath: a column, or one that is reached through references.
func isPath(text string) bool { return pathPattern.MatchString(text) }

// isID: a sys_id.
func isID(text string) bool { return idPattern.MatchString(text) }

// where adds a condition. Values cannot end the condition, nor be taken for
// scripts: the instance would run what follows javascript:.
func (q query) where(column, operator, value string) query {
	if q.err != nil {
		return q
	}
	switch {
	case !isPath(column):
		q.err = fmt.Errorf("%q is no column", column)
	case strings.Contains(strings.ToLower(value), "javascript:"):
		q.err = fmt.Errorf("%s: a value with javascript: in it is not looked for: the instance would run it", column)
	case strings.ContainsFunc(value, func(r rune) bool { return r < 0x20 || r == 0x7f }):
		q.err = fmt.Errorf("%s: a value with line breaks or control characters is not looked for", column)
	default:
		q.parts = append(q.parts, column+operator+strings.ReplaceAll(value, "^", "^^"))
	}
	return q
}

// among adds a condition with a list of values.
func (q query) among(column string, values []string) query {
	for _, v := range values {
		if strings.Contains(v, ",") && q.err == nil {
			q.err = fmt.Errorf("%s: %q: a list cannot hold a comma", column, v)
		}
	}
	return q.where(column, "IN", strings.Join(values, ","))
}

// newest orders by a column, the latest first.
func (q query) newest(column string) query {
	q.parts = append(q.parts, "ORDERBYDESC"+column)
	return q
}

// text closes with the one order that is never ambiguous, so that pages fit
// together.
func (q query) text() string {
	return strings.Join(append(q.parts[:len(q.parts):len(q.parts)], "ORDERBYsys_id"), "^")
}
