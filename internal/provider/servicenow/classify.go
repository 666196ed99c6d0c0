package servicenow

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/rest"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

const (
	// maxMessage is the longest message of an error.
	maxMessage = 500
	// wakes is how long a sleeping instance is left alone: it takes minutes.
	wakes = time.Minute
)

// complaint is the envelope of the platform's errors. The error is an object with
// message and detail, or a word with a description beside it.
type complaint struct {
	Error       json.RawMessage `json:"error"`
	Description string          `json:"error_description"`
}

func readComplaint(body []byte) complaint {
	var said complaint
	if json.Unmarshal(body, &said) != nil {
		return complaint{}
	}
	return said
}

func (s complaint) text() string {
	var object struct {
		Message string `json:"message"`
		Detail  string `json:"detail"`
	}
	parts := []string{object.Message, object.Detail}
	var word string
	switch {
	case len(s.Error) == 0:
	case json.Unmarshal(s.Error, &word) == nil:
		parts = []string{word, s.Description}
	case json.Unmarshal(s.Error, &object) == nil:
		parts = []string{object.Message, object.Detail}
	}
	kept := []string{}
	for _, part := range parts {
		if part != "" {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, ": ")
}

// sleeping: instances of developers answer every call with a page, or lead to
// one, until somebody wakes them.
func sleeping(response *rest.Response) bool {
	if response.Status/100 == 3 {
		return strings.Contains(response.Header.Get("Location"), "developer.service")
	}
	if json.Valid(response.Body) {
		return false // a ticket may speak of it
	}
	return bytes.Contains(response.Body, []byte("Hibernating page")) || bytes.Contains(response.Body, []byte("instance is hibernating"))
}

func (t *turn) asleep(response *rest.Response) error {
	err := t.failure(ticket.Retry, response, "the instance is hibernating: log in to it at developer.servicenow.com to wake it")
	if failed, ok := errors.AsType[*ticket.Error](err); ok {
		failed.RetryAfter = wakes
	}
	return err
}

// refused classifies a whole answer with a status that is neither 2xx nor 429.
func (t *turn) refused(k call, response *rest.Response) error {
	text := readComplaint(response.Body).text()
	if text == "" {
		text = t.excerpt(response.Body)
	}
	kind := t.kind(k, response.Status, text)
	if advice := t.advice(k, response, kind); advice != "" {
		text = advice + " ServiceNow says: " + text
	}
	return t.failure(kind, response, text)
}

func (t *turn) kind(k call, status int, text string) ticket.Kind {
	switch {
	case status == http.StatusUnauthorized:
		return ticket.Credentials
	case status == http.StatusForbidden && !refusesRecord(text):
		return ticket.Credentials
	case status == http.StatusNotFound && k.id != "":
		return ticket.NotFound
	case status == http.StatusRequestTimeout || status == 499 || status >= 500 || status < 200:
		return t.unclear(k)
	default:
		return ticket.Permanent
	}
}

// rightsPattern is how the platform speaks of rights.
var rightsPattern = regexp.MustCompile(`\bacl\b|security constraint|not authorized|insufficient rights`)

// refusesRecord tells a 403 for what the record holds (a data policy, a business
// rule, an index) from one for who we are.
func refusesRecord(text string) bool {
	text = strings.ToLower(text)
	if rightsPattern.MatchString(text) {
		return false
	}
	for _, word := range []string{"data policy", "mandatory", "business rule", "aborted", "unique key", "duplicate entry", "operation failed"} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

// advice says what to do, where that is known.
func (t *turn) advice(k call, response *rest.Response, kind ticket.Kind) string {
	name := t.c.config.Name
	switch {
	case response.Status == http.StatusUnauthorized:
		return fmt.Sprintf("The credential of integration %s was refused: renew it; the account must not need a second factor.", name)
	case response.Status == http.StatusForbidden && kind == ticket.Credentials:
		return fmt.Sprintf("The account of integration %s may not do this with table %s: give it a role that may.", name, k.table)
	case response.Status == http.StatusForbidden:
		return "A rule of the instance refuses the record as it is."
	case response.Status/100 == 3:
		return fmt.Sprintf("ServiceNow redirects to %s: correct the url of integration %s.", response.Header.Get("Location"), name)
	case response.Status == http.StatusBadRequest && k.id == "", response.Status == http.StatusNotFound && k.id == "":
		return fmt.Sprintf("Table %s does not exist, or is closed to web services (%s of integration %s).", k.table, cmp.Or(k.setting, "default_project"), name)
	default:
		return ""
	}
}

// limited takes a 429. There are two kinds: a rule of so many calls an hour, which
// says when it ends, and a full pool of threads, which says nothing.
func (t *turn) limited(response *rest.Response) error {
	now := t.c.now()
	asked := response.RetryAfter
	if asked == 0 {
		asked = untilReset(response.Header.Get("X-RateLimit-Reset"), now)
	}
	wait := t.c.pace.Limited(now, endpoint, "", rest.OneEndpoint, asked)
	message := "ServiceNow limits the rate"
	if said := readComplaint(response.Body).text(); said != "" {
		message += ": " + said
	}
	return &ticket.Error{
		Kind: ticket.RateLimited, Op: t.op, Status: response.Status,
		Message: rest.Truncate(t.rest.Redact(message), maxMessage), RetryAfter: wait,
	}
}

// untilReset reads X-RateLimit-Reset, which is in seconds since 1970.
func untilReset(text string, now time.Time) time.Duration {
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return min(max(time.Unix(seconds, 0).Sub(now), 0), rest.MaxRetryAfter)
}

// lost takes a call that ended without a whole answer.
func (t *turn) lost(k call, err error) error {
	failed := &ticket.Error{Kind: t.unclear(k), Op: t.op, Message: t.rest.Redact(err.Error()), Err: err}
	if transport, ok := errors.AsType[*rest.TransportError](err); ok && !transport.Sent {
		failed.Kind = ticket.Retry
	}
	if _, ours := errors.AsType[*rest.StreamError](err); ours {
		failed.Kind = ticket.Retry // the instance got no whole request
		if errors.Is(err, rest.ErrSize) {
			failed.Kind = ticket.Permanent
		}
	}
	return failed
}

func (t *turn) permanent(format string, values ...any) error {
	text := t.rest.Redact(fmt.Sprintf(format, values...))
	return &ticket.Error{Kind: ticket.Permanent, Op: t.op, Message: rest.Truncate(text, maxMessage)}
}

func (t *turn) failure(kind ticket.Kind, response *rest.Response, message string) error {
	return &ticket.Error{
		Kind: kind, Op: t.op, Status: response.Status, RetryAfter: response.RetryAfter,
		Message: rest.Truncate(t.rest.Redact(message), maxMessage),
	}
}

// absent is an error for what is not there, where no answer said so.
func (t *turn) absent(format string, values ...any) error {
	return &ticket.Error{Kind: ticket.NotFound, Op: t.op, Message: fmt.Sprintf(format, values...)}
}

// nonsense is an answer to a harmless call that cannot be right.
func (t *turn) nonsense(what string) error {
	return &ticket.Error{Kind: ticket.Retry, Op: t.op, Status: http.StatusOK, Message: "ServiceNow answered " + what}
}

// excerpt shows a person the begin of a body that is not the expected JSON.
func (t *turn) excerpt(body []byte) string {
	text := strings.Join(strings.Fields(string(bytes.ToValidUTF8(body, []byte("?")))), " ")
	if text == "" {
		return "it is empty"
	}
	return rest.Truncate(t.rest.Redact(text), 120)
}
