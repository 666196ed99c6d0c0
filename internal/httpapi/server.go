package httpapi

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"
)

// Times and sizes of a connection. A slow sender has readTimeout for headers
// and body; an answer may take AnswerWithin after that.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 20 * time.Second
	writeGrace    = 6 * time.Second
	writeTimeout  = readTimeout + AnswerWithin + writeGrace
	idleTimeout   = 2 * time.Minute
	drainTimeout  = AnswerWithin + 6*time.Second
	maxHeader     = 128 << 10
)

// Serve listens on addr until the context ends, and then lets running calls
// finish. With a certificate and key (PEM files) it speaks TLS 1.2 or newer;
// both empty mean plain HTTP.
func Serve(ctx context.Context, addr string, handler http.Handler, certFile, keyFile string, logger *slog.Logger) error {
	listener, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("listen on %s: the address is in use, perhaps by another `starter serve`; stop that, or choose another address with TICKETBRIDGE_HTTP_ADDR: %w", addr, err)
	}
	if err != nil {
		return fmt.Errorf("listen on %s: %w", addr, err)
	}
	return ServeOn(ctx, listener, handler, certFile, keyFile, logger)
}

// ServeOn is Serve on a listener, which it closes.
func ServeOn(ctx context.Context, listener net.Listener, handler http.Handler, certFile, keyFile string, logger *slog.Logger) error {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader,
		Protocols:      http1(),
		ErrorLog:       slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	scheme := "http"
	if certFile != "" || keyFile != "" {
		pair, err := tls.LoadX509KeyPair(certFile, keyFile)
		if err != nil {
			listener.Close()
			return fmt.Errorf("TLS certificate %q with key %q: %w", certFile, keyFile, err)
		}
		server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
		scheme = "https"
	}
	logger.Info("serving", "url", scheme+"://"+listener.Addr().String())
	return run(ctx, server, listener)
}

// http1 is all that is spoken: over HTTP/2 the end of an answer is sent when its
// handler returns, which is after a write heard that its caller has it.
func http1() *http.Protocols {
	var spoken http.Protocols
	spoken.SetHTTP1(true)
	return &spoken
}

// run serves until the context or the listener ends.
func run(ctx context.Context, server *http.Server, listener net.Listener) error {
	ended := make(chan error, 1)
	go func() {
		if server.TLSConfig != nil {
			ended <- server.ServeTLS(listener, "", "")
			return
		}
		ended <- server.Serve(listener)
	}()
	select {
	case err := <-ended:
		return fmt.Errorf("serve on %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	err := server.Shutdown(drain)
	<-ended
	if err != nil {
		server.Close()
		return fmt.Errorf("stop serving on %s: calls were still running after %s: %w", listener.Addr(), drainTimeout, err)
	}
	return nil
}
