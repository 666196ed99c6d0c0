package servicenow

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const defaultLimit = 10000

// list answers a query. The limit counts before rows that the user may not see
// are taken out, so that a page may be empty although later ones are not.
func (s *Simulator) list(x *exchange) answer {
	parameters := x.r.URL.Query()
	q := s.parse(x.table, parameters.Get("sysparm_query"))
	limit, offset := number(parameters.Get("sysparm_limit"), defaultLimit), number(parameters.Get("sysparm_offset"), 0)
	if offset < 0 {
		return refuse(http.StatusBadRequest, "Invalid offset", "")
	}
	found := s.find(x.table, q)
	if q.invalid > 0 && s.options.InvalidQueryReturnsNothing {
		found = nil
	}
	total := len(found)
	page := found[min(offset, total):min(offset+limit, total)]
	rows := []any{}
	v := viewingOf(parameters, x.base(), x.table)
	for _, r := range page {
		if !s.unseen(r) {
			rows = append(rows, s.view(r, v))
		}
	}
	if total == 0 && x.version == "v1" {
		return refuse(http.StatusNotFound, "No Record found", "Record doesn't exist or ACL restricts the record retrieval")
	}
	counted := total
	if s.options.CountsVisible {
		counted -= len(slices.DeleteFunc(slices.Clone(found), func(r *Record) bool { return !s.unseen(r) }))
	}
	a := ok(rows)
	a.header = http.Header{}
	if parameters.Get("sysparm_no_count") != "true" && !s.options.Reading.NoCount {
		a.header.Set("X-Total-Count", strconv.Itoa(counted))
	}
	if parameters.Get("sysparm_suppress_pagination_header") != "true" {
		a.header.Set("Link", links(x, limit, offset, total))
	}
	return a
}

// links are the first, previous, next and last page; the previous one of the
// first page has a negative offset, as on real instances.
func links(x *exchange, limit, offset, total int) string {
	link := func(rel string, to int) string {
		u := *x.r.URL
		parameters := u.Query()
		parameters.Set("sysparm_offset", strconv.Itoa(to))
		u.RawQuery = parameters.Encode()
		return fmt.Sprintf("<%s%s>;rel=%q", x.base(), u.RequestURI(), rel)
	}
	out := []string{link("first", 0)}
	if offset > 0 {
		out = append(out, link("prev", offset-limit))
	}
	if offset+limit < total {
		out = append(out, link("next", offset+limit))
	}
	return strings.Join(append(out, link("last", max(0, total-1)/max(limit, 1)*limit)), ",")
}

func number(text string, absent int) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return absent
	}
	return n
}

func noRecord() answer {
	return refuse(http.StatusNotFound, "No Record found", "Record doesn't exist or ACL restricts the record retrieval")
}

func (s *Simulator) get(x *exchange) answer {
	r := s.record(x.table, x.id)
	if r == nil {
		return noRecord()
	}
	return ok(s.view(r, viewingOf(x.r.URL.Query(), x.base(), x.table)))
}

// create inserts a record. What it will be is checked now; whether an index is
// against it when it is made.
func (s *Simulator) create(x *exchange) answer {
	t := s.table(x.table)
	given, err := x.fields()
	if err != nil {
		return refuse(http.StatusBadRequest, "Exception while reading request", err.Error())
	}
	fields := s.writable(x.table, given)
	draft := &Record{Class: x.table, Fields: fields}
	if t.Prefix != "" {
		if refused := s.applyRules(draft, nil, x.now); refused != nil {
			return *refused
		}
	}
	id := given["sys_id"]
	if s.options.IgnoreSysID || !sysID(id) {
		id = ""
	}
	parameters, base := x.r.URL.Query(), x.base()
	return answer{commit: func(at time.Time) answer {
		return s.insert(t, id, given, draft.Fields, viewingOf(parameters, base, t.Name), at)
	}}
}

func (s *Simulator) insert(t *Table, id string, given, fields map[string]string, v viewing, at time.Time) answer {
	r, against := s.insertRecord(t, id, given, fields, at)
	if against != "" {
		return s.duplicate(against)
	}
	a := ok(s.view(r, v))
	a.status = http.StatusCreated
	a.header = http.Header{"Location": {v.base + "/api/now/table/" + t.Name + "/" + r.ID}}
	return a
}

