package rest

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// transport is how a call ended without an answer.
func transport(t *testing.T, err error) *TransportError {
	t.Helper()
	e, ok := errors.AsType[*TransportError](err)
	require.True(t, ok, "%v", err)
	return e
}

// fresh is a client whose connections are nobody else's.
func fresh() *Client { return &Client{HTTP: &http.Client{Transport: &http.Transport{}}} }

// wire is a server on the level of the connection; serve gets each connection.
func wire(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serve(conn)
			conn.Close()
		}
	}()
	return "http://" + listener.Addr().String()
}

func TestAnyWholeAnswerIsAnAnswer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Retry-After", "3")
		w.Header().Set("X-Got", r.Method+" "+r.Header.Get("X-Mine")+" "+string(body))
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "short and stout")
	}))
	defer server.Close()
	got, err := fresh().Do(t.Context(), Request{Method: "PUT", URL: server.URL + "/x", Header: http.Header{"X-Mine": {"y"}}, Body: []byte("hi")})
	require.NoError(t, err)
	assert.Equal(t, 418, got.Status)
	assert.Equal(t, "PUT y hi", got.Header.Get("X-Got"))
	assert.Equal(t, "short and stout", string(got.Body))
	assert.Equal(t, 3*time.Second, got.RetryAfter)
	assert.Equal(t, server.URL+"/x", got.URL)
}

// Whether the other side may have acted on a call decides if it may be repeated.
func TestSentIsFalseOnlyWhereNothingWasSent(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	refused := "http://" + closed.Addr().String()
	closed.Close()
	read := func(conn net.Conn) { _, _ = conn.Read(make([]byte, 1<<16)) }
	for name, c := range map[string]struct {
		url  string
		sent bool
		text string
	}{
		"refused":              {refused, false, "connection refused"},
		"no such host":         {"http://nowhere.invalid", false, "host not found"},
		"no such scheme":       {"gopher://127.0.0.1", false, "unsupported protocol"},
		"closed after reading": {wire(t, read), true, "connection closed"},
		"reset after reading": {wire(t, func(conn net.Conn) {
			read(conn)
			_ = conn.(*net.TCPConn).SetLinger(0)
		}), true, "connection closed"},
		"cut in the middle of the answer": {wire(t, func(conn net.Conn) {
			read(conn)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
		}), true, "connection closed"},
		"not HTTP": {wire(t, func(conn net.Conn) {
			read(conn)
			_, _ = io.WriteString(conn, "SSH-2.0-hello\r\n")
		}), true, "malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := fresh().Do(t.Context(), Request{Method: "POST", URL: c.url, Body: []byte("{}")})
			e := transport(t, err)
			assert.Equal(t, c.sent, e.Sent)
			assert.Contains(t, e.Message, c.text)
		})
	}
}

// A connection that nobody accepts from: the request may be on its way.
func TestACallEndsInTime(t *testing.T) {
	stop := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-stop }))
	defer server.Close()
	defer close(stop)
	c := fresh()
	c.Timeout = 50 * time.Millisecond
	_, err := c.Do(t.Context(), Request{Method: "POST", URL: server.URL})
	e := transport(t, err)
	assert.True(t, e.Sent)
	assert.Contains(t, e.Message, "no answer in time")
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}

// A body that comes in drops counts against the time as well.
func TestABodyThatNeverEndsEndsInTime(t *testing.T) {
	stop := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "drop")
		w.(http.Flusher).Flush()
		<-stop
	}))
	defer server.Close()
	defer close(stop)
	c := fresh()
	c.Timeout = 50 * time.Millisecond
	_, err := c.Do(t.Context(), Request{Method: "GET", URL: server.URL})
	assert.Contains(t, transport(t, err).Message, "no answer in time")
}

func TestAnAnswerThatIsTooLargeIsRefused(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 1001))
	}))
	defer server.Close()
	c := fresh()
	c.MaxBytes = 1000
	_, err := c.Do(t.Context(), Request{Method: "GET", URL: server.URL})
	e := transport(t, err)
	assert.Contains(t, e.Message, "larger than 1000 bytes")
	assert.True(t, e.Sent, "what it asked for may have been done")
	c.MaxBytes = 1001
	_, err = c.Do(t.Context(), Request{Method: "GET", URL: server.URL})
	assert.NoError(t, err)
}

func TestNoErrorNamesASecretOrAQuery(t *testing.T) {
	c := fresh()
	c.Secrets = []string{"s3cret"}
	for _, url := range []string{"http://s3cret.invalid/?token=abc", "http://nowhere.invalid/?token=abc", "://s3cret"} {
		_, err := c.Do(t.Context(), Request{Method: "GET", URL: url})
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "s3cret")
		assert.NotContains(t, err.Error(), "token=abc")
	}
}

func TestACancelledCallEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := fresh().Do(ctx, Request{Method: "GET", URL: "http://127.0.0.1:1"})
	assert.ErrorIs(t, err, context.Canceled)
	assert.False(t, transport(t, err).Sent)
}

// A server that cannot prove who it is gets nothing of the call.
func TestCertificatesAreVerified(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("asked") }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	for name, c := range map[string]*Client{"zero": {}, "own connections": fresh()} {
		_, err := c.Do(t.Context(), Request{Method: "POST", URL: server.URL, Body: []byte("{}")})
		e := transport(t, err)
		assert.Contains(t, e.Message, "certificate", name)
		assert.False(t, e.Sent, name)
	}
}
