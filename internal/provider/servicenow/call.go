package servicenow

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/rest"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// Paths of the interfaces. Version 1 of the Table API answers an empty list with
// 404, so its version is never left to the instance; the others have one version.
const (
	root = "/api/now/"
	api  = root + "v2/table/"
)

// endpoint is all that the pace is told: every call takes a thread of the same pool.
const endpoint = "table"

// call is one request.
type call struct {
	method string
	table  string
	id     string // empty: the table itself
	query  url.Values
	body   map[string]string
	// at is the path below root of a call that is not the Table API's; table and
	// id say what it is about all the same.
	at string
	// stream is sent in place of body, as a file of a media type.
	stream    *rest.Stream
	mediaType string
	// setting is the configuration's key for table; empty: default_project.
	setting string
	// creates: made twice, it would have its effect twice.
	creates bool
}

// turn is one operation: the calls it is made of, admitted once.
type turn struct {
	c       *Client
	op      string // "create incident"
	entered time.Time
	paid    bool // the first call was paid for on entering
	rest    rest.Client
	header  http.Header
	token   string
}

// begin starts an operation; end ends it. It answers at once when the
// integration's rate or a pause forbids it.
func (c *Client) begin(op string) (*turn, error) {
	now := c.now()
	if wait := c.pace.Enter(now, endpoint, ""); wait > 0 {
		return nil, &ticket.Error{
			Kind: ticket.RateLimited, Op: op, RetryAfter: wait,
			Message: fmt.Sprintf("not sent: held to the rate of integration %s", c.config.Name),
		}
	}
	return &turn{c: c, op: op, entered: now, paid: true, rest: c.rest, header: c.header}, nil
}

func (t *turn) end() { t.c.pace.Leave(t.c.now(), t.entered) }

const (
	// readTries is how often a read is made within one operation.
	readTries = 4
	// firstPause is the wait before the second try; it doubles.
	firstPause = 100 * time.Millisecond
	// longestPause is how long an operation under way waits for leave to go on.
	longestPause = 2 * time.Second
)

// do makes one call and reads its result into out. A read that failed is made
// again at once.
func (t *turn) do(ctx context.Context, k call, out any) (*rest.Response, error) {
	response, err := t.once(ctx, k, out)
	for try := 1; try < readTries && k.method == http.MethodGet && t.again(ctx, err, try); try++ {
		response, err = t.once(ctx, k, out)
	}
	return response, err
}

// again waits before a read is repeated, and reports whether it should be.
func (t *turn) again(ctx context.Context, err error, try int) bool {
	failed, ok := errors.AsType[*ticket.Error](err)
	if !ok || failed.Kind != ticket.Retry && failed.Kind != ticket.RateLimited {
		return false
	}
	wait := max(failed.RetryAfter, rest.Jitter(firstPause<<(try-1)))
	return wait <= longestPause && t.c.sleep(ctx, wait)
}

// once makes one call, with a new token where the instance no longer takes ours.
func (t *turn) once(ctx context.Context, k call, out any) (*rest.Response, error) {
	if err := t.authorise(ctx); err != nil {
		return nil, err
	}
	response, err := t.send(ctx, k)
	if err == nil && response.Status == http.StatusUnauthorized && t.dropToken(ctx) {
		if err := t.authorise(ctx); err != nil {
			return nil, err
		}
		response, err = t.send(ctx, k)
	}
	if err != nil {
		return nil, err
	}
	if response.Status == http.StatusTooManyRequests {
		return nil, t.limited(response)
	}
	t.c.pace.Passed(t.c.now(), endpoint)
	return response, t.read(k, response, out)
}

func (t *turn) send(ctx context.Context, k call) (*rest.Response, error) {
	if err := t.admit(); err != nil {
		return nil, err
	}
	request, err := t.request(k)
	if err != nil {
		return nil, err
	}
	response, err := t.rest.Do(ctx, request)
	if err != nil {
		return nil, t.lost(k, err)
	}
	return response, nil
}

