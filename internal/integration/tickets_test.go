package integration

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/simulator/jira"
)

// What happens to tickets at the provider, and to the provider itself.
func TestTicketsElsewhere(t *testing.T) {
	t.Parallel()
	metrics := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	s := start(t, options{env: []string{"TICKETBRIDGE_METRICS_ADDR=" + metrics}})
	t.Run("credentials are revoked", func(t *testing.T) { s.testRevoked(t, "http://"+metrics+"/metrics") })
	t.Run("an agent closes the ticket and we are told", s.testTicketChanged)
	t.Run("an agent closes the ticket unseen", s.testClosedUnseen)
	t.Run("waiting until", s.testWaitingUntil)
}

// ticketOf waits for the only ticket of a CI's alarm.
func (s *stack) ticketOf(t *testing.T, ci string) jira.Issue {
	t.Helper()
	workflow := s.workflowOf(ci)
	s.eventually(t, func() bool {
		view := s.match(workflow)
		return len(view.Requests) == 1 && view.Requests[0].Ticket != nil
	}, "the ticket of "+ci)
	return s.issues()["Alarm on "+ci][0]
}

// The next event after a ticket-changed signal opens the next request.
func (s *stack) testTicketChanged(t *testing.T) {
	first := s.alarm(t, 201, "srv-001", "first")
	key := s.ticketOf(t, "srv-001").Key
	require.NoError(t, s.jira.TransitionByAgent(key, "Done"))
	workflow := s.workflowOf("srv-001")
	s.signal(workflow, contract.SignalTicketChanged, contract.TicketChangedSignal{Ticket: key, Closed: true})
	s.eventually(t, func() bool { return !s.match(workflow).Requests[0].CompletedAt.IsZero() }, "the request is completed")
	next := s.alarm(t, 201, "srv-001", "second")
	assert.NotEqual(t, first.body["id"], next.body["id"])
	s.eventually(t, func() bool { return len(s.issues()["Alarm on srv-001"]) == 2 }, "a second ticket")
	assert.Empty(t, s.issues()["Alarm on srv-001"][0].Comments)
	assert.Equal(t, "Done", s.issues()["Alarm on srv-001"][0].Status)

	// The first one is still known as a whole, although Temporal's search has only
	// the newest request of a key.
	id, ok := first.body["id"].(float64)
	require.True(t, ok)
	path := fmt.Sprintf("/v1/requests/%.0f", id)
	assert.Equal(t, "Nagios", s.get(path).body["source"], s.get(path).text)
	require.NoError(t, s.jira.SetFaults(jira.Fault{Kind: jira.ErrorBefore, Op: "search"}))
	assert.Equal(t, 503, s.get(path).status, "it is not known just now; that is no 404")
	require.NoError(t, s.jira.SetFaults())
}

// Nobody told us: the delivery meets the closed ticket, and the event is
// decided again.
func (s *stack) testClosedUnseen(t *testing.T) {
	first := s.alarm(t, 201, "srv-002", "first")
	require.NoError(t, s.jira.TransitionByAgent(s.ticketOf(t, "srv-002").Key, "Done"))
	params := map[string]any{"subject": "Alarm on srv-002", "source": "Nagios", "ci": "srv-002", "note": "second"}
	late, err := s.post(params, "Idempotency-Key", "met-closed")
	require.NoError(t, err)
	require.Equal(t, 200, late.status, "the decision rests on the last known state: %s", late.text)
	s.eventually(t, func() bool { return len(s.issues()["Alarm on srv-002"]) == 2 }, "a second ticket")
	found := s.issues()["Alarm on srv-002"]
	assert.Empty(t, found[0].Comments)
	assert.Contains(t, jira.Text(found[1].Description), "second")
	view := s.match(s.workflowOf("srv-002"))
	require.Len(t, view.Requests, 2)
	assert.EqualValues(t, view.Requests[0].ID, first.body["id"])
	third := s.alarm(t, 200, "srv-002", "third")
	assert.EqualValues(t, view.Requests[1].ID, third.body["id"], "later events belong to the second request")
	again, err := s.post(params, "Idempotency-Key", "met-closed")
	require.NoError(t, err)
	assert.EqualValues(t, view.Requests[1].ID, again.body["id"], "the later decision replaces the first one")
	s.eventually(t, func() bool { return len(s.issues()["Alarm on srv-002"][1].Comments) == 1 }, "the third event's comment")
	assert.Len(t, s.issues()["Alarm on srv-002"], 2)
}

