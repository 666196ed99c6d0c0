package servicenow

import (
	"context"
	"slices"
	"strconv"
	"strings"
)

// choicesOf are the options of a column: the tenant's own, those of the table
// itself before those that it inherits. They are read in English, as all labels
// here; none where the account may not read them.
func (t *turn) choicesOf(ctx context.Context, table, element string) ([]choice, error) {
	return t.c.choices.Get(table+"."+element, func() ([]choice, error) {
		names, err := t.chain(ctx, table)
		if err != nil {
			return nil, err
		}
		rows, _, err := t.list(ctx, "sys_choice",
			query{}.among("name", names).where("element", "=", element).where("inactive", "=", "false").where("language", "=", "en"),
			columnsOfChoices(), maxDictionary)
		if err != nil && !closedToUs(err) {
			return nil, err
		}
		return ownChoices(rows, names, element), nil
	})
}

func columnsOfChoices() []string { return []string{"name", "element", "value", "label", "sequence"} }

// ownChoices are the options that the first table of a chain has for a column.
func ownChoices(rows []record, names []string, element string) []choice {
	for _, name := range names {
		if own := choicesIn(rows, name, element); len(own) > 0 {
			return own
		}
	}
	return nil
}

func choicesIn(rows []record, table, element string) []choice {
	rows = slices.DeleteFunc(slices.Clone(rows), func(r record) bool { return r.text("name") != table || r.text("element") != element })
	slices.SortStableFunc(rows, func(a, b record) int { return sequence(a) - sequence(b) })
	var out []choice
	for _, r := range rows {
		out = append(out, choice{Value: r.text("value"), Label: r["label"].Value})
	}
	return out
}

func sequence(r record) int {
	n, _ := strconv.Atoi(r.text("sequence")) // unordered ones come first
	return n
}

// choose finds an option by its label or value.
func choose(options []choice, word string) (choice, bool) {
	for _, match := range []func(choice) bool{
		func(c choice) bool { return strings.EqualFold(c.Label, word) },
		func(c choice) bool { return strings.EqualFold(c.Value, word) },
	} {
		if i := slices.IndexFunc(options, match); i >= 0 && word != "" {
			return options[i], true
		}
	}
	return choice{}, false
}

func labels(options []choice) string {
	var out []string
	for _, o := range options {
		out = append(out, o.Label+" ("+o.Value+")")
	}
	return strings.Join(out, ", ")
}
