package integration

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/simulator/cloudfeeds"
)

// startTry starts a stack whose one integration is a test provider named try, with
// these lines of configuration.
func startTry(t *testing.T, lines string, o options) *stack {
	t.Helper()
	o.config = func(text string) string {
		before, rest, _ := strings.Cut(text, "  - name: jira-ops")
		_, after, _ := strings.Cut(rest, fastRate)
		return strings.ReplaceAll(before+"  - name: try\n    type: ticketing_mock_ticketing\n"+lines+after, "jira-ops", "try")
	}
	return start(t, o)
}

// worse is a test provider of which a good part of the calls goes wrong, in every
// way that heals by itself.
const worse = `    mock:
      latency: 1ms
      seed: 7
      faults:
        - {kind: error_before, share: 0.1, operators: [create_ticket, create_comment, query_tickets]}
        - {kind: error_after, share: 0.2, operators: [create_ticket, create_comment, patch_ticket]}
        - {kind: slow, share: 0.1, delay: 50ms, operators: [create_ticket, create_comment]}
        - {kind: rate_limited, share: 0.1, retry_after: 200ms, operators: [create_ticket, create_comment]}
        - {kind: credentials, share: 0.02, operators: [create_ticket, create_comment]}
`

// requestPath is where a request is read over HTTP.
func requestPath(id int64) string { return fmt.Sprintf("/v1/requests/%d", id) }

// noted counts each word of a kind in the notes of a request, as its reader sees
// them; none while the provider does not answer.
func (s *stack) noted(id int64, prefix string) map[string]int {
	count := map[string]int{}
	a := s.get(requestPath(id) + "/notes")
	var notes []noteView
	if a.status != 200 || json.Unmarshal([]byte(a.text), &notes) != nil {
		return count
	}
	for _, word := range strings.Fields(strings.Join(textsOf(notes), " ")) {
		if strings.HasPrefix(word, prefix) {
			count[word]++
		}
	}
	return count
}

// number is the last part of a ticket's key, which counts tickets.
func number(t *testing.T, ticket *contract.TicketView) int {
	t.Helper()
	require.NotNil(t, ticket)
	n, err := strconv.Atoi(ticket.Key[strings.LastIndex(ticket.Key, "-")+1:])
	require.NoError(t, err, ticket.Key)
	return n
}

// Events become tickets in the memory of serve, which alone makes the calls and
// answers what is there.
func TestEventsBecomeTicketsAtTheTestProvider(t *testing.T) {
	t.Parallel()
	s := startTry(t, "", options{})
	created := s.alarm(t, 201, "srv-001", "not reachable", "impact", "high", "internal_note", "call Mia")
	id, ok := created.body["id"].(float64)
	require.True(t, ok, created.text)
	path := requestPath(int64(id))
	s.eventually(t, func() bool { return s.get(path).body["ticket"] != nil }, "the ticket")
	assert.Equal(t, "DEMO-1", s.get(path).body["ticket"].(map[string]any)["key"])
	workflow := s.workflowOf("srv-001")
	assert.Equal(t, "DEMO-1", s.match(workflow).Requests[0].Ticket.Key)
	s.alarm(t, 200, "srv-001", "still down")
	s.alarm(t, 200, "srv-001", "up again", "status", "completed", "completion_reason", "solved")
	s.eventually(t, func() bool { return len(s.match(workflow).Requests[0].Pending) == 0 }, "all is delivered")
	notes := s.notes(t, path)
	require.Len(t, notes, 4)
	assert.Contains(t, notes[0].Text, "not reachable")
	assert.ElementsMatch(t, []string{"call Mia", "still down", "up again"}, textsOf(notes[1:]))
	for _, note := range notes {
		assert.Equal(t, note.Text == "call Mia", note.Internal, note.Text)
	}

	queue, err := s.client.DescribeTaskQueue(t.Context(), contract.ProviderQueue("mock"), enums.TASK_QUEUE_TYPE_ACTIVITY)
	require.NoError(t, err)
	require.NotEmpty(t, queue.GetPollers())
	for _, p := range queue.GetPollers() {
		assert.True(t, strings.HasPrefix(p.GetIdentity(), fmt.Sprintf("%d@", s.serve.cmd.Process.Pid)), "%s is not serve", p.GetIdentity())
	}

	// The memory goes with serve; a ticket that is gone is not mistaken for another.
	s.alarm(t, 201, "srv-002", "first")
	s.eventually(t, func() bool { return s.match(s.workflowOf("srv-002")).Requests[0].Ticket != nil }, "the second ticket")
	require.True(t, s.serve.stop(10*time.Second), "serve ends when it is asked to")
	s.startServe()
	s.alarm(t, 201, "srv-003", "first")
	s.eventually(t, func() bool { return s.match(s.workflowOf("srv-003")).Requests[0].Ticket != nil }, "a ticket of the new memory")
	assert.Equal(t, 1, number(t, s.match(s.workflowOf("srv-003")).Requests[0].Ticket))
	s.alarm(t, 200, "srv-002", "second")
	for _, item := range s.awaitParked(t, 1) {
		assert.Contains(t, item.Reason, "forgets tickets")
	}
}

