package servicenow

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// comparing is how values of a field compare with those of a filter.
type comparing struct {
	same  func(have, want string) bool
	order func(have, want string) (int, bool)
}

// texts compare without regard to upper and lower case.
func texts() comparing {
	return comparing{
		same: func(have, want string) bool { return fold(have) == fold(want) },
		order: func(have, want string) (int, bool) {
			return strings.Compare(fold(have), fold(want)), true
		},
	}
}

// judge applies an operator to what a ticket has: none, one or several values.
// The operators with "not" are the others' opposites; an empty value equals the
// lack of any.
func (c comparing) judge(op ticket.Operator, have, want []string) bool {
	if of, negative := positive(op); negative {
		return !c.judge(of, have, want)
	}
	return slices.ContainsFunc(want, func(w string) bool {
		if w == "" && len(have) == 0 {
			return op == ticket.Equal || op == ticket.In
		}
		return slices.ContainsFunc(have, func(h string) bool { return c.holds(op, h, w) })
	})
}

// positive is the operator that another one is the opposite of.
func positive(op ticket.Operator) (of ticket.Operator, negative bool) {
	switch op {
	case ticket.NotEqual:
		return ticket.Equal, true
	case ticket.NotIn:
		return ticket.In, true
	case ticket.NotLike:
		return ticket.Like, true
	default:
		return op, false
	}
}

// names: the operator compares whole values.
func names(op ticket.Operator) bool {
	of, _ := positive(op)
	return of == ticket.Equal || of == ticket.In
}

func negative(op ticket.Operator) bool { _, is := positive(op); return is }

func (c comparing) holds(op ticket.Operator, have, want string) bool {
	switch op {
	case ticket.Equal, ticket.In:
		return c.same(have, want)
	case ticket.Like:
		return like(have, want)
	}
	n, ok := c.order(have, want)
	return ok && want != "" && inOrder(op, n)
}

// inOrder reports whether an operator holds for a comparison's result.
func inOrder(op ticket.Operator, n int) bool {
	switch op {
	case ticket.Greater:
		return n > 0
	case ticket.GreaterOrEqual:
		return n >= 0
	case ticket.Less:
		return n < 0
	default:
		return op == ticket.LessOrEqual && n <= 0
	}
}

// like reports whether text has the parts of pattern, between its stars, one
// after the other. Upper and lower case are the same.
func like(text, pattern string) bool {
	text = fold(text)
	for part := range strings.SplitSeq(fold(pattern), "*") {
		at := strings.Index(text, part)
		if at < 0 {
			return false
		}
		text = text[at+len(part):]
	}
	return true
}

// fold makes upper and lower case the same. Letters outside of ASCII stay there:
// a database does not take the sign for kelvin for a k.
func fold(text string) string {
	return strings.Map(func(r rune) rune {
		if lower := unicode.ToLower(r); r < 0x80 || lower >= 0x80 {
			return lower
		}
		return r
	}, text)
}

var numberPattern = regexp.MustCompile(`^[-+]?[0-9]{1,40}(\.[0-9]{1,40})?([eE][-+]?[0-9]{1,3})?$`)

func number(text string) (float64, bool) {
	if !numberPattern.MatchString(text) {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil
}

// values compare as numbers where both are, as times where both are, else as texts.
func values() comparing {
	order := func(have, want string) (int, bool) {
		a, number1 := number(have)
		b, number2 := number(want)
		if number1 && number2 {
			return cmp.Compare(a, b), true
		}
		at := parseTime(have)
		if s, ok := parsePeriod(want); ok && !at.IsZero() {
			return s.compare(at), true
		}
		return strings.Compare(fold(have), fold(want)), true
	}
	return comparing{order: order, same: func(have, want string) bool {
		n, _ := order(have, want)
		return n == 0
	}}
}

// period is what a time in a filter stands for: an instant, or a whole day (UTC).
type period struct{ from, to time.Time }

func parsePeriod(text string) (period, bool) {
	text = strings.TrimSpace(text)
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return period{day, day.AddDate(0, 0, 1)}, true
	}
	for _, layout := range []string{time.RFC3339Nano, timeLayout} {
		if at, err := time.Parse(layout, text); err == nil {
			return period{at.UTC(), at.UTC().Add(time.Nanosecond)}, true
		}
	}
	return period{}, false
}

// compare says where a time lies: before, in or behind the period.
func (s period) compare(at time.Time) int {
	switch {
	case at.Before(s.from):
		return -1
	case at.Before(s.to):
		return 0
	default:
		return 1
	}
}

// some is a text as a list of values: none where it is empty.
func some(texts ...string) []string {
	return slices.DeleteFunc(texts, func(text string) bool { return text == "" })
}
