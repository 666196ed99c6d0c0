package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// Stream is a request's body that is not held in memory. Open gives it from its
// beginning, Size is its length in bytes.
type Stream struct {
	Open func() (io.ReadCloser, error)
	Size int64
}

// StreamError is a Stream that could not be read, or was not as long as it said.
// The other side got no whole request then.
type StreamError struct{ Err error }

func (e *StreamError) Error() string { return "the content to be sent: " + e.Err.Error() }
func (e *StreamError) Unwrap() error { return e.Err }

// ErrSize is in a StreamError where the content is longer or shorter than Size.
var ErrSize = errors.New("it is not as long as was said")

// Download is an answer whose body comes as it is read. Who got it closes Body.
type Download struct {
	Status     int
	Header     http.Header
	RetryAfter time.Duration
	// Body ends with an error when nothing comes for the client's Timeout, and
	// when it is larger than the limit that was given.
	Body io.ReadCloser
}

// Open makes a call whose answer may be large: the body is not read, at most
// limit bytes of it can be. Timeout bounds the wait for the answer and for each
// part of the body, not the whole. Errors are as those of Do.
func (c *Client) Open(ctx context.Context, r Request, limit int64) (*Download, error) {
	w := watch(ctx, c.timeout())
	resp, wrote, err := c.send(w, r)
	if err != nil {
		w.end()
		return nil, c.transportError(r, wrote, w.cause(err))
	}
	w.rest()
	return &Download{
		Status: resp.StatusCode, Header: resp.Header, RetryAfter: RetryAfter(resp.Header, c.now()),
		Body: &watched{watchdog: w, body: resp.Body, left: limit},
	}, nil
}

// send makes the call up to the begin of its answer.
func (c *Client) send(w *watchdog, r Request) (resp *http.Response, wrote bool, err error) {
	var written atomic.Bool
	trace := &httptrace.ClientTrace{WroteHeaderField: func(string, []string) { written.Store(true) }}
	req, err := r.http(httptrace.WithClientTrace(w.ctx, trace), w)
	if err != nil {
		return nil, false, err
	}
	resp, err = c.http().Do(req)
	return resp, written.Load(), err
}

// watchdog ends a call that makes no progress.
type watchdog struct {
	ctx      context.Context
	cancel   context.CancelCauseFunc
	timer    *time.Timer
	patience time.Duration
}

func watch(ctx context.Context, patience time.Duration) *watchdog {
	w := &watchdog{patience: patience}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	w.timer = time.AfterFunc(patience, func() { w.cancel(context.DeadlineExceeded) })
	return w
}

func (w *watchdog) progress() { w.timer.Reset(w.patience) }
func (w *watchdog) rest()     { w.timer.Stop() }
func (w *watchdog) end()      { w.timer.Stop(); w.cancel(context.Canceled) }

// cause is why the call ended: "canceled" where the watchdog did it says less.
func (w *watchdog) cause(err error) error {
	if errors.Is(context.Cause(w.ctx), context.DeadlineExceeded) {
		return context.DeadlineExceeded
	}
	return err
}

// watched is a body that a watchdog sees being read; it sleeps between reads,
// which may take the reader as long as they like.
type watched struct {
	*watchdog
	body io.ReadCloser
	left int64
}

func (b *watched) Read(p []byte) (int, error) {
	b.progress()
	defer b.rest()
	n, err := b.body.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return max(0, n+int(b.left)), fmt.Errorf("the answer is larger than was expected")
	}
	if err != nil && err != io.EOF {
		err = fmt.Errorf("reading the answer: %w", b.cause(err))
	}
	return n, err
}

func (b *watched) Close() error {
	err := b.body.Close()
	b.end()
	return err
}

// upload is a Stream on its way: it is held to its size.
type upload struct {
	*watchdog
	body io.ReadCloser
	left int64
	// digesting is how much longer the answer may take when all is sent.
	digesting time.Duration
}

// digestRate is how fast the other side checks and stores at least what it was
// sent, in bytes a second. A call that is given up before is made again, and would
// have its effect twice.
const digestRate = 2 << 20

// Read gives the last part only when it is certain to be the last: content of
// another size never makes a whole request.
func (u *upload) Read(p []byte) (int, error) {
	u.progress()
	n, err := u.body.Read(p)
	u.left -= int64(n)
	if u.left == 0 && err == nil {
		var more [1]byte
		var extra int
		extra, err = io.ReadFull(u.body, more[:])
		u.left -= int64(extra)
	}
	switch {
	case u.left < 0, err == io.EOF && u.left > 0:
		return 0, &StreamError{ErrSize}
	case err != nil && err != io.EOF:
		return 0, &StreamError{err}
	case u.left == 0:
		u.timer.Reset(u.patience + u.digesting)
	}
	return n, err
}

func (u *upload) Close() error { return u.body.Close() }

// http is the request for net/http.
func (r Request) http(ctx context.Context, w *watchdog) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, r.Method, r.URL, r.reader())
	if err != nil {
		return nil, err
	}
	if r.Stream != nil {
		open := func() (io.ReadCloser, error) {
			body, err := r.Stream.Open()
			if err != nil {
				return nil, &StreamError{err}
			}
			digesting := time.Duration(float64(r.Stream.Size) / digestRate * float64(time.Second))
			return &upload{watchdog: w, body: body, left: r.Stream.Size, digesting: digesting}, nil
		}
		if req.Body, err = open(); err != nil {
			return nil, err
		}
		req.GetBody, req.ContentLength = open, r.Stream.Size
	}
	for name, values := range r.Header {
		req.Header[name] = values
	}
	return req, nil
}
