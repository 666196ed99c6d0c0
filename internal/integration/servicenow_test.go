package integration

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/simulator/cloudfeeds"
	"github.com/ticketbridge/ticketbridge/internal/simulator/servicenow"
)

// desk is a simulated ServiceNow in the place of the stack's Jira, seen through
// one of its applications.
type desk struct {
	*servicenow.Simulator
	kind, table, closed string
	// lines are further ones of the integration.
	lines string
}

// staged makes tickets through a staging table.
func (d desk) staged() desk {
	d.lines = "    create_mode: import_set\n    import_table: u_bridge\n    import_fields: {short_description: u_title}\n"
	return d
}

// desks are both applications.
func desks() []desk {
	return []desk{
		{kind: "ticketing_servicenow", table: "incident", closed: "6"},
		{kind: "ticketing_servicenow_sir", table: "sn_si_incident", closed: "3"},
	}
}

// startDesk starts a stack whose one integration is the desk's, named snow-ops.
func startDesk(t *testing.T, d desk, instance servicenow.Options, o options) (*stack, desk) {
	t.Helper()
	instance.ClientID, instance.ClientSecret = "tb", "secret-of-snow"
	d.Simulator = servicenow.New(instance)
	d.AddStaging(servicenow.Staging{
		Name: "u_bridge", Target: d.table, Coalesce: "correlation_id",
		Map: map[string]string{"correlation_id": "correlation_id", "u_title": "short_description", "description": "description"},
	}, "correlation_id", "u_title", "description")
	site := httptest.NewServer(d)
	t.Cleanup(site.Close)
	o.env = append(o.env, "TEST_SNOW_SECRET=secret-of-snow")
	o.config = func(text string) string {
		before, rest, _ := strings.Cut(text, "  - name: jira-ops")
		_, after, _ := strings.Cut(rest, fastRate)
		integration := fmt.Sprintf(`  - name: snow-ops
    type: %s
    url: %s
    credential: {type: oauth_client, client_id: tb, secret: "env:TEST_SNOW_SECRET"}
    settling: %s
%s`, d.kind, site.URL, settling, d.lines)
		return strings.ReplaceAll(before+integration+fastRate+after, "jira-ops", "snow-ops")
	}
	return start(t, o), d
}

// titled are the tickets by their short description.
func (d desk) titled() map[string][]servicenow.Record {
	found := map[string][]servicenow.Record{}
	for _, r := range d.Tickets(d.table) {
		title := r.Fields["short_description"]
		found[title] = append(found[title], r)
	}
	return found
}

// told counts how often each word of a kind stands in a ticket or its journal.
func (d desk) told(prefix string) map[string]int {
	count := map[string]int{}
	for _, r := range d.Tickets(d.table) {
		texts := []string{r.Fields["description"]}
		for _, e := range d.Journal(r.ID) {
			texts = append(texts, e.Value)
		}
		for _, text := range texts {
			for _, word := range strings.Fields(text) {
				if strings.HasPrefix(word, prefix) {
					count[word]++
				}
			}
		}
	}
	return count
}

