package ticket

import (
	"fmt"
	"slices"
	"strings"
)

// Query selects tickets. Filters are joined by AND.
type Query struct {
	Filters []Filter
	Orders  []Order
	// Limit is the largest number of tickets of a page; Cursor is where the page
	// before ended, empty for the first one.
	Limit  int
	Cursor string
}

// Page is part of a list; Cursor is where the next one begins, empty at the end.
type Page[T any] struct {
	Items  []T
	Cursor string
}

// Operator compares a field with values.
type Operator string

// The operators of a filter. All but In and NotIn have one value; Like and
// NotLike look for a part of the text, "*" stands for any characters.
const (
	Equal          Operator = "eq"
	NotEqual       Operator = "ne"
	Greater        Operator = "gt"
	GreaterOrEqual Operator = "gte"
	Less           Operator = "lt"
	LessOrEqual    Operator = "lte"
	In             Operator = "in"
	NotIn          Operator = "not_in"
	Like           Operator = "like"
	NotLike        Operator = "not_like"
)

// Filter is one condition.
type Filter struct {
	Field  string
	Op     Operator
	Values []string
}

// Order is one key to sort by.
type Order struct {
	Field      string
	Descending bool
}

// Text is the filter as ParseFilter reads it.
func (f Filter) Text() string {
	values, list := make([]string, len(f.Values)), f.Op == In || f.Op == NotIn
	for i, v := range f.Values {
		plain := v != "" && v == strings.TrimSpace(v) && v[0] != '"' && !(list && strings.Contains(v, ","))
		if values[i] = v; !plain {
			values[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(v) + `"`
		}
	}
	return fmt.Sprintf("%s[%s]%s", f.Field, f.Op, strings.Join(values, ","))
}

// Text is the order as ParseOrder reads it.
func (o Order) Text() string {
	if o.Descending {
		return o.Field + "[desc]"
	}
	return o.Field
}

// ParseFilter reads `field[op]value` and `field=value`. A value may stand in
// double quotes, in which \" and \\ stand for themselves; lists are separated by
// commas. The spellings ne and neq, "not in" and not_in, "not like" and not_like
// are the same.
func ParseFilter(text string) (Filter, error) {
	at := strings.IndexAny(text, "[=")
	if at <= 0 {
		return Filter{}, fmt.Errorf("filter %q: want field[operator]value, like status[eq]Done", text)
	}
	f := Filter{Field: strings.TrimSpace(text[:at]), Op: Equal}
	if f.Field == "" {
		return Filter{}, fmt.Errorf("filter %q: the field is missing", text)
	}
	rest := text[at+1:]
	if text[at] == '[' {
		word, after, closed := strings.Cut(rest, "]")
		if !closed {
			return f, fmt.Errorf("filter %q: the operator has no closing bracket", text)
		}
		op, err := parseOperator(word)
		if err != nil {
			return f, fmt.Errorf("filter %q: %w", text, err)
		}
		f.Op, rest = op, after
	}
	values, err := parseValues(rest, f.Op == In || f.Op == NotIn)
	if err != nil {
		return f, fmt.Errorf("filter %q: %w", text, err)
	}
	f.Values = values
	return f, nil
}

func parseOperator(word string) (Operator, error) {
	word = strings.Join(strings.FieldsFunc(strings.ToLower(word), func(r rune) bool { return r == ' ' || r == '_' || r == '-' }), "_")
	switch word {
	case "neq":
		return NotEqual, nil
	case "notin", "nin":
		return NotIn, nil
	case "notlike":
		return NotLike, nil
	}
	if slices.Contains(Operators(), Operator(word)) {
		return Operator(word), nil
	}
	return "", fmt.Errorf("the operator %q is none of %v", word, Operators())
}

// Operators are all of them.
func Operators() []Operator {
	return []Operator{Equal, NotEqual, Greater, GreaterOrEqual, Less, LessOrEqual, In, NotIn, Like, NotLike}
}

// parseValues reads one value, or a list of them.
func parseValues(text string, list bool) ([]string, error) {
	var values []string
	for {
		value, rest, quoted, err := parseValue(text, list)
		if err != nil {
			return nil, err
		}
		if quoted || value != "" || !list {
			values = append(values, value)
		}
		if rest == "" {
			break
		}
		text = rest[1:] // after the comma
	}
	if len(values) == 0 {
		return nil, fmt.Errorf("the list has no value")
	}
	return values, nil
}

// parseValue reads up to the end or, in a list, to the next comma, which it leaves.
func parseValue(text string, list bool) (value, rest string, quoted bool, err error) {
	trimmed := strings.TrimLeft(text, " ")
	if !strings.HasPrefix(trimmed, `"`) {
		if list {
			if i := strings.IndexByte(text, ','); i >= 0 {
				return strings.TrimSpace(text[:i]), text[i:], false, nil
			}
		}
		return strings.TrimSpace(text), "", false, nil
	}
	var b strings.Builder
	for i := 1; i < len(trimmed); i++ {
		switch c := trimmed[i]; {
		case c == '\\' && i+1 < len(trimmed) && (trimmed[i+1] == '"' || trimmed[i+1] == '\\'):
			i++
			b.WriteByte(trimmed[i])
		case c == '"':
			after := strings.TrimLeft(trimmed[i+1:], " ")
			if after == "" || list && after[0] == ',' {
				return b.String(), after, true, nil
			}
			return "", "", true, fmt.Errorf("%q stands behind a closing quote", after)
		default:
			b.WriteByte(c)
		}
	}
	return "", "", true, fmt.Errorf("a quote is not closed")
}

// ParseOrder reads `field`, `field[asc]` and `field[desc]`.
func ParseOrder(text string) (Order, error) {
	field, rest, found := strings.Cut(strings.TrimSpace(text), "[")
	o := Order{Field: strings.TrimSpace(field)}
	direction, after, closed := strings.Cut(rest, "]")
	direction = strings.TrimSpace(direction)
	switch {
	case o.Field == "" || found && (!closed || strings.TrimSpace(after) != ""):
		return o, fmt.Errorf("order %q: want field, field[asc] or field[desc]", text)
	case !found || strings.EqualFold(direction, "asc"):
		return o, nil
	case strings.EqualFold(direction, "desc"):
		o.Descending = true
		return o, nil
	default:
		return o, fmt.Errorf("order %q: the direction %q is neither asc nor desc", text, direction)
	}
}
