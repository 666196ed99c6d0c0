package mock

import (
	"cmp"
	"context"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// defaultShortPage is the page of projects and policies without a limit.
const defaultShortPage = 50

// ListProjects lists the preset projects and those that have tickets, by name.
func (c *Client) ListProjects(ctx context.Context, cursor string, limit int) (ticket.Page[ticket.Project], error) {
	a := reading(opListProjects, "list projects")
	return call(ctx, c, a, func(m *memory) (ticket.Page[ticket.Project], error) {
		after, ok := parsePlace(cursor)
		if !ok {
			return ticket.Page[ticket.Project]{}, a.wrongCursor(cursor)
		}
		out := ticket.Page[ticket.Project]{Items: []ticket.Project{}}
		for _, p := range c.projects(m) {
			if cursor != "" && placeOf(p) <= after {
				continue
			}
			if len(out.Items) == shortLimit(limit) {
				last := out.Items[len(out.Items)-1]
				out.Cursor = placeCursor(last)
				break
			}
			out.Items = append(out.Items, p)
		}
		return out, nil
	})
}

func shortLimit(limit int) int {
	if limit <= 0 {
		return defaultShortPage
	}
	return min(limit, MaxPage)
}

// placeOf is where a project stands in the list.
func placeOf(p ticket.Project) string { return strings.ToLower(p.Name) + "\x00" + p.ID }

func (a act) wrongCursor(cursor string) error {
	return ticket.RefusedFor("cursor", cursor, a.permanent("cursor: not one of this list: begin it again, without a cursor"))
}

// placePrefix tells a cursor from other texts.
const placePrefix = "after:"

func placeCursor(p ticket.Project) string {
	return base64.RawURLEncoding.EncodeToString([]byte(placePrefix + placeOf(p)))
}

// parsePlace is the place that a cursor names; empty for the beginning.
func parsePlace(cursor string) (string, bool) {
	if cursor == "" {
		return "", true
	}
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	place, ours := strings.CutPrefix(string(text), placePrefix)
	return place, err == nil && ours && strings.Contains(place, "\x00")
}

func (c *Client) projects(m *memory) []ticket.Project {
	all := presetProjects()
	known := map[string]bool{}
	for _, p := range all {
		known[p.ID] = true
	}
	add := func(id string) {
		if !known[id] {
			known[id] = true
			all = append(all, ticket.Project{ID: id, Name: id})
		}
	}
	add(c.config.DefaultProject)
	for _, r := range m.tickets {
		add(r.fields.project)
	}
	slices.SortFunc(all, func(x, y ticket.Project) int { return cmp.Compare(placeOf(x), placeOf(y)) })
	return all
}

// QueryEscalationPolicies lists the preset policies; they can be filtered and
// ordered by id, name and description.
func (c *Client) QueryEscalationPolicies(ctx context.Context, q ticket.Query) (ticket.Page[ticket.EscalationPolicy], error) {
	a := reading(opQueryPolicies, "list escalation policies")
	none := ticket.Page[ticket.EscalationPolicy]{}
	selects, err := conditions(a, q.Filters, policyField)
	if err != nil {
		return none, err
	}
	compare, err := ordering(a, q.Orders, policyField)
	if err != nil {
		return none, err
	}
	from := 0
	if q.Cursor != "" {
		if from, err = strconv.Atoi(q.Cursor); err != nil || from < 1 {
			return none, a.wrongCursor(q.Cursor)
		}
	}
	return call(ctx, c, a, func(*memory) (ticket.Page[ticket.EscalationPolicy], error) {
		all := slices.DeleteFunc(presetPolicies(), func(p policy) bool { return !selects(p) })
		slices.SortStableFunc(all, compare)
		out := ticket.Page[ticket.EscalationPolicy]{Items: []ticket.EscalationPolicy{}}
		if from > 0 && from >= len(all) { // a list that ends there has no cursor
			return none, a.wrongCursor(q.Cursor)
		}
		to := min(len(all), from+shortLimit(q.Limit))
		for _, p := range all[from:to] {
			out.Items = append(out.Items, p.EscalationPolicy)
		}
		if to < len(all) {
			out.Cursor = strconv.Itoa(to)
		}
		return out, nil
	})
}

func policyField(name string) (field[policy], error) {
	known := policyFields()
	f, ok := known[name]
	if !ok {
		return f, unknown(known, "")
	}
	return f, nil
}

func policyFields() map[string]field[policy] {
	text := func(of func(p policy) string) field[policy] {
		return field[policy]{texts(), func(p policy) []string { return []string{of(p)} }}
	}
	return map[string]field[policy]{
		"id":          text(func(p policy) string { return p.ID }),
		"name":        text(func(p policy) string { return p.Name }),
		"description": text(func(p policy) string { return p.Description }),
	}
}

// ListOnCall tells who is on call by a preset policy: always the same.
func (c *Client) ListOnCall(ctx context.Context, policyID string) ([]ticket.Agent, error) {
	a := reading(opListOnCall, "list who is on call by policy %s", policyID)
	return call(ctx, c, a, func(*memory) ([]ticket.Agent, error) {
		all := presetPolicies()
		i := slices.IndexFunc(all, func(p policy) bool { return p.ID == policyID })
		if i < 0 {
			return nil, a.notFound("there is no such policy")
		}
		return all[i].onCall, nil
	})
}
