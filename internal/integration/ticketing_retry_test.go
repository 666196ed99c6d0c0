package integration

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/simulator/jira"
)

func named(name string) map[string]any { return map[string]any{"name": name} }

// What a client that sends again by itself makes of trouble on the way: one
// ticket, with the Temporal server's own limit of 10 updates in flight at a
// workflow.
func TestTheConnectorsClientSendsAgain(t *testing.T) {
	t.Parallel()
	s := start(t, options{server: []string{"--dynamic-config-value", "history.maxInFlightUpdates=10"}})
	t.Run("the provider is slow", s.testSlowProvider)
	t.Run("the connection is cut", s.testCutConnection)
	t.Run("serve is killed", s.testServeKilledInAWrite)
	t.Run("many at once", s.testManyEqualWrites)
	t.Run("refused, then corrected", s.testRefusedThenCorrected)
}

// underWay is the connector's answer to a write that takes longer than 20 seconds.
func underWay(t *testing.T, refused *apiError) {
	t.Helper()
	p := refusal(t, http.StatusServiceUnavailable, refused).Problem
	assert.Equal(t, "1", refused.Header.Get("Retry-After"))
	require.NotNil(t, p.Context)
	assert.True(t, strings.HasPrefix(p.Context.Operation, "write:jira-ops:"), p.Context.Operation)
	require.NotNil(t, p.Remediation)
	assert.Contains(t, *p.Remediation, "/v1/ticketing/operations/")
}

// The 503 comes before Jira's answer; the client's second try joins, and gets the
// ticket that the first one asked for.
func (s *stack) testSlowProvider(t *testing.T) {
	require.NoError(t, s.jira.SetFaults(jira.Fault{Kind: jira.Slow, Op: "create", Delay: 25_000, Times: 1}))
	c := s.connector(2)
	made, err := c.createTicket(t.Context(), named("Slow"))
	require.NoError(t, err)
	assert.Equal(t, []int{503, 201}, c.sent)
	underWay(t, c.refused[0])
	s.assertOne(t, "Slow", made.ID)
	assert.Equal(t, 1, s.jira.Stats().Requests["create"])
}

// assertOne: there is one ticket of a name, and these are its id.
func (s *stack) assertOne(t *testing.T, name string, ids ...string) {
	t.Helper()
	found := s.issues()[name]
	require.Len(t, found, 1, name)
	for _, id := range ids {
		assert.Equal(t, found[0].ID, id, name)
	}
}

// The caller goes before its answer, and asks again when the ticket is there.
func (s *stack) testCutConnection(t *testing.T) {
	require.NoError(t, s.jira.SetFaults(jira.Fault{Kind: jira.Slow, Op: "create", Delay: 1500, Times: 1}))
	creates := s.jira.Stats().Requests["create"]
	ctx, cut := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { // ends with the cut, which is waited for below
		_, err := s.connector(5).createTicket(ctx, named("Cut"))
		ended <- err
	}()
	s.eventually(t, func() bool { return s.jira.Stats().Requests["create"] == creates+1 }, "the create")
	cut()
	require.ErrorIs(t, <-ended, context.Canceled)
	s.eventually(t, func() bool {
		return len(s.workflows(`WorkflowType="WriteTicket" AND BridgeTicket="`+s.issues()["Cut"][0].Key+`"`)) == 1
	}, "the write is made")
	made, err := s.connector(1).createTicket(t.Context(), named("Cut"))
	require.NoError(t, err)
	s.assertOne(t, "Cut", made.ID)
	assert.Equal(t, creates+1, s.jira.Stats().Requests["create"])
}

// serve dies under a write; what was begun is what the next serve answers.
func (s *stack) testServeKilledInAWrite(t *testing.T) {
	require.NoError(t, s.jira.SetFaults(jira.Fault{Kind: jira.Slow, Op: "create", Delay: 3000, Times: 1}))
	creates := s.jira.Stats().Requests["create"]
	ended := make(chan error, 1)
	go func() { // ends with serve, which is killed below
		_, err := s.connector(5).createTicket(t.Context(), named("Killed"))
		ended <- err
	}()
	s.eventually(t, func() bool { return s.jira.Stats().Requests["create"] == creates+1 }, "the create")
	s.serve.kill()
	require.Error(t, <-ended)
	s.startServe()
	made, err := s.connector(2).createTicket(t.Context(), named("Killed"))
	require.NoError(t, err)
	s.assertOne(t, "Killed", made.ID)
	assert.Equal(t, creates+1, s.jira.Stats().Requests["create"])
}

