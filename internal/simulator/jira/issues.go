package jira

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
)

// issueBody is the body of a create or edit.
type issueBody struct {
	Fields     map[string]json.RawMessage              `json:"fields"`
	Update     map[string][]map[string]json.RawMessage `json:"update"`
	Properties []struct {
		Key   string          `json:"key"`
		Value json.RawMessage `json:"value"`
	} `json:"properties"`
	Transition *struct {
		ID string `json:"id"`
	} `json:"transition"`
}

// reference is a value that names something.
type reference struct {
	ID        string `json:"id"`
	Key       string `json:"key"`
	Name      string `json:"name"`
	AccountID string `json:"accountId"`
}

func (r reference) any() string {
	for _, v := range []string{r.Key, r.ID, r.Name, r.AccountID} {
		if v != "" {
			return v
		}
	}
	return ""
}

func refer(raw json.RawMessage) string {
	var r reference
	if json.Unmarshal(raw, &r) != nil {
		return ""
	}
	return r.any()
}

func (s *Simulator) createIssue(x *exchange) answer {
	var body issueBody
	if x.decode(&body) != nil {
		return refuse(http.StatusBadRequest, nil, "There was an error parsing JSON. Check that your request body is valid.")
	}
	p := s.project(refer(body.Fields["project"]))
	if p == nil {
		return refuseField("project", "valid project is required")
	}
	i := &Issue{Project: p.Key, Status: initialStatus(p), Priority: "Medium", Creator: "acc-bridge", Reporter: "acc-bridge"}
	kind := refer(body.Fields["issuetype"])
	if i.Type = issueTypeNamed(p, kind); i.Type == "" {
		return refuseField("issuetype", "Specify a valid issue type")
	}
	problems := map[string]string{}
	if _, ok := body.Fields["summary"]; !ok {
		problems["summary"] = "You must specify a summary of the issue."
	}
	for field, raw := range body.Fields {
		if field == "project" || field == "issuetype" {
			continue
		}
		if slices.Contains(p.OffScreen, field) {
			problems[field] = offScreen(field)
			continue
		}
		if err := s.setField(i, field, raw); err != nil {
			problems[field] = err.Error()
		}
	}
	if len(problems) > 0 {
		return refuse(http.StatusBadRequest, problems)
	}
	if err := setProperties(&i.Properties, body); err != nil {
		return refuse(http.StatusBadRequest, nil, err.Error())
	}
	host := x.r.Host
	return answer{status: http.StatusCreated, commit: func(at time.Time) any {
		if s.project(p.Key) == nil {
			return nil
		}
		s.add(i, at)
		return map[string]any{"id": i.ID, "key": i.Key, "self": self(host, "issue", i.ID)}
	}}
}

func self(host, kind, id string) string { return "http://" + host + "/rest/api/3/" + kind + "/" + id }

func issueTypeNamed(p *Project, nameOrID string) string {
	for n, kind := range p.IssueTypes {
		if strings.EqualFold(kind, nameOrID) || nameOrID == typeID(n) {
			return kind
		}
	}
	return ""
}

func typeID(n int) string { return fmt.Sprint(10100 + n) }

func setProperties(into *map[string]json.RawMessage, body issueBody) error {
	for _, p := range body.Properties {
		if p.Key == "" || len(p.Key) > 255 {
			return fmt.Errorf("property key must be 1 to 255 characters")
		}
		if len(p.Value) == 0 || len(p.Value) > 32768 {
			return fmt.Errorf("property %s: the value must be 1 to 32768 characters", p.Key)
		}
		if *into == nil {
			*into = map[string]json.RawMessage{}
		}
		(*into)[p.Key] = p.Value
	}
	return nil
}

