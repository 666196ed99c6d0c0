package integration

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/ticketbridge/ticketbridge/internal/simulator/jira"
)

// blob is a file that nothing can pack, the same for the same seed.
func blob(seed byte, size int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{seed}), size)
}

func sumOf(t *testing.T, content io.Reader) [sha256.Size]byte {
	t.Helper()
	sum := sha256.New()
	_, err := io.Copy(sum, content)
	require.NoError(t, err)
	return [sha256.Size]byte(sum.Sum(nil))
}

// upload sends a file as it is to ticket OPS-1; size -1 does not say how long it is.
func (s *stack) upload(ctx context.Context, body io.Reader, size int64, headers ...string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.httpAddr+"/v1/ticketing/attachments/OPS-1?file_name=dump.bin", body)
	if err != nil {
		return answer{}, err
	}
	req.ContentLength = size
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/octet-stream")
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	a := answer{status: resp.StatusCode, header: resp.Header, text: string(data)}
	_ = json.Unmarshal(data, &a.body) // not every answer is an object
	return a, err
}

// uploaded sends a file again and again until it is there, as a client does.
func (s *stack) uploaded(t *testing.T, seed byte, size int64) answer {
	t.Helper()
	for end := time.Now().Add(3 * time.Minute); ; {
		a, err := s.upload(t.Context(), blob(seed, size), size)
		require.NoError(t, err)
		if a.status == http.StatusCreated {
			return a
		}
		require.Equal(t, http.StatusServiceUnavailable, a.status, a.text)
		require.True(t, time.Now().Before(end), a.text)
	}
}

// files are those of ticket OPS-1 at the simulated Jira.
func (s *stack) files() []*jira.Attachment {
	for _, issue := range s.jira.Issues() {
		if issue.Key == "OPS-1" {
			return issue.Attachments
		}
	}
	return nil
}

// spooled are the files that serve keeps, with those that are arriving.
func (s *stack) spooled(t *testing.T) []string {
	t.Helper()
	names := []string{}
	require.NoError(t, filepath.WalkDir(filepath.Join(s.dir, "spool"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && entry.Name() != "lock" {
			names = append(names, entry.Name())
		}
		return nil // one that went while we looked is not there
	}))
	return names
}

func startUploads(t *testing.T, env ...string) *stack {
	t.Helper()
	s := start(t, options{jira: jira.Options{UploadLimit: 100 << 20}, env: env})
	s.ticketing(t, 201, "POST", "tickets", `{"name":"Disk full"}`)
	return s
}

// However large a file is, neither serve nor the worker nor Temporal holds it.
func TestALargeFileIsStreamed(t *testing.T) {
	t.Parallel()
	s := startUploads(t)
	const size = 64 << 20
	serve, worker := peakMemory(t, s.serve), peakMemory(t, s.workers[0])
	begin := time.Now()
	a, err := s.upload(t.Context(), blob(1, size), size)
	require.NoError(t, err)
	require.Equal(t, 201, a.status, a.text)
	t.Logf("%d MB in %s: %d MB more in serve, %d in the worker", size>>20, time.Since(begin).Round(time.Millisecond),
		(peakMemory(t, s.serve)-serve)>>20, (peakMemory(t, s.workers[0])-worker)>>20)
	assert.Less(t, peakMemory(t, s.serve)-serve, int64(24<<20))
	assert.Less(t, peakMemory(t, s.workers[0])-worker, int64(16<<20))
	assert.EqualValues(t, size, one(t, a)["file_size"])
	require.Len(t, s.files(), 1)
	assert.Equal(t, sumOf(t, blob(1, size)), sha256.Sum256(s.files()[0].Content))
	assert.Empty(t, s.spooled(t))

	// In base64, and without saying how long it is.
	var body bytes.Buffer
	body.WriteString(`{"content":"`)
	encoder := base64.NewEncoder(base64.StdEncoding, &body)
	_, err = io.Copy(encoder, blob(2, 20<<20))
	require.NoError(t, err)
	require.NoError(t, encoder.Close())
	body.WriteString(`","file_name":"other.bin"}`)
	serve = peakMemory(t, s.serve)
	s.ticketing(t, 201, "POST", "attachments/OPS-1", body.String())
	assert.Less(t, peakMemory(t, s.serve)-serve, int64(16<<20))
	a, err = s.upload(t.Context(), blob(3, 2<<20), -1, "Content-Type", "image/png")
	require.NoError(t, err)
	require.Equal(t, 201, a.status, a.text)
	require.Len(t, s.files(), 3)
	assert.Equal(t, sumOf(t, blob(2, 20<<20)), sha256.Sum256(s.files()[1].Content))
	assert.Equal(t, sumOf(t, blob(3, 2<<20)), sha256.Sum256(s.files()[2].Content))
	assert.Equal(t, "image/png", s.files()[2].MimeType)
	assert.Empty(t, s.spooled(t))
	for id, bytes := range s.histories(t) {
		assert.Less(t, bytes, int64(32<<10), "%s: no file goes through Temporal", id)
	}
}

