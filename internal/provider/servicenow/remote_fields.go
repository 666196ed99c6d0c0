package servicenow

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// maxFieldTables bounds the tables whose fields are listed.
const maxFieldTables = 10

// ListRemoteFields lists the columns of tickets, inherited ones included, with
// their options: as sys_dictionary, sys_dictionary_override and sys_choice have
// them for the default project and the tables that custom_field_mappings name, at
// most 10. A column that only one of these tables has names it as its Project.
// Columns of the tenant's own (u_, x_) are ticket_custom, and so are paths through
// references that are mapped. The list is remembered for a while.
//
// To an account that may not read the dictionary the columns of one record are
// listed, without types.
func (c *Client) ListRemoteFields(ctx context.Context) ([]ticket.RemoteField, error) {
	t, err := c.begin("list columns of " + c.config.DefaultProject)
	if err != nil {
		return nil, err
	}
	defer t.end()
	found, err := c.fields.Get("", func() ([]ticket.RemoteField, error) { return t.remoteFields(ctx) })
	return slices.Clone(found), err
}

// rank puts standard fields first.
func rank(f ticket.RemoteField) int {
	if f.Scope == ticket.ScopeStandard {
		return 0
	}
	return 1
}

// fieldTables are the tables whose columns are listed, the default project first.
func (c *Client) fieldTables() []string {
	out := []string{c.config.DefaultProject}
	for _, m := range c.config.CustomFieldMappings {
		if isName(m.ProjectID) && !slices.Contains(out, m.ProjectID) && len(out) < maxFieldTables {
			out = append(out, m.ProjectID)
		}
	}
	return out
}

func (t *turn) remoteFields(ctx context.Context) ([]ticket.RemoteField, error) {
	var out []ticket.RemoteField
	for _, table := range t.c.fieldTables() {
		fields, err := t.fieldsOf(ctx, table)
		if err != nil {
			return nil, err
		}
		for _, f := range fields {
			known := slices.ContainsFunc(out, func(o ticket.RemoteField) bool { return o.ID == f.ID && (o.Project == f.Project || o.Project == "") })
			if !known {
				out = append(out, f)
			}
		}
	}
	slices.SortFunc(out, func(a, b ticket.RemoteField) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Project, b.Project))
	})
	return out, nil
}

// fieldsOf lists the columns of one table.
func (t *turn) fieldsOf(ctx context.Context, table string) ([]ticket.RemoteField, error) {
	shared, err := t.table(ctx, table)
	if err != nil {
		return nil, err
	}
	if len(shared) == 0 {
		return t.fieldsOfRecord(ctx, table)
	}
	names, err := t.chain(ctx, table)
	if err != nil {
		return nil, err
	}
	columns := maps.Clone(shared)
	if err := t.override(ctx, names, columns); err != nil {
		return nil, err
	}
	rows, _, err := t.list(ctx, "sys_choice", query{}.among("name", names).where("inactive", "=", "false").where("language", "=", "en"), columnsOfChoices(), maxDictionary)
	if err != nil && !closedToUs(err) {
		return nil, err
	}
	var out []ticket.RemoteField
	for name, about := range columns {
		out = append(out, t.c.remoteField(name, about, ownChoices(rows, names, name)))
	}
	mapped, err := t.mappedPaths(ctx, table, columns)
	return append(out, mapped...), err
}

func (c *Client) remoteField(name string, about column, options []choice) ticket.RemoteField {
	out := ticket.RemoteField{
		ID: name, Name: cmp.Or(about.label, name), Scope: ticket.ScopeStandard, Path: name, NativeType: about.kind,
		Required: about.mandatory && !about.preset && !about.readOnly,
	}
	if isOwn(name) {
		out.Scope = ticket.ScopeTicketCustom
	}
	if about.table != c.app.table && about.table != "task" && about.table != "" {
		out.Project = about.table
	}
	for _, o := range options {
		out.Options = append(out.Options, ticket.FieldOption{ID: o.Value, Name: o.Label})
	}
	out.Type = about.fieldType(len(options) > 0)
	return out
}

// fieldType is the type in the model. Times are texts there.
func (c column) fieldType(options bool) string {
	switch {
	case c.choice || options:
		return ticket.FieldEnum
	case c.isNumber():
		return ticket.FieldNumber
	case c.isTime(), c.kind == "glide_date", c.kind == "glide_time", c.isText() && c.kind != "", strings.HasPrefix(c.kind, "journal"), c.kind == "GUID":
		return ticket.FieldString
	default:
		return ticket.FieldOther
	}
}

// mappedPaths are the mappings that lead through references: such columns are read
// with tickets, and are in no dictionary of theirs.
func (t *turn) mappedPaths(ctx context.Context, table string, columns map[string]column) ([]ticket.RemoteField, error) {
	var out []ticket.RemoteField
	for _, m := range t.c.config.CustomFieldMappings {
		path, ok := t.c.mapping(m.Name, table)
		listed := slices.ContainsFunc(out, func(f ticket.RemoteField) bool { return f.ID == path })
		if first, _, deeper := strings.Cut(path, "."); !ok || !deeper || listed || columns[first].reference == "" {
			continue
		}
		about, err := t.about(ctx, table, path)
		if err != nil {
			return nil, err
		}
		out = append(out, ticket.RemoteField{
			ID: path, Name: m.Name, Scope: ticket.ScopeTicketCustom, Path: path, NativeType: about.kind, Type: about.fieldType(false),
		})
	}
	return out, nil
}

// fieldsOfRecord lists the columns that a record is answered with.
func (t *turn) fieldsOfRecord(ctx context.Context, table string) ([]ticket.RemoteField, error) {
	w, err := t.window(ctx, table, query{}.text(), nil, 1, 0)
	if err != nil {
		return nil, err
	}
	names := t.c.columnsRead()
	if len(w.rows) > 0 {
		names = slices.Collect(maps.Keys(w.rows[0]))
	}
	var out []ticket.RemoteField
	for _, name := range names {
		if isName(name) {
			out = append(out, t.c.remoteField(name, column{}, nil))
		}
	}
	return out, nil
}

// override applies what a table says otherwise of columns that it inherits.
func (t *turn) override(ctx context.Context, names []string, columns map[string]column) error {
	if len(columns) == 0 {
		return nil
	}
	rows, _, err := t.list(ctx, "sys_dictionary_override", query{}.among("name", names), []string{
		"name", "element", "mandatory", "mandatory_override", "read_only", "read_only_override", "default_value", "default_value_override",
	}, maxDictionary)
	if err != nil {
		if closedToUs(err) {
			return nil
		}
		return err
	}
	for _, name := range slices.Backward(names) {
		for _, r := range rows {
			c, there := columns[r.text("element")]
			if r.text("name") != name || !there {
				continue
			}
			if r.text("mandatory_override") == "true" {
				c.mandatory = r.text("mandatory") == "true"
			}
			if r.text("read_only_override") == "true" {
				c.readOnly = r.text("read_only") == "true"
			}
			if r.text("default_value_override") == "true" {
				c.preset = r.text("default_value") != ""
			}
			columns[r.text("element")] = c
		}
	}
	return nil
}
