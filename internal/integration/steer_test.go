package integration

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/simulator/cloudfeeds"
)

// ownFeed is a feed with a server of its own, so that faults meet only it.
type ownFeed struct {
	*cloudfeeds.Server
	name string
	url  string
	// more are further lines of its configuration.
	more string
}

func newFeed(t *testing.T, name, more string) *ownFeed {
	t.Helper()
	sim := cloudfeeds.New(cloudfeeds.Options{Mode: cloudfeeds.DDB})
	sim.AddUser(cloudfeeds.User{Name: name, APIKey: "secret-of-feed"})
	site := httptest.NewServer(sim)
	t.Cleanup(site.Close)
	return &ownFeed{Server: sim, name: name, url: site.URL, more: more}
}

func (f *ownFeed) config() string {
	return fmt.Sprintf(`  - name: %s
    type: cloudfeeds
    url: %s/consolidated_ticketing/events/%s
    credential: {type: rackspace_api_key, username: %s, secret: "env:TEST_FEED_KEY", identity_url: "%s/v2.0", requests_per_minute: 600}
    match: ticket
    integration: jira-ops
%s`, f.name, f.url, account, f.name, f.url, f.more)
}

// tell publishes an entry about a ticket of the feed.
func (f *ownFeed) tell(ticket, comment string, change ...func(*cloudfeeds.Entry)) string {
	e := cloudfeeds.Entry{
		Account: account, TicketID: ticket, Type: "UPDATE", Subject: f.name + " " + ticket,
		Comments: []cloudfeeds.Comment{{ID: ticket + "-" + comment, Author: "Racker", Created: time.Now(), Text: comment}},
	}
	for _, c := range change {
		c(&e)
	}
	return f.Publish(e)[0]
}

const fast = "    poll_interval: 200ms\n"

// Everything that an operator does to a feed, on the real programs.
func TestSteeringFeeds(t *testing.T) {
	t.Parallel()
	steady := newFeed(t, "steady", fast)
	slow := newFeed(t, "slow", "    poll_interval: 10m\n")
	late := newFeed(t, "late", fast+"    start: now\n")
	mended := newFeed(t, "mended", fast)
	tenant := newFeed(t, "tenant", fast+"    tenant: "+account+"\n")
	broken := newFeed(t, "broken", fast)
	var text strings.Builder
	for _, f := range []*ownFeed{steady, slow, late, mended, tenant, broken} {
		text.WriteString(f.config())
	}
	s := start(t, options{feeds: "feeds:\n" + text.String()})
	t.Run("unknown", s.testUnknownFeed)
	t.Run("pause and resume", func(t *testing.T) { s.testPause(t, steady) })
	t.Run("poll now", func(t *testing.T) { s.testPollNow(t, slow) })
	t.Run("rewind", func(t *testing.T) { s.testRewind(t, steady) })
	t.Run("start now", func(t *testing.T) { s.testStartNow(t, late) })
	t.Run("wrong credential", func(t *testing.T) { s.testWrongCredential(t, mended) })
	t.Run("foreign tenant", func(t *testing.T) { s.testForeignTenant(t, tenant) })
	t.Run("told to wait", func(t *testing.T) { s.testToldToWait(t, steady) })
	t.Run("expired token", func(t *testing.T) { s.testExpiredToken(t, steady) })
	t.Run("malformed", func(t *testing.T) { s.testMalformed(t, broken) })
	t.Run("over HTTP", func(t *testing.T) { s.testFeedOverHTTP(t, steady) })
}

func (s *stack) steer(t *testing.T, args ...string) string {
	t.Helper()
	out, status := s.starter(append([]string{"feed"}, args...)...)
	require.Zero(t, status, out)
	return out
}

// arrives waits until the ticket of a foreign one has a comment.
func (s *stack) arrives(t *testing.T, summary, text string) {
	t.Helper()
	s.eventually(t, func() bool { return strings.Contains(s.texts(summary), text) }, summary+" has "+text)
}

