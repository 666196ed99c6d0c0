package servicenow

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

// timeLayout is how the platform stores times: UTC, without a zone.
const timeLayout = "2006-01-02 15:04:05"

func stamp(t time.Time) string { return t.UTC().Format(timeLayout) }

// Record is a row. Times are UTC, everything is text.
type Record struct {
	ID    string `json:"sys_id"`
	Class string `json:"class"`
	// Order in which records were made.
	Order  int               `json:"order"`
	Fields map[string]string `json:"fields"`
	// Hidden records are not shown to the API's user.
	Hidden bool `json:"hidden,omitempty"`
}

func (r *Record) clone() Record {
	out := *r
	out.Fields = maps.Clone(r.Fields)
	return out
}

type state struct {
	Tables  map[string]*Table  `json:"tables"`
	Records map[string]*Record `json:"records"`
	Made    int                `json:"made"`
	Numbers map[string]int     `json:"numbers"`
	// Blind are tables none of whose rows the API's user sees.
	Blind map[string]bool `json:"blind,omitempty"`
	// Files are the contents of attachments, Staging the staging tables by name.
	Files   map[string][]byte   `json:"files,omitempty"`
	Staging map[string]*Staging `json:"staging,omitempty"`
	Stats   *Stats              `json:"stats,omitempty"`

	// byClass are the records of each class in the order in which they were made.
	byClass map[string][]*Record
}

func newState() state {
	return state{
		Tables: map[string]*Table{}, Records: map[string]*Record{}, Numbers: map[string]int{}, Files: map[string][]byte{},
		Staging: map[string]*Staging{}, byClass: map[string][]*Record{},
	}
}

// put adds a record as the platform itself does.
func (s *Simulator) put(table, id string, fields map[string]string) *Record {
	s.state.Made++
	if id == "" {
		id = fmt.Sprintf("%032x", s.state.Made)
	}
	r := &Record{ID: id, Class: table, Order: s.state.Made, Fields: fields}
	now := stamp(s.options.Now())
	for name, value := range map[string]string{
		"sys_id": id, "sys_class_name": table, "sys_created_on": now, "sys_updated_on": now,
		"sys_created_by": "system", "sys_updated_by": "system", "sys_mod_count": "0",
	} {
		if fields[name] == "" {
			fields[name] = value
		}
	}
	s.state.Records[id] = r
	s.state.byClass[table] = append(s.state.byClass[table], r)
	return r
}

func (s *Simulator) erase(id string) {
	r := s.state.Records[id]
	delete(s.state.Records, id)
	s.state.byClass[r.Class] = slices.DeleteFunc(s.state.byClass[r.Class], func(other *Record) bool { return other == r })
}

// record finds one that the API's user sees.
func (s *Simulator) record(table, id string) *Record {
	r := s.state.Records[id]
	if r == nil || s.unseen(r) || !s.is(r.Class, table) {
		return nil
	}
	return r
}

// unseen: an ACL keeps the record from the API's user.
func (s *Simulator) unseen(r *Record) bool { return r.Hidden || s.state.Blind[r.Class] }

// rows are the records of a table in the order in which they were made.
func (s *Simulator) rows(table string) []*Record {
	var out []*Record
	classes := 0
	for class, records := range s.state.byClass {
		if len(records) > 0 && s.is(class, table) {
			out = append(out, records...)
			classes++
		}
	}
	if classes > 1 {
		slices.SortFunc(out, func(a, b *Record) int { return a.Order - b.Order })
	}
	return out
}

// Tickets are copies of the records of a table, oldest first.
func (s *Simulator) Tickets(table string) []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle(s.options.Now())
	var out []Record
	for _, r := range s.rows(table) {
		out = append(out, r.clone())
	}
	return out
}

// Entry is an entry of a journal.
type Entry struct {
	ID, Element, Value, By string
}

// Journal is what was written to a ticket's comments and work notes, oldest first.
func (s *Simulator) Journal(ticket string) []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle(s.options.Now())
	var out []Entry
	for _, r := range s.journal(ticket, "") {
		out = append(out, Entry{ID: r.ID, Element: r.Fields["element"], Value: r.Fields["value"], By: r.Fields["sys_created_by"]})
	}
	return out
}

// journal are the entries of one journal, of all where element is empty.
func (s *Simulator) journal(ticket, element string) []*Record {
	var out []*Record
	for _, r := range s.rows("sys_journal_field") {
		if r.Fields["element_id"] == ticket && (element == "" || r.Fields["element"] == element) {
			out = append(out, r)
		}
	}
	return out
}

// Snapshot writes what the instance holds, so that Restore goes on from there.
// Commits that are still to come are made first: they would be lost else.
func (s *Simulator) Snapshot(w io.Writer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.pending {
		p.commit(p.at)
	}
	s.pending = nil
	saved := s.state
	saved.Stats = &s.stats
	if err := json.NewEncoder(w).Encode(saved); err != nil {
		return fmt.Errorf("save the ServiceNow simulator: %w", err)
	}
	return nil
}

// Restore reads what Snapshot wrote.
func (s *Simulator) Restore(r io.Reader) error {
	read := newState()
	if err := json.NewDecoder(r).Decode(&read); err != nil {
		return fmt.Errorf("restore the ServiceNow simulator: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if read.Stats != nil {
		s.stats = newStats()
		s.stats.add(*read.Stats)
	}
	read.Stats = nil
	for _, r := range read.Records {
		read.byClass[r.Class] = append(read.byClass[r.Class], r)
	}
	for _, records := range read.byClass {
		slices.SortFunc(records, func(a, b *Record) int { return a.Order - b.Order })
	}
	s.state = read
	return nil
}
