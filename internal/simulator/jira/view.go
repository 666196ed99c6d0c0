package jira

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// view is an issue as the API shows it: the fields asked for, and properties.
func (s *Simulator) view(i *Issue, fields, properties []string) map[string]any {
	out := map[string]any{"id": i.ID, "key": i.Key, "self": "/rest/api/3/issue/" + i.ID}
	all := s.fields(i)
	shown := map[string]any{}
	for name, value := range all {
		all := len(fields) == 0 || slices.Contains(fields, "*all") || slices.Contains(fields, "*navigable")
		if (all || slices.Contains(fields, name)) && !slices.Contains(fields, "-"+name) {
			shown[name] = value
		}
	}
	out["fields"] = shown
	if len(properties) > 0 {
		set := map[string]any{}
		for _, key := range properties {
			if value, ok := i.Properties[key]; ok {
				set[key] = value
			}
		}
		out["properties"] = set
	}
	return out
}

func (s *Simulator) fields(i *Issue) map[string]any {
	p := s.project(i.Project)
	out := map[string]any{
		"summary": i.Summary, "description": orNull(i.Description), "labels": emptyNotNull(i.Labels),
		"priority":   map[string]any{"name": i.Priority, "id": priorityID(i.Priority)},
		"status":     statusView(i.Status),
		"issuetype":  map[string]any{"name": i.Type},
		"project":    map[string]any{"id": p.ID, "key": p.Key, "name": p.Name, "projectTypeKey": p.Type},
		"assignee":   s.userView(i.Assignee),
		"reporter":   s.userView(i.Reporter),
		"creator":    s.userView(i.Creator),
		"created":    stamp(i.Created),
		"updated":    stamp(i.Updated),
		"duedate":    textOrNull(i.DueDate),
		"resolution": nil, "resolutiondate": nil, "parent": nil,
		"attachment": s.attachmentViews(i), "components": []any{}, "comment": s.commentPage(i, 0, 20),
	}
	if i.Resolution != "" {
		out["resolution"] = map[string]any{"name": i.Resolution}
	}
	if !i.Resolved.IsZero() {
		out["resolutiondate"] = stamp(i.Resolved)
	}
	if i.Parent != "" {
		out["parent"] = map[string]any{"id": s.state.Keys[i.Parent], "key": i.Parent}
	}
	for field := range customFields() {
		out[field] = orNull(i.Custom[field])
	}
	return out
}

func emptyNotNull(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func orNull(raw json.RawMessage) any {
	if len(raw) == 0 {
		return nil
	}
	return raw
}

func textOrNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func (s *Simulator) userView(id string) any {
	if id == "" {
		return nil
	}
	u := s.user(id)
	if u == nil {
		return map[string]any{"accountId": id, "displayName": "Former user", "active": false}
	}
	out := map[string]any{"accountId": u.AccountID, "displayName": u.Name, "active": u.Active, "accountType": "atlassian"}
	if !u.HideEmail {
		out["emailAddress"] = u.Email
	}
	return out
}

func (s *Simulator) searchUsers(x *exchange) answer {
	query := strings.ToLower(x.r.URL.Query().Get("query"))
	id := x.r.URL.Query().Get("accountId")
	if query == "" && id == "" {
		return refuse(400, nil, "query is missing")
	}
	out := []any{}
	for _, u := range s.options.Users {
		if query == "" && u.AccountID == id || query != "" && (strings.HasPrefix(strings.ToLower(u.Email), query) || strings.HasPrefix(strings.ToLower(u.Name), query)) {
			out = append(out, s.userView(u.AccountID))
		}
	}
	return ok(out)
}

func (s *Simulator) myself(*exchange) answer {
	return ok(map[string]any{"accountId": "acc-bridge", "displayName": "ticketbridge", "timeZone": s.options.Zone.String(), "active": true})
}

func (s *Simulator) serverInfo(x *exchange) answer {
	base := s.options.BaseURL
	if base == "" {
		base = "http://" + x.r.Host
	}
	return ok(map[string]any{"baseUrl": base, "deploymentType": "Cloud"})
}

func (s *Simulator) getProject(x *exchange) answer {
	p := s.project(x.r.PathValue("project"))
	if p == nil {
		return refuse(404, nil, "No project could be found with key '"+x.r.PathValue("project")+"'.")
	}
	return ok(map[string]any{"id": p.ID, "key": p.Key, "name": p.Name, "projectTypeKey": p.Type})
}

func (s *Simulator) createTypes(x *exchange) answer {
	p := s.project(x.r.PathValue("project"))
	if p == nil {
		return absent("The project")
	}
	types := []any{}
	for n, kind := range p.IssueTypes {
		types = append(types, map[string]any{"id": typeID(n), "name": kind, "subtask": false})
	}
	return ok(map[string]any{"issueTypes": types, "startAt": 0, "maxResults": 50, "total": len(types)})
}

func (s *Simulator) createFields(x *exchange) answer {
	p := s.project(x.r.PathValue("project"))
	if p == nil {
		return absent("The project")
	}
	var fields []any
	for _, id := range append([]string{"summary", "description", "labels", "priority", "assignee", "reporter", "duedate", "parent", "project", "issuetype"},
		slices.Sorted(maps.Keys(customFields()))...) {
		if slices.Contains(p.OffScreen, id) {
			continue
		}
		kind := kindOf(id)
		field := map[string]any{
			"fieldId": id, "key": id, "name": kind.Name, "required": id == "summary", "hasDefaultValue": false,
			"operations": []string{"set"}, "schema": kind.schema(id),
		}
		if id == "priority" {
			field["allowedValues"] = priorities()
		} else if values := kind.allowed(); len(values) > 0 {
			field["allowedValues"] = values
		}
		fields = append(fields, field)
	}
	return ok(map[string]any{"fields": fields, "startAt": 0, "maxResults": 50, "total": len(fields)})
}

func (s *Simulator) listPriorities(*exchange) answer { return ok(priorities()) }

func priorities() []map[string]any {
	var out []map[string]any
	for _, name := range priorityNames() {
		out = append(out, map[string]any{"id": priorityID(name), "name": name})
	}
	return out
}

func priorityNames() []string { return []string{"Highest", "High", "Medium", "Low", "Lowest"} }

func priorityID(name string) string {
	n := slices.Index(priorityNames(), name)
	return string(rune('1' + n))
}

func priorityNamed(nameOrID string) string {
	for _, name := range priorityNames() {
		if strings.EqualFold(name, nameOrID) || nameOrID == priorityID(name) {
			return name
		}
	}
	return ""
}
