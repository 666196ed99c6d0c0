package integration

import (
	"context"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/operate"
	"github.com/ticketbridge/ticketbridge/internal/simulator/jira"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// writes is another program that makes writes through the stack's server.
func (s *stack) writes() *operate.Writes {
	return operate.NewWrites(s.client, func(context.Context, string) (string, error) { return "jira", nil })
}

func ticketWrite(name string) operate.WriteRequest {
	return operate.WriteRequest{Integration: "jira-ops", Operator: contract.WriteCreateTicket, Body: ticket.New{Name: name}}
}

func commentWrite(ticketID, text string) operate.WriteRequest {
	return operate.WriteRequest{Integration: "jira-ops", Operator: contract.WriteCreateComment, TicketID: ticketID, Body: ticket.NewComment{Content: text}}
}

// outcomeOf posts a write, and posts it again as often as there is no answer, as
// clients of the unified API do.
func (s *stack) outcomeOf(t *testing.T, writes *operate.Writes, request operate.WriteRequest, within time.Duration) (contract.WriteOutcome, *operate.Write) {
	t.Helper()
	for end := time.Now().Add(within); ; {
		w, err := writes.Start(t.Context(), request)
		require.NoError(t, err)
		t.Cleanup(w.Close)
		outcome, known, err := w.Wait(t.Context(), 5*time.Second)
		require.NoError(t, err)
		if known {
			return outcome, w
		}
		require.True(t, time.Now().Before(end), "%s was not made in %s", request.Operator, within)
	}
}

// What the unified API writes is at Jira once, however badly it answers.
func TestWritesWithLostAnswers(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	writes := s.writes()
	for kind, name := range map[string]string{jira.DropAfter: "dropped", jira.ErrorAfter: "failed", jira.HTML: "page", jira.DropBefore: "cut"} {
		require.NoError(t, s.jira.SetFaults(jira.Fault{Kind: kind, Op: "create", Times: 1}, jira.Fault{Kind: kind, Op: "comment", Times: 1}))
		var callers sync.WaitGroup
		var mu sync.Mutex
		ids := map[string]bool{}
		for range 5 {
			callers.Go(func() {
				outcome, _ := s.outcomeOf(t, writes, ticketWrite(name), time.Minute)
				mu.Lock()
				defer mu.Unlock()
				ids[outcome.TicketID] = true
			})
		}
		callers.Wait()
		require.Len(t, ids, 1, "%s: all get the same ticket", kind)
		require.Len(t, s.issues()[name], 1, kind)
		issue := s.issues()[name][0]
		assert.True(t, ids[issue.ID], kind)

		outcome, answered := s.outcomeOf(t, writes, commentWrite(issue.Key, "hello"), time.Minute)
		assert.Equal(t, contract.WriteOK, outcome.Status)
		again, _ := s.outcomeOf(t, writes, commentWrite(issue.Key, "hello"), time.Minute)
		assert.Equal(t, outcome, again, "%s: not answered, so the same", kind)
		assert.Len(t, s.issues()[name][0].Comments, 1, kind)
		require.NoError(t, answered.Answered(t.Context()))
		next, _ := s.outcomeOf(t, s.writes(), commentWrite(issue.Key, "hello"), time.Minute)
		assert.NotEqual(t, outcome.PartID, next.PartID, "%s: answered, so another one", kind)
		assert.Len(t, s.issues()[name][0].Comments, 2, kind)
	}
}

// A new ticket is answered whole, in the status that was asked for, and can be
// patched; what Jira refuses is told at once, and heals when it is its own trouble.
func TestWritesAtJira(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	writes := s.writes()
	request := ticketWrite("Disk full")
	request.Body = ticket.New{Name: "Disk full", Status: "In Progress", Priority: ticket.High}
	outcome, _ := s.outcomeOf(t, writes, request, time.Minute)
	require.Equal(t, contract.WriteOK, outcome.Status, "%+v", outcome.Error)
	assert.Equal(t, "In Progress", s.issues()["Disk full"][0].Status)
	assert.Contains(t, string(outcome.Result), `"status":"In Progress"`)
	assert.NotContains(t, string(outcome.Result), "0001-01-01")

	nope, w := s.outcomeOf(t, writes, commentWrite("OPS-999", "hello"), time.Minute)
	assert.Equal(t, contract.WriteRefused, nope.Status)
	assert.Equal(t, &contract.WriteError{Kind: "not_found", Status: 404, Message: nope.Error.Message}, nope.Error)
	_, ended, err := w.Async(t.Context())
	require.NoError(t, err)
	assert.True(t, ended)

	require.NoError(t, s.jira.SetFaults(jira.Fault{Kind: jira.ErrorBefore, Status: 401}))
	patch := operate.WriteRequest{
		Integration: "jira-ops", Operator: contract.WritePatchTicket, TicketID: outcome.TicketID,
		Body: ticket.Patch{Name: new("Disk empty")},
	}
	started, err := writes.Start(t.Context(), patch)
	require.NoError(t, err)
	_, known, err := started.Wait(t.Context(), 2*time.Second)
	require.NoError(t, err)
	assert.False(t, known, "it waits for better credentials")
	require.NoError(t, s.jira.SetFaults())
	patched, _ := s.outcomeOf(t, writes, patch, 2*time.Minute)
	assert.Equal(t, contract.WriteOK, patched.Status)
	assert.Len(t, s.issues()["Disk empty"], 1)
}

// A worker dies while Jira is carrying out the create of a write.
func TestAWorkerKilledInTheMiddleOfAWrite(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	require.NoError(t, s.jira.SetFaults(jira.Fault{Kind: jira.Slow, Op: "create", Delay: 10_000}))
	w, err := s.writes().Start(t.Context(), ticketWrite("Disk full"))
	require.NoError(t, err)
	s.eventually(t, func() bool { return s.jira.Stats().Requests["create"] == 1 }, "the create")
	s.workers[0].kill()
	s.workers = nil
	s.temporal.crash()
	s.startWorker()
	outcome, again := s.outcomeOf(t, s.writes(), ticketWrite("Disk full"), 2*time.Minute)
	assert.Equal(t, w.OperationID(), again.OperationID(), "joined")
	assert.Equal(t, contract.WriteOK, outcome.Status)
	assert.Equal(t, 1, s.jira.Stats().Requests["create"])
	require.Len(t, s.issues()["Disk full"], 1)
	assert.Equal(t, s.issues()["Disk full"][0].ID, outcome.TicketID)
}

// A worker that is frozen before it sends the create, and goes on when another
// has looked for the ticket in vain and made it, must not make a second one.
func TestAWorkerFrozenInTheMiddleOfAWrite(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	require.NoError(t, s.jira.SetFaults(jira.Fault{Kind: jira.Slow, Op: "project", Delay: 5_000, Times: 1}))
	w, err := s.writes().Start(t.Context(), ticketWrite("Disk full"))
	require.NoError(t, err)
	s.eventually(t, func() bool { return s.jira.Stats().Requests["project"] == 1 }, "the call before the create")
	frozen := s.workers[0].cmd.Process
	require.NoError(t, frozen.Signal(syscall.SIGSTOP))
	s.startWorker()
	outcome, _ := s.outcomeOf(t, s.writes(), ticketWrite("Disk full"), 3*time.Minute)
	require.Equal(t, contract.WriteOK, outcome.Status)
	require.Len(t, s.issues()["Disk full"], 1)
	require.NoError(t, frozen.Signal(syscall.SIGCONT))
	// It is awake when it works again: the only one that is left.
	s.workers[1].kill()
	other, _ := s.outcomeOf(t, s.writes(), ticketWrite("Another"), time.Minute)
	assert.Equal(t, contract.WriteOK, other.Status)
	assert.Len(t, s.issues()["Disk full"], 1)
	assert.NotEmpty(t, w.OperationID())
}
