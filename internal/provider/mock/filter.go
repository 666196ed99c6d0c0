package mock

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// kind is how the values of a field compare.
type kind struct {
	// name is the FilterField's Type.
	name string
	// position is where a value lies: before, in or behind the given one.
	position func(value, given string) int
	// check refuses what such a field never holds; nil refuses nothing.
	check func(given string) error
	// open: what such a field never holds has no place in its order, but can be
	// asked for, and is equal to nothing.
	open bool
}

// field is a field of a T that can be filtered and ordered by. Values are its
// values, one for most fields; an absent one is none, or the empty text.
type field[T any] struct {
	kind   kind
	values func(T) []string
}

// condition is a filter that was understood.
type condition[T any] func(T) bool

// conditions joins filters by AND; named finds a field.
func conditions[T any](a act, filters []ticket.Filter, named func(string) (field[T], error)) (condition[T], error) {
	var all []condition[T]
	for _, f := range filters {
		one, err := newCondition(f, named)
		if err != nil {
			return nil, ticket.RefusedFor("filter", f.Text(), a.permanent("filter %s: %v", f.Field, err))
		}
		all = append(all, one)
	}
	return func(t T) bool {
		return !slices.ContainsFunc(all, func(holds condition[T]) bool { return !holds(t) })
	}, nil
}

// newCondition: of a field with several values any may meet the filter; what a
// negative operator forbids, none may be. A field without a value is equal to the
// empty text, and neither greater nor less than anything.
func newCondition[T any](f ticket.Filter, named func(string) (field[T], error)) (condition[T], error) {
	in, err := named(f.Field)
	if err != nil {
		return nil, err
	}
	op, negative := positive(f.Op)
	if !slices.Contains(ticket.Operators(), f.Op) {
		return nil, fmt.Errorf("there is no operator %q", f.Op)
	}
	if len(f.Values) == 0 || len(f.Values) > 1 && op != ticket.In {
		return nil, fmt.Errorf("%s wants one value, in and not_in want one or more", f.Op)
	}
	if err := in.check(op, f.Values); err != nil {
		return nil, err
	}
	return func(t T) bool {
		values := in.values(t)
		if len(values) == 0 {
			values = []string{""}
		}
		meets := slices.ContainsFunc(values, func(value string) bool { return in.kind.meets(op, value, f.Values) })
		return meets != negative
	}, nil
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

func (f field[T]) check(op ticket.Operator, given []string) error {
	if op == ticket.Like || f.kind.check == nil {
		return nil
	}
	equality := op == ticket.Equal || op == ticket.In
	for _, value := range given {
		if err := f.kind.check(value); err != nil && !(equality && (value == "" || f.kind.open)) {
			return err
		}
	}
	return nil
}

func (k kind) meets(op ticket.Operator, value string, given []string) bool {
	switch op {
	case ticket.Equal, ticket.In:
		return slices.ContainsFunc(given, func(g string) bool { return k.position(value, g) == 0 })
	case ticket.Like:
		return like(value, given[0])
	}
	if value == "" {
		return false
	}
	switch at := k.position(value, given[0]); op {
	case ticket.Greater:
		return at > 0
	case ticket.GreaterOrEqual:
		return at >= 0
	case ticket.Less:
		return at < 0
	default:
		return at <= 0
	}
}

// like looks for the parts of a pattern in their order.
func like(text, pattern string) bool {
	text = strings.ToLower(text)
	for part := range strings.SplitSeq(strings.ToLower(pattern), "*") {
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return true
}

// texts compare without regard to case.
func texts() kind {
	return kind{name: "string", position: func(value, given string) int {
		return cmp.Compare(strings.ToLower(value), strings.ToLower(given))
	}}
}

// urgencies compare by how urgent they are. A provider may have others than the
// model's, so that any word can be asked for.
func urgencies() kind {
	rank := func(text string) int { // 0 for none
		all := ticket.Priorities()
		i := slices.Index(all, ticket.Priority(strings.ToUpper(text)))
		if i < 0 {
			return 0
		}
		return len(all) - i
	}
	return kind{
		name: "enum", open: true,
		position: func(value, given string) int {
			if given != "" && rank(given) == 0 {
				return 1
			}
			return cmp.Compare(rank(value), rank(given))
		},
		check: func(given string) error {
			if rank(given) == 0 {
				return fmt.Errorf("%q: want one of %v", given, ticket.Priorities())
			}
			return nil
		},
	}
}

// dates compare with times and with days in UTC, of which each has many times.
func dates() kind {
	return kind{
		name: "datetime",
		position: func(value, given string) int {
			at, _, err := span(value)
			if err != nil { // there is none: before all others
				return cmp.Compare(len(value), len(given))
			}
			from, to, err := span(given)
			switch {
			case err == nil && at.Before(from):
				return -1
			case err == nil && at.Before(to):
				return 0
			default:
				return 1
			}
		},
		check: func(given string) error {
			_, _, err := span(given)
			return err
		},
	}
}

// span is what a text names: an instant, or a day.
func span(text string) (from, to time.Time, err error) {
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day, day.AddDate(0, 0, 1), nil
	}
	from, err = time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return from, from, fmt.Errorf("%q: want a time like 2026-03-04T12:00:00Z, or a day like 2026-03-04", text)
	}
	return from, from.Add(time.Nanosecond), nil
}

// anythings compare as numbers where both are, else as texts; numbers come first.
func anythings() kind {
	return kind{name: "string", position: func(value, given string) int {
		x, isNumber := number(value)
		y, alsoNumber := number(given)
		switch {
		case isNumber && alsoNumber:
			return cmp.Or(cmp.Compare(x, y), compareWhole(value, given))
		case isNumber != alsoNumber && value != "" && given != "":
			if isNumber {
				return -1
			}
			return 1
		default:
			return texts().position(value, given)
		}
	}}
}

func number(text string) (float64, bool) {
	x, err := strconv.ParseFloat(text, 64)
	return x, err == nil && x-x == 0 // neither NaN nor infinite
}

// compareWhole tells whole numbers apart that are the same as floating ones.
func compareWhole(a, b string) int {
	x, errX := strconv.ParseInt(a, 10, 64)
	y, errY := strconv.ParseInt(b, 10, 64)
	if errX != nil || errY != nil {
		return 0
	}
	return cmp.Compare(x, y)
}

// unknown names the fields that there are.
func unknown[T any](fields map[string]field[T], more string) error {
	return fmt.Errorf("there is no such field; there are %s%s", strings.Join(slices.Sorted(maps.Keys(fields)), ", "), more)
}
