package workflows

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/telemetry"
)

// What these tests prove needs a real server.

// A worker that dies in the middle of a create leaves an unknown outcome: the
// server must not make the call again by itself.
func TestATimedOutCreateIsNeverBlindlyRepeated(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a timeout of 45 seconds")
	}
	r := newRecorder(t)
	id, run := r.createTimedOut()
	for _, e := range r.history(id, run).Events {
		if a := e.GetActivityTaskTimedOutEventAttributes(); a != nil {
			assert.Equal(t, enums.RETRY_STATE_NON_RETRYABLE_FAILURE, a.RetryState)
		}
	}
	assert.Equal(t, 1, r.desk.count("create"))
	assert.Len(t, r.desk.tickets, 1)
}

// One more start, signal, activity, timer and upsert would show here.
func TestWhatARequestCosts(t *testing.T) {
	r := newRecorder(t)
	id := r.deliver(r.events.alarm("e1", "a"))
	r.match(id, func(v contract.MatchView) bool { return len(v.Requests) == 1 && v.Requests[0].Ticket != nil })
	created := r.history(id, "")
	t.Logf("a new request: %d actions, %d events", actions(created), len(created.Events))
	assert.LessOrEqual(t, actions(created), 4, "signal-with-start, activity, timer, search attributes")

	page := make([]event.Event, 20)
	for i := range page {
		page[i] = r.events.alarm(fmt.Sprint("d", i), "a")
	}
	r.deliver(page...)
	r.match(id, func(v contract.MatchView) bool { return v.Events == 21 })
	after := r.history(id, "")
	perDuplicate := float64(actions(after)-actions(created)) / float64(len(page))
	t.Logf("a duplicate: %.2f actions, %.2f events", perDuplicate, float64(len(after.Events)-len(created.Events))/float64(len(page)))
	assert.LessOrEqual(t, perDuplicate, 0.1)
}

// Whoever lets one reader at a time read must know a feed's next run by the name
// of its first.
func TestAFeedsReaderIsNamedByItsFirstRun(t *testing.T) {
	r := newRecorder(t)
	id, _ := r.feedContinued()
	assert.Equal(t, []string{r.firstRun(id)}, r.feed.whoRead())
}

// A run that got its state from a version without readers names one itself.
func TestAStateWithoutAReaderGetsOne(t *testing.T) {
	r := newRecorder(t)
	run, err := r.client.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: contract.FeedID("lon"), TaskQueue: contract.QueueWorkflows},
		contract.PollFeed, contract.PollFeedInput{Feed: "lon", State: json.RawMessage(`{"polls":7,"position":0}`)})
	require.NoError(t, err)
	r.polled(contract.FeedID("lon"), func(v contract.FeedView) bool { return v.Polls > 7 })
	r.signal(contract.FeedID("lon"), contract.SignalPollNow, nil)
	r.polled(contract.FeedID("lon"), func(v contract.FeedView) bool { return v.Polls > 40 })
	assert.Equal(t, []string{run.GetRunID()}, r.feed.whoRead())
}

// A quiet window is six events and one action, besides its heartbeat: with
// windows of 70 seconds that is less than two actions a minute.
func TestWhatAnIdleWindowCosts(t *testing.T) {
	r := newRecorder(t)
	id := r.startFeed("lon")
	require.Eventually(t, func() bool { return len(r.history(id, "").Events) > 25 }, time.Minute, 200*time.Millisecond)
	windows := 0
	h := r.history(id, "")
	for _, e := range h.Events {
		if e.EventType == enums.EVENT_TYPE_ACTIVITY_TASK_COMPLETED {
			windows++
		}
	}
	t.Logf("%d windows: %d events, %d actions", windows, len(h.Events), actions(h))
	assert.LessOrEqual(t, actions(h), windows+3, "one activity a window, and search attributes twice at the start")
	assert.LessOrEqual(t, len(h.Events), 6*(windows+2))
}

