package telemetry

import (
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.temporal.io/sdk/client"
)

// Metrics are a process's figures, in a registry of their own. All methods may
// be called at the same time. Label values come from the configuration and the
// code; a guard keeps each label's number of values bounded all the same.
type Metrics struct {
	registry *prometheus.Registry
	sdk      client.MetricsHandler
	guard    *guard

	events        *prometheus.CounterVec
	tickets       *prometheus.CounterVec
	comments      *prometheus.CounterVec
	calls         *prometheus.CounterVec
	callSeconds   *prometheus.HistogramVec
	polls         *prometheus.CounterVec
	lag           *prometheus.GaugeVec
	newest        *prometheus.GaugeVec
	gaps          *prometheus.CounterVec
	refused       *prometheus.CounterVec
	dropped       *prometheus.CounterVec
	holes         *prometheus.CounterVec
	integrationUp *prometheus.GaugeVec
	requests      *prometheus.CounterVec
	requestTime   *prometheus.HistogramVec
}

// NewMetrics makes the metrics of a program at a version and revision.
func NewMetrics(version, revision string) (*Metrics, error) {
	r := prometheus.NewRegistry()
	m := &Metrics{registry: r, guard: newGuard()}
	f := factory{r}
	m.events = f.counter("events_total", "Events by where they came from and what became of them: handed_over, rejected.", "source", "outcome")
	m.tickets = f.counter("tickets_created_total", "Tickets created.", "integration")
	m.comments = f.counter("comments_created_total", "Comments and notes created.", "integration")
	m.calls = f.counter("provider_calls_total", "Calls to providers by operation and how they ended.", "integration", "operation", "outcome")
	m.callSeconds = f.histogram("provider_call_duration_seconds", "How long calls to providers took.", "integration", "operation")
	m.polls = f.counter("feed_polls_total", "Requests to feeds by how they ended.", "feed", "outcome")
	m.lag = f.gauge("feed_lag_seconds", "How long the last event handed over had waited in its feed.", "feed")
	m.newest = f.gauge("feed_newest_timestamp_seconds", "When the feed stored the newest event handed over.", "feed")
	m.gaps = f.counter("feed_gaps_total", "Windows in which events of a feed may have been missed.", "feed")
	m.refused = f.counter("feed_entries_refused_total", "Entries of a foreign tenant.", "feed")
	m.dropped = f.counter("feed_entries_dropped_total", "Entries that the feed's transform leaves out.", "feed")
	m.holes = f.counter("feed_sequence_holes_total", "Places where a feed's numbering says that entries stand between two that came; normal where the feed is filtered.", "feed")
	m.integrationUp = f.gauge("integration_up", "1 if the last call to the integration reached it with good credentials, else 0.", "integration")
	m.requests = f.counter("http_requests_total", "Requests to the HTTP interfaces.", "route", "status")
	m.requestTime = f.histogram("http_request_duration_seconds", "How long requests to the HTTP interfaces took.", "route")
	f.gauge("build_info", "The running program; always 1.", "version", "revision", "goversion").
		WithLabelValues(clean(version), clean(revision), runtime.Version()).Set(1)
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))

	sdk, err := sdkMetrics(r)
	if err != nil {
		return nil, fmt.Errorf("set up the Temporal SDK's metrics: %w", err)
	}
	m.sdk = sdk
	return m, nil
}

// Expect shows the counters of configured feeds and integrations as 0 from the
// start, so that a first gap or failure is a change that an alert can see.
func (m *Metrics) Expect(feeds, integrations []string) {
	for _, feed := range feeds {
		m.gaps.WithLabelValues(m.guard.value("feed", feed))
		m.refused.WithLabelValues(m.guard.value("feed", feed))
	}
	for _, integration := range integrations {
		m.tickets.WithLabelValues(m.guard.value("integration", integration))
		m.comments.WithLabelValues(m.guard.value("integration", integration))
	}
}

// EventsHandedOver counts events that a feed or caller handed over durably.
func (m *Metrics) EventsHandedOver(source string, n int) {
	m.events.WithLabelValues(m.guard.value("source", source), "handed_over").Add(float64(max(n, 0)))
}

// EventRejected counts an event that was refused for what it says.
func (m *Metrics) EventRejected(source string) {
	m.events.WithLabelValues(m.guard.value("source", source), "rejected").Inc()
}

