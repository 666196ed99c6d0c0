package jira

import (
	"fmt"
	"strconv"
	"strings"
)

// jql is a query: as much of the language as clients send, which is comparisons
// with AND, OR, NOT and brackets, and an order.
type jql struct {
	matches func(*Issue) bool
	orders  []jqlOrder
}

type jqlOrder struct {
	field string
	down  bool
}

// jqlToken is a word, a text in quotes or a sign.
type jqlToken struct {
	text   string
	quoted bool
}

func (t jqlToken) is(words ...string) bool {
	for _, w := range words {
		if !t.quoted && strings.EqualFold(t.text, w) {
			return true
		}
	}
	return false
}

// tokens splits a query. A text ends at the quote that it began with, unless a
// backslash stands before it.
func jqlTokens(text string) ([]jqlToken, error) {
	var out []jqlToken
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case strings.IndexByte(" \t\r\n", c) >= 0:
			i++
		case c == '"' || c == '\'':
			value, n, err := jqlText(text[i:])
			if err != nil {
				return nil, err
			}
			out = append(out, jqlToken{value, true})
			i += n
		case strings.IndexByte("(),", c) >= 0:
			out = append(out, jqlToken{text: string(c)})
			i++
		case strings.IndexByte("=!<>~", c) >= 0:
			n := len(text[i:]) - len(strings.TrimLeft(text[i:], "=!<>~"))
			out = append(out, jqlToken{text: text[i : i+n]})
			i += n
		case wordByte(c):
			n := 0
			for i+n < len(text) && wordByte(text[i+n]) {
				n++
			}
			out = append(out, jqlToken{text: text[i : i+n]})
			i += n
		default:
			return nil, fmt.Errorf("Error in the JQL Query: The character '%c' is a reserved JQL character. You must enclose it in a string or use the escape.", c)
		}
	}
	return out, nil
}

func wordByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80 || strings.IndexByte("_-.[]/", c) >= 0
}

// jqlText reads a text in quotes and how long it is there.
func jqlText(text string) (string, int, error) {
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == text[0]:
			return b.String(), i + 1, nil
		case c < 0x20:
			return "", 0, fmt.Errorf("Error in the JQL Query: the character U+%04X is not allowed in a string.", c)
		case c != '\\':
			b.WriteByte(c)
		case i+1 == len(text):
			return "", 0, fmt.Errorf("Error in the JQL Query: an escape is not complete.")
		default:
			i++
			n, err := jqlEscape(&b, text[i:])
			if err != nil {
				return "", 0, err
			}
			i += n - 1
		}
	}
	return "", 0, fmt.Errorf("Error in the JQL Query: The quoted string has not been completed.")
}

// jqlEscape reads what follows a backslash.
func jqlEscape(b *strings.Builder, text string) (int, error) {
	switch text[0] {
	case '"', '\'', '\\', ' ':
		b.WriteByte(text[0])
	case 'n':
		b.WriteByte('\n')
	case 'r':
		b.WriteByte('\r')
	case 't':
		b.WriteByte('\t')
	case 'u':
		if len(text) < 5 {
			return 0, fmt.Errorf("Error in the JQL Query: an escape is not complete.")
		}
		n, err := strconv.ParseUint(text[1:5], 16, 16)
		if err != nil {
			return 0, fmt.Errorf("Error in the JQL Query: '\\%s' is an illegal JQL escape sequence.", text[:5])
		}
		b.WriteRune(rune(n))
		return 5, nil
	default:
		return 0, fmt.Errorf("Error in the JQL Query: '\\%c' is an illegal JQL escape sequence.", text[0])
	}
	return 1, nil
}

// parser is a query being read.
type jqlParser struct {
	s      *Simulator
	tokens []jqlToken
}

func (p *jqlParser) peek() jqlToken {
	if len(p.tokens) == 0 {
		return jqlToken{}
	}
	return p.tokens[0]
}

func (p *jqlParser) next() jqlToken {
	t := p.peek()
	p.tokens = p.tokens[min(1, len(p.tokens)):]
	return t
}

func (p *jqlParser) skip(words ...string) bool {
	if !p.peek().is(words...) {
		return false
	}
	p.next()
	return true
}

