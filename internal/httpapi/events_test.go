package httpapi

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
)

func TestDecisionsAreAnswered(t *testing.T) {
	repeat := decided(event.Created)
	repeat.Repeat = true
	for name, c := range map[string]struct {
		answer contract.OutcomeAnswer
		status int
	}{
		"created":   {decided(event.Created), 201},
		"updated":   {decided(event.Updated), 200},
		"unchanged": {decided(event.Unchanged), 200},
		"re-post":   {repeat, 200},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			e.events.outcome = func(_ context.Context, r Receipt, wait time.Duration) (contract.OutcomeAnswer, bool, error) {
				assert.Equal(t, Receipt{workflow, e.events.lastEvent().ID}, r)
				assert.Equal(t, 20*time.Second, wait)
				return c.answer, true, nil
			}
			w := e.call("POST", "/v1/events?subject=a", "")
			require.Equal(t, c.status, w.Code, w.Body)
			assert.Equal(t, "/v1/requests/12345", w.Header().Get("Location"))
			assert.Equal(t, "application/json; charset=utf-8", w.Header().Get("Content-Type"))
			assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
			assert.Regexp(t, `^W/"[0-9a-f]{32}"$`, w.Header().Get("ETag"))
			assert.NotEmpty(t, w.Header().Get("X-Request-Id"))
			assert.NotEmpty(t, w.Header().Get("X-RateLimit-Remaining"))
			var body map[string]any
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body))
			assert.EqualValues(t, 12345, body["id"])
			assert.Equal(t, nodeID("Req", 12345), body["nodeID"])
			assert.Contains(t, body, "ticket")
			assert.Nil(t, body["ticket"])
		})
	}
}

// A recovery with nothing open, where the configuration ignores such: there is
// no request to answer with, and nothing to wait for.
func TestAnIgnoredEventIsAnswered(t *testing.T) {
	e := newEnv(t)
	e.events.outcome = func(context.Context, Receipt, time.Duration) (contract.OutcomeAnswer, bool, error) {
		return contract.OutcomeAnswer{Known: true, Outcome: event.Unchanged}, true, nil
	}
	w := e.call("POST", "/v1/events?subject=a&status=completed", "", "Prefer", "wait=5")
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	assert.JSONEq(t, `{"outcome":"unchanged","note_added":false,"repeat":false,"request":null}`, w.Body.String())
}

func TestEventIsStampedAtIntake(t *testing.T) {
	e := newEnv(t)
	e.call("POST", "/v1/events?subject=a", "")
	got := e.events.lastEvent()
	assert.Equal(t, time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC), got.ReceivedAt)
	assert.Equal(t, "monitoring", got.Caller)
	assert.Equal(t, Caller{Name: "monitoring", Integration: "jira-ops", CatalogAccount: "widget", Person: "monitor@widget.example"}, e.events.lastCaller())
}

func TestIdentity(t *testing.T) {
	e := newEnv(t)
	e.call("POST", "/v1/events?subject=a", "", "Idempotency-Key", "alarm 1/ü")
	assert.Equal(t, "monitoring:alarm 1/ü", e.events.lastEvent().ID)
	assert.False(t, e.events.lastEvent().Unkeyed)

	e.call("POST", "/v1/events?subject=a&sourceID=7", "")
	first := e.events.lastEvent()
	e.call("POST", "/v1/events?subject=a&sourceID=7", "")
	assert.True(t, first.Unkeyed)
	assert.Len(t, first.ID, 36)
	assert.NotEqual(t, first.ID, e.events.lastEvent().ID, "a sourceID is no identity")

	longest := strings.Repeat("k", 255-len("monitoring:"))
	assert.Equal(t, 201, e.call("POST", "/v1/events?subject=a", "", "Idempotency-Key", longest).Code)
	assert.Len(t, e.events.lastEvent().ID, 255)
	for _, key := range []string{longest + "k", "\xff"} {
		w := e.call("POST", "/v1/events?subject=a", "", "Idempotency-Key", key)
		assert.Equal(t, 400, w.Code)
		assert.Contains(t, w.Body.String(), "Idempotency-Key")
	}
	assert.Len(t, e.events.submitted, 4)
}

