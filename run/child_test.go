package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const patience = 20 * time.Second

// script is a program that is ready once it made the file that it is told ($0).
func script(t *testing.T, text string) program {
	dir := t.TempDir()
	ready := filepath.Join(dir, "ready")
	return program{
		name: "script", path: "/bin/sh", args: []string{"-c", text, ready}, env: os.Environ(), logFile: filepath.Join(dir, "log"),
		ready: func(context.Context) error { _, err := os.Stat(ready); return err },
	}
}

func quiet() *screen { return &screen{out: &bytes.Buffer{}} }

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

func TestAProgramThatDiesIsStartedAgainUntilHalted(t *testing.T) {
	p := script(t, `touch "$0"; exec sleep 600`)
	again := make(chan struct{}, 1)
	p.again = func() { again <- struct{}{} }
	c, err := launch(t.Context(), p, patience, quiet())
	require.NoError(t, err)
	first := c.process()
	require.NoError(t, syscall.Kill(first, syscall.SIGKILL))
	<-again
	require.Eventually(t, func() bool { return c.process() != 0 }, patience, 10*time.Millisecond)
	second := c.process()
	assert.NotEqual(t, first, second)

	assert.True(t, c.halt(patience))
	assert.False(t, alive(second))
	assert.Zero(t, c.process())
}

func TestAProgramThatDoesNotStartSaysWhy(t *testing.T) {
	p := script(t, `echo "the port is taken" >&2; exit 3`)
	_, err := launch(t.Context(), p, patience, quiet())
	assert.ErrorContains(t, err, "script did not start: exit status 3")
	assert.ErrorContains(t, err, "the port is taken")

	p.path = "/nowhere/worker"
	_, err = launch(t.Context(), p, patience, quiet())
	assert.ErrorContains(t, err, "no such file")
}

func TestAProgramThatIsNeverReadyIsStopped(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	p := script(t, `echo $$ > "`+file+`"; exec sleep 600`)
	p.ready = func(context.Context) error { return errors.New("not yet") }
	_, err := launch(t.Context(), p, time.Second, quiet())
	assert.ErrorContains(t, err, "script is not ready after 1 s: not yet")
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	require.NoError(t, err)
	assert.False(t, alive(pid))
}

func TestHaltKillsWhatDoesNotListenAndAllThatItStarted(t *testing.T) {
	dir := t.TempDir()
	p := script(t, `trap '' TERM; sleep 600 & echo $! > "`+dir+`/helper"; touch "$0"; while :; do wait; done`)
	c, err := launch(t.Context(), p, patience, quiet())
	require.NoError(t, err)
	assert.False(t, c.halt(200*time.Millisecond), "it had to be killed")
	data, err := os.ReadFile(filepath.Join(dir, "helper"))
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		// Whoever adopts it may take a moment to bury it.
		state, err := os.ReadFile("/proc/" + strings.TrimSpace(string(data)) + "/stat")
		return err != nil || strings.Contains(string(state), ") Z ")
	}, patience, 10*time.Millisecond)
}

func TestTailIsTheEndOfALog(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	require.NoError(t, os.WriteFile(file, []byte(strings.Repeat("old\n", 50)+"last\n"), 0o644))
	lines := strings.Split(tail(file), "\n")
	assert.Len(t, lines, tailLines+1)
	assert.Equal(t, "    last", lines[tailLines-1])
	assert.Empty(t, tail(file+".none"))
}