// setField validates a field as Jira does, and sets it.
func (s *Simulator) setField(i *Issue, field string, raw json.RawMessage) error {
	empty := len(raw) == 0 || string(raw) == "null"
	switch field {
	case "summary":
		return setSummary(i, raw)
	case "description":
		return setDocument(&i.Description, raw, empty)
	case "labels":
		return setLabels(i, raw)
	case "priority":
		name := priorityNamed(refer(raw))
		if name == "" {
			return fmt.Errorf("Specify a valid 'id' or 'name' for Priority")
		}
		i.Priority = name
	case "assignee":
		return s.setUser(&i.Assignee, "assignee", raw, empty)
	case "reporter":
		return s.setUser(&i.Reporter, "reporter", raw, empty)
	case "duedate":
		return setDate(&i.DueDate, raw, empty)
	case "parent":
		return s.setParent(i, raw, empty)
	case "issuetype":
		name := issueTypeNamed(s.project(i.Project), refer(raw))
		if name == "" {
			return fmt.Errorf("The issue type selected is invalid.")
		}
		i.Type = name
	default:
		return setCustom(i, field, raw, empty)
	}
	return nil
}

func setSummary(i *Issue, raw json.RawMessage) error {
	var text string
	switch {
	case json.Unmarshal(raw, &text) != nil:
		return fmt.Errorf("Operation value must be a string")
	case strings.TrimSpace(text) == "":
		return fmt.Errorf("You must specify a summary of the issue.")
	case strings.ContainsAny(text, "\n\r"):
		return fmt.Errorf("The summary is invalid because it contains newline characters.")
	case len(utf16.Encode([]rune(text))) >= 255:
		return fmt.Errorf("Summary must be less than 255 characters.")
	}
	i.Summary = text
	return nil
}

func setDocument(into *json.RawMessage, raw json.RawMessage, empty bool) error {
	if empty {
		*into = nil
		return nil
	}
	if err := CheckDocument(raw); err != nil {
		return err
	}
	*into = raw
	return nil
}

func setLabels(i *Issue, raw json.RawMessage) error {
	var labels []string
	if json.Unmarshal(raw, &labels) != nil {
		return fmt.Errorf("data was not an array")
	}
	for _, l := range labels {
		if err := checkLabel(l); err != nil {
			return err
		}
	}
	i.Labels = labels
	return nil
}

func checkLabel(l string) error {
	switch {
	case strings.ContainsAny(l, " \t\n"):
		return fmt.Errorf("The label '%s' contains spaces which is invalid.", l)
	case len(utf16.Encode([]rune(l))) > 255:
		return fmt.Errorf("The label '%s' exceeds the maximum length for a single label (255).", l)
	case l == "":
		return fmt.Errorf("The label is empty.")
	}
	return nil
}

func (s *Simulator) setUser(into *string, field string, raw json.RawMessage, empty bool) error {
	if empty || string(raw) == `{"accountId":null}` {
		*into = ""
		return nil
	}
	u := s.user(refer(raw))
	if u == nil || !u.Active {
		return fmt.Errorf("%s: the user cannot be assigned issues.", field)
	}
	*into = u.AccountID
	return nil
}

func (s *Simulator) user(accountID string) *User {
	for n, u := range s.options.Users {
		if u.AccountID == accountID {
			return &s.options.Users[n]
		}
	}
	return nil
}

func setDate(into *string, raw json.RawMessage, empty bool) error {
	*into = ""
	if empty {
		return nil
	}
	if json.Unmarshal(raw, into) != nil {
		return fmt.Errorf("Operation value must be a string")
	}
	if _, err := time.Parse(time.DateOnly, *into); err != nil {
		return fmt.Errorf("Error parsing date string: %s", *into)
	}
	return nil
}

func (s *Simulator) setParent(i *Issue, raw json.RawMessage, empty bool) error {
	if empty {
		i.Parent = ""
		return nil
	}
	parent := s.issue(refer(raw))
	if parent == nil {
		return fmt.Errorf("Could not find issue by id or key.")
	}
	i.Parent = parent.Key
	return nil
}

func setCustom(i *Issue, field string, raw json.RawMessage, empty bool) error {
	schema, known := customFields()[field]
	if !known {
		return errors.New(offScreen(field))
	}
	if i.Custom == nil {
		i.Custom = map[string]json.RawMessage{}
	}
	if empty {
		delete(i.Custom, field)
		return nil
	}
	if err := schema.check(raw); err != nil {
		return err
	}
	i.Custom[field] = raw
	return nil
}