// A durable timer puts a request that waits back to assigned.
func (s *stack) testWaitingUntil(t *testing.T) {
	s.alarm(t, 201, "srv-003", "first")
	key := s.ticketOf(t, "srv-003").Key
	at := time.Now().Add(8 * time.Second).UTC().Truncate(time.Second)
	waits := s.alarm(t, 200, "srv-003", "second", "status", "waiting_for", "waiting_until", at.Format(time.RFC3339))
	assert.Equal(t, "waiting_for", waits.body["status"])
	workflow := s.workflowOf("srv-003")
	status := func() string {
		for _, i := range s.jira.Issues() {
			if i.Key == key {
				return i.Status
			}
		}
		return ""
	}
	s.eventually(t, func() bool { return status() == "Waiting" || status() == "In Progress" }, "the ticket waits")
	s.workers[0].kill() // the timer is the server's, not the worker's
	s.workers = nil
	s.startWorker()
	s.eventually(t, func() bool { return s.match(workflow).Requests[0].Fields.Status == "assigned" }, "the request is assigned again")
	assert.False(t, time.Now().Before(at), "not before its time")
	s.eventually(t, func() bool { return status() == "To Do" }, "the ticket is open again")
}

// Revoked credentials park nothing: calls are retried, it is told once, and it
// heals by itself.
func (s *stack) testRevoked(t *testing.T, metrics string) {
	const up = `ticketbridge_integration_up{integration="jira-ops"} `
	s.alarm(t, 201, "srv-004", "first")
	s.ticketOf(t, "srv-004")
	s.eventually(t, func() bool { return strings.Contains(scrape(metrics), up+"1") }, "the integration is up")
	complaints, recoveries := s.logged("integration does not work"), s.logged("integration works again")
	require.NoError(t, s.jira.SetFaults(jira.Fault{Kind: jira.ErrorBefore, Status: 401}))
	s.alarm(t, 200, "srv-004", "second")
	for n := range 5 {
		s.alarm(t, 201, ciAt(5+n), "first")
	}
	s.eventually(t, func() bool { return strings.Contains(scrape(metrics), up+"0") }, "the integration is down")
	refused := s.jira.Stats().Requests["create"]
	s.eventually(t, func() bool { return s.jira.Stats().Requests["create"] >= refused+10 }, "slow retries")
	assert.Empty(t, s.parked(t), "nothing is parked")
	assert.Equal(t, complaints+1, s.logged("integration does not work"), "told once")
	require.NoError(t, s.jira.SetFaults())
	for n := range 5 {
		s.ticketOf(t, ciAt(5+n))
	}
	s.eventually(t, func() bool { return strings.Contains(s.texts("Alarm on srv-004"), "second") }, "the comment")
	s.eventually(t, func() bool { return strings.Contains(scrape(metrics), up+"1") }, "the integration is up again")
	assert.Equal(t, complaints+1, s.logged("integration does not work"))
	assert.Equal(t, recoveries+1, s.logged("integration works again"))
	for _, secret := range []string{"secret-of-jira", token} {
		assert.Zero(t, s.logged(secret), "no secret in the log")
	}
}

func scrape(url string) string {
	resp, err := http.Get(url)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return ""
	}
	return string(data)
}

// logged counts lines of the workers' log.
func (s *stack) logged(words ...string) int {
	s.t.Helper()
	data, err := os.ReadFile(filepath.Join(logDir(s.t), "worker.log"))
	require.NoError(s.t, err)
	return len(lines(string(data), words...))
}
