package jira

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// maxBody is the largest request that is read.
const maxBody = 4 << 20

// exchange is one request and its answer under way.
type exchange struct {
	r    *http.Request
	now  time.Time
	body []byte
}

func (x *exchange) decode(into any) error { return json.Unmarshal(x.body, into) }

// answer is a status with a body (nil: none), and what it does when it is
// committed. A refusal has no commit.
type answer struct {
	status int
	body   any
	header http.Header
	// commit makes the change and answers the body; it runs when the change is
	// made, which a fault can put off.
	commit func(at time.Time) any
}

func ok(body any) answer { return answer{status: http.StatusOK, body: body} }

// refuse is Jira's error body.
func refuse(status int, fields map[string]string, messages ...string) answer {
	if messages == nil {
		messages = []string{}
	}
	if fields == nil {
		fields = map[string]string{}
	}
	return answer{status: status, body: map[string]any{"errorMessages": messages, "errors": fields}}
}

func refuseField(field, text string) answer {
	return refuse(http.StatusBadRequest, map[string]string{field: text})
}

func absent(what string) answer {
	return refuse(http.StatusNotFound, nil, what+" does not exist or you do not have permission to see it.")
}

func removedAPI(*exchange) answer {
	return refuse(http.StatusGone, nil, "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API.")
}

// serve answers one call of the API.
func (s *Simulator) serve(w http.ResponseWriter, r *http.Request, op string, handle func(*exchange) answer) {
	limit := int64(maxBody)
	if op == opAttach {
		limit += s.options.UploadLimit
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		write(w, refuse(http.StatusRequestEntityTooLarge, nil, "the request is too large"))
		return
	}
	s.mu.Lock()
	x := &exchange{r: r, now: s.options.Now(), body: body}
	s.settle(x.now)
	s.stats.Requests[op]++
	result, fault := s.decide(x, op, handle)
	s.count(op, result, fault)
	s.mu.Unlock()
	if fault != nil && !fault.play(w, r, result) {
		return
	}
	w.Header().Set("X-AAccountId", "acc-bridge")
	write(w, result)
}

// decide validates, applies faults, and commits unless a fault is against it.
func (s *Simulator) decide(x *exchange, op string, handle func(*exchange) answer) (answer, *Fault) {
	if !s.authorised(x.r) {
		return refuse(http.StatusUnauthorized, nil, "Client must be authenticated to access this resource."), nil
	}
	if op == opCreate && s.overRate(x.now) {
		date := s.options.RetryDates && s.stats.TooMany[op]%2 == 1
		return answer{status: http.StatusTooManyRequests, header: http.Header{
			"Retry-After": {retryAfter(x.now, 1, date)}, "Ratelimit-Reason": {"jira-burst-based"},
		}}, nil
	}
	fault := s.pick(op)
	if fault != nil && fault.before() {
		return fault.answer(x.now), fault
	}
	result := handle(x)
	if result.commit == nil {
		return result, fault
	}
	commit := result.commit
	if fault != nil && fault.Kind == DropLate {
		s.pending = append(s.pending, pending{at: x.now.Add(fault.after()), commit: func(at time.Time) { commit(at); s.stats.Commits[op]++ }})
		return result, fault
	}
	result.body = commit(x.now)
	s.stats.Commits[op]++
	if fault != nil && fault.Kind == ErrorAfter {
		return fault.answer(x.now), fault
	}
	return result, fault
}

func (s *Simulator) authorised(r *http.Request) bool {
	if s.options.Secret == "" {
		return r.Header.Get("Authorization") != ""
	}
	if user, secret, ok := r.BasicAuth(); ok {
		return user == s.options.Username && secret == s.options.Secret
	}
	return r.Header.Get("Authorization") == "Bearer "+s.options.Secret
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
	for name, values := range a.header {
		w.Header()[name] = values
	}
	if f, ok := a.body.(file); ok {
		f.write(w)
		return
	}
	if html, ok := a.body.(htmlBody); ok {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(a.status)
		fmt.Fprint(w, string(html))
		return
	}
	if a.body == nil {
		w.WriteHeader(a.status)
		return
	}
	text, err := json.Marshal(a.body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(a.status)
	_, _ = w.Write(text) // the caller may be gone: its loss
}
