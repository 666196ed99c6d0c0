package servicenow

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// priorityField goes by the model's words, by the instance's labels and numbers;
// more is more urgent, which the instance gives lower numbers.
func priorityField(ctx context.Context, s *scope, f ticket.Filter) (condition, error) {
	options, err := s.t.choicesOf(ctx, s.table, "priority")
	if err != nil {
		return condition{}, err
	}
	given := slices.Clone(f.Values)
	for i, v := range given {
		if number := numberOf(ticket.Priority(strings.ToUpper(v))); number != "" && f.Op != ticket.Like && f.Op != ticket.NotLike {
			given[i] = number
		}
	}
	switch of, _ := positive(f.Op); {
	case names(f.Op):
		// Numbers stand for themselves, whether or not the list can be read.
		for _, number := range []string{"1", "2", "3", "4", "5"} {
			options = append(slices.Clip(options), choice{Value: number, Label: number})
		}
		return chosen(ticket.Filter{Field: f.Field, Op: f.Op, Values: given}, "priority", options), nil
	case of == ticket.Like:
		return condition{column: "priority", fits: func(r record, m ticket.Ticket) bool {
			return texts().judge(f.Op, some(shown(r["priority"], options), string(m.Priority)), f.Values)
		}}, nil
	}
	stored, _ := resolve(given, options)
	if len(stored) == 0 || stored[0] == "" {
		stored = given
	}
	want, err := strconv.Atoi(stored[0])
	if err != nil {
		return condition{}, s.t.permanent("filter on priority: %q has no place in the order: want one of %v, or a number", f.Values[0], ticket.Priorities())
	}
	fits := func(r record, _ ticket.Ticket) bool {
		have, err := strconv.Atoi(r.text("priority"))
		return err == nil && inOrder(f.Op, cmp.Compare(want, have))
	}
	way := map[ticket.Operator]string{ticket.Greater: "<", ticket.GreaterOrEqual: "<=", ticket.Less: ">", ticket.LessOrEqual: ">="}[f.Op]
	return condition{column: "priority", fits: fits, ask: []clause{{{"priority", way, strconv.Itoa(want), true}}}}, nil
}

func tagField(_ context.Context, _ *scope, f ticket.Filter) (condition, error) {
	exactly := comparing{same: func(have, want string) bool { return have == want }, order: texts().order}
	c := condition{column: "description", fits: func(_ record, m ticket.Ticket) bool { return exactly.judge(f.Op, m.Tags, f.Values) }}
	if negative(f.Op) || slices.Contains(f.Values, "") {
		return c, nil
	}
	c.ask = []clause{{{"description", "LIKE", strings.TrimSpace(tagsTitle), true}}}
	if names(f.Op) {
		var either clause
		for _, v := range f.Values {
			either = append(either, term{"description", "LIKE", v, true})
		}
		c.ask = append(c.ask, either)
	}
	return c, nil
}

// projectField names tables; a record of a table that extends one of them is one
// of it, too.
func projectField(ctx context.Context, s *scope, f ticket.Filter) (condition, error) {
	all, err := s.t.tables(ctx)
	if err != nil {
		return condition{}, err
	}
	c := condition{column: "sys_class_name"}
	if !names(f.Op) {
		c.fits = func(r record, _ ticket.Ticket) bool {
			class := r.text("sys_class_name")
			return texts().judge(f.Op, some(class, all.label(class)), f.Values)
		}
		return c, nil
	}
	var named []string
	for _, v := range f.Values {
		table, err := s.t.tableNamed(ctx, all, v)
		switch {
		case err != nil && negative(f.Op) && ticket.KindOf(err) == ticket.Permanent:
			continue // no ticket is in what is not there
		case err != nil:
			return c, err
		}
		named = append(named, table)
	}
	below := all.below(named)
	everything := slices.Contains(named, s.t.c.app.table) || slices.Contains(named, s.table)
	c.fits = func(r record, _ ticket.Ticket) bool {
		return (everything || slices.Contains(below, r.text("sys_class_name"))) != negative(f.Op)
	}
	if !everything && !negative(f.Op) {
		c.ask = []clause{among("sys_class_name", below, true)}
	}
	return c, nil
}
