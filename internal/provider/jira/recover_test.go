package jira

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/jira"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// deliver is the recipe that a caller follows after an unknown outcome: settle,
// scan, scan again a minute later, ask the index, create again.
func (w *world) deliver(n ticket.New) ticket.Ticket {
	w.t.Helper()
	ctx := context.Background()
	attempt := ticket.Attempt{FirstScheduledAt: w.clock.now()}
	for range 20 {
		made, err := w.client.CreateTicket(ctx, n)
		if err == nil {
			return made
		}
		var e *ticket.Error
		require.ErrorAs(w.t, err, &e)
		if e.Kind == ticket.Retry || e.Kind == ticket.RateLimited {
			w.clock.move(e.RetryAfter + time.Second)
			continue
		}
		require.Equal(w.t, ticket.OutcomeUnknown, e.Kind, "%v", err)
		if found, ok := w.lookFor(n, attempt); ok {
			return found
		}
	}
	require.Fail(w.t, "not delivered in 20 attempts")
	return ticket.Ticket{}
}

func (w *world) lookFor(n ticket.New, attempt ticket.Attempt) (ticket.Ticket, bool) {
	w.t.Helper()
	w.clock.move(w.client.Settling())
	for range 2 {
		found, ok := w.scan(n, attempt)
		if ok {
			return found, true
		}
		w.clock.move(time.Minute)
	}
	found, err := w.client.FindTicket(context.Background(), n.Marker)
	require.NoError(w.t, err)
	if len(found) > 0 {
		return found[0], true
	}
	return ticket.Ticket{}, false
}

func (w *world) scan(n ticket.New, attempt ticket.Attempt) (ticket.Ticket, bool) {
	w.t.Helper()
	for range 10 {
		found, ok, err := w.client.RecoverTicket(context.Background(), n, attempt)
		if err == nil {
			return found, ok
		}
		require.Contains(w.t, []ticket.Kind{ticket.Retry, ticket.RateLimited}, kindOf(w.t, err), "%v", err)
		w.clock.move(10 * time.Second)
	}
	require.Fail(w.t, "no scan came to its end")
	return ticket.Ticket{}, false
}

// bearing counts the issues, deleted ones excepted, that bear n's operation.
func (w *world) bearing(n ticket.New) (keys []string) {
	for _, i := range w.sim.Issues() {
		if stampFrom(i.Properties).Operation == n.Marker.Operation {
			keys = append(keys, i.Key)
		}
	}
	return keys
}

func (w *world) others(project string, count int) (keys []string) {
	for i := range count {
		made, err := w.sim.CreateAsOther(project, fmt.Sprintf("somebody else's %d", i))
		require.NoError(w.t, err)
		keys = append(keys, made.Key)
	}
	return keys
}

func (w *world) deleteAll(keys []string) {
	for _, key := range keys {
		require.NoError(w.t, w.sim.Delete(key))
	}
}

