package acronis

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/event"
	sim "github.com/ticketbridge/ticketbridge/internal/simulator/acronis"
)

const reader = "5d0805ff-fa52-4175-abb1-c10061da437d"

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

// direct calls a handler without a network.
type direct struct{ handler http.Handler }

func (d direct) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	defer func() {
		if recover() != nil {
			err = io.ErrUnexpectedEOF
		}
	}()
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
	reader string
	pos    json.RawMessage
	gaps   []event.Gap
	got    []event.Entry
	holes  int
	notes  []string
}

func newRig(t *testing.T, opts sim.Options, change ...func(*Config)) *rig {
	t.Helper()
	k := newClock()
	opts.Now = k.now
	server := sim.New(opts)
	server.AddClient(sim.Client{ID: "bridge", Secret: "the-secret"})
	r := &rig{t: t, clock: k, server: server, reader: reader}
	r.cfg = Config{
		Name: "tenants", URL: "https://eu2.example", Topic: sim.TopicTenant,
		Types: []string{sim.TypePrefix + "a.p.tenant.*"},
		HTTP:  &http.Client{Transport: direct{server}}, Now: k.now,
	}
	for _, c := range change {
		c(&r.cfg)
	}
	r.open()
	return r
}

// open makes the client anew, as a worker does that starts.
func (r *rig) open() {
	r.t.Helper()
	tokens, err := NewTokenSource(Credential{URL: r.cfg.URL, ClientID: "bridge", Secret: "the-secret"}, r.cfg.HTTP, r.clock.now)
	require.NoError(r.t, err)
	if r.cfg.Tokens == nil {
		r.cfg.Tokens = tokens
	}
	r.client, err = New(r.cfg)
	require.NoError(r.t, err)
}

// step makes one step, which must succeed, and keeps what it brought.
func (r *rig) step() event.Reading {
	r.t.Helper()
	reading, err := r.client.Read(r.t.Context(), event.Step{Position: r.pos, Reader: r.reader})
	require.NoError(r.t, err)
	require.LessOrEqual(r.t, len(reading.Position), 4<<10)
	r.pos = reading.Position
	r.got = append(r.got, reading.Entries...)
	r.gaps = append(r.gaps, reading.Gaps...)
	r.holes += reading.Holes
	if reading.Note != "" {
		r.notes = append(r.notes, reading.Note)
	}
	return reading
}

// drain steps until there is nothing more, and returns what came.
func (r *rig) drain() []event.Entry {
	r.t.Helper()
	r.got = nil
	for range 200 {
		if reading := r.step(); !reading.More && len(reading.Entries) == 0 {
			return r.got
		}
	}
	r.t.Fatal("it never ends")
	return nil
}

func (r *rig) state() position {
	r.t.Helper()
	var p position
	require.NoError(r.t, json.Unmarshal(r.pos, &p))
	return p
}

func ids(entries []event.Entry) []string {
	out := make([]string, len(entries))
	for i, e := range entries {
		out[i] = e.ID
	}
	return out
}
