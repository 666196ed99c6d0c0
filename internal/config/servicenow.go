package config

// ServiceNow is what only the integrations of ServiceNow have: how tickets are made, and for whom.
type ServiceNow struct {
	// CreateMode is CreateInTable (the default) or CreateByImport.
	CreateMode string `yaml:"create_mode"`
	// ImportTable is the staging table of CreateByImport.
	ImportTable string `yaml:"import_table"`
	// ImportFields gives the staging table's names of columns that have another one
	// in the tickets' table.
	ImportFields map[string]string `yaml:"import_fields"`
	// DefaultCreator is who opened tickets that name no creator.
	DefaultCreator string `yaml:"default_creator"`
}

// Values of ServiceNow.CreateMode.
const (
	// CreateInTable makes tickets in their own table.
	CreateInTable = "table"
	// CreateByImport makes them through a staging table of an import set.
	CreateByImport = "import_set"
)
