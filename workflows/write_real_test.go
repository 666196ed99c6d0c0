package workflows

import (
	"context"
	"errors"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/operate"
	"github.com/ticketbridge/ticketbridge/internal/telemetry"
)

// What these tests prove needs a real server.

// idleRecorder has a server and no workers.
func idleRecorder(t *testing.T) *recorder { return &recorder{real: startIdle(t, nil)} }

// post is what a caller does who gets the answer in full.
func (r *recorder) post(request operate.WriteRequest, status string) contract.WriteOutcome {
	r.t.Helper()
	w := r.start(request)
	outcome := r.wait(w, status)
	require.NoError(r.t, w.Answered(r.t.Context()))
	w.Close()
	return outcome
}

// Many callers at once, more than Temporal lets wait at one workflow, share one
// ticket; who comes after one of them got a 2xx gets another.
func TestEqualWritesAreOneUntilOneIsAnswered(t *testing.T) {
	r := newRecorder(t)
	created, release := r.hangFirst()
	const callers = 14
	var group sync.WaitGroup
	var mu sync.Mutex
	ids := map[string]int{}
	for range callers {
		group.Go(func() {
			w, err := r.writes.Start(t.Context(), newTicketWrite("Disk full", ""))
			if !assert.NoError(t, err) {
				return
			}
			defer w.Close()
			outcome, known, err := w.Wait(t.Context(), 20*time.Second)
			assert.NoError(t, err)
			assert.True(t, known)
			mu.Lock()
			defer mu.Unlock()
			ids[outcome.TicketID]++
		})
	}
	<-created
	late := r.start(newTicketWrite("Disk full", ""))
	_, known, err := late.Wait(t.Context(), 200*time.Millisecond)
	require.NoError(t, err)
	assert.False(t, known, "the create is still under way")
	close(release)
	group.Wait()
	assert.Equal(t, map[string]int{"T1": callers}, ids)

	// A caller who never got the answer posts again.
	again := r.start(newTicketWrite("Disk full", ""))
	assert.Equal(t, "T1", r.wait(again, contract.WriteOK).TicketID)
	require.NoError(t, again.Answered(t.Context()))

	assert.Equal(t, "T2", r.post(newTicketWrite("Disk full", ""), contract.WriteOK).TicketID, "an equal write after a 2xx is another one")
	assert.Equal(t, "T3", r.post(newTicketWrite("Disk full", ""), contract.WriteOK).TicketID)
	assert.Equal(t, "T1", r.wait(late, contract.WriteOK).TicketID, "who joined the first keeps it")

	// Each is still found by its own id.
	for w, want := range map[*operate.Write]string{late: "T1", again: "T1"} {
		outcome, err := r.writes.Outcome(t.Context(), integrationName, w.OperationID())
		require.NoError(t, err)
		assert.Equal(t, want, outcome.TicketID)
	}
	outcome, err := r.writes.Outcome(t.Context(), integrationName, late.WorkflowID())
	require.NoError(t, err)
	assert.Equal(t, "T3", outcome.TicketID, "without a run the last one is meant")
	assert.Equal(t, contract.WriteCreateTicket, outcome.Operator)
}

// Whoever posts an equal write while the answer to the first is being written
// waits for whether that is read.
func TestAnEqualWriteWaitsForTheAnswerOfTheFirst(t *testing.T) {
	r := newRecorder(t)
	first := r.start(newTicketWrite("Disk full", ""))
	r.wait(first, contract.WriteOK)
	started := make(chan string, 1)
	go func() {
		next, err := r.writes.Start(t.Context(), newTicketWrite("Disk full", ""))
		if err != nil {
			started <- err.Error()
			return
		}
		defer next.Close()
		outcome, _, err := next.Wait(t.Context(), 10*time.Second)
		started <- outcome.TicketID
		assert.NoError(t, err)
	}()
	select {
	case id := <-started:
		require.Fail(t, "did not wait", id)
	case <-time.After(300 * time.Millisecond):
	}
	require.NoError(t, first.Answered(t.Context()))
	assert.Equal(t, "T2", <-started)
}

