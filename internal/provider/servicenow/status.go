package servicenow

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// goal is where a status change is to lead.
type goal struct {
	status string
	state  choice
	// reason is why the ticket waits; empty where it does not.
	reason string
	// usual: nobody named the state, it is what such a status usually means.
	usual bool
	done  bool
	// options are all states, by their English labels: those of an answer are in
	// the account's language.
	options []choice
}

// position of a state in the application's process, -1 where it has no place.
func (g goal) position(a Application, state value) int {
	label := state.Display
	if i := slices.IndexFunc(g.options, func(o choice) bool { return o.Value == state.Value }); i >= 0 {
		label = g.options[i].Label
	}
	return slices.IndexFunc(a.flow, func(step string) bool { return strings.EqualFold(step, label) })
}

// goal finds the state of a status: as status_map says, by the state's own label
// or value, else by what such a status usually means.
func (t *turn) goal(ctx context.Context, table, status string) (goal, error) {
	options, err := t.states(ctx, table)
	if err != nil {
		return goal{}, err
	}
	g := goal{status: status, options: options}
	word := t.c.mapped(status)
	state, found := choose(options, word)
	reason := ""
	if label, why, split := strings.Cut(word, "/"); !found && split {
		state, found = choose(options, strings.TrimSpace(label))
		reason = strings.TrimSpace(why)
	}
	for _, label := range t.c.app.stateLabels(status) {
		if !found {
			state, found = t.c.app.baseline(options, label)
			g.usual = found
		}
	}
	if !found {
		return goal{}, t.permanent("status %s: table %s has no such state; it has: %s. Map it under status_map of integration %s", status, table, labels(options), t.c.config.Name)
	}
	g.state = state
	g.done = t.c.isDone(value{state.Value, state.Label})
	g.reason, err = t.reason(ctx, table, g, reason)
	return g, err
}

// mapped is what status_map says of a status, itself where it says nothing.
func (c *Client) mapped(status string) string {
	for asked, to := range c.config.StatusMap {
		if plainWord(asked) == plainWord(status) {
			return to
		}
	}
	return status
}

// states are the tenant's, those of the baseline where they cannot be read.
func (t *turn) states(ctx context.Context, table string) ([]choice, error) {
	options, err := t.choicesOf(ctx, table, "state")
	if len(options) == 0 {
		options = t.c.app.states
	}
	return options, err
}

// baseline finds a state by the label that it has in the baseline, or by its value
// there, for tenants who gave it a name of their own.
func (a Application) baseline(options []choice, label string) (choice, bool) {
	if found, ok := choose(options, label); ok {
		return found, true
	}
	known, ok := choose(a.states, label)
	if !ok {
		return choice{}, false
	}
	i := slices.IndexFunc(options, func(o choice) bool { return o.Value == known.Value })
	if i < 0 {
		return choice{}, false
	}
	return options[i], true
}

// reason is the on-hold reason that a state asks for.
func (t *turn) reason(ctx context.Context, table string, g goal, named string) (string, error) {
	hold, _ := choose(t.c.app.states, "On Hold")
	if !t.c.app.holds || g.state.Value != hold.Value && !strings.EqualFold(g.state.Label, hold.Label) {
		return "", nil
	}
	options, err := t.choicesOf(ctx, table, "hold_reason")
	if err != nil {
		return "", err
	}
	if named != "" {
		found, ok := choose(options, named)
		if !ok && len(options) > 0 {
			return "", t.permanent("status_map.%s: there is no on-hold reason %q; there are: %s", g.status, named, labels(options))
		}
		if !ok {
			return named, nil
		}
		return found.Value, nil
	}
	usual := holdReason(g.status)
	if found, ok := choose(options, usual.Label); ok {
		return found.Value, nil
	}
	if found, ok := choose(options, usual.Value); ok {
		return found.Value, nil
	}
	if len(options) > 0 {
		return options[0].Value, nil
	}
	return usual.Value, nil
}

// reached reports whether a ticket is where g leads. Where nobody named the state,
// any that means the same will do, and a process that goes forward is not sent back.
func (t *turn) reached(g goal, now record) bool {
	state := now["state"]
	if state.Value == g.state.Value {
		return g.reason == "" || now.text("hold_reason") == g.reason
	}
	if !g.usual {
		return false
	}
	if t.c.isDone(state) {
		return g.done
	}
	at, to := g.position(t.c.app, state), g.position(t.c.app, value{g.state.Value, g.state.Label})
	return !g.done && at >= 0 && to >= 0 && at >= to
}

