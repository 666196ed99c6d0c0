package httpapi

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
)

// What real clients send must be understood as they mean it.
func TestRealClients(t *testing.T) {
	for name, c := range map[string]struct {
		target, body string
		headers      []string
		want         event.Params
	}{
		"the page's own curl line": {target: "/v1/events?subject=Server%20Down&source=MyMonitoringTool&sourceID=12345&ci_source=MyDiscoveryTool&ci_sourceID=56789",
			want: event.Params{"subject": "Server Down", "source": "MyMonitoringTool", "sourceID": "12345", "ci_source": "MyDiscoveryTool", "ci_sourceID": "56789"}},
		"the Ruby kit": {target: "/v1/events", headers: []string{"Content-Type", "application/json", "X-4me-Account", "widget", "X-4me-Source", "ruby", "User-Agent", "4me-sdk-ruby/2.0.2"},
			body: `{"subject":"a","sourceID":"1","downtime_start_at":"2024-02-21T17:59:26+00:00"}`,
			want: event.Params{"subject": "a", "sourceID": "1", "downtime_start_at": "2024-02-21T17:59:26+00:00"}},
		"the C# kit": {target: "/v1/events", headers: []string{"Content-Type", "application/json; charset=utf-8", "X-4me-Account", "widget"},
			body: `{"subject":"a","source_id":"1","ci_id":"srv-001","impact":null}`, want: event.Params{"subject": "a", "source_id": "1", "ci_id": "srv-001"}},
		"a recorded exchange": {target: "/v1/events", headers: []string{"Content-Type", "application/json", "X-Xurrent-Account", "widget"},
			body: `{"source":"HPSM","sourceID":"SD1","template_id":1358,"impact":"top","downtime_start_at":"2024-02-21T17:59:26","custom_fields":[{"id":"fio","value":"x"}]}`,
			want: event.Params{"source": "HPSM", "sourceID": "SD1", "template_id": "1358", "impact": "top", "downtime_start_at": "2024-02-21T17:59:26", "custom_fields": `[{"id":"fio","value":"x"}]`}},
		"Alertmanager, its payload gone through YAML": {target: "/v1/events", headers: []string{"Content-Type", "application/json", "User-Agent", "Alertmanager/0.34.2"},
			body: `{"subject":"InstanceDown","sourceID":882395,"ci":null,"note":{"firing":"not reachable"}}`,
			want: event.Params{"subject": "InstanceDown", "sourceID": "882395", "note": `{"firing":"not reachable"}`}},
		"curl -d with JSON": {target: "/v1/events", headers: []string{"Content-Type", form}, body: `{"subject":"a & b"}`, want: event.Params{"subject": "a & b"}},
		"a legacy token in Basic, base URL with a slash": {target: "/v1//events?subject=a", headers: []string{"Authorization", "Basic czNjcmV0LW9mLW1vbml0b3Jpbmc6eA=="}, want: event.Params{"subject": "a"}},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			w := e.call("POST", c.target, c.body, c.headers...)
			require.Equal(t, 201, w.Code, w.Body)
			assert.Equal(t, c.want, e.events.lastEvent().Params)
			assert.Equal(t, "widget", e.events.lastCaller().CatalogAccount)
			assert.NotContains(t, w.Body.String(), `"message"`)
		})
	}
}

// A client that posts again after a lost answer gets the request, not another one.
func TestRepost(t *testing.T) {
	e := newEnv(t)
	e.events.outcome = func(_ context.Context, r Receipt, _ time.Duration) (contract.OutcomeAnswer, bool, error) {
		answer := decided(event.Created)
		answer.Repeat = len(e.events.submitted) > 1 && e.events.lastEvent().Unkeyed
		return answer, true, nil
	}
	assert.Equal(t, 201, e.call("POST", "/v1/events?subject=a", "").Code)
	assert.Equal(t, 200, e.call("POST", "/v1/events?subject=a", "").Code)
	assert.Equal(t, 201, e.call("POST", "/v1/events?subject=a", "", "Idempotency-Key", "k").Code)
	assert.Equal(t, 201, e.call("POST", "/v1/events?subject=a", "", "Idempotency-Key", "k").Code, "the recorded outcome")
}
