package servicenow

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

const (
	// defaultLimit and maxLimit are the sizes of a page of tickets.
	defaultLimit, maxLimit = 100, 1000
	// smallWindow and page are how many rows are asked for at once.
	smallWindow = 20
	// maxWindows is how many times one call asks.
	maxWindows = 10
)

// QueryTickets lists tickets (GET /api/now/v2/table/{table}). The instance is asked
// for what may fit the filters, and each filter is held against every row that it
// answers: an instance ignores conditions that it finds invalid. What it cannot be
// asked is only compared here.
//
// The table is the one that a filter on project names, else the default project;
// its tickets are those of the tables that extend it, too. A page may hold fewer
// tickets than Limit (0 takes 100, the most is 1,000), even none, while Cursor says
// that there are more: one call looks at no more than 1,000 rows. Without an order
// the newest come first.
//
// Where records are ordered by id, times, status or priority, a page goes on behind
// the last record of the one before: nothing that stays as it is is missed or listed
// twice, whatever else changes. In other orders it goes on by counting, and finds its
// place again by the last records that it listed; this fails only where more than
// 100 records came or went before it, or most of these last ones moved.
//
// FilterFields and OrderFields name what can be filtered and ordered by.
func (c *Client) QueryTickets(ctx context.Context, q ticket.Query) (ticket.Page[ticket.Ticket], error) {
	t, err := c.begin("query " + c.app.table)
	if err != nil {
		return ticket.Page[ticket.Ticket]{}, err
	}
	defer t.end()
	at, err := t.position(q)
	if err != nil {
		return ticket.Page[ticket.Ticket]{}, ticket.RefusedFor("cursor", q.Cursor, err)
	}
	s, err := t.selection(ctx, q)
	if err != nil {
		return ticket.Page[ticket.Ticket]{}, err
	}
	if q.Cursor == "" {
		at.Counted = s.counted
	}
	if !at.fits(s.ordering) {
		return ticket.Page[ticket.Ticket]{}, ticket.RefusedFor("cursor", q.Cursor, t.notOurs())
	}
	limit := min(cmp.Or(max(q.Limit, 0), defaultLimit), maxLimit)
	l := &listing{t: t, selection: s, at: at, limit: limit, taken: map[string]bool{}, resumed: q.Cursor == ""}
	l.size = page
	if s.asked.whole && !at.Counted {
		l.size = min(max(limit+1, smallWindow), page)
	}
	if err := l.read(ctx); err != nil {
		return ticket.Page[ticket.Ticket]{}, err
	}
	return ticket.Page[ticket.Ticket]{Items: l.items, Cursor: l.at.cursor()}, nil
}

// selection is a query that was understood.
type selection struct {
	ordering
	table      string
	conditions []condition
	asked      asking
	columns    []string
}

// selection understands a query.
func (t *turn) selection(ctx context.Context, q ticket.Query) (selection, error) {
	table, err := t.searched(ctx, q.Filters)
	if err == nil {
		err = t.learn(ctx, table)
	}
	if err != nil {
		return selection{}, err
	}
	s := &scope{t: t, table: table}
	out := selection{table: table, asked: asking{whole: true}, columns: t.c.columnsRead()}
	if out.ordering, err = s.ordering(ctx, q.Orders); err != nil {
		return out, err
	}
	for _, k := range out.keys {
		out.add(k.column)
	}
	for _, own := range t.c.ownColumns(table) {
		out.add(own)
	}
	reads, err := t.reads(ctx)
	if err != nil {
		return out, err
	}
	for _, f := range q.Filters {
		c, err := s.condition(ctx, f)
		if err != nil {
			return out, ticket.RefusedFor("filter", f.Text(), err)
		}
		out.conditions = append(out.conditions, c)
		out.asked.add(c.ask, reads)
		for _, column := range append(c.columns, c.column) {
			out.add(column)
		}
	}
	return out, nil
}

func (s *selection) add(column string) {
	if column != "" && !slices.Contains(s.columns, column) {
		s.columns = append(s.columns, column)
	}
}

// searched is the table that filters name: by project, else the default one; the
// application's where tickets are named, or several projects.
func (t *turn) searched(ctx context.Context, filters []ticket.Filter) (string, error) {
	table := t.c.config.DefaultProject
	for _, f := range filters {
		named := (f.Op == ticket.Equal || f.Op == ticket.In) && len(f.Values) == 1
		switch {
		case f.Field == "project" && named:
			all, err := t.tables(ctx)
			if err != nil {
				return "", err
			}
			table, err := t.tableNamed(ctx, all, f.Values[0])
			return table, ticket.RefusedFor("filter", f.Text(), err)
		case f.Field == "project", (f.Field == "id" || f.Field == "key") && (f.Op == ticket.Equal || f.Op == ticket.In):
			table = t.c.app.table
		}
	}
	return table, t.extends(ctx, table)
}

func (s *selection) fits(r record, m ticket.Ticket) bool {
	return !slices.ContainsFunc(s.conditions, func(c condition) bool { return !c.fits(r, m) })
}

// listing is one page under way.
type listing struct {
	t *turn
	selection
	at    position
	limit int
	size  int
	items []ticket.Ticket
	taken map[string]bool
	// resumed: the place at which the page before ended was found again.
	resumed bool
	// looked and hidden are rows: seen by the account, and not.
	looked, hidden int
}

func (l *listing) read(ctx context.Context) error {
	for n := 0; n < maxWindows && len(l.items) < l.limit && !l.at.End; n++ {
		step := l.behind
		if l.at.Counted {
			step = l.count
		}
		err := step(ctx)
		if err != nil && n > 0 && (ticket.KindOf(err) == ticket.Retry || ticket.KindOf(err) == ticket.RateLimited) {
			return nil // what was read is answered; the next page goes on from here
		}
		if err != nil {
			return err
		}
	}
	if l.looked == 0 && l.hidden > 0 && l.at.End {
		return l.t.seesTicketsLately(ctx)
	}
	return nil
}

func (l *listing) window(ctx context.Context, q query, keys []sortKey, offset int) (window, error) {
	if q.err != nil {
		return window{}, l.t.permanent("%v", q.err)
	}
	w, err := l.t.window(ctx, l.table, strings.Join(append(slices.Clip(q.parts), orderText(keys)), "^"), l.columns, l.size, offset)
	if err != nil {
		return w, err
	}
	l.looked += len(w.rows)
	l.hidden += w.hidden
	return w, l.check(ctx, w.rows)
}

// check refuses rows that lack what is compared: without it nothing is known.
func (l *listing) check(ctx context.Context, rows []record) error {
	for _, r := range rows {
		needed := []string{"sys_class_name"}
		for _, c := range l.conditions {
			needed = append(needed, c.column)
		}
		for _, k := range l.keys {
			needed = append(needed, k.column)
		}
		for _, column := range needed {
			if column != "" && !r.has(column) {
				return l.t.permanent("the account of integration %s may not read %s of %s, or that table lacks it: it cannot be filtered or ordered by", l.t.c.config.Name, column, l.table)
			}
		}
		if err := l.t.learn(ctx, r.text("sys_class_name")); err != nil {
			return err
		}
	}
	return nil
}

// take looks at records, in their order, until the page is full. It answers how
// many it looked at.
func (l *listing) take(rows []record) int {
	for i, r := range rows {
		if len(l.items) == l.limit {
			return i
		}
		id := r.text("sys_id")
		if m := l.t.c.model(r); !l.taken[id] && l.fits(r, m) {
			l.items = append(l.items, m)
			l.taken[id] = true
		}
	}
	return len(rows)
}