// Whatever goes wrong, each event is there once, on the one ticket of its key.
func TestFaultsOfTheTestProvider(t *testing.T) {
	t.Parallel()
	s := startTry(t, worse, options{})
	const keys = 20
	sent := s.send(row{events: scale(500), keys: keys, senders: 8})
	numbers := map[int]bool{}
	for key, notes := range sent {
		workflow := s.workflowOf(ciAt(key + 1))
		require.Eventually(t, func() bool {
			request := s.match(workflow).Requests[0]
			return request.Ticket != nil && len(request.Pending) == 0
		}, 2*time.Minute, 200*time.Millisecond, "not every event arrives")
		view := s.match(workflow)
		require.Len(t, view.Requests, 1)
		numbers[number(t, view.Requests[0].Ticket)] = true
		told := s.noted(view.Requests[0].ID, "event-")
		assert.Len(t, told, len(notes))
		for note, n := range told {
			assert.Equal(t, 1, n, note)
		}
	}
	assert.Len(t, numbers, keys)
	s.alarm(t, 201, ciAt(keys+1), "one more")
	workflow := s.workflowOf(ciAt(keys + 1))
	s.eventually(t, func() bool { return s.match(workflow).Requests[0].Ticket != nil }, "one more ticket")
	assert.Equal(t, keys+1, number(t, s.match(workflow).Requests[0].Ticket), "no other tickets were made")
	assert.Empty(t, s.parked(t))
	metrics := s.get("/metrics").text
	for _, outcome := range []string{"retry", "outcome_unknown", "rate_limited"} {
		assert.Regexp(t, regexp.MustCompile(`provider_calls_total\{integration="try",operation="create_(ticket|comment)",outcome="`+outcome+`"\} [1-9]`), metrics)
	}
}

// A feed's tickets, too, with each comment once, while calls go wrong.
func TestAFeedKeepsItsTicketsAtTheTestProvider(t *testing.T) {
	t.Parallel()
	sim := cloudfeeds.New(cloudfeeds.Options{})
	sim.AddUser(cloudfeeds.User{Name: "alice", APIKey: "secret-of-feed"})
	site := httptest.NewServer(sim)
	t.Cleanup(site.Close)
	s := startTry(t, worse, options{feeds: feedConfig(site.URL)})
	out, status := s.starter("feed", "start", "rackspace-lon")
	require.Zero(t, status, out)
	const tickets = 10
	told := tell(60, tickets, 11)
	for _, e := range told.entries {
		sim.Publish(e)
	}
	s.eventually(t, func() bool { return s.feed("rackspace-lon").Events == int64(len(told.entries)) }, "the story is read")
	s.eventually(t, func() bool { return len(s.workflows(`WorkflowType="MatchEvents"`)) == tickets }, "each ticket has its workflow")
	numbers, comments := map[int]bool{}, map[string]int{}
	for _, workflow := range s.workflows(`WorkflowType="MatchEvents"`) {
		require.Eventually(t, func() bool {
			request := s.match(workflow).Requests[0]
			return request.Ticket != nil && len(request.Pending) == 0
		}, 2*time.Minute, 200*time.Millisecond, "not all of the story is told")
		request := s.match(workflow).Requests[0]
		numbers[number(t, request.Ticket)] = true
		for comment, n := range s.noted(request.ID, "comment-") {
			comments[comment] += n
		}
	}
	assert.Len(t, numbers, tickets)
	for n := range tickets {
		assert.True(t, numbers[n+1], "ticket %d is not a request's", n+1)
	}
	assert.Len(t, comments, told.told())
	for comment, n := range comments {
		assert.Equal(t, 1, n, comment)
	}
}
