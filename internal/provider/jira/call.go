package jira

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/rest"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// api is the path of the interface below the site's address.
const api = "/rest/api/3"

// Endpoints as Jira's burst limits tell them apart: method and path pattern.
const (
	endCreate      = "POST /issue"
	endGet         = "GET /issue/{id}"
	endEdit        = "PUT /issue/{id}"
	endComment     = "POST /issue/{id}/comment"
	endComments    = "GET /issue/{id}/comment"
	endCommentMark = "GET /comment/{id}/properties/{key}"
	endTransitions = "GET /issue/{id}/transitions"
	endTransition  = "POST /issue/{id}/transitions"
	endBulk        = "POST /issue/bulkfetch"
	endSearch      = "POST /search/jql"
	endMyself      = "GET /myself"
	endProject     = "GET /project/{id}"
	endIssueTypes  = "GET /issue/createmeta/{id}/issuetypes"
	endScreen      = "GET /issue/createmeta/{id}/issuetypes/{id}"
	endUsers       = "GET /user/search"
	endFields      = "GET /field"
	endSite        = "GET /serverInfo"

	endCommentGet    = "GET /issue/{id}/comment/{id}"
	endCommentEdit   = "PUT /issue/{id}/comment/{id}"
	endCommentDelete = "DELETE /issue/{id}/comment/{id}"
	endProjects      = "GET /project/search"
	endAttach        = "POST /issue/{id}/attachments"
	endAttachLimits  = "GET /attachment/meta"
	endDownload      = "GET /attachment/content/{id}"
	endDetach        = "DELETE /attachment/{id}"
)

const anonymous = "Jira took the call as anonymous: the token is wrong or expired"

// call is one request.
type call struct {
	endpoint string
	path     string // below api, escaped
	query    url.Values
	body     any
	// creates: made twice, it would have its effect twice.
	creates bool
	// issue is the id or key of the issue it writes to.
	issue string
	// project is named by the error when Jira does not know it.
	project string
	// stream is sent in place of body, header with or instead of the usual one.
	stream *rest.Stream
	header map[string]string
}

func (c call) method() string { method, _, _ := strings.Cut(c.endpoint, " "); return method }

// turn is one operation: the calls it is made of, admitted once.
type turn struct {
	c       *Client
	op      string // "create issue in OPS"
	entered time.Time
	// first is the endpoint that was paid for on entering.
	first string
}

// begin starts an operation whose decisive call goes to endpoint; end ends it.
// It answers at once when the integration's rate or a pause forbids it.
func (c *Client) begin(op, endpoint, issue string) (*turn, error) {
	now := c.now()
	if wait := c.pace.Enter(now, endpoint, issue); wait > 0 {
		return nil, &ticket.Error{
			Kind: ticket.RateLimited, Op: op, RetryAfter: wait,
			Message: fmt.Sprintf("not sent: held to the rate of integration %s", c.config.Name),
		}
	}
	return &turn{c: c, op: op, entered: now, first: endpoint}, nil
}

func (t *turn) end() { t.c.pace.Leave(t.c.now(), t.entered) }

// do makes one call and reads its JSON answer into out (nil: none is expected).
// A read that failed is made again at once: an operation of many reads would
// else hardly ever come to its end on a site in trouble.
func (t *turn) do(ctx context.Context, k call, out any) error {
	err := t.once(ctx, k, out)
	for try := 1; try < readTries && k.reads() && t.again(ctx, err, try); try++ {
		err = t.once(ctx, k, out)
	}
	return err
}

const (
	// readTries is how often a read is made within one operation.
	readTries = 4
	// firstPause is the wait before the second try; it doubles.
	firstPause = 100 * time.Millisecond
	// longestPause is how long an operation under way waits for Jira's leave to go on.
	longestPause = 2 * time.Second
)

// reads: the call changes nothing, so it may be repeated.
func (k call) reads() bool {
	return k.method() == http.MethodGet || k.endpoint == endBulk || k.endpoint == endSearch
}

// again waits before a read is repeated, and reports whether it should be.
func (t *turn) again(ctx context.Context, err error, try int) bool {
	failed, ok := errors.AsType[*ticket.Error](err)
	if !ok || failed.Kind != ticket.Retry && failed.Kind != ticket.RateLimited {
		return false
	}
	wait := max(failed.RetryAfter, rest.Jitter(firstPause<<(try-1)))
	if wait > longestPause {
		return false
	}
	return t.c.sleep(ctx, wait)
}

