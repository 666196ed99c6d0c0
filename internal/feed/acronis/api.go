package acronis

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/rest"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// API makes the calls of the Event Manager.
type API struct {
	base   string
	tokens *TokenSource
	rest   rest.Client
	// every is the least time between two requests, whatever they ask.
	every time.Duration
	pace  rest.Interval
}

// NewAPI makes the calls at a data center; nil client and clock mean the usual
// ones. Its errors are *ConfigurationError.
func NewAPI(dataCenter string, tokens *TokenSource, client *http.Client, now func() time.Time) (*API, error) {
	base, err := baseURL(dataCenter)
	if err != nil {
		return nil, err
	}
	if tokens == nil {
		return nil, &ConfigurationError{"credential", "missing"}
	}
	return &API{
		base: base + "/api/event_manager/v1", tokens: tokens,
		rest: rest.Client{HTTP: rest.WithoutRedirects(client), Timeout: callTimeout, MaxBytes: maxPageBytes, Now: now},
	}, nil
}

// call is one request to the Event Manager.
type call struct {
	op, method, path string
	query            url.Values
	body             any
	// wait is how long the server may take on purpose.
	wait time.Duration
}

// do makes an authorised call, and a second one with a new token after a 401:
// the token may have expired in the middle of a long poll. Every other answer is
// the caller's to judge.
func (a *API) do(ctx context.Context, c call) (*rest.Response, error) {
	token, err := a.tokens.tokens.Get(ctx)
	if err != nil {
		return nil, err
	}
	resp, err := a.once(ctx, c, token)
	if err != nil || resp.Status != http.StatusUnauthorized {
		return resp, err
	}
	if token, err = a.tokens.tokens.Renew(ctx, token); err != nil {
		return nil, err
	}
	return a.once(ctx, c, token)
}

func (a *API) once(ctx context.Context, c call, token string) (*rest.Response, error) {
	if err := a.pace.Wait(ctx, a.every); err != nil {
		return nil, fmt.Errorf("%s: %w", c.op, err)
	}
	request := rest.Request{
		Method: c.method, URL: a.base + c.path,
		Header: http.Header{"Authorization": {"Bearer " + token}, "Accept": {"application/json"}},
	}
	if len(c.query) > 0 {
		request.URL += "?" + c.query.Encode()
	}
	if c.body != nil {
		body, err := json.Marshal(c.body)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.op, err)
		}
		request.Body = body
		request.Header.Set("Content-Type", "application/json")
	}
	client := a.rest
	client.Secrets = []string{token}
	client.Timeout += c.wait
	resp, err := client.Do(ctx, request)
	if err != nil {
		return nil, ticket.Unanswered(ctx, c.op, err)
	}
	if bytes.Contains(resp.Body, []byte(token)) { // it would be cited in an error
		resp.Body = []byte(client.Redact(string(resp.Body)))
	}
	return resp, nil
}

// get makes a call that must be answered 200 with JSON for out.
func (a *API) get(ctx context.Context, c call, out any) error {
	c.method = http.MethodGet
	resp, err := a.do(ctx, c)
	if err != nil {
		return err
	}
	if resp.Status != http.StatusOK {
		return refused(c.op, resp)
	}
	return decode(c.op, resp, out)
}

// decode reads JSON; a page of another kind is a passing trouble of a proxy.
func decode(op string, resp *rest.Response, out any) error {
	d := json.NewDecoder(bytes.NewReader(resp.Body))
	d.UseNumber()
	if err := d.Decode(out); err != nil {
		return unreadable(op, resp, err.Error())
	}
	if _, err := d.Token(); err != io.EOF {
		return unreadable(op, resp, "something follows the JSON")
	}
	return nil
}

// isPage reports success that only a proxy can mean: what the Event Manager
// answers to a POST is not all documented, but it is not HTML.
func isPage(resp *rest.Response) bool {
	return resp.Status < 300 && bytes.HasPrefix(bytes.TrimSpace(resp.Body), []byte("<"))
}

func unreadable(op string, resp *rest.Response, why string) error {
	return &ticket.Error{
		Kind: ticket.Retry, Op: op, Status: resp.Status, RetryAfter: resp.RetryAfter,
		Message: fmt.Sprintf("the answer is not what it should be: %s: %q", why, excerpt(resp.Body)),
	}
}

// refused classifies an answer that is not what was asked for.
func refused(op string, resp *rest.Response) error {
	switch status := resp.Status; {
	case temporary(status):
		return temporaryError(op, resp)
	case status == http.StatusUnauthorized:
		return &ConfigurationError{"credential", op + ": the Event Manager refuses a token that was just issued (401); is the client one of this data center?"}
	case status == http.StatusForbidden:
		return &ConfigurationError{"credential", fmt.Sprintf("%s: the client may not (403); it needs the scope urn:acronis.com:event_manager:...:subscriber, and a role in the tenant%s", op, said(resp.Body))}
	case status >= 300 && status < 400:
		return &ConfigurationError{"url", fmt.Sprintf("%s: redirected (%d) to %q; configure that data center", op, status, resp.Header.Get("Location"))}
	case status == http.StatusNotFound:
		return &ConfigurationError{"url", fmt.Sprintf("%s: not found (404); is this the address of a data center, and the topic one of `starter feed topics`?%s", op, said(resp.Body))}
	default:
		return &ConfigurationError{"url", fmt.Sprintf("%s: refused (%d)%s", op, status, said(resp.Body))}
	}
}

func temporary(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusRequestTimeout, http.StatusTooEarly:
		return true
	}
	return status >= 500 || status < 300
}

func temporaryError(op string, resp *rest.Response) error {
	e := &ticket.Error{Kind: ticket.Retry, Op: op, Status: resp.Status, Message: "the service cannot answer now", RetryAfter: resp.RetryAfter}
	if resp.Status == http.StatusTooManyRequests || resp.RetryAfter > 0 {
		e.Kind, e.Message = ticket.RateLimited, "the service asks to wait"
	}
	return e
}

// said is what an error's body tells, with a colon before it; nothing where it
// is no error of the vendor's form.
func said(body []byte) string {
	var answer struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
			Context struct {
				Errors []struct {
					Message string `json:"message"`
				} `json:"errors"`
			} `json:"context"`
		} `json:"error"`
	}
	_ = json.Unmarshal(body, &answer) // what has another form is left out
	parts := []string{}
	for _, text := range []string{answer.Error.Code, answer.Error.Message} {
		if text != "" {
			parts = append(parts, text)
		}
	}
	for _, e := range answer.Error.Context.Errors {
		parts = append(parts, e.Message)
	}
	if len(parts) == 0 {
		return ""
	}
	return ": " + rest.Truncate(strings.Join(parts, ": "), 300)
}

func excerpt(body []byte) string {
	return rest.Truncate(strings.Join(strings.Fields(string(body[:min(len(body), 400)])), " "), 160)
}
