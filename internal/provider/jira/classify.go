package jira

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/rest"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// maxMessage is the longest message of an error.
const maxMessage = 500

// complaint is the body of Jira's errors. It may be absent: proxies answer HTML.
type complaint struct {
	Messages []string          `json:"errorMessages"`
	Fields   map[string]string `json:"errors"`
}

func readComplaint(body []byte) complaint {
	var said complaint
	if json.Unmarshal(body, &said) != nil {
		return complaint{}
	}
	return said
}

func (s complaint) text() string {
	parts := slices.Clone(s.Messages)
	for _, field := range slices.Sorted(maps.Keys(s.Fields)) {
		parts = append(parts, field+": "+s.Fields[field])
	}
	return strings.Join(parts, "; ")
}

// refused classifies a whole answer with a status that is neither 2xx nor 429.
//
// The statuses are the vendor's; that 400, 401, 403, 404, 413 and 422 mean
// "nothing was created" is an inference that the vendor states nowhere.
func (t *turn) refused(k call, response *rest.Response) error {
	said := readComplaint(response.Body)
	text := said.text()
	if text == "" {
		text = t.excerpt(response.Body)
	}
	if advice := t.advice(k, response, said); advice != "" {
		text = advice + " Jira says: " + text
	}
	return t.failure(t.kind(k, response.Status), response, text, said.offScreen()...)
}

// offScreen are the fields that were refused because a screen lacks them.
func (s complaint) offScreen() []string {
	var fields []string
	for _, field := range slices.Sorted(maps.Keys(s.Fields)) {
		if strings.Contains(s.Fields[field], "not on the appropriate screen") {
			fields = append(fields, field)
		}
	}
	return fields
}

// offScreenError names fields that a call would go through without.
type offScreenError struct{ fields []string }

func (e *offScreenError) Error() string { return "not on the screen: " + strings.Join(e.fields, ", ") }

func (t *turn) kind(k call, status int) ticket.Kind {
	switch {
	case status == http.StatusForbidden && k.method() == http.MethodDelete:
		// It is about one comment or file; trouble of the whole integration would be
		// waited for.
		return ticket.Permanent
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return ticket.Credentials
	case status == http.StatusNotFound && !k.creates:
		return ticket.NotFound
	case status == http.StatusNotFound && k.issue != "":
		return ticket.NotFound
	case status == http.StatusConflict || status == http.StatusTooEarly:
		return ticket.Retry
	case status == http.StatusRequestTimeout || status >= 500 || status < 200:
		return t.unclear(k)
	default:
		return ticket.Permanent
	}
}

// advice says what to do, where that is known.
func (t *turn) advice(k call, response *rest.Response, said complaint) string {
	switch response.Status {
	case http.StatusUnauthorized:
		return fmt.Sprintf("The credential of integration %s was refused: renew its API token (a token with scopes needs the url https://api.atlassian.com/ex/jira/{cloudId}).", t.c.config.Name)
	case http.StatusForbidden:
		if k.endpoint == endDetach {
			return "The account of the integration may not delete this file: give it the permission Delete own attachments or Delete all attachments."
		}
		return fmt.Sprintf("The account of integration %s may not do this: give it the permission in Jira.", t.c.config.Name)
	case http.StatusGone:
		return "This part of Jira's interface was removed: a newer version of this program is needed."
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return fmt.Sprintf("Jira redirects to %s: correct the url of integration %s.", response.Header.Get("Location"), t.c.config.Name)
	case http.StatusNotFound:
		if k.project != "" {
			return missingProject(k.project)
		}
	case http.StatusBadRequest:
		return badRequestAdvice(k, said)
	}
	return ""
}

func missingProject(project string) string {
	return fmt.Sprintf("Project %s does not exist or the integration's user cannot see it.", project)
}

func badRequestAdvice(k call, said complaint) string {
	switch {
	case k.endpoint == endCommentDelete:
		return "The account of the integration may not delete this comment: give it the permission Delete own comments or Delete all comments."
	case k.project != "" && (said.Fields["project"] != "" || said.Fields["pid"] != ""):
		return missingProject(k.project)
	case k.endpoint == endCreate && said.Fields["labels"] != "":
		return fmt.Sprintf("Put the field Labels on the create screen of project %s: tickets are found again by it.", k.project)
	case said.Fields["priority"] != "":
		return "Give the site's own priority names under priority_map of the integration."
	case k.endpoint == endCreate && said.Fields["issuetype"] != "":
		return "Give an issue type that the project has (default_issue_type of the integration)."
	default:
		return ""
	}
}

// limited takes a 429.
func (t *turn) limited(k call, response *rest.Response) error {
	now := t.c.now()
	reason := response.Header.Get("RateLimit-Reason")
	asked := response.RetryAfter
	if asked == 0 || strings.HasPrefix(reason, "jira-quota-") {
		asked = max(asked, untilReset(response.Header.Get("X-RateLimit-Reset"), now))
	}
	wait := t.c.pace.Limited(now, k.endpoint, k.issue, scopeOf(reason), asked)
	message := "Jira limits the rate"
	if reason != "" {
		message += " (" + reason + ")"
	}
	return &ticket.Error{
		Kind: ticket.RateLimited, Op: t.op, Status: response.Status,
		Message: rest.Truncate(t.c.rest.Redact(message), maxMessage), RetryAfter: wait,
	}
}

// scopeOf reads the reason that Jira gives with a 429 (its page on rate limiting).
func scopeOf(reason string) rest.Scope {
	switch reason {
	case "jira-quota-global-based", "jira-quota-tenant-based":
		return rest.AllCalls
	case "jira-per-issue-on-write":
		return rest.OneObject
	default:
		return rest.OneEndpoint
	}
}

// untilReset reads X-RateLimit-Reset, an ISO 8601 time with or without seconds.
func untilReset(value string, now time.Time) time.Duration {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", timeLayout} {
		if at, err := time.Parse(layout, value); err == nil {
			return min(max(at.Sub(now), 0), rest.MaxRetryAfter)
		}
	}
	return 0
}
