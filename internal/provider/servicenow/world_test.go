package servicenow

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/rest"
	sim "github.com/ticketbridge/ticketbridge/internal/simulator/servicenow"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

const testPassword = "s3cret-password"

// clock is a time that stands until it is moved.
type clock struct {
	mu sync.Mutex
	at time.Time
}

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

// world is a client before a simulated instance, both on one clock.
type world struct {
	t      *testing.T
	clock  *clock
	sim    *sim.Simulator
	server *httptest.Server
	client *Client
	config Config
	seen   *seen
}

func newWorld(t *testing.T, change ...func(*sim.Options, *Config)) *world {
	w := &world{t: t, clock: &clock{at: time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)}, seen: &seen{}}
	options := sim.Options{Now: w.clock.now, Username: "bridge", Secret: testPassword, Seed: 7}
	w.config = Config{
		Name: "snow-ops", Credential: Credential{Type: Basic, Username: "bridge", Secret: testPassword}, Application: ITSM(),
		Now: w.clock.now, Rate: rest.Rate{PerSecond: 1e6, Concurrency: 8},
	}
	for _, f := range change {
		f(&options, &w.config)
	}
	w.sim = sim.New(options)
	w.server = httptest.NewServer(w.sim)
	t.Cleanup(w.server.Close)
	w.config.URL = w.server.URL
	w.client = w.newClient()
	return w
}

// security makes it a world of security incidents.
func security(_ *sim.Options, c *Config) { c.Application = SecurityResponse() }

func (w *world) newClient() *Client {
	config := w.config
	config.HTTP = &http.Client{Transport: checked{w.t, w.seen, w.server.Client().Transport}}
	c, err := New(config)
	require.NoError(w.t, err)
	c.sleep = func(ctx context.Context, _ time.Duration) bool { return ctx.Err() == nil } // the clock stands still
	return c
}

func (w *world) fail(faults ...sim.Fault) { require.NoError(w.t, w.sim.SetFaults(faults...)) }

func newTicket(n int) ticket.New {
	return ticket.New{
		Name: fmt.Sprintf("disk full on host_name_%d", n), Description: "The disk is full.",
		Marker: ticket.Marker{Key: "abcdefghijklmnopqrstuvwxyz", Request: int64(9000 + n), Operation: fmt.Sprintf("create snow-ops event-%d", n)},
	}
}

func (w *world) create(n ticket.New) ticket.Ticket {
	w.t.Helper()
	made, err := w.client.CreateTicket(context.Background(), n)
	require.NoError(w.t, err)
	return made
}

// tickets are all records of the application.
func (w *world) tickets() []sim.Record { return w.sim.Tickets(w.config.Application.table) }

func (w *world) stored(id string) sim.Record {
	w.t.Helper()
	for _, r := range w.tickets() {
		if r.ID == id {
			return r
		}
	}
	require.Failf(w.t, "no such record", "%s", id)
	return sim.Record{}
}

func kindOf(t *testing.T, err error) ticket.Kind {
	t.Helper()
	require.Error(t, err)
	var e *ticket.Error
	require.ErrorAs(t, err, &e, "every failure is a ticket.Error")
	return e.Kind
}

func retryAfter(t *testing.T, err error) time.Duration {
	t.Helper()
	require.Error(t, err)
	var e *ticket.Error
	require.ErrorAs(t, err, &e)
	return e.RetryAfter
}

// answering is a client before a server that answers everything alike.
func answering(t *testing.T, handler http.HandlerFunc) *Client {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c, err := New(Config{
		Name: "snow-ops", URL: server.URL, Credential: Credential{Type: Basic, Username: "u", Secret: testPassword},
		Application: ITSM(), HTTP: server.Client(), Rate: rest.Rate{PerSecond: 1e6, Concurrency: 8},
	})
	require.NoError(t, err)
	c.sleep = func(ctx context.Context, _ time.Duration) bool { return ctx.Err() == nil }
	// What a create needs to know is known, so that it is one call.
	_, err = c.columns.Get("incident", func() (map[string]column, error) { return nil, nil })
	require.NoError(t, err)
	c.keepsID.Store(true)
	return c
}

// everyCookie is a jar that has a cookie for every address.
type everyCookie struct{}

func (everyCookie) SetCookies(*url.URL, []*http.Cookie) {}
func (everyCookie) Cookies(*url.URL) []*http.Cookie {
	return []*http.Cookie{{Name: "glide_session_store", Value: "x"}}
}
