package mock

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// pathOf is a path with dots between its steps.
func pathOf(path string) string {
	steps := strings.FieldsFunc(path, func(r rune) bool { return r == '/' || r == '.' })
	return strings.Join(steps, ".")
}

// mapping finds the path of a name in a project: a mapping for the very project,
// one for all, or, where nothing maps the name, the name itself.
func (c *Client) mapping(name, project string) (path string, ok bool) {
	general, elsewhere := "", false
	for _, m := range c.config.CustomFieldMappings {
		switch {
		case m.Name != name:
		case m.ProjectID == project:
			return pathOf(m.ProviderFieldPath), true
		case m.ProjectID == "*":
			general = pathOf(m.ProviderFieldPath)
		default:
			elsewhere = true
		}
	}
	if general == "" && !elsewhere {
		general = pathOf(name)
	}
	return general, general != ""
}

// setCustom sets values by name; nil clears one.
func (c *Client) setCustom(a act, f *fields, values map[string]any) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		path, ok := c.mapping(name, f.project)
		if !ok {
			return a.permanent("custom_fields.%s: custom_field_mappings of integration %s has it for other projects only, not for %s", name, c.config.Name, f.project)
		}
		value, err := plainJSON(values[name])
		if err != nil {
			return a.permanent("custom_fields.%s: the value is not one that JSON can hold", name)
		}
		if value, err = typed(a, path, value); err != nil {
			return err
		}
		if value == nil {
			delete(f.custom, path)
			continue
		}
		if f.custom == nil {
			f.custom = map[string]any{}
		}
		f.custom[path] = value
	}
	return nil
}

// typed checks a value of one of the preset fields; others hold anything.
func typed(a act, path string, value any) (any, error) {
	field, ok := presetField(path)
	if !ok || value == nil {
		return value, nil
	}
	text := textOf(value)
	switch {
	case field.number:
		read, err := plainJSON(json.RawMessage(text))
		if _, is := read.(json.Number); err != nil || !is {
			return nil, a.permanent("custom field %s: %q: want a number", path, text)
		}
		return read, nil
	case len(field.options) > 0:
		i := slices.IndexFunc(field.options, func(o string) bool { return strings.EqualFold(o, text) })
		if i < 0 {
			return nil, a.permanent("custom field %s: %q: want one of %s", path, text, strings.Join(field.options, ", "))
		}
		return field.options[i], nil
	}
	return text, nil
}

// namedFields are a ticket's custom fields by the names that its project has for
// their paths, and by the path where it has none.
func (c *Client) namedFields(f fields) map[string]any {
	if len(f.custom) == 0 {
		return nil
	}
	out, named := map[string]any{}, map[string]bool{}
	for _, m := range c.config.CustomFieldMappings {
		path, ok := c.mapping(m.Name, f.project)
		value, there := f.custom[path]
		if ok && there {
			out[m.Name] = cloneJSON(value)
			named[path] = true
		}
	}
	for path, value := range f.custom {
		if !named[path] {
			out[path] = cloneJSON(value)
		}
	}
	return out
}

// plainJSON is a value as JSON has it; numbers keep all their digits.
func plainJSON(value any) (any, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var out any
	err = decoder.Decode(&out)
	return out, err
}

func cloneJSON(value any) any {
	switch v := value.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = cloneJSON(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for name := range v {
			out[name] = cloneJSON(v[name])
		}
		return out
	default:
		return v
	}
}

// textOf is a value as a filter compares it: objects as JSON.
func textOf(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	default:
		data, err := json.Marshal(v)
		if err != nil { // it came from JSON
			return ""
		}
		return string(data)
	}
}

// textsOf are the texts of a list's items, or of the one value.
func textsOf(value any) []string {
	items, ok := value.([]any)
	if !ok {
		return []string{textOf(value)}
	}
	var out []string
	for _, item := range items {
		out = append(out, textOf(item))
	}
	return out
}

func sizeOf(value any) int { return valueBytes + len(textOf(value)) }
