package httpapi

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// JSON is taken under any type, and what is something else is told so.
func TestWhatIsNoJSONIsToldWhatToSend(t *testing.T) {
	const form, xml = "application/x-www-form-urlencoded", "text/xml; charset=utf-8"
	for _, c := range []struct {
		method, path, kind, body string
		status                   int
		says                     string
	}{
		{"POST", "tickets", form, "name=x", 415, `"detail":"The body is no JSON, but application/x-www-form-urlencoded.","remediation":"Send JSON, as application/json."`},
		{"POST", "tickets", xml, "<name>x</name>", 415, "but text/xml."},
		{"POST", "tickets/1/comments", "text/plain", "hello", 415, "application/json"},
		{"PATCH", "tickets/1", form, "name=x", 415, "application/json"},
		{"POST", "tickets", form, `{"name":"x"}`, 201, "id"},
		{"POST", "tickets", xml, ` {"name":"x"}`, 201, "id"},
		{"POST", "tickets", form, `{"name":}`, 400, "not valid JSON: invalid character '}'"},
		{"POST", "tickets", form, ``, 400, "it is empty"},
		{"POST", "tickets", form, `"name"`, 400, "want an object"},
		{"POST", "tickets", "", "name=x", 400, "not valid JSON"},
		{"POST", "tickets", "application/problem+json", "name=x", 400, "not valid JSON"},
	} {
		e := newEnv(t)
		e.writes.outcome, e.writes.ended = made(t, ticket.Ticket{ID: "1"}), true
		w := e.call(c.method, "/v1/ticketing/"+c.path, c.body, "Content-Type", c.kind)
		assert.Equal(t, c.status, w.Code, "%s %s: %s", c.kind, c.body, w.Body)
		assert.Contains(t, w.Body.String(), c.says)
	}
	w := newEnv(t).call("POST", "/v1/integrations", "name=x", "Content-Type", form, "Authorization", "Bearer "+adminToken)
	assert.Equal(t, http.StatusUnsupportedMediaType, w.Code)
}
