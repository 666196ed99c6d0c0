package jira

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Kinds of Fault.
const (
	// TooMany answers 429, ErrorBefore answers Status (default 503), both
	// without doing anything.
	TooMany     = "429"
	ErrorBefore = "error-before"
	// ErrorAfter does it and answers Status (default 500).
	ErrorAfter = "error-after"
	// DropBefore closes the connection without doing it, DropAfter after doing
	// it; DropLate closes it at once and does it Delay later.
	DropBefore = "drop-before"
	DropAfter  = "drop-after"
	DropLate   = "drop-late"
	// HTML does it and answers a page with 200; HTMLBefore does not do it.
	HTML       = "html"
	HTMLBefore = "html-before"
	// Slow does it and answers Delay later.
	Slow = "slow"
	// Cut answers the first half of a file and closes the connection.
	Cut = "cut"
	// Anonymous answers as if nobody had logged in.
	Anonymous = "anonymous"
)

// Fault is something that goes wrong. It strikes the next Times calls, or each
// call with Probability; one with neither strikes every call.
type Fault struct {
	Kind string `json:"kind"`
	// Op is the operation it is for: create, comment, transition, edit, get,
	// search, bulkfetch, comments, comment-get, comment-edit, comment-delete, attach,
	// attach-meta, download, detach, projects, fields, users, project, ...; empty: all.
	Op          string  `json:"op,omitempty"`
	Probability float64 `json:"probability,omitempty"`
	Times       int     `json:"times,omitempty"`
	// Status of ErrorBefore and ErrorAfter.
	Status int `json:"status,omitempty"`
	// RetryAfter seconds, Reset seconds from now and Reason are headers of a
	// TooMany, RetryAfter also of an ErrorBefore. Date gives RetryAfter as a date.
	RetryAfter int    `json:"retry_after,omitempty"`
	Date       bool   `json:"date,omitempty"`
	Reset      int    `json:"reset,omitempty"`
	Reason     string `json:"reason,omitempty"`
	// Delay of DropLate and Slow in milliseconds.
	Delay int64 `json:"delay_ms,omitempty"`

	spent bool
}

func (f *Fault) after() time.Duration { return time.Duration(f.Delay) * time.Millisecond }

func (f *Fault) check() error {
	kinds := []string{TooMany, ErrorBefore, ErrorAfter, DropBefore, DropAfter, DropLate, HTML, HTMLBefore, Slow, Anonymous, Cut}
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
	switch f.Kind {
	case TooMany, ErrorBefore, DropBefore, HTMLBefore, Anonymous:
		return true
	default:
		return false
	}
}

// htmlBody is a page in place of JSON.
type htmlBody string

const loginPage htmlBody = "<!DOCTYPE html><html><body><h1>Log in to continue</h1></body></html>"

// answer is what the fault answers in the call's place.
func (f *Fault) answer(now time.Time) answer {
	a := answer{header: http.Header{}}
	if f.RetryAfter > 0 {
		a.header.Set("Retry-After", retryAfter(now, f.RetryAfter, f.Date))
	}
	switch f.Kind {
	case TooMany:
		a.status = http.StatusTooManyRequests
		if f.Reset > 0 {
			a.header.Set("X-RateLimit-Reset", now.Add(time.Duration(f.Reset)*time.Second).UTC().Format(time.RFC3339))
		}
		if f.Reason != "" {
			a.header.Set("RateLimit-Reason", f.Reason)
		}
	case ErrorBefore:
		a.status = statusOr(f.Status, http.StatusServiceUnavailable)
		a.body = refuse(a.status, nil, "Service Unavailable").body
	case ErrorAfter:
		a.status = statusOr(f.Status, http.StatusInternalServerError)
		a.body = refuse(a.status, nil, "Internal server error").body
	case Anonymous:
		a.status = http.StatusOK
		a.header.Set("X-Seraph-LoginReason", "AUTHENTICATED_FAILED")
		a.body = map[string]any{"issues": []any{}, "isLast": true}
	default:
		a.status, a.body = http.StatusOK, loginPage
	}
	return a
}

// retryAfter is a Retry-After header; a date is at least so far away.
func retryAfter(now time.Time, seconds int, date bool) string {
	if !date {
		return strconv.Itoa(seconds)
	}
	return now.Add(time.Duration(seconds+1)*time.Second - 1).UTC().Format(http.TimeFormat)
}

func statusOr(status, absent int) int {
	if status == 0 {
		return absent
	}
	return status
}

// play does what a fault does to the connection; false: there is no answer.
func (f *Fault) play(w http.ResponseWriter, r *http.Request, a answer) bool {
	switch f.Kind {
	case Cut:
		if content, ok := a.body.(file); ok {
			content.cut(w)
		}
	case DropBefore, DropAfter, DropLate:
		panic(http.ErrAbortHandler)
	case HTML:
		write(w, answer{status: http.StatusOK, body: loginPage})
		return false
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
		Requests: maps.Clone(s.stats.Requests), Commits: maps.Clone(s.stats.Commits),
		TooMany: maps.Clone(s.stats.TooMany), Refused: maps.Clone(s.stats.Refused), Injected: maps.Clone(s.stats.Injected),
	}
}
