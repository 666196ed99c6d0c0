package servicenow

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxStagedRow is how many bytes a staged row can have ("Maximum row size").
const maxStagedRow = 8126

// Staging is a staging table with its transform map. Rows are transformed as they
// come, one after the other, as user system.
type Staging struct {
	Name string `json:"name"`
	// Columns are the table's own; what a row has beyond them is dropped.
	Columns []Column `json:"columns"`
	// Target is the transform map's target table, Map its field maps: target columns
	// by columns of the staging table. Without a target there is no map.
	Target string            `json:"target"`
	Map    map[string]string `json:"map"`
	// Coalesce is the target column by which a row changes the record that has its
	// value; empty: each row makes a record.
	Coalesce string `json:"coalesce,omitempty"`
	// Later is how much later rows are transformed: the set's mode is asynchronous.
	Later time.Duration `json:"later,omitempty"`
	// Script refuses a row with this error message.
	Script string `json:"script,omitempty"`
}

// AddStaging adds a staging table, or replaces one. Map and Columns that are empty
// are made from the columns that are named.
func (s *Simulator) AddStaging(t Staging, names ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range names {
		if !slices.ContainsFunc(t.Columns, func(c Column) bool { return c.Name == name }) {
			t.Columns = append(t.Columns, text(name, name, 4000))
		}
	}
	if t.Map == nil {
		t.Map = map[string]string{}
		for _, c := range t.Columns {
			t.Map[c.Name] = strings.TrimPrefix(c.Name, "u_")
		}
	}
	s.state.Staging[t.Name] = &t
	s.addTransform(t)
	s.addTable(&Table{Name: t.Name, Label: t.Name, Super: "sys_import_set_row", Columns: t.Columns})
}

// addTransform makes the rows of a staging table's transform map, in the place of
// those that it had.
func (s *Simulator) addTransform(t Staging) {
	for _, old := range s.rows("sys_transform_map") {
		if old.Fields["source_table"] == t.Name {
			s.erase(old.ID)
		}
	}
	if t.Target == "" {
		return
	}
	transform := s.put("sys_transform_map", "", map[string]string{"name": t.Name + " map", "source_table": t.Name, "target_table": t.Target, "active": "true"})
	for _, column := range slices.Sorted(maps.Keys(t.Map)) {
		s.put("sys_transform_entry", "", map[string]string{
			"map": transform.ID, "source_field": column, "target_field": t.Map[column],
			"coalesce": strconv.FormatBool(t.Map[column] == t.Coalesce), "use_source_script": "false",
		})
	}
}

func (s *Simulator) importRoutes() {
	for _, version := range []string{"", "/v1"} {
		base := "/api/now" + version + "/import/{table}"
		s.handleImport("POST "+base, opImport, s.stage)
		s.handleImport("GET "+base+"/{id}", opStaged, s.staged)
	}
}

func (s *Simulator) handleImport(pattern, op string, handle func(*exchange) answer) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		s.serveAs(w, r, exchange{table: r.PathValue("table"), id: r.PathValue("id"), op: op}, handle)
	})
}

// stage takes a row. That it was taken is all that the status says.
func (s *Simulator) stage(x *exchange) answer {
	t := s.state.Staging[x.table]
	if t == nil {
		return refuse(http.StatusBadRequest, "Invalid staging table", x.table)
	}
	given, err := flat(x.body)
	if err != nil {
		return refuse(http.StatusBadRequest, "Exception while reading request", err.Error())
	}
	base := x.base()
	return answer{commit: func(at time.Time) answer {
		fields := t.keep(given)
		fields["sys_import_set"] = "ISET0010001"
		row := s.put(t.Name, "", fields)
		if t.Later > 0 {
			fields["sys_import_state"] = "pending"
			s.pending = append(s.pending, pending{at: at.Add(t.Later), commit: func(at time.Time) { s.transform(t, row, at) }})
		} else {
			s.transform(t, row, at)
		}
		return answer{status: http.StatusCreated, body: s.stagedBody(t, row, base)}
	}}
}

func (s *Simulator) staged(x *exchange) answer {
	t, row := s.state.Staging[x.table], s.record(x.table, x.id)
	if t == nil || row == nil {
		return noRecord()
	}
	return answer{status: http.StatusOK, body: s.stagedBody(t, row, x.base())}
}

// flat reads a row; what is nested is mangled.
func flat(body []byte) (map[string]string, error) {
	var raw map[string]any
	if err := json.Unmarshal(body, &raw); err != nil {
		return nil, err
	}
	out := map[string]string{}
	for name, value := range raw {
		if value == nil {
			value = ""
		}
		out[name] = fmt.Sprint(value)
	}
	return out, nil
}

