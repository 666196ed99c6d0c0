package integration

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/simulator/cloudfeeds"
)

const (
	edgeFeed    = "rackspace-lon"
	edgeTickets = 20
	day         = 24 * time.Hour
)

// feedSite is a feed's server whose clock a test moves on. It runs behind the
// real one, because the earlier of the two clocks is what a reader believes.
type feedSite struct {
	*cloudfeeds.Server
	hooks
	url    string
	behind atomic.Int64
}

// hooks see each request before and after it is answered, where set.
type hooks struct{ before, after func(*http.Request) }

func newFeedSite(t *testing.T, o cloudfeeds.Options, h hooks) *feedSite {
	t.Helper()
	f := &feedSite{hooks: h}
	f.behind.Store(int64(30 * day))
	o.Now, o.TokenLife = f.now, 60*day
	f.Server = cloudfeeds.New(o)
	f.AddUser(cloudfeeds.User{Name: "alice", APIKey: "secret-of-feed"})
	site := httptest.NewServer(f)
	t.Cleanup(site.Close)
	f.url = site.URL
	return f
}

func (f *feedSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f.before != nil {
		f.before(r)
	}
	f.Server.ServeHTTP(w, r)
	if f.after != nil {
		f.after(r)
	}
}

func (f *feedSite) now() time.Time       { return time.Now().Add(-time.Duration(f.behind.Load())) }
func (f *feedSite) pass(d time.Duration) { f.behind.Add(-int64(d)) }

// store publishes entries a moment apart, and lets them grow too old to have
// late ones among them. From one to the other of tied all bear one time. It
// returns the times of the first and the last.
func (f *feedSite) store(entries []cloudfeeds.Entry, tied ...int) (first, last time.Time) {
	const apart = 100 * time.Millisecond
	first = f.now().Truncate(time.Millisecond)
	last = first
	f.pass(time.Duration(len(entries))*apart + 3*time.Minute)
	for n, e := range entries {
		if n > 0 && (len(tied) != 2 || n <= tied[0] || n > tied[1]) {
			last = last.Add(apart)
		}
		e.Updated = last
		f.Publish(e)
	}
	return first, last
}

// edge is a stack that reads a feedSite.
type edge struct {
	*stack
	site *feedSite
	told *story
}

func newEdge(t *testing.T, entries int, feed cloudfeeds.Options, h hooks, o options) *edge {
	t.Helper()
	site := newFeedSite(t, feed, h)
	o.feeds = feedConfig(site.url)
	return &edge{start(t, o), site, tellMuch(entries, edgeTickets, 6)}
}

// begin reads the first entries of the story, pauses, and waits until Jira has them.
func (e *edge) begin(t *testing.T, entries int) (last time.Time) {
	t.Helper()
	_, last = e.site.store(e.told.entries[:entries])
	e.steer(t, "start", edgeFeed)
	e.eventually(t, func() bool { return e.feed(edgeFeed).Events == int64(entries) }, "the first entries are read")
	e.steer(t, "pause", edgeFeed)
	e.eventually(t, func() bool { return e.feed(edgeFeed).State == contract.StatePaused }, "the feed is paused")
	news := 0
	for _, entry := range e.told.entries[:entries] {
		news += len(entry.Comments)
	}
	e.eventually(t, func() bool { return e.delivered() == news }, "the first comments are there")
	return last
}

// assertAll: everything was handed over once, and Jira holds the story.
func (e *edge) assertAll(t *testing.T) {
	t.Helper()
	e.awaitTold(t, e.told, 2*time.Minute)
	e.assertTold(t, e.told)
	e.eventually(t, func() bool { return !e.feed(edgeFeed).CatchingUp }, "nothing more to read")
	assert.EqualValues(t, len(e.told.entries), e.feed(edgeFeed).Events, "entries handed over")
}

func (e *edge) assertNoGap(t *testing.T) {
	t.Helper()
	assert.Empty(t, e.feed(edgeFeed).Gaps)
	assert.Zero(t, e.feed(edgeFeed).GapCount)
}

