package jira

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// Status categories, the same on every site.
const (
	categoryPrefix = "category:"
	categoryNew    = "new"
	categoryDoing  = "indeterminate"
	categoryDone   = "done"
)

func isCategory(text string) bool {
	return text == categoryNew || text == categoryDoing || text == categoryDone
}

// defaultCategory is where a status leads that neither status_map nor the
// workflow knows: the requests' own statuses, and common words of foreign tickets.
func defaultCategory(status string) string {
	switch plainWord(status) {
	case "new", "open", "opened", "todo", "reopened", "declined", "onbacklog", "assigned":
		return categoryNew
	case "accepted", "inprogress", "doing", "active", "waitingfor", "waitingforcustomer", "reservationpending",
		"workflowpending", "projectpending", "changepending", "pending", "pendingcustomer", "feedbackreceived", "onhold":
		return categoryDoing
	case "completed", "complete", "done", "closed", "close", "resolved", "solved", "confirmedsolved", "cancelled", "canceled":
		return categoryDone
	default:
		return ""
	}
}

func plainWord(text string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '_' || r == '-' {
			return -1
		}
		return r
	}, strings.ToLower(text))
}

// target is where a status change is to lead.
type target struct {
	asked    string
	name     string // a status's or transition's name or id
	category string
}

func (c *Client) target(status string) target {
	for asked, to := range c.config.StatusMap {
		if plainWord(asked) != plainWord(status) {
			continue
		}
		if category, ok := strings.CutPrefix(to, categoryPrefix); ok {
			return target{asked: status, category: category}
		}
		return target{asked: status, name: to}
	}
	if category, ok := strings.CutPrefix(status, categoryPrefix); ok {
		return target{asked: status, category: category}
	}
	return target{asked: status, name: status, category: defaultCategory(status)}
}

// reached reports whether an issue in this status is where g leads.
func (g target) reached(status named) bool {
	if g.name != "" && (strings.EqualFold(g.name, status.Name) || g.name == status.ID) {
		return true
	}
	return g.category != "" && g.category == status.Category.Key
}

type transition struct {
	ID        string               `json:"id"`
	Name      string               `json:"name"`
	To        named                `json:"to"`
	Available *bool                `json:"isAvailable"`
	Fields    map[string]fieldMeta `json:"fields"`
}

// choose picks the transition to take: by the status it leads to, by its id or
// own name, then by category.
func (g target) choose(all []transition) (transition, bool) {
	matches := []func(transition) bool{
		func(t transition) bool { return g.name != "" && strings.EqualFold(t.To.Name, g.name) },
		func(t transition) bool { return g.name != "" && (t.ID == g.name || t.To.ID == g.name) },
		func(t transition) bool { return g.name != "" && strings.EqualFold(t.Name, g.name) },
		func(t transition) bool { return g.category != "" && t.To.Category.Key == g.category },
	}
	for _, match := range matches {
		if i := slices.IndexFunc(all, match); i >= 0 {
			return all[i], true
		}
	}
	return transition{}, false
}

// step finds the transition that brings an issue to a status; there is none to
// take where it is there already. A status that only a chain of transitions
// reaches is an error that names what can be reached.
func (t *turn) step(ctx context.Context, now issue, status *string) (x transition, moving bool, err error) {
	if status == nil || *status == "" {
		return transition{}, false, nil
	}
	goal := t.c.target(*status)
	if goal.reached(now.value("status")) {
		return transition{}, false, nil
	}
	var answer struct {
		Transitions []transition `json:"transitions"`
	}
	err = t.do(ctx, call{endpoint: endTransitions, path: transitionsPath(now), query: url.Values{"expand": {"transitions.fields"}}}, &answer)
	if err != nil {
		return transition{}, false, err
	}
	usable := slices.DeleteFunc(answer.Transitions, func(x transition) bool { return x.Available != nil && !*x.Available })
	chosen, ok := goal.choose(usable)
	if !ok {
		return transition{}, false, t.permanent("status %s: no transition leads there from %q; reachable: %s. Map it under status_map of integration %s, or add a transition in Jira",
			goal.asked, now.value("status").Name, reachable(usable), t.c.config.Name)
	}
	return chosen, true, nil
}

func transitionsPath(i issue) string { return "/issue/" + url.PathEscape(i.ID) + "/transitions" }

// take makes a transition.
func (t *turn) take(ctx context.Context, now issue, x transition, fields map[string]any) error {
	body := map[string]any{"transition": map[string]any{"id": x.ID}}
	if len(fields) > 0 {
		body["fields"] = fields
	}
	return t.conflict(t.do(ctx, call{endpoint: endTransition, path: transitionsPath(now), body: body, issue: now.ID}, nil))
}

