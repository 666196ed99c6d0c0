package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/ticketbridge/ticketbridge/internal/app"
	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/registry"
	"github.com/ticketbridge/ticketbridge/internal/simulator/jira"
	"github.com/ticketbridge/ticketbridge/internal/testbed"
)

const (
	integration = testbed.Integration
	caller      = testbed.Caller
	callerToken = "token-of-the-bench"
	secretName  = "TB_BENCH_SECRET"
)

// options of a stack. The zero value has one worker, no HTTP side and a rate
// that is never the limit.
type options struct {
	jira jira.Options
	// rate is a line of the integration's configuration.
	rate    string
	feeds   string
	workers int
	serve   bool
	// readers are further callers, whose names are their tokens.
	readers int
	// front stands before the simulated Jira.
	front func(http.Handler) http.Handler
}

const unlimited = "rate: {per_second: 10000, concurrency: 1000}"

// stack is what runs in production, with a simulated Jira.
type stack struct {
	temporal     *temporal
	client       client.Client
	config       *config.Config
	integrations *registry.Registry
	jira         *jira.Simulator
	jiraURL      string
	httpAddr     string
	dir          string
	env          []string
	workers      []*process
	others       []*process // serve, and the bare engine's worker
	metrics      []string   // addresses, by worker
	closers      []func()
}

// start makes a stack on an embedded server of its own.
func (b *bench) start(ctx context.Context, o options) (*stack, error) {
	dir, err := os.MkdirTemp(b.dir, "stack-")
	if err != nil {
		return nil, err
	}
	t, err := startTemporal(ctx, b.cli, dir)
	if err != nil {
		return nil, err
	}
	s, err := b.startOn(ctx, t, dir, o)
	if err != nil {
		return nil, errors.Join(err, t.stop())
	}
	return s, nil
}

// startOn makes a stack on a server.
func (b *bench) startOn(ctx context.Context, t *temporal, dir string, o options) (*stack, error) {
	s := &stack{temporal: t, client: t.client, jira: jira.New(o.jira), dir: dir}
	var front http.Handler = s.jira
	if o.front != nil {
		front = o.front(front)
	}
	site := httptest.NewServer(front)
	s.jiraURL = site.URL
	s.closers = append(s.closers, site.Close)
	if err := s.configure(o); err != nil {
		s.stopAll()
		return nil, err
	}
	if err := b.startPrograms(ctx, s, o); err != nil {
		s.stopAll()
		return nil, err
	}
	return s, nil
}

func (b *bench) startPrograms(ctx context.Context, s *stack, o options) error {
	for range max(o.workers, 1) {
		if err := b.startWorker(ctx, s); err != nil {
			return err
		}
	}
	if !o.serve {
		return nil
	}
	p, err := b.child(s, "serve", nil, "starter", "serve")
	if err != nil {
		return err
	}
	s.others = append(s.others, p)
	return answers(ctx, p, "http://"+s.httpAddr+"/healthz")
}

func (b *bench) startWorker(ctx context.Context, s *stack) error {
	address, err := testbed.FreeAddress()
	if err != nil {
		return err
	}
	p, err := b.child(s, "worker", []string{"TICKETBRIDGE_METRICS_ADDR=" + address}, "worker")
	if err != nil {
		return err
	}
	s.workers, s.metrics = append(s.workers, p), append(s.metrics, address)
	return answers(ctx, p, "http://"+address+"/metrics")
}

func (b *bench) child(s *stack, name string, env []string, program string, args ...string) (*process, error) {
	p, err := startProcess(s.dir, name, append(env, s.env...), filepath.Join(b.bin, program), args...)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, p.stop)
	return p, nil
}

// answers waits until a program answers at an address.
func answers(ctx context.Context, p *process, url string) error {
	return await(ctx, 30*time.Second, 50*time.Millisecond, p.name, func() (bool, error) {
		if err := p.failure(); err != nil {
			return false, err
		}
		resp, err := http.Get(url)
		if err != nil {
			return false, nil
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusOK, nil
	})
}

// processes are all programs of the stack that run beside this one.
func (s *stack) processes() []*process {
	all := slices.Concat(s.workers, s.others)
	if s.temporal.process != nil {
		all = append(all, s.temporal.process)
	}
	return all
}

// stopAll ends the programs, the newest first.
func (s *stack) stopAll() {
	for i := len(s.closers) - 1; i >= 0; i-- {
		s.closers[i]()
	}
}

// stop ends everything, the server included.
func (s *stack) stop() error {
	s.stopAll()
	return s.temporal.stop()
}

// configure writes the configuration, and loads it for what runs in here.
func (s *stack) configure(o options) error {
	var err error
	if s.httpAddr, err = testbed.FreeAddress(); err != nil {
		return err
	}
	rate := o.rate
	if rate == "" {
		rate = unlimited
	}
	text := testbed.Config{
		JiraURL: s.jiraURL, JiraSecret: secretName, CallerSecret: secretName, More: "    " + rate, Callers: readersText(o.readers),
	}
	if o.feeds != "" {
		text.Feeds = "feeds:\n" + o.feeds
	}
	path := filepath.Join(s.dir, "ticketbridge.yaml")
	if err := os.WriteFile(filepath.Join(s.dir, "catalog.yaml"), []byte(testbed.Catalog()), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		return err
	}
	if err := os.Setenv(secretName, callerToken); err != nil {
		return err
	}
	for n := range o.readers {
		if err := os.Setenv(readerSecret(n), readerName(n)); err != nil {
			return err
		}
	}
	s.env = append(s.temporal.env(), "TICKETBRIDGE_CONFIG="+path, "TICKETBRIDGE_HTTP_ADDR="+s.httpAddr,
		"TICKETBRIDGE_LOG_FORMAT=text", "TICKETBRIDGE_LOG_LEVEL=warn")
	s.config, err = config.Load(path, app.Known())
	s.integrations = app.FileOnly(s.config)
	return err
}

func readerName(n int) string   { return fmt.Sprintf("reader-%02d", n) }
func readerSecret(n int) string { return fmt.Sprintf("TB_BENCH_READER_%02d", n) }

func readersText(readers int) string {
	var b strings.Builder
	for n := range readers {
		fmt.Fprintf(&b, "  - {name: %s, token: \"env:%s\", integration: %s}\n", readerName(n), readerSecret(n), integration)
	}
	return b.String()
}
