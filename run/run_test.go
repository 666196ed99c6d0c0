package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bench is a folder and ports for runs of the real launcher.
type bench struct {
	t         *testing.T
	launcher  string
	dir       string
	simulator string
	env       []string
}

func newBench(t *testing.T) *bench {
	temporal := os.Getenv("TB_TEST_TEMPORAL")
	if temporal == "" {
		t.Skip("TB_TEST_TEMPORAL does not name a temporal program; `make test` builds one")
	}
	b := &bench{t: t, dir: t.TempDir()}
	b.launcher = filepath.Join(b.dir, "run")
	out, err := exec.Command("go", "build", "-o", b.launcher, ".").CombinedOutput()
	require.NoError(t, err, string(out))
	ports := freeNumbers(t, 5)
	b.simulator = fmt.Sprintf("http://127.0.0.1:%d", ports[2])
	tctl := os.Getenv("TB_TEST_TCTL")
	if tctl == "" {
		tctl = "tctl" // only named on the screen
	}
	b.env = append(os.Environ(),
		"TB_RUN_DIR="+b.dir, "TB_TEMPORAL="+temporal, "TB_TCTL="+tctl, "TB_PACE=100ms", "TEMPORAL_ADDRESS=",
		fmt.Sprintf("TB_TEMPORAL_PORT=%d", ports[0]), fmt.Sprintf("TB_UI_PORT=%d", ports[1]), fmt.Sprintf("TB_SIMULATOR_PORT=%d", ports[2]),
		fmt.Sprintf("TICKETBRIDGE_HTTP_ADDR=127.0.0.1:%d", ports[3]), fmt.Sprintf("TICKETBRIDGE_METRICS_ADDR=127.0.0.1:%d", ports[4]))
	return b
}

func freeNumbers(t *testing.T, n int) []int {
	var numbers []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		numbers = append(numbers, l.Addr().(*net.TCPAddr).Port)
	}
	return numbers
}

// running is one launcher under way; its output may be read meanwhile.
type running struct {
	b     *bench
	cmd   *exec.Cmd
	ended chan struct{}

	mu  sync.Mutex
	out bytes.Buffer
}

func (r *running) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.out.Write(p)
}

func (r *running) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.out.String()
}

func (b *bench) start(args ...string) *running {
	r := &running{b: b, ended: make(chan struct{})}
	r.cmd = exec.Command(b.launcher, args...)
	r.cmd.Dir, r.cmd.Env, r.cmd.Stdout, r.cmd.Stderr = "..", b.env, r, r
	require.NoError(b.t, r.cmd.Start())
	go func() { _ = r.cmd.Wait(); close(r.ended) }()
	b.t.Cleanup(func() { r.stop(); <-r.ended })
	return r
}

func (r *running) stop() { _ = r.cmd.Process.Signal(os.Interrupt) }

// await waits for a sign on the screen.
func (r *running) await(pattern string, within time.Duration) []string {
	r.b.t.Helper()
	re := regexp.MustCompile(pattern)
	assert.Eventually(r.b.t, func() bool { return re.MatchString(r.text()) || r.over() }, within, 50*time.Millisecond)
	found := re.FindStringSubmatch(r.text())
	require.NotNil(r.b.t, found, "the screen lacks %s:\n%s", pattern, r.text())
	return found
}

func (r *running) over() bool {
	select {
	case <-r.ended:
		return true
	default:
		return false
	}
}

// interrupt is Ctrl-C; the launcher must end well, leaving nothing behind.
func (r *running) interrupt() {
	r.b.t.Helper()
	r.stop()
	select {
	case <-r.ended:
	case <-time.After(45 * time.Second):
		require.Fail(r.b.t, "it does not stop", r.text())
	}
	assert.Equal(r.b.t, 0, r.cmd.ProcessState.ExitCode(), r.text())
	assert.Contains(r.b.t, r.text(), "Stopped. `make run` goes on from here")
	r.b.nothingIsLeft()
}