// keep is what a staging table takes of a row.
func (t *Staging) keep(given map[string]string) map[string]string {
	out := map[string]string{}
	for _, c := range t.Columns {
		value := []rune(given[c.Name])
		if c.MaxLength > 0 && len(value) > c.MaxLength {
			value = value[:c.MaxLength]
		}
		out[c.Name] = string(value)
	}
	return out
}

// transform makes or changes the target record, and notes on the row what it did.
func (s *Simulator) transform(t *Staging, row *Record, at time.Time) {
	state, comment, target := s.transformed(t, row, at)
	row.Fields["sys_import_state"], row.Fields["sys_import_state_comment"] = state, comment
	if target != nil {
		row.Fields["sys_target_table"], row.Fields["sys_target_sys_id"] = target.Class, target.ID
	}
}

func (s *Simulator) transformed(t *Staging, row *Record, at time.Time) (state, comment string, target *Record) {
	fields, size := t.mapped(row)
	if t.Target == "" {
		return "", "", nil
	}
	fields = s.fitting(t.Target, fields)
	switch {
	case size > maxStagedRow:
		return "skipped", "Row size too large", nil
	case t.Script != "":
		return "error", t.Script, nil
	case t.Coalesce != "" && fields[t.Coalesce] == "":
		return "skipped", "Missing coalesce value", nil
	}
	if there := s.coalesced(t, fields); there != nil {
		state, comment = s.transformInto(there, fields, at)
		return state, comment, there
	}
	if refused := s.applyRules(&Record{Class: t.Target, Fields: fields}, nil, at); refused != nil {
		return "error", fmt.Sprint(refused.body), nil
	}
	made, against := s.insertRecord(s.table(t.Target), "", nil, fields, at)
	if against != "" {
		return "error", against, nil
	}
	made.Fields["sys_created_by"], made.Fields["sys_updated_by"] = "system", "system"
	return "inserted", "", made
}

// mapped is a row by the target's columns, with its size.
func (t *Staging) mapped(row *Record) (fields map[string]string, size int) {
	fields = map[string]string{}
	for _, column := range slices.Sorted(maps.Keys(t.Map)) {
		value := row.Fields[column]
		size += len(value)
		switch value {
		case "":
		case "NULL": // the word that clears
			fields[t.Map[column]] = ""
		default:
			fields[t.Map[column]] = value
		}
	}
	return fields, size
}

// coalesced is the first record with the row's value, in whatever case.
func (s *Simulator) coalesced(t *Staging, fields map[string]string) *Record {
	if t.Coalesce == "" {
		return nil
	}
	for _, r := range s.rows(t.Target) {
		if strings.EqualFold(r.Fields[t.Coalesce], fields[t.Coalesce]) {
			return r
		}
	}
	return nil
}

func (s *Simulator) transformInto(r *Record, fields map[string]string, at time.Time) (state, comment string) {
	draft := r.clone()
	maps.Copy(draft.Fields, fields)
	if refused := s.applyRules(&draft, r, at); refused != nil {
		return "error", fmt.Sprint(refused.body)
	}
	if maps.Equal(draft.Fields, r.Fields) {
		return "ignored", "No field values changed"
	}
	maps.Copy(r.Fields, draft.Fields)
	s.touch(r.Fields, at)
	r.Fields["sys_updated_by"] = "system"
	return "updated", ""
}

// fitting is what the target takes: its own columns, as wide as they are. The user
// system may write them all.
func (s *Simulator) fitting(table string, given map[string]string) map[string]string {
	out := map[string]string{}
	for name, value := range given {
		c := s.column(table, name)
		if c == nil || c.Type == typeJournal || strings.HasPrefix(name, "sys_") {
			continue
		}
		if runes := []rune(value); c.Type == typeText && c.MaxLength > 0 && len(runes) > c.MaxLength {
			value = string(runes[:c.MaxLength])
		}
		out[name] = value
	}
	return out
}

// stagedBody is the answer about a row, one result for the one transform map.
func (s *Simulator) stagedBody(t *Staging, row *Record, base string) map[string]any {
	result := map[string]any{"transform_map": t.Name + " map", "table": t.Name, "status": row.Fields["sys_import_state"], "sys_id": row.ID}
	if target := s.state.Records[row.Fields["sys_target_sys_id"]]; target != nil {
		result["table"], result["sys_id"] = target.Class, target.ID
		result["display_name"], result["display_value"] = "number", target.Fields["number"]
		result["record_link"] = base + "/api/now/table/" + target.Class + "/" + target.ID
	}
	if comment := row.Fields["sys_import_state_comment"]; comment != "" {
		name := "status_message"
		if row.Fields["sys_import_state"] == "error" {
			name = "error_message"
		}
		result[name] = comment
	}
	results := []any{result}
	if t.Target == "" {
		results = []any{}
	}
	return map[string]any{"import_set": row.Fields["sys_import_set"], "staging_table": t.Name, "result": results}
}
