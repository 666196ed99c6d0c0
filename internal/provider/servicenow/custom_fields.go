package servicenow

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// columnPath is a column without the table that people write before it, and with
// dots for slashes.
func columnPath(path, table string) string {
	path = strings.ReplaceAll(path, "/", ".")
	for _, prefix := range []string{table + ".", "incident.", "task."} {
		if rest, ok := strings.CutPrefix(path, prefix); ok {
			return rest
		}
	}
	return path
}

// mapping finds the column of a name in a table: a mapping for that table, one for
// all, or the name itself where it is a column of the tenant's own.
func (c *Client) mapping(name, table string) (string, bool) {
	general := ""
	for _, m := range c.config.CustomFieldMappings {
		switch {
		case m.Name != name:
		case m.ProjectID == table:
			return columnPath(m.ProviderFieldPath, c.app.table), true
		case m.ProjectID == "*" && general == "":
			general = columnPath(m.ProviderFieldPath, c.app.table)
		}
	}
	if general == "" && (strings.HasPrefix(name, "u_") || strings.HasPrefix(name, "x_")) && isName(name) {
		general = name
	}
	return general, general != ""
}

// customFields are the columns to set for values by name; what found no place is
// left, by name, with the reason.
func (t *turn) customFields(ctx context.Context, table string, values map[string]any) (set, left map[string]string, err error) {
	set, left = map[string]string{}, map[string]string{}
	if len(values) == 0 {
		return set, left, nil
	}
	known, err := t.table(ctx, table)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		path, ok := t.c.mapping(name, table)
		if !ok {
			return nil, nil, t.permanent("custom field %q: table %s has no such mapping: add it to custom_field_mappings of integration %s, or use the column's name (u_...)", name, table, t.c.config.Name)
		}
		if strings.Contains(path, ".") {
			return nil, nil, t.permanent("custom field %q: %s leads through a reference: such a column can be read only", name, path)
		}
		about, there := known[path]
		if len(known) > 0 && !there {
			left[name] = "table " + table + " has no column " + path
			continue
		}
		text, reason, err := t.shape(ctx, table, path, about, values[name])
		switch {
		case err != nil:
			return nil, nil, err
		case reason != "":
			left[name] = reason
		default:
			set[path] = text
		}
	}
	return set, left, nil
}

// shape puts a value into the form that the column stores. A value that cannot be
// one is an error; one that the instance does not know is left out for a reason.
func (t *turn) shape(ctx context.Context, table, path string, about column, given any) (text, reason string, err error) {
	text, err = plainValue(given)
	if err != nil {
		return "", "", t.permanent("custom field %s: %v", path, err)
	}
	if text == "" {
		return "", "", nil
	}
	wrong := func(want string) error { return t.permanent("custom field %s: %q: want %s", path, text, want) }
	switch about.kind {
	case "boolean":
		is, err := strconv.ParseBool(text)
		if err != nil {
			return "", "", wrong("true or false")
		}
		return strconv.FormatBool(is), "", nil
	case "glide_date_time", "due_date":
		at := parseTime(text)
		if at.IsZero() {
			return "", "", wrong("a time like 2026-03-04T12:00:00Z")
		}
		return formatTime(at), "", nil
	case "glide_date":
		at := parseTime(text)
		if at.IsZero() {
			return "", "", wrong("a date like 2026-03-04")
		}
		return at.Format(time.DateOnly), "", nil
	case "reference":
		return t.reference(ctx, path, about.reference, text)
	}
	options, err := t.choicesOf(ctx, table, path)
	if err != nil {
		return "", "", err
	}
	if found, ok := choose(options, text); ok {
		return found.Value, "", nil
	}
	if kind := about.kind; kind == "integer" || kind == "decimal" || kind == "float" {
		if _, err := strconv.ParseFloat(text, 64); err != nil {
			return "", "", wrong("a number")
		}
		return text, "", nil
	}
	if about.length > 0 {
		text = cut(clean(text), about.length, "…")
	}
	return text, "", nil
}

// reference finds the record that a text stands for.
func (t *turn) reference(ctx context.Context, path, table, text string) (id, reason string, err error) {
	if table == "sys_user" {
		return t.personOrWarning(ctx, path, text)
	}
	if isID(text) {
		return text, "", nil
	}
	id, err = t.idOf(ctx, table, "name", text, query{})
	switch {
	case err == nil && id == "":
		return "", table + " has none, or more than one, by the name " + text, nil
	case err != nil && closedToUs(err):
		return "", text + " could not be looked up: " + err.Error(), nil
	}
	return id, "", err
}

// plainValue is a value as text: ServiceNow's columns hold nothing else.
func plainValue(given any) (string, error) {
	switch v := given.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	case int, int64, json.Number:
		return fmt.Sprint(v), nil
	case time.Time:
		return v.Format(time.RFC3339), nil
	case []any:
		var parts []string
		for _, item := range v {
			text, err := plainValue(item)
			if err != nil {
				return "", err
			}
			parts = append(parts, text)
		}
		return strings.Join(parts, ","), nil
	default:
		return "", fmt.Errorf("%T: want a text, a number, true or false, or a list of these", given)
	}
}

// readCustomFields answers the mapped columns by their names.
func (c *Client) readCustomFields(r record) map[string]any {
	out := map[string]any{}
	for _, m := range c.config.CustomFieldMappings {
		path, ok := c.mapping(m.Name, r.text("sys_class_name"))
		if v := r[path]; ok && v.Value != "" {
			out[m.Name] = v.Display
			if parsed := parseTime(v.Value); !parsed.IsZero() {
				out[m.Name] = v.Value // what people see of a time is in their own zone
			}
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}
