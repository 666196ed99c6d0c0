package integration

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/operate"
	"github.com/ticketbridge/ticketbridge/internal/simulator/acronis"
	"github.com/ticketbridge/ticketbridge/internal/simulator/jira"
)

const agentEvent = acronis.TypePrefix + "a.p.agent.failed.v1.0"

// acronisConfig reads the simulated Event Manager; a transform makes each event
// a note about a configuration item.
func acronisConfig(url, more string) string {
	return fmt.Sprintf(`feeds:
  - name: acronis
    type: acronis
    url: %s
    credential: {type: oauth_client, client_id: bridge, secret: "env:TEST_ACRONIS_SECRET"}
    topic: %s
    types: ["%s*"]
    poll_interval: 200ms
    integration: jira-ops
    transform: |
      {source: "Acronis", ci: .subject, subject: "Trouble on \(.subject)", note: .data.text}
%s`, url, acronis.TopicTenant, acronis.TypePrefix, more)
}

// startWithAcronis adds a simulated Event Manager to the stack and starts reading it.
func startWithAcronis(t *testing.T, source acronis.Options, more string, o options) (*stack, *acronis.Server) {
	t.Helper()
	sim := acronis.New(source)
	sim.AddClient(acronis.Client{ID: "bridge", Secret: "secret-of-acronis"})
	site := httptest.NewServer(sim)
	t.Cleanup(func() {
		sim.Close()
		site.CloseClientConnections()
		site.Close()
	})
	o.feeds = acronisConfig(site.URL, more)
	o.env = append(o.env, "TEST_ACRONIS_SECRET=secret-of-acronis")
	s := start(t, o)
	out, status := s.starter("feed", "start", "acronis")
	require.Zero(t, status, out)
	return s, sim
}

// agentStory are events over CIs, each with a text of its own.
func agentStory(events, cis int, seed uint64) (told map[string][]string, all []acronis.Event) {
	random := rand.New(rand.NewPCG(seed, 5))
	told = map[string][]string{}
	for n := range events {
		ci := fmt.Sprintf("srv-%03d", 1+random.IntN(cis))
		text := fmt.Sprintf("comment-%05d.", n)
		told[ci] = append(told[ci], text)
		all = append(all, acronis.Event{
			ID: fmt.Sprintf("event-%05d", n), Topic: acronis.TopicTenant, Type: agentEvent, Source: "agent-manager", Subject: ci,
			Data: json.RawMessage(fmt.Sprintf(`{"text":%q}`, text)),
		})
	}
	return told, all
}

// awaitAgents: Jira holds one ticket a CI, with each text once and in order.
func (s *stack) awaitAgents(t *testing.T, told map[string][]string, within time.Duration) {
	t.Helper()
	total := 0
	for _, texts := range told {
		total += len(texts)
	}
	defer func() {
		if t.Failed() {
			t.Logf("%d of %d texts are there:\n%s", s.delivered(), total, s.report())
		}
	}()
	require.Eventually(t, func() bool { return s.delivered() >= total }, within, 200*time.Millisecond, "not all events arrive")
	issues := s.issues()
	assert.Len(t, issues, len(told))
	for ci, want := range told {
		if found := issues["Trouble on "+ci]; assert.Len(t, found, 1, "tickets of %s", ci) {
			assert.Equal(t, want, commentIDs(found[0]), "texts of %s at %s", ci, found[0].Key)
		}
	}
}

// Events become tickets in every consumer style and dialect, with sequences that
// no float can hold.
func TestAcronisEventsBecomeTickets(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		consumer string
		dialect  acronis.Dialect
	}{{"stateful", acronis.OpenAPI}, {"stateless", acronis.Tutorial}, {"auto_commit", acronis.Both}} {
		t.Run(c.consumer, func(t *testing.T) {
			t.Parallel()
			s, feed := startWithAcronis(t, acronis.Options{Dialect: c.dialect, Base: 1 << 60, RetryAfter: 1}, "    consumer: "+c.consumer+"\n", options{})
			told, all := agentStory(60, 12, 3)
			for i := range 6 {
				feed.Publish(all[10*i : 10*i+10]...)
			}
			s.awaitAgents(t, told, time.Minute)
			s.eventually(t, func() bool { return s.feed("acronis").Events == 60 }, "the feed counts its events")
			view := s.feed("acronis")
			assert.Equal(t, fmt.Sprintf("offset %d", int64(1<<60)+60), view.Marker)
			assert.Empty(t, view.Gaps)
			assert.Empty(t, view.LastError)
			assert.Equal(t, 1, feed.Stats().Logins, "one token for all calls of a worker")

			// Read again from the start: nothing more.
			out, status := s.starter("feed", "rewind", "acronis", "--to", "oldest")
			require.Zero(t, status, out)
			s.eventually(t, func() bool { return s.feed("acronis").Events == 120 }, "all events again")
			s.awaitAgents(t, told, time.Minute)
		})
	}
}

