package cloudfeeds

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/event"
	sim "github.com/ticketbridge/ticketbridge/internal/simulator/cloudfeeds"
)

const account = "faws:1"

// clock is set by the test alone.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// direct calls a handler without a network; accept, when set, replaces what
// the client asks for.
type direct struct {
	handler http.Handler
	accept  string
}

func (d direct) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	defer func() {
		if recover() != nil {
			err = io.ErrUnexpectedEOF
		}
	}()
	if d.accept != "" {
		r = r.Clone(r.Context())
		r.Header.Set("Accept", d.accept)
	}
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	resp = w.Result()
	resp.Request = r
	return resp, nil
}

// rig is a server, a client and the position that is used next.
type rig struct {
	t      *testing.T
	clock  *clock
	server *sim.Server
	cfg    Config
	client *Client
	pos    json.RawMessage
	gaps   []event.Gap
	got    []event.Entry
}

func newRig(t *testing.T, opts sim.Options, change ...func(*Config)) *rig {
	t.Helper()
	k := newClock()
	opts.Now = k.now
	s := sim.New(opts)
	cfg := Config{
		Name: "test", URL: "https://feeds.example/consolidated_ticketing/events/" + account,
		Credential: Credential{Type: TokenCredential, Token: "secret-token"},
		Limit:      10, HTTP: &http.Client{Transport: direct{handler: s}}, Now: k.now,
	}
	for _, c := range change {
		c(&cfg)
	}
	client, err := New(cfg)
	require.NoError(t, err)
	return &rig{t: t, clock: k, server: s, cfg: cfg, client: client}
}

// askForJSON: that form is cheaper to read.
func (r *rig) askForJSON() {
	r.cfg.HTTP.Transport = direct{r.server, jsonMedia}
	client, err := New(r.cfg)
	require.NoError(r.t, err)
	r.client = client
}

// publish stores n entries, a second apart, and returns their ids.
func (r *rig) publish(n int) []string {
	var ids []string
	for range n {
		r.clock.pass(time.Second)
		ids = append(ids, r.server.Publish(sim.Entry{Account: account, TicketID: "T1", Subject: "s"})...)
	}
	return ids
}

// step reads once and uses the new position.
func (r *rig) step() event.Reading {
	r.t.Helper()
	reading, err := r.client.Read(r.t.Context(), event.Step{Position: r.pos})
	require.NoError(r.t, err)
	require.LessOrEqual(r.t, len(reading.Position), 12<<10)
	r.pos = reading.Position
	r.gaps = append(r.gaps, reading.Gaps...)
	r.got = append(r.got, reading.Entries...)
	return reading
}

// drain polls once and as long as there is more.
func (r *rig) drain() []event.Entry {
	r.t.Helper()
	before := len(r.got)
	for i := 0; ; i++ {
		require.Less(r.t, i, 2000, "reading does not come to an end")
		if !r.step().More {
			return r.got[before:]
		}
	}
}

// settle lets everything become visible and old, and polls.
func (r *rig) settle() []event.Entry {
	r.t.Helper()
	before := len(r.got)
	for range 6 {
		r.clock.pass(time.Minute)
		r.drain()
	}
	return r.got[before:]
}

func idsOf(entries []event.Entry) []string {
	ids := []string{}
	for _, e := range entries {
		ids = append(ids, e.ID)
	}
	return ids
}

func eachReplayed(t *testing.T, entries []event.Entry, want bool) {
	t.Helper()
	for _, e := range entries {
		require.Equal(t, want, e.Replayed, fmt.Sprint(e.ID, " ", e.StoredAt))
	}
}
