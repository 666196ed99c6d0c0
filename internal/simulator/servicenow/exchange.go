package servicenow

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// maxBody is the largest request that is read.
const maxBody = 10 << 20

// exchange is one request and its answer under way.
type exchange struct {
	r              *http.Request
	now            time.Time
	body           []byte
	version        string
	table, id      string
	op             string // empty: by table and method
	fieldsRead     map[string]string
	fieldsReadFail error
}

// answer is a status with a body (nil: none). What changes something has a
// commit instead, which answers when the change is made: a fault can put it off.
type answer struct {
	status int
	body   any
	header http.Header
	commit func(at time.Time) answer
	// undone: the commit was refused.
	undone bool
}

func ok(result any) answer {
	return answer{status: http.StatusOK, body: map[string]any{"result": result}}
}

// refuse is the platform's envelope for errors.
func refuse(status int, message, detail string) answer {
	said := map[string]any{"message": message, "detail": detail}
	if detail == "" {
		said["detail"] = nil
	}
	return answer{status: status, body: map[string]any{"error": said, "status": "failure"}}
}

// fields are the body's: one flat object, whatever its values taken as text.
func (x *exchange) fields() (map[string]string, error) {
	if x.fieldsRead != nil || x.fieldsReadFail != nil {
		return x.fieldsRead, x.fieldsReadFail
	}
	var raw map[string]any
	if err := json.Unmarshal(x.body, &raw); err != nil {
		x.fieldsReadFail = err
		return nil, err
	}
	x.fieldsRead = map[string]string{}
	for name, value := range raw {
		if value == nil {
			value = ""
		}
		x.fieldsRead[name] = fmt.Sprint(value)
	}
	return x.fieldsRead, nil
}

// serve answers one call of the Table API.
func (s *Simulator) serve(w http.ResponseWriter, r *http.Request, version string, handle func(*exchange) answer) {
	s.serveAs(w, r, exchange{version: version, table: r.PathValue("table"), id: r.PathValue("id")}, handle)
}

// serveAs answers a call that is about a table and a record, whatever its path.
func (s *Simulator) serveAs(w http.ResponseWriter, r *http.Request, about exchange, handle func(*exchange) answer) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		write(w, refuse(http.StatusBadRequest, "Rejected large REST payload", ""))
		return
	}
	s.mu.Lock()
	x := &about
	x.r, x.now, x.body = r, s.options.Now(), body
	s.settle(x.now)
	op := x.op
	if op == "" {
		op = s.operation(x)
	}
	s.stats.Requests[op]++
	if len(r.Cookies()) > 0 {
		s.stats.Cookies++
	}
	result, fault := s.decide(x, op, handle)
	s.count(op, result, fault)
	s.mu.Unlock()
	if fault != nil && !fault.play(w, r) {
		return
	}
	if body, ok := result.body.(file); ok && fault != nil && fault.Kind == Cut {
		body.cut(w)
	}
	write(w, result)
}

// operation is what faults and statistics call it.
func (s *Simulator) operation(x *exchange) string {
	ticket := s.table(x.table) != nil && s.is(x.table, "task")
	switch x.table {
	case "sys_journal_field":
		if x.r.Method == http.MethodDelete {
			return opErase
		}
		return opJournal
	case "sys_user":
		return opUsers
	case "sys_choice", "sys_dictionary", "sys_db_object", "sys_dictionary_override", "sys_transform_map", "sys_transform_entry":
		return opMeta
	}
	switch {
	case !ticket:
		return opOther
	case x.r.Method == http.MethodPost:
		return opCreate
	case x.r.Method == http.MethodPatch, x.r.Method == http.MethodPut:
		given, err := x.fields()
		if err == nil && (given["comments"] != "" || given["work_notes"] != "") {
			return opComment
		}
		return opPatch
	case x.id == "":
		return opList
	default:
		return opGet
	}
}

// decide validates, applies faults, and commits unless a fault is against it.
func (s *Simulator) decide(x *exchange, op string, handle func(*exchange) answer) (answer, *Fault) {
	fault := s.pick(op)
	if fault != nil && fault.before() {
		return fault.answer(x.now), fault
	}
	if refused, bad := s.refusal(x, op); bad {
		return refused, nil
	}
	result := handle(x)
	if result.commit == nil {
		if fault != nil && fault.replaces() {
			result = fault.spoil(result)
		}
		return result, fault
	}
	commit := func(at time.Time) answer {
		done := result.commit(at)
		if !done.undone {
			s.stats.Commits[op]++
		}
		return done
	}
	if fault != nil && fault.Kind == DropLate {
		s.pending = append(s.pending, pending{at: x.now.Add(fault.after()), commit: func(at time.Time) { commit(at) }})
		return answer{}, fault
	}
	done := commit(x.now)
	if fault != nil && fault.replaces() {
		return fault.spoil(done), fault
	}
	return done, fault
}

// refusal is what the platform refuses before it looks at the record.
func (s *Simulator) refusal(x *exchange, op string) (answer, bool) {
	t := s.table(x.table)
	json := func(header string) bool { return strings.HasPrefix(x.r.Header.Get(header), "application/json") }
	switch {
	case !s.authorised(x.r, x.now):
		return refuse(http.StatusUnauthorized, "User Not Authenticated", "Required to provide Auth information"), true
	case op != opAttach && op != opDownload && (!json("Accept") || x.r.Method != http.MethodGet && !json("Content-Type")):
		return refuse(http.StatusBadRequest, "Accept and Content-Type are needed", ""), true
	case t == nil:
		return refuse(http.StatusBadRequest, "Invalid table "+x.table, ""), true
	case t.NoDelete && x.r.Method == http.MethodDelete:
		return refuse(http.StatusForbidden, "Operation Failed", "ACL Exception Delete Failed due to security constraints"), true
	case t.Denied:
		return refuse(http.StatusForbidden, "User Not Authorized", "Failed API level ACL Validation"), true
	case op == opCreate && s.overRate(x.now):
		a := refuse(http.StatusTooManyRequests, "Rate limit exceeded", "Rate limit of requests per hour for Table API exceeded")
		a.header = http.Header{"Retry-After": {"1"}}
		return a, true
	default:
		return answer{}, false
	}
}

func (s *Simulator) overRate(now time.Time) bool {
	if s.options.CreatesPerSecond == 0 {
		return false
	}
	kept := s.creates[:0]
	for _, at := range s.creates {
		if now.Sub(at) < time.Second {
			kept = append(kept, at)
		}
	}
	s.creates = kept
	if len(kept) >= s.options.CreatesPerSecond {
		return true
	}
	s.creates = append(s.creates, now)
	return false
}

func write(w http.ResponseWriter, a answer) {
	w.Header().Set("Server", "ServiceNow")
	w.Header().Set("X-Transaction-ID", "593e19221bbe")
	w.Header().Set("Set-Cookie", "glide_session_store=153E19221BBE8110309B4196BC4BCB34; Path=/; HttpOnly")
	for name, values := range a.header {
		w.Header()[name] = values
	}
	switch body := a.body.(type) {
	case nil:
		w.WriteHeader(a.status)
	case plainBody:
		w.Header().Set("Content-Type", body.contentType)
		w.WriteHeader(a.status)
		fmt.Fprint(w, body.text)
	case file:
		body.write(w)
	default:
		text, err := json.Marshal(body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json;charset=UTF-8")
		w.WriteHeader(a.status)
		_, _ = w.Write(text) // the caller may be gone: its loss
	}
}
