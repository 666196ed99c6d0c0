package servicenow

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// column is a column as the dictionary describes it.
type column struct {
	kind, reference, label string
	length                 int
	// table is the one that has it of its own.
	table string
	// choice: people pick it from a list; only: nothing else can be stored.
	choice, only bool
	// mandatory columns without preset must be given.
	mandatory, readOnly, preset bool
	// display: it stands for its record.
	display bool
}

const (
	// maxDictionary bounds what is read of the dictionary and of the choices.
	maxDictionary = 2000
	// maxLevels bounds how far a table extends others.
	maxLevels = 10
)

// chain is a table with all that it extends, itself first. Where the account may
// not see how it goes on, the application's table and task are taken to be in it.
func (t *turn) chain(ctx context.Context, table string) ([]string, error) {
	return t.c.chains.Get(table, func() ([]string, error) {
		var names []string
		for name := table; name != "" && len(names) < maxLevels; {
			rows, _, err := t.list(ctx, "sys_db_object", query{}.where("name", "=", name), []string{"name", "super_class", "super_class.name"}, 2)
			if err != nil && !closedToUs(err) {
				return nil, err
			}
			rows = slices.DeleteFunc(rows, func(r record) bool { return r.text("name") != name })
			if len(rows) != 1 {
				break
			}
			names = append(names, name)
			if rows[0].has("super_class") && rows[0].text("super_class") == "" {
				return names, nil
			}
			name = rows[0].text("super_class.name")
		}
		for _, name := range []string{table, t.c.app.table, "task"} {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		return names, nil
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

// extends refuses a table whose records are no tickets of the application.
func (t *turn) extends(ctx context.Context, table string) error {
	if table == t.c.app.table {
		return nil
	}
	if !isName(table) {
		return t.permanent("project: %q: want the name of a table that extends %s", table, t.c.app.table)
	}
	names, err := t.chain(ctx, table)
	if err == nil && !slices.Contains(names, t.c.app.table) {
		err = t.permanent("project: table %s does not extend %s: list_projects names those that do (default_project of integration %s)", table, t.c.app.table, t.c.config.Name)
	}
	return err
}

// table describes the columns of a table of tickets, inherited ones included;
// nothing where the account may not read the dictionary.
func (t *turn) table(ctx context.Context, table string) (map[string]column, error) {
	if err := t.extends(ctx, table); err != nil {
		return nil, err
	}
	if err := t.learn(ctx, table); err != nil {
		return nil, err
	}
	return t.dictionary(ctx, table)
}

func columnsOfDictionary() []string {
	return []string{
		"name", "element", "column_label", "internal_type", "max_length", "reference", "choice", "mandatory",
		"read_only", "default_value", "display", "active",
	}
}

// dictionary describes the columns of any table.
func (t *turn) dictionary(ctx context.Context, table string) (map[string]column, error) {
	return t.c.columns.Get(table, func() (map[string]column, error) {
		names, err := t.chain(ctx, table)
		if err != nil {
			return nil, err
		}
		rows, _, err := t.list(ctx, "sys_dictionary",
			query{}.among("name", names).where("element", "ISNOTEMPTY", "").where("internal_type", "!=", "collection"),
			columnsOfDictionary(), maxDictionary)
		if err != nil && !closedToUs(err) {
			return nil, err
		}
		out := map[string]column{}
		for _, name := range slices.Backward(names) { // the table's own rows win
			for _, r := range rows {
				if r.text("name") == name && isName(r.text("element")) && r.text("active") != "false" {
					out[r.text("element")] = readColumn(r, out[r.text("element")].table)
				}
			}
		}
		return out, nil
	})
}

// readColumn reads a row of the dictionary; inherited is the table that has the
// column, where a table above it has.
func readColumn(r record, inherited string) column {
	length, _ := strconv.Atoi(r.text("max_length")) // 0: not known
	how := r.text("choice")
	c := column{
		kind: r.text("internal_type"), reference: r.text("reference"), label: r["column_label"].Value, length: length,
		table: inherited, choice: how == "1" || how == "2" || how == "3", only: how == "1" || how == "3",
		mandatory: r.text("mandatory") == "true", readOnly: r.text("read_only") == "true",
		preset: r.text("default_value") != "", display: r.text("display") == "true",
	}
	if inherited == "" {
		c.table = r.text("name")
	}
	return c
}

var errNotRead = errors.New("the dictionary was not read")

// known are a table's columns as far as they were read lately; no call is made.
func (c *Client) known(table string) map[string]column {
	columns, err := c.columns.Get(table, func() (map[string]column, error) { return nil, errNotRead })
	if err != nil {
		return nil
	}
	return columns
}

// knownAt is the column at the end of a path through references, as far as known.
func (c *Client) knownAt(table, path string) (column, bool) {
	name, rest, deeper := strings.Cut(path, ".")
	about, ok := c.known(table)[name]
	if !ok || !deeper {
		return about, ok
	}
	return c.knownAt(about.reference, rest)
}
