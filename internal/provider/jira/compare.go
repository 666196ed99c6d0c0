package jira

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// judge applies an operator to what a ticket has: none, one or several values.
// The operators with "not" are the others' opposites; an empty value equals the
// lack of any.
func judge(op ticket.Operator, have, want []string, same func(have, want string) bool, order func(have, want string) (int, bool)) bool {
	switch op {
	case ticket.NotEqual:
		return !judge(ticket.Equal, have, want, same, order)
	case ticket.NotIn:
		return !judge(ticket.In, have, want, same, order)
	case ticket.NotLike:
		return !judge(ticket.Like, have, want, same, order)
	}
	return slices.ContainsFunc(want, func(w string) bool {
		if w == "" && len(have) == 0 {
			return op == ticket.Equal || op == ticket.In
		}
		return slices.ContainsFunc(have, func(h string) bool { return holds(op, h, w, same, order) })
	})
}

func holds(op ticket.Operator, have, want string, same func(have, want string) bool, order func(have, want string) (int, bool)) bool {
	switch op {
	case ticket.Equal, ticket.In:
		return same(have, want)
	case ticket.Like:
		return like(have, want)
	}
	n, ok := order(have, want)
	switch {
	case !ok:
		return false
	case op == ticket.Greater:
		return n > 0
	case op == ticket.GreaterOrEqual:
		return n >= 0
	case op == ticket.Less:
		return n < 0
	default:
		return op == ticket.LessOrEqual && n <= 0
	}
}

// like reports whether text has the parts of pattern, between its stars, one
// after the other. Upper and lower case are the same.
func like(text, pattern string) bool {
	text = strings.ToLower(text)
	for _, part := range strings.Split(strings.ToLower(pattern), "*") {
		at := strings.Index(text, part)
		if at < 0 {
			return false
		}
		text = text[at+len(part):]
	}
	return true
}

func exactly(have, want string) bool { return have == want }

// unordered is the order of what has none.
func unordered(string, string) (int, bool) { return 0, false }

// byKey orders keys by project, then by number; ids are keys without project.
func byKey(have, want string) (int, bool) {
	p, n, ok := splitKey(have)
	q, m, ok2 := splitKey(want)
	return cmp.Or(strings.Compare(p, q), cmp.Compare(n, m)), ok && ok2
}

func splitKey(key string) (project string, number int, ok bool) {
	at := strings.LastIndex(key, "-")
	number, err := strconv.Atoi(key[at+1:])
	return strings.ToUpper(key[:at+1]), number, err == nil && number > 0
}

// plainly compares values of custom fields, whose type is the ticket's affair:
// numbers as numbers, times as times, all else as text.
func plainly(have, want string) (int, bool) {
	a, err := strconv.ParseFloat(have, 64)
	b, err2 := strconv.ParseFloat(want, 64)
	if err == nil && err2 == nil {
		return cmp.Compare(a, b), true
	}
	at, s, ok := timesOf(have, want)
	switch {
	case !ok:
		return strings.Compare(strings.ToLower(have), strings.ToLower(want)), true
	case at.Before(s.from):
		return -1, true
	case at.Before(s.to):
		return 0, true
	default:
		return 1, true
	}
}

func alike(have, want string) bool {
	if strings.EqualFold(have, want) {
		return true
	}
	if _, _, ok := timesOf(have, want); !ok {
		if _, err := strconv.ParseFloat(want, 64); err != nil {
			return false
		}
	}
	n, ok := plainly(have, want)
	return ok && n == 0
}

func timesOf(have, want string) (at time.Time, s period, ok bool) {
	at = parseTime(have)
	s, ok = parsePeriod(want)
	return at, s, ok && !at.IsZero()
}

// words are what a custom field's value can be named by.
func words(value any) []string {
	switch v := value.(type) {
	case nil:
		return nil
	case []any:
		var out []string
		for _, member := range v {
			out = append(out, words(member)...)
		}
		return out
	case map[string]any:
		var out []string
		for _, name := range []string{"value", "name", "displayName", "emailAddress", "accountId", "key", "id"} {
			if word, ok := scalar(v[name]); ok && word != "" {
				out = append(out, word)
			}
		}
		return out
	}
	if word, ok := scalar(value); ok {
		if word == "" {
			return nil
		}
		return []string{word}
	}
	text, err := json.Marshal(value)
	if err != nil {
		return nil
	}
	return []string{string(text)}
}

// some is a text as a list of values: none where it is empty.
func some(texts ...string) []string {
	return slices.DeleteFunc(texts, func(text string) bool { return text == "" })
}
