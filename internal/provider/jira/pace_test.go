package jira

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/jira"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// waiter is a caller who comes back when it was told to.
type waiter struct {
	n      int
	at     time.Time
	client *Client
}

// drain lets every waiter create its ticket, each when its time has come, and
// answers how long it took and how many calls of the client were made.
func (w *world) drain(waiters []waiter) (took time.Duration, calls int) {
	start := w.clock.now()
	for len(waiters) > 0 {
		slices.SortStableFunc(waiters, func(a, b waiter) int { return cmp.Or(a.at.Compare(b.at), a.n-b.n) })
		next := waiters[0]
		if next.at.After(w.clock.now()) {
			w.clock.move(next.at.Sub(w.clock.now()))
		}
		calls++
		require.Less(w.t, calls, 20000, "the callers hammer")
		_, err := next.client.CreateTicket(context.Background(), newTicket(next.n))
		if err == nil {
			waiters = waiters[1:]
			continue
		}
		var e *ticket.Error
		require.ErrorAs(w.t, err, &e)
		require.Equal(w.t, ticket.RateLimited, e.Kind, "%v", err)
		require.Positive(w.t, e.RetryAfter)
		waiters[0].at = w.clock.now().Add(e.RetryAfter)
	}
	return w.clock.now().Sub(start), calls
}

// Two processes, each with a limiter of its own, under a limit that neither knows.
func TestTwoClientsUnderALimitTheyDoNotKnow(t *testing.T) {
	for name, rate := range map[string]Rate{
		"as configured by default": {},
		"configured far above":     {PerSecond: 200, Concurrency: 16},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(o *sim.Options, c *Config) { o.CreatesPerSecond, c.Rate = 20, rate })
			clients := []*Client{w.client, w.newClient()}
			var waiters []waiter
			for n := range 250 {
				waiters = append(waiters, waiter{n: n, at: w.clock.now(), client: clients[n%2]})
			}
			took, calls := w.drain(waiters)
			stats := w.sim.Stats()
			t.Logf("%d POSTs, %d answered 429, %s, %d calls", stats.Requests["create"], stats.TooMany["create"], took, calls)
			assert.Equal(t, 250, stats.Commits["create"])
			assert.LessOrEqual(t, float64(stats.Requests["create"]), 1.1*250)
			assert.Less(t, took, 30*time.Second, "at least half of what the limit allows is used")
			assert.Less(t, calls, 250*4, "callers who are sent off come back few times")
		})
	}
}

func TestTheConfiguredRateIsKept(t *testing.T) {
	w := newWorld(t, func(_ *sim.Options, c *Config) { c.Rate = Rate{PerSecond: 5, Concurrency: 2} })
	var waiters []waiter
	for n := range 100 {
		waiters = append(waiters, waiter{n: n, at: w.clock.now(), client: w.client})
	}
	took, calls := w.drain(waiters)
	assert.InDelta(t, 20, took.Seconds(), 2)
	assert.Less(t, calls, 250, "each comes back at a time of its own")
}

func TestAfter429ThePauseIsKept(t *testing.T) {
	for name, c := range map[string]struct {
		fault                     sim.Fault
		least, most               time.Duration
		otherCallsRest, otherRest bool // another endpoint; another issue
	}{
		"Retry-After":     {fault: sim.Fault{Kind: sim.TooMany, RetryAfter: 7}, least: 7 * time.Second, most: 8 * time.Second, otherRest: true},
		"nothing named":   {fault: sim.Fault{Kind: sim.TooMany}, least: 700 * time.Millisecond, most: 3 * time.Second, otherRest: true},
		"reset":           {fault: sim.Fault{Kind: sim.TooMany, Reset: 40}, least: 39 * time.Second, most: 42 * time.Second, otherRest: true},
		"burst":           {fault: sim.Fault{Kind: sim.TooMany, RetryAfter: 3, Reason: "jira-burst-based"}, least: 3 * time.Second, most: 4 * time.Second, otherRest: true},
		"tenant's quota":  {fault: sim.Fault{Kind: sim.TooMany, RetryAfter: 3, Reset: 300, Reason: "jira-quota-tenant-based"}, least: 299 * time.Second, most: 302 * time.Second, otherCallsRest: true, otherRest: true},
		"writes to issue": {fault: sim.Fault{Kind: sim.TooMany, RetryAfter: 5, Reason: "jira-per-issue-on-write"}, least: 5 * time.Second, most: 6 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			a, b := w.create(newTicket(1)), w.create(newTicket(2))
			c.fault.Op, c.fault.Times = "comment", 1
			w.fail(c.fault)
			ctx, say := context.Background(), ticket.NewComment{Content: "x", Operation: "o"}
			_, err := w.client.CreateComment(ctx, a.ID, say)
			wait := retryAfter(t, err)
			assert.GreaterOrEqual(t, wait, c.least)
			assert.LessOrEqual(t, wait, c.most)

			sent := w.sim.Stats().Requests["comment"]
			w.clock.move(c.least - 10*time.Millisecond)
			_, err = w.client.CreateComment(ctx, a.ID, say)
			assert.Positive(t, retryAfter(t, err), "answered without a call")
			_, err = w.client.CreateComment(ctx, b.ID, say)
			assert.Equal(t, c.otherRest, err != nil, "%v", err)
			_, err = w.client.GetTicket(ctx, a.ID)
			assert.Equal(t, c.otherCallsRest, err != nil, "%v", err)
			if c.otherRest {
				assert.Equal(t, sent, w.sim.Stats().Requests["comment"])
			}
			w.clock.move(c.most)
			_, err = w.client.CreateComment(ctx, a.ID, say)
			assert.NoError(t, err)
		})
	}
}

func retryAfter(t *testing.T, err error) time.Duration {
	t.Helper()
	require.Equal(t, ticket.RateLimited, kindOf(t, err))
	var e *ticket.Error
	require.ErrorAs(t, err, &e)
	return e.RetryAfter
}

func TestAnOperationUnderWayIsNotStarvedByTheRate(t *testing.T) {
	w := newWorld(t, func(o *sim.Options, c *Config) {
		o.IndexLag, c.Rate = time.Hour, Rate{PerSecond: 2, Concurrency: 2}
	})
	w.others("OPS", 950)
	_, _, err := w.client.RecoverTicket(context.Background(), newTicket(1), ticket.Attempt{FirstScheduledAt: w.clock.now()})
	require.NoError(t, err, "a scan of many calls comes to its end")
	_, err = w.client.GetTicket(context.Background(), "OPS-1")
	assert.Greater(t, retryAfter(t, err), 4*time.Second, "and later calls pay for it")
}

func TestA503WithRetryAfterSaysHowLong(t *testing.T) {
	c := answering(t, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Retry-After", "12")
		rw.WriteHeader(http.StatusServiceUnavailable)
	})
	_, err := c.CreateTicket(context.Background(), newTicket(1))
	var e *ticket.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, ticket.OutcomeUnknown, e.Kind)
	assert.Equal(t, 12*time.Second, e.RetryAfter)
}