func TestRejections(t *testing.T) {
	pairs := [][2]string{{"subject", "can't be blank"}, {"impact", "is not one of low, medium, high, top"}}
	want := `{"message":"Validation Failed","errors":[["subject","can't be blank"],["impact","is not one of low, medium, high, top"]]}`
	t.Run("at intake", func(t *testing.T) {
		e := newEnv(t)
		e.events.submit = func(context.Context, Caller, event.Event) (Receipt, error) {
			return Receipt{}, fmt.Errorf("resolve: %w", &InvalidEvent{Errors: pairs})
		}
		w := e.call("POST", "/v1/events", "")
		assert.Equal(t, 422, w.Code)
		assert.JSONEq(t, want, w.Body.String())
	})
	t.Run("by the workflow", func(t *testing.T) {
		e := newEnv(t)
		e.events.outcome = func(context.Context, Receipt, time.Duration) (contract.OutcomeAnswer, bool, error) {
			return contract.OutcomeAnswer{Known: true, Outcome: event.Rejected, Errors: pairs}, true, nil
		}
		w := e.call("POST", "/v1/events", "")
		assert.Equal(t, 422, w.Code)
		assert.JSONEq(t, want, w.Body.String())
	})
}

func TestNotAccepted(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		status int
	}{
		"unreachable": {fmt.Errorf("signal: %w", ErrUnavailable), 503},
		"too slow":    {fmt.Errorf("signal: %w", context.DeadlineExceeded), 503},
		"a bug":       {errors.New("boom with s3cret"), 500},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			e.events.submit = func(context.Context, Caller, event.Event) (Receipt, error) { return Receipt{}, c.err }
			w := e.call("POST", "/v1/events?subject=a", "")
			assert.Equal(t, c.status, w.Code)
			assert.Contains(t, w.Body.String(), `"message":"`+http.StatusText(c.status)+`"`)
			assert.NotContains(t, w.Body.String(), "s3cret")
			assert.Contains(t, e.log.text(), c.err.Error())
			if c.status == 503 {
				assert.Equal(t, "5", w.Header().Get("Retry-After"))
				assert.Contains(t, w.Body.String(), "not accepted")
			}
		})
	}
}

// After the hand-over the event is safe: whatever goes wrong then, the answer
// is the place to ask, never an error.
func TestUndecidedIsAccepted(t *testing.T) {
	headless := decided(event.Created)
	headless.Request = nil
	for name, answer := range map[string]func() (contract.OutcomeAnswer, bool, error){
		"no worker":        func() (contract.OutcomeAnswer, bool, error) { return contract.OutcomeAnswer{}, false, nil },
		"Temporal is gone": func() (contract.OutcomeAnswer, bool, error) { return contract.OutcomeAnswer{}, false, ErrUnavailable },
		"continues as new": func() (contract.OutcomeAnswer, bool, error) { return contract.OutcomeAnswer{Again: true}, true, nil },
		"not seen yet":     func() (contract.OutcomeAnswer, bool, error) { return contract.OutcomeAnswer{}, true, nil },
		"without request":  func() (contract.OutcomeAnswer, bool, error) { return headless, true, nil },
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			e.events.outcome = func(context.Context, Receipt, time.Duration) (contract.OutcomeAnswer, bool, error) { return answer() }
			w := e.call("POST", "/v1/events?subject=a", "")
			require.Equal(t, 202, w.Code, w.Body)
			assert.Equal(t, "1", w.Header().Get("Retry-After"))
			text, found := strings.CutPrefix(w.Header().Get("Location"), "/v1/events/")
			require.True(t, found)
			receipt, err := readReceipt(Caller{Integration: "jira-ops"}, text)
			require.NoError(t, err)
			assert.Equal(t, Receipt{workflow, e.events.lastEvent().ID}, receipt)
			var body map[string]any
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body))
			assert.Equal(t, w.Header().Get("Location"), body["location"])
			assert.Equal(t, "accepted", body["status"])
			assert.NotContains(t, body, "message")
		})
	}
}

