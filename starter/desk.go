package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/operate"
	"github.com/ticketbridge/ticketbridge/internal/rest"
)

// desk is the unified ticketing API of one integration: of a server, or of this
// process.
type desk struct {
	rest  rest.Client
	url   string
	token string
	// streams: it takes files that no write can carry.
	streams bool
	// unreachable says what to do where nothing answers.
	unreachable string
	// begin makes ready for what needs Temporal; nil where nothing is to be done.
	begin func(context.Context) error
	close func()
	// log is what the process itself noted about a fault of its own.
	log func() string
	// progress shows what is waited for, until stop.
	progress func(what string) (stop func())
	// tell shows a line about a wait that goes on.
	tell func(line string)
}

const (
	// answerWithin is longer than the API takes for any answer but a file.
	answerWithin = time.Minute
	// mostAnswer bounds an answer, mostFile a file, in bytes.
	mostAnswer = 64 << 20
	mostFile   = 10 << 30
)

// asked is one call.
type asked struct {
	method, path string
	query        url.Values
	header       http.Header
	body         []byte
	// file is sent in place of body.
	file *rest.Stream
}

func (d *desk) request(a asked) rest.Request {
	header := http.Header{"Authorization": {"Bearer " + d.token}, "Accept": {"application/json"}}
	switch {
	case a.file != nil:
		header.Set("Content-Type", "application/octet-stream")
		header.Set("Expect", "100-continue") // what is refused is not sent
	case a.body != nil:
		header.Set("Content-Type", "application/json")
	}
	for name, values := range a.header {
		header[name] = values
	}
	address := d.url + "/v1/ticketing/" + a.path
	if len(a.query) > 0 {
		address += "?" + a.query.Encode()
	}
	return rest.Request{Method: a.method, URL: address, Header: header, Body: a.body, Stream: a.file}
}

// call makes a call; an answer that is no 2xx is a *refusedCall.
func (d *desk) call(ctx context.Context, a asked) (*rest.Response, error) {
	resp, err := d.rest.Do(ctx, d.request(a))
	if err != nil {
		return nil, d.silent(ctx, err)
	}
	if resp.Status < 200 || resp.Status > 299 {
		return nil, d.refusal(resp.Status, resp.Body, resp.RetryAfter)
	}
	return resp, nil
}

// silent is the error of a call that was not answered.
func (d *desk) silent(ctx context.Context, err error) error {
	if ctx.Err() != nil || d.unreachable == "" {
		return err
	}
	return &noServer{fmt.Errorf("%w; %s", err, d.unreachable)}
}

// noServer is a server that does not answer.
type noServer struct{ error }

func (e *noServer) Is(target error) bool { return target == operate.ErrUnavailable }
func (e *noServer) Unwrap() error        { return e.error }

// get reads what is at a path.
func (d *desk) get(ctx context.Context, path string, query url.Values, into any) error {
	resp, err := d.call(ctx, asked{method: http.MethodGet, path: path, query: query})
	if err != nil {
		return err
	}
	return decodeAnswer(resp.Body, into)
}

func decodeAnswer(body []byte, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("the answer is not what the ticketing API answers; is the address right? %w", err)
	}
	return nil
}

