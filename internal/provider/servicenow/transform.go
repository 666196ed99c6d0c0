package servicenow

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Bounds on what is read of transform maps: the maps of a staging table, and the
// field maps of one.
const (
	maxTransformMaps = 50
	maxFieldMaps     = 500
)

// checkImport finds out before the first ticket whether the staging table makes one
// record of a row that comes twice: whether its column for correlation_id is wide
// enough, and whether its transform maps coalesce on it ("Transform maps", "Updating
// records using coalesce", in ServiceNow's documents). Where the account may not read
// the maps nothing is known, and the first ticket shows it.
func (t *turn) checkImport(ctx context.Context) error {
	in := t.c.config.Import
	if !in.on() {
		return nil
	}
	if err := t.checkStaging(ctx); err != nil {
		return err
	}
	found, seen, err := t.transforms(ctx, "sys_transform_map", "source_table", in.Table, []string{"sys_id", "name", "target_table", "active"}, maxTransformMaps)
	if err != nil || !seen {
		return err
	}
	chain, err := t.chain(ctx, t.c.config.DefaultProject)
	if err != nil {
		return err
	}
	fit := slices.DeleteFunc(found, func(r record) bool {
		return r.text("active") == "false" || !slices.Contains(chain, r.text("target_table"))
	})
	if len(fit) == 0 {
		return t.permanent("import_table: staging table %s has no active transform map with the target %s", in.Table, t.c.config.DefaultProject)
	}
	for _, r := range fit {
		if err := t.checkTransform(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// checkStaging: the staging table has a column for correlation_id that holds all of it.
func (t *turn) checkStaging(ctx context.Context) error {
	in := t.c.config.Import
	known, err := t.dictionary(ctx, in.Table)
	if err != nil || len(known) == 0 {
		return err
	}
	name := in.name("correlation_id")
	switch about, there := known[name]; {
	case !there:
		return t.permanent("import_table: staging table %s has no column %s for correlation_id: make one, or name it under import_fields", in.Table, name)
	case about.length > 0 && about.length < maxCorrelation:
		return t.permanent("import_table: column %s of staging table %s holds %d characters: correlation_id needs %d", name, in.Table, about.length, maxCorrelation)
	}
	return nil
}

// checkTransform: the map coalesces on correlation_id, which it takes from our
// column, and on nothing else.
func (t *turn) checkTransform(ctx context.Context, transform record) error {
	in := t.c.config.Import
	fields, seen, err := t.transforms(ctx, "sys_transform_entry", "map", transform.text("sys_id"), []string{"sys_id", "source_field", "target_field", "coalesce", "use_source_script"}, maxFieldMaps)
	if err != nil || !seen {
		return err
	}
	wrong, others := "does not coalesce on correlation_id", []string{}
	for _, r := range fields {
		target := r.text("target_field")
		switch {
		case r.text("coalesce") != "true":
		case target != "correlation_id":
			others = append(others, target)
		case r.text("use_source_script") != "true" && r.text("source_field") != in.name("correlation_id"):
			wrong = fmt.Sprintf("coalesces on correlation_id, but takes it from column %s", r.text("source_field"))
		default:
			wrong = ""
		}
	}
	if wrong == "" && len(others) > 0 {
		wrong = "coalesces on " + strings.Join(others, ", ") + " too: switch that off"
	}
	if wrong == "" {
		return nil
	}
	return t.permanent("import_table: staging table %s: transform map %q %s, so a row that is sent again could make a second record: %s", in.Table, transform.text("name"), wrong, in.remedy())
}

// transforms reads the rows of one of the tables of transform maps that have a
// value, where they can be seen. An instance ships with rows of its own: an account
// that sees none of any may not read them.
func (t *turn) transforms(ctx context.Context, table, column, value string, columns []string, most int) (rows []record, seen bool, err error) {
	rows, hidden, err := t.list(ctx, table, query{}.where(column, "=", value), append(columns, column), most)
	if err != nil || hidden > 0 {
		return nil, false, unlessClosed(err)
	}
	rows = slices.DeleteFunc(rows, func(r record) bool { return r.text(column) != value })
	if len(rows) > 0 {
		return rows, true, nil
	}
	first, err := t.window(ctx, table, query{}.text(), []string{"sys_id"}, 1, 0)
	return nil, len(first.rows) > 0, unlessClosed(err)
}

// unlessClosed is the error, but for one that only says what may not be read.
func unlessClosed(err error) error {
	if err != nil && closedToUs(err) {
		return nil
	}
	return err
}
