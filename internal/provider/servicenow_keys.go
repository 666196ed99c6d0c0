package provider

import (
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/config"
)

// serviceNowKeys are the keys that only ServiceNow's integrations have: how tickets
// are made, and for whom.
type serviceNowKeys struct {
	CreateMode string `yaml:"create_mode"`
	// ImportTable is the staging table of createByImport.
	ImportTable string `yaml:"import_table"`
	// ImportFields gives the staging table's names of columns that have another one
	// in the tickets' table.
	ImportFields map[string]string `yaml:"import_fields"`
	// DefaultCreator is who opened tickets that name no creator.
	DefaultCreator string `yaml:"default_creator"`
}

// Values of serviceNowKeys.CreateMode.
const (
	// createInTable makes tickets in their own table.
	createInTable = "table"
	// createByImport makes them through a staging table of an import set.
	createByImport = "import_set"
)

func serviceNowDefaults() *serviceNowKeys { return &serviceNowKeys{CreateMode: createInTable} }

func aboutServiceNowKeys() map[string]config.Key {
	return map[string]config.Key{
		"create_mode": {
			About: "Where tickets are made: in their own table, or through a staging table.",
			Enum:  []string{createInTable, createByImport},
		},
		"import_table":    {About: "The staging table of create_mode import_set."},
		"import_fields":   {About: "The staging table's names of columns that have another one in the tickets' table."},
		"default_creator": {About: "Who opened tickets that name no creator: an e-mail address, user name or sys_id."},
	}
}

// tableName is what ServiceNow's tables and columns are called.
var tableName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// checkServiceNow: a project is a table there, and what is settled sooner than the
// instance ends a call is not settled.
func checkServiceNow(in *config.Integration, r config.Report) {
	if table := in.DefaultProject; table != "" && !tableName.MatchString(table) {
		r.Problem("default_project", "%q: want the name of a table, such as u_ops_incident", table)
	}
	if in.Settling > 0 && in.Settling < config.Duration(time.Minute) {
		r.Warn("settling", "is shorter than the minute that ServiceNow may work on a call: a ticket whose creation was not confirmed could be made twice where the instance does not keep our sys_id")
	}
	checkImport(config.Own(*in, serviceNowDefaults), r)
}

// checkImport: a staging table has a name, and is named only where it is used.
func checkImport(own serviceNowKeys, r config.Report) {
	if own.CreateMode != createByImport {
		for _, key := range []string{"import_table", "import_fields"} {
			if r.Has(key) {
				r.Problem(key, "only with create_mode: %s", createByImport)
			}
		}
		return
	}
	if r.Require("import_table", own.ImportTable) && !tableName.MatchString(own.ImportTable) {
		r.Problem("import_table", "%q: want the name of a staging table, such as u_ticketbridge_import", own.ImportTable)
	}
	used := map[string]string{}
	for _, column := range slices.Sorted(maps.Keys(own.ImportFields)) {
		at, name := "import_fields."+column, own.ImportFields[column]
		switch {
		case !tableName.MatchString(column) || !tableName.MatchString(name):
			r.Problem(at, "%q: want the names of two columns, such as correlation_id: u_correlation_id", name)
		case used[name] != "":
			r.Problem(at, "%s is the column of %s already", name, used[name])
		}
		used[name] = column
	}
}
