package integration

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/simulator/jira"
)

// The largest file that Temporal carries, sent again and again, with the worker
// killed twice meanwhile: attached once, whole, and in the history hardly more than
// once.
func TestALargeFileIsSentAgainWithoutGrowing(t *testing.T) {
	t.Parallel()
	s := start(t, options{jira: jira.Options{UploadLimit: 4 * megabyte}})
	issue, err := s.jira.CreateAsOther("OPS", "Files")
	require.NoError(t, err)
	content := pattern(contract.MaxAttachment)
	require.NoError(t, s.jira.SetFaults(jira.Fault{Kind: jira.ErrorBefore, Status: http.StatusBadGateway, Op: "attach", Times: 4}))
	sent, err := s.call(http.MethodPost, place("/v1/ticketing/attachments/%s?file_name=whole.bin", issue.Key), bytes.NewReader(content),
		"Content-Type", "application/octet-stream", "Prefer", "respond-async, wait=1")
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, sent.status, sent.text)
	for _, calls := range []int{1, 3} {
		require.Eventually(t, func() bool { return s.jira.Stats().Requests["attach"] >= calls }, 2*time.Minute, 20*time.Millisecond)
		s.workers[0].kill()
		s.workers = nil
		s.startWorker()
	}
	require.Eventually(t, func() bool { return s.get(sent.header.Get("Location")).body["status"] == "ok" }, 2*time.Minute, 200*time.Millisecond)

	c := s.connector(2)
	files, err := c.listAttachments(t.Context(), issue.Key)
	require.NoError(t, err)
	require.Len(t, files, 1)
	read, err := c.downloadAttachment(t.Context(), issue.Key, files[0].ID)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(content, read.Content))

	ids := s.workflows(`WorkflowType="WriteTicket"`)
	require.Len(t, ids, 1)
	described, err := s.client.DescribeWorkflowExecution(t.Context(), ids[0], "")
	require.NoError(t, err)
	size := described.GetWorkflowExecutionInfo().GetHistorySizeBytes()
	t.Logf("%d calls, %d bytes of history, %s", s.jira.Stats().Requests["attach"], size, time.Since(described.GetWorkflowExecutionInfo().GetStartTime().AsTime()).Round(time.Second))
	assert.Less(t, size, int64(contract.MaxAttachment/3*4+100<<10))
}
