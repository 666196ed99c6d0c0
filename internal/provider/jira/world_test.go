package jira

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/jira"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

const testToken = "s3cret-api-token"

// clock is a time that stands until it is moved.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// world is a client before a simulated Jira, both on one clock.
type world struct {
	t      testing.TB
	clock  *clock
	sim    *sim.Simulator
	server *httptest.Server
	client *Client
	config Config
}

func newWorld(t testing.TB, change ...func(*sim.Options, *Config)) *world {
	_, _ = vendorSpec() // outside of any call's timeout; its error shows at the first request
	w := &world{t: t, clock: newClock()}
	options := sim.Options{Now: w.clock.now, Username: "bridge@acme.example", Secret: testToken, Seed: 7}
	w.config = Config{
		Name: "jira-ops", Credential: Credential{Type: Basic, Username: "bridge@acme.example", Secret: testToken},
		DefaultProject: "OPS", DefaultIssueType: "Task", Now: w.clock.now,
		Rate: Rate{PerSecond: 1e6, Concurrency: 8},
	}
	for _, f := range change {
		f(&options, &w.config)
	}
	w.sim = sim.New(options)
	w.server = httptest.NewServer(w.sim)
	t.Cleanup(w.server.Close)
	w.config.URL = w.server.URL + w.config.URL
	w.client = w.newClient()
	return w
}

func (w *world) newClient() *Client {
	config := w.config
	config.HTTP = &http.Client{Transport: checked{w.t, w.server.Client().Transport}}
	c, err := New(config)
	require.NoError(w.t, err)
	c.sleep = func(ctx context.Context, _ time.Duration) bool { return ctx.Err() == nil } // the clock stands still
	return c
}

func (w *world) fail(faults ...sim.Fault) { require.NoError(w.t, w.sim.SetFaults(faults...)) }

func newTicket(n int) ticket.New {
	return ticket.New{
		Name: fmt.Sprintf("disk full on host_name_%d", n), Description: "The disk is **full**.",
		Marker: ticket.Marker{Key: "abcdefghijklmnopqrstuvwxyz", Request: int64(9000 + n), Operation: fmt.Sprintf("create jira-ops event-%d", n)},
	}
}

func (w *world) create(n ticket.New) ticket.Ticket {
	w.t.Helper()
	made, err := w.client.CreateTicket(context.Background(), n)
	require.NoError(w.t, err)
	return made
}

func (w *world) stored(id string) sim.Issue {
	w.t.Helper()
	for _, i := range w.sim.Issues() {
		if i.ID == id || i.Key == id {
			return i
		}
	}
	require.Failf(w.t, "no such issue", "%s", id)
	return sim.Issue{}
}

func kindOf(t testing.TB, err error) ticket.Kind {
	t.Helper()
	require.Error(t, err)
	var e *ticket.Error
	require.ErrorAs(t, err, &e, "every failure is a ticket.Error")
	return e.Kind
}

// answering is a client before a server that answers everything alike.
func answering(t *testing.T, handler http.HandlerFunc) *Client {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c, err := New(Config{
		Name: "jira-ops", URL: server.URL, DefaultProject: "OPS", DefaultIssueType: "Task",
		Credential: Credential{Type: Basic, Username: "u", Secret: testToken}, HTTP: server.Client(),
	})
	require.NoError(t, err)
	c.sleep = func(ctx context.Context, _ time.Duration) bool { return ctx.Err() == nil } // the clock stands still
	// What a create needs to know is known, so that it is one call.
	_, err = c.projects.Get("OPS", func() (project, error) { return project{ID: "1", Key: "OPS", Type: "software"}, nil })
	require.NoError(t, err)
	_, err = c.screens.Get("OPS/Task", func() (screen, error) { return screen{}, nil })
	require.NoError(t, err)
	return c
}