// change is a change of status: the columns that go with it, and what could not be
// done as it was asked.
type change struct {
	goal     goal
	fields   map[string]string
	warnings []string
}

// change works out what brings a ticket to a status; nothing where it is there.
func (t *turn) change(ctx context.Context, table string, now record, status string, resolution *string) (change, error) {
	g, err := t.goal(ctx, table, status)
	if err != nil || t.reached(g, now) {
		return change{}, err
	}
	c := change{goal: g, fields: map[string]string{"state": g.state.Value}}
	if g.reason != "" {
		c.fields["hold_reason"] = g.reason
	}
	if !g.done {
		return c, nil
	}
	closing, warning, err := t.closeFields(ctx, table, now, resolution)
	maps.Copy(c.fields, closing)
	if warning != "" {
		c.warnings = append(c.warnings, warning)
	}
	return c, err
}

// closeFields are the close code and notes that a ticket cannot be closed without.
func (t *turn) closeFields(ctx context.Context, table string, now record, resolution *string) (fields map[string]string, warning string, err error) {
	asked := ""
	if resolution != nil {
		asked = *resolution
	}
	fields = map[string]string{}
	if asked != "" || now.text("close_code") == "" {
		code, exact, err := t.closeCode(ctx, table, asked)
		if err != nil {
			return nil, "", err
		}
		fields["close_code"] = code.Value
		if !exact {
			warning = fmt.Sprintf("resolution: there is no close code for %q: %q was set", asked, code.Label)
		}
	}
	if now.text("close_notes") == "" {
		fields["close_notes"] = "Completed."
		if asked != "" {
			fields["close_notes"] = "Completed: " + oneLine(asked, widthTitle)
		}
	}
	return fields, warning, nil
}

// closeCode picks the tenant's close code for a completion reason: itself, its
// usual names, the usual one, else the first.
func (t *turn) closeCode(ctx context.Context, table, asked string) (code choice, exact bool, err error) {
	options, err := t.choicesOf(ctx, table, "close_code")
	if err != nil {
		return choice{}, false, err
	}
	if len(options) == 0 {
		options = t.c.app.codes
	}
	for _, word := range append([]string{asked}, closeLabels(asked)...) {
		if found, ok := choose(options, word); ok {
			return found, true, nil
		}
	}
	for _, word := range closeLabels("") {
		if found, ok := choose(options, word); ok {
			return found, asked == "", nil
		}
	}
	return options[0], asked == "", nil
}

// move brings a ticket to a status. Where the process does not let it go there at
// once it is taken there step by step.
func (t *turn) move(ctx context.Context, in row, c change) (record, error) {
	moved, err := t.patch(ctx, in, c.fields)
	if err == nil && moved.text("state") == c.goal.state.Value {
		return moved, nil
	}
	refused, _ := errors.AsType[*ticket.Error](err)
	if refused != nil && refused.Status != http.StatusForbidden {
		return nil, err
	}
	steps := t.c.between(in, c.goal)
	switch {
	case len(steps) == 0 && err != nil:
		return nil, err
	case len(steps) == 0:
		return nil, t.permanent("status %s: the instance keeps state %q instead of %q", c.goal.status, moved["state"].Display, c.goal.state.Label)
	}
	for _, step := range steps {
		if _, err := t.patch(ctx, in, map[string]string{"state": step.Value}); err != nil {
			return nil, err
		}
	}
	moved, err = t.patch(ctx, in, c.fields)
	if err == nil && moved.text("state") != c.goal.state.Value {
		err = t.permanent("status %s: the instance keeps state %q instead of %q", c.goal.status, moved["state"].Display, c.goal.state.Label)
	}
	return moved, err
}

// between are the states that the process has between a ticket's and the goal.
func (c *Client) between(in row, g goal) []choice {
	from, to := g.position(c.app, in.record["state"]), g.position(c.app, value{g.state.Value, g.state.Label})
	if from < 0 || to < 0 || to-from < 2 {
		return nil
	}
	var steps []choice
	for _, label := range c.app.flow[from+1 : to] {
		if step, ok := choose(g.options, label); ok {
			steps = append(steps, step)
		}
	}
	return steps
}
