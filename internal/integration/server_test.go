package integration

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/ticketbridge/ticketbridge/internal/testbed"
)

// temporalServer is a real Temporal server with its state in a file, so that it
// can be killed and started again.
type temporalServer struct {
	t       *testing.T
	dir     string
	address string
	port    int
	more    []string
	process *process
}

const temporalEnv = "TB_TEST_TEMPORAL"

func startTemporal(t *testing.T, more ...string) *temporalServer {
	t.Helper()
	if os.Getenv(temporalEnv) == "" {
		t.Skipf("%s does not name a temporal CLI; run the tests with `make test`, which builds one", temporalEnv)
	}
	port := freePort(t)
	s := &temporalServer{t: t, dir: memoryDir(t), address: fmt.Sprintf("127.0.0.1:%d", port), port: port, more: more}
	s.start()
	t.Cleanup(func() { s.process.kill() })
	return s
}

// memoryDir is in memory where the system has such a place: many servers at once
// would else wait for one disk. It outlives kill -9 as a disk does.
func memoryDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "ticketbridge-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (s *temporalServer) start() {
	s.t.Helper()
	args := testbed.Server(s.dir, s.port, freePort(s.t), append([]string{"--headless"}, s.more...)...)
	s.process = startProcess(s.t, "temporal", nil, os.Getenv(temporalEnv), args...)
	require.Eventually(s.t, func() bool {
		c, err := client.Dial(client.Options{HostPort: s.address})
		if err != nil {
			return false
		}
		defer c.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_, err = c.CheckHealth(ctx, &client.CheckHealthRequest{})
		return err == nil
	}, time.Minute, 200*time.Millisecond, "the Temporal server does not start: see its output above")
}

// crash kills the server and starts it again on the same state.
func (s *temporalServer) crash() {
	s.t.Helper()
	s.process.kill()
	s.start()
}

func (s *temporalServer) client() client.Client {
	s.t.Helper()
	c, err := client.Dial(client.Options{HostPort: s.address, Logger: quiet{}})
	require.NoError(s.t, err)
	s.t.Cleanup(c.Close)
	return c
}

// quiet drops the SDK client's own log lines.
type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}

func freePort(t *testing.T) int {
	t.Helper()
	port, err := testbed.FreePort()
	require.NoError(t, err)
	return port
}

// process is a child that a test may kill.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
}

func startProcess(t *testing.T, name string, env []string, path string, args ...string) *process {
	t.Helper()
	return startProcessIn(t, name, "", env, path, args...)
}

// startProcessIn starts it in a folder.
func startProcessIn(t *testing.T, name, dir string, env []string, path string, args ...string) *process {
	t.Helper()
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	log, err := os.OpenFile(filepath.Join(logDir(t), name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	cmd.Stdout, cmd.Stderr = log, log
	require.NoError(t, cmd.Start())
	p := &process{cmd: cmd, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		defer log.Close()
		_ = cmd.Wait() // a killed process ends with an error
	}()
	return p
}

// kill is kill -9, and waits until the process is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// stop asks the process to end, and kills it when it does not.
func (p *process) stop(within time.Duration) bool {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
		return true
	case <-time.After(within):
		p.kill()
		return false
	}
}

// logDir keeps the output of a test's processes; it is shown when the test fails.
func logDir(t *testing.T) string {
	t.Helper()
	root := os.Getenv("TB_TEST_LOGS")
	if root == "" {
		root = filepath.Join(os.TempDir(), "ticketbridge-test-logs")
	}
	dir := filepath.Join(root, filepath.Base(t.Name()))
	require.NoError(t, os.MkdirAll(dir, 0o700))
	return dir
}
