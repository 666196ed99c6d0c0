package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// memberFlags are a ticket's members as flags.
type memberFlags struct {
	texts  map[string]*string
	tags   []string
	fields []string
}

// textMembers are the flags of members that are texts, with their names in JSON.
func textMembers() [][3]string {
	return [][3]string{
		{"name", "name", "the title"},
		{"summary", "summary", "a summary, where it says other than the title"},
		{"description", "description", "the description, in Markdown"},
		{"priority", "priority", "URGENT, CRITICAL, HIGH, MEDIUM, MODERATE, LOW or PLANNING"},
		{"status", "status", "the provider's own word"},
		{"assignee", "assignee", "an e-mail address, or the provider's own id"},
		{"creator", "creator", "who creates it, where the provider takes that"},
		{"contact", "contact", "whom it concerns"},
		{"due", "due_date", "a time like 2026-03-04T12:00:00Z, or a day"},
		{"project", "project", "default: the integration's default_project"},
		{"type", "issue_type", "default: the integration's default_issue_type"},
		{"parent", "parent", "the ticket that it is part of"},
	}
}

func (f *memberFlags) add(cmd *cobra.Command) {
	f.texts = map[string]*string{}
	for _, member := range textMembers() {
		f.texts[member[0]] = cmd.Flags().String(member[0], "", member[2])
	}
	cmd.Flags().StringArrayVar(&f.tags, "tag", nil, "a tag; may be repeated")
	cmd.Flags().StringArrayVar(&f.fields, "field", nil, "a custom field as `NAME=VALUE`, the value JSON or else a text; may be repeated")
}

// members are those that were given, by their names in JSON; fields are the custom
// ones.
func (f *memberFlags) members(cmd *cobra.Command) (members, fields map[string]any, err error) {
	members, fields = map[string]any{}, map[string]any{}
	for _, member := range textMembers() {
		if cmd.Flags().Changed(member[0]) {
			members[member[1]] = textOf(member[1], *f.texts[member[0]])
		}
	}
	if cmd.Flags().Changed("tag") {
		members["tags"] = f.tags
	}
	for _, field := range f.fields {
		name, value, ok := strings.Cut(field, "=")
		if !ok || name == "" {
			return nil, nil, usageError{fmt.Errorf("--field %q: want NAME=VALUE", field)}
		}
		fields[name] = typed(value)
	}
	return members, fields, nil
}

// textOf is a text member as the API takes it.
func textOf(member, value string) string {
	switch {
	case member == "priority":
		return strings.ToUpper(value)
	case member == "due_date" || member == "completion_date":
		if day, err := time.Parse(time.DateOnly, value); err == nil {
			return day.Format(time.RFC3339)
		}
	}
	return value
}

// typed is a value as JSON, or the text that it is.
func typed(text string) any {
	var value any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&value); err != nil || d.More() {
		return text
	}
	return value
}

// jsonFile reads a JSON body from a file, or - for standard input.
func jsonFile(cmd *cobra.Command, file string, into any) error {
	data, err := readInput(cmd.InOrStdin(), file)
	if err != nil {
		return usageError{err}
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return usageError{fmt.Errorf("%s: %w", file, err)}
	}
	return nil
}

// newTicket is the body of a new ticket: the file's, with the flags put in.
func newTicket(cmd *cobra.Command, file string, flags *memberFlags) (map[string]any, error) {
	body := map[string]any{}
	if file != "" {
		if err := jsonFile(cmd, file, &body); err != nil {
			return nil, err
		}
	}
	members, fields, err := flags.members(cmd)
	if err != nil {
		return nil, err
	}
	maps.Copy(body, members)
	if len(fields) > 0 {
		custom, _ := body["custom_fields"].(map[string]any)
		if custom == nil {
			custom = map[string]any{}
		}
		maps.Copy(custom, fields)
		body["custom_fields"] = custom
	}
	if len(body) == 0 {
		return nil, usageError{errors.New("the ticket has no members; give --name, or --file")}
	}
	return body, nil
}

// patchOperation is one of a JSON Patch.
type patchOperation map[string]any

// patchFlags say what to change.
type patchFlags struct {
	file         string
	sets, unsets []string
	// members are those that have flags of their own, and custom fields.
	members func(cmd *cobra.Command) (members, fields map[string]any, err error)
}

func (f *patchFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.file, "file", "f", "", "read a JSON Patch, a list of operations, from this file (- for standard input)")
	cmd.Flags().StringArrayVar(&f.sets, "set", nil, "a member as `PATH=VALUE`, like custom_fields/colour=red; may be repeated")
	cmd.Flags().StringArrayVar(&f.unsets, "unset", nil, "the `PATH` of a member to clear; may be repeated")
}

// patch is the JSON Patch: the file's operations, then the flags'.
func (f *patchFlags) patch(cmd *cobra.Command) ([]patchOperation, error) {
	var all []patchOperation
	if f.file != "" {
		if err := jsonFile(cmd, f.file, &all); err != nil {
			return nil, err
		}
	}
	changes, err := f.changes(cmd)
	if err != nil {
		return nil, err
	}
	if all = append(all, changes...); len(all) == 0 {
		return nil, usageError{errors.New("nothing to change; give --set PATH=VALUE, a flag for a member, or --file")}
	}
	return all, nil
}

func (f *patchFlags) changes(cmd *cobra.Command) ([]patchOperation, error) {
	members, fields, err := f.members(cmd)
	if err != nil {
		return nil, err
	}
	all := append(replacing("/", members), replacing("/custom_fields/", fields)...)
	for _, set := range f.sets {
		path, value, ok := strings.Cut(set, "=")
		if !ok || path == "" {
			return nil, usageError{fmt.Errorf("--set %q: want PATH=VALUE, like status=Done", set)}
		}
		op := "replace"
		if strings.HasSuffix(path, "/-") { // behind the last one of a list
			op = "add"
		}
		all = append(all, patchOperation{"op": op, "path": pointer(path), "value": valueAt(path, value)})
	}
	for _, path := range f.unsets {
		all = append(all, patchOperation{"op": "remove", "path": pointer(path)})
	}
	return all, nil
}

// replacing are operations in the order of their names, so that the same command
// is the same write.
func replacing(prefix string, values map[string]any) []patchOperation {
	var all []patchOperation
	for _, name := range slices.Sorted(maps.Keys(values)) {
		escaped := strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		all = append(all, patchOperation{"op": "replace", "path": prefix + escaped, "value": values[name]})
	}
	return all
}

// pointer is a path as a JSON Pointer; the first slash may be left out.
func pointer(path string) string { return "/" + strings.TrimPrefix(path, "/") }

// valueAt is a value as the member takes it: texts as they are typed, a list of
// tags and custom fields as JSON where they are that.
func valueAt(path, value string) any {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch {
	case first == "custom_fields":
		return typed(value)
	case first == "tags" && strings.Trim(path, "/") == "tags":
		if list, ok := typed(value).([]any); ok {
			return list
		}
		return strings.FieldsFunc(value, func(r rune) bool { return r == ',' })
	default:
		return textOf(first, value)
	}
}

func encodeBody(body any) ([]byte, error) {
	if body == nil {
		return nil, nil
	}
	return json.Marshal(body)
}

// rawJSON is an answer as it is printed with -o json.
func rawJSON(body []byte) any { return json.RawMessage(body) }
