package integration

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/simulator/jira"
)

const megabyte = 1 << 20

// peakMemory is the most that a process ever had in memory, in bytes.
func peakMemory(t *testing.T, p *process) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Skipf("no /proc: %v", err)
	}
	for line := range strings.Lines(string(text)) {
		var kilobytes int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kilobytes); n == 1 {
			return kilobytes << 10
		}
	}
	require.Fail(t, "no VmHWM", string(text))
	return 0
}

// pattern is a content of which no part is like another.
func pattern(size int) []byte {
	content := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{}).Read(content) // it never fails
	return content
}

// attachElsewhere gives an issue a file that did not come through us.
func (s *stack) attachElsewhere(t *testing.T, key, name string, content []byte) {
	t.Helper()
	var form bytes.Buffer
	writer := multipart.NewWriter(&form)
	part, err := writer.CreateFormFile("file", name)
	require.NoError(t, err)
	_, err = part.Write(content)
	require.NoError(t, err)
	require.NoError(t, writer.Close())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.jiraURL+"/rest/api/3/issue/"+key+"/attachments", &form)
	require.NoError(t, err)
	req.Header.Set("Content-Type", writer.FormDataContentType())
	req.Header.Set("X-Atlassian-Token", "no-check")
	req.SetBasicAuth("agent", "x")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
}

// The largest file that a write carries arrives whole, also when Jira's answer is
// lost; files of any size go through serve without being kept there.
func TestLargeFiles(t *testing.T) {
	t.Parallel()
	s := start(t, options{jira: jira.Options{UploadLimit: 64 * megabyte}})
	c := s.connector(2)
	issue, err := s.jira.CreateAsOther("OPS", "Files")
	require.NoError(t, err)
	largest := pattern(contract.MaxAttachment)
	before := peakMemory(t, s.serve)
	for _, name := range []string{"whole.bin", "lost.bin"} {
		if name == "lost.bin" {
			require.NoError(t, s.jira.SetFaults(jira.Fault{Kind: jira.DropAfter, Op: "attach", Times: 1}))
		}
		made, err := c.createAttachment(t.Context(), issue.Key, name, largest)
		require.NoError(t, err)
		read, err := c.downloadAttachment(t.Context(), issue.Key, made.ID)
		require.NoError(t, err)
		require.True(t, bytes.Equal(largest, read.Content), name)
	}
	files, err := c.listAttachments(t.Context(), issue.Key)
	require.NoError(t, err)
	require.Len(t, files, 2, "each once")
	uploads := peakMemory(t, s.serve) - before
	t.Logf("serve's peak grew by %d KB over uploads and downloads of 1 MB", uploads>>10)
	assert.Less(t, uploads, int64(40*megabyte))

	s.testHugeDownload(t, c, issue.Key, 64*megabyte)
}

func (s *stack) testHugeDownload(t *testing.T, c *connector, key string, size int) {
	content := pattern(size)
	s.attachElsewhere(t, key, "huge.bin", content)
	files, err := c.listAttachments(t.Context(), key)
	require.NoError(t, err)
	id := files[len(files)-1].ID
	_, err = c.downloadAttachment(t.Context(), key, id)
	assert.Contains(t, *refusal(t, http.StatusBadRequest, err).Problem.Remediation, "application/octet-stream")

	before := peakMemory(t, s.serve)
	sum := sha256.New()
	n := s.stream(t, place("/v1/ticketing/attachments/%s/%s/download", key, id), sum)
	grown := peakMemory(t, s.serve) - before
	assert.EqualValues(t, size, n)
	want := sha256.Sum256(content)
	assert.Equal(t, want[:], sum.Sum(nil))
	t.Logf("serve's peak grew by %d KB over %d MB", grown>>10, size/megabyte)
	assert.Less(t, grown, int64(16*megabyte))
}

// stream reads an answer as bytes.
func (s *stack) stream(t *testing.T, path string, to io.Writer) int64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.httpAddr+path, nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept", "application/octet-stream")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	n, err := io.Copy(to, resp.Body)
	require.NoError(t, err)
	return n
}
