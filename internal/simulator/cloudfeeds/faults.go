package cloudfeeds

import (
	"net/http"
	"strconv"
	"time"
)

// Kinds of Fault.
const (
	FaultStatus  = "status"  // answers Fault.Status, with Retry-After where RetryAfter is set
	FaultDrop    = "drop"    // closes the connection without an answer
	FaultHTML    = "html"    // 200 with an HTML page
	FaultSlow    = "slow"    // waits for Delay, then answers as usual
	FaultExpired = "expired" // forgets the caller's token first, so that the feed answers 401
	FaultCut     = "cut"     // announces a body and closes in its middle
)

// Fault spoils some requests: the Next ones, or a Share of all.
type Fault struct {
	Kind string `json:"kind"`
	// Login applies it to the identity endpoint instead of the feeds.
	Login bool `json:"login,omitempty"`
	// Next counts down; 0 means that Share decides.
	Next  int     `json:"next,omitempty"`
	Share float64 `json:"share,omitempty"`
	// Status of FaultStatus; 503 when 0.
	Status int `json:"status,omitempty"`
	// RetryAfter in seconds; AsDate sends an HTTP date.
	RetryAfter int           `json:"retry_after,omitempty"`
	AsDate     bool          `json:"as_date,omitempty"`
	Delay      time.Duration `json:"delay,omitempty"`
}

// SetFaults replaces all faults; none means a healthy server.
func (s *Server) SetFaults(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append([]Fault(nil), faults...)
}

// pick finds the fault for this request, if any.
func (s *Server) pick(login bool) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.faults {
		f := &s.faults[i]
		if f.Login != login {
			continue
		}
		hit := f.Next > 0
		if hit {
			f.Next--
		} else {
			hit = f.Share > 0 && s.rng.Float64() < f.Share
		}
		if hit {
			s.stats.ByFault[f.Kind]++
			return *f, true
		}
	}
	return Fault{}, false
}

// fault spoils the request; done reports that it was answered.
func (s *Server) fault(w *recorder, r *http.Request, login bool) (done bool) {
	f, hit := s.pick(login)
	if !hit {
		return false
	}
	switch f.Kind {
	case FaultDrop:
		w.status = 0
		s.drop()
	case FaultCut:
		w.Header().Set("Content-Length", "100000")
		_, _ = w.Write([]byte(`<feed xmlns="http://www.w3.org/2005/Atom">`))
		_ = http.NewResponseController(w).Flush()
		s.drop()
	case FaultHTML:
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<html><body>Scheduled maintenance</body></html>"))
		return true
	case FaultSlow:
		select {
		case <-time.After(f.Delay):
		case <-r.Context().Done():
		}
	case FaultExpired:
		s.mu.Lock()
		delete(s.tokens, r.Header.Get("X-Auth-Token"))
		s.mu.Unlock()
	case FaultStatus:
		s.status(w, f)
		return true
	}
	return false
}

func (s *Server) status(w *recorder, f Fault) {
	if f.RetryAfter > 0 && f.AsDate {
		w.Header().Set("Retry-After", s.opts.Now().Add(time.Duration(f.RetryAfter)*time.Second).UTC().Format(http.TimeFormat))
	} else if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(f.RetryAfter))
	}
	status := f.Status
	if status == 0 {
		status = http.StatusServiceUnavailable
	}
	w.WriteHeader(status)
}

// drop ends the connection; net/http closes it without an answer.
func (s *Server) drop() { panic(http.ErrAbortHandler) }
