package servicenow

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// reading is how the instance reads what queries compare with. What is not sure
// is false.
type reading struct {
	// anyCase: upper and lower case are the same.
	anyCase bool
	// utc: literal times are taken for UTC, as they are stored.
	utc bool
}

var errNothingToTry = errors.New("no ticket to try it on")

// reads finds out how the instance reads, by the newest ticket that the account
// sees: whether it is found by the time that it has, and by its number in lower
// case. It is remembered for a while.
func (t *turn) reads(ctx context.Context) (reading, error) {
	found, err := t.c.readings.Get("", func() (reading, error) {
		table := t.c.app.table
		rows, err := t.window(ctx, table, query{}.newest("sys_created_on").text(), []string{"sys_id", "number", "sys_created_on"}, probeSize, 0)
		if err != nil {
			return reading{}, err
		}
		if len(rows.rows) == 0 {
			return reading{}, errNothingToTry
		}
		return t.tryOn(ctx, rows.rows[0])
	})
	if errors.Is(err, errNothingToTry) {
		return reading{}, nil
	}
	return found, err
}

const probeSize = 10

func (t *turn) tryOn(ctx context.Context, r record) (out reading, err error) {
	id, number, made := r.text("sys_id"), r.text("number"), r.text("sys_created_on")
	if !isID(id) {
		return out, nil
	}
	same := query{}.where("sys_id", "=", id)
	found := func(q query) bool {
		if err != nil || q.err != nil {
			return false
		}
		var w window
		w, err = t.window(ctx, t.c.app.table, q.text(), []string{"sys_id"}, 1, 0)
		return slices.ContainsFunc(w.rows, func(other record) bool { return other.text("sys_id") == id })
	}
	clip := func() query { q := same; q.parts = slices.Clip(q.parts); return q }
	if timePattern.MatchString(made) {
		out.utc = found(clip().where("sys_created_on", ">=", made).where("sys_created_on", "<=", made))
	}
	// A condition that the instance ignores would find it, too.
	if lower := strings.ToLower(number); lower != number {
		out.anyCase = found(clip().where("number", "=", lower)) && !found(clip().where("number", "=", lower+"-"))
	}
	return out, err
}
