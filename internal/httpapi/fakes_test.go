package httpapi

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
)

const (
	token      = "s3cret-of-monitoring"
	freeToken  = "s3cret-of-no-account"
	otherToken = "s3cret-of-another"
	adminToken = "s3cret-of-the-boss"
	workflow   = "match:jira-ops:widget-mymonitoringtool-29-501:aaaaaaaaaaaaaaaaaaaaaaaaaa"
	otherFlow  = "match:other:widget:aaaaaaaaaaaaaaaaaaaaaaaaaa"
)

// env is the handler with fakes behind it. Each test changes the fakes it needs.
type env struct {
	t         testing.TB
	events    *fakeEvents
	requests  *fakeRequests
	feeds     *fakeFeeds
	parked    *fakeParked
	options   Options
	ticketing *fakeTicketing
	writes    *fakeWrites
	managed   *fakeIntegrations
	log       *logLines
	handler   http.Handler
	doc       *openapi3.T
}

func newEnv(t testing.TB, change ...func(*Options)) *env {
	t.Helper()
	callers, err := NewTokens(
		Token{token, Caller{Name: "monitoring", Integration: "jira-ops", CatalogAccount: "widget", Person: "monitor@widget.example"}},
		Token{freeToken, Caller{Name: "free", Integration: "jira-ops"}},
		Token{otherToken, Caller{Name: "other", Integration: "other"}},
		Token{adminToken, Caller{Name: "boss", Admin: true}},
	)
	require.NoError(t, err)
	e := &env{t: t, events: newFakeEvents(), requests: &fakeRequests{}, feeds: &fakeFeeds{}, parked: &fakeParked{}, ticketing: &fakeTicketing{}, writes: &fakeWrites{}, managed: &fakeIntegrations{}, log: &logLines{}}
	now := time.Date(2026, 1, 15, 13, 0, 0, 0, time.FixedZone("", 3600))
	e.options = Options{
		Callers: callers, Events: e.events, Requests: e.requests, Feeds: e.feeds, Parked: e.parked, Ticketing: e.ticketing, Writes: e.writes,
		Integrations: e.managed, Providers: fakeProviders(),
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, "up 1\n")
		}),
		Logger: slog.New(e.log), Now: func() time.Time { return now },
		Limiter: NewLimiter(Rate{PerSecond: 1e6, Burst: 1e6}, time.Now),
	}
	for _, c := range change {
		c(&e.options)
	}
	e.handler = New(e.options)
	e.doc = wholeDocument()
	return e
}

// wholeDocument is read once: it is the same for all handlers with metrics.
var wholeDocument = sync.OnceValue(func() *openapi3.T {
	data, err := json.Marshal(describe())
	if err != nil {
		panic(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(data)
	if err != nil {
		panic(err)
	}
	return doc
})

func describe() document {
	a := &api{Options: Options{
		Feeds: &fakeFeeds{}, Parked: &fakeParked{}, Ticketing: &fakeTicketing{}, Writes: &fakeWrites{}, Integrations: &fakeIntegrations{},
		Providers: fakeProviders(), Metrics: http.NotFoundHandler(),
	}.withDefaults()}
	return newDocument(a.routes(), "test")
}

func loadDocument(t testing.TB, h http.Handler) *openapi3.T {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	require.Equal(t, http.StatusOK, w.Code)
	doc, err := openapi3.NewLoader().LoadFromData(w.Body.Bytes())
	require.NoError(t, err)
	return doc
}

// call makes one call with the usual token, and checks the answer against the
// OpenAPI document.
func (e *env) call(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	e.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] == "" {
			r.Header.Del(headers[i])
		} else {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	return e.do(r)
}

func (e *env) do(r *http.Request) *httptest.ResponseRecorder {
	e.t.Helper()
	w := httptest.NewRecorder()
	e.handler.ServeHTTP(w, r)
	e.conforms(r, w)
	return w
}

// conforms checks an answer of a route against what the document says of it.
func (e *env) conforms(r *http.Request, w *httptest.ResponseRecorder) {
	e.t.Helper()
	method, path, known := strings.Cut(e.log.last("call", "route"), " ")
	if !known {
		return // answered before any route: 404 or 405
	}
	item := e.doc.Paths.Find(path)
	require.NotNil(e.t, item, "%s is not in the document", path)
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: r,
			Route:   &routers.Route{Spec: e.doc, Path: path, PathItem: item, Method: method, Operation: item.GetOperation(method)},
		},
		Status: w.Code, Header: w.Header(),
		// the validator reads no HTML
		Options: &openapi3filter.Options{IncludeResponseStatus: true, ExcludeResponseBody: strings.HasPrefix(w.Header().Get("Content-Type"), "text/html")},
	}
	input.SetBodyBytes(w.Body.Bytes())
	require.NoError(e.t, openapi3filter.ValidateResponse(context.Background(), input), "%s %s answered %d %s", method, path, w.Code, w.Body)
}

