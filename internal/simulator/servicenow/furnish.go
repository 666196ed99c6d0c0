package servicenow

import (
	"strconv"
	"strings"
)

// Sys_ids that tests and demonstrations may name.
const (
	UserBridge = "b0000000000000000000000000000001"
	UserMia    = "b0000000000000000000000000000002"
	UserGone   = "b0000000000000000000000000000003"
	GroupUnix  = "c0000000000000000000000000000001"
	CIServer   = "d0000000000000000000000000000001"
)

// furnish puts into a new instance what every instance has.
func (s *Simulator) furnish() {
	for _, t := range defaultTables() {
		s.addTable(t)
	}
	s.put("sys_user", UserBridge, map[string]string{"user_name": "bridge", "name": "Ticket Bridge", "email": "bridge@acme.example", "active": "true"})
	s.put("sys_user", UserMia, map[string]string{"user_name": "mia.krystof", "name": "Mia Krystof", "email": "mia@acme.example", "active": "true"})
	s.put("sys_user", UserGone, map[string]string{"user_name": "gone", "name": "Former Colleague", "email": "gone@acme.example", "active": "false"})
	s.addTransform(Staging{Name: "imp_notification", Target: "incident", Map: map[string]string{"uuid": "correlation_id", "message": "short_description"}, Coalesce: "correlation_id"})
	s.put("sys_user_group", GroupUnix, map[string]string{"name": "Unix Servers", "active": "true"})
	s.put("cmdb_ci", CIServer, map[string]string{"name": "srv-001"})
	for _, c := range defaultChoices() {
		for n, pair := range c.pairs {
			s.put("sys_choice", "", map[string]string{
				"name": c.table, "element": c.element, "value": pair[0], "label": pair[1], "language": "en", "inactive": "false",
				"sequence": strconv.Itoa(n),
			})
		}
	}
}

// addTable adds a table with its rows in the dictionary and the list of tables.
func (s *Simulator) addTable(t *Table) {
	s.state.Tables[t.Name] = t
	super := ""
	for _, r := range s.state.Records {
		if r.Class == "sys_db_object" && r.Fields["name"] == t.Super && t.Super != "" {
			super = r.ID
		}
	}
	s.put("sys_db_object", "", map[string]string{"name": t.Name, "label": t.Label, "super_class": super})
	s.put("sys_dictionary", "", map[string]string{"name": t.Name, "element": "", "internal_type": "collection", "active": "true"})
	for _, c := range t.Columns {
		s.put("sys_dictionary", "", map[string]string{
			"name": t.Name, "element": c.Name, "column_label": c.Label, "internal_type": c.Type, "reference": c.Reference,
			"max_length": strconv.Itoa(c.MaxLength), "read_only": "false", "active": "true", "mandatory": strconv.FormatBool(c.Mandatory),
			"choice": howChosen(t.Name, c), "default_value": c.Default, "display": strconv.FormatBool(t.stands(c.Name)),
		})
	}
}

// howChosen is the dictionary's word on a column's options.
func howChosen(table string, c Column) string {
	for _, list := range defaultChoices() {
		if c.Choice == "" && list.element == c.Name && (list.table == table || table == "task") {
			return "1"
		}
	}
	return c.Choice
}

// stands: the column stands for the table's records.
func (t *Table) stands(column string) bool {
	return column == t.Display || t.Display == "" && column == "name" && !strings.HasPrefix(t.Name, "sys_d") && t.Name != "sys_choice"
}

type choiceList struct {
	table, element string
	pairs          [][2]string // value, label
}

func defaultChoices() []choiceList {
	scale := [][2]string{{"1", "1 - High"}, {"2", "2 - Medium"}, {"3", "3 - Low"}}
	return []choiceList{
		{"incident", "state", [][2]string{{"1", "New"}, {"2", "In Progress"}, {"3", "On Hold"}, {"6", "Resolved"}, {"7", "Closed"}, {"8", "Canceled"}}},
		{"incident", "hold_reason", [][2]string{{"1", "Awaiting Caller"}, {"5", "Awaiting Change"}, {"3", "Awaiting Problem"}, {"4", "Awaiting Vendor"}}},
		{"incident", "category", [][2]string{{"inquiry", "Inquiry / Help"}, {"software", "Software"}, {"hardware", "Hardware"}, {"network", "Network"}, {"database", "Database"}}},
		{"incident", "close_code", [][2]string{
			{"Duplicate", "Duplicate"}, {"Known error", "Known error"}, {"No resolution provided", "No resolution provided"},
			{"Resolved by caller", "Resolved by caller"}, {"Solution provided", "Solution provided"}, {"Workaround provided", "Workaround provided"},
		}},
		{"task", "impact", scale}, {"task", "urgency", scale},
		{"task", "priority", [][2]string{{"1", "1 - Critical"}, {"2", "2 - High"}, {"3", "3 - Moderate"}, {"4", "4 - Low"}, {"5", "5 - Planning"}}},
		{"u_ops_incident", "u_floor", [][2]string{{"b1", "Basement"}, {"g", "Ground floor"}, {"1", "First floor"}}},
		{"sn_si_incident", "state", securityStates()},
		{"sn_si_incident", "close_code", [][2]string{
			{"investigation_completed", "Investigation completed"}, {"threat_mitigated", "Threat mitigated"},
			{"invalid_vulnerability", "Invalid vulnerability"}, {"not_resolved", "Not resolved"}, {"false_positive", "False positive"},
		}},
	}
}

// securityStates are those of a security incident, in the order of its process.
func securityStates() [][2]string {
	return [][2]string{
		{"10", "Draft"}, {"16", "Analysis"}, {"18", "Contain"}, {"19", "Eradicate"}, {"20", "Recover"}, {"100", "Review"},
		{"3", "Closed"}, {"7", "Cancelled"},
	}
}