// 300 events over 40 CIs, while worker, server and HTTP side are killed, the
// Event Manager fails in every documented way and forgets the subscription.
func TestAcronisKilledAtRandom(t *testing.T) {
	t.Parallel()
	for _, consumer := range []string{"stateful", "stateless"} {
		t.Run(consumer, func(t *testing.T) {
			t.Parallel()
			s, feed := startWithAcronis(t, acronis.Options{RetryAfter: 1, Seed: 7}, "    consumer: "+consumer+"\n", options{})
			feed.SetFaults(
				acronis.Fault{Kind: acronis.FaultStatus, Status: 503, Share: 0.05},
				acronis.Fault{Kind: acronis.FaultStatus, Status: 429, RetryAfter: 1, Share: 0.05},
				acronis.Fault{Kind: acronis.FaultDrop, Share: 0.05},
				acronis.Fault{Kind: acronis.FaultCut, Share: 0.05},
				acronis.Fault{Kind: acronis.FaultHTML, Share: 0.05},
				acronis.Fault{Kind: acronis.FaultExpired, Share: 0.05},
			)
			told, all := agentStory(300, 40, 9)
			c := s.unleash(21, 2*time.Second, 6*time.Second)
			for i := range 30 {
				feed.Publish(all[10*i : 10*i+10]...)
				if i%10 == 9 {
					for _, id := range feed.Subscriptions() {
						feed.Evict(id)
					}
				}
				<-time.After(500 * time.Millisecond)
			}
			kills := c.end()
			feed.SetFaults()
			s.awaitAgents(t, told, 5*time.Minute)
			require.Positive(t, kills)
			view := s.feed("acronis")
			t.Logf("%d kills; %d create calls for %d tickets; %d events handed over", kills, s.jira.Stats().Requests["create"], len(told), view.Events)
			assert.Empty(t, view.Gaps, "nothing expired, so nothing may be missing")
		})
	}
}

// Another worker reads on at once: the session belongs to the feed, not to the worker.
func TestAcronisSessionOutlivesItsWorker(t *testing.T) {
	t.Parallel()
	s, feed := startWithAcronis(t, acronis.Options{}, "    session_timeout: 10m\n", options{})
	told, all := agentStory(20, 5, 4)
	feed.Publish(all[:10]...)
	s.eventually(t, func() bool { return s.delivered() == 10 }, "the first half")
	s.workers[0].kill()
	s.startWorker()
	out, status := s.starter("feed", "poll-now", "acronis")
	require.Zero(t, status, out)
	feed.Publish(all[10:]...)
	s.awaitAgents(t, told, 30*time.Second)
	assert.Zero(t, feed.Stats().ByStatus[429], "nobody was told to wait")
}

// A transform that fails parks that event alone; once it is mended, the event is
// retried, or amended.
func TestAcronisTransform(t *testing.T) {
	t.Parallel()
	s, feed := startWithAcronis(t, acronis.Options{}, "", options{})
	_, all := agentStory(4, 4, 5)
	for i := range all {
		all[i].Subject = fmt.Sprintf("srv-%03d", i+1)
	}
	all[1].Data = json.RawMessage(`["no text"]`)
	all[2].Data = json.RawMessage(`{"text":{"deep":1},"bad":true}`)
	feed.Publish(all...)
	s.eventually(t, func() bool { return len(s.feed("acronis").Parked) == 1 }, "one event is parked")
	s.eventually(t, func() bool { return len(s.jira.Issues()) == 3 }, "the others are tickets")
	parked := s.feed("acronis").Parked[0]
	assert.Contains(t, parked.Reason, "transform: ")
	assert.Contains(t, parked.Item, "event-00001@2")

	out, status := s.starter("feed", "try", "acronis", "-n", "4")
	require.Zero(t, status, out)
	assert.Contains(t, out, "event-00001")
	assert.Contains(t, out, "transform: ")

	config := filepath.Join(s.dir, "ticketbridge.yaml")
	text, err := os.ReadFile(config)
	require.NoError(t, err)
	s.file("ticketbridge.yaml", strings.Replace(string(text), "note: .data.text}", "note: (.data | tostring)}", 1))
	require.True(t, s.workers[0].stop(20*time.Second))
	s.startWorker()
	out, status = s.starter("parked", "retry", "feed:acronis", parked.Item)
	require.Zero(t, status, out)
	s.eventually(t, func() bool { return len(s.feed("acronis").Parked) == 0 }, "it is parked no longer")
	s.eventually(t, func() bool { return len(s.jira.Issues()) == 4 }, "it is a ticket")
	assert.Contains(t, fmt.Sprint(jiraTexts(s.jira.Issues())), "no text")
}