// request is a call as it goes out. A write needs a Content-Type, also one without
// a body.
func (t *turn) request(k call) (rest.Request, error) {
	request := rest.Request{Method: k.method, URL: t.c.base + root + k.at, Header: t.header, Stream: k.stream}
	if k.at == "" {
		request.URL = t.c.base + api + url.PathEscape(k.table)
		if k.id != "" {
			request.URL += "/" + url.PathEscape(k.id)
		}
	}
	if len(k.query) > 0 {
		request.URL += "?" + k.query.Encode()
	}
	if k.body != nil {
		body, err := json.Marshal(k.body)
		if err != nil {
			return request, t.permanent("the request cannot be written as JSON: %v", err)
		}
		request.Body = body
	}
	if k.method != http.MethodGet {
		request.Header = t.header.Clone()
		request.Header.Set("Content-Type", cmp.Or(k.mediaType, "application/json"))
	}
	return request, nil
}

func (t *turn) admit() error {
	if t.paid {
		t.paid = false
		return nil
	}
	wait := t.c.pace.Further(t.c.now(), endpoint, "")
	if wait == 0 {
		return nil
	}
	return &ticket.Error{
		Kind: ticket.RateLimited, Op: t.op, RetryAfter: wait,
		Message: "not sent: ServiceNow asked this integration to pause",
	}
}

// read takes a whole answer that is no 429. A 2xx is no success before its body
// says so: sleeping instances, cancelled transactions and overlong queues answer
// with one too.
func (t *turn) read(k call, response *rest.Response, out any) error {
	switch {
	case sleeping(response):
		return t.asleep(response)
	case response.Status == http.StatusAccepted:
		return t.failure(t.unclear(k), response, "ServiceNow put the call into a queue and dropped it")
	case response.Status < 200 || response.Status > 299:
		return t.refused(k, response)
	case response.Status == http.StatusNoContent && k.method == http.MethodDelete:
		return nil
	}
	var answer struct {
		Result json.RawMessage `json:"result"`
		Error  json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(response.Body, &answer); err != nil {
		return t.failure(t.unclear(k), response, "the answer is not the expected JSON: "+t.excerpt(response.Body))
	}
	if len(answer.Error) > 0 && string(answer.Error) != "null" {
		return t.failure(t.unclear(k), response, "the answer holds an error: "+readComplaint(response.Body).text())
	}
	if err := json.Unmarshal(answer.Result, out); err != nil || string(answer.Result) == "null" {
		return t.failure(t.unclear(k), response, "the answer holds no result: "+t.excerpt(response.Body))
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

// page is how many rows one call asks for.
const page = 100

// maxPages bounds a list.
const maxPages = 20

// list reads the rows that a query selects, in pages. A page that is short, or
// empty, says nothing: the limit counts rows that the account may not see. hidden
// is how many of those there are, where the instance says.
func (t *turn) list(ctx context.Context, table string, q query, columns []string, most int) (rows []record, hidden int, err error) {
	if q.err != nil {
		return nil, 0, t.permanent("%v", q.err)
	}
	return t.pages(ctx, call{method: http.MethodGet, table: table, query: url.Values{
		"sysparm_query": {q.text()}, "sysparm_fields": {strings.Join(columns, ",")},
		"sysparm_display_value": {"all"}, "sysparm_exclude_reference_link": {"true"},
	}}, most)
}

// pages makes the call of a list for one page after the other.
func (t *turn) pages(ctx context.Context, k call, most int) (rows []record, hidden int, err error) {
	k.query.Set("sysparm_limit", strconv.Itoa(page))
	for offset := 0; offset < maxPages*page && len(rows) < most; offset += page {
		k.query.Set("sysparm_offset", strconv.Itoa(offset))
		var found []record
		response, err := t.do(ctx, k, &found)
		if err != nil {
			return nil, 0, err
		}
		rows = append(rows, found...)
		total, told := totalOf(response)
		hidden = max(0, min(total, offset+page)-len(rows))
		if told && offset+page >= total || !told && len(found) < page {
			break
		}
	}
	return rows[:min(len(rows), most)], hidden, nil
}

// totalOf is how many rows there are in all.
func totalOf(response *rest.Response) (int, bool) {
	total, err := strconv.Atoi(response.Header.Get("X-Total-Count"))
	return total, err == nil && total >= 0
}
