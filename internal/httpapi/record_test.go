package httpapi

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/event"
)

func TestEveryCallIsLoggedOnceWithoutSecrets(t *testing.T) {
	e := newEnv(t)
	w := e.call("POST", "/v1/events?subject=confidential&token=tok-in-query", "note=private", "X-Request-Id", "from-the-sender")
	require.Equal(t, 201, w.Code)
	assert.Equal(t, "from-the-sender", w.Header().Get("X-Request-Id"))
	require.Len(t, e.log.lines, 1)
	for attribute, want := range map[string]string{
		"request_id": "from-the-sender", "method": "POST", "path": "/v1/events", "route": "POST /v1/events", "caller": "monitoring", "status": "201",
	} {
		assert.Equal(t, want, e.log.last("call", attribute), attribute)
	}
	for _, secret := range []string{token, "confidential", "tok-in-query", "private"} {
		assert.NotContains(t, e.log.text(), secret)
	}
}

func TestRequestIDsThatAreNotHarmlessAreReplaced(t *testing.T) {
	for _, id := range []string{"", "a b", "a\"b", "ä", "\x7f", strings.Repeat("a", maxRequestID+1)} {
		got := newEnv(t).call("GET", "/healthz", "", "X-Request-Id", id).Header().Get("X-Request-Id")
		assert.Len(t, got, 36)
	}
}

func TestPanicIsAnsweredAndLogged(t *testing.T) {
	e := newEnv(t)
	e.events.submit = func(context.Context, Caller, event.Event) (Receipt, error) { panic("out of cheese") }
	w := e.call("POST", "/v1/events?subject=a", "", "X-Request-Id", "r1")
	assert.Equal(t, 500, w.Code)
	assert.Contains(t, w.Body.String(), `"message":"Internal Server Error"`)
	assert.NotContains(t, w.Body.String(), "cheese")
	assert.Equal(t, "out of cheese", e.log.last("panic in a handler", "panic"))
	assert.Contains(t, e.log.last("panic in a handler", "stack"), "postEvent")
	assert.Equal(t, "r1", e.log.last("panic in a handler", "request_id"))
	assert.Equal(t, "500", e.log.last("call", "status"))
}

func TestDroppedConnectionStaysDropped(t *testing.T) {
	e := newEnv(t)
	e.events.submit = func(context.Context, Caller, event.Event) (Receipt, error) { panic(http.ErrAbortHandler) }
	assert.PanicsWithValue(t, http.ErrAbortHandler, func() { e.call("POST", "/v1/events?subject=a", "") })
}

type fakeHealth []Check

func (f fakeHealth) Checks(context.Context) []Check { return f }

func TestHealth(t *testing.T) {
	for name, c := range map[string]struct {
		health Health
		status int
		want   string
	}{
		"nothing to ask": {nil, 200, `{"status":"ready"}`},
		"all well":       {fakeHealth{{Name: "temporal", OK: true}}, 200, `{"status":"ready","checks":[{"name":"temporal","ok":true}]}`},
		"no worker": {fakeHealth{{Name: "worker", Optional: true, Detail: "none polls"}}, 200,
			`{"status":"ready","checks":[{"name":"worker","ok":false,"optional":true,"detail":"none polls"}]}`},
		"no Temporal": {fakeHealth{{Name: "temporal", Detail: "refused"}}, 503,
			`{"status":"not ready","checks":[{"name":"temporal","ok":false,"detail":"refused"}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t, func(o *Options) { o.Health = c.health })
			w := e.call("GET", "/readyz", "", "Authorization", "")
			assert.Equal(t, c.status, w.Code)
			assert.JSONEq(t, c.want, w.Body.String())
			assert.Equal(t, 200, e.call("GET", "/healthz", "", "Authorization", "").Code)
		})
	}
	assert.Equal(t, "up 1\n", newEnv(t).call("GET", "/metrics", "", "Authorization", "").Body.String())
}