// insertRecord makes a record, or says which index is against it.
func (s *Simulator) insertRecord(t *Table, id string, given, fields map[string]string, at time.Time) (r *Record, against string) {
	if _, there := s.state.Records[id]; there {
		return nil, violation(t, id, "PRIMARY")
	}
	if correlation := fields["correlation_id"]; s.options.UniqueCorrelation && correlation != "" {
		for _, r := range s.rows("task") {
			if r.Fields["correlation_id"] == correlation {
				return nil, violation(t, correlation, "task_correlation_id")
			}
		}
	}
	if t.Prefix != "" {
		s.state.Numbers[t.Prefix]++
		fields["number"] = fmt.Sprintf("%s%07d", t.Prefix, 10000+s.state.Numbers[t.Prefix])
		setDefault(fields, "opened_at", stamp(at))
		setDefault(fields, "opened_by", UserBridge)
	}
	s.touch(fields, at)
	fields["sys_created_on"], fields["sys_created_by"], fields["sys_mod_count"] = stamp(at), s.userName(), "0"
	r = s.put(t.Name, id, fields)
	s.addJournals(r, given, at)
	return r, ""
}

func violation(t *Table, entry, key string) string {
	return fmt.Sprintf("Error during insert of %s: Unique Key violation detected by database (Duplicate entry '%s' for key '%s')", t.Name, entry, key)
}

func (s *Simulator) duplicate(against string) answer {
	a := refuse(s.options.DuplicateStatus, "Operation Failed", against)
	a.undone = true
	return a
}

// update sets fields of a record and adds to its journals.
func (s *Simulator) update(x *exchange) answer {
	r := s.record(x.table, x.id)
	if r == nil {
		return noRecord()
	}
	given, err := x.fields()
	if err != nil {
		return refuse(http.StatusBadRequest, "Exception while reading request", err.Error())
	}
	fields := s.writable(x.table, given)
	if t := s.table(r.Class); t.Prefix != "" {
		draft := r.clone()
		for name, value := range fields {
			draft.Fields[name] = value
		}
		if refused := s.applyRules(&draft, r, x.now); refused != nil {
			return *refused
		}
		fields = map[string]string{} // a rule may have taken back what was given
		for name, value := range draft.Fields {
			if r.Fields[name] != value {
				fields[name] = value
			}
		}
	}
	v := viewingOf(x.r.URL.Query(), x.base(), x.table)
	return answer{commit: func(at time.Time) answer {
		changed := s.addJournals(r, given, at)
		for name, value := range fields {
			changed = changed || r.Fields[name] != value
			r.Fields[name] = value
		}
		if changed {
			s.touch(r.Fields, at)
		}
		return ok(s.view(r, v))
	}}
}

func (s *Simulator) remove(x *exchange) answer {
	if s.record(x.table, x.id) == nil {
		return noRecord()
	}
	return answer{commit: func(time.Time) answer {
		s.erase(x.id)
		return answer{status: http.StatusNoContent}
	}}
}

// writable keeps of what was given what the user may write; the rest is dropped
// without a word.
func (s *Simulator) writable(table string, given map[string]string) map[string]string {
	out := map[string]string{}
	for name, value := range given {
		c := s.column(table, name)
		if c == nil || c.ReadOnly || c.Type == typeJournal || strings.HasPrefix(name, "sys_") {
			continue
		}
		if c.Type == typeText && c.MaxLength > 0 && len([]rune(value)) > c.MaxLength {
			value = string([]rune(value)[:c.MaxLength])
		}
		if c.Type == typeReference && !s.refersTo(c, value) {
			value = ""
		}
		out[name] = value
	}
	return out
}

func (s *Simulator) refersTo(c *Column, id string) bool {
	r := s.state.Records[id]
	return r != nil && s.is(r.Class, c.Reference)
}

// addJournals makes an entry of each journal that was written to.
func (s *Simulator) addJournals(r *Record, given map[string]string, at time.Time) (added bool) {
	for _, element := range []string{"comments", "work_notes"} {
		c := s.column(r.Class, element)
		if value := given[element]; value != "" && c != nil && !c.ReadOnly {
			s.put("sys_journal_field", "", map[string]string{
				"name": r.Class, "element": element, "element_id": r.ID, "value": value,
				"sys_created_on": stamp(at), "sys_created_by": s.userName(),
			})
			added = true
		}
	}
	return added
}

// touch notes who changed a record and when.
func (s *Simulator) touch(fields map[string]string, at time.Time) {
	fields["sys_updated_on"], fields["sys_updated_by"] = stamp(at), s.userName()
	fields["sys_mod_count"] = strconv.Itoa(number(fields["sys_mod_count"], 0) + 1)
}

func (s *Simulator) userName() string { return "bridge" }

var sysIDForm = regexp.MustCompile(`^[0-9a-f]{32}$`)

func sysID(text string) bool { return sysIDForm.MatchString(text) }

// base is the address by which the instance was called.
func (x *exchange) base() string { return (&url.URL{Scheme: "http", Host: x.r.Host}).String() }