// What waits for a person is a metric under the name that dashboards use.
func TestParkedItemsAreCounted(t *testing.T) {
	metrics, err := telemetry.NewMetrics("test", "test")
	require.NoError(t, err)
	r := newRecorderWith(t, metrics.SDKMetricsHandler())
	id, _ := r.parkedRetried()
	r.match(id, func(v contract.MatchView) bool { return v.Requests[0].Ticket != nil })
	answer := httptest.NewRecorder()
	metrics.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	assert.Regexp(t, `ticketbridge_parked_total\{[^}]*kind="create"[^}]*\} 1\b`, answer.Body.String())
	assert.Regexp(t, `ticketbridge_unparked_total\{[^}]*kind="create"[^}]*\} 1\b`, answer.Body.String())
}

// hangFirst lets the first create take effect and then not come back before
// release is closed; created tells that it is there.
func (r *recorder) hangFirst() (created, release chan struct{}) {
	created, release = make(chan struct{}), make(chan struct{})
	var hung atomic.Bool
	r.desk.hang = func() {
		if hung.CompareAndSwap(false, true) {
			close(created)
			<-release
		}
	}
	return created, release
}

// A run that is about to continue as new waits for the call in progress, and
// decides what comes meanwhile; whoever asks for it gets the answer at once.
func TestARunThatDrainsGoesOnDeciding(t *testing.T) {
	r := newRecorder(t)
	created, release := r.hangFirst()
	id := r.deliver(r.events.alarm("e0", "note 0"))
	<-created
	first := r.firstRun(id)
	const notes = 25 // more than the server lets pass before it suggests to continue
	for n := 1; n <= notes; n++ {
		r.deliver(r.events.alarm(fmt.Sprint("e", n), fmt.Sprint("note ", n)))
		r.match(id, func(v contract.MatchView) bool { return v.Events == int64(n+1) })
	}
	require.True(t, slices.ContainsFunc(r.history(id, first).Events, func(e *historypb.HistoryEvent) bool {
		return e.EventType == enums.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED
	}), "the run drains")
	r.deliver(r.events.alarm("late", "late"))
	handle, err := r.client.UpdateWorkflow(t.Context(), client.UpdateWorkflowOptions{
		WorkflowID: id, UpdateName: contract.UpdateOutcome, WaitForStage: client.WorkflowUpdateStageCompleted,
		Args: []any{contract.OutcomeRequest{EventID: "late"}},
	})
	require.NoError(t, err)
	var answer contract.OutcomeAnswer
	require.NoError(t, handle.Get(t.Context(), &answer))
	assert.True(t, answer.Known && !answer.Again, "%+v", answer)
	assert.Equal(t, event.Updated, answer.Outcome)
	assert.Len(t, r.desk.written(), 1, "the create is still under way")

	close(release)
	r.written(notes + 2)
	want := []string{"create T1 Server down: note 0"}
	for n := 1; n <= notes; n++ {
		want = append(want, fmt.Sprint("comment T1: note ", n))
	}
	assert.Equal(t, append(want, "comment T1: late"), r.desk.written())
	assert.NotEqual(t, first, r.history(id, "").Events[0].GetWorkflowExecutionStartedEventAttributes().GetOriginalExecutionRunId())
}

// A call that hangs holds up its own request, and no other key.
func TestKeysDoNotWaitForEachOther(t *testing.T) {
	r := newRecorder(t)
	created, release := r.hangFirst()
	slow := r.deliver(r.events.alarm("e1", "a"))
	<-created
	r.deliver(r.events.alarm("e2", "b"))
	quick := r.deliver(r.events.alarm("e3", "c", "source", "Zabbix"))
	require.NotEqual(t, slow, quick)
	r.match(quick, func(v contract.MatchView) bool { return len(v.Requests) == 1 && v.Requests[0].Ticket != nil })
	r.match(slow, func(v contract.MatchView) bool { return v.Events == 2 && v.Requests[0].Ticket == nil })
	close(release)
	r.written(3)
	assert.Equal(t, []string{"create T1 Server down: a", "create T2 Server down: c", "comment T1: b"}, r.desk.written())
}
