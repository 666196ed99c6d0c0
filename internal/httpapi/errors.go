package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// What the injected parts answer with. Wrapped in a text, the text is for the
// user: fmt.Errorf("feed %q is not in the configuration: %w", name, ErrNotFound).
var (
	// ErrNotFound: there is no such thing, or it is not this caller's.
	ErrNotFound = errors.New("not found")
	// ErrConflict: it cannot be done in the present state.
	ErrConflict = errors.New("not possible now")
	// ErrUnavailable: Temporal cannot be reached; nothing was accepted.
	ErrUnavailable = errors.New("Temporal cannot be reached")
)

// InvalidEvent is an event that R-Service would answer with 422: pairs of
// field and text.
type InvalidEvent struct {
	Errors [][2]string
}

func (e *InvalidEvent) Error() string {
	texts := make([]string, len(e.Errors))
	for i, pair := range e.Errors {
		texts[i] = pair[0] + " " + pair[1]
	}
	return "invalid event: " + strings.Join(texts, "; ")
}

// failure is the body of every error, in R-Service's shape; detail is ours.
type failure struct {
	Message string      `json:"message" doc:"What went wrong, in R-Service's words."`
	Errors  [][2]string `json:"errors,omitempty" doc:"Pairs of field and text."`
	Detail  string      `json:"detail,omitempty" doc:"What to do about it."`
}

// refusal is an error whose answer is known.
type refusal struct {
	status     int
	message    string // absent: R-Service's word for the status
	errors     [][2]string
	detail     string
	retryAfter time.Duration
	// remediation and context are told by the unified ticketing API only.
	remediation string
	context     *problemContext
	err         error
}

func (e *refusal) Error() string {
	text := fmt.Sprintf("%d %s", e.status, e.word())
	if e.err != nil {
		text += ": " + e.err.Error()
	}
	return text
}

func (e *refusal) Unwrap() error { return e.err }

func (e *refusal) word() string {
	if e.message != "" {
		return e.message
	}
	if e.status == http.StatusUnprocessableEntity {
		return "Validation Failed"
	}
	return http.StatusText(e.status)
}

func invalid(pairs ...[2]string) error {
	return &refusal{status: http.StatusUnprocessableEntity, errors: pairs}
}

const (
	retryUnavailable = 5 * time.Second
	// statusCallerLeft is what nginx logs for a caller that hung up; nobody reads it.
	statusCallerLeft = 499
)

// refusalOf is the answer to an error.
func refusalOf(err error) *refusal {
	if known, ok := errors.AsType[*refusal](err); ok {
		return known
	}
	if bad, ok := errors.AsType[*InvalidEvent](err); ok {
		return &refusal{status: http.StatusUnprocessableEntity, errors: bad.Errors, err: err}
	}
	if failed, ok := errors.AsType[*ticket.Error](err); ok {
		return providerRefusal(failed)
	}
	switch {
	case errors.Is(err, ErrNotFound):
		return &refusal{status: http.StatusNotFound, detail: detailOf(err, ErrNotFound), err: err}
	case errors.Is(err, ErrConflict):
		return &refusal{status: http.StatusConflict, detail: detailOf(err, ErrConflict), err: err}
	case errors.Is(err, context.Canceled):
		return &refusal{status: statusCallerLeft, message: "Client Closed Request", err: err}
	case errors.Is(err, ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		return &refusal{
			status: http.StatusServiceUnavailable, retryAfter: retryUnavailable, err: err,
			detail: "Temporal did not answer, and the call was not accepted. Send it again: should it have been accepted after all, it is not done twice.",
		}
	default:
		return &refusal{status: http.StatusInternalServerError, err: err, detail: "The log has more under the X-Request-Id of this answer."}
	}
}

// detailOf is the text around a sentinel, without the sentinel's own words.
func detailOf(err, sentinel error) string {
	text := strings.TrimPrefix(err.Error(), sentinel.Error()+": ")
	return strings.TrimSuffix(strings.TrimSuffix(text, sentinel.Error()), ": ")
}

// fail answers an error, and logs what is our own fault.
func (a *api) fail(w http.ResponseWriter, r *http.Request, err error) {
	bad := refusalOf(err)
	if bad.status >= http.StatusInternalServerError {
		a.Logger.Error("call failed", "request_id", lineOf(r.Context()).id, "route", lineOf(r.Context()).route, "error", err)
	}
	if bad.retryAfter > 0 {
		w.Header().Set("Retry-After", wholeSeconds(bad.retryAfter))
	}
	if bad.status == http.StatusRequestEntityTooLarge {
		w.Header().Set("Connection", "close") // what is left of the body is not read
	}
	if inProblems(r.URL.Path) {
		writeJSON(w, bad.status, a.problemOf(r, bad))
		return
	}
	writeJSON(w, bad.status, failure{Message: bad.word(), Errors: bad.errors, Detail: bad.detail})
}

// fieldError is the 422 to an error of a Validate method, whose texts begin with
// the field's name.
func fieldError(err error) error {
	field, text, found := strings.Cut(err.Error(), ": ")
	if !found {
		field, text = "body", err.Error()
	}
	return invalid([2]string{field, text})
}

// writeJSON answers with a JSON body that no cache keeps.
func writeJSON(w http.ResponseWriter, status int, body any) {
	data, err := encode(body)
	if err != nil {
		status, data = http.StatusInternalServerError, []byte(`{"message":"Internal Server Error"}`)
	}
	writeBytes(w, status, data)
}

func writeBytes(w http.ResponseWriter, status int, data []byte) {
	jsonHeaders(w.Header())
	w.WriteHeader(status)
	_, _ = w.Write(data) // a caller that has gone is nobody's error
}

func jsonHeaders(h http.Header) {
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
}

func encode(body any) ([]byte, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(body); err != nil {
		return nil, err
	}
	return []byte(b.String()), nil
}