// once makes one call.
func (t *turn) once(ctx context.Context, k call, out any) error {
	if err := t.admit(k); err != nil {
		return err
	}
	request, err := t.request(k)
	if err != nil {
		return err
	}
	response, err := t.c.rest.Do(ctx, request)
	if err != nil {
		return t.lost(k, err)
	}
	if response.Status == http.StatusTooManyRequests {
		return t.limited(k, response)
	}
	t.c.pace.Passed(t.c.now(), k.endpoint)
	return t.read(k, response, out)
}

func (t *turn) request(k call) (rest.Request, error) {
	request := rest.Request{Method: k.method(), URL: t.c.base + api + k.path, Header: t.c.header, Stream: k.stream}
	if len(k.query) > 0 {
		request.URL += "?" + k.query.Encode()
	}
	if len(k.header) > 0 {
		request.Header = t.c.header.Clone()
		for name, value := range k.header {
			request.Header.Set(name, value)
		}
	}
	if k.body != nil {
		body, err := json.Marshal(k.body)
		if err != nil {
			return request, t.permanent("the request cannot be written as JSON: %v", err)
		}
		request.Body = body
	}
	return request, nil
}

func (t *turn) admit(k call) error {
	if t.first == k.endpoint {
		t.first = ""
		return nil
	}
	wait := t.c.pace.Further(t.c.now(), k.endpoint, k.issue)
	if wait == 0 {
		return nil
	}
	return &ticket.Error{
		Kind: ticket.RateLimited, Op: t.op, RetryAfter: wait,
		Message: "not sent: Jira asked this integration to pause",
	}
}

// read takes a whole answer that is no 429.
func (t *turn) read(k call, response *rest.Response, out any) error {
	if response.Status < 200 || response.Status > 299 {
		return t.refused(k, response)
	}
	if strings.HasPrefix(response.Header.Get("X-Seraph-LoginReason"), "AUTHENTICAT") &&
		!strings.Contains(response.Header.Get("X-Seraph-LoginReason"), "OK") {
		return t.failure(ticket.Credentials, response, anonymous)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(response.Body, out); err != nil {
		return t.failure(t.unclear(k), response, "the answer is not the expected JSON: "+t.excerpt(response.Body))
	}
	return nil
}

// unclear is the kind of a call that may or may not have had its effect.
func (t *turn) unclear(k call) ticket.Kind {
	if k.creates {
		return ticket.OutcomeUnknown
	}
	return ticket.Retry
}

// lost takes a call that ended without a whole answer.
func (t *turn) lost(k call, err error) error {
	failed := &ticket.Error{Kind: t.unclear(k), Op: t.op, Message: t.c.rest.Redact(err.Error()), Err: err}
	if transport, ok := errors.AsType[*rest.TransportError](err); ok && !transport.Sent {
		failed.Kind = ticket.Retry
	}
	if _, ours := errors.AsType[*rest.StreamError](err); ours {
		failed.Kind = ticket.Retry // Jira got no whole request
		if errors.Is(err, rest.ErrSize) {
			failed.Kind = ticket.Permanent
		}
	}
	return failed
}

func (t *turn) permanent(format string, values ...any) error {
	text := t.c.rest.Redact(fmt.Sprintf(format, values...))
	return &ticket.Error{Kind: ticket.Permanent, Op: t.op, Message: rest.Truncate(text, maxMessage)}
}

// absent is an error for what is not there, where Jira was not asked for it.
func (t *turn) absent(format string, values ...any) error {
	return &ticket.Error{Kind: ticket.NotFound, Op: t.op, Message: fmt.Sprintf(format, values...)}
}

func (t *turn) failure(kind ticket.Kind, response *rest.Response, message string, offScreen ...string) error {
	failed := &ticket.Error{
		Kind: kind, Op: t.op, Status: response.Status, RetryAfter: response.RetryAfter,
		Message: rest.Truncate(t.c.rest.Redact(message), maxMessage),
	}
	if len(offScreen) > 0 {
		failed.Err = &offScreenError{offScreen}
	}
	return failed
}

// excerpt shows a person the begin of a body that is not the expected JSON.
func (t *turn) excerpt(body []byte) string {
	text := strings.Join(strings.Fields(string(bytes.ToValidUTF8(body, []byte("?")))), " ")
	if text == "" {
		return "it is empty"
	}
	return rest.Truncate(t.c.rest.Redact(text), 120)
}