// A backlog of more than a page: each entry once and in order.
func TestFeedBacklog(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		mode cloudfeeds.Mode
		// read are read before a pause, in which the others come.
		read, others int
		tied         []int
		// links makes pages name another host than was asked.
		links string
	}{
		{name: "one page exactly, from the start", mode: cloudfeeds.JDBC, others: feedPage},
		{name: "one page exactly, after a marker that is included", mode: cloudfeeds.DDB, read: 40, others: feedPage},
		{name: "two pages exactly, after a marker", mode: cloudfeeds.JDBC, read: 40, others: 2 * feedPage, links: "atom.internal.example:8080"},
		{name: "ties across the end of a page", mode: cloudfeeds.JDBC, read: 40, others: feedPage + 100, tied: []int{feedPage - 60, feedPage + 60}},
		{name: "ties across the end of a page, marker included", mode: cloudfeeds.DDB, read: 40, others: feedPage + 100, tied: []int{feedPage - 60, feedPage + 60}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEdge(t, c.read+c.others, cloudfeeds.Options{Mode: c.mode}, hooks{before: func(r *http.Request) {
				r.Host = cmp.Or(c.links, r.Host)
			}}, options{})
			verb := "start"
			if c.read > 0 {
				e.begin(t, c.read)
				verb = "resume"
			}
			e.site.store(e.told.entries[c.read:], c.tied...)
			e.steer(t, verb, edgeFeed)
			e.assertAll(t)
			e.assertNoGap(t)
			assert.Positive(t, e.site.Stats().Walks, "the head alone does not hold it")
		})
	}
}

// A worker dies while it waits for the second page, its successor while it hands
// the third one over. Calls that die with it are looked into half a minute later.
func TestFeedBacklogSurvivesKills(t *testing.T) {
	t.Parallel()
	const read = 40
	reached := make(chan struct{})
	var asked, answered atomic.Int64
	walks := func(r *http.Request) bool { return r.URL.Query().Has("marker") }
	e := newEdge(t, read+3*feedPage+500, cloudfeeds.Options{}, hooks{
		before: func(r *http.Request) {
			if !walks(r) {
				return
			}
			switch asked.Add(1) {
			case 2:
				reached <- struct{}{}
				<-r.Context().Done()
			case 5: // the fourth page must not come before the kill
				<-r.Context().Done()
			}
		},
		after: func(r *http.Request) {
			if walks(r) && answered.Add(1) == 4 {
				reached <- struct{}{}
			}
		},
	}, options{})
	e.begin(t, read)
	e.site.store(e.told.entries[read:])
	e.steer(t, "resume", edgeFeed)
	await(t, reached)
	e.replaceWorker(t, read+feedPage)
	signals := func() int {
		return e.history(e.workflows("WorkflowType = 'MatchEvents'")[0])[enums.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED]
	}
	before := signals()
	e.steer(t, "poll-now", edgeFeed) // the death would be noticed within 75 seconds
	await(t, reached)
	e.eventually(t, func() bool { return signals() >= before+2 }, "the third page is being handed over")
	e.replaceWorker(t, read+2*feedPage, read+3*feedPage)
	e.steer(t, "poll-now", edgeFeed)
	e.assertAll(t)
	e.assertNoGap(t)
}

func await(t *testing.T, reached <-chan struct{}) {
	t.Helper()
	select {
	case <-reached:
	case <-time.After(2 * soon):
		require.FailNow(t, "the page is never asked for")
	}
}

// replaceWorker kills the worker and starts another, with so many entries (one
// of the numbers) handed over so far.
func (e *edge) replaceWorker(t *testing.T, events ...int64) {
	t.Helper()
	e.workers[0].kill()
	e.workers = nil
	e.startWorker()
	assert.Contains(t, events, e.feed(edgeFeed).Events)
}

// The feed moves to a host with a store of its own, which has the same events
// under other ids, and more of them than a page.
func TestFeedMovesToAnotherHost(t *testing.T) {
	t.Parallel()
	const read = 40
	e := newEdge(t, read+feedPage+100, cloudfeeds.Options{Seed: 1}, hooks{}, options{})
	e.begin(t, read)
	moved := newFeedSite(t, cloudfeeds.Options{Mode: cloudfeeds.DDB, Seed: 2}, hooks{})
	moved.store(e.told.entries[:read])
	moved.store(e.told.entries[read:])
	require.True(t, e.workers[0].stop(soon), "the worker stops when asked")
	e.workers = nil
	e.write(options{feeds: feedConfig(moved.url)})
	before := e.site.Stats().Heads
	e.startWorker()
	e.steer(t, "resume", edgeFeed)
	e.awaitTold(t, e.told, 2*time.Minute)
	e.eventually(t, func() bool { v := e.feed(edgeFeed); return !v.CatchingUp && v.Marker != "" }, "all is read")
	e.assertTold(t, e.told)
	e.assertNoGap(t)
	assert.Equal(t, before, e.site.Stats().Heads, "the old host is not asked any more")
	assert.Zero(t, moved.Stats().ByStatus[http.StatusNotFound], "nor the new one for markers of the old")
}

