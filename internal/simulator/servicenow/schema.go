package servicenow

import "slices"

// Table is a table of the instance; a record of it is one of Super too.
type Table struct {
	Name    string   `json:"name"`
	Label   string   `json:"label"`
	Super   string   `json:"super,omitempty"`
	Columns []Column `json:"columns"`
	// Display is the column that stands for a record, "name" where empty.
	Display string `json:"display,omitempty"`
	// Prefix of numbers; tables of tickets have one.
	Prefix string `json:"prefix,omitempty"`
	// Denied tables answer 403 to the API's user.
	Denied bool `json:"denied,omitempty"`
	// NoDelete tables answer 403 to a deletion.
	NoDelete bool `json:"noDelete,omitempty"`
}

// Column is a field of a table's own.
type Column struct {
	Name      string `json:"name"`
	Label     string `json:"label"`
	Type      string `json:"type"`
	Reference string `json:"reference,omitempty"`
	MaxLength int    `json:"maxLength,omitempty"`
	// ReadOnly columns drop what the API's user writes; Hidden ones are left out
	// of what it reads.
	ReadOnly bool `json:"readOnly,omitempty"`
	Hidden   bool `json:"hidden,omitempty"`
	// Choice is how the column's options bind: "1" and "3" nothing else can be
	// picked, "2" they are suggestions.
	Choice    string `json:"choice,omitempty"`
	Mandatory bool   `json:"mandatory,omitempty"`
	Default   string `json:"default,omitempty"`
}

// Types of columns.
const (
	typeText      = "string"
	typeInteger   = "integer"
	typeBoolean   = "boolean"
	typeTime      = "glide_date_time"
	typeReference = "reference"
	typeJournal   = "journal_input"
	typeGUID      = "GUID"
	typeDecimal   = "decimal"
	typeDate      = "glide_date"
	typeList      = "glide_list"
)

func text(name, label string, length int) Column {
	return Column{Name: name, Label: label, Type: typeText, MaxLength: length}
}

func typed(kind string, names ...string) []Column {
	var out []Column
	for _, name := range names {
		out = append(out, Column{Name: name, Label: name, Type: kind, MaxLength: 40})
	}
	return out
}

func reference(name, label, to string) Column {
	return Column{Name: name, Label: label, Type: typeReference, Reference: to, MaxLength: 32}
}

// systemColumns are every record's; only the platform writes them.
func systemColumns() []Column {
	columns := append(typed(typeGUID, "sys_id"), typed(typeTime, "sys_created_on", "sys_updated_on")...)
	columns = append(columns, typed(typeText, "sys_created_by", "sys_updated_by", "sys_class_name")...)
	columns = append(columns, typed(typeInteger, "sys_mod_count")...)
	for i := range columns {
		columns[i].ReadOnly = true
	}
	return columns
}

func defaultTables() []*Table {
	task := slices.Concat(
		[]Column{
			text("number", "Number", 40), text("short_description", "Short description", 160),
			text("description", "Description", 4000), text("correlation_id", "Correlation ID", 100),
			text("correlation_display", "Correlation display", 100), text("close_notes", "Close notes", 4000),
			{Name: "comments", Label: "Additional comments", Type: typeJournal, MaxLength: 4000},
			{Name: "work_notes", Label: "Work notes", Type: typeJournal, MaxLength: 4000},
			reference("assigned_to", "Assigned to", "sys_user"), reference("opened_by", "Opened by", "sys_user"),
			reference("assignment_group", "Assignment group", "sys_user_group"),
			reference("closed_by", "Closed by", "sys_user"),
			reference("cmdb_ci", "Configuration item", "cmdb_ci"), reference("parent", "Parent", "task"),
		},
		typed(typeInteger, "state", "impact", "urgency", "priority"),
		typed(typeText, "contact_type"), typed(typeBoolean, "active"),
		typed(typeTime, "opened_at", "closed_at", "due_date"),
	)
	incident := slices.Concat(
		[]Column{
			reference("caller_id", "Caller", "sys_user"), reference("parent_incident", "Parent Incident", "incident"),
			text("close_code", "Resolution code", 40), text("category", "Category", 40), text("subcategory", "Subcategory", 40),
			reference("resolved_by", "Resolved by", "sys_user"),
		},
		typed(typeInteger, "incident_state", "hold_reason", "severity"), typed(typeTime, "resolved_at"),
	)
	security := []Column{
		reference("affected_user", "Affected user", "sys_user"), reference("caller", "Requested by", "sys_user"),
		reference("parent_security_incident", "Parent security incident", "sn_si_incident"),
		text("close_code", "Close code", 40), text("category", "Category", 40), text("subcategory", "Subcategory", 40),
	}
	security = append(security, typed(typeInteger, "business_criticality", "risk_score")...)
	return append([]*Table{
		{Name: "task", Label: "Task", Columns: append(systemColumns(), task...), Display: "number"},
		{Name: "incident", Label: "Incident", Super: "task", Columns: incident, Display: "number", Prefix: "INC"},
		{Name: "u_ops_incident", Label: "Operations incident", Super: "incident", Display: "number", Prefix: "OPS", Columns: []Column{
			text("u_site", "Site", 20), {Name: "u_outage", Label: "Outage", Type: typeBoolean, MaxLength: 40},
			{Name: "u_begin", Label: "Begin", Type: typeTime, MaxLength: 40},
			{Name: "u_machines", Label: "Machines", Type: typeInteger, MaxLength: 40},
			{Name: "u_floor", Label: "Floor", Type: typeText, MaxLength: 40, Choice: "3"},
			{Name: "u_load", Label: "Load", Type: typeDecimal, MaxLength: 40}, {Name: "u_day", Label: "Day", Type: typeDate, MaxLength: 40},
			reference("u_owner", "Owner", "sys_user"), reference("u_cause", "Cause", "incident"),
			{Name: "u_watchers", Label: "Watchers", Type: typeList, Reference: "sys_user", MaxLength: 4000},
		}},
		{Name: "sn_si_incident", Label: "Security Incident", Super: "task", Columns: security, Display: "number", Prefix: "SIR"},
	}, platformTables()...)
}

