package servicenow

import (
	"context"
	"slices"
)

// Check finds out whether the integration can work: ServiceNow knows its account,
// the table exists, extends the application's and is seen with correlation_id, and
// the states that status_map names are there. The error says what to do.
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
	if table != c.app.table {
		if _, _, err := t.list(ctx, table, query{}, []string{"sys_id"}, 1); err != nil {
			return err
		}
		if names, err := t.chain(ctx, table); err != nil {
			return err
		} else if !slices.Contains(names, c.app.table) {
			return t.permanent("default_project: table %s does not extend %s", table, c.app.table)
		}
	}
	known, err := t.table(ctx, table)
	if err != nil {
		return err
	}
	for _, m := range c.config.CustomFieldMappings {
		path := columnPath(m.ProviderFieldPath, c.app.table)
		if _, there := known[path]; len(known) > 0 && !there && isName(path) && (m.ProjectID == "*" || m.ProjectID == table) {
			return t.permanent("custom_field_mappings: %s: table %s has no column %s", m.Name, table, path)
		}
	}
	for status := range c.config.StatusMap {
		if _, err := t.goal(ctx, table, status); err != nil {
			return err
		}
	}
	return nil
}
