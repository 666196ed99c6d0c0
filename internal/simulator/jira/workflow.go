package jira

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Transition is an arrow of a workflow.
type Transition struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// From lists the statuses that it starts in; empty: all others.
	From []string `json:"from,omitempty"`
	To   string   `json:"to"`
	// Required are fields of its screen that must be given, Optional ones may.
	Required []string `json:"required,omitempty"`
	Optional []string `json:"optional,omitempty"`
}

// DefaultWorkflow is a new site's, with a resolution asked for on closing.
func DefaultWorkflow() []Transition {
	return []Transition{
		{ID: "11", Name: "Back to the start", To: "To Do"},
		{ID: "21", Name: "Start work", To: "In Progress"},
		{ID: "31", Name: "Wait", To: "Waiting"},
		{ID: "41", Name: "Finish", To: "Done", Required: []string{"resolution"}},
	}
}

// SetWorkflow replaces a project's.
func (s *Simulator) SetWorkflow(project string, workflow ...Transition) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.project(project); p != nil {
		p.Workflow = workflow
	}
}

func initialStatus(*Project) string { return "To Do" }

func categoryOf(status string) string {
	switch strings.ToLower(status) {
	case "to do", "open", "backlog", "new":
		return "new"
	case "done", "closed", "resolved", "canceled":
		return "done"
	default:
		return "indeterminate"
	}
}

func statusView(status string) map[string]any {
	return map[string]any{
		"id": "s-" + strings.ReplaceAll(strings.ToLower(status), " ", "-"), "name": status,
		"statusCategory": map[string]any{"key": categoryOf(status)},
	}
}

func resolutions() []string { return []string{"Done", "Won't Do", "Duplicate", "Cannot Reproduce"} }

// transitionsOf are those that an issue can take now.
func (s *Simulator) transitionsOf(i *Issue) []Transition {
	var out []Transition
	for _, t := range s.project(i.Project).Workflow {
		if t.To != i.Status && (len(t.From) == 0 || slices.Contains(t.From, i.Status)) {
			out = append(out, t)
		}
	}
	return out
}

func (s *Simulator) listTransitions(x *exchange) answer {
	i := s.issue(x.r.PathValue("issue"))
	if i == nil {
		return absent("Issue")
	}
	withFields := strings.Contains(x.r.URL.Query().Get("expand"), "transitions.fields")
	out := []any{}
	for _, t := range s.transitionsOf(i) {
		view := map[string]any{
			"id": t.ID, "name": t.Name, "to": statusView(t.To), "isAvailable": true,
			"hasScreen": len(t.Required)+len(t.Optional) > 0,
		}
		if withFields {
			fields := map[string]any{}
			for _, f := range t.Required {
				fields[f] = screenField(f, true)
			}
			for _, f := range t.Optional {
				fields[f] = screenField(f, false)
			}
			view["fields"] = fields
		}
		out = append(out, view)
	}
	return ok(map[string]any{"expand": "transitions", "transitions": out})
}

func screenField(id string, required bool) map[string]any {
	field := map[string]any{"key": id, "fieldId": id, "name": id, "required": required, "hasDefaultValue": false, "operations": []string{"set"}}
	if id == "resolution" {
		var values []any
		for n, name := range resolutions() {
			values = append(values, map[string]any{"id": string(rune('1' + n)), "name": name})
		}
		field["allowedValues"] = values
	}
	return field
}

func (s *Simulator) doTransition(x *exchange) answer {
	i := s.issue(x.r.PathValue("issue"))
	if i == nil {
		return absent("Issue")
	}
	var body issueBody
	if x.decode(&body) != nil || body.Transition == nil || body.Transition.ID == "" {
		return refuse(http.StatusBadRequest, nil, "Missing 'transition' identifier")
	}
	all := s.transitionsOf(i)
	n := slices.IndexFunc(all, func(t Transition) bool { return t.ID == body.Transition.ID })
	if n < 0 {
		return refuse(http.StatusBadRequest, nil, "Transition id '"+body.Transition.ID+"' is not valid for this issue.")
	}
	t := all[n]
	next := *i
	next.Custom = map[string]json.RawMessage{}
	for field, raw := range i.Custom {
		next.Custom[field] = raw
	}
	if problems := s.screenProblems(&next, t, body.Fields); len(problems) > 0 {
		return refuse(http.StatusBadRequest, problems)
	}
	return answer{status: http.StatusNoContent, commit: func(at time.Time) any {
		next.Comments, next.Attachments = i.Comments, i.Attachments
		moveTo(&next, t.To, at)
		*i = next
		return nil
	}}
}

// screenProblems sets the fields of a transition's screen.
func (s *Simulator) screenProblems(i *Issue, t Transition, given map[string]json.RawMessage) map[string]string {
	problems := map[string]string{}
	for _, field := range t.Required {
		if raw, ok := given[field]; !ok || string(raw) == "null" {
			problems[field] = field + " is required."
		}
	}
	for field, raw := range given {
		switch {
		case !slices.Contains(t.Required, field) && !slices.Contains(t.Optional, field):
			problems[field] = offScreen(field)
		case field == "resolution":
			if name := refer(raw); slices.Contains(resolutions(), name) {
				i.Resolution = name
			} else {
				problems[field] = "Resolution is invalid."
			}
		default:
			if err := s.setField(i, field, raw); err != nil {
				problems[field] = err.Error()
			}
		}
	}
	return problems
}

func moveTo(i *Issue, status string, at time.Time) {
	i.Status, i.Updated = status, at
	if categoryOf(status) == "done" {
		i.Resolved = at
		if i.Resolution == "" {
			i.Resolution = "Done"
		}
		return
	}
	i.Resolved, i.Resolution = time.Time{}, ""
}

// offScreen is what Jira says of a field that a screen does not have.
func offScreen(field string) string {
	return "Field '" + field + "' cannot be set. It is not on the appropriate screen, or unknown."
}
