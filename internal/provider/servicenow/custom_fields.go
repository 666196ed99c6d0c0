package servicenow

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
)

// path is the column of a mapping, without the table that people write before it,
// and with dots for slashes.
func (c Config) path(m CustomFieldMapping) string {
	path := strings.ReplaceAll(m.ProviderFieldPath, "/", ".")
	for _, table := range []string{m.ProjectID, c.DefaultProject, c.Application.table, "incident", "task"} {
		if rest, ok := strings.CutPrefix(path, table+"."); ok && table != "" {
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
			return c.config.path(m), true
		case m.ProjectID == "*" && general == "":
			general = c.config.path(m)
		}
	}
	if general == "" && isOwn(name) {
		general = name
	}
	return general, general != ""
}

// isOwn: a column that a tenant added.
func isOwn(name string) bool {
	return (strings.HasPrefix(name, "u_") || strings.HasPrefix(name, "x_")) && isName(name)
}

// isKept: a column that a custom field does not set: the platform's, the journals,
// and those by which tickets are found again.
func isKept(name string) bool {
	return strings.HasPrefix(name, "sys_") ||
		slices.Contains([]string{"number", "correlation_id", "correlation_display", journalComments, journalNotes}, name)
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
		path, err := t.settable(name, table, known)
		if err != nil {
			return nil, nil, err
		}
		about, there := known[path]
		if len(known) > 0 && !there {
			left[name] = "table " + table + " has no column " + path
			continue
		}
		text, reason, err := t.fit(ctx, table, path, about, values[name])
		switch wrong, misfit := errors.AsType[misfit](err); {
		case misfit:
			return nil, nil, t.permanent("custom_fields.%s: column %s: %v", name, path, wrong)
		case err != nil:
			return nil, nil, err
		case reason != "":
			left[name] = reason
			continue
		}
		if narrow := cutTo(text, about); narrow != text {
			left[name] = "too long for column " + path + ", and cut there"
			text = narrow
		}
		set[path] = text
	}
	return set, left, nil
}

// settable is the column that a custom field sets.
func (t *turn) settable(name, table string, known map[string]column) (string, error) {
	path, ok := t.c.mapping(name, table)
	if _, column := known[name]; !ok && column {
		path, ok = name, true
	}
	switch {
	case !ok:
		return "", t.permanent("custom_fields.%s: table %s has no such mapping: add it to custom_field_mappings of integration %s, or use a column's name (u_...)", name, table, t.c.config.Name)
	case strings.Contains(path, "."):
		return "", t.permanent("custom_fields.%s: %s leads through a reference: such a column can be read only", name, path)
	case isKept(path):
		return "", t.permanent("custom_fields.%s: column %s is set by the platform, or by ticketbridge itself", name, path)
	}
	return path, nil
}

// cutTo cuts a text to the width of its column, visibly.
func cutTo(text string, about column) string {
	if about.length <= 0 || !about.isText() {
		return text
	}
	return cut(text, about.length, "…")
}

// readCustomFields answers the mapped columns by their names, as the JSON values
// that their types are.
func (c *Client) readCustomFields(r record) map[string]any {
	out := map[string]any{}
	for _, m := range c.config.CustomFieldMappings {
		path, ok := c.mapping(m.Name, r.text("sys_class_name"))
		if v := r[path]; ok && v.Value != "" {
			out[m.Name] = c.natural(r, path)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// readOwn adds to the unmapped attributes the tenant's own columns that no mapping names.
func (c *Client) readOwn(r record, unmapped map[string]any) {
	taken := map[string]bool{}
	for _, m := range c.config.CustomFieldMappings {
		if path, ok := c.mapping(m.Name, r.text("sys_class_name")); ok {
			taken[path] = true
		}
	}
	for name, v := range r {
		if isOwn(name) && !taken[name] && v.Value != "" {
			unmapped[name] = c.natural(r, name)
		}
	}
}

// natural is a column's value as JSON has it.
func (c *Client) natural(r record, path string) any {
	about, ok := c.knownAt(r.text("sys_class_name"), path)
	if !ok {
		about, _ = c.knownAt(c.config.DefaultProject, path)
	}
	return about.natural(r[path])
}

const (
	// maxOwn and maxOwnText bound the tenant's own columns that are read with a
	// ticket: how many, and how long their names are in all.
	maxOwn     = 40
	maxOwnText = 1200
)

// ownColumns are the tenant's columns of a table that are read with its tickets.
func (c *Client) ownColumns(table string) []string {
	var out []string
	length := 0
	known := c.known(table)
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if !isOwn(name) || known[name].isLarge() || len(out) == maxOwn || length+len(name) > maxOwnText {
			continue
		}
		out = append(out, name)
		length += len(name)
	}
	return out
}

// learn reads the dictionary as far as the columns of a table's tickets are
// concerned: without it values are texts.
func (t *turn) learn(ctx context.Context, table string) error {
	if !isName(table) {
		return nil
	}
	if _, err := t.dictionary(ctx, table); err != nil {
		return err
	}
	for _, m := range t.c.config.CustomFieldMappings {
		if path, ok := t.c.mapping(m.Name, table); ok {
			if _, err := t.about(ctx, table, path); err != nil {
				return err
			}
		}
	}
	return nil
}

// about describes the column at the end of a path through references; nothing of
// one that the dictionary does not have.
func (t *turn) about(ctx context.Context, table, path string) (column, error) {
	for range maxLevels {
		known, err := t.dictionary(ctx, table)
		name, rest, deeper := strings.Cut(path, ".")
		if err != nil || !deeper {
			return known[name], err
		}
		if table, path = known[name].reference, rest; !isName(table) {
			break
		}
	}
	return column{}, nil
}

// own reads a record from its own table, where it was read from one above: only
// there are its own columns seen and set.
func (t *turn) own(ctx context.Context, in row) (row, error) {
	class := in.text("sys_class_name")
	if class == in.table || !isName(class) {
		return in, nil
	}
	if err := t.learn(ctx, class); err != nil {
		return in, err
	}
	found, err := t.recordOf(ctx, class, in.text("sys_id"))
	if closedToUs(err) && err != nil {
		return in, nil
	}
	return row{found, class}, err
}

// hasOwn: a mapping is for this table alone.
func (c *Client) hasOwn(table string) bool {
	return slices.ContainsFunc(c.config.CustomFieldMappings, func(m CustomFieldMapping) bool { return m.ProjectID == table })
}