// TicketCreated counts a ticket.
func (m *Metrics) TicketCreated(integration string) {
	m.tickets.WithLabelValues(m.guard.value("integration", integration)).Inc()
}

// CommentCreated counts a comment or note.
func (m *Metrics) CommentCreated(integration string) {
	m.comments.WithLabelValues(m.guard.value("integration", integration)).Inc()
}

// ProviderCall counts a call to a provider that ended after d; outcome is "ok"
// or a kind of ticket.Error.
func (m *Metrics) ProviderCall(integration, operation, outcome string, d time.Duration) {
	integration, operation = m.guard.value("integration", integration), m.guard.value("operation", operation)
	m.calls.WithLabelValues(integration, operation, m.guard.value("outcome", outcome)).Inc()
	m.callSeconds.WithLabelValues(integration, operation).Observe(d.Seconds())
}

// FeedPolled counts a request to a feed; outcome is "ok", "unchanged" or what
// went wrong.
func (m *Metrics) FeedPolled(feed, outcome string) {
	m.polls.WithLabelValues(m.guard.value("feed", feed), m.guard.value("outcome", outcome)).Inc()
}

// FeedLag tells how long the last event handed over had waited in the feed.
func (m *Metrics) FeedLag(feed string, d time.Duration) {
	m.lag.WithLabelValues(m.guard.value("feed", feed)).Set(d.Seconds())
}

// FeedNewest tells when the feed stored the newest event handed over.
func (m *Metrics) FeedNewest(feed string, t time.Time) {
	if !t.IsZero() {
		m.newest.WithLabelValues(m.guard.value("feed", feed)).Set(float64(t.UnixMilli()) / 1000)
	}
}

// GapRecorded counts a window in which events may have been missed.
func (m *Metrics) GapRecorded(feed string) {
	m.gaps.WithLabelValues(m.guard.value("feed", feed)).Inc()
}

// EntriesDropped counts entries that the feed's transform leaves out.
func (m *Metrics) EntriesDropped(feed string, n int) {
	m.dropped.WithLabelValues(m.guard.value("feed", feed)).Add(float64(max(n, 0)))
}

// HolesSeen counts holes in a feed's numbering.
func (m *Metrics) HolesSeen(feed string, n int) {
	m.holes.WithLabelValues(m.guard.value("feed", feed)).Add(float64(max(n, 0)))
}

// EntriesRefused counts entries of a foreign tenant.
func (m *Metrics) EntriesRefused(feed string, n int) {
	m.refused.WithLabelValues(m.guard.value("feed", feed)).Add(float64(max(n, 0)))
}

// IntegrationUp tells whether the last call reached the integration with good
// credentials.
func (m *Metrics) IntegrationUp(integration string, up bool) {
	value := 0.0
	if up {
		value = 1
	}
	m.integrationUp.WithLabelValues(m.guard.value("integration", integration)).Set(value)
}

// HTTPRequest counts a request answered after d; route is the pattern, never
// the path.
func (m *Metrics) HTTPRequest(route string, status int, d time.Duration) {
	route = m.guard.value("route", route)
	m.requests.WithLabelValues(route, m.guard.value("status", strconv.Itoa(status))).Inc()
	m.requestTime.WithLabelValues(route).Observe(d.Seconds())
}

// SDKMetricsHandler is for client.Options: the Temporal SDK's own metrics
// appear beside ours, and so does what workflow code counts itself
// (ticketbridge_parked_total, ticketbridge_unparked_total).
func (m *Metrics) SDKMetricsHandler() client.MetricsHandler { return m.sdk }

// Handler answers with all metrics in Prometheus' format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

// factory makes metrics named ticketbridge_... in a registry.
type factory struct{ registry *prometheus.Registry }

const namespace = "ticketbridge"

func (f factory) counter(name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
	f.registry.MustRegister(v)
	return v
}

func (f factory) gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, labels)
	f.registry.MustRegister(v)
	return v
}

func (f factory) histogram(name, help string, labels ...string) *prometheus.HistogramVec {
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: namespace, Name: name, Help: help, Buckets: secondsBuckets(),
	}, labels)
	f.registry.MustRegister(v)
	return v
}

// secondsBuckets reach from a call on the same machine to one that times out.
func secondsBuckets() []float64 {
	return []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 60}
}
