package jira

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// Whoever cannot prove to be the site gets neither the token nor the ticket.
func TestASiteThatCannotProveItselfIsToldNothing(t *testing.T) {
	site := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("asked") }))
	site.Config.ErrorLog = log.New(io.Discard, "", 0)
	site.StartTLS()
	defer site.Close()
	c, err := New(Config{
		Name: "jira-ops", URL: site.URL, DefaultProject: "OPS", DefaultIssueType: "Task",
		Credential: Credential{Type: Basic, Username: "u", Secret: testToken},
	})
	assert.NoError(t, err)
	c.sleep = func(context.Context, time.Duration) bool { return false }
	_, err = c.CreateTicket(t.Context(), newTicket(1))
	assert.Equal(t, ticket.Retry, kindOf(t, err), "nothing was sent")
	assert.ErrorContains(t, err, "certificate")
}
