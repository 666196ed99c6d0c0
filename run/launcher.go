package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/mattn/go-isatty"
)

// launcher starts, watches and stops all programs of a run.
type launcher struct {
	settings
	out  *screen
	here string // the folder that the user is in

	env      []string
	temporal string // the CLI and server; empty without an embedded server
	hasTctl  atomic.Bool

	mu       sync.Mutex
	children []*child
	byName   map[string]*child
	feeds    []startedFeed
}

// startedFeed is an answer of `starter feed start -o json`.
type startedFeed struct {
	Feed     string `json:"feed"`
	Workflow string `json:"workflow"`
}

// configurationError is what `starter config check` found.
type configurationError struct{ text string }

func (e configurationError) Error() string { return e.text }

// How long a program may take to be ready, and to end.
const (
	readyWithin = time.Minute
	stopWithin  = 28 * time.Second
)

// run goes through all steps; it returns nil when it was asked to stop while
// everything ran.
func (l *launcher) run(ctx context.Context) error {
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	l.here = here
	if _, err := os.Stat("internal/tools/temporal/go.mod"); err != nil {
		return fmt.Errorf("this is not ticketbridge's folder: %s has no internal/tools; start it there with `make run`", here)
	}
	if err := os.MkdirAll(l.in("logs"), 0o755); err != nil {
		return fmt.Errorf("make the folder for the run (TB_RUN_DIR names another): %w", err)
	}
	if len(l.tools) > 0 {
		return l.buildTools(ctx)
	}
	lock, err := takeLock(l.settings)
	if err != nil {
		return err
	}
	l.out.line("\n  " + l.out.paint(bold, "ticketbridge") + l.out.paint(dim, "  events become tickets") + "\n")
	if err := l.start(ctx, lock.killed); err != nil {
		l.stopAll()
		return errors.Join(err, lock.release())
	}
	background, stopBuilding := context.WithCancel(ctx)
	built := make(chan struct{})
	go func() { // ends with background
		defer close(built)
		l.buildTctl(background)
	}()
	l.guide()
	go l.answerEnter() // reads until the process ends: a read cannot be called back
	l.watch(ctx)
	stopBuilding()
	l.out.line("")
	l.stopAll()
	<-built
	l.out.line("\n  Stopped. `make run` goes on from here; `make clean` forgets everything.\n")
	return lock.release()
}

// buildTools is the whole job of -tools; it prints the programs' places.
func (l *launcher) buildTools(ctx context.Context) error {
	for _, name := range l.tools {
		t, err := toolNamed(name)
		if err != nil {
			return err
		}
		path, err := l.tool(ctx, t)
		if err != nil {
			return err
		}
		l.out.done("%s: %s", t.what, path)
	}
	return nil
}

func (l *launcher) tool(ctx context.Context, t tool) (string, error) {
	b := startBuilding(l.out, t.what)
	path, built, err := ensure(ctx, t, l.in("bin"), b.progress)
	took := b.finish()
	if built && err == nil {
		l.out.done("%s built in %s, and kept for the next time", t.what, elapsed(took))
	}
	return path, err
}

// buildTctl builds what only the guide needs, behind everything else.
func (l *launcher) buildTctl(ctx context.Context) {
	if l.settings.tctl != "" {
		l.hasTctl.Store(true)
		return
	}
	path, built, err := ensure(ctx, tools()[1], l.in("bin"), func(string) {})
	if err != nil {
		if ctx.Err() == nil {
			l.out.trouble("%v", err)
		}
		return
	}
	l.hasTctl.Store(true)
	if built {
		l.out.done("tctl is there now: %s", path)
	}
}

func (l *launcher) tctlPath() string {
	if l.settings.tctl != "" {
		return l.settings.tctl
	}
	return l.in("bin", "tctl")
}

// tctlReady: it was built, now or by an earlier run.
func (l *launcher) tctlReady() bool {
	_, err := os.Stat(l.tctlPath())
	return l.hasTctl.Load() || err == nil
}

// startedFeeds are those that were started so far.
func (l *launcher) startedFeeds() []startedFeed {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.feeds)
}

func (l *launcher) workerProcess() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := l.byName["worker"]; c != nil {
		return c.process()
	}
	return 0
}

// stopAll ends the programs, those that use others first: the worker lets its
// running calls end while everything that they need still works.
func (l *launcher) stopAll() {
	l.mu.Lock()
	children := l.children
	l.children = nil
	l.mu.Unlock()
	order := []string{"worker", "HTTP interfaces", "simulated vendors", "Temporal server"}
	end := time.Now().Add(stopWithin)
	for _, name := range order {
		for _, c := range children {
			if c.name != name {
				continue
			}
			began := time.Now()
			l.out.show("  … " + c.name + " ends")
			clean := c.halt(max(time.Until(end), time.Second))
			l.out.show("")
			if clean {
				l.out.done("%s ended in %s", c.name, elapsed(time.Since(began)))
			} else {
				l.out.trouble("%s did not end in time and was killed", c.name)
			}
		}
	}
}

// killAll ends everything at once.
func (l *launcher) killAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.byName {
		c.kill()
	}
}

// answerEnter shows the guide again whenever a person at a terminal asks for it.
func (l *launcher) answerEnter() {
	if !l.out.terminal || !isatty.IsTerminal(os.Stdin.Fd()) {
		return
	}
	signal.Ignore(syscall.SIGTTIN) // in the background a read fails, rather than stopping us
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		l.guide()
	}
}
