package jira

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
)

// fieldKind is the type of a field.
type fieldKind struct {
	Name, Type, Items, Custom string
	// Options are the values of a choice.
	Options []string
	// Project is the key of the project that it belongs to alone.
	Project string
}

// customFields are those of the site, one of each kind that matters.
func customFields() map[string]fieldKind {
	const plugin = "com.atlassian.jira.plugin.system.customfieldtypes:"
	return map[string]fieldKind{
		"customfield_10010": {Name: "Severity", Type: "option", Custom: plugin + "select", Options: []string{"red", "amber", "green"}},
		"customfield_10011": {Name: "Source", Type: "string", Custom: plugin + "textfield"},
		"customfield_10012": {Name: "Runbook", Type: "string", Custom: plugin + "textarea"},
		"customfield_10013": {Name: "Count", Type: "number", Custom: plugin + "float"},
		"customfield_10014": {Name: "Sites", Type: "array", Items: "option", Custom: plugin + "multiselect", Options: []string{"lon", "ber", "nyc"}},
		"customfield_10015": {Name: "Owner", Type: "user", Custom: plugin + "userpicker"},
		"customfield_10016": {Name: "Began", Type: "datetime", Custom: plugin + "datetime"},
		"customfield_10017": {Name: "Sprint goal", Type: "string", Custom: plugin + "textfield", Project: "DEV"},
	}
}

// kindOf is the type of any field.
func kindOf(id string) fieldKind {
	if kind, ok := customFields()[id]; ok {
		return kind
	}
	kinds := map[string]fieldKind{
		"summary": {Name: "Summary", Type: "string"}, "description": {Name: "Description", Type: "string"},
		"labels": {Name: "Labels", Type: "array", Items: "string"}, "priority": {Name: "Priority", Type: "priority"},
		"assignee": {Name: "Assignee", Type: "user"}, "reporter": {Name: "Reporter", Type: "user"},
		"duedate": {Name: "Due date", Type: "date"}, "parent": {Name: "Parent", Type: "issuelink"},
		"project": {Name: "Project", Type: "project"}, "issuetype": {Name: "Issue Type", Type: "issuetype"},
		"created": {Name: "Created", Type: "datetime"}, "status": {Name: "Status", Type: "status"},
	}
	return kinds[id]
}

func (f fieldKind) schema(id string) map[string]any {
	schema := map[string]any{"type": f.Type}
	if f.Items != "" {
		schema["items"] = f.Items
	}
	if f.Custom == "" {
		schema["system"] = id
	} else {
		schema["custom"] = f.Custom
	}
	return schema
}

func (f fieldKind) allowed() []map[string]any {
	var out []map[string]any
	for n, option := range f.Options {
		out = append(out, map[string]any{"id": fmt.Sprint(20000 + n), "value": option})
	}
	return out
}

func (s *Simulator) listFields(*exchange) answer {
	out := []any{}
	ids := append([]string{"summary", "description", "labels", "priority", "assignee", "reporter", "duedate", "parent", "project", "issuetype", "created", "status"},
		slices.Sorted(maps.Keys(customFields()))...)
	for _, id := range ids {
		kind := kindOf(id)
		field := map[string]any{"id": id, "key": id, "name": kind.Name, "custom": kind.Custom != "", "schema": kind.schema(id)}
		if p := s.project(kind.Project); p != nil {
			field["scope"] = map[string]any{"type": "PROJECT", "project": map[string]any{"id": p.ID, "key": p.Key}}
		}
		out = append(out, field)
	}
	return ok(out)
}

func (f fieldKind) check(raw json.RawMessage) error {
	if strings.HasSuffix(f.Custom, ":textarea") {
		return CheckDocument(raw)
	}
	var text string
	if strings.HasSuffix(f.Custom, ":textfield") && json.Unmarshal(raw, &text) == nil && len(utf16.Encode([]rune(text))) > 255 {
		return fmt.Errorf("The entered text is too long. It exceeds the allowed limit of 255 characters.")
	}
	if err := checkKind(f.Type, f.Items, raw); err != nil {
		return err
	}
	for _, v := range customValues(raw) {
		if _, known := among(f.Options)(v); len(f.Options) > 0 && !known {
			return errorText("Option value '" + v + "' is not valid")
		}
	}
	return nil
}

func checkKind(kind, items string, raw json.RawMessage) error {
	var err error
	switch kind {
	case "number":
		var n float64
		err = json.Unmarshal(raw, &n)
	case "string":
		var text string
		err = json.Unmarshal(raw, &text)
	case "datetime":
		var text string
		if err = json.Unmarshal(raw, &text); err == nil {
			_, err = time.Parse(timeLayout, text)
		}
	case "option":
		var option struct{ Value, ID string }
		if err = json.Unmarshal(raw, &option); err == nil && option.Value == "" && option.ID == "" {
			return errorText("Option id 'null' is not valid")
		}
	case "user":
		var user reference
		if err = json.Unmarshal(raw, &user); err == nil && user.any() == "" {
			return errorText("Specify a valid user")
		}
	case "array":
		var parts []json.RawMessage
		if json.Unmarshal(raw, &parts) != nil {
			return errorText("data was not an array")
		}
		for _, part := range parts {
			if err := checkKind(items, "", part); err != nil {
				return err
			}
		}
	}
	if err != nil {
		return errorText("Operation value must be a " + kind)
	}
	return nil
}

// errorText is an error whose text is Jira's.
type errorText string

func (e errorText) Error() string { return string(e) }
