package jira

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// fieldSchema is the type of a field's values.
type fieldSchema struct {
	Type   string `json:"type"`
	Items  string `json:"items"`
	Custom string `json:"custom"`
	System string `json:"system"`
}

// richText: fields of several lines hold documents.
func (s fieldSchema) richText() bool {
	return strings.HasSuffix(s.Custom, ":textarea") || s.System == "environment" || s.System == "description" || s.Type == "doc"
}

// oneLine: short texts hold 255 characters and no line break.
func (s fieldSchema) oneLine() bool { return strings.HasSuffix(s.Custom, ":textfield") }

// fieldPath is where a custom field's value lives: a field, and what is in it.
type fieldPath struct {
	field  string
	within []string
}

func parsePath(text string) fieldPath {
	parts := strings.FieldsFunc(text, func(r rune) bool { return r == '.' || r == '/' })
	if len(parts) > 1 && parts[0] == "fields" {
		parts = parts[1:]
	}
	if len(parts) == 0 {
		return fieldPath{}
	}
	return fieldPath{field: parts[0], within: parts[1:]}
}

// mapping finds where name lives in a project: a mapping for that project, one
// for all, or the name itself where it is a custom field's id.
func (c *Client) mapping(name string, in project) (fieldPath, bool) {
	var general *CustomFieldMapping
	for i, m := range c.config.CustomFieldMappings {
		if m.Name != name {
			continue
		}
		if m.ProjectID != "*" && (m.ProjectID == in.ID || m.ProjectID == in.Key) {
			return parsePath(m.ProviderFieldPath), true
		}
		if m.ProjectID == "*" && general == nil {
			general = &c.config.CustomFieldMappings[i]
		}
	}
	if general != nil {
		return parsePath(general.ProviderFieldPath), true
	}
	if digits, ok := strings.CutPrefix(name, "customfield_"); ok && leadingDigits(digits) > 0 {
		return parsePath(name), true
	}
	return fieldPath{}, false
}

// customFields are the fields of a create or edit for values by name.
func (t *turn) customFields(ctx context.Context, values map[string]any, in project) (map[string]any, error) {
	out := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		path, ok := t.c.mapping(name, in)
		if !ok || path.field == "" {
			return nil, t.permanent("custom_fields.%s: project %s has no such mapping: add it to custom_field_mappings of integration %s, or use Jira's field id (customfield_N)", name, in.Key, t.c.config.Name)
		}
		value, err := t.fieldValue(ctx, name, path, values[name])
		if err != nil {
			return nil, err
		}
		if before, ok := out[path.field].(map[string]any); ok {
			if more, ok := value.(map[string]any); ok {
				maps.Copy(before, more)
				continue
			}
		}
		out[path.field] = value
	}
	return out, nil
}

// fieldValue puts a value into the form that Jira wants for the field's type.
func (t *turn) fieldValue(ctx context.Context, name string, path fieldPath, value any) (any, error) {
	if value == nil {
		return nil, nil
	}
	schemas, err := t.schemas(ctx)
	if err != nil {
		return nil, err
	}
	schema := schemas[path.field]
	if path.ofOption(schema) {
		path.within = nil // options are written by their value anyway
	}
	var shaped any
	if len(path.within) == 0 {
		shaped, err = t.shape(ctx, schema, value)
	} else {
		shaped, err = path.enclose(schema, value)
	}
	if _, calling := errors.AsType[*ticket.Error](err); err != nil && !calling {
		return nil, t.permanent("custom_fields.%s: %v", name, err)
	}
	return shaped, err
}

// ofOption: the path leads to the value of an option, or of a list of them.
func (p fieldPath) ofOption(schema fieldSchema) bool {
	option := schema.Type == "option" || schema.Type == "array" && schema.Items == "option"
	return option && len(p.within) == 1 && p.within[0] == "value"
}

// enclose puts a value where the path leads, into every member of a list.
func (p fieldPath) enclose(schema fieldSchema, value any) (any, error) {
	items, list := value.([]any)
	switch {
	case slices.ContainsFunc(p.within, isNumber):
		return nil, fmt.Errorf("it is mapped to one member of a list (%s), which can be read only", strings.Join(p.within, "."))
	case !list && schema.Type != "array":
		return p.around(value), nil
	case !list:
		items = []any{value}
	case schema.Type != "array" && schema.Type != "":
		return nil, fmt.Errorf("the field takes one value, not %s", plainValue(value))
	}
	out := make([]any, len(items))
	for i, item := range items {
		out[i] = p.around(item)
	}
	return out, nil
}

func (p fieldPath) around(value any) any {
	for _, member := range slices.Backward(p.within) {
		value = map[string]any{member: value}
	}
	return value
}

func isNumber(step string) bool { _, err := strconv.Atoi(step); return err == nil }

func (t *turn) schemas(ctx context.Context) (map[string]fieldSchema, error) {
	return t.c.fieldTypes.Get("", func() (map[string]fieldSchema, error) {
		var fields []struct {
			ID     string      `json:"id"`
			Schema fieldSchema `json:"schema"`
		}
		if err := t.do(ctx, call{endpoint: endFields, path: "/field"}, &fields); err != nil {
			return nil, err
		}
		out := map[string]fieldSchema{}
		for _, f := range fields {
			out[f.ID] = f.Schema
		}
		return out, nil
	})
}