func (s *stack) testUnknownFeed(t *testing.T) {
	out, status := s.starter("feed", "start", "nope")
	assert.Equal(t, 3, status)
	assert.Contains(t, out, `"nope"`)
	assert.Contains(t, out, "steady", "it names those that there are")
	out, status = s.starter("feed", "pause", "nope")
	assert.Equal(t, 3, status, out)
	out, status = s.starter("feed", "pause", "steady")
	assert.Equal(t, 3, status)
	assert.Contains(t, out, "starter feed start steady")
	assert.Equal(t, 404, s.get("/v1/feeds/nope").status)
	assert.Equal(t, 409, s.get("/v1/feeds/steady").status)

	// A person who types the name wrongly into temporal sees it on the workflow.
	end := s.cli("workflow", "start", "--type", "PollFeed", "--workflow-id", "feed:nope", "--task-queue", "ticketbridge", "--input", `{"feed":"nope"}`)
	require.Zero(t, end.status, end.text())
	s.eventually(t, func() bool { return s.feed("nope").State == "blocked" }, "the unknown feed is blocked")
	assert.Contains(t, s.feed("nope").LastError, `"nope"`)
	s.eventually(t, func() bool { return len(s.workflows("BridgeState = 'blocked'")) == 1 }, "the blocked feed is found")
	assert.Zero(t, s.cli("workflow", "terminate", "--workflow-id", "feed:nope").status)
}

// After a pause nothing arrives any more, at once; after a resume all of it.
func (s *stack) testPause(t *testing.T, f *ownFeed) {
	assert.Contains(t, s.steer(t, "start", f.name), "feed:steady")
	f.tell("250101-lon-0000001", "one.")
	s.arrives(t, "steady 250101-lon-0000001", "one.")
	s.steer(t, "pause", f.name)
	s.eventually(t, func() bool { return s.feed(f.name).State == "paused" }, "the feed is paused")
	f.tell("250101-lon-0000001", "two.")
	assert.Never(t, func() bool { return strings.Contains(s.texts("steady 250101-lon-0000001"), "two.") }, 2*time.Second, 100*time.Millisecond)
	s.eventually(t, func() bool { return len(s.workflows("BridgeState = 'paused'")) == 1 }, "the paused feed is found")
	asked := len(f.Log())
	assert.Never(t, func() bool { return len(f.Log()) > asked }, time.Second, 100*time.Millisecond, "a paused feed is not asked")
	s.steer(t, "resume", f.name)
	s.arrives(t, "steady 250101-lon-0000001", "two.")
}

func (s *stack) testPollNow(t *testing.T, f *ownFeed) {
	s.steer(t, "start", f.name)
	s.eventually(t, func() bool { return s.feed(f.name).Polls > 0 }, "the first poll")
	f.tell("250101-lon-0000002", "urgent.")
	assert.Never(t, func() bool { return len(s.issues()["slow 250101-lon-0000002"]) > 0 }, time.Second, 100*time.Millisecond, "the next poll is far")
	s.steer(t, "poll-now", f.name)
	s.arrives(t, "slow 250101-lon-0000002", "urgent.")
}

// Read again from the start, from a marker, from a time: nothing is made twice.
func (s *stack) testRewind(t *testing.T, f *ownFeed) {
	const summary = "steady 250101-lon-0000003"
	var marker string
	begin := time.Now()
	for n := range 6 {
		id := f.tell("250101-lon-0000003", fmt.Sprintf("comment-%d.", n))
		if n == 2 {
			marker = id
		}
	}
	s.arrives(t, summary, "comment-5.")
	before := s.texts(summary)
	total := len(s.jira.Issues())
	for _, to := range []string{"oldest", marker, begin.Add(-time.Second).UTC().Format(time.RFC3339)} {
		read := s.feed(f.name).Events
		s.steer(t, "rewind", f.name, "--to", to)
		s.eventually(t, func() bool { return s.feed(f.name).Events >= read+3 }, "entries are read again from "+to)
		f.tell("250101-lon-0000004", "after "+to)
		s.arrives(t, "steady 250101-lon-0000004", "after "+to)
		assert.Equal(t, before, s.texts(summary), "after a rewind to %s", to)
	}
	assert.Len(t, s.jira.Issues(), total+1)

	refused := s.feed(f.name).Rejected
	s.steer(t, "rewind", f.name, "--to", "yesterday")
	s.eventually(t, func() bool { return s.feed(f.name).Rejected == refused+1 }, "the refused rewind is counted")
	assert.Contains(t, s.feed(f.name).LastRejection, `"yesterday"`)
	assert.Contains(t, s.steer(t, "state", f.name), "yesterday")
	out, status := s.starter("feed", "rewind", f.name)
	assert.Equal(t, 2, status, out)
	f.tell("250101-lon-0000004", "goes on.")
	s.arrives(t, "steady 250101-lon-0000004", "goes on.")
}