// parseJQL reads a query; the lock is held.
func (s *Simulator) parseJQL(text string) (jql, error) {
	tokens, err := jqlTokens(text)
	if err != nil {
		return jql{}, err
	}
	p := &jqlParser{s: s, tokens: tokens}
	if len(tokens) == 0 || p.peek().is("order") {
		return jql{}, fmt.Errorf("Unbounded JQL queries are not allowed here. Please add a search restriction to your query.")
	}
	q := jql{}
	if q.matches, err = p.either(); err != nil {
		return q, err
	}
	if p.skip("order") {
		if !p.skip("by") {
			return q, fmt.Errorf("Error in the JQL Query: Expecting 'by' after 'order'.")
		}
		if q.orders, err = p.orderBy(); err != nil {
			return q, err
		}
	}
	if len(p.tokens) > 0 {
		return q, fmt.Errorf("Error in the JQL Query: Expecting operator or end but got '%s'.", p.peek().text)
	}
	if q.orders == nil {
		q.orders = []jqlOrder{{"created", true}}
	}
	return q, nil
}

func (p *jqlParser) either() (func(*Issue) bool, error) {
	left, err := p.both()
	for err == nil && p.skip("or", "||") {
		var right func(*Issue) bool
		right, err = p.both()
		before := left
		left = func(i *Issue) bool { return before(i) || right(i) }
	}
	return left, err
}

func (p *jqlParser) both() (func(*Issue) bool, error) {
	left, err := p.one()
	for err == nil && p.skip("and", "&&") {
		var right func(*Issue) bool
		right, err = p.one()
		before := left
		left = func(i *Issue) bool { return before(i) && right(i) }
	}
	return left, err
}

func (p *jqlParser) one() (func(*Issue) bool, error) {
	switch {
	case p.skip("not"):
		inner, err := p.one()
		return func(i *Issue) bool { return !inner(i) }, err
	case p.skip("("):
		inner, err := p.either()
		if err == nil && !p.skip(")") {
			err = fmt.Errorf("Error in the JQL Query: Expecting ')' but got '%s'.", p.peek().text)
		}
		return inner, err
	default:
		return p.clause()
	}
}

// clause reads a comparison.
func (p *jqlParser) clause() (func(*Issue) bool, error) {
	field := strings.ToLower(p.next().text)
	op := strings.ToLower(p.next().text)
	switch {
	case op == "is" && p.skip("not"):
		op = "is not"
	case op == "not" && p.skip("in"):
		op = "not in"
	}
	var values []string
	switch op {
	case "is", "is not":
		if !p.skip("empty", "null") {
			return nil, fmt.Errorf("Error in the JQL Query: Expecting EMPTY but got '%s'.", p.peek().text)
		}
	case "in", "not in":
		if !p.skip("(") {
			return nil, fmt.Errorf("Error in the JQL Query: Expecting '(' but got '%s'.", p.peek().text)
		}
		for more := true; more; more = p.skip(",") {
			values = append(values, p.next().text)
		}
		if !p.skip(")") {
			return nil, fmt.Errorf("Error in the JQL Query: Expecting ')' but got '%s'.", p.peek().text)
		}
	case "=", "!=", "<", "<=", ">", ">=", "~", "!~":
		if len(p.tokens) == 0 {
			return nil, fmt.Errorf("Error in the JQL Query: Expecting a value but got the end of the query.")
		}
		values = []string{p.next().text}
	default:
		return nil, fmt.Errorf("Error in the JQL Query: Expecting operator but got '%s'.", op)
	}
	return p.s.compare(field, op, values)
}

func (p *jqlParser) orderBy() ([]jqlOrder, error) {
	var out []jqlOrder
	for more := true; more; more = p.skip(",") {
		field := strings.ToLower(p.next().text)
		if _, ok := p.s.sortable(field); !ok {
			return nil, fmt.Errorf("Not able to sort using field '%s'.", field)
		}
		o := jqlOrder{field: field}
		if p.skip("desc") {
			o.down = true
		} else {
			p.skip("asc")
		}
		out = append(out, o)
	}
	if len(out) > 7 {
		return nil, fmt.Errorf("The orderBy clause can contain a maximum of 7 fields.")
	}
	return out, nil
}