func TestACreateWhoseAnswerIsLostIsMadeOnce(t *testing.T) {
	faults := map[string]sim.Fault{
		"dropped before":            {Kind: sim.DropBefore, Op: "create", Times: 1},
		"dropped after":             {Kind: sim.DropAfter, Op: "create", Times: 1},
		"committed 1 s after drop":  {Kind: sim.DropLate, Op: "create", Times: 1, Delay: 1000},
		"committed 45 s after drop": {Kind: sim.DropLate, Op: "create", Times: 1, Delay: 45000},
		"500 after":                 {Kind: sim.ErrorAfter, Op: "create", Times: 1},
		"502 after, three times":    {Kind: sim.ErrorAfter, Op: "create", Times: 3, Status: 502},
		"503 before":                {Kind: sim.ErrorBefore, Op: "create", Times: 2, RetryAfter: 5},
		"HTML after":                {Kind: sim.HTML, Op: "create", Times: 1},
		"HTML before":               {Kind: sim.HTMLBefore, Op: "create", Times: 1},
		"429":                       {Kind: sim.TooMany, Op: "create", Times: 3, RetryAfter: 2},
	}
	settings := map[string]struct {
		lag     time.Duration
		prepare func(w *world)
		during  func(w *world)
	}{
		"empty project": {},
		"empty index":   {lag: time.Hour, prepare: func(w *world) { w.others("OPS", 30) }},
		"index of minutes ago": {lag: 7 * time.Minute, prepare: func(w *world) {
			w.others("OPS", 320)
			w.clock.move(time.Hour)
			w.others("OPS", 150) // not indexed yet
		}, during: func(w *world) { w.others("OPS", 130) }},
		"deleted and hidden keys around": {lag: 10 * time.Minute, prepare: func(w *world) {
			keys := w.others("OPS", 400)
			w.clock.move(20 * time.Minute)
			for i, key := range append(keys, w.others("OPS", 180)...) {
				if i > 100 && i%4 != 0 {
					require.NoError(w.t, w.sim.Delete(key))
				} else if i > 100 && i%8 == 0 {
					require.NoError(w.t, w.sim.Hide(key, true))
				}
			}
		}, during: func(w *world) {
			w.deleteAll(w.others("OPS", 150))
			w.others("OPS", 3)
		}},
		"190 absent keys before ours": {lag: time.Hour, prepare: func(w *world) {
			w.others("OPS", 5)
			w.clock.move(2 * time.Hour)
			w.deleteAll(w.others("OPS", 190))
		}},
	}
	for faultName, fault := range faults {
		for name, setting := range settings {
			t.Run(faultName+"/"+name, func(t *testing.T) {
				w := newWorld(t, func(o *sim.Options, _ *Config) { o.IndexLag = setting.lag })
				if setting.prepare != nil {
					setting.prepare(w)
				}
				w.fail(fault)
				if setting.during != nil {
					w.onceAfterCreate(func() { setting.during(w) })
				}
				got := w.deliver(newTicket(1))
				w.clock.move(10 * time.Minute)
				assert.Equal(t, []string{got.Key}, w.bearing(newTicket(1)))
			})
		}
	}
}

// Here the index knows newer issues than ours, and ours never comes into it: the
// scan alone has to find it.
func TestTheWalkBackPassesOverWhatIsInItsWay(t *testing.T) {
	for name, inItsWay := range map[string]func(w *world){
		"nothing":          func(*world) {},
		"300 absent keys":  func(w *world) { w.deleteAll(w.others("OPS", 300)) },
		"900 absent keys":  func(w *world) { w.deleteAll(w.others("OPS", 900)) },
		"issues moved off": func(w *world) { w.moveAll(w.others("OPS", 150), "DEV") },
		"old issues moved here": func(w *world) {
			var keys []string
			for n := range 150 {
				keys = append(keys, fmt.Sprintf("HELP-%d", n+1))
			}
			w.moveAll(keys, "OPS")
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.others("HELP", 150)
			w.others("OPS", 250)
			w.clock.move(24 * time.Hour)
			w.sim.SetIndexLag(24 * time.Hour)
			w.fail(sim.Fault{Kind: sim.DropAfter, Op: "create", Times: 1})
			n, attempt := newTicket(1), ticket.Attempt{FirstScheduledAt: w.clock.now().Add(time.Minute)}
			_, err := w.client.CreateTicket(context.Background(), n)
			require.Error(t, err)
			w.sim.SetIndexLag(0)
			w.clock.move(10 * time.Minute)
			inItsWay(w)
			w.others("OPS", 2)
			found, ok := w.scan(n, attempt)
			require.True(t, ok)
			assert.Equal(t, "OPS-251", found.Key)
		})
	}
}

func (w *world) moveAll(keys []string, to string) {
	for _, key := range keys {
		require.NoError(w.t, w.sim.Move(key, to))
	}
}

