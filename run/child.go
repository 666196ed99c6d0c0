package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// program is something that runs for as long as the launcher does.
type program struct {
	name    string
	path    string
	args    []string
	env     []string
	logFile string
	// ready tells when it can be used.
	ready func(ctx context.Context) error
	// again, where set, is called after it was started again.
	again func()
}

// child is a program that is kept running.
type child struct {
	program
	out *screen

	mu       sync.Mutex
	pid      int // 0 while it does not run
	stopping bool
	started  bool // it was ready once; from then on it is started again
	failure  error
	stop     chan struct{} // closed when it shall not be started again
	ended    chan struct{} // closed when nothing of it runs any more
}

// How long a program that ended waits to be started again, and how long it must
// have run to be started at once.
const (
	leastPause  = 500 * time.Millisecond
	mostPause   = 15 * time.Second
	steadyAfter = 20 * time.Second
)

// launch starts a program and waits until it is ready. It is started again
// whenever it ends, until halt.
func launch(ctx context.Context, p program, within time.Duration, out *screen) (*child, error) {
	c := &child{program: p, out: out, stop: make(chan struct{}), ended: make(chan struct{})}
	go c.keep()
	if err := c.awaitReady(ctx, within); err != nil {
		c.halt(time.Second)
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.started = true
	return c, nil
}

// awaitReady shows the time that passes.
func (c *child) awaitReady(ctx context.Context, within time.Duration) error {
	began := time.Now()
	defer c.out.show("")
	var last error
	for time.Since(began) < within {
		try, cancel := context.WithTimeout(ctx, 10*time.Second)
		last = c.ready(try)
		cancel()
		if last == nil {
			return nil
		}
		c.out.show(fmt.Sprintf("  … %s starts (%s)", c.name, elapsed(time.Since(began))))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.ended:
			return fmt.Errorf("%s did not start: %w\n%s", c.name, c.failure, tail(c.logFile))
		case <-time.After(150 * time.Millisecond):
		}
	}
	return fmt.Errorf("%s is not ready after %s: %w\n%s", c.name, elapsed(within), last, tail(c.logFile))
}

// keep runs the program over and over. The kernel stops a program when the
// thread that started it ends, so the goroutine stays on its thread.
func (c *child) keep() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(c.ended)
	pause := leastPause
	for {
		began := time.Now()
		err := c.runOnce()
		if c.over(err) {
			return
		}
		if time.Since(began) > steadyAfter {
			pause = leastPause
		}
		c.out.trouble("%s ended (%v); it is started again. Its log: %s", c.name, err, c.logFile)
		select {
		case <-c.stop:
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, mostPause)
	}
}

// over: the program shall not be started again.
func (c *child) over(err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.started {
		c.failure = err
	}
	return c.stopping || !c.started
}

// runOnce runs the program until it ends, and says how.
func (c *child) runOnce() error {
	log, err := os.OpenFile(c.logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(c.path, c.args...)
	cmd.Env, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = c.env, log, log, group()
	if again, err := c.start(cmd); err != nil {
		return err
	} else if again {
		c.out.done("%s runs again (process %d)", c.name, cmd.Process.Pid)
		if c.again != nil {
			c.again()
		}
	}
	err = cmd.Wait()
	c.mu.Lock()
	c.pid = 0
	c.mu.Unlock()
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}

func (c *child) start(cmd *exec.Cmd) (again bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopping {
		return false, errors.New("stopped")
	}
	if err := cmd.Start(); err != nil {
		return false, err
	}
	c.pid = cmd.Process.Pid
	return c.started, nil
}

// process is the program's process id; 0 while it does not run.
func (c *child) process() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pid
}

// halt asks the program to end, waits for grace, and kills it then. It returns
// whether it ended by itself.
func (c *child) halt(grace time.Duration) bool {
	c.signal(syscall.SIGTERM)
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-c.ended:
		return true
	case <-timer.C:
	}
	c.kill()
	<-c.ended
	return false
}

// kill ends the program and all that it started, at once.
func (c *child) kill() { c.signal(syscall.SIGKILL) }

func (c *child) signal(sig syscall.Signal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stopping {
		c.stopping = true
		close(c.stop)
	}
	if c.pid != 0 {
		_ = syscall.Kill(-c.pid, sig) // it may be gone already
	}
}

const tailLines = 12

// tail is the end of a log file, for a person who wants to know why.
func tail(file string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	lines = lines[max(0, len(lines)-tailLines):]
	return "    " + strings.Join(lines, "\n    ") + "\n    (" + file + ")"
}