// fakeEvents takes everything and decides at once, unless told otherwise.
type fakeEvents struct {
	mu        sync.Mutex
	submitted []event.Event
	callers   []Caller
	submit    func(context.Context, Caller, event.Event) (Receipt, error)
	outcome   func(context.Context, Receipt, time.Duration) (contract.OutcomeAnswer, bool, error)
	current   func(context.Context, Receipt, int64) (contract.RequestView, error)
}

func newFakeEvents() *fakeEvents {
	f := &fakeEvents{}
	f.submit = func(_ context.Context, _ Caller, e event.Event) (Receipt, error) {
		return Receipt{WorkflowID: workflow, EventID: e.ID}, nil
	}
	f.outcome = func(context.Context, Receipt, time.Duration) (contract.OutcomeAnswer, bool, error) {
		return decided(event.Created), true, nil
	}
	f.current = func(context.Context, Receipt, int64) (contract.RequestView, error) { return view(), nil }
	return f
}

func (f *fakeEvents) Submit(ctx context.Context, c Caller, e event.Event) (Receipt, error) {
	f.mu.Lock()
	f.submitted, f.callers = append(f.submitted, e), append(f.callers, c)
	f.mu.Unlock()
	return f.submit(ctx, c, e)
}

func (f *fakeEvents) Outcome(ctx context.Context, r Receipt, wait time.Duration) (contract.OutcomeAnswer, bool, error) {
	return f.outcome(ctx, r, wait)
}

func (f *fakeEvents) Current(ctx context.Context, r Receipt, id int64) (contract.RequestView, error) {
	return f.current(ctx, r, id)
}

func (f *fakeEvents) lastEvent() event.Event { return f.submitted[len(f.submitted)-1] }
func (f *fakeEvents) lastCaller() Caller     { return f.callers[len(f.callers)-1] }

func view() contract.RequestView {
	at := time.Date(2026, 1, 15, 12, 0, 0, 123456789, time.UTC)
	return contract.RequestView{
		ID: 12345, CreatedAt: at, UpdatedAt: at,
		Fields: event.Fields{Subject: "Server Down", Category: "other", Status: "assigned", Source: "MyMonitoringTool"},
	}
}

func ticketed() contract.RequestView {
	v := view()
	v.Ticket = &contract.TicketView{ID: "10001", Key: "OPS-1", URL: "https://acme.example/browse/OPS-1"}
	return v
}

func decided(o event.Outcome) contract.OutcomeAnswer {
	v := view()
	return contract.OutcomeAnswer{Known: true, Outcome: o, Request: &v}
}

type fakeRequests struct {
	view  contract.RequestView
	notes []Note
	err   error
	asked int64
}

func (f *fakeRequests) Request(_ context.Context, _ Caller, id int64) (contract.RequestView, error) {
	f.asked = id
	return f.view, f.err
}

func (f *fakeRequests) Notes(_ context.Context, _ Caller, id int64) ([]Note, error) {
	f.asked = id
	return f.notes, f.err
}

// logLines keeps what was logged.
type logLines struct {
	mu    sync.Mutex
	lines []slog.Record
}

func (l *logLines) Enabled(context.Context, slog.Level) bool { return true }
func (l *logLines) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *logLines) WithGroup(string) slog.Handler            { return l }
func (l *logLines) Handle(_ context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, r)
	return nil
}

// last is an attribute of the newest line with this message.
func (l *logLines) last(message, attribute string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := len(l.lines) - 1; i >= 0; i-- {
		if l.lines[i].Message == message {
			return attributes(l.lines[i])[attribute]
		}
	}
	return ""
}

func attributes(r slog.Record) map[string]string {
	all := map[string]string{}
	r.Attrs(func(a slog.Attr) bool {
		all[a.Key] = a.Value.String()
		return true
	})
	return all
}

// text is everything that was logged.
func (l *logLines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	for _, line := range l.lines {
		b.WriteString(line.Message)
		line.Attrs(func(a slog.Attr) bool {
			b.WriteString(" " + a.String())
			return true
		})
		b.WriteByte('\n')
	}
	return b.String()
}
