package httpapi

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

// Paths of the connector's begin so; their errors have another shape than the
// Events API's.
const (
	ticketingPath    = "/v1/ticketing/"
	capabilitiesPath = "/v1/capabilities"
)

// problem is the body of an error of the unified ticketing API, in the Synqly
// Ticketing Connector's shape.
type problem struct {
	Message     string          `json:"message" doc:"What went wrong, in a few words."`
	Status      int             `json:"status" doc:"The HTTP status."`
	OccurredAt  time.Time       `json:"occurred_at"`
	Instance    string          `json:"instance" doc:"The id of this call, as in the X-Request-Id header and the log."`
	Detail      string          `json:"detail,omitempty" doc:"What exactly."`
	Remediation string          `json:"remediation,omitempty" doc:"What to do about it."`
	Context     *problemContext `json:"context,omitempty"`
}

type problemContext struct {
	Parameter *problemParameter `json:"parameter,omitempty"`
	// Operation is the write that goes on.
	Operation string `json:"operation,omitempty" doc:"The id of a write that is still under way."`
	RawError  string `json:"raw_error,omitempty" doc:"What the provider said."`
}

type problemParameter struct {
	ID       string `json:"id" doc:"Its name, or a JSON Pointer into the body; empty for all of that."`
	Location string `json:"location" doc:"header, path, query or body"`
	Value    string `json:"value,omitempty"`
}

// inProblems: the errors of this path are Problems.
func inProblems(path string) bool {
	for _, prefix := range []string{ticketingPath, integrationsPath, tokensPath, accountsPath, capabilitiesPath} {
		if path == strings.TrimSuffix(prefix, "/") || strings.HasPrefix(path, strings.TrimSuffix(prefix, "/")+"/") {
			return true
		}
	}
	return false
}

// problemOf puts a refusal into the connector's shape.
func (a *api) problemOf(r *http.Request, bad *refusal) problem {
	p := problem{
		Message: bad.word(), Status: bad.status, OccurredAt: a.Now().UTC(), Instance: "urn:request:" + lineOf(r.Context()).id,
		Detail: bad.detail, Remediation: bad.remediation, Context: bad.context,
	}
	for _, pair := range bad.errors {
		p.Detail = strings.TrimPrefix(p.Detail+"; "+pair[0]+" "+pair[1], "; ")
	}
	return p
}

// badParameter is a 400 about one parameter.
func badParameter(location, name, value string, err error) error {
	if location == "body" && name == "/" { // of a patch: by RFC 6901 that is a member without a name
		name = ""
	}
	return &refusal{
		status: http.StatusBadRequest, message: "Bad Request", detail: err.Error(), err: err,
		context: &problemContext{Parameter: &problemParameter{ID: name, Location: location, Value: value}},
	}
}

// refusedWrite is the answer to a write that a provider refused. Of its error a
// workflow tells the text, which begins with what was tried, and the status.
func refusedWrite(kind ticket.Kind, status int, text string) *refusal {
	failed := &ticket.Error{Kind: kind, Status: status, Message: text}
	if op, words, whole := strings.Cut(text, fmt.Sprintf(": %d: ", status)); whole && status != 0 {
		failed.Op, failed.Message = op, words
	}
	bad := providerRefusal(failed)
	if pointer := refusedMember(text); status == 0 && pointer != "" {
		bad.context = &problemContext{Parameter: &problemParameter{ID: pointer, Location: "body"}}
	}
	return bad
}

// refusedMember points to the member that a client's own check begins with, perhaps
// after what was tried: "create issue in OPS: custom_fields.opened: no such column".
// A provider's words are not asked: its names may be those of other members here.
func refusedMember(text string) string {
	_, behind, _ := strings.Cut(text, ": ")
	for _, text := range []string{text, behind} {
		first, _, found := strings.Cut(text, ": ")
		custom, isCustom := strings.CutPrefix(first, "custom_fields.")
		switch {
		case !found:
		case isCustom:
			return "/custom_fields/" + pointerToken(custom)
		case slices.Contains(ticketing.TicketMembers(), first), slices.Contains(ticketing.NoteMembers(), first), first == "file_name":
			return "/" + first
		}
	}
	return ""
}

// providerRefusal is the answer to an error of a provider.
func providerRefusal(e *ticket.Error) *refusal {
	bad := &refusal{detail: strings.TrimPrefix(e.Op+": "+e.Message, ": "), retryAfter: e.RetryAfter, err: e}
	if e.Status != 0 {
		bad.context = &problemContext{RawError: fmt.Sprintf("%d: %s", e.Status, e.Message)}
	}
	if e.Parameter != "" {
		bad.context = &problemContext{Parameter: &problemParameter{ID: e.Parameter, Location: "query", Value: e.Value}}
	}
	switch e.Kind {
	case ticket.NotFound:
		bad.status = http.StatusNotFound
	case ticket.Permanent:
		bad.status = http.StatusBadRequest
	case ticket.Closed:
		bad.status, bad.message = http.StatusConflict, "The ticket is closed"
	case ticket.NotSupported:
		bad.status = http.StatusNotImplemented
	case ticket.Credentials:
		bad.status, bad.message = http.StatusBadGateway, "The provider refuses the integration's credentials"
		bad.remediation = "Renew the integration's token, or give its account the right; calls work again by themselves."
	case ticket.RateLimited:
		bad.status, bad.message = http.StatusTooManyRequests, "The provider's rate limit is reached"
		bad.retryAfter = max(bad.retryAfter, time.Second)
	default:
		bad.status, bad.message = http.StatusServiceUnavailable, "The provider cannot be reached"
		bad.retryAfter = max(bad.retryAfter, time.Second)
	}
	return bad
}
