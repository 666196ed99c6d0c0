package servicenow

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kinds of Fault.
const (
	// TooMany answers 429, ErrorBefore answers Status (default 503), Hibernating
	// the page of a sleeping instance with 200, Queued 202: nothing is done.
	TooMany     = "429"
	ErrorBefore = "error-before"
	Hibernating = "hibernating"
	Queued      = "queued"
	// ErrorAfter does it and answers Status (default 500).
	ErrorAfter = "error-after"
	// DropBefore closes the connection without doing it, DropAfter after doing
	// it; DropLate closes it at once and does it Delay later.
	DropBefore = "drop-before"
	DropAfter  = "drop-after"
	DropLate   = "drop-late"
	// Poisoned does it and answers the result together with an error, Broken
	// with JSON that does not parse, HTML with a page; all with the status of
	// success.
	Poisoned = "poisoned"
	Broken   = "broken"
	HTML     = "html"
	// Slow does it and answers Delay later.
	Slow = "slow"
	// Pretends answers 204 and does nothing.
	Pretends = "pretends"
	// Cut drops the connection in the middle of a file.
	Cut = "cut"
)

// Fault is something that goes wrong. It strikes the next Times calls, or each
// call with Probability; one with neither strikes every call.
type Fault struct {
	Kind string `json:"kind"`
	// Op is the operation it is for: create, get, list, patch, comment, journal,
	// erase, users, meta, attach, files, download, detach, import, staged, token;
	// empty: all.
	Op          string  `json:"op,omitempty"`
	Probability float64 `json:"probability,omitempty"`
	Times       int     `json:"times,omitempty"`
	// Status of ErrorBefore and ErrorAfter.
	Status int `json:"status,omitempty"`
	// RetryAfter seconds and Reset seconds from now are headers of a TooMany,
	// RetryAfter also of an ErrorBefore.
	RetryAfter int `json:"retry_after,omitempty"`
	Reset      int `json:"reset,omitempty"`
	// Message of ErrorBefore.
	Message string `json:"message,omitempty"`
	// Delay of DropLate and Slow in milliseconds.
	Delay int64 `json:"delay_ms,omitempty"`

	spent bool
}

func (f *Fault) after() time.Duration { return time.Duration(f.Delay) * time.Millisecond }

func (f *Fault) check() error {
	kinds := []string{TooMany, ErrorBefore, Hibernating, Queued, ErrorAfter, DropBefore, DropAfter, DropLate, Poisoned, Broken, HTML, Slow, Cut, Pretends}
	if !slices.Contains(kinds, f.Kind) {
		return fmt.Errorf("kind: %q: want one of %v", f.Kind, kinds)
	}
	if f.Probability < 0 || f.Probability > 1 || f.Times < 0 || f.Delay < 0 {
		return errors.New("probability must be 0 to 1, times and delay_ms not negative")
	}
	return nil
}

// SetFaults replaces the faults.
func (s *Simulator) SetFaults(faults ...Fault) error {
	kept := make([]*Fault, 0, len(faults))
	for i, f := range faults {
		if err := f.check(); err != nil {
			return fmt.Errorf("fault %d: %w", i, err)
		}
		f.spent = false
		kept = append(kept, &f)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = kept
	return nil
}

// Faults are those that can still strike.
func (s *Simulator) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []Fault{}
	for _, f := range s.faults {
		if !f.spent {
			out = append(out, *f)
		}
	}
	return out
}

// pick finds the fault that strikes a call.
func (s *Simulator) pick(op string) *Fault {
	for _, f := range s.faults {
		if f.spent || f.Op != "" && f.Op != op {
			continue
		}
		switch {
		case f.Probability > 0:
			if s.random.Float64() >= f.Probability {
				continue
			}
		case f.Times > 0:
			f.Times--
			f.spent = f.Times == 0
		}
		return f
	}
	return nil
}

// before: the fault keeps the call from having any effect.
func (f *Fault) before() bool {
	return slices.Contains([]string{TooMany, ErrorBefore, Hibernating, Queued, DropBefore, Pretends}, f.Kind)
}

// replaces: the call has its effect, and another answer.
func (f *Fault) replaces() bool {
	return slices.Contains([]string{ErrorAfter, Poisoned, Broken, HTML}, f.Kind)
}

// plainBody is something in place of JSON.
type plainBody struct{ contentType, text string }

func hibernation() plainBody {
	return plainBody{"text/html", "<!DOCTYPE html><html><head><title>Instance Hibernating page</title></head><body>Your instance is hibernating</body></html>"}
}

