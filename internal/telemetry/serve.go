package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"
)

const (
	// requestTime bounds one scrape, on both sides.
	requestTime = 30 * time.Second
	// stopTime is how long a scrape under way may take to end.
	stopTime = 5 * time.Second
)

// Serve answers /metrics and /healthz at addr until ctx ends, and lets a scrape
// that is under way end. /healthz answers 200 as long as the process runs. An
// address that cannot be listened on is an error at once.
func (m *Metrics) Serve(ctx context.Context, addr string, logger *slog.Logger) error {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("serve metrics at %s (TICKETBRIDGE_METRICS_ADDR sets another place, empty none): %w", addr, err)
	}
	logger.Info("serving metrics", "url", "http://"+listener.Addr().String()+"/metrics")
	return m.serve(ctx, listener, logger)
}

func (m *Metrics) serve(ctx context.Context, listener net.Listener, logger *slog.Logger) error {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.Handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, "ok\n")
	})
	server := &http.Server{
		Handler: mux, ReadHeaderTimeout: stopTime, ReadTimeout: requestTime, WriteTimeout: requestTime, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }() // ends with Shutdown or Close below

	select {
	case err := <-failed:
		return fmt.Errorf("serve metrics: %w", err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	err := server.Shutdown(stop)
	if err != nil {
		err = errors.Join(fmt.Errorf("stop serving metrics: %w", err), server.Close())
	}
	<-failed
	return err
}
