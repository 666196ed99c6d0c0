package servicenow

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

const (
	// defaultProjects and maxProjects are the sizes of a page of projects.
	defaultProjects = 50
	maxProjects     = 200
	// maxTables bounds the tables that are looked at.
	maxTables = 1000
)

// ticketTable is a table of tickets.
type ticketTable struct{ name, label, super string }

// tables are those of an application: its own first, the others by label.
type tables []ticketTable

func (all tables) label(name string) string {
	for _, t := range all {
		if t.name == name {
			return t.label
		}
	}
	return ""
}

// below are tables with all that extend them.
func (all tables) below(names []string) []string {
	out := slices.Clone(names)
	for i := 0; i < len(out); i++ {
		for _, t := range all {
			if t.super == out[i] && !slices.Contains(out, t.name) {
				out = append(out, t.name)
			}
		}
	}
	return out
}

// tables finds the application's, level by level. Where the account may not read
// the list of tables they are those that the configuration names.
func (t *turn) tables(ctx context.Context) (tables, error) {
	return t.c.tables.Get("", func() (tables, error) {
		columns := []string{"sys_id", "name", "label", "super_class", "super_class.name"}
		rows, _, err := t.list(ctx, "sys_db_object", query{}.where("name", "=", t.c.app.table), columns, 2)
		var all tables
		for level := 0; err == nil && len(rows) > 0 && len(all) < maxTables && level < maxLevels; level++ {
			var ids []string
			for _, r := range rows {
				found := ticketTable{r.text("name"), cmp.Or(r["label"].Value, r.text("name")), r.text("super_class.name")}
				if isName(found.name) && all.label(found.name) == "" && (level > 0 || found.name == t.c.app.table) {
					all = append(all, found)
					ids = append(ids, r.text("sys_id"))
				}
			}
			rows, err = t.extending(ctx, ids, columns)
		}
		if err != nil && !closedToUs(err) {
			return nil, err
		}
		if len(all) == 0 {
			return t.c.configuredTables(), nil
		}
		slices.SortFunc(all[1:], ticketTable.compare)
		return all, nil
	})
}

// extending are the rows of the tables that extend some others.
func (t *turn) extending(ctx context.Context, ids, columns []string) ([]record, error) {
	var out []record
	for chunk := range slices.Chunk(ids, 50) {
		rows, _, err := t.list(ctx, "sys_db_object", query{}.among("super_class", chunk), columns, maxTables)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			if slices.Contains(chunk, r.text("super_class")) { // a condition may have been ignored
				out = append(out, r)
			}
		}
	}
	return out, nil
}

func (t ticketTable) compare(other ticketTable) int {
	return cmp.Or(cmp.Compare(fold(t.label), fold(other.label)), cmp.Compare(t.name, other.name))
}

func (c *Client) configuredTables() tables {
	all := tables{{name: c.app.table, label: c.app.table}}
	named := []string{c.config.DefaultProject}
	for _, m := range c.config.CustomFieldMappings {
		named = append(named, m.ProjectID)
	}
	slices.Sort(named)
	for _, name := range slices.Compact(named) {
		if isName(name) && name != c.app.table {
			all = append(all, ticketTable{name, name, c.app.table})
		}
	}
	return all
}

// tableNamed finds a table by its name or label.
func (t *turn) tableNamed(ctx context.Context, all tables, word string) (string, error) {
	for _, known := range all {
		if known.name == strings.ToLower(word) || fold(known.label) == fold(word) {
			return known.name, nil
		}
	}
	return strings.ToLower(word), t.extends(ctx, strings.ToLower(word))
}

// ListProjects lists the tables that hold the application's tickets: its own
// first, then those that extend it, by label. Limit is 50 where it is 0, at most
// 200. A project's ID is the table's name, as in Ticket.Project. An account that
// may not read sys_db_object is answered the tables that the configuration names.
func (c *Client) ListProjects(ctx context.Context, cursor string, limit int) (ticket.Page[ticket.Project], error) {
	t, err := c.begin("list tables of " + c.app.table)
	if err != nil {
		return ticket.Page[ticket.Project]{}, err
	}
	defer t.end()
	after, ok := readTableCursor(cursor)
	if !ok {
		return ticket.Page[ticket.Project]{}, ticket.RefusedFor("cursor", cursor, t.permanent("cursor: not one of this list's pages: give it back as it was answered"))
	}
	all, err := t.tables(ctx)
	if err != nil {
		return ticket.Page[ticket.Project]{}, err
	}
	if limit <= 0 {
		limit = defaultProjects
	}
	limit = min(limit, maxProjects)
	page, at := ticket.Page[ticket.Project]{}, ticketTable{}
	for i, found := range all {
		if cursor != "" && (i == 0 || after.name != all[0].name && found.compare(after) <= 0) {
			continue
		}
		if len(page.Items) == limit {
			page.Cursor = at.cursor()
			break
		}
		page.Items = append(page.Items, found.model())
		at = found
	}
	return page, nil
}

func (t ticketTable) model() ticket.Project {
	out := ticket.Project{ID: t.name, Name: t.label}
	if t.super != "" {
		out.Unmapped = map[string]any{"extends": t.super}
	}
	return out
}

// cursor tells behind which table a page goes on, whatever comes or goes meanwhile.
func (t ticketTable) cursor() string {
	text, err := json.Marshal([]string{t.name, t.label})
	if err != nil {
		return "" // texts can be written
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func readTableCursor(cursor string) (ticketTable, bool) {
	if cursor == "" {
		return ticketTable{}, true
	}
	var read []string
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || json.Unmarshal(text, &read) != nil || len(read) != 2 || !isName(read[0]) {
		return ticketTable{}, false
	}
	return ticketTable{name: read[0], label: read[1]}, true
}
