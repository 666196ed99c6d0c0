package servicenow

import (
	"context"
	"slices"
)

// behind reads the next window of a list that goes on behind the last record's
// values.
func (l *listing) behind(ctx context.Context) error {
	parts := l.parts()
	p := parts[l.at.Part]
	q := l.asked.query
	if p.only != nil {
		q = q.either(clause{*p.only})
	}
	for _, c := range p.behind(l.at.Keys) {
		q = q.either(c)
	}
	w, err := l.window(ctx, q, p.keys, l.at.Offset)
	if err != nil {
		return err
	}
	fresh, err := l.after(p, w.rows)
	if err != nil {
		return err
	}
	looked := l.take(fresh)
	if looked > 0 {
		l.at.Keys, l.at.Offset = p.valuesOf(fresh[looked-1]), 0
	}
	switch {
	case looked < len(fresh):
	case w.more && looked == 0: // all hidden, or listed before
		l.at.Offset += l.size
	case w.more:
	case l.at.Part+1 < len(parts):
		l.at.Part, l.at.Keys, l.at.Offset = l.at.Part+1, nil, 0
	default:
		l.at.End = true
	}
	return nil
}

// after are the rows that come after the position. That the instance did what it
// was told is not taken for granted: it ignores what it finds invalid.
func (l *listing) after(p part, rows []record) ([]record, error) {
	var fresh []record
	stray := 0
	for _, r := range rows {
		n := 1
		if len(l.at.Keys) > 0 {
			n = p.compare(r, l.at.Keys)
		}
		switch {
		case !p.holds(r) || n < 0:
			stray++
		case n > 0:
			fresh = append(fresh, r)
		}
		if slices.ContainsFunc(p.valuesOf(r), func(v string) bool { return !isKey(v) }) {
			return nil, l.t.nonsense("a record that cannot be put in order: " + r.text("number"))
		}
	}
	if stray > 0 && stray == len(rows) {
		return nil, l.t.permanent("the instance ignored a part of the query: the account of integration %s must be able to read %s of %s", l.t.c.config.Name, p.keys[0].column, l.table)
	}
	if !slices.IsSortedFunc(fresh, func(a, b record) int { return p.compare(a, p.valuesOf(b)) }) {
		return nil, l.t.nonsense("records that are not in the order that was asked for")
	}
	return fresh, nil
}

// overlap is how many rows are read again, so that the place is found by them.
const overlap = 10

// count reads the next window of a list that goes on by counting.
func (l *listing) count(ctx context.Context) error {
	w, err := l.window(ctx, l.asked.query, l.keys, l.at.Offset)
	if err != nil {
		return err
	}
	rows := w.rows
	if !l.resumed {
		if w, rows, err = l.resume(ctx, w); err != nil {
			return err
		}
		l.resumed = true
	}
	rows = slices.DeleteFunc(slices.Clone(rows), func(r record) bool { return l.at.saw(r.text("sys_id")) })
	looked := l.take(rows)
	for _, r := range rows[:looked] {
		l.at.see(r.text("sys_id"))
	}
	whole := len(w.rows) == l.size // else it is not known where the hidden rows are
	switch {
	case looked < len(rows) && whole && looked > 0:
		last := slices.IndexFunc(w.rows, func(r record) bool { return r.text("sys_id") == rows[looked-1].text("sys_id") })
		l.at.Offset += max(0, last-overlap)
	case looked < len(rows):
	case w.more && whole:
		l.at.Offset += l.size - overlap
	case w.more:
		l.at.Offset += l.size
	default:
		l.at.End = true
	}
	return nil
}

// resume finds the place at which the page before ended by the records that it
// looked at last, in this window or in those beside it. Half of those that are
// found are on either side of it, should some have moved.
func (l *listing) resume(ctx context.Context, w window) (window, []record, error) {
	if len(l.at.Seen) == 0 {
		return w, w.rows, nil
	}
	if rows, found := l.place(w.rows); found {
		return w, rows, nil
	}
	here := l.at.Offset
	for _, offset := range []int{max(0, here-l.size), here + l.size} {
		if offset == here {
			continue
		}
		beside, err := l.window(ctx, l.asked.query, l.keys, offset)
		if err != nil {
			return w, nil, err
		}
		if rows, found := l.place(beside.rows); found {
			l.at.Offset = offset
			return beside, rows, nil
		}
	}
	return w, w.rows, nil
}

func (l *listing) place(rows []record) ([]record, bool) {
	var found []int
	for i, r := range rows {
		if l.at.saw(r.text("sys_id")) {
			found = append(found, i)
		}
	}
	if len(found) == 0 {
		return nil, false
	}
	return rows[found[len(found)/2]+1:], true
}