func (s *Simulator) getIssue(x *exchange) answer {
	i := s.issue(x.r.PathValue("issue"))
	if i == nil {
		return absent("Issue")
	}
	query := x.r.URL.Query()
	return ok(s.view(i, list(query["fields"]), list(query["properties"])))
}

// list splits what may come comma-separated or repeated.
func list(values []string) []string {
	return strings.FieldsFunc(strings.Join(values, ","), func(r rune) bool { return r == ',' })
}

func (s *Simulator) editIssue(x *exchange) answer {
	i := s.issue(x.r.PathValue("issue"))
	if i == nil {
		return absent("Issue")
	}
	var body issueBody
	if x.decode(&body) != nil || len(body.Fields)+len(body.Update)+len(body.Properties) == 0 {
		return refuse(http.StatusBadRequest, nil, "one of 'fields' or 'update' required")
	}
	next := *i
	next.Labels = slices.Clone(i.Labels)
	next.Custom = map[string]json.RawMessage{}
	for field, raw := range i.Custom {
		next.Custom[field] = raw
	}
	problems, lacking := map[string]string{}, []string{}
	if p := s.project(i.Project); p != nil {
		lacking = p.OffEdit
	}
	for field, raw := range body.Fields {
		if slices.Contains(lacking, field) {
			problems[field] = offScreen(field)
		} else if body.Update[field] != nil {
			problems[field] = "Field '" + field + "' cannot appear in both 'fields' and 'update'"
		} else if err := s.setField(&next, field, raw); err != nil {
			problems[field] = err.Error()
		}
	}
	for field, ops := range body.Update {
		if slices.Contains(lacking, field) {
			problems[field] = offScreen(field)
		} else if err := s.updateField(&next, field, ops); err != nil {
			problems[field] = err.Error()
		}
	}
	if len(problems) > 0 {
		return refuse(http.StatusBadRequest, problems)
	}
	return answer{status: http.StatusNoContent, commit: func(at time.Time) any {
		next.Updated, next.Comments, next.Attachments = at, i.Comments, i.Attachments
		*i = next
		return nil
	}}
}

func (s *Simulator) updateField(i *Issue, field string, ops []map[string]json.RawMessage) error {
	for _, op := range ops {
		for verb, raw := range op {
			var value string
			switch {
			case verb == "set":
				if err := s.setField(i, field, raw); err != nil {
					return err
				}
			case field != "labels" || json.Unmarshal(raw, &value) != nil:
				return fmt.Errorf("Field does not support update '%s'", verb)
			case verb == "add":
				if err := checkLabel(value); err != nil {
					return err
				}
				if !slices.Contains(i.Labels, value) {
					i.Labels = append(i.Labels, value)
				}
			case verb == "remove":
				i.Labels = slices.DeleteFunc(i.Labels, func(l string) bool { return l == value })
			}
		}
	}
	return nil
}

func (s *Simulator) bulkfetch(x *exchange) answer {
	var body struct {
		IDs        []string `json:"issueIdsOrKeys"`
		Fields     []string `json:"fields"`
		Properties []string `json:"properties"`
	}
	if x.decode(&body) != nil || len(body.IDs) == 0 || len(body.IDs) > 100 {
		return refuse(http.StatusBadRequest, nil, "issueIdsOrKeys must hold 1 to 100 entries")
	}
	var found []*Issue
	failed := []map[string]any{}
	for _, id := range body.IDs {
		i := s.issue(id)
		switch {
		case i == nil || slices.Contains(found, i):
		case i.Unanswered > 0:
			i.Unanswered--
			failed = append(failed, map[string]any{"id": i.ID, "errorMessage": "The issue could not be loaded just now."})
		default:
			found = append(found, i)
		}
	}
	slices.SortFunc(found, func(a, b *Issue) int { return number(a.ID) - number(b.ID) })
	issues := []any{}
	for _, i := range found {
		issues = append(issues, s.view(i, body.Fields, body.Properties))
	}
	return ok(map[string]any{"issues": issues, "issueErrors": failed})
}
