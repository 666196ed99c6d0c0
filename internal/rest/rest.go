// Package rest is the one way ticketbridge calls foreign HTTP interfaces: every
// call has a context, a timeout and a size limit, waits that the other side asks
// for are read in both their forms, and no credential reaches an error text.
package rest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"
)

// Defaults of a Client.
const (
	DefaultTimeout  = 20 * time.Second
	DefaultMaxBytes = 16 << 20
)

// Client makes calls to one vendor's interface. The zero value works.
type Client struct {
	HTTP *http.Client
	// Timeout of one call, body included.
	Timeout time.Duration
	// MaxBytes is the largest body accepted.
	MaxBytes int64
	// Secrets are cut out of every error text.
	Secrets []string
	// Now is the clock that Retry-After dates are compared with.
	Now func() time.Time
}

// Request is one call.
type Request struct {
	Method string
	URL    string
	Header http.Header
	Body   []byte
	// Stream is sent in place of Body. Timeout then bounds the time without
	// progress, not the whole call; a large one may take longer to be answered.
	Stream *Stream
}

func (r Request) reader() io.Reader {
	if r.Stream != nil {
		return nil
	}
	return bytes.NewReader(r.Body)
}

// Response is an answer that was read to its end.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	// RetryAfter is the wait that the answer asks for, 0 if none.
	RetryAfter time.Duration
	// URL is the address that answered, after redirects.
	URL string
}

// TransportError is a call that ended without a whole answer.
type TransportError struct {
	// Sent is false only when it is certain that no byte of the request was
	// written, so that the other side cannot have acted on it.
	Sent    bool
	Message string
	Err     error
}

func (e *TransportError) Error() string { return e.Message }
func (e *TransportError) Unwrap() error { return e.Err }

// Do makes the call. Any complete answer, whatever its status, is a Response;
// everything else is a *TransportError.
func (c *Client) Do(ctx context.Context, r Request) (*Response, error) {
	w := watch(ctx, c.timeout())
	defer w.end()
	resp, wrote, err := c.send(w, r)
	if err != nil {
		return nil, c.transportError(r, wrote, w.cause(err))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, c.maxBytes()+1))
	if err != nil {
		return nil, c.transportError(r, true, fmt.Errorf("reading the answer: %w", w.cause(err)))
	}
	if int64(len(body)) > c.maxBytes() {
		return nil, c.transportError(r, true, fmt.Errorf("the answer is larger than %d bytes", c.maxBytes()))
	}
	return &Response{
		Status: resp.StatusCode, Header: resp.Header, Body: body, URL: resp.Request.URL.String(),
		RetryAfter: RetryAfter(resp.Header, c.now()),
	}, nil
}

func (c *Client) transportError(r Request, sent bool, err error) error {
	cause := err
	if u, ok := errors.AsType[*url.Error](err); ok {
		cause = u.Err // url.Error repeats the whole URL, query and all
	}
	host := r.URL
	if u, perr := url.Parse(r.URL); perr == nil {
		host = u.Host
	}
	return &TransportError{Sent: sent, Err: cause, Message: c.Redact(fmt.Sprintf("%s %s: %s", r.Method, host, reason(cause)))}
}

func reason(err error) string {
	var dns *net.DNSError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return "connection closed before the answer was complete"
	case errors.As(err, &dns):
		return "host not found: " + dns.Name
	default:
		return err.Error()
	}
}

func (c *Client) http() *http.Client {
	if c.HTTP != nil {
		return c.HTTP
	}
	return http.DefaultClient
}

func (c *Client) timeout() time.Duration {
	if c.Timeout > 0 {
		return c.Timeout
	}
	return DefaultTimeout
}

func (c *Client) maxBytes() int64 {
	if c.MaxBytes > 0 {
		return c.MaxBytes
	}
	return DefaultMaxBytes
}

func (c *Client) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}