// nothingIsLeft looks for processes that were started from the bench's folder.
func (b *bench) nothingIsLeft() {
	b.t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(b.t, err)
	for _, file := range files {
		line, _ := os.ReadFile(file) // it may have ended
		assert.NotContains(b.t, string(line), b.dir, "an orphan")
	}
}

type jiraIssue struct {
	Key      string
	Summary  string
	Status   string
	Comments []struct{ Text string }
}

func (b *bench) issues() []jiraIssue {
	response, err := http.Get(b.simulator + "/jira/_control/issues")
	if err != nil {
		return nil
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	require.NoError(b.t, err)
	var issues []jiraIssue
	require.NoError(b.t, json.Unmarshal(data, &issues))
	return issues
}

// mentions is how often a text stands in all tickets and comments.
func mentions(issues []jiraIssue, text string) int {
	n := 0
	for _, i := range issues {
		for _, c := range i.Comments {
			n += strings.Count(c.Text, text)
		}
	}
	return n
}

func TestMakeRunShowsTicketsSurvivesKillsAndGoesOn(t *testing.T) {
	b := newBench(t)
	first := b.start()
	first.await(`ticket +OPS-\d+ +created: berth-db-1 refuses connections`, 6*time.Minute)
	assert.NotContains(t, first.text(), "\x1b", "it is no terminal")
	assert.Contains(t, first.text(), "/namespaces/default/workflows/feed:demo")

	var pid int
	_, err := fmt.Sscanf(first.await(`kill -9 (\d+)`, time.Minute)[1], "%d", &pid)
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	first.await(`worker ended \(signal: killed\); it is started again`, time.Minute)
	first.await(`worker runs again \(process \d+\)`, time.Minute)
	require.Eventually(t, func() bool { return len(b.issues()) >= 8 }, 3*time.Minute, 200*time.Millisecond)
	first.interrupt()

	second := b.start()
	second.await(`feed demo is read`, 3*time.Minute)
	// The end of the recorded story, and something from before the kill.
	require.Eventually(t, func() bool { return mentions(b.issues(), "restore test is good") == 1 }, 3*time.Minute, 200*time.Millisecond)
	require.Eventually(t, func() bool { return mentions(b.issues(), "500 of 500 connections") == 1 }, time.Minute, 200*time.Millisecond)
	issues := b.issues()
	subjects := map[string]int{}
	for _, i := range issues {
		subjects[i.Summary]++
	}
	for subject, n := range subjects {
		if !strings.Contains(subject, " on crane-") {
			assert.Equal(t, 1, n, "%s has one ticket", subject)
		}
	}
	second.interrupt()
}

func TestMakeRunNamesWhatIsInTheWay(t *testing.T) {
	b := newBench(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	b.env = append(b.env, "TICKETBRIDGE_HTTP_ADDR="+listener.Addr().String())
	r := b.start()
	<-r.ended
	assert.Equal(t, exitFailed, r.cmd.ProcessState.ExitCode())
	assert.Contains(t, r.text(), "for the HTTP interfaces, is in use")
	assert.Contains(t, r.text(), "make run TICKETBRIDGE_HTTP_ADDR=")
}

func TestMakeRunChecksAConfigurationFirst(t *testing.T) {
	b := newBench(t)
	file := filepath.Join(t.TempDir(), "my.yaml")
	require.NoError(t, os.WriteFile(file, []byte("feeds:\n  - name: x\n    typ: cloudfeeds\n"), 0o644))
	r := b.start("-config", file)
	<-r.ended
	assert.Equal(t, exitUsage, r.cmd.ProcessState.ExitCode(), r.text())
	assert.Contains(t, r.text(), file+":3")
	assert.NotContains(t, r.text(), "Temporal server runs")
	b.nothingIsLeft()
}

func TestMakeRunNeedsTheServerThatItIsToldOf(t *testing.T) {
	b := newBench(t)
	b.env = append(b.env, "TEMPORAL_ADDRESS="+fmt.Sprintf("127.0.0.1:%d", freeNumbers(t, 1)[0]))
	r := b.start()
	<-r.ended
	assert.Contains(t, r.text(), "nothing answers there")
	assert.Contains(t, r.text(), "unset the variable")
}