// open begins to read a file. The caller closes its body.
func (d *desk) open(ctx context.Context, path string) (*rest.Download, error) {
	a := asked{method: http.MethodGet, path: path, header: http.Header{"Accept": {"application/octet-stream"}}}
	found, err := d.rest.Open(ctx, d.request(a), mostFile)
	if err != nil {
		return nil, d.silent(ctx, err)
	}
	if found.Status == http.StatusOK {
		return found, nil
	}
	defer found.Body.Close()
	body, err := io.ReadAll(io.LimitReader(found.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	return nil, d.refusal(found.Status, body, found.RetryAfter)
}

// ready connects to what a write needs.
func (d *desk) ready(ctx context.Context) error {
	if d.begin == nil {
		return nil
	}
	return d.begin(ctx)
}

// standing is how a write stands.
type standing struct {
	ID       string          `json:"id"`
	Status   string          `json:"status"`
	Result   json.RawMessage `json:"result,omitempty"`
	Warnings []string        `json:"warnings,omitempty"`
	Reason   string          `json:"reason,omitempty"`
}

func operationPath(id string) string { return "operations/" + url.PathEscape(id) }

// writing is how a write is made.
type writing struct {
	key   string
	async bool
	wait  time.Duration
}

// written is what came of a write: the API's answer, or, of one that is still
// under way, how it stands.
type written struct {
	answer  json.RawMessage
	pending *standing
}

// write makes a write and waits for what comes of it. It is durable when the first
// call is answered: to wait longer, the same call is made again, which joins it.
func (d *desk) write(ctx context.Context, what string, a asked, how writing) (written, error) {
	if err := d.ready(ctx); err != nil {
		return written{}, err
	}
	defer d.progress(what)()
	for end := time.Now().Add(how.wait); ; {
		a.header = how.header(time.Until(end))
		resp, err := d.call(ctx, a)
		if err == nil {
			return answered(resp)
		}
		if ctx.Err() != nil {
			return written{}, fmt.Errorf("interrupted; what was begun goes on, and the same command joins it: %w", ctx.Err())
		}
		waits, ok := underWay(err)
		if !ok {
			return written{}, err
		}
		if _, err := d.goesOn(ctx, waits, end, false); err != nil {
			return written{}, err
		}
	}
}

// underWay is the answer to a write that goes on, false for any other.
func underWay(err error) (*refusedCall, bool) {
	waits, ok := errors.AsType[*refusedCall](err)
	return waits, ok && waits.Status == http.StatusServiceUnavailable && waits.Context.Operation != ""
}

// header says by whom the write is known, and how long an answer may take.
func (w writing) header(left time.Duration) http.Header {
	header, prefer := http.Header{}, "wait="+strconv.Itoa(int(max(left, 0).Round(time.Second).Seconds()))
	if w.async {
		prefer = "respond-async, wait=0"
	}
	header.Set("Prefer", prefer)
	if w.key != "" {
		header.Set("Idempotency-Key", w.key)
	}
	return header
}

func answered(resp *rest.Response) (written, error) {
	if resp.Status != http.StatusAccepted {
		return written{answer: resp.Body}, nil
	}
	var pending standing
	return written{answer: resp.Body, pending: &pending}, decodeAnswer(resp.Body, &pending)
}

// goesOn tells how a write stands that is under way, and waits a moment where it
// still is, unless there is no hurry; an error where there is nothing to wait for.
func (d *desk) goesOn(ctx context.Context, waits *refusedCall, end time.Time, noHurry bool) (standing, error) {
	var stands standing
	if err := d.get(ctx, operationPath(waits.Context.Operation), nil, &stands); err != nil {
		return stands, err
	}
	switch {
	case stands.Status == contract.WriteParked:
		return stands, fmt.Errorf("the write waits for a person: %s; see starter parked list (operation %s)", stands.Reason, stands.ID)
	case stands.Status != contract.WritePending || noHurry:
		return stands, nil
	case !time.Now().Before(end):
		return stands, fmt.Errorf("%s. The same command waits on, and makes nothing twice; starter ticket operation %s tells how it stands",
			strings.TrimSuffix(waits.summary(), "."), waits.Context.Operation)
	}
	d.tell(waits.summary())
	select {
	case <-ctx.Done():
		return stands, ctx.Err()
	case <-time.After(max(waits.retryAfter, time.Second)):
		return stands, nil
	}
}

// refusedCall is an answer that is no 2xx: a problem, as the API has it.
type refusedCall struct {
	Status      int    `json:"status"`
	Message     string `json:"message"`
	Detail      string `json:"detail"`
	Remediation string `json:"remediation"`
	Context     struct {
		Parameter *struct {
			ID string `json:"id"`
		} `json:"parameter"`
		Operation string `json:"operation"`
	} `json:"context"`

	retryAfter time.Duration
	log        string
}

// refusal reads a problem; a wrong parameter is a wrong call of the command.
func (d *desk) refusal(status int, body []byte, retryAfter time.Duration) error {
	e := &refusedCall{}
	if err := json.Unmarshal(body, e); err != nil || e.Message == "" {
		e.Message = fmt.Sprintf("%d %s", status, http.StatusText(status))
		e.Detail = "the answer is not one of the ticketing API; is the address right?"
	}
	e.Status, e.retryAfter = status, retryAfter
	switch {
	case status == http.StatusUnauthorized:
		e.Detail, e.Remediation = "the server does not know the token", "Give the token of one of its callers."
	case status == http.StatusInternalServerError && d.log != nil:
		e.Detail, e.log = "", d.log()
	case status == http.StatusBadRequest && e.Context.Parameter != nil:
		return usageError{e}
	}
	return e
}

func (e *refusedCall) summary() string {
	if e.Detail == "" {
		return e.Message
	}
	return e.Message + ": " + e.Detail
}

func (e *refusedCall) Error() string {
	text := e.summary()
	for _, more := range []string{e.Remediation, e.log} {
		if more != "" {
			text += "\n" + strings.TrimSpace(more)
		}
	}
	return text
}

// Is lets the exit status be that of what is not found.
func (e *refusedCall) Is(target error) bool {
	return target == operate.ErrNotFound && e.Status == http.StatusNotFound
}