func platformTables() []*Table {
	plain := func(name, label string, columns ...Column) *Table {
		return &Table{Name: name, Label: label, Columns: append(systemColumns(), columns...)}
	}
	journal := plain("sys_journal_field", "Journal Entry", append(typed(typeText, "name", "element", "value"), typed(typeGUID, "element_id")...)...)
	journal.NoDelete = true // no ordinary role has the right
	return []*Table{
		plain("sys_user", "User", text("user_name", "User ID", 40), text("name", "Name", 100), text("email", "Email", 100), typed(typeBoolean, "active")[0]),
		plain("sys_user_group", "Group", text("name", "Name", 80), typed(typeBoolean, "active")[0]),
		plain("cmdb_ci", "Configuration Item", text("name", "Name", 255)),
		plain("sys_choice", "Choice", append(typed(typeText, "name", "element", "value", "label", "language"), append(typed(typeInteger, "sequence"), typed(typeBoolean, "inactive")...)...)...),
		plain("sys_dictionary", "Dictionary Entry", append(typed(typeText, "name", "element", "column_label", "internal_type", "reference", "choice", "default_value"), append(typed(typeInteger, "max_length"), typed(typeBoolean, "read_only", "active", "mandatory", "display")...)...)...),
		plain("sys_dictionary_override", "Dictionary Entry Override", append(typed(typeText, "name", "base_table", "element", "default_value"), typed(typeBoolean, "mandatory", "mandatory_override", "read_only", "read_only_override", "default_value_override")...)...),
		plain("sys_db_object", "Table", append(typed(typeText, "name", "label"), reference("super_class", "Extends table", "sys_db_object"))...),
		journal,
		plain("sys_attachment", "Attachment", append(typed(typeText, "file_name", "content_type", "table_name", "hash", "download_link"), append(typed(typeInteger, "size_bytes"), typed(typeGUID, "table_sys_id")...)...)...),
		plain("sys_transform_map", "Table Transform Map", append(typed(typeText, "name", "source_table", "target_table"), typed(typeBoolean, "active")...)...),
		plain("sys_transform_entry", "Field Map", append([]Column{reference("map", "Map", "sys_transform_map")},
			append(typed(typeText, "source_field", "target_field"), typed(typeBoolean, "coalesce", "use_source_script")...)...)...),
		plain("sys_import_set_row", "Import Set Row", typed(typeText, "sys_import_set", "sys_import_state", "sys_import_state_comment", "sys_target_table", "sys_target_sys_id")...),
	}
}

func (s *Simulator) table(name string) *Table { return s.state.Tables[name] }

// chain is a table and what it extends, the table first.
func (s *Simulator) chain(name string) []*Table {
	var out []*Table
	for t := s.table(name); t != nil; t = s.table(t.Super) {
		out = append(out, t)
	}
	return out
}

// is reports whether a record of class is one of the table.
func (s *Simulator) is(class, table string) bool {
	return slices.ContainsFunc(s.chain(class), func(t *Table) bool { return t.Name == table })
}

// column finds a column of a table, inherited ones included.
func (s *Simulator) column(table, name string) *Column {
	for _, t := range s.chain(table) {
		for i := range t.Columns {
			if t.Columns[i].Name == name {
				return &t.Columns[i]
			}
		}
	}
	return nil
}

func (s *Simulator) columns(table string) []*Column {
	var out []*Column
	for _, t := range s.chain(table) {
		for i := range t.Columns {
			out = append(out, &t.Columns[i])
		}
	}
	return out
}
