// Package integration runs the real programs against a real Temporal server and
// simulated vendors, and breaks them.
package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/ticketbridge/ticketbridge/internal/simulator/jira"
	"github.com/ticketbridge/ticketbridge/internal/testbed"
)

// programs are built once for all tests.
var programs = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "ticketbridge-bin-")
	if err != nil {
		return "", err
	}
	if err := testbed.Build(dir); err != nil {
		return "", err
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	status := m.Run()
	if os.Getenv(temporalEnv) != "" {
		if dir, err := programs(); err == nil {
			_ = os.RemoveAll(dir)
		}
	}
	os.Exit(status)
}

// stack is everything that runs in production, with a simulated Jira.
type stack struct {
	t        *testing.T
	temporal *temporalServer
	client   client.Client
	jira     *jira.Simulator
	jiraURL  string
	dir      string
	bin      string
	httpAddr string
	workers  []*process
	serve    *process
	env      []string
}

// options of a stack; the zero value is a fast, well-behaved world.
type options struct {
	jira jira.Options
	// integration and feeds are added to the configuration.
	integration string
	feeds       string
	config      func(text string) string
	workers     int
	window      string
	// catalog takes the place of the usual one, where given.
	catalog string
	// env is added to the environment of our programs.
	env []string
	// server are further arguments of the Temporal server.
	server []string
}

const (
	token    = "test-token-of-monitoring"
	settling = testbed.Settling
	fastRate = "    rate: {per_second: 200, concurrency: 16}\n"
)

func start(t *testing.T, o options) *stack {
	t.Helper()
	server := startTemporal(t, o.server...)
	bin, err := programs()
	require.NoError(t, err)
	url, sim := startJira(t, o.jira)
	s := &stack{
		t: t, temporal: server, client: server.client(), jira: sim, jiraURL: url, dir: t.TempDir(), bin: bin,
		httpAddr: fmt.Sprintf("127.0.0.1:%d", freePort(t)),
	}
	s.write(o)
	s.env = []string{
		"TEMPORAL_ADDRESS=" + server.address, "TICKETBRIDGE_CONFIG=" + filepath.Join(s.dir, "ticketbridge.yaml"),
		"TICKETBRIDGE_HTTP_ADDR=" + s.httpAddr, "TICKETBRIDGE_METRICS_ADDR=", "TICKETBRIDGE_LOG_FORMAT=text",
		"TEST_JIRA_TOKEN=secret-of-jira", "TEST_CALLER_TOKEN=" + token, "TEST_FEED_KEY=secret-of-feed",
		"TICKETBRIDGE_FEED_WINDOW=" + orText(o.window, "5s"), "TICKETBRIDGE_SPOOL_DIR=" + filepath.Join(s.dir, "spool"),
	}
	s.env = append(s.env, o.env...)
	for range max(o.workers, 1) {
		s.startWorker()
	}
	s.startServe()
	t.Cleanup(func() {
		for _, w := range s.workers {
			w.kill()
		}
		s.serve.kill()
	})
	return s
}

func startJira(t *testing.T, o jira.Options) (url string, sim *jira.Simulator) {
	t.Helper()
	sim = jira.New(o)
	site := httptest.NewServer(sim)
	t.Cleanup(site.Close)
	return site.URL, sim
}

func orText(text, fallback string) string {
	if text == "" {
		return fallback
	}
	return text
}

// write makes the configuration file.
func (s *stack) write(o options) {
	s.t.Helper()
	text := testbed.Config{
		JiraURL: s.jiraURL, JiraSecret: "TEST_JIRA_TOKEN", CallerSecret: "TEST_CALLER_TOKEN", More: fastRate + o.integration, Feeds: o.feeds,
	}.String()
	if o.config != nil {
		text = o.config(text)
	}
	s.file("ticketbridge.yaml", text)
	s.file("catalog.yaml", orText(o.catalog, testbed.Catalog()))
}

func (s *stack) file(name, text string) {
	s.t.Helper()
	require.NoError(s.t, os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600))
}

func (s *stack) startWorker() *process {
	s.t.Helper()
	w := startProcess(s.t, "worker", s.env, filepath.Join(s.bin, "worker"))
	s.workers = append(s.workers, w)
	return w
}

func (s *stack) startServe() {
	s.t.Helper()
	s.serve = startProcess(s.t, "serve", s.env, filepath.Join(s.bin, "starter"), "serve")
	require.Eventually(s.t, func() bool {
		resp, err := http.Get("http://" + s.httpAddr + "/healthz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}, 30*time.Second, 50*time.Millisecond, "starter serve does not start")
}

// starter runs the command line to its end.
func (s *stack) starter(args ...string) (stdout string, status int) {
	s.t.Helper()
	cmd := exec.Command(filepath.Join(s.bin, "starter"), args...)
	cmd.Env = append(os.Environ(), s.env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String() + errs.String(), cmd.ProcessState.ExitCode()
	}
	return out.String(), 0
}

// answer is what the HTTP interface said.
type answer struct {
	status int
	header http.Header
	body   map[string]any
	text   string
}

// post sends an event as JSON, with further headers as name, value pairs.
func (s *stack) post(params map[string]any, headers ...string) (answer, error) {
	data, err := json.Marshal(params)
	if err != nil {
		return answer{}, err
	}
	return s.call(http.MethodPost, "/v1/events", bytes.NewReader(data), append(headers, "Content-Type", "application/json")...)
}

func (s *stack) call(method, path string, body io.Reader, headers ...string) (answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+s.httpAddr+path, body)
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{}, err
	}
	a := answer{status: resp.StatusCode, header: resp.Header, text: string(data)}
	_ = json.Unmarshal(data, &a.body) // not every answer is an object
	return a, nil
}

func (s *stack) get(path string) answer {
	s.t.Helper()
	a, err := s.call(http.MethodGet, path, nil)
	require.NoError(s.t, err)
	return a
}

// issues are our issues at the simulated Jira, by their one-line summary.
func (s *stack) issues() map[string][]jira.Issue {
	found := map[string][]jira.Issue{}
	for _, issue := range s.jira.Issues() {
		if issue.Project == "OPS" {
			summary := strings.TrimSpace(issue.Summary)
			found[summary] = append(found[summary], issue)
		}
	}
	return found
}

// report tells what is where, for a test that failed.
func (s *stack) report() string {
	var b strings.Builder
	for _, issue := range s.jira.Issues() {
		fmt.Fprintf(&b, "%s %s %q %d comments\n", issue.Key, issue.Status, issue.Summary, len(issue.Comments))
	}
	out, _ := s.starter("parked", "list")
	b.WriteString(out)
	out, _ = s.starter("feed", "list")
	b.WriteString(out)
	return b.String()
}