// An event becomes an incident; a second one a comment, an internal note a work
// note; a recovery closes the incident; the next event after an agent's closing
// opens another one.
func TestEventsBecomeServiceNowTickets(t *testing.T) {
	t.Parallel()
	for _, d := range desks() {
		t.Run(d.table, func(t *testing.T) {
			t.Parallel()
			s, d := startDesk(t, d, servicenow.Options{StatefulProcess: true}, options{})
			created := s.alarm(t, 201, "srv-001", "not reachable", "impact", "high", "internal_note", "call Mia")
			const title = "Alarm on srv-001"
			s.eventually(t, func() bool { return len(d.titled()[title]) == 1 }, "the ticket")
			made := d.titled()[title][0]
			assert.Contains(t, made.Fields["description"], "not reachable")
			assert.Equal(t, "2", made.Fields["priority"])

			updated := s.alarm(t, 200, "srv-001", "still down")
			assert.Equal(t, created.body["id"], updated.body["id"])
			s.eventually(t, func() bool { return len(d.Journal(made.ID)) == 2 }, "the comment and the note")
			for _, e := range d.Journal(made.ID) {
				assert.Equal(t, strings.Contains(e.Value, "call Mia"), e.Element == "work_notes", "%s: %s", e.Element, e.Value)
			}
			s.alarm(t, 200, "srv-001", "up again", "status", "completed", "completion_reason", "solved")
			s.eventually(t, func() bool { return d.titled()[title][0].Fields["state"] == d.closed }, "the ticket is closed")
			assert.NotEmpty(t, d.titled()[title][0].Fields["close_code"])

			s.alarm(t, 201, "srv-002", "first")
			s.eventually(t, func() bool {
				view := s.match(s.workflowOf("srv-002"))
				return len(view.Requests) == 1 && view.Requests[0].Ticket != nil
			}, "the second key's ticket")
			second := d.titled()["Alarm on srv-002"][0]
			require.NoError(t, d.SetByAgent(second.ID, map[string]string{"state": d.closed, "close_code": "x", "close_notes": "x", "resolved_at": "", "closed_at": ""}))
			closedAt := time.Now()
			s.eventually(t, func() bool { return time.Since(closedAt) > time.Second }, "a second, which is how exactly ServiceNow knows when")
			s.alarm(t, 200, "srv-002", "second")
			s.eventually(t, func() bool { return len(d.titled()["Alarm on srv-002"]) == 2 }, "another ticket")
			assert.Empty(t, d.Journal(second.ID))
			assert.Empty(t, s.parked(t))
			assert.Zero(t, s.logged("secret-of-snow"), "no secret in the log")
			assert.Zero(t, d.Stats().Cookies)
		})
	}
}

// Whatever goes wrong at the instance, each event is there once, on the one ticket
// of its key.
func TestServiceNowFaults(t *testing.T) {
	t.Parallel()
	for _, r := range []struct {
		name     string
		desk     desk
		instance servicenow.Options
		faults   []servicenow.Fault
		crash    time.Duration
	}{
		{"5xx after the commit", desks()[0], servicenow.Options{Seed: 7}, []servicenow.Fault{{Kind: servicenow.ErrorAfter, Probability: 0.1}}, 0},
		{"cut, poisoned and slow, no id of ours", desks()[0], servicenow.Options{Seed: 7, IgnoreSysID: true}, []servicenow.Fault{
			{Kind: servicenow.DropAfter, Probability: 0.05}, {Kind: servicenow.Poisoned, Probability: 0.05},
			{Kind: servicenow.DropBefore, Probability: 0.05}, {Kind: servicenow.Slow, Delay: 20},
		}, 0},
		{"committed late, 202 and 429, security", desks()[1], servicenow.Options{Seed: 7}, []servicenow.Fault{
			{Kind: servicenow.DropLate, Probability: 0.05, Delay: 500}, {Kind: servicenow.Queued, Probability: 0.05},
			{Kind: servicenow.TooMany, Probability: 0.1}, {Kind: servicenow.ErrorBefore, Probability: 0.1},
		}, 0},
		{"everything killed, slow", desks()[0], servicenow.Options{Seed: 7}, []servicenow.Fault{{Kind: servicenow.Slow, Delay: 100}}, 2 * time.Second},
		{"staged, 5xx after the commit, cut", desks()[0].staged(), servicenow.Options{Seed: 7}, []servicenow.Fault{
			{Kind: servicenow.ErrorAfter, Probability: 0.05}, {Kind: servicenow.DropAfter, Probability: 0.05}, {Kind: servicenow.Slow, Delay: 20},
		}, 3 * time.Second},
	} {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			s, d := startDesk(t, r.desk, r.instance, options{})
			require.NoError(t, d.SetFaults(r.faults...))
			if r.crash > 0 {
				crashed := make(chan struct{})
				timer := time.AfterFunc(r.crash, func() { defer close(crashed); s.killAll() })
				defer timer.Stop()
				defer func() { <-crashed }()
			}
			sent := s.send(row{events: scale(500), keys: 20, senders: 8})
			total := 0
			for _, notes := range sent {
				total += len(notes)
			}
			require.Eventually(t, func() bool { return len(d.told("event-")) == total }, 4*time.Minute, 200*time.Millisecond, "not every event arrives")
			t.Logf("%d events, creates %d, tickets %d, faults %v", total, d.Stats().Requests["create"], d.Stats().Commits["create"], d.Stats().Injected)
			for note, n := range d.told("event-") {
				assert.Equal(t, 1, n, note)
			}
			assert.Len(t, d.titled(), 20)
			for title, found := range d.titled() {
				assert.Len(t, found, 1, title)
			}
		})
	}
}

