package jira

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// quoteJQL writes a text of JQL. It never leaves its quotes: what could end them
// or is no printable sign stands there by an escape of JQL's own.
func quoteJQL(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range strings.ToValidUTF8(text, string(utf8.RuneError)) {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20 || r >= 0x7f && r < 0xa0 || r >= 0xfdd0 && r <= 0xfdef || r == 0xfffe || r == 0xffff || r == 0x2028 || r == 0x2029:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// amongJQL asks for a field to be one of values, or not; an empty value stands
// for a field without one. JQL's own "not" leaves out what has no value.
func amongJQL(field string, values []string, not bool) string {
	empty := false
	var quoted []string
	for _, v := range values {
		if v == "" {
			empty = true
		} else {
			quoted = append(quoted, quoteJQL(v))
		}
	}
	list := field + " IN (" + strings.Join(quoted, ", ") + ")"
	switch {
	case len(quoted) == 0 && not:
		return field + " IS NOT EMPTY"
	case len(quoted) == 0:
		return field + " IS EMPTY"
	case not && empty:
		return field + " NOT IN (" + strings.Join(quoted, ", ") + ")"
	case not:
		return "(" + field + " NOT IN (" + strings.Join(quoted, ", ") + ") OR " + field + " IS EMPTY)"
	case empty:
		return "(" + list + " OR " + field + " IS EMPTY)"
	default:
		return list
	}
}

// period is what a time in a filter stands for: an instant, or a whole day (UTC).
type period struct{ from, to time.Time }

func parsePeriod(text string) (period, bool) {
	text = strings.TrimSpace(text)
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return period{day, day.AddDate(0, 0, 1)}, true
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return period{}, false
	}
	return period{at.UTC(), at.UTC().Add(time.Nanosecond)}, true
}

// holds compares a time with the period; the zero time is none.
func (s period) holds(op ticket.Operator, at time.Time) bool {
	if at.IsZero() {
		return op == ticket.NotEqual
	}
	switch op {
	case ticket.Equal:
		return !at.Before(s.from) && at.Before(s.to)
	case ticket.NotEqual:
		return at.Before(s.from) || !at.Before(s.to)
	case ticket.Greater:
		return !at.Before(s.to)
	case ticket.GreaterOrEqual:
		return !at.Before(s.from)
	case ticket.Less:
		return at.Before(s.from)
	case ticket.LessOrEqual:
		return at.Before(s.to)
	default:
		return false
	}
}

// The zones of the world are between these offsets from UTC.
const (
	westmost = 12 * time.Hour
	eastmost = 14 * time.Hour
)

// timeJQL asks for a superset of what the period holds. JQL knows minutes only, and
// reads them in the time zone of the caller's profile; an hour each way keeps
// clear of the hour that is there twice in autumn. Where the zone is not known,
// all zones of the world are allowed for.
func (s period) timeJQL(field string, op ticket.Operator, zone *time.Location) string {
	early, late := s.from.Add(-time.Hour), s.to.Add(time.Hour+time.Minute)
	if zone == nil {
		zone = time.UTC
		early, late = s.from.Add(-westmost), s.to.Add(eastmost+time.Minute)
	}
	return s.boundsJQL(field, op, early.In(zone).Format(jqlMinute), late.In(zone).Format(jqlMinute))
}

// dateJQL is timeJQL for a field that holds a day.
func (s period) dateJQL(field string, op ticket.Operator) string {
	return s.boundsJQL(field, op, s.from.AddDate(0, 0, -1).Format(time.DateOnly), s.to.AddDate(0, 0, 1).Format(time.DateOnly))
}

const jqlMinute = "2006-01-02 15:04"

func (s period) boundsJQL(field string, op ticket.Operator, early, late string) string {
	if s.from.Year() < 1900 || s.to.Year() > 9000 {
		return ""
	}
	after, before := field+" >= "+quoteJQL(early), field+" <= "+quoteJQL(late)
	switch op {
	case ticket.Equal:
		return after + " AND " + before
	case ticket.Greater, ticket.GreaterOrEqual:
		return after
	case ticket.Less, ticket.LessOrEqual:
		return before
	default:
		return ""
	}
}