// Equal calls at the same time are one write, and each has the answer.
func (s *stack) testManyEqualWrites(t *testing.T) {
	require.NoError(t, s.jira.SetFaults(jira.Fault{Kind: jira.Slow, Op: "create", Delay: 3000, Times: 1}))
	creates := s.jira.Stats().Requests["create"]
	const callers = 20
	ids, errs := make([]string, callers), make([]error, callers)
	var all sync.WaitGroup
	for n := range callers {
		all.Go(func() {
			var made ticketShape
			made, errs[n] = s.connector(2).createTicket(t.Context(), named("Many"))
			ids[n] = made.ID
		})
	}
	all.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	s.assertOne(t, "Many", ids...)
	assert.Equal(t, creates+1, s.jira.Stats().Requests["create"])
}

// A refusal is told once, and keeps nobody from trying again: neither with
// another body nor with the same, when the provider has changed its mind.
func (s *stack) testRefusedThenCorrected(t *testing.T) {
	require.NoError(t, s.jira.SetFaults())
	c := s.connector(3)
	wrong := map[string]any{"name": "Corrected", "issue_type": "Nonsense"}
	_, err := c.createTicket(t.Context(), wrong)
	p := refusal(t, http.StatusBadRequest, err).Problem
	assert.Equal(t, []int{400}, c.sent, "a refusal is not sent again")
	require.NotNil(t, p.Detail)
	assert.Contains(t, *p.Detail, "issuetype: Specify a valid issue type")
	made, err := c.createTicket(t.Context(), map[string]any{"name": "Corrected", "issue_type": "Task"})
	require.NoError(t, err)
	s.assertOne(t, "Corrected", made.ID)

	require.NoError(t, s.jira.SetFaults(jira.Fault{Kind: jira.ErrorBefore, Status: 400, Op: "create", Times: 1}))
	_, err = c.createTicket(t.Context(), named("Another mind"))
	refusal(t, http.StatusBadRequest, err)
	made, err = c.createTicket(t.Context(), named("Another mind"))
	require.NoError(t, err)
	s.assertOne(t, "Another mind", made.ID)
}

// No worker runs. Who sends again gets the ticket when one does; who asked for a
// 202 finds it where the answer said.
func TestTheConnectorsClientWithoutAWorker(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	s.workers[0].kill()
	s.workers = nil
	type async struct {
		answer
		err error
	}
	later := make(chan async, 1)
	go func() { // ends with the 202, which is read below
		a, err := s.call(http.MethodPost, "/v1/ticketing/tickets", strings.NewReader(`{"name":"Asked for later"}`),
			"Content-Type", "application/json", "Prefer", "respond-async")
		later <- async{a, err}
	}()
	c := s.connector(1)
	_, err := c.createTicket(t.Context(), named("Waited for"))
	underWay(t, refusal(t, http.StatusServiceUnavailable, err))
	promised := <-later
	require.NoError(t, promised.err)
	require.Equal(t, http.StatusAccepted, promised.status, promised.text)
	assert.Equal(t, "respond-async", promised.header.Get("Preference-Applied"))
	location := promised.header.Get("Location")
	assert.Equal(t, "pending", s.get(location).body["status"])
	require.Empty(t, s.issues())

	s.startWorker()
	again := s.connector(2)
	made, err := again.createTicket(t.Context(), named("Waited for"))
	require.NoError(t, err)
	s.assertOne(t, "Waited for", made.ID)
	s.eventually(t, func() bool { return s.get(location).body["status"] == "ok" }, "the write is made")
	var found struct {
		Result ticketShape `json:"result"`
	}
	require.NoError(t, json.Unmarshal([]byte(s.get(location).text), &found))
	s.assertOne(t, "Asked for later", found.Result.ID)
	assert.WithinDuration(t, time.Now(), found.Result.CreatedAt, time.Minute)
}