// A worker dies while ServiceNow is carrying out its create: the ticket is looked
// for, not made again.
func TestAWorkerKilledInTheMiddleOfACreateAtServiceNow(t *testing.T) {
	t.Parallel()
	for _, d := range desks() {
		t.Run(d.table, func(t *testing.T) {
			t.Parallel()
			s, d := startDesk(t, d, servicenow.Options{}, options{})
			require.NoError(t, d.SetFaults(servicenow.Fault{Kind: servicenow.Slow, Op: "create", Delay: 10_000}))
			s.alarm(t, 201, "srv-001", "down")
			s.eventually(t, func() bool { return d.Stats().Requests["create"] == 1 }, "the create")
			s.workers[0].kill()
			s.workers = nil
			s.startWorker()
			workflow := s.workflowOf("srv-001")
			require.Eventually(t, func() bool { return s.match(workflow).Requests[0].Ticket != nil }, 2*time.Minute, 200*time.Millisecond, "the ticket is not found")
			assert.Equal(t, 1, d.Stats().Requests["create"])
			assert.Len(t, d.titled()["Alarm on srv-001"], 1)
		})
	}
}

// A feed's tickets are kept at ServiceNow as at Jira, each comment once; when
// Temporal has forgotten them they are found again by their marker.
func TestAFeedKeepsItsTicketsAtServiceNow(t *testing.T) {
	t.Parallel()
	for _, d := range desks() {
		t.Run(d.table, func(t *testing.T) {
			t.Parallel()
			testFeedAtDesk(t, d)
		})
	}
}

func testFeedAtDesk(t *testing.T, d desk) {
	t.Helper()
	sim := cloudfeeds.New(cloudfeeds.Options{})
	sim.AddUser(cloudfeeds.User{Name: "alice", APIKey: "secret-of-feed"})
	site := httptest.NewServer(sim)
	t.Cleanup(site.Close)
	s, d := startDesk(t, d, servicenow.Options{}, options{feeds: feedConfig(site.URL)})
	out, status := s.starter("feed", "start", "rackspace-lon")
	require.Zero(t, status, out)
	told := tell(60, 10, 11)
	for _, e := range told.entries {
		sim.Publish(e)
	}
	s.eventually(t, func() bool { return len(d.told("comment-")) == told.told() }, "the story is told")
	assert.Len(t, d.Tickets(d.table), 10)
	for _, workflow := range s.workflows(`WorkflowType="MatchEvents"`) { // all that was remembered is gone
		require.NoError(t, s.client.TerminateWorkflow(t.Context(), workflow, "", "test"))
	}
	read := s.feed("rackspace-lon").Events
	out, status = s.starter("feed", "rewind", "rackspace-lon", "--to", "oldest")
	require.Zero(t, status, out)
	s.eventually(t, func() bool { return s.feed("rackspace-lon").Events >= read+int64(len(told.entries)) }, "the story is read again")
	sim.Publish(cloudfeeds.Entry{Account: account, TicketID: "260115-lon-0000003", Subject: "Story of ticket 03", LastUpdated: time.Now(), EventTime: time.Now(),
		Comments: []cloudfeeds.Comment{{ID: "last", Author: "Racker", AuthorType: "Rackspace", Created: time.Now(), Text: "comment-99999. again"}}})
	s.eventually(t, func() bool { return d.told("comment-")["comment-99999."] == 1 }, "the story goes on")
	for word, n := range d.told("comment-") {
		assert.Equal(t, 1, n, word)
	}
	assert.Len(t, d.Tickets(d.table), 10)
}
