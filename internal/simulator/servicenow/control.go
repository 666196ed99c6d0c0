package servicenow

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// control routes what tests, judges and demonstrations do to the instance:
//
//	GET    /_control/stats
//	GET    /_control/tickets/{table}              everything, for judges
//	GET    /_control/faults, PUT (a list), DELETE
//	POST   /_control/tickets/{id}/set             {"fields"} by an agent
//	POST   /_control/tickets/{id}/comment|note    {"text"} by an agent
//	POST   /_control/tickets/{id}/hide|show
//	POST   /_control/tokens/expire
//	DELETE /_control/tickets/{id}
//
// Where people open a record, its link leads to the same as a judge sees.
func (s *Simulator) control() {
	s.handle("GET /_control/stats", func(*http.Request, *controlBody) (any, error) { return s.Stats(), nil })
	s.handle("GET /_control/tickets/{table}", func(r *http.Request, _ *controlBody) (any, error) { return s.dump(r.PathValue("table")), nil })
	s.handle("GET /nav_to.do", func(r *http.Request, _ *controlBody) (any, error) { return s.page(r.FormValue("uri")) })
	s.handle("GET /_control/faults", func(*http.Request, *controlBody) (any, error) { return s.Faults(), nil })
	s.handle("DELETE /_control/faults", func(*http.Request, *controlBody) (any, error) { return nil, s.SetFaults() })
	s.mux.HandleFunc("PUT /_control/faults", s.putFaults)
	s.handle("POST /_control/tokens/expire", func(*http.Request, *controlBody) (any, error) { s.ExpireTokens(); return nil, nil })
	for verb, do := range map[string]func(string, *controlBody) error{
		"set":     func(id string, b *controlBody) error { return s.SetByAgent(id, b.Fields) },
		"comment": func(id string, b *controlBody) error { return s.WriteByAgent(id, "comments", b.Text) },
		"note":    func(id string, b *controlBody) error { return s.WriteByAgent(id, "work_notes", b.Text) },
		"hide":    func(id string, _ *controlBody) error { return s.Hide(id, true) },
		"show":    func(id string, _ *controlBody) error { return s.Hide(id, false) },
	} {
		s.handle("POST /_control/tickets/{id}/"+verb, func(r *http.Request, b *controlBody) (any, error) {
			return nil, do(r.PathValue("id"), b)
		})
	}
	s.handle("DELETE /_control/tickets/{id}", func(r *http.Request, _ *controlBody) (any, error) {
		return nil, s.Delete(r.PathValue("id"))
	})
}

type controlBody struct {
	Fields map[string]string `json:"fields"`
	Text   string            `json:"text"`
}

func (s *Simulator) handle(pattern string, do func(*http.Request, *controlBody) (any, error)) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		var body controlBody
		if r.ContentLength != 0 {
			decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(&body); err != nil {
				respond(w, nil, err)
				return
			}
		}
		result, err := do(r, &body)
		respond(w, result, err)
	})
}

func respond(w http.ResponseWriter, result any, err error) {
	switch {
	case errors.Is(err, errNoRecord):
		write(w, answer{status: http.StatusNotFound, body: map[string]string{"error": err.Error()}})
	case err != nil:
		write(w, answer{status: http.StatusBadRequest, body: map[string]string{"error": err.Error()}})
	case result == nil:
		write(w, answer{status: http.StatusNoContent})
	default:
		write(w, answer{status: http.StatusOK, body: result})
	}
}

func (s *Simulator) putFaults(w http.ResponseWriter, r *http.Request) {
	var faults []Fault
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&faults)
	if err == nil {
		err = s.SetFaults(faults...)
	}
	respond(w, nil, err)
}

// dumped is a record with its journals.
type dumped struct {
	Record
	Journal []Entry `json:"journal"`
}

// dump is everything that a judge needs.
func (s *Simulator) dump(table string) []dumped {
	out := []dumped{}
	for _, r := range s.Tickets(table) {
		out = append(out, dumped{r, s.Journal(r.ID)})
	}
	return out
}

// page is the record that a link of the user interface names: incident.do?sys_id=...
func (s *Simulator) page(uri string) (any, error) {
	table, query, _ := strings.Cut(uri, ".do?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, err
	}
	for _, d := range s.dump(table) {
		if d.ID == values.Get("sys_id") {
			return d, nil
		}
	}
	return nil, errNoRecord
}

var errNoRecord = errors.New("there is no such record")

// on does something to a record, hidden ones included; id may be its number.
func (s *Simulator) on(id string, do func(r *Record, now time.Time) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	s.settle(now)
	for _, r := range s.state.Records {
		if r.ID == id || id != "" && r.Fields["number"] == id {
			return do(r, now)
		}
	}
	return fmt.Errorf("%s: %w", id, errNoRecord)
}

// SetByAgent sets fields of a ticket as an agent does, who may set all.
func (s *Simulator) SetByAgent(id string, fields map[string]string) error {
	return s.on(id, func(r *Record, now time.Time) error {
		for name, value := range fields {
			r.Fields[name] = value
		}
		if refused := s.applyRules(r, nil, now); refused != nil {
			return fmt.Errorf("refused: %v", refused.body)
		}
		s.touch(r.Fields, now)
		r.Fields["sys_updated_by"] = "mia.krystof"
		return nil
	})
}

// WriteByAgent adds to a journal as an agent does.
func (s *Simulator) WriteByAgent(id, element, text string) error {
	if text == "" {
		return errors.New("text: missing")
	}
	return s.on(id, func(r *Record, now time.Time) error {
		s.put("sys_journal_field", "", map[string]string{
			"name": r.Class, "element": element, "element_id": r.ID, "value": text,
			"sys_created_on": stamp(now), "sys_created_by": "mia.krystof",
		})
		return nil
	})
}

// Hide takes a record out of the API user's sight, or shows it again.
func (s *Simulator) Hide(id string, hidden bool) error {
	return s.on(id, func(r *Record, _ time.Time) error { r.Hidden = hidden; return nil })
}

// Delete removes a record for good.
func (s *Simulator) Delete(id string) error {
	return s.on(id, func(r *Record, _ time.Time) error { s.erase(r.ID); return nil })
}

// Change lets a test alter the options.
func (s *Simulator) Change(change func(*Options)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.options)
}

// Deny makes a table answer 403.
func (s *Simulator) Deny(table string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.table(table).Denied = true
}

// AllowDelete lets the API's user delete records of a table.
func (s *Simulator) AllowDelete(table string, allowed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.table(table).NoDelete = !allowed
}

// Restrict makes columns read-only, or hidden, to the API's user.
func (s *Simulator) Restrict(table, column string, readOnly, hidden bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.column(table, column)
	c.ReadOnly, c.Hidden = readOnly, hidden
}

// HideRows takes all rows of a table out of the API user's sight: what an ACL
// for reading does.
func (s *Simulator) HideRows(table string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Blind == nil {
		s.state.Blind = map[string]bool{}
	}
	s.state.Blind[table] = true
}

// Add puts a record into a table, as somebody else does.
func (s *Simulator) Add(table string, fields map[string]string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.put(table, "", fields).ID
}

// RemoveColumn takes a column out of a table: queries for it are ignored then.
func (s *Simulator) RemoveColumn(table, column string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.table(table)
	for i, c := range t.Columns {
		if c.Name == column {
			t.Columns = append(t.Columns[:i:i], t.Columns[i+1:]...)
			return
		}
	}
}