// What may have been missed is recorded, shown and counted; all that is left
// arrives once.
func TestFeedGaps(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		feed cloudfeeds.Options
		// stop is how long the feed is paused.
		stop   time.Duration
		others int
		reason string
	}{
		{"the marker has expired", cloudfeeds.Options{}, 80 * time.Hour, feedPage + 100, "3 days"},
		{"the marker has expired, few entries are left", cloudfeeds.Options{Mode: cloudfeeds.DDB}, 80 * time.Hour, 30, "3 days"},
		{"the marker has expired early", cloudfeeds.Options{Retention: day}, 30 * time.Hour, feedPage + 100, "shorter"},
		{"the marker has expired early, few entries are left", cloudfeeds.Options{Retention: day}, 30 * time.Hour, 30, "shorter"},
		{"nothing is shown after a marker", cloudfeeds.Options{Mode: cloudfeeds.DDBBrokenForward}, time.Hour, feedPage, "nothing after a marker"},
	} {
		t.Run(c.name, func(t *testing.T) {
			const read = 40
			metrics := fmt.Sprintf("127.0.0.1:%d", freePort(t))
			e := newEdge(t, read+c.others, c.feed, hooks{}, options{env: []string{"TICKETBRIDGE_METRICS_ADDR=" + metrics}})
			last := e.begin(t, read)
			e.site.pass(c.stop / 4)
			first, until := e.site.store(missed(50))
			e.site.pass(c.stop)
			left, _ := e.site.store(e.told.entries[read:])
			e.steer(t, "resume", edgeFeed)
			e.assertAll(t)

			gap := e.theGap(t)
			assert.Contains(t, gap.Reason, c.reason)
			assert.False(t, gap.From.Before(last), "%s begins before what was read, %s", gap.From, last)
			assert.False(t, gap.From.After(first) || gap.To.Before(until), "%s to %s is not within %s to %s", first, until, gap.From, gap.To)
			assert.False(t, gap.To.After(left), "%s ends after what is left, %s", gap.To, left)
			assert.Equal(t, 1, metric(scrape("http://"+metrics+"/metrics"), "ticketbridge_feed_gaps_total", `feed="`+edgeFeed+`"`))
		})
	}
}

// missed are entries that nobody reads in time.
func missed(n int) []cloudfeeds.Entry {
	var entries []cloudfeeds.Entry
	for i := range n {
		entries = append(entries, cloudfeeds.Entry{Account: account, TicketID: fmt.Sprintf("991231-lon-%07d", i), Subject: "Missed"})
	}
	return entries
}

// theGap is the only one, as the command line shows it.
func (e *edge) theGap(t *testing.T) event.Gap {
	t.Helper()
	var view contract.FeedView
	require.NoError(t, json.Unmarshal([]byte(e.steer(t, "state", edgeFeed, "-o", "json")), &view))
	require.EqualValues(t, 1, view.GapCount)
	require.Len(t, view.Gaps, 1)
	assert.NotEmpty(t, lines(e.steer(t, "state", edgeFeed), "gap", view.Gaps[0].Reason), "for people too")
	return view.Gaps[0]
}

// In a week without entries all of the feed's expire, its marker too. That is no
// gap: what comes next arrives, once.
func TestFeedQuietForAWeek(t *testing.T) {
	t.Parallel()
	for name, others := range map[string]int{"an entry": 5, "more than a page": feedPage + 100} {
		t.Run(name, func(t *testing.T) {
			const read = 40
			// The worker's own clock goes on slowly here: it would be content to
			// hear for days that nothing changed.
			changed := hooks{before: func(r *http.Request) { r.Header.Del("If-None-Match") }}
			e := newEdge(t, read+others, cloudfeeds.Options{}, changed, options{})
			e.begin(t, read)
			e.steer(t, "resume", edgeFeed)
			for range 14 {
				e.site.pass(day / 2)
				polled := e.site.Stats().Heads
				e.eventually(t, func() bool { return e.site.Stats().Heads >= polled+2 }, "a poll that is answered now")
			}
			assert.EqualValues(t, read, e.feed(edgeFeed).Events, "nothing came")
			e.steer(t, "pause", edgeFeed)
			e.eventually(t, func() bool { return e.feed(edgeFeed).State == contract.StatePaused }, "the feed is paused")
			e.site.store(e.told.entries[read:])
			e.steer(t, "resume", edgeFeed)
			e.assertAll(t)
			e.assertNoGap(t)
			assert.Equal(t, others > feedPage, e.site.Stats().ByStatus[http.StatusNotFound] > 0, "the dead marker is only asked for on the way to a backlog")
		})
	}
}