// An event that the rules refuse, such as one without a subject, is parked at its
// match key; nobody else would learn of it.
func TestAcronisEventWithoutASubject(t *testing.T) {
	t.Parallel()
	s, feed := startWithAcronis(t, acronis.Options{}, "", options{})
	config := filepath.Join(s.dir, "ticketbridge.yaml")
	text, err := os.ReadFile(config)
	require.NoError(t, err)
	changed := strings.Replace(string(text), `subject: "Trouble on \(.subject)"`, "subject: .data.title", 1)
	require.NotEqual(t, string(text), changed)
	s.file("ticketbridge.yaml", changed)
	require.True(t, s.workers[0].stop(20*time.Second))
	s.startWorker()
	feed.Publish(
		acronis.Event{ID: "untitled", Topic: acronis.TopicTenant, Type: agentEvent, Subject: "srv-001", Data: json.RawMessage(`{"text":"one"}`)},
		acronis.Event{ID: "titled", Topic: acronis.TopicTenant, Type: agentEvent, Subject: "srv-002", Data: json.RawMessage(`{"title":"Disk full","text":"two"}`)})
	s.eventually(t, func() bool { return len(s.jira.Issues()) == 1 }, "the other one is a ticket")

	var items []operate.Item
	s.eventually(t, func() bool {
		out, status := s.starter("parked", "list", "-o", "json")
		return status == 0 && json.Unmarshal([]byte(out), &items) == nil && len(items) == 1
	}, "the one that was refused is listed")
	assert.Equal(t, "event", items[0].Kind)
	assert.Contains(t, items[0].Reason, "subject can't be blank")
	assert.Contains(t, items[0].Workflow, "match:jira-ops:")
	out, status := s.starter("parked", "amend", items[0].Workflow, items[0].Item, "subject=Agent failed")
	require.Zero(t, status, out)
	s.eventually(t, func() bool { return len(s.jira.Issues()) == 2 }, "it is a ticket")
	assert.Contains(t, fmt.Sprint(jiraTexts(s.jira.Issues())), "one\nConfiguration item: srv-001")
	s.eventually(t, func() bool {
		out, _ := s.starter("parked", "list")
		return strings.Contains(out, "nothing is parked")
	}, "nothing waits any more")
}

func jiraTexts(issues []jira.Issue) []string {
	var texts []string
	for _, issue := range issues {
		texts = append(texts, jira.Text(issue.Description))
	}
	return texts
}

// What an account can read, before anything was started.
func TestAcronisCatalogue(t *testing.T) {
	t.Parallel()
	s, _ := startWithAcronis(t, acronis.Options{}, "", options{})
	out, status := s.starter("feed", "topics", "acronis")
	require.Zero(t, status, out)
	assert.Contains(t, out, acronis.TopicTenant)
	out, status = s.starter("feed", "types", "acronis", "--topic", acronis.TopicTenant, "-o", "json")
	require.Zero(t, status, out)
	assert.True(t, json.Valid([]byte(out)), out)
	assert.Contains(t, out, acronis.TypePrefix+"a.p.tenant.disabled.v1.0")
	out, status = s.starter("feed", "topics", "nobody")
	assert.Equal(t, 3, status, out)
}

