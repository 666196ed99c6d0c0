package integration

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"

	"github.com/ticketbridge/ticketbridge/internal/simulator/jira"
)

// A worker dies while Jira is carrying out its create. Temporal notices by the
// attempt's timeout, and does not make the call again: what it did is looked for.
func TestAWorkerKilledInTheMiddleOfACreate(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	require.NoError(t, s.jira.SetFaults(jira.Fault{Kind: jira.Slow, Op: "create", Delay: 10_000}))
	s.alarm(t, 201, "srv-001", "down")
	s.eventually(t, func() bool { return s.jira.Stats().Requests["create"] == 1 }, "the create")
	s.workers[0].kill()
	s.workers = nil
	s.startWorker()

	workflow := s.workflowOf("srv-001")
	require.Eventually(t, func() bool { return s.match(workflow).Requests[0].Ticket != nil }, 2*time.Minute, 200*time.Millisecond, "the ticket is not found")
	assert.Equal(t, 1, s.jira.Stats().Requests["create"])
	assert.Len(t, s.issues()["Alarm on srv-001"], 1)
	for _, e := range s.events(workflow) {
		if a := e.GetActivityTaskTimedOutEventAttributes(); a != nil {
			timeout := a.GetFailure().GetTimeoutFailureInfo().GetTimeoutType()
			assert.Equal(t, enums.TIMEOUT_TYPE_START_TO_CLOSE, timeout)
			assert.Equal(t, enums.RETRY_STATE_NON_RETRYABLE_FAILURE, a.GetRetryState())
			return
		}
	}
	assert.Fail(t, "no attempt timed out")
}
