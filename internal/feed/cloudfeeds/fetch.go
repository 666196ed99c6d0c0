package cloudfeeds

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/rest"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// accept prefers XML: the JSON form does not escape control characters.
const accept = "application/atom+xml, application/vnd.rackspace.atom+json;q=0.5"

// answer is what the feed said to a request that it did not refuse.
type answer struct {
	*rest.Response
	// at is the time of the answer, by the earlier of the two clocks, so that
	// one wrong clock makes us look twice rather than miss something.
	at time.Time
}

// get asks for a page of the feed: 200, 304, and with a marker 400 and 404, are
// answers; everything else is an error.
func (c *Client) get(ctx context.Context, asked *time.Time, marker, etag string) (answer, error) {
	return c.page(ctx, asked, c.cfg.Limit, marker, etag)
}

func (c *Client) page(ctx context.Context, asked *time.Time, limit int, marker, etag string) (answer, error) {
	q := url.Values{"limit": {strconv.Itoa(limit)}}
	if marker != "" {
		q.Set("marker", marker)
		q.Set("direction", "forward")
	}
	resp, err := c.call(ctx, asked, c.base+"?"+q.Encode(), etag)
	if err != nil {
		return answer{}, err
	}
	switch {
	case resp.Status == http.StatusOK, resp.Status == http.StatusNotModified && etag != "":
	case marker != "" && (resp.Status == http.StatusNotFound || resp.Status == http.StatusBadRequest):
	default:
		return answer{}, c.refused("read feed "+c.cfg.Name, resp)
	}
	at := c.cfg.Now()
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil && date.Before(at) {
		at = date
	}
	return answer{resp, at}, nil
}

// call makes one authorised request, and a second one with a new token after a 401.
func (c *Client) call(ctx context.Context, asked *time.Time, address, etag string) (*rest.Response, error) {
	token, err := c.tokens.get(ctx)
	if err != nil {
		return nil, err
	}
	resp, err := c.once(ctx, asked, address, etag, token)
	if err != nil || resp.Status != http.StatusUnauthorized {
		return resp, err
	}
	if token, err = c.tokens.renew(ctx, token); err != nil {
		return nil, err
	}
	return c.once(ctx, asked, address, etag, token)
}

func (c *Client) once(ctx context.Context, asked *time.Time, address, etag, token string) (*rest.Response, error) {
	if err := c.pace(ctx, asked); err != nil {
		return nil, err
	}
	header := http.Header{"X-Auth-Token": {token}, "Accept": {accept}}
	if etag != "" {
		header.Set("If-None-Match", etag)
	}
	client := c.rest
	client.Secrets = []string{token}
	resp, err := client.Do(ctx, rest.Request{Method: http.MethodGet, URL: address, Header: header})
	if err != nil {
		return nil, ticket.Unanswered(ctx, "read feed "+c.cfg.Name, err)
	}
	switch until := c.cfg.Now().Add(resp.RetryAfter); {
	case resp.RetryAfter == 0 || !temporary(resp.Status):
	case overLimit(resp.Status):
		c.tokens.hold(until)
	default:
		c.mu.Lock()
		c.notBefore = until
		c.mu.Unlock()
	}
	return resp, nil
}

// pace waits until MinInterval has passed since the feed's last request, here
// or, by the position, on another worker, and reserves the next one. While a Retry-After runs it
// makes no request and says how much of it is left.
func (c *Client) pace(ctx context.Context, asked *time.Time) error {
	for {
		c.mu.Lock()
		now := c.cfg.Now()
		if left := max(c.notBefore.Sub(now), c.tokens.held(now)); left > 0 {
			c.mu.Unlock()
			return &ticket.Error{Kind: ticket.RateLimited, Op: "read feed " + c.cfg.Name, Message: "the feed asked to wait", RetryAfter: left}
		}
		last := c.asked
		if asked.After(last) {
			last = *asked
		}
		wait := min(last.Add(c.cfg.MinInterval).Sub(now), c.cfg.MinInterval)
		if last.IsZero() || wait <= 0 {
			c.asked, *asked = now, now
			c.mu.Unlock()
			return nil
		}
		c.mu.Unlock()
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
			// The wait is over even if the clock of the last request was ahead of ours.
			*asked = time.Time{}
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// refused classifies an answer that is no page.
func (c *Client) refused(op string, resp *rest.Response) error {
	switch status := resp.Status; {
	case temporary(status):
		return temporaryError(op, resp)
	case status == http.StatusUnauthorized:
		return &ConfigurationError{"credential", "the feed refuses a token that the identity service has just issued (401); does the user belong to this account?"}
	case status == http.StatusForbidden:
		return &ConfigurationError{"credential", "the user may not read this feed (403); give it the role cloudfeeds:observer"}
	case status == http.StatusNotFound:
		return &ConfigurationError{"url", fmt.Sprintf("%s does not exist (404); check host, feed and account", c.base)}
	case status >= 300 && status < 400:
		return &ConfigurationError{"url", fmt.Sprintf("%s is redirected (%d) to %q; configure the new address", c.base, status, resp.Header.Get("Location"))}
	default:
		return &ConfigurationError{"url", fmt.Sprintf("%s answers %d; is this the address of a feed?", c.base, status)}
	}
}

func temporary(status int) bool {
	return overLimit(status) || status == http.StatusRequestTimeout || status == http.StatusTooEarly || status >= 500 || status < 300
}

// overLimit: the user asked too often. 413 is what the proxy in front of the feed
// says by default.
func overLimit(status int) bool {
	return status == http.StatusRequestEntityTooLarge || status == http.StatusTooManyRequests
}

func temporaryError(op string, resp *rest.Response) error {
	e := &ticket.Error{Kind: ticket.Retry, Op: op, Status: resp.Status, Message: "the service cannot answer now", RetryAfter: resp.RetryAfter}
	switch {
	case overLimit(resp.Status):
		e.Kind, e.Message = ticket.RateLimited, "too many requests for this user"
	case resp.RetryAfter > 0:
		e.Kind = ticket.RateLimited
	}
	return e
}