// conflict: a transition that is refused because somebody else just made one is
// tried again, from reading the issue on.
func (t *turn) conflict(err error) error {
	e, ok := errors.AsType[*ticket.Error](err)
	if ok && e.Status == 400 && strings.Contains(e.Message, "is not valid for this issue") {
		again := *e
		again.Kind = ticket.Retry
		return &again
	}
	return err
}

func reachable(all []transition) string {
	if len(all) == 0 {
		return "none (the user may lack the permission Transition issues)"
	}
	var names []string
	for _, x := range all {
		names = append(names, fmt.Sprintf("%s (by %s)", x.To.Name, x.Name))
	}
	return strings.Join(names, ", ")
}

// screenFields fills the fields that a transition asks for.
func (t *turn) screenFields(x transition, p ticket.Patch, custom map[string]any) (map[string]any, []string, error) {
	fields, missing := map[string]any{}, []string{}
	var warnings []string
	for id, meta := range x.Fields {
		value, given := custom[id]
		switch {
		case given && value != nil:
			fields[id] = value
		case id == "resolution":
			name, warning := resolution(p.Resolution, meta)
			if name != "" {
				fields[id] = map[string]any{"name": name}
			}
			if warning != "" {
				warnings = append(warnings, warning)
			}
			if name == "" && meta.Required && !meta.HasDefault {
				missing = append(missing, meta.Name)
			}
		case meta.Required && !meta.HasDefault:
			missing = append(missing, fmt.Sprintf("%s (%s)", meta.Name, id))
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return nil, nil, t.permanent("transition %q wants fields that were not given: %s. Give them as custom fields, or take them off the transition's screen", x.Name, strings.Join(missing, ", "))
	}
	return fields, warnings, nil
}

// resolutionNames are Jira's usual names for a request's completion reason.
func resolutionNames(reason string) []string {
	switch plainWord(reason) {
	case "solved", "workaround":
		return []string{"Done", "Fixed", "Resolved"}
	case "gone":
		return []string{"Cannot Reproduce", "Done"}
	case "duplicate":
		return []string{"Duplicate"}
	case "withdrawn", "noreply", "conflict":
		return []string{"Won't Do", "Won't Fix", "Incomplete", "Declined"}
	case "rejected", "declined":
		return []string{"Declined", "Won't Do", "Won't Fix"}
	case "unsolvable":
		return []string{"Cannot Reproduce", "Won't Fix", "Won't Do"}
	default:
		return nil
	}
}

// resolution picks the site's resolution for what was given: itself, its usual
// names, else the usual one, else the first that the screen allows.
func resolution(given *string, meta fieldMeta) (name, warning string) {
	if given == nil && (!meta.Required || meta.HasDefault) {
		return "", ""
	}
	asked := ""
	if given != nil {
		asked = *given
	}
	for _, candidate := range append([]string{asked}, resolutionNames(asked)...) {
		for _, allowed := range meta.Allowed {
			if candidate != "" && (strings.EqualFold(allowed.Name, candidate) || allowed.ID == candidate) {
				return allowed.Name, ""
			}
		}
	}
	if len(meta.Allowed) == 0 {
		return "", ""
	}
	name = meta.Allowed[0].Name
	if slices.ContainsFunc(meta.Allowed, func(r named) bool { return r.Name == usualResolution }) {
		name = usualResolution
	}
	if asked != "" {
		warning = fmt.Sprintf("resolution: the site has no %q: %q was set", asked, name)
	}
	return name, warning
}

// usualResolution is what a new site sets where nobody chooses.
const usualResolution = "Done"

// equalJSON compares a wanted value with what the issue holds now.
func equalJSON(want any, have json.RawMessage) bool {
	a, err := json.Marshal(want)
	if err != nil {
		return false
	}
	var x, y any
	if json.Unmarshal(a, &x) != nil {
		return false
	}
	if len(have) > 0 && json.Unmarshal(have, &y) != nil {
		return false
	}
	return contains(y, x)
}

// contains: Jira answers objects with more members than were set.
func contains(have, want any) bool {
	switch w := want.(type) {
	case map[string]any:
		h, ok := have.(map[string]any)
		if !ok {
			return false
		}
		for name, value := range w {
			if !contains(h[name], value) {
				return false
			}
		}
		return true
	case []any:
		h, ok := have.([]any)
		if !ok || len(h) != len(w) {
			return false
		}
		for i := range w {
			if !contains(h[i], w[i]) {
				return false
			}
		}
		return true
	default:
		return have == want
	}
}
