package mock

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// Kinds of a Fault.
const (
	// ErrorBefore: an error before anything was done.
	ErrorBefore = "error_before"
	// ErrorAfter: all was done, and the answer is an error.
	ErrorAfter = "error_after"
	// Slow: all was done, and the answer comes Delay late.
	Slow = "slow"
	// RateLimited: nothing was done, because of a limit that asks for RetryAfter.
	RateLimited = "rate_limited"
	// Refused: nothing was done, and never will be.
	Refused = "refused"
	// Credentials: nothing was done, because of who we are.
	Credentials = "credentials"
)

// Fault is one way in which calls go wrong.
type Fault struct {
	Kind string
	// Share is the part of the calls that it befalls, up to 1; 0 is all, too.
	Share float64
	// Operators are those that it befalls, by the names of package ticketing; empty
	// for all. Looking for what a lost call may have made counts as reading a list.
	Operators []string
	Delay     time.Duration
	// RetryAfter: 0 takes DefaultRetryAfter.
	RetryAfter time.Duration
}

func (f Fault) check() error {
	switch {
	case !slices.Contains([]string{ErrorBefore, ErrorAfter, Slow, RateLimited, Refused, Credentials}, f.Kind):
		return fmt.Errorf("kind: %q: there is no such kind of fault", f.Kind)
	case f.Share < 0 || f.Share > 1:
		return errors.New("share: want more than 0 and at most 1")
	case f.Delay < 0 || f.RetryAfter < 0:
		return errors.New("delay, retry_after: negative")
	}
	for _, operator := range f.Operators {
		if !slices.Contains(operators(), operator) {
			return fmt.Errorf("operators: there is no operator %q", operator)
		}
	}
	return nil
}

// befalls reports whether calls of an operator can have this fault.
func (f Fault) befalls(operator string) bool {
	return len(f.Operators) == 0 || slices.Contains(f.Operators, operator)
}

// faults decides which calls go wrong.
type faults struct {
	all []Fault

	mu     sync.Mutex
	random *rand.Rand
}

func newFaults(all []Fault, seed uint64) *faults {
	return &faults{all: all, random: rand.New(rand.NewPCG(seed, 0))}
}

// fate is what becomes of one call.
type fate struct {
	// before is why it is not carried out; nil if it is.
	before *Fault
	// after: it is carried out and answers an error.
	after bool
	delay time.Duration
}

// draw decides about one call; of several faults each has its chance.
func (f *faults) draw(operator string) fate {
	f.mu.Lock()
	defer f.mu.Unlock()
	var drawn fate
	for i, fault := range f.all {
		if !fault.befalls(operator) || f.random.Float64() >= cmp.Or(fault.Share, 1) {
			continue
		}
		switch fault.Kind {
		case Slow:
			drawn.delay += fault.Delay
		case ErrorAfter:
			drawn.after = true
		default:
			drawn.before = cmp.Or(drawn.before, &f.all[i])
		}
	}
	return drawn
}

// fail is how a fault that keeps a call from being carried out is answered.
func (a act) fail(f Fault) error {
	e := &ticket.Error{Op: a.op, Message: "a fault that the configuration asks for (mock.faults): "}
	switch f.Kind {
	case RateLimited:
		e.Kind, e.Status, e.RetryAfter = ticket.RateLimited, http.StatusTooManyRequests, cmp.Or(f.RetryAfter, DefaultRetryAfter)
		e.Message += "too many requests"
	case Refused:
		e.Kind, e.Status = ticket.Permanent, http.StatusUnprocessableEntity
		e.Message += "refused"
	case Credentials:
		e.Kind, e.Status = ticket.Credentials, http.StatusUnauthorized
		e.Message += "the credential is not accepted"
	default:
		e.Kind, e.Status = ticket.Retry, http.StatusServiceUnavailable
		e.Message += "not available, nothing was done"
	}
	return e
}