const cancelled = "Transaction cancelled: maximum execution time exceeded"

// answer is what the fault answers in place of a call that was not made.
func (f *Fault) answer(now time.Time) answer {
	a := answer{header: http.Header{}}
	if f.RetryAfter > 0 {
		a.header.Set("Retry-After", strconv.Itoa(f.RetryAfter))
	}
	switch f.Kind {
	case TooMany:
		a.status = http.StatusTooManyRequests
		if f.Reset > 0 {
			a.header.Set("X-RateLimit-Reset", strconv.FormatInt(now.Add(time.Duration(f.Reset)*time.Second).Unix(), 10))
			a.header.Set("X-RateLimit-Rule", "06c3b51ac3b01110b79fd4e7d940dd11")
		}
		a.body = refuse(a.status, "Rate limit exceeded", "Rate limit of 500 requests per hour for Table API exceeded").body
	case ErrorBefore:
		a.status = statusOr(f.Status, http.StatusServiceUnavailable)
		message := f.Message
		if message == "" {
			message = http.StatusText(a.status)
		}
		a.body = refuse(a.status, message, "").body
	case Hibernating:
		a.status, a.body = http.StatusOK, hibernation()
	case Queued:
		a.status = http.StatusAccepted
	case Pretends:
		a.status = http.StatusNoContent
	}
	return a
}

// spoil is what the fault makes of the answer to a call that was made.
func (f *Fault) spoil(done answer) answer {
	switch f.Kind {
	case ErrorAfter:
		done.status = statusOr(f.Status, http.StatusInternalServerError)
		done.body = refuse(done.status, cancelled, "Check logs for error trace.").body
	case Poisoned:
		if body, ok := done.body.(map[string]any); ok {
			body["error"] = map[string]any{"message": cancelled, "detail": "maximum execution time exceeded Check logs for error trace."}
			body["status"] = "failure"
		}
	case Broken:
		done.body = plainBody{"application/json", `{"result":{"sys_id":"` + strings.Repeat("0", 32) + `"}"" ], "error":{"message":"` + cancelled + `"}`}
	case HTML:
		done.body = plainBody{"text/html", "<!DOCTYPE html><html><body><h1>Log in</h1></body></html>"}
	}
	return done
}

func statusOr(status, absent int) int {
	if status == 0 {
		return absent
	}
	return status
}

// play does what a fault does to the connection; false: there is no answer.
func (f *Fault) play(w http.ResponseWriter, r *http.Request) bool {
	switch f.Kind {
	case DropBefore, DropAfter, DropLate:
		panic(http.ErrAbortHandler)
	case Slow:
		timer := time.NewTimer(f.after())
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return false
		}
	}
	return true
}

// Stats count what happened, by operation.
type Stats struct {
	Requests map[string]int `json:"requests"`
	// Commits are changes that were made, those after a lost connection included.
	Commits  map[string]int `json:"commits"`
	TooMany  map[string]int `json:"too_many"`
	Refused  map[string]int `json:"refused"`
	Injected map[string]int `json:"injected"` // by kind of fault
	// Cookies are requests that came with one: they would share a session.
	Cookies int `json:"cookies"`
}

func newStats() Stats {
	return Stats{
		Requests: map[string]int{}, Commits: map[string]int{}, TooMany: map[string]int{},
		Refused: map[string]int{}, Injected: map[string]int{},
	}
}

func (s *Stats) add(other Stats) {
	for _, pair := range [][2]map[string]int{
		{s.Requests, other.Requests}, {s.Commits, other.Commits}, {s.TooMany, other.TooMany},
		{s.Refused, other.Refused}, {s.Injected, other.Injected},
	} {
		for name, n := range pair[1] {
			pair[0][name] += n
		}
	}
	s.Cookies += other.Cookies
}

func (s *Simulator) count(op string, a answer, fault *Fault) {
	switch {
	case a.status == http.StatusTooManyRequests:
		s.stats.TooMany[op]++
	case a.status >= 400:
		s.stats.Refused[op]++
	}
	if fault != nil {
		s.stats.Injected[fault.Kind]++
	}
}

// Stats are a copy of the statistics so far.
func (s *Simulator) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle(s.options.Now())
	return Stats{
		Requests: maps.Clone(s.stats.Requests), Commits: maps.Clone(s.stats.Commits), TooMany: maps.Clone(s.stats.TooMany),
		Refused: maps.Clone(s.stats.Refused), Injected: maps.Clone(s.stats.Injected), Cookies: s.stats.Cookies,
	}
}
