package acronis

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Kinds of Fault.
const (
	FaultStatus  = "status"  // answers Fault.Status, with Retry-After where RetryAfter is set
	FaultDrop    = "drop"    // closes the connection without doing or answering anything
	FaultCut     = "cut"     // does what was asked, and closes in the middle of the answer
	FaultHTML    = "html"    // 200 with an HTML page
	FaultSlow    = "slow"    // waits for Delay, then answers as usual
	FaultExpired = "expired" // forgets the caller's token first, so that the answer is 401
)

// Fault spoils some requests: the Next ones, or a Share of all.
type Fault struct {
	Kind string `json:"kind"`
	// Path limits it to one of the Place constants; "" means all of them.
	Path string `json:"path,omitempty"`
	// Next counts down; 0 means that Share decides.
	Next  int     `json:"next,omitempty"`
	Share float64 `json:"share,omitempty"`
	// Status of FaultStatus; 503 when 0.
	Status int `json:"status,omitempty"`
	// RetryAfter in seconds; AsDate sends an HTTP date.
	RetryAfter int  `json:"retry_after,omitempty"`
	AsDate     bool `json:"as_date,omitempty"`
	// Delay in nanoseconds.
	Delay time.Duration `json:"delay,omitempty"`
}

// SetFaults replaces all faults; none means a healthy server.
func (s *Server) SetFaults(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = slices.Clone(faults)
}

// pick finds the fault for a request to a place; one without kind is none.
func (s *Server) pick(place string) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.faults {
		f := &s.faults[i]
		if place == "" || f.Path != "" && f.Path != place {
			continue
		}
		hit := f.Next > 0
		if hit {
			f.Next--
		} else {
			hit = f.Share > 0 && s.rng.Float64() < f.Share
		}
		if hit {
			s.kept.Stats.ByFault[f.Kind]++
			return *f
		}
	}
	return Fault{}
}

// spoil does what a fault does before the request; taken reports that it has
// the answer.
func (s *Server) spoil(f Fault, c *call) (a answer, taken bool) {
	switch f.Kind {
	case FaultDrop:
		return answer{drop: true}, true
	case FaultHTML:
		return inHTML(http.StatusOK, "<html><body>Back in a few minutes</body></html>"), true
	case FaultStatus:
		return s.status(f), true
	case FaultSlow:
		timer := time.NewTimer(f.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-c.Context().Done():
			return answer{status: statusGone}, true
		}
	case FaultExpired:
		s.forget(bearerOf(c.Request))
	}
	return answer{}, false
}

func (s *Server) status(f Fault) answer {
	a := answer{status: f.Status, header: http.Header{}}
	if a.status == 0 {
		a.status = http.StatusServiceUnavailable
	}
	if f.RetryAfter > 0 && f.AsDate {
		a.header.Set("Retry-After", s.opts.Now().Add(time.Duration(f.RetryAfter)*time.Second).UTC().Format(http.TimeFormat))
	} else if f.RetryAfter > 0 {
		a.header.Set("Retry-After", strconv.Itoa(f.RetryAfter))
	}
	return a
}
