package servicenow

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// column is a column as the dictionary describes it.
type column struct {
	kind, reference string
	length          int
}

// maxDictionary bounds what is read of the dictionary and of the choices.
const maxDictionary = 2000

// chain is a table with all that it extends, itself first, as far as the account
// may see.
func (t *turn) chain(ctx context.Context, table string) ([]string, error) {
	return t.c.chains.Get(table, func() ([]string, error) {
		var names []string
		for name := table; name != "" && len(names) < 10; {
			rows, _, err := t.list(ctx, "sys_db_object", query{}.where("name", "=", name), []string{"name", "super_class.name"}, 2)
			if err != nil && !closedToUs(err) {
				return nil, err
			}
			rows = slices.DeleteFunc(rows, func(r record) bool { return r.text("name") != name })
			if len(rows) != 1 {
				break
			}
			names = append(names, name)
			name = rows[0].text("super_class.name")
		}
		if len(names) > 0 {
			return names, nil
		}
		return slices.Compact([]string{table, t.c.app.table, "task"}), nil
	})
}

// closedToUs: the account may not read a table that only helps.
func closedToUs(err error) bool {
	switch ticket.KindOf(err) {
	case ticket.Credentials, ticket.NotFound, ticket.Permanent:
		return true
	default:
		return false
	}
}

// table describes the columns of a table, inherited ones included; nothing where
// the account may not read the dictionary.
func (t *turn) table(ctx context.Context, table string) (map[string]column, error) {
	return t.c.columns.Get(table, func() (map[string]column, error) {
		names, err := t.chain(ctx, table)
		if err != nil {
			return nil, err
		}
		rows, _, err := t.list(ctx, "sys_dictionary",
			query{}.among("name", names).where("element", "ISNOTEMPTY", "").where("internal_type", "!=", "collection"),
			[]string{"name", "element", "internal_type", "max_length", "reference"}, maxDictionary)
		if err != nil && !closedToUs(err) {
			return nil, err
		}
		out := map[string]column{}
		for _, name := range slices.Backward(names) { // the table's own rows win
			for _, r := range rows {
				if r.text("name") == name {
					length, _ := strconv.Atoi(r.text("max_length")) // 0: not known
					out[r.text("element")] = column{kind: r.text("internal_type"), reference: r.text("reference"), length: length}
				}
			}
		}
		return out, nil
	})
}

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
			[]string{"name", "element", "value", "label", "sequence"}, maxDictionary)
		if err != nil && !closedToUs(err) {
			return nil, err
		}
		for _, name := range names {
			if own := choicesIn(rows, name, element); len(own) > 0 {
				return own, nil
			}
		}
		return nil, nil
	})
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
