package servicenow

import (
	"context"
	"regexp"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

var timePattern = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$`)

// The zones of the world are between these offsets from UTC.
const (
	westmost = 12 * time.Hour
	eastmost = 14 * time.Hour
)

// timeClauses ask for times of one of the columns. Where the instance takes literal
// times for those of some zone, all zones are allowed for.
func timeClauses(f ticket.Filter, columns []string, reads reading) []clause {
	if len(f.Values) != 1 {
		return nil
	}
	if f.Values[0] == "" {
		return emptyClauses(f.Op, columns)
	}
	p, ok := parsePeriod(f.Values[0])
	if !ok || p.from.Year() < 1900 || p.to.Year() > 9000 {
		return nil
	}
	early, late := p.from, p.to
	if !reads.utc {
		early, late = early.Add(-westmost-eastmost), late.Add(westmost+eastmost)
	}
	after, before := anyOf(columns, ">=", formatTime(early)), anyOf(columns, "<=", formatTime(late))
	switch f.Op {
	case ticket.Equal, ticket.In:
		return []clause{after, before}
	case ticket.Greater, ticket.GreaterOrEqual:
		return []clause{after}
	case ticket.Less, ticket.LessOrEqual:
		return []clause{before}
	default:
		return nil
	}
}

func emptyClauses(op ticket.Operator, columns []string) []clause {
	switch {
	case op == ticket.NotEqual || op == ticket.NotIn:
		return []clause{anyOf(columns, "ISNOTEMPTY", "")}
	case (op == ticket.Equal || op == ticket.In) && len(columns) == 1:
		return []clause{anyOf(columns, "ISEMPTY", "")}
	default:
		return nil
	}
}

func anyOf(columns []string, op, value string) clause {
	var out clause
	for _, column := range columns {
		out = append(out, term{column, op, value, true})
	}
	return out
}

func columnsOf(columns ...string) func(Application) []string {
	return func(Application) []string { return columns }
}

func ticketCreated(m ticket.Ticket) time.Time   { return m.CreatedAt }
func ticketUpdated(m ticket.Ticket) time.Time   { return m.UpdatedAt }
func ticketDue(m ticket.Ticket) time.Time       { return m.DueDate }
func ticketCompleted(m ticket.Ticket) time.Time { return m.CompletionDate }

// timeField is a time, from the first of the columns that has one.
func timeField(from func(Application) []string, have func(ticket.Ticket) time.Time) understand {
	return func(ctx context.Context, s *scope, f ticket.Filter) (condition, error) {
		columns := from(s.t.c.app)
		check, err := s.timeCheck(f)
		if err != nil {
			return condition{}, err
		}
		reads, err := s.t.reads(ctx)
		c := condition{column: columns[0], fits: func(_ record, m ticket.Ticket) bool { return check(have(m)) }}
		c.ask = timeClauses(f, columns, reads)
		if columns[0] != "closed_at" && columns[0] != "resolved_at" {
			return c, err
		}
		if of, _ := positive(f.Op); names(of) && !negative(f.Op) && f.Values[0] == "" {
			c.ask = nil // one that was opened again may have its old date
		}
		return c, err
	}
}

// timeCheck is a filter on a time. Parts of texts are looked for in RFC 3339.
func (s *scope) timeCheck(f ticket.Filter) (func(time.Time) bool, error) {
	order := func(have, want string) (int, bool) {
		p, ok := parsePeriod(want)
		return p.compare(parseTime(have)), ok
	}
	compare := comparing{order: order, same: func(have, want string) bool {
		n, ok := order(have, want)
		return ok && n == 0
	}}
	if err := s.areTimes(f); err != nil {
		return nil, err
	}
	return func(at time.Time) bool {
		text := ""
		if !at.IsZero() {
			text = at.Format(time.RFC3339)
		}
		return compare.judge(f.Op, some(text), f.Values)
	}, nil
}

// areTimes refuses a value that is no time, where a whole one is compared.
func (s *scope) areTimes(f ticket.Filter) error {
	for _, v := range f.Values {
		if _, ok := parsePeriod(v); !ok && f.Op != ticket.Like && f.Op != ticket.NotLike && (v != "" || !names(f.Op)) {
			return s.t.permanent("filter on %s: %q is no time: want RFC 3339, such as 2026-03-04T12:00:00Z, or a day, such as 2026-03-04", f.Field, v)
		}
	}
	return nil
}