// histories are the sizes of the histories of writes, by workflow id.
func (s *stack) histories(t *testing.T) map[string]int64 {
	t.Helper()
	sizes := map[string]int64{}
	listed, err := s.client.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Query: "WorkflowType = 'WriteTicket'"})
	require.NoError(t, err)
	for _, info := range listed.GetExecutions() {
		id := info.GetExecution().GetWorkflowId()
		described, err := s.client.DescribeWorkflowExecution(t.Context(), id, info.GetExecution().GetRunId())
		require.NoError(t, err)
		sizes[id] += described.GetWorkflowExecutionInfo().GetHistorySizeBytes()
	}
	return sizes
}

// serve dies while Jira is carrying out an upload; the next one finds its spool.
func TestServeKilledInTheMiddleOfAnUpload(t *testing.T) {
	t.Parallel()
	s := startUploads(t)
	s.killInUpload(t)
	s.startServe()
	s.uploaded(t, 1, 3<<20)
	s.checkOnce(t)
}

// Nobody sends the file again; the serve that finds it, in another folder than it
// was left in, tells its write.
func TestAFileThatIsFoundIsAttached(t *testing.T) {
	t.Parallel()
	s := startUploads(t)
	s.killInUpload(t)
	folders, err := filepath.Glob(filepath.Join(s.dir, "spool", "*", "*"))
	require.NoError(t, err)
	require.Len(t, folders, 1)
	require.NoError(t, os.Rename(folders[0], filepath.Join(filepath.Dir(folders[0]), "other")))
	s.startServe()
	require.Eventually(t, func() bool { return s.madeWrites(t) == 2 }, 2*time.Minute, time.Second, "the upload is made")
	require.Len(t, s.files(), 1)
	assert.Equal(t, 1, s.jira.Stats().Commits["attach"])
}

// madeWrites counts the writes that are made, or have ended.
func (s *stack) madeWrites(t *testing.T) int64 {
	t.Helper()
	counted, err := s.client.CountWorkflow(t.Context(), &workflowservice.CountWorkflowExecutionsRequest{
		Query: "WorkflowType = 'WriteTicket' AND BridgeState = 'closed'",
	})
	require.NoError(t, err)
	return counted.GetCount()
}

// The machine is gone, and with it the file: whoever got no 2xx sends it again.
func TestASpoolThatIsLost(t *testing.T) {
	t.Parallel()
	s := startUploads(t)
	s.killInUpload(t)
	require.NoError(t, os.RemoveAll(filepath.Join(s.dir, "spool")))
	s.startServe()
	s.uploaded(t, 1, 3<<20)
	s.checkOnce(t)
}

// Jira is away, and serve dies; its files are gone, and its queue nobody's.
func TestASpoolThatIsLostBeforeTheUpload(t *testing.T) {
	t.Parallel()
	s := startUploads(t)
	require.NoError(t, s.jira.SetFaults(jira.Fault{Kind: jira.ErrorBefore, Op: "attach"}))
	sent := s.send3MB(t)
	s.eventually(t, func() bool { return s.jira.Stats().Requests["attach"] > 1 }, "the upload is tried again")
	s.serve.kill()
	<-sent
	require.NoError(t, os.RemoveAll(filepath.Join(s.dir, "spool")))
	require.NoError(t, s.jira.SetFaults())
	s.startServe()
	s.uploaded(t, 1, 3<<20)
	s.checkOnce(t)
}

// A serve that was frozen while it sent a file, and goes on when another has made
// the write, must not send the rest.
func TestServeFrozenInTheMiddleOfAnUpload(t *testing.T) {
	t.Parallel()
	g := &gate{reached: make(chan struct{}), open: make(chan struct{}), passed: make(chan struct{})}
	site := httptest.NewServer(g)
	t.Cleanup(site.Close)
	s := start(t, options{jira: jira.Options{UploadLimit: 100 << 20}, config: func(text string) string {
		return regexp.MustCompile(`(?m)^    url: .*$`).ReplaceAllString(text, "    url: "+site.URL)
	}})
	g.jira.Store(s.jira)
	s.ticketing(t, 201, "POST", "tickets", `{"name":"Disk full"}`)
	const size = 32 << 20
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = s.upload(t.Context(), blob(1, size), size) // it is frozen under it
	}()
	<-g.reached
	frozen := s.serve.cmd.Process
	require.NoError(t, frozen.Signal(syscall.SIGSTOP))

	beside := *s
	beside.httpAddr = fmt.Sprintf("127.0.0.1:%d", freePort(t))
	beside.env = append(slices.Clone(s.env), "TICKETBRIDGE_HTTP_ADDR="+beside.httpAddr)
	beside.startServe()
	t.Cleanup(func() { beside.serve.kill() })
	beside.uploaded(t, 1, size)
	require.Len(t, s.files(), 1)
	require.NoError(t, frozen.Signal(syscall.SIGCONT))
	close(g.open)
	<-g.passed
	<-sent
	assert.Len(t, s.files(), 1)
	assert.Equal(t, 1, s.jira.Stats().Commits["attach"])
}