func (s *stack) testStartNow(t *testing.T, f *ownFeed) {
	f.tell("250101-lon-0000005", "long ago.", func(e *cloudfeeds.Entry) { e.Updated = time.Now().Add(-time.Hour) })
	s.steer(t, "start", f.name)
	s.eventually(t, func() bool { return s.feed(f.name).Polls > 0 }, "the first poll")
	f.tell("250101-lon-0000006", "just now.")
	s.arrives(t, "late 250101-lon-0000006", "just now.")
	assert.Empty(t, s.issues()["late 250101-lon-0000005"], "what was there before is not wanted")
}

// A wrong credential blocks the feed with a sentence; once it is mended, resume works.
func (s *stack) testWrongCredential(t *testing.T, f *ownFeed) {
	f.AddUser(cloudfeeds.User{Name: f.name, APIKey: "another-secret"})
	f.tell("250101-lon-0000007", "waits.")
	s.steer(t, "start", f.name)
	s.eventually(t, func() bool { return s.feed(f.name).State == "blocked" }, "the feed is blocked")
	sentence := s.feed(f.name).LastError
	assert.Contains(t, sentence, "feed mended: credential")
	assert.NotContains(t, sentence, "secret-of-feed")
	assert.Contains(t, s.steer(t, "list"), sentence)
	logins := f.Stats().Logins
	assert.Never(t, func() bool { return f.Stats().Logins > logins }, time.Second, 100*time.Millisecond, "a blocked feed does not go on trying")
	f.AddUser(cloudfeeds.User{Name: f.name, APIKey: "secret-of-feed"})
	s.steer(t, "resume", f.name)
	s.arrives(t, "mended 250101-lon-0000007", "waits.")
	assert.Equal(t, "polling", s.feed(f.name).State)
}

func (s *stack) testForeignTenant(t *testing.T, f *ownFeed) {
	s.steer(t, "start", f.name)
	f.tell("250101-lon-0000008", "theirs.", func(e *cloudfeeds.Entry) { e.Tenant = "faws:999" })
	f.tell("250101-lon-0000009", "ours.")
	s.arrives(t, "tenant 250101-lon-0000009", "ours.")
	s.eventually(t, func() bool { return s.feed(f.name).Refused == 1 }, "the refused entry is counted")
	assert.Empty(t, s.issues()["tenant 250101-lon-0000008"])
}

// A Retry-After that is a date is obeyed, in the middle of a window too.
func (s *stack) testToldToWait(t *testing.T, f *ownFeed) {
	f.SetFaults(cloudfeeds.Fault{Kind: cloudfeeds.FaultStatus, Status: 429, RetryAfter: 5, AsDate: true, Next: 1})
	begin := time.Now()
	s.eventually(t, func() bool { return f.Stats().ByFault[cloudfeeds.FaultStatus] == 1 }, "the 429")
	f.tell("250101-lon-0000004", "after the wait.")
	s.arrives(t, "steady 250101-lon-0000004", "after the wait.")
	var refused time.Time
	for _, r := range f.Log() {
		switch {
		case r.Status == http.StatusTooManyRequests:
			refused = r.At
		case !refused.IsZero():
			until := refused.Add(5 * time.Second).Truncate(time.Second)
			assert.False(t, r.At.Before(until), "asked at %s, was told to wait until %s", r.At, until)
			assert.True(t, refused.After(begin.Add(-time.Second)))
			return
		}
	}
	assert.Fail(t, "the feed was never asked again")
}