func TestOurIssueIsFoundUnderAnotherKey(t *testing.T) {
	w := newWorld(t, func(o *sim.Options, _ *Config) { o.IndexLag = time.Hour })
	w.fail(sim.Fault{Kind: sim.DropAfter, Op: "create", Times: 1})
	n, attempt := newTicket(1), ticket.Attempt{FirstScheduledAt: w.clock.now()}
	_, err := w.client.CreateTicket(context.Background(), n)
	require.Equal(t, ticket.OutcomeUnknown, kindOf(t, err))
	require.NoError(t, w.sim.Move("OPS-1", "DEV"))
	found, ok := w.scan(n, attempt)
	require.True(t, ok)
	assert.Equal(t, "DEV-1", found.Key)
	assert.Equal(t, "DEV", found.Project)
}

func TestKeysThatJiraCannotAnswerAreNotAbsent(t *testing.T) {
	w := newWorld(t, func(o *sim.Options, _ *Config) { o.IndexLag = time.Hour })
	w.others("OPS", 40)
	w.fail(sim.Fault{Kind: sim.DropAfter, Op: "create", Times: 1})
	n, attempt := newTicket(1), ticket.Attempt{FirstScheduledAt: w.clock.now()}
	_, err := w.client.CreateTicket(context.Background(), n)
	require.Error(t, err)

	require.NoError(t, w.sim.Unanswered("OPS-41", 3))
	found, ok := w.scan(n, attempt)
	require.True(t, ok, "asked again until it is answered")
	assert.Equal(t, "OPS-41", found.Key)

	require.NoError(t, w.sim.Unanswered("OPS-41", 1000))
	_, _, err = w.client.RecoverTicket(context.Background(), n, attempt)
	assert.Equal(t, ticket.Retry, kindOf(t, err), "never taken for absent")
}

func TestOfSeveralTheOldestIsOurs(t *testing.T) {
	w := newWorld(t)
	attempt := ticket.Attempt{FirstScheduledAt: w.clock.now()}
	first, second := w.create(newTicket(1)), w.create(newTicket(1))
	found, ok := w.scan(newTicket(1), attempt)
	require.True(t, ok)
	assert.Equal(t, first.ID, found.ID)
	assert.Equal(t, []string{second.Key}, found.Unmapped["duplicates"])
}

func TestTheWalkEnds(t *testing.T) {
	w := newWorld(t)
	w.others("OPS", 2500)
	w.clock.move(time.Hour)
	attempt := ticket.Attempt{FirstScheduledAt: w.clock.now()}
	_, ok := w.scan(newTicket(1), attempt)
	assert.False(t, ok)
	assert.Equal(t, 3, w.sim.Stats().Requests["bulkfetch"], "two parts forward, one back")
}

func TestNobodyIsTakenForAbsentBecauseWeSeeNothing(t *testing.T) {
	n := newTicket(1)
	for name, breakIt := range map[string]func(w *world){
		"project deleted":    func(w *world) { require.NoError(t, w.sim.DeleteProject("OPS")) },
		"anonymous":          func(w *world) { w.fail(sim.Fault{Kind: sim.Anonymous}) },
		"anonymous search":   func(w *world) { w.fail(sim.Fault{Kind: sim.Anonymous, Op: "search"}) },
		"search is down":     func(w *world) { w.fail(sim.Fault{Kind: sim.ErrorBefore, Op: "search"}) },
		"search was removed": func(w *world) { w.fail(sim.Fault{Kind: sim.ErrorBefore, Op: "search", Status: 410}) },
		"search gives HTML":  func(w *world) { w.fail(sim.Fault{Kind: sim.HTML, Op: "search"}) },
		"bulk gives HTML":    func(w *world) { w.fail(sim.Fault{Kind: sim.HTML, Op: "bulkfetch"}) },
		"bulk breaks off":    func(w *world) { w.fail(sim.Fault{Kind: sim.DropAfter, Op: "bulkfetch"}) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.create(n)
			breakIt(w)
			_, _, err := w.client.RecoverTicket(context.Background(), n, ticket.Attempt{FirstScheduledAt: w.clock.now()})
			assert.Contains(t, []ticket.Kind{ticket.Retry, ticket.Permanent, ticket.Credentials}, kindOf(t, err))
			if name == "project deleted" {
				return // the index is asked for the marker, not for the project
			}
			_, err = w.client.FindTicket(context.Background(), n.Marker)
			assert.Error(t, err)
			if strings.HasPrefix(name, "anonymous") {
				assert.Equal(t, ticket.Credentials, kindOf(t, err))
			}
		})
	}
}