func TestReceipt(t *testing.T) {
	text := Receipt{workflow, "monitoring:1"}.Text()
	t.Run("decided", func(t *testing.T) {
		e := newEnv(t)
		e.events.current = func(context.Context, Receipt, int64) (contract.RequestView, error) { return ticketed(), nil }
		w := e.call("GET", "/v1/events/"+text, "")
		require.Equal(t, 200, w.Code, w.Body)
		var body outcome
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body))
		assert.Equal(t, event.Created, body.Outcome)
		assert.EqualValues(t, 12345, body.Request.ID)
		assert.Equal(t, "OPS-1", body.Request.Ticket.Key, "the ticket came after the decision")
	})
	t.Run("decided, and the present state cannot be had", func(t *testing.T) {
		e := newEnv(t)
		e.events.current = func(context.Context, Receipt, int64) (contract.RequestView, error) {
			return contract.RequestView{}, ErrUnavailable
		}
		w := e.call("GET", "/v1/events/"+text, "")
		assert.Equal(t, 200, w.Code)
		assert.Contains(t, w.Body.String(), `"id":12345`)
	})
	t.Run("rejected", func(t *testing.T) {
		e := newEnv(t)
		e.events.outcome = func(context.Context, Receipt, time.Duration) (contract.OutcomeAnswer, bool, error) {
			return contract.OutcomeAnswer{Known: true, Outcome: event.Rejected, Errors: [][2]string{{"subject", "can't be blank"}}}, true, nil
		}
		w := e.call("GET", "/v1/events/"+text, "")
		assert.Equal(t, 200, w.Code)
		assert.JSONEq(t, `{"outcome":"rejected","note_added":false,"repeat":false,"errors":[["subject","can't be blank"]],"request":null}`, w.Body.String())
	})
	t.Run("undecided", func(t *testing.T) {
		e := newEnv(t)
		e.events.outcome = func(_ context.Context, _ Receipt, wait time.Duration) (contract.OutcomeAnswer, bool, error) {
			assert.Equal(t, 3*time.Second, wait)
			return contract.OutcomeAnswer{}, false, nil
		}
		w := e.call("GET", "/v1/events/"+text, "", "Prefer", "wait=3")
		assert.Equal(t, 202, w.Code)
		assert.Equal(t, "/v1/events/"+text, w.Header().Get("Location"))
	})
	t.Run("unknown", func(t *testing.T) {
		e := newEnv(t)
		e.events.outcome = func(context.Context, Receipt, time.Duration) (contract.OutcomeAnswer, bool, error) {
			return contract.OutcomeAnswer{}, true, nil
		}
		w := e.call("GET", "/v1/events/"+text, "")
		assert.Equal(t, 404, w.Code)
		assert.JSONEq(t, `{"message":"Not Found"}`, w.Body.String())
	})
	t.Run("Temporal is gone", func(t *testing.T) {
		e := newEnv(t)
		e.events.outcome = func(context.Context, Receipt, time.Duration) (contract.OutcomeAnswer, bool, error) {
			return contract.OutcomeAnswer{}, false, ErrUnavailable
		}
		assert.Equal(t, 503, e.call("GET", "/v1/events/"+text, "").Code)
	})
}

func TestReceiptsOfOthersAndForgeries(t *testing.T) {
	e := newEnv(t)
	e.events.outcome = func(context.Context, Receipt, time.Duration) (contract.OutcomeAnswer, bool, error) {
		t.Fatal("asked for a receipt that is not the caller's")
		return contract.OutcomeAnswer{}, false, nil
	}
	good := Receipt{workflow, "1"}.Text()
	for name, text := range map[string]string{
		"another integration's": Receipt{otherFlow, "1"}.Text(),
		"not a match":           Receipt{"feed:rackspace-lon", "1"}.Text(),
		"a prefix":              Receipt{"match:jira-ops-2:x:y", "1"}.Text(),
		"no event":              Receipt{workflow, ""}.Text(),
		"not as we write it":    base64.RawURLEncoding.EncodeToString([]byte(`{"w": "` + workflow + `","e":"1"}`)),
		"more than a receipt":   base64.RawURLEncoding.EncodeToString([]byte(`{"w":"` + workflow + `","e":"1"}{}`)),
		"padded":                good + "=",
		"cut":                   good[:len(good)-4],
		"no base64":             "%21%21",
		"too long":              Receipt{workflow + strings.Repeat("x", maxReceipt), "1"}.Text(),
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, 404, e.call("GET", "/v1/events/"+text, "").Code)
		})
	}
	assert.Equal(t, 404, e.call("GET", "/v1/events/"+good, "", "Authorization", "Bearer "+otherToken).Code)
}

// The ids of the contract are what ownership is read from.
func TestOwnership(t *testing.T) {
	for _, integration := range []string{"match", "jira-ops", "a"} {
		id := contract.MatchID(integration, event.Key{Policy: event.PolicyEvent, CI: 1})
		assert.True(t, Caller{Integration: integration}.Owns(id))
		assert.False(t, Caller{Integration: "b"}.Owns(id))
		assert.False(t, Caller{}.Owns(id))
	}
}

func TestManyCallsAtOnce(t *testing.T) {
	e := newEnv(t)
	const calls = 50
	var all sync.WaitGroup
	for i := range calls {
		all.Go(func() {
			r := newCall("POST", fmt.Sprintf("/v1/events?subject=%d", i), token)
			assert.Equal(t, 201, serve(e.handler, r).Code)
		})
	}
	all.Wait()
	seen := map[string]bool{}
	for _, got := range e.events.submitted {
		seen[got.ID+got.Params["subject"]] = true
	}
	assert.Len(t, seen, calls)
}
