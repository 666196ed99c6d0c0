package acronis

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/event"
	sim "github.com/ticketbridge/ticketbridge/internal/simulator/acronis"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

const reader = "5d0805ff-fa52-4175-abb1-c10061da437d"

// clock is set by the test alone; without a time it is the usual one.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at.IsZero() {
		return time.Now()
	}
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// direct calls a handler without a network; instead, where it is set and gives
// an answer, answers in its place, and edit changes bodies.
type direct struct {
	handler http.Handler
	instead func(*http.Request) (status int, body string)
	edit    func(r *http.Request, body string) string
}

func (d *direct) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	defer func() {
		if recover() != nil {
			err = io.ErrUnexpectedEOF
		}
	}()
	w := httptest.NewRecorder()
	if status, body := d.replaced(r); status != 0 {
		w.WriteHeader(status)
		_, _ = w.WriteString(body)
	} else {
		d.handler.ServeHTTP(w, r)
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	resp = w.Result()
	resp.Request = r
	if d.edit != nil && resp.StatusCode == http.StatusOK {
		resp.Body = io.NopCloser(strings.NewReader(d.edit(r, w.Body.String())))
	}
	return resp, nil
}

func (d *direct) replaced(r *http.Request) (int, string) {
	if d.instead == nil {
		return 0, ""
	}
	return d.instead(r)
}

// on answers requests of a method to the paths that end so.
func on(method, suffix string, status int, body string) func(*http.Request) (int, string) {
	return func(r *http.Request) (int, string) {
		if r.Method == method && strings.HasSuffix(r.URL.Path, suffix) {
			return status, body
		}
		return 0, ""
	}
}

// rig is a server, a client and the position that is used next.
type rig struct {
	t      *testing.T
	clock  *clock
	server *sim.Server
	wire   *direct
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
	return rigWith(t, newClock(), opts, change...)
}

func rigWith(t *testing.T, k *clock, opts sim.Options, change ...func(*Config)) *rig {
	t.Helper()
	opts.Now = k.now
	server := sim.New(opts)
	server.AddClient(sim.Client{ID: "bridge", Secret: "the-secret"})
	r := &rig{t: t, clock: k, server: server, wire: &direct{handler: server}, reader: reader}
	r.cfg = Config{
		Name: "tenants", URL: "https://eu2.example", Topic: sim.TopicTenant,
		Types: []string{sim.TypePrefix + "a.p.tenant.*"},
		HTTP:  &http.Client{Transport: r.wire}, Now: k.now,
	}
	for _, c := range change {
		c(&r.cfg)
	}
	r.open()
	return r
}

// open makes the client anew, with its own token, as a worker does that starts.
func (r *rig) open() {
	r.t.Helper()
	tokens, err := NewTokenSource(Credential{URL: r.cfg.URL, ClientID: "bridge", Secret: "the-secret"}, r.cfg.HTTP, r.clock.now)
	require.NoError(r.t, err)
	r.cfg.Tokens = tokens
	r.client, err = New(r.cfg)
	require.NoError(r.t, err)
}

// publish stores events of a numbered id, and returns the ids of their entries.
func (r *rig) publish(from, to int) []string {
	var want []string
	for i := from; i <= to; i++ {
		r.server.Publish(disabled(fmt.Sprint(i)))
		want = append(want, disabledType+fmt.Sprint(i))
	}
	return want
}

// read makes one step without using its position.
func (r *rig) read() (event.Reading, error) {
	return r.client.Read(r.t.Context(), event.Step{Position: r.pos, Reader: r.reader})
}

// fail makes a step that must not succeed, and tell no secret.
func (r *rig) fail() error {
	r.t.Helper()
	_, err := r.read()
	require.Error(r.t, err)
	for _, secret := range []string{"the-secret", "eyJ", base64.StdEncoding.EncodeToString([]byte("bridge:the-secret"))} {
		require.NotContains(r.t, err.Error(), secret)
	}
	return err
}

func (r *rig) configurationError(field, text string) {
	r.t.Helper()
	var e *ConfigurationError
	require.ErrorAs(r.t, r.fail(), &e)
	require.Equal(r.t, field, e.Field)
	require.Contains(r.t, e.Message, text)
}

func (r *rig) temporary(kind ticket.Kind) *ticket.Error {
	r.t.Helper()
	var e *ticket.Error
	require.ErrorAs(r.t, r.fail(), &e)
	require.Equal(r.t, kind, e.Kind)
	return e
}

// step makes one step, which must succeed, and keeps what it brought.
func (r *rig) step() event.Reading {
	r.t.Helper()
	reading, err := r.read()
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

// asked are the logged requests of a method to the paths that end so.
func (r *rig) asked(method, suffix string) (list []sim.Request) {
	for _, line := range r.server.Log() {
		if line.Method == method && strings.HasSuffix(line.Path, suffix) {
			list = append(list, line)
		}
	}
	return list
}

func (r *rig) id() string { return r.client.subscription.ID }

func by(consumer Consumer) func(*Config) {
	return func(c *Config) { c.Consumer = consumer }
}

func from(start string) func(*Config) {
	return func(c *Config) { c.Start = start }
}

// eachWay runs a test with every consumer style in every dialect that has it.
func eachWay(t *testing.T, test func(t *testing.T, dialect sim.Dialect, consumer Consumer)) {
	for _, dialect := range []sim.Dialect{sim.Both, sim.Tutorial, sim.OpenAPI} {
		for _, consumer := range []Consumer{Stateful, Stateless, AutoCommit} {
			if consumer == Stateless && dialect == sim.OpenAPI {
				continue // it has no commit
			}
			t.Run(fmt.Sprint(dialect, " ", consumer), func(t *testing.T) { test(t, dialect, consumer) })
		}
	}
}

func marks(entries []event.Entry) (replayed int) {
	for _, e := range entries {
		if e.Replayed {
			replayed++
		}
	}
	return replayed
}

func ids(entries []event.Entry) []string {
	out := make([]string, len(entries))
	for i, e := range entries {
		out[i] = e.ID
	}
	return out
}
