package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// start does everything up to the point where a person can look.
func (l *launcher) start(ctx context.Context, killed bool) error {
	if err := freePorts(ctx, l.settings, l.out, killed); err != nil {
		return err
	}
	if !l.embedded() {
		if err := answers(ctx, l.temporalAt()); err != nil {
			return fmt.Errorf("TEMPORAL_ADDRESS is %s, and nothing answers there (%w). Start that server, or unset the variable to have one started here", l.temporalAt(), err)
		}
	}
	if err := l.buildOurs(ctx); err != nil {
		return err
	}
	if err := l.configure(ctx); err != nil {
		return err
	}
	if err := l.startServer(ctx); err != nil {
		return err
	}
	if l.demo() {
		if err := l.launch(ctx, l.simulators(), "simulated Cloud Feeds, Acronis, Jira and ServiceNow run; what they hold is in %s", l.in("vendors.json")); err != nil {
			return err
		}
	}
	if err := l.launch(ctx, l.worker(), "worker runs"); err != nil {
		return err
	}
	if err := l.launch(ctx, l.serve(), "HTTP interfaces are at %s", l.httpURL()); err != nil {
		return err
	}
	return l.startFeeds(ctx)
}

func (l *launcher) buildOurs(ctx context.Context) error {
	bin, err := filepath.Abs(l.in("bin"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	b := startBuilding(l.out, "the worker, the starter and the simulators")
	err = goBuild(ctx, ".", b.progress, "-o", bin+string(filepath.Separator), "./worker", "./starter", "./internal/simulator/simulate")
	took := b.finish()
	if err != nil {
		return fmt.Errorf("build ticketbridge: %w", err)
	}
	l.out.done("worker, starter and simulators built in %s", elapsed(took))
	return nil
}

// configure checks the configuration before anything long is begun.
func (l *launcher) configure(ctx context.Context) error {
	file, err := l.configFile()
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	if l.demo() {
		if l.drawn, err = l.drawSecrets(); err != nil {
			return fmt.Errorf("secrets of the demonstration: %w", err)
		}
	}
	l.env = l.environ(os.Environ(), file)
	text, err := l.output(ctx, l.in("bin", "starter"), "config", "check", file)
	text = strings.TrimSpace(text)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if text == "" {
			text = err.Error()
		}
		return configurationError{"  " + strings.ReplaceAll(text, "\n", "\n  ")}
	}
	for line := range strings.Lines(text) {
		l.out.done("configuration: %s", strings.TrimSpace(line))
	}
	return l.writeEnv(file)
}

// output runs a program to its end. The error holds what it complained about.
func (l *launcher) output(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var complaints bytes.Buffer
	cmd.Env, cmd.Stderr, cmd.SysProcAttr = l.env, &complaints, group()
	out, err := cmd.Output()
	if err != nil && complaints.Len() > 0 {
		err = fmt.Errorf("%w: %s", err, strings.TrimSpace(complaints.String()))
	}
	return string(out), err
}

func (l *launcher) startServer(ctx context.Context) error {
	if !l.embedded() {
		l.out.done("Temporal server is the one at %s (TEMPORAL_ADDRESS)", l.temporalAt())
		return nil
	}
	l.temporal = l.settings.temporal
	if l.temporal == "" {
		path, err := l.tool(ctx, tools()[0])
		if err != nil {
			return err
		}
		l.temporal = path
	}
	return l.launch(ctx, l.server(), "Temporal server runs at %s; its state is in %s", l.temporalAt(), l.in("temporal.db"))
}

// launch starts a program under a fresh log, and says so.
func (l *launcher) launch(ctx context.Context, p program, format string, args ...any) error {
	if err := os.Rename(p.logFile, p.logFile+".old"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	c, err := launch(ctx, p, readyWithin, l.out)
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.children = append(l.children, c)
	l.byName[p.name] = c
	l.mu.Unlock()
	l.out.done(format, args...)
	return nil
}

// startFeeds starts every feed of the configuration; one that runs goes on.
func (l *launcher) startFeeds(ctx context.Context) error {
	text, err := l.output(ctx, l.in("bin", "starter"), "feed", "start", "--all", "-o", "json")
	if err != nil {
		return fmt.Errorf("start the feeds: %w", err)
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	for {
		var f startedFeed
		err := decoder.Decode(&f)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("start the feeds: %w", err)
		}
		l.mu.Lock()
		l.feeds = append(l.feeds, f)
		l.mu.Unlock()
		l.out.done("feed %s is read", f.Feed)
	}
}
