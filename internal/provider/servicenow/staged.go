package servicenow

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Import is the staging table of an import set, through which tickets are made. Its
// transform map must coalesce on correlation_id: a row that comes twice then
// changes the record that the first one made. Rows are transformed one after the
// other where a map coalesces ("Import set modes", in ServiceNow's documents).
type Import struct {
	// Table is the staging table; empty: tickets are made in their own table.
	Table string
	// Fields gives the staging table's name of a column, where it has another one
	// than the ticket's table.
	Fields map[string]string
}

func (in Import) on() bool { return in.Table != "" }

// name is what the staging table calls a column.
func (in Import) name(column string) string {
	if name, ok := in.Fields[column]; ok {
		return name
	}
	return column
}

func (in Import) remedy() string {
	return fmt.Sprintf("in its transform map, map %s to correlation_id with coalesce switched on; both columns must hold %d characters", in.name("correlation_id"), maxCorrelation)
}

func (in Import) check() []error {
	var errs []error
	if in.on() && !isName(in.Table) {
		errs = append(errs, fmt.Errorf("import_table: %q: want the name of a staging table, such as u_ticketbridge_import", in.Table))
	}
	if !in.on() && len(in.Fields) > 0 {
		errs = append(errs, errors.New("import_fields: only with import_table"))
	}
	used := map[string]string{}
	for _, column := range slices.Sorted(maps.Keys(in.Fields)) {
		name := in.Fields[column]
		if !isName(column) || !isName(name) {
			errs = append(errs, fmt.Errorf("import_fields.%s: %q: want the names of two columns, such as correlation_id: u_correlation_id", column, name))
		}
		if other := used[name]; other != "" {
			errs = append(errs, fmt.Errorf("import_fields.%s: %s is the column of %s already", column, name, other))
		}
		used[name] = column
	}
	return errs
}

const (
	// maxRow is how many bytes of ours a staged row holds. The platform skips rows
	// of over 8,126 bytes, its own columns among them, and tells its log only
	// ("Maximum row size").
	maxRow = 6000
	// maxStagedTitle is how many of them the title may take.
	maxStagedTitle = 600
)

// staged is the row for a record: flat texts, the columns that matter most first,
// as much of the description as there is room for. What finds no room is set when
// the record is there, as are the journals, which would be added to by each row, and
// correlation_display, which says that all is set.
func (in Import) staged(fields map[string]string) map[string]string {
	row, left := map[string]string{}, maxRow
	put := func(column, text string) {
		if name := in.name(column); len(name)+len(text) <= left && text != "" && !isNull(text) {
			row[name] = text
			left -= len(name) + len(text)
		}
	}
	put("correlation_id", fields["correlation_id"])
	title := cutBytes(fields["short_description"], maxStagedTitle)
	if isNull(title) {
		title = strings.ToLower(title)
	}
	put("short_description", title)
	for _, column := range bySize(fields) {
		switch column {
		case "sys_id", "correlation_id", "correlation_display", "short_description", "description", "comments", "work_notes":
		default:
			put(column, fields[column])
		}
	}
	text := fields["description"]
	if room := left - len(in.name("description")); len(text) > room {
		text = cutBytes(text, max(0, room-len(cutNotice))) + cutNotice
	}
	put("description", text)
	return row
}

// bySize are the columns, those that hold the least first.
func bySize(fields map[string]string) []string {
	columns := slices.Sorted(maps.Keys(fields))
	slices.SortStableFunc(columns, func(a, b string) int { return len(fields[a]) - len(fields[b]) })
	return columns
}

// isNull: the one word that clears a column in place of being written to it.
func isNull(text string) bool { return strings.TrimSpace(text) == "NULL" }

// cutBytes cuts text to at most n bytes, between characters.
func cutBytes(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "")
}
