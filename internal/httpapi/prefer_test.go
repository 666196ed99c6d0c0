package httpapi

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
)

func TestPreferences(t *testing.T) {
	for header, want := range map[string]preference{
		"":                                 {},
		"wait=10":                          {wait: 10 * time.Second, waits: true},
		`Wait="10"; x=y, handling=lenient`: {wait: 10 * time.Second, waits: true},
		"respond-async, wait = 3":          {wait: 3 * time.Second, waits: true, async: true},
		"wait=99999":                       {wait: AnswerWithin, waits: true},
		"wait=0":                           {waits: true},
		"wait=-1, wait=x":                  {},
		"wait=2, wait=9":                   {wait: 2 * time.Second, waits: true},
	} {
		assert.Equal(t, want, preferenceOf(http.Header{"Prefer": {header}}), header)
	}
}

// ticketAfter has the fake's ticket appear after some time.
func ticketAfter(e *env, d time.Duration) {
	start := time.Now()
	e.events.current = func(context.Context, Receipt, int64) (contract.RequestView, error) {
		switch {
		case time.Since(start) >= d:
			return ticketed(), nil
		case time.Since(start) < d/2:
			return contract.RequestView{}, errors.New("a passing fault")
		}
		return view(), nil
	}
}

func TestWaitingForTheTicket(t *testing.T) {
	for name, c := range map[string]struct {
		prefer       string
		ticket, took time.Duration
		has          bool
	}{
		"not asked for":   {"", time.Second, 0, false},
		"in time":         {"wait=10", 3 * time.Second, 4 * time.Second, true},
		"too late":        {"wait=2", 3 * time.Second, 2 * time.Second, false},
		"never very long": {"wait=600", time.Hour, AnswerWithin, false},
		"no wait at all":  {"wait=0", time.Second, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEnv(t)
				ticketAfter(e, c.ticket)
				start := time.Now()
				w := e.call("POST", "/v1/events?subject=a", "", "Prefer", c.prefer)
				assert.Equal(t, 201, w.Code)
				assert.LessOrEqual(t, time.Since(start), c.took)
				if c.has {
					assert.Contains(t, w.Body.String(), `"ticket":{"id":"10001","key":"OPS-1"`)
				} else {
					assert.Contains(t, w.Body.String(), `"ticket":null`)
					assert.Equal(t, c.took, time.Since(start))
				}
			})
		})
	}
}

func TestWaitingEndsWhenAPersonIsNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t)
		e.events.current = func(context.Context, Receipt, int64) (contract.RequestView, error) {
			v := view()
			v.Pending = []contract.PendingView{{Item: "1", Kind: "create", Parked: "the project is gone"}}
			return v, nil
		}
		start := time.Now()
		w := e.call("POST", "/v1/events?subject=a", "", "Prefer", "wait=20")
		assert.Equal(t, 201, w.Code)
		assert.Less(t, time.Since(start), time.Second)
	})
}

// neverDecides waits as long as it is let.
func neverDecides(ctx context.Context, _ Receipt, wait time.Duration) (contract.OutcomeAnswer, bool, error) {
	select {
	case <-ctx.Done():
		return contract.OutcomeAnswer{}, false, ctx.Err()
	case <-time.After(wait):
		return contract.OutcomeAnswer{}, false, nil
	}
}

func TestAnswersComeInTime(t *testing.T) {
	for name, c := range map[string]struct {
		prefer       string
		submit, took time.Duration
		status       int
	}{
		"no worker":                         {"", 0, 20 * time.Second, 202},
		"no worker, and a ticket is wanted": {"wait=5", 0, 20 * time.Second, 202},
		"slow hand-over":                    {"", 9 * time.Second, AnswerWithin, 202},
		"no hand-over":                      {"", time.Hour, 10 * time.Second, 503},
		"asynchronous":                      {"respond-async", 0, 0, 202},
		"asynchronous after a while":        {"respond-async, wait=7", 0, 7 * time.Second, 202},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEnv(t)
				e.events.submit = func(ctx context.Context, _ Caller, ev event.Event) (Receipt, error) {
					select {
					case <-ctx.Done():
						return Receipt{}, ctx.Err()
					case <-time.After(c.submit):
						return Receipt{workflow, ev.ID}, nil
					}
				}
				e.events.outcome = neverDecides
				start := time.Now()
				w := e.call("POST", "/v1/events?subject=a", "", "Prefer", c.prefer)
				assert.Equal(t, c.status, w.Code, w.Body)
				assert.Equal(t, c.took, time.Since(start))
			})
		})
	}
}

func TestCallerThatLeavesIsNoFault(t *testing.T) {
	e := newEnv(t)
	e.events.submit = func(ctx context.Context, _ Caller, _ event.Event) (Receipt, error) {
		return Receipt{}, ctx.Err()
	}
	ctx, leave := context.WithCancel(context.Background())
	leave()
	serve(e.handler, newCall("POST", "/v1/events?subject=a", token).WithContext(ctx))
	assert.Equal(t, "499", e.log.last("call", "status"))
	assert.Empty(t, e.log.last("call failed", "error"))
}

func TestPreferencesAreConfirmed(t *testing.T) {
	w := newEnv(t).call("POST", "/v1/events?subject=a", "", "Prefer", "respond-async, wait=600")
	assert.Equal(t, []string{"respond-async", "wait=24"}, w.Header().Values("Preference-Applied"))
}
