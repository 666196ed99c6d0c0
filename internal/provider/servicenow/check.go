package servicenow

import (
	"context"
	"strings"
)

// Check finds out whether the integration can work: ServiceNow knows its account,
// the table exists, extends the application's and is seen with correlation_id, so
// do those that custom_field_mappings name, with the columns that are mapped, the
// staging table coalesces and the default creator is an active user, as far as that
// can be seen, and the states that status_map names are there. The error says what
// to do.
func (c *Client) Check(ctx context.Context) error {
	t, err := c.begin("check integration " + c.config.Name)
	if err != nil {
		return err
	}
	defer t.end()
	if err := t.seesTickets(ctx); err != nil {
		return err
	}
	table := c.config.DefaultProject
	for _, name := range c.fieldTables() {
		if err := t.checkTable(ctx, name); err != nil {
			return err
		}
	}
	if err := t.checkImport(ctx); err != nil {
		return err
	}
	if err := t.checkCreator(ctx); err != nil {
		return err
	}
	for status := range c.config.StatusMap {
		if _, err := t.goal(ctx, table, status); err != nil {
			return err
		}
	}
	return nil
}

// checkTable: the table can be read, holds tickets and has the mapped columns.
func (t *turn) checkTable(ctx context.Context, table string) error {
	if _, err := t.window(ctx, table, query{}.text(), []string{"sys_id"}, 1, 0); err != nil {
		return err
	}
	known, err := t.table(ctx, table)
	if err != nil {
		return err
	}
	for _, m := range t.c.config.CustomFieldMappings {
		path, ok := t.c.mapping(m.Name, table)
		here := m.ProjectID == table || m.ProjectID == "*" && table == t.c.config.DefaultProject
		if !ok || len(known) == 0 || !here {
			continue
		}
		first, _, deeper := strings.Cut(path, ".")
		about, there := known[first]
		switch {
		case !there:
			return t.permanent("custom_field_mappings: %s: table %s has no column %s", m.Name, table, first)
		case deeper && about.reference == "":
			return t.permanent("custom_field_mappings: %s: column %s of table %s is no reference: nothing lies behind it", m.Name, first, table)
		}
	}
	return nil
}
