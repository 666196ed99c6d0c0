package integration

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/simulator/jira"
)

// A recovery that was taken in while Jira takes nothing closes its ticket, although
// everything of ours is killed before it could be told; so does one that comes
// while no worker runs.
func TestARecoveryOutlivesARestart(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	up := []string{"status", "completed", "completion_reason", "solved"}
	for _, ci := range []string{"srv-001", "srv-002"} {
		s.alarm(t, 201, ci, "down")
		s.ticketOf(t, ci)
	}
	require.NoError(t, s.jira.SetFaults(jira.Fault{Kind: jira.TooMany, Op: "comment", RetryAfter: 3}))
	s.alarm(t, 200, "srv-001", "up", up...)
	s.eventually(t, func() bool { return s.retries(s.workflowOf("srv-001")) > 0 }, "it is to be tried again")
	s.workers[0].kill()
	s.workers = nil
	params := map[string]any{"subject": "Alarm on srv-002", "source": "Nagios", "ci": "srv-002", "note": "up", "status": "completed", "completion_reason": "solved"}
	taken, err := s.post(params, "Prefer", "respond-async")
	require.NoError(t, err)
	require.Equal(t, 202, taken.status, taken.text)
	for _, ci := range []string{"srv-001", "srv-002"} {
		require.NotEqual(t, "Done", s.issues()["Alarm on "+ci][0].Status, "%s: nothing was told yet", ci)
	}
	s.killAll()
	require.NoError(t, s.jira.SetFaults())
	s.startWorker()
	for _, ci := range []string{"srv-001", "srv-002"} {
		summary := "Alarm on " + ci
		// A call that was cut off by the kill is given up after a while only.
		require.Eventually(t, func() bool { return s.issues()[summary][0].Status == "Done" }, 3*time.Minute, 100*time.Millisecond, "the ticket of %s stays open", ci)
		require.Len(t, s.issues()[summary], 1)
		issue := s.issues()[summary][0]
		require.Len(t, issue.Comments, 1)
		assert.Equal(t, "up", jira.Text(issue.Comments[0].Body))
	}
}

// retries counts the attempts that the pending calls of a workflow failed in.
func (s *stack) retries(workflow string) int {
	s.t.Helper()
	described, err := s.client.DescribeWorkflowExecution(context.Background(), workflow, "")
	require.NoError(s.t, err)
	n := 0
	for _, pending := range described.GetPendingActivities() {
		n += int(pending.GetAttempt()) - 1
	}
	return n
}