// The same where another process is asked: it cannot know that the answer is just
// being read.
func TestAnEqualWriteElsewhereWaitsForTheAnswerOfTheFirst(t *testing.T) {
	r := newRecorder(t)
	first := r.start(newTicketWrite("Disk full", ""))
	r.wait(first, contract.WriteOK)
	elsewhere := operate.NewWrites(r.client, func(context.Context, string) (string, error) { return "desk", nil })
	started := make(chan *operate.Write, 1)
	go func() {
		next, err := elsewhere.Start(t.Context(), newTicketWrite("Disk full", ""))
		assert.NoError(t, err)
		started <- next
	}()
	select {
	case <-started:
		require.Fail(t, "did not wait")
	case <-time.After(300 * time.Millisecond):
	}
	require.NoError(t, first.Answered(t.Context()))
	next := <-started
	defer next.Close()
	assert.Equal(t, "T2", r.wait(next, contract.WriteOK).TicketID)

	// Nobody says that the second was answered, so it is the same again.
	again, err := operate.NewWrites(r.client, func(context.Context, string) (string, error) { return "desk", nil }).
		Start(t.Context(), newTicketWrite("Disk full", ""))
	require.NoError(t, err)
	defer again.Close()
	assert.Equal(t, next.OperationID(), again.OperationID())
}

func TestAKeyNamesOneWriteForGood(t *testing.T) {
	r := newRecorder(t)
	one := r.post(newTicketWrite("Disk full", "order-17"), contract.WriteOK)
	assert.Equal(t, one, r.post(newTicketWrite("Disk full", "order-17"), contract.WriteOK))
	_, err := r.writes.Start(t.Context(), newTicketWrite("Disk empty", "order-17"))
	require.ErrorIs(t, err, operate.ErrKeyReused)
	assert.Equal(t, "T2", r.post(newTicketWrite("Disk full", "order-18"), contract.WriteOK).TicketID)
	assert.Len(t, r.desk.tickets, 2)
}

// A refusal binds an unkeyed write to nothing.
func TestARefusedWriteCanBePostedAgainAtOnce(t *testing.T) {
	r := newRecorder(t)
	r.desk.on["create"] = upTo(1, false, refused("no such project"))
	w := r.start(newTicketWrite("Disk full", ""))
	assert.Equal(t, "permanent", r.wait(w, contract.WriteRefused).Error.Kind)
	_, ended, err := w.Async(t.Context())
	require.NoError(t, err)
	assert.True(t, ended, "too late to ask later")
	require.Eventually(t, func() bool {
		outcome, err := r.writes.Outcome(t.Context(), integrationName, w.WorkflowID())
		return err == nil && outcome.Done
	}, 10*time.Second, 20*time.Millisecond)
	assert.Equal(t, "T1", r.post(newTicketWrite("Disk full", ""), contract.WriteOK).TicketID)
}

// Nothing depends on a worker: the write is durable, its key is kept, and
// whoever waits is told "not yet".
func TestAWriteIsDurableWithoutAWorker(t *testing.T) {
	r := idleRecorder(t)
	w := r.start(newTicketWrite("Disk full", "order-17"))
	begin := time.Now()
	_, known, err := w.Wait(t.Context(), 500*time.Millisecond)
	require.NoError(t, err)
	assert.False(t, known)
	assert.Less(t, time.Since(begin), 5*time.Second)
	_, err = r.writes.Start(t.Context(), newTicketWrite("Disk empty", "order-17"))
	require.ErrorIs(t, err, operate.ErrKeyReused)
	_, ended, err := w.Async(t.Context())
	require.NoError(t, err)
	assert.False(t, ended)
	outcome, err := r.writes.Outcome(t.Context(), integrationName, w.OperationID())
	require.NoError(t, err)
	assert.Equal(t, contract.WriteOutcome{Status: contract.WritePending}, outcome, "on its way, as far as anybody can tell")
	_, err = r.writes.Outcome(t.Context(), "other-ops", w.OperationID())
	require.ErrorIs(t, err, operate.ErrNotFound, "it is another integration's")
	_, err = r.writes.Outcome(t.Context(), integrationName, contract.WriteID(integrationName, "nope"))
	require.ErrorIs(t, err, operate.ErrNotFound)
	r.startWorkers()
	assert.Equal(t, "T1", r.wait(w, contract.WriteOK).TicketID)
}

// A worker that dies in the middle of a create leaves an unknown outcome.
func TestATimedOutWriteIsNeverBlindlyRepeated(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a timeout of 45 seconds")
	}
	r := newRecorder(t)
	stuck := make(chan struct{})
	t.Cleanup(func() { close(stuck) })
	created := make(chan struct{}, 1)
	r.desk.hang = func() { created <- struct{}{}; <-stuck }
	w := r.start(newTicketWrite("Disk full", ""))
	<-created
	require.Eventually(t, func() bool { return r.desk.count("recover") > 0 }, 2*createTimeout, 100*time.Millisecond)
	assert.Equal(t, "T1", r.wait(w, contract.WriteOK).TicketID)
	for _, e := range r.history(w.WorkflowID(), "").Events {
		if a := e.GetActivityTaskTimedOutEventAttributes(); a != nil {
			assert.Equal(t, enums.RETRY_STATE_NON_RETRYABLE_FAILURE, a.RetryState)
		}
	}
	assert.Equal(t, 1, r.desk.count("create"))
}

