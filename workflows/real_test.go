package workflows

import (
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"

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
