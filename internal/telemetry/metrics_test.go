package telemetry_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/telemetry"
)

func typeName(v any) string { return fmt.Sprintf("%T", v) }

func newMetrics(t *testing.T) *telemetry.Metrics {
	t.Helper()
	m, err := telemetry.NewMetrics("v1.2.3", "abc")
	require.NoError(t, err)
	return m
}

// scrape reads the metrics as Prometheus does.
func scrape(t *testing.T, m *telemetry.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	require.Equal(t, 200, w.Code, w.Body.String())
	return w.Body.String()
}

func TestMetricsAreScraped(t *testing.T) {
	m := newMetrics(t)
	m.EventsHandedOver("lon", 5)
	m.EventsHandedOver("lon", 2)
	m.EventsHandedOver("lon", -1)
	m.EventRejected("monitoring")
	m.TicketCreated("ops")
	m.CommentCreated("ops")
	m.CommentCreated("ops")
	m.ProviderCall("ops", "create_ticket", "ok", 300*time.Millisecond)
	m.ProviderCall("ops", "create_ticket", "rate_limited", 2*time.Second)
	m.FeedPolled("lon", "ok")
	m.FeedLag("lon", 1500*time.Millisecond)
	m.FeedNewest("lon", time.UnixMilli(1_700_000_000_500))
	m.FeedNewest("lon", time.Time{})
	m.GapRecorded("lon")
	m.EntriesRefused("lon", 3)
	m.EntriesDropped("lon", 4)
	m.HolesSeen("lon", 5)
	m.IntegrationUp("ops", true)
	m.IntegrationUp("sir", true)
	m.IntegrationUp("sir", false)
	m.HTTPRequest("POST /v1/events", 201, 40*time.Millisecond)

	text := scrape(t, m)
	for _, line := range []string{
		`ticketbridge_events_total{outcome="handed_over",source="lon"} 7`,
		`ticketbridge_events_total{outcome="rejected",source="monitoring"} 1`,
		`ticketbridge_tickets_created_total{integration="ops"} 1`,
		`ticketbridge_comments_created_total{integration="ops"} 2`,
		`ticketbridge_provider_calls_total{integration="ops",operation="create_ticket",outcome="ok"} 1`,
		`ticketbridge_provider_calls_total{integration="ops",operation="create_ticket",outcome="rate_limited"} 1`,
		`ticketbridge_provider_call_duration_seconds_bucket{integration="ops",operation="create_ticket",le="0.5"} 1`,
		`ticketbridge_provider_call_duration_seconds_sum{integration="ops",operation="create_ticket"} 2.3`,
		`ticketbridge_feed_polls_total{feed="lon",outcome="ok"} 1`,
		`ticketbridge_feed_lag_seconds{feed="lon"} 1.5`,
		`ticketbridge_feed_newest_timestamp_seconds{feed="lon"} 1.7000000005e+09`,
		`ticketbridge_feed_gaps_total{feed="lon"} 1`,
		`ticketbridge_feed_entries_refused_total{feed="lon"} 3`,
		`ticketbridge_feed_entries_dropped_total{feed="lon"} 4`,
		`ticketbridge_feed_sequence_holes_total{feed="lon"} 5`,
		`ticketbridge_integration_up{integration="ops"} 1`,
		`ticketbridge_integration_up{integration="sir"} 0`,
		`ticketbridge_http_requests_total{route="POST /v1/events",status="201"} 1`,
		`ticketbridge_http_request_duration_seconds_count{route="POST /v1/events"} 1`,
		`ticketbridge_build_info{goversion="go`,
		`revision="abc",version="v1.2.3"} 1`,
		`go_goroutines `,
		`process_resident_memory_bytes `,
	} {
		assert.Contains(t, text, line)
	}
}

func TestExpectedSeriesAreThereFromTheStart(t *testing.T) {
	m := newMetrics(t)
	m.Expect([]string{"lon"}, []string{"ops"})
	text := scrape(t, m)
	assert.Contains(t, text, `ticketbridge_feed_gaps_total{feed="lon"} 0`)
	assert.Contains(t, text, `ticketbridge_tickets_created_total{integration="ops"} 0`)
}

func TestLabelValuesAreBounded(t *testing.T) {
	m := newMetrics(t)
	for i := range 3000 {
		m.EventRejected(fmt.Sprintf("typed-by-hand-%d", i))
		m.FeedPolled("lon", fmt.Sprintf("outcome %d", i))
	}
	m.EventRejected("\xff\xfe")
	m.TicketCreated(strings.Repeat("x", 500))
	text := scrape(t, m)
	assert.Equal(t, 2001, strings.Count(text, "\nticketbridge_events_total{"))
	assert.Contains(t, text, `ticketbridge_events_total{outcome="rejected",source="other"} 1001`)
	assert.Equal(t, 101, strings.Count(text, "\nticketbridge_feed_polls_total{"))
	assert.NotContains(t, text, strings.Repeat("x", 129))
}

func TestTwoMetricsShareNothing(t *testing.T) {
	a, b := newMetrics(t), newMetrics(t)
	a.TicketCreated("ops")
	assert.NotContains(t, scrape(t, b), "tickets_created_total{")
}

func TestTheSDKsMetricsHaveTheirDocumentedNames(t *testing.T) {
	m := newMetrics(t)
	h := m.SDKMetricsHandler().WithTags(map[string]string{"namespace": "default", "task_queue": "ticketbridge"})
	h.Counter("temporal_request").Inc(2)
	h.WithTags(map[string]string{"operation": "PollActivityTaskQueue"}).Counter("temporal_request").Inc(1)
	h.Counter("temporal_local_activity_total").Inc(1)
	h.Counter("temporal_corrupted_signals").Inc(1)
	h.Gauge("temporal_worker_task_slots_available").Update(7)
	h.Timer("temporal_request_latency").Record(40 * time.Millisecond)
	h.Timer("temporal_activity_schedule_to_start_latency").Record(3 * time.Second)
	text := scrape(t, m)
	const tags = `namespace="default",task_queue="ticketbridge"`
	for _, line := range []string{
		`temporal_request_total{` + tags + `} 2`,
		`temporal_request_total{namespace="default",operation="PollActivityTaskQueue",task_queue="ticketbridge"} 1`,
		`temporal_local_activity_total{` + tags + `} 1`,
		`temporal_corrupted_signals_total{` + tags + `} 1`,
		`temporal_worker_task_slots_available{` + tags + `} 7`,
		`temporal_request_latency_seconds_bucket{` + tags + `,le="0.05"} 1`,
		`temporal_activity_schedule_to_start_latency_seconds_sum{` + tags + `} 3`,
		"# TYPE temporal_request_total counter",
	} {
		assert.Contains(t, text, line)
	}
	for _, unwanted := range []string{"total_total", "otel_scope", "target_info", "seconds_seconds"} {
		assert.NotContains(t, text, unwanted)
	}
}

func TestNamesFollowPrometheusConventions(t *testing.T) {
	m := newMetrics(t)
	m.Expect([]string{"lon"}, []string{"ops"})
	m.ProviderCall("ops", "create_ticket", "ok", time.Second)
	m.HTTPRequest("GET /", 200, time.Second)
	m.FeedLag("lon", time.Second)
	problems, err := promlint.New(strings.NewReader(scrape(t, m))).Lint()
	require.NoError(t, err)
	assert.Empty(t, problems)
}