// What is parked is listed, settled and counted like everything else.
func TestAParkedWriteIsListedAndSettled(t *testing.T) {
	metrics, err := telemetry.NewMetrics("test", "test")
	require.NoError(t, err)
	r := newRecorderWith(t, metrics.SDKMetricsHandler())
	r.desk.on["create"] = upTo(2, false, refused("name is too long"))
	w := r.start(newTicketWrite("Disk full", ""))
	_, _, err = w.Async(t.Context())
	require.NoError(t, err)
	parked := &operate.Parked{Temporal: r.client}
	var items []operate.Item
	require.Eventually(t, func() bool {
		items, err = parked.List(t.Context(), operate.Filter{Integration: integrationName})
		return err == nil && len(items) == 1
	}, 30*time.Second, 100*time.Millisecond)
	assert.Equal(t, w.WorkflowID(), items[0].Workflow)
	assert.Equal(t, contract.WriteCreateTicket, items[0].Kind)
	assert.Equal(t, integrationName, items[0].Integration)
	assert.Contains(t, items[0].Reason, "name is too long")
	require.ErrorIs(t, parked.Retry(t.Context(), w.WorkflowID(), "2"), operate.ErrNotFound)
	count, err := parked.SignalAll(t.Context(), operate.Filter{Integration: integrationName}, contract.SignalRetry)
	require.NoError(t, err)
	assert.Equal(t, 1, count)
	require.Eventually(t, func() bool { return r.desk.count("create") == 2 }, 10*time.Second, 20*time.Millisecond)
	r.wait(w, contract.WriteParked)
	require.NoError(t, parked.Discard(t.Context(), w.WorkflowID(), "1"))
	require.Eventually(t, func() bool {
		outcome, err := r.writes.Outcome(t.Context(), integrationName, w.OperationID())
		return err == nil && outcome.Status == contract.WriteDiscarded
	}, 10*time.Second, 20*time.Millisecond)
	answer := httptest.NewRecorder()
	metrics.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	assert.Regexp(t, `ticketbridge_parked_total\{[^}]*kind="create_ticket"[^}]*\} 2\b`, answer.Body.String())
	assert.Regexp(t, `ticketbridge_unparked_total\{[^}]*kind="create_ticket"[^}]*\} 2\b`, answer.Body.String())
}

// A caller who is told "not yet" is told why.
func TestTheTroubleOfAWriteIsTold(t *testing.T) {
	r := newRecorder(t)
	r.desk.on["create"] = upTo(1, false, down(5*time.Second))
	w := r.start(newTicketWrite("Disk full", ""))
	_, known, err := w.Wait(t.Context(), time.Second)
	require.NoError(t, err)
	assert.False(t, known)
	assert.Contains(t, w.Trouble(t.Context()), "call: 503: down")
	r.wait(w, contract.WriteOK)
	assert.Empty(t, w.Trouble(t.Context()))
}

// Who waits when the run goes on in another gets the answer of that one.
func TestACallerFollowsARunThatContinues(t *testing.T) {
	r := newRecorder(t)
	id := r.writeMany()
	outcome, err := r.writes.Outcome(t.Context(), integrationName, id+"/"+r.firstRun(id))
	require.NoError(t, err)
	assert.Equal(t, "T1", outcome.TicketID)
}

// One more start, activity, update, timer or upsert would show here.
func TestWhatAWriteCosts(t *testing.T) {
	r := newRecorder(t)
	w := r.start(newTicketWrite("Disk full", ""))
	r.wait(w, contract.WriteOK)
	require.NoError(t, w.Answered(t.Context()))
	h := r.history(w.WorkflowID(), "")
	t.Logf("%d actions, its start included, %d events", 1+actions(h), len(h.Events))
	assert.LessOrEqual(t, 1+actions(h), 6, "start, activity, update, search attributes, the timer for a re-post, answered")
}

func TestAWriteThatIsNoneIsNotStarted(t *testing.T) {
	writes := operate.NewWrites(nil, func(context.Context, string) (string, error) { return "", errors.New("unknown integration") })
	for _, request := range []operate.WriteRequest{
		{Integration: "ops", Operator: "get_ticket"}, newTicketWrite("", ""),
		{Integration: "ops", Operator: contract.WriteDeleteNote, TicketID: "T1"},
		{Integration: "ops", Operator: contract.WriteCreateTicket, Body: make(chan int)},
	} {
		_, err := writes.Start(context.Background(), request)
		require.ErrorIs(t, err, operate.ErrInvalid)
	}
	_, err := writes.Start(t.Context(), newTicketWrite("a", ""))
	assert.ErrorContains(t, err, "unknown integration")
}
