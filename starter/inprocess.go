package main

import (
	"io"
	"net/http"
	"sync"
)

// inProcess answers calls by a handler of this process, as a server would over
// the network. An answer's body ends when the handler has returned.
type inProcess struct{ handler http.Handler }

func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r = r.Clone(r.Context())
		r.Body = http.NoBody
	}
	body, sent := io.Pipe()
	w := &pipedAnswer{sent: sent, header: http.Header{}, begun: make(chan struct{})}
	go w.serve(t.handler, r)
	select {
	case <-w.begun:
	case <-r.Context().Done():
	}
	if err := r.Context().Err(); err != nil {
		body.CloseWithError(err) // whatever comes late is not read
		return nil, err
	}
	return &http.Response{
		Status: http.StatusText(w.status), StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.snapshot, Body: body, ContentLength: -1, Request: r,
	}, nil
}

// pipedAnswer is a handler's answer on its way to its reader.
type pipedAnswer struct {
	sent   *io.PipeWriter
	header http.Header

	once  sync.Once
	begun chan struct{}
	// status and snapshot are set before begun is closed.
	status   int
	snapshot http.Header
}

// serve runs the handler to its end. Who drops a connection panics with
// ErrAbortHandler: the body is cut then.
func (w *pipedAnswer) serve(handler http.Handler, r *http.Request) {
	defer func() {
		var cut error
		switch trouble := recover(); trouble {
		case nil:
		case http.ErrAbortHandler:
			cut = io.ErrUnexpectedEOF
		default:
			panic(trouble)
		}
		w.WriteHeader(http.StatusOK)
		_ = w.sent.CloseWithError(cut) // never fails
	}()
	handler.ServeHTTP(w, r)
}

func (w *pipedAnswer) Header() http.Header { return w.header }

func (w *pipedAnswer) WriteHeader(status int) {
	w.once.Do(func() {
		w.status, w.snapshot = status, w.header.Clone()
		close(w.begun)
	})
}

func (w *pipedAnswer) Write(data []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.sent.Write(data)
}

// Flush has nothing to do: what was written is read.
func (w *pipedAnswer) Flush() {}