func TestRecoverSaysWhatIsMissing(t *testing.T) {
	w := newWorld(t)
	n := newTicket(1)
	_, _, err := w.client.RecoverTicket(context.Background(), n, ticket.Attempt{})
	assert.ErrorContains(t, err, "the attempt has no time")
	n.Marker.Operation = ""
	_, _, err = w.client.RecoverTicket(context.Background(), n, ticket.Attempt{FirstScheduledAt: w.clock.now()})
	assert.ErrorContains(t, err, "no operation")
	_, err = w.client.FindTicket(context.Background(), ticket.Marker{Operation: "x"})
	assert.ErrorContains(t, err, "neither key nor request")
}

func TestFindByMarker(t *testing.T) {
	w := newWorld(t, func(o *sim.Options, _ *Config) { o.IndexLag = time.Minute })
	ctx := context.Background()
	first := w.create(newTicket(1))
	w.clock.move(time.Second)
	second := w.create(newTicket(2))
	found, err := w.client.FindTicket(ctx, ticket.Marker{Key: newTicket(1).Marker.Key})
	require.NoError(t, err)
	assert.Empty(t, found, "the index lags")

	w.clock.move(2 * time.Minute)
	// A clone has the labels and not the property.
	_, err = w.sim.CreateAsOther("OPS", "clone", w.stored(first.ID).Labels...)
	require.NoError(t, err)
	w.clock.move(2 * time.Minute)
	found, err = w.client.FindTicket(ctx, ticket.Marker{Key: newTicket(1).Marker.Key})
	require.NoError(t, err)
	require.Len(t, found, 2)
	assert.Equal(t, []string{second.ID, first.ID}, []string{found[0].ID, found[1].ID}, "newest first")

	found, err = w.client.FindTicket(ctx, newTicket(1).Marker)
	require.NoError(t, err)
	require.Len(t, found, 1)
	assert.Equal(t, first.ID, found[0].ID)
	assert.Equal(t, "disk full on host_name_1", found[0].Name)
}

// onceAfterCreate runs do when the next create's connection has ended.
func (w *world) onceAfterCreate(do func()) {
	transport := w.client.rest.HTTP.Transport
	done := false
	w.client.rest.HTTP.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		response, err := transport.RoundTrip(r)
		if !done && r.Method == "POST" && r.URL.Path == "/rest/api/3/issue" {
			done = true
			do()
		}
		return response, err
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestClocksMayDiffer(t *testing.T) {
	w := newWorld(t, func(o *sim.Options, _ *Config) { o.IndexLag = 24 * time.Hour })
	w.others("OPS", 5)
	w.clock.move(time.Hour)
	w.fail(sim.Fault{Kind: sim.DropAfter, Op: "create", Times: 1})
	attempt := ticket.Attempt{FirstScheduledAt: w.clock.now().Add(4 * time.Minute)} // ours is ahead of Jira's
	_, err := w.client.CreateTicket(context.Background(), newTicket(1))
	require.Error(t, err)
	w.clock.move(time.Second)
	w.sim.SetIndexLag(0)
	w.others("OPS", 150)
	_, ok := w.scan(newTicket(1), attempt)
	assert.True(t, ok)
}

func TestAnEmptyAnswerCountsOnlyForSomeoneJiraKnows(t *testing.T) {
	c := answering(t, func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/rest/api/3/myself" {
			rw.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprint(rw, `{"issues":[],"isLast":true}`)
	})
	_, err := c.FindTicket(context.Background(), newTicket(1).Marker)
	assert.Equal(t, ticket.Credentials, kindOf(t, err))
}
