package servicenow

import (
	"context"
	"strings"
)

// reference finds the record that a text stands for: by its sys_id, or by what
// people see of it; a person by e-mail address or user name too.
func (t *turn) reference(ctx context.Context, path, table, text string) (id, reason string, err error) {
	if isID(text) {
		return text, "", nil
	}
	unknown := table + " has none, or more than one, by the name " + text
	if table == "sys_user" {
		id, unknown, err = t.personOrWarning(ctx, path, text)
		if err != nil || id != "" || strings.Contains(text, "@") {
			return id, unknown, err
		}
	}
	if !isName(table) {
		return "", "the dictionary does not say of which table it is", nil
	}
	column, err := t.displayColumn(ctx, table)
	if err != nil {
		return "", "", err
	}
	id, err = t.idOf(ctx, table, column, text, query{})
	switch {
	case err == nil && id == "":
		return "", unknown, nil
	case err != nil && closedToUs(err):
		return "", text + " could not be looked up: " + err.Error(), nil
	}
	return id, "", err
}

// references finds the records of a list, separated by commas.
func (t *turn) references(ctx context.Context, path, table, text string) (ids, reason string, err error) {
	var found []string
	for name := range strings.SplitSeq(text, ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		id, reason, err := t.reference(ctx, path, table, name)
		if err != nil || reason != "" {
			return "", reason, err
		}
		found = append(found, id)
	}
	return strings.Join(found, ","), "", nil
}

// displayColumn is the column that stands for a table's records.
func (t *turn) displayColumn(ctx context.Context, table string) (string, error) {
	known, err := t.dictionary(ctx, table)
	if err != nil {
		return "", err
	}
	for _, usual := range []string{"name", "number"} {
		if known[usual].display {
			return usual, nil
		}
	}
	for name, about := range known {
		if about.display {
			return name, nil
		}
	}
	if _, named := known["name"]; !named && len(known) > 0 {
		if _, numbered := known["number"]; numbered {
			return "number", nil
		}
	}
	return "name", nil
}
