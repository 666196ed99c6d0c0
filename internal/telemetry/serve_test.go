package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// firstLine gives what is logged first; the rest is dropped.
type firstLine chan string

func (l firstLine) Write(p []byte) (int, error) {
	select {
	case l <- string(p):
	default:
	}
	return len(p), nil
}

func TestServeUntilTheEnd(t *testing.T) {
	m := newMetrics(t)
	m.TicketCreated("ops")
	ctx, cancel := context.WithCancel(t.Context())
	lines, ended := make(firstLine, 1), make(chan error, 1)
	go func() { ended <- m.Serve(ctx, "127.0.0.1:0", slog.New(slog.NewJSONHandler(lines, nil))) }()

	var said struct{ URL string }
	require.NoError(t, json.Unmarshal([]byte(<-lines), &said))
	assert.Contains(t, get(t, said.URL, 200), `ticketbridge_tickets_created_total{integration="ops"} 1`)
	base := strings.TrimSuffix(said.URL, "/metrics")
	assert.Equal(t, "ok\n", get(t, base+"/healthz", 200))
	get(t, base+"/else", 404)

	cancel()
	select {
	case err := <-ended:
		require.NoError(t, err)
	case <-time.After(10 * time.Second):
		t.Fatal("Serve did not end with its context")
	}
	_, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	assert.Error(t, err, "the port is free again")
}

func TestServeSaysWhichAddressIsTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = taken.Close() }()
	err = newMetrics(t).Serve(t.Context(), taken.Addr().String(), slog.New(slog.NewTextHandler(&bytes.Buffer{}, nil)))
	require.Error(t, err)
	assert.Contains(t, err.Error(), "serve metrics at "+taken.Addr().String()+" (TICKETBRIDGE_METRICS_ADDR sets another place, empty none)")
	assert.Contains(t, err.Error(), "address already in use")
}

func get(t *testing.T, url string, status int) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	require.Equal(t, status, resp.StatusCode)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(body)
}
