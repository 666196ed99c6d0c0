package config

import (
	"maps"
	"regexp"
	"slices"
	"time"
)

// tableName is what ServiceNow's tables and columns are called.
var tableName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// checkServiceNow: a project is a table there, and what is settled sooner than the
// instance ends a call is not settled.
func (c *checker) checkServiceNow(path string, integration *Integration) {
	if !isServiceNow(integration.Type) {
		for _, key := range serviceNowKeys() {
			if c.doc.Has(path + "." + key) {
				c.problem(path+"."+key, "only a %s or %s has this key", TypeServiceNow, TypeServiceNowSIR)
			}
		}
		return
	}
	if table := integration.DefaultProject; table != "" && !tableName.MatchString(table) {
		c.problem(path+".default_project", "%q: want the name of a table, such as u_ops_incident", table)
	}
	if integration.Settling > 0 && integration.Settling < Duration(time.Minute) {
		c.warn(path+".settling", "is shorter than the minute that ServiceNow may work on a call: a ticket whose creation was not confirmed could be made twice where the instance does not keep our sys_id")
	}
	c.checkImport(path, integration.ServiceNow)
}

// checkImport: a staging table has a name, and is named only where it is used.
func (c *checker) checkImport(path string, in ServiceNow) {
	if !c.oneOf(path+".create_mode", in.CreateMode, []string{CreateInTable, CreateByImport}) {
		return
	}
	if in.CreateMode == CreateInTable {
		for _, key := range []string{"import_table", "import_fields"} {
			if c.doc.Has(path + "." + key) {
				c.problem(path+"."+key, "only with create_mode: %s", CreateByImport)
			}
		}
		return
	}
	if c.require(path+".import_table", in.ImportTable) && !tableName.MatchString(in.ImportTable) {
		c.problem(path+".import_table", "%q: want the name of a staging table, such as u_ticketbridge_import", in.ImportTable)
	}
	used := map[string]string{}
	for _, column := range slices.Sorted(maps.Keys(in.ImportFields)) {
		at, name := path+".import_fields."+column, in.ImportFields[column]
		switch {
		case !tableName.MatchString(column) || !tableName.MatchString(name):
			c.problem(at, "%q: want the names of two columns, such as correlation_id: u_correlation_id", name)
		case used[name] != "":
			c.problem(at, "%s is the column of %s already", name, used[name])
		}
		used[name] = column
	}
}
