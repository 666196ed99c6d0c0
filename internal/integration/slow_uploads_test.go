package integration

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/simulator/jira"
)

// sentInVain uploads a file to a Jira that takes longer than the answer may, and
// returns where to ask for what becomes of it.
func (s *stack) sentInVain(t *testing.T, jiraTakes time.Duration, headers ...string) (operation string, took time.Duration) {
	t.Helper()
	require.NoError(t, s.jira.SetFaults(jira.Fault{Kind: jira.Slow, Op: "attach", Delay: jiraTakes.Milliseconds(), Times: 1}))
	begin := time.Now()
	a, err := s.upload(t.Context(), blob(1, 3<<20), 3<<20, headers...)
	took = time.Since(begin)
	require.NoError(t, err)
	require.Equal(t, http.StatusServiceUnavailable, a.status, a.text)
	assert.Equal(t, "1", a.header.Get("Retry-After"))
	id, _ := a.body["context"].(map[string]any)["operation"].(string)
	require.Equal(t, a.header.Get("X-Operation-Id"), id)
	path := "/v1/ticketing/operations/" + url.PathEscape(id)
	assert.Contains(t, a.body["remediation"], "GET "+path)
	assert.Contains(t, a.body["remediation"], "the file need not be sent again")
	return path, took
}

// Whoever is told that a large file is under way may just ask, or send it again.
func TestALargeFileIsAnsweredInTime(t *testing.T) {
	t.Parallel()
	s := startUploads(t)
	operation, took := s.sentInVain(t, 26*time.Second)
	assert.Less(t, took, 24*time.Second)
	assert.Equal(t, "pending", s.get(operation).body["status"])
	assert.Len(t, s.spooled(t), 1, "it stays until Jira has it")
	s.eventually(t, func() bool { return s.get(operation).body["status"] == "ok" }, "it is attached without being sent again")
	require.Len(t, s.files(), 1)
	assert.Equal(t, s.files()[0].ID, s.get(operation).body["result"].(map[string]any)["id"])

	a, err := s.upload(t.Context(), blob(1, 3<<20), 3<<20)
	require.NoError(t, err)
	require.Equal(t, http.StatusCreated, a.status, a.text)
	assert.Equal(t, s.files()[0].ID, one(t, a)["id"], "it has joined")
	s.checkOnce(t)

	a, err = s.upload(t.Context(), blob(1, 3<<20), 3<<20)
	require.NoError(t, err)
	require.Equal(t, http.StatusCreated, a.status, a.text)
	assert.Len(t, s.files(), 2, "after a 2xx an equal file is another one")
}

// Sending a file again may take longer than its write is there to be joined.
func TestALargeFileSentAgainSlowlyIsAttachedOnce(t *testing.T) {
	t.Parallel()
	s := startUploads(t)
	operation, took := s.sentInVain(t, 3*time.Second, "Prefer", "wait=1")
	assert.Less(t, took, 3*time.Second)
	pace := time.NewTicker(time.Second)
	defer pace.Stop()
	a, err := s.upload(t.Context(), &slowly{Reader: blob(1, 3<<20), fast: 2 << 20, pace: pace.C, until: func() bool {
		return len(s.workflows(`WorkflowType = 'WriteTicket' AND ExecutionStatus = 'Running'`)) == 0
	}}, 3<<20)
	require.NoError(t, err)
	require.Equal(t, http.StatusCreated, a.status, a.text)
	assert.Equal(t, s.get(operation).body["result"].(map[string]any)["id"], one(t, a)["id"])
	s.checkOnce(t)
}

// slowly gives some of a file fast, and then a byte at a time until something is so.
type slowly struct {
	io.Reader
	fast  int
	pace  <-chan time.Time
	until func() bool
	over  bool
}

func (r *slowly) Read(p []byte) (int, error) {
	switch {
	case r.over:
	case r.fast > 0:
		p = p[:min(len(p), r.fast)]
	default:
		<-r.pace
		p, r.over = p[:1], r.until()
	}
	n, err := r.Reader.Read(p)
	r.fast -= n
	return n, err
}

// The command line streams a file of any size to a serve, and sends it once.
func TestALargeFileByCommand(t *testing.T) {
	t.Parallel()
	s := startUploads(t)
	in, out := filepath.Join(s.dir, "dump.bin"), filepath.Join(s.dir, "again.bin")
	content, err := io.ReadAll(blob(1, 3<<20))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(in, content, 0o600))
	assert.Contains(t, s.ticket(t, 2, "attachment", "add", "OPS-1", in), "--url")
	assert.Empty(t, s.files())

	require.NoError(t, s.jira.SetFaults(jira.Fault{Kind: jira.Slow, Op: "attach", Delay: 3000, Times: 1}))
	served := []string{"--url", "http://" + s.httpAddr, "--token", "env:TEST_CALLER_TOKEN"}
	added := s.ticket(t, 0, append([]string{"attachment", "add", "OPS-1", in, "--async"}, served...)...)
	assert.Contains(t, added, "write:jira-ops:")
	assert.Contains(t, s.ticket(t, 0, append([]string{"attachment", "add", "OPS-1", in}, served...)...), "dump.bin", "it joins")
	s.checkOnce(t)
	s.ticket(t, 0, append([]string{"attachment", "get", "OPS-1", s.files()[0].ID, "-O", out}, served...)...)
	got, err := os.ReadFile(out)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(content, got), "the file is what it was")
}