// A stored offset that the topic does not keep any more is a gap that is shown.
func TestAcronisGap(t *testing.T) {
	t.Parallel()
	const retention = 15 * time.Second
	s, feed := startWithAcronis(t, acronis.Options{Retention: retention}, "", options{})
	_, all := agentStory(40, 5, 6)
	feed.Publish(all[:5]...)
	s.eventually(t, func() bool { return s.delivered() == 5 }, "the first events")
	out, status := s.starter("feed", "pause", "acronis")
	require.Zero(t, status, out)
	s.eventually(t, func() bool { return s.feed("acronis").State == contract.StatePaused }, "the feed is paused")
	feed.Publish(all[5:20]...)
	expired := time.Now().Add(retention + time.Second)
	s.eventually(t, func() bool { return time.Now().After(expired) }, "they expire unread")
	for _, args := range [][]string{{"rewind", "acronis", "--to", "5"}, {"resume", "acronis"}} {
		out, status := s.starter(append([]string{"feed"}, args...)...)
		require.Zero(t, status, out)
	}
	s.eventually(t, func() bool { return len(s.feed("acronis").Gaps) == 1 }, "the gap is recorded")
	assert.Contains(t, s.feed("acronis").Gaps[0].Reason, "older than the earliest")
	out, _ = s.starter("feed", "state", "acronis")
	assert.Contains(t, out, "gap ")
	feed.Publish(all[20:]...)
	s.eventually(t, func() bool { return s.delivered() == 25 }, "what is left arrives")
	assert.EqualValues(t, 1, s.feed("acronis").GapCount)
}

// Feeds that share a credential share its budget evenly: one with a long backlog
// does not keep the others from their turns.
func TestAcronisFeedsOfOneCredentialAreFair(t *testing.T) {
	t.Parallel()
	const feeds, perMinute = 6, 360                               // a second for each
	sim := acronis.New(acronis.Options{Dialect: acronis.OpenAPI}) // which never asks to wait
	sim.AddClient(acronis.Client{ID: "bridge", Secret: "secret-of-acronis"})
	site := httptest.NewServer(sim)
	t.Cleanup(func() {
		sim.Close()
		site.CloseClientConnections()
		site.Close()
	})
	var text strings.Builder
	text.WriteString("feeds:\n")
	for n := range feeds {
		fmt.Fprintf(&text, `  - name: fair-%d
    type: acronis
    url: %s
    credential: {type: oauth_client, client_id: bridge, secret: "env:TEST_ACRONIS_SECRET", requests_per_minute: %d}
    topic: topic-%d
    types: ["%s*"]
    long_poll: 1s
    subscription: 00000000-0000-4000-8000-%012d
    integration: jira-ops
    transform: '{source: "Acronis", ci: "srv-%03d", subject: "Fair", note: .data.text}'
`, n, site.URL, perMinute, n, acronis.TypePrefix, n, n+1)
		// One event to begin with makes the topic.
		sim.Publish(acronis.Event{Topic: fmt.Sprintf("topic-%d", n), Type: agentEvent, Data: json.RawMessage(`{"text":"first"}`)})
	}
	backlog := make([]acronis.Event, 5000)
	for i := range backlog {
		backlog[i] = acronis.Event{Topic: "topic-0", Type: agentEvent, Data: json.RawMessage(`{"text":"the same again"}`)}
	}
	sim.Publish(backlog...)
	s := start(t, options{feeds: text.String(), env: []string{"TEST_ACRONIS_SECRET=secret-of-acronis"}})
	out, status := s.starter("feed", "start", "--all")
	require.Zero(t, status, out)
	s.eventually(t, func() bool { return len(sim.Log()) >= 20*feeds }, "the feeds are read")

	asked := map[string][]time.Time{}
	for _, request := range sim.Log() {
		feed, ok := fairFeed(request)
		if !ok {
			assert.Contains(t, request.Path, "/token", "a request of no feed")
			continue
		}
		asked[feed] = append(asked[feed], request.At)
	}
	require.Len(t, asked, feeds)
	fewest, most := len(sim.Log()), 0
	for feed, at := range asked {
		slices.SortFunc(at, time.Time.Compare)
		fewest, most = min(fewest, len(at)), max(most, len(at))
		for i := 1; i < len(at); i++ {
			assert.Greater(t, at[i].Sub(at[i-1]), 800*time.Millisecond, "requests of feed %s", feed)
		}
	}
	assert.GreaterOrEqual(t, 2*fewest, most, "the feed with a backlog had %d requests, another one %d", most, fewest)
}

// fairFeed tells by the topic or the subscription which feed made a request.
func fairFeed(r acronis.Request) (feed string, ok bool) {
	said := fmt.Sprint(r.Path, " ", r.Query, " ", r.SubscriptionID)
	found := regexp.MustCompile(`topic-(\d)|00000000-0000-4000-8000-0{11}(\d)`).FindStringSubmatch(said)
	if found == nil {
		return "", false
	}
	return found[1] + found[2], true
}