func (s *stack) testExpiredToken(t *testing.T, f *ownFeed) {
	logins := f.Stats().Logins
	f.RevokeTokens()
	f.tell("250101-lon-0000004", "with a new token.")
	s.arrives(t, "steady 250101-lon-0000004", "with a new token.")
	assert.Equal(t, logins+1, f.Stats().Logins)
	assert.Equal(t, "polling", s.feed(f.name).State)
}

// A malformed entry is parked, the rest goes on; it is amended or discarded.
func (s *stack) testMalformed(t *testing.T, f *ownFeed) {
	s.steer(t, "start", f.name)
	bad := func(e *cloudfeeds.Entry) { e.TicketID = "" }
	first, second := f.tell("x", "first without a ticket.", bad), f.tell("x", "second without a ticket.", bad)
	f.tell("250101-lon-0000010", "a good one.")
	s.arrives(t, "broken 250101-lon-0000010", "a good one.")
	s.eventually(t, func() bool { return len(s.feed(f.name).Parked) == 2 }, "two parked entries")
	workflow := contract.FeedID(f.name)
	s.eventually(t, func() bool { return len(s.parked(t)) == 2 }, "they are listed")
	for _, item := range s.parked(t) {
		assert.Equal(t, workflow, item.Workflow)
		assert.Equal(t, "entry", item.Kind)
		assert.NotEmpty(t, item.Reason)
	}
	var overHTTP []map[string]any
	require.NoError(t, json.Unmarshal([]byte(s.get("/v1/parked?feed=broken").text), &overHTTP))
	assert.Len(t, overHTTP, 2)
	assert.Contains(t, s.steer(t, "state", f.name), first)

	out, status := s.starter("parked", "retry", workflow, first)
	assert.Zero(t, status, out)
	f.tell("250101-lon-0000010", "still going on.")
	s.arrives(t, "broken 250101-lon-0000010", "still going on.")
	assert.Len(t, s.feed(f.name).Parked, 2, "it is as malformed as before")
	out, status = s.starter("parked", "amend", workflow, first, "ticket_id=250101-lon-0000011", "subject=Amended entry", "note=put right.")
	assert.Zero(t, status, out)
	s.arrives(t, "Amended entry", "put right.")
	a, err := s.call(http.MethodPost, "/v1/parked/"+url.PathEscape(workflow)+"/"+url.PathEscape(second)+"/discard", nil)
	require.NoError(t, err)
	assert.Equal(t, 202, a.status, a.text)
	s.eventually(t, func() bool { return len(s.feed(f.name).Parked) == 0 }, "nothing is parked")
	s.eventually(t, func() bool { return len(s.parked(t)) == 0 }, "nothing is listed")
	assert.EqualValues(t, 2, s.feed(f.name).Malformed)
}

// The same by the HTTP interface.
func (s *stack) testFeedOverHTTP(t *testing.T, f *ownFeed) {
	for _, c := range []struct{ action, body, state string }{
		{"start", "", "polling"}, {"pause", "", "paused"}, {"resume", "", "polling"}, {"poll-now", "", "polling"},
		{"rewind", `{"to":"oldest"}`, "polling"},
	} {
		a, err := s.call(http.MethodPost, "/v1/feeds/"+f.name+"/"+c.action, strings.NewReader(c.body))
		require.NoError(t, err)
		assert.Equal(t, 202, a.status, "%s: %s", c.action, a.text)
		s.eventually(t, func() bool { return s.get("/v1/feeds/" + f.name).body["state"] == c.state }, c.action)
	}
	a, err := s.call(http.MethodPost, "/v1/feeds/"+f.name+"/rewind", strings.NewReader(`{"to":""}`))
	require.NoError(t, err)
	assert.Equal(t, 422, a.status, a.text)
	var all []contract.FeedView
	require.NoError(t, json.Unmarshal([]byte(s.get("/v1/feeds").text), &all))
	assert.Len(t, all, 6)
	f.tell("250101-lon-0000004", "the last one.")
	s.arrives(t, "steady 250101-lon-0000004", "the last one.")
}