// What does not come whole, or is too large, starts no write and leaves nothing.
func TestAnUploadThatIsNotWholeStartsNothing(t *testing.T) {
	t.Parallel()
	s := startUploads(t, "TICKETBRIDGE_MAX_UPLOAD=4MB", "TICKETBRIDGE_SPOOL_LIMIT=6MB")
	writes := len(s.histories(t))

	// The connection ends in the middle, with and without a promised length.
	for _, head := range []string{"Content-Length: 3145728\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n200000\r\n"} {
		c, err := net.Dial("tcp", s.httpAddr)
		require.NoError(t, err)
		_, err = fmt.Fprintf(c, "POST /v1/ticketing/attachments/OPS-1?file_name=a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/octet-stream\r\n%s", token, head)
		require.NoError(t, err)
		_, err = io.Copy(c, blob(1, 1<<20+1000)) // enough to be spooled
		require.NoError(t, err)
		s.eventually(t, func() bool { return len(s.spooled(t)) == 1 }, "it arrives")
		require.NoError(t, c.Close())
		s.eventually(t, func() bool { return len(s.spooled(t)) == 0 }, "what came of it is removed")
	}

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, size := range []int64{4<<20 + 1, -1} {
		a := s.refusedUpload(t, func() (answer, error) {
			return s.upload(ctx, blob(1, 4<<20+1), size, "Expect", "100-continue")
		})
		assert.Equal(t, http.StatusRequestEntityTooLarge, a.status, a.text)
		assert.EqualValues(t, http.StatusRequestEntityTooLarge, a.body["status"], "a problem")
		assert.Contains(t, a.text, "larger than 4 MB")
	}
	assert.Empty(t, s.spooled(t))
	assert.Len(t, s.histories(t), writes)
	assert.Empty(t, s.files())

	// One that waits for Jira leaves no room for another.
	require.NoError(t, s.jira.SetFaults(jira.Fault{Kind: jira.ErrorBefore, Op: "attach"}))
	sent := s.send3MB(t)
	s.eventually(t, func() bool { return s.jira.Stats().Requests["attach"] > 0 }, "the upload")
	a := s.refusedUpload(t, func() (answer, error) {
		return s.upload(ctx, blob(2, 4<<20), 4<<20, "Expect", "100-continue")
	})
	assert.Equal(t, http.StatusInsufficientStorage, a.status, a.text)
	assert.NotEmpty(t, a.header.Get("Retry-After"))
	require.NoError(t, s.jira.SetFaults())
	<-sent
	s.checkOnce(t)
	assert.NotContains(t, strings.ToLower(readLog(t, "serve")), filepath.Join(s.dir, "spool"), "no path in the log")
}

// readLog is what a program of the test has said.
func readLog(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(logDir(t), name+".log"))
	require.NoError(t, err)
	return string(data)
}

// A file whose write has ended while serve was away goes when it is back.
func TestFilesOfWritesThatEndedAreTidiedAway(t *testing.T) {
	t.Parallel()
	s := startUploads(t)
	require.NoError(t, s.jira.SetFaults(jira.Fault{Kind: jira.ErrorBefore, Op: "attach"}))
	sent := s.send3MB(t)
	s.eventually(t, func() bool { return s.jira.Stats().Requests["attach"] > 0 }, "the upload")
	s.serve.kill()
	<-sent
	require.Len(t, s.spooled(t), 1)
	listed, err := s.client.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{
		Query: "WorkflowType = 'WriteTicket' AND ExecutionStatus = 'Running'",
	})
	require.NoError(t, err)
	for _, info := range listed.GetExecutions() {
		require.NoError(t, s.client.TerminateWorkflow(t.Context(), info.GetExecution().GetWorkflowId(), "", "test"))
	}
	s.startServe()
	s.eventually(t, func() bool { return len(s.spooled(t)) == 0 }, "the file is removed")
}

// refusedUpload is the answer to an upload that is refused. It may meet a sender who
// is still at it, and be lost with the connection: then the file is sent again.
func (s *stack) refusedUpload(t *testing.T, send func() (answer, error)) (refused answer) {
	t.Helper()
	require.Eventually(t, func() bool {
		var err error
		refused, err = send()
		return err == nil
	}, soon, 10*time.Millisecond)
	return refused
}
