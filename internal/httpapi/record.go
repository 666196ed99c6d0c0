package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"
)

// line is what the access log says about one call. Handlers fill it in.
type line struct {
	id, route, caller string
}

type lineKey struct{}

// lineOf never is nil, so that handlers need not ask.
func lineOf(ctx context.Context) *line {
	if l, ok := ctx.Value(lineKey{}).(*line); ok {
		return l
	}
	return &line{}
}

const maxRequestID = 128

// identify gives every call an id: the sender's own where it is a harmless
// text, so that its logs and ours can be laid side by side, else a new one.
func (a *api) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("X-Request-Id")
		if !harmless(id) {
			id = a.NewID()
		}
		w.Header().Set("X-Request-Id", id)
		ctx := context.WithValue(r.Context(), lineKey{}, &line{id: id})
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

func harmless(id string) bool {
	if id == "" || len(id) > maxRequestID {
		return false
	}
	for _, c := range []byte(id) {
		if c <= ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// record logs one line for each call, without tokens and without the query's
// values, and answers a panic with 500.
func (a *api) record(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		seen := &answerWriter{ResponseWriter: w}
		defer func() {
			if cause := recover(); cause != nil {
				a.recovered(seen, r, cause)
			}
			a.logCall(seen, r, time.Since(start))
		}()
		next.ServeHTTP(seen, r)
	})
}

func (a *api) recovered(w *answerWriter, r *http.Request, cause any) {
	if cause == http.ErrAbortHandler {
		panic(cause) // net/http's own way to drop a connection
	}
	a.Logger.Error("panic in a handler", "request_id", lineOf(r.Context()).id, "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
	if w.status == 0 {
		a.fail(w, r, fmt.Errorf("panic: %v", cause))
	}
}

func (a *api) logCall(w *answerWriter, r *http.Request, took time.Duration) {
	l := lineOf(r.Context())
	if a.Observe != nil {
		a.Observe(l.route, w.status, took)
	}
	level := slog.LevelInfo
	if l.route == "GET /healthz" || l.route == "GET /readyz" || l.route == "GET /metrics" {
		level = slog.LevelDebug
	}
	a.Logger.Log(r.Context(), level, "call",
		"request_id", l.id, "method", r.Method, "path", r.URL.Path, "route", l.route, "caller", l.caller,
		"status", w.status, "bytes", w.bytes, "took", took, "remote", r.RemoteAddr)
}

// answerWriter remembers what was answered.
type answerWriter struct {
	http.ResponseWriter
	status, bytes int
}

func (w *answerWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *answerWriter) Write(data []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(data)
	w.bytes += n
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *answerWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