func (t *turn) shape(ctx context.Context, schema fieldSchema, value any) (any, error) {
	if items, ok := value.([]any); ok && schema.Type == "array" {
		out := make([]any, 0, len(items))
		for _, it := range items {
			shaped, err := t.shape(ctx, fieldSchema{Type: schema.Items}, it)
			if err != nil {
				return nil, err
			}
			out = append(out, shaped)
		}
		return out, nil
	}
	word, ok := scalar(value)
	if !ok {
		return value, wantsScalar(schema, value)
	}
	switch {
	case schema.richText():
		return toADF(fitText(word)), nil
	case schema.Type == "array":
		return t.shape(ctx, schema, []any{value})
	}
	return t.shapeScalar(ctx, schema, value, word)
}

// wantsScalar: an object is taken for Jira's own form, where Jira has one.
func wantsScalar(schema fieldSchema, value any) error {
	kind := ""
	switch _, list := value.([]any); {
	case schema.richText():
		return nil
	case schema.Type == "number":
		kind = "a number"
	case schema.Type == "date":
		kind = "a date, YYYY-MM-DD"
	case schema.Type == "datetime":
		kind = "a time, RFC 3339"
	case schema.Type == "string":
		kind = "a text"
	case list && (schema.Type == "option" || schema.Type == "user"):
		kind = "one value"
	default:
		return nil
	}
	return fmt.Errorf("the field takes %s, not %s", kind, plainValue(value))
}

func (t *turn) shapeScalar(ctx context.Context, schema fieldSchema, value any, word string) (any, error) {
	switch schema.Type {
	case "number":
		n, err := strconv.ParseFloat(word, 64)
		if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
			return nil, fmt.Errorf("%q is no number", word)
		}
		return n, nil
	case "date":
		at := parseTime(word)
		if at.IsZero() {
			return nil, fmt.Errorf("%q is no date: want YYYY-MM-DD", word)
		}
		return at.Format(time.DateOnly), nil
	case "datetime":
		at := parseTime(word)
		if at.IsZero() {
			return nil, fmt.Errorf("%q is no time: want RFC 3339", word)
		}
		return at.Format(timeLayout), nil
	case "option":
		return map[string]any{"value": word}, nil
	case "user":
		id, err := t.account(ctx, word)
		if err == nil && id == "" {
			err = fmt.Errorf("Jira knows nobody by %s", word)
		}
		return map[string]any{"accountId": id}, err
	case "group", "priority", "version", "component", "resolution":
		return map[string]any{"name": word}, nil
	case "string":
		if schema.oneLine() {
			return oneLine(word), nil
		}
		return word, nil
	default:
		return value, nil
	}
}

func scalar(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case int, int64, json.Number:
		return fmt.Sprint(v), true
	case time.Time:
		return v.Format(time.RFC3339), true
	default:
		return "", false
	}
}

// readCustomFields answers the mapped fields by their names, and the other
// custom fields that have a value by their ids.
func (c *Client) readCustomFields(i issue) map[string]any {
	in := i.project()
	out, taken := map[string]any{}, map[string]bool{}
	for _, m := range c.config.CustomFieldMappings {
		path, ok := c.mapping(m.Name, in)
		if _, done := out[m.Name]; !ok || done || m.ProjectID != "*" && m.ProjectID != in.ID && m.ProjectID != in.Key {
			continue
		}
		taken[path.field] = true
		if value := readValue(i.Fields[path.field], path.within); value != nil {
			out[m.Name] = value
		}
	}
	for field, raw := range i.Fields {
		if strings.HasPrefix(field, "customfield_") && !taken[field] {
			if value := readValue(raw, nil); value != nil {
				out[field] = value
			}
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// readValue is a field's value, or what is in it: documents become Markdown,
// options their value, times RFC 3339. A path goes into each member of a list,
// or by its number into one.
func readValue(raw json.RawMessage, within []string) any {
	var value any
	if json.Unmarshal(raw, &value) != nil {
		return nil
	}
	for _, member := range within {
		value = memberOf(value, member)
	}
	return simple(value)
}

func memberOf(value any, member string) any {
	switch v := value.(type) {
	case map[string]any:
		return v[member]
	case []any:
		if n, err := strconv.Atoi(member); err == nil {
			if n < 0 || n >= len(v) {
				return nil
			}
			return v[n]
		}
		var out []any
		for _, item := range v {
			if inner := memberOf(item, member); inner != nil {
				out = append(out, inner)
			}
		}
		if out != nil {
			return out
		}
	}
	return nil
}

func simple(value any) any {
	switch v := value.(type) {
	case string:
		if at, err := time.Parse(timeLayout, v); err == nil {
			return at.UTC().Format(time.RFC3339Nano)
		}
	case []any:
		for i, item := range v {
			v[i] = simple(item)
		}
	case map[string]any:
		if v["type"] == "doc" {
			return richValue(v)
		}
		if option, ok := v["value"]; ok {
			return option
		}
	}
	return value
}

// richValue is a document that came as part of a value.
func richValue(doc map[string]any) any {
	raw, err := json.Marshal(doc)
	if err != nil {
		return doc
	}
	return richText(raw)
}
