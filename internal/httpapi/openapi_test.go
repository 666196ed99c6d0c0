package httpapi

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDocumentIsValidOpenAPI(t *testing.T) {
	doc := loadDocument(t, newEnv(t).handler)
	require.NoError(t, doc.Validate(context.Background()))
	assert.Equal(t, "3.0.3", doc.OpenAPI)
}

// The list is written by hand: a path that goes missing breaks somebody's program.
func TestDocumentHasEveryPath(t *testing.T) {
	doc := loadDocument(t, newEnv(t).handler)
	var got []string
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			got = append(got, method+" "+path)
		}
	}
	assert.ElementsMatch(t, []string{
		"POST /v1/events", "GET /v1/events/{receipt}",
		"GET /v1/requests/{id}", "GET /v1/requests/{id}/notes",
		"GET /v1/feeds", "GET /v1/feeds/{name}",
		"POST /v1/feeds/{name}/start", "POST /v1/feeds/{name}/pause", "POST /v1/feeds/{name}/resume",
		"POST /v1/feeds/{name}/poll-now", "POST /v1/feeds/{name}/rewind",
		"GET /v1/parked", "POST /v1/parked/retry", "POST /v1/parked/discard",
		"POST /v1/parked/{workflow}/{item}/retry", "POST /v1/parked/{workflow}/{item}/discard", "POST /v1/parked/{workflow}/{item}/amend",
		"GET /v1/ticketing/tickets", "GET /v1/ticketing/tickets/{ticketId}",
		"GET /v1/ticketing/tickets/{ticketId}/comments", "GET /v1/ticketing/tickets/{ticketId}/notes",
		"GET /v1/ticketing/attachments/{ticketId}", "GET /v1/ticketing/attachments/{ticketId}/{attachmentId}/download",
		"GET /v1/ticketing/projects", "GET /v1/accounts", "GET /v1/integrations", "POST /v1/integrations", "GET /v1/integrations/{accountId}",
		"POST /v1/integrations/{accountId}", "POST /v1/integrations/{accountId}/verify",
		"GET /v1/integrations/{accountId}/{integrationId}", "PUT /v1/integrations/{accountId}/{integrationId}",
		"PATCH /v1/integrations/{accountId}/{integrationId}", "DELETE /v1/integrations/{accountId}/{integrationId}",
		"POST /v1/integrations/{accountId}/{integrationId}/verify", "GET /v1/integrations/{accountId}/{integrationId}/changes",
		"GET /v1/tokens/{accountId}/{integrationId}", "POST /v1/tokens/{accountId}/{integrationId}",
		"DELETE /v1/tokens/{accountId}/{integrationId}/{tokenId}",
		"GET /v1/ticketing/remote-fields",
		"POST /v1/ticketing/tickets", "PATCH /v1/ticketing/tickets/{ticketId}",
		"POST /v1/ticketing/tickets/{ticketId}/comments", "DELETE /v1/ticketing/tickets/{ticketId}/comments/{commentId}",
		"POST /v1/ticketing/tickets/{ticketId}/notes", "PATCH /v1/ticketing/tickets/{ticketId}/notes/{noteId}",
		"DELETE /v1/ticketing/tickets/{ticketId}/notes/{noteId}",
		"POST /v1/ticketing/attachments/{ticketId}", "DELETE /v1/ticketing/attachments/{ticketId}/{attachmentId}",
		"GET /v1/ticketing/operations/{operation}",
		"GET /v1/ticketing/escalation-policies", "GET /v1/ticketing/escalation-policies/{escalationPolicyId}/on-call",
		"GET /v1/capabilities", "GET /v1/capabilities/providers", "GET /v1/capabilities/providers/{providerId}", "GET /v1/capabilities/connectors",
		"GET /healthz", "GET /readyz", "GET /metrics", "GET /openapi.json", "GET /docs", "GET /",
	}, got)
}

// Every path of the document is really served, and needs a token unless it says otherwise.
func TestDocumentedPathsAreServed(t *testing.T) {
	e := newEnv(t)
	for path, item := range e.doc.Paths.Map() {
		for method, operation := range item.Operations() {
			t.Run(method+" "+path, func(t *testing.T) {
				target := strings.NewReplacer("{receipt}", "x", "{id}", "1", "{name}", "x", "{workflow}", "x", "{item}", "y",
					"{ticketId}", "x", "{attachmentId}", "y", "{escalationPolicyId}", "p",
					"{commentId}", "c", "{noteId}", "n", "{operation}", "o", "{providerId}", "p").Replace(path)
				w := e.call(method, target, "", "Authorization", "")
				if operation.Security != nil && len(*operation.Security) == 0 {
					assert.Equal(t, http.StatusOK, w.Code)
				} else {
					assert.Equal(t, http.StatusUnauthorized, w.Code)
				}
				assert.Equal(t, method+" "+path, e.log.last("call", "route"))
			})
		}
	}
}

func TestPathWithoutMetricsIsNotServed(t *testing.T) {
	e := newEnv(t, func(o *Options) { o.Metrics = nil })
	assert.Equal(t, http.StatusNotFound, e.call("GET", "/metrics", "").Code)
	assert.Nil(t, loadDocument(t, e.handler).Paths.Find("/metrics"))
}

func TestPageNeedsNothingFromElsewhere(t *testing.T) {
	e := newEnv(t)
	for _, path := range []string{"/", "/docs"} {
		w := e.call("GET", path, "")
		require.Equal(t, http.StatusOK, w.Code)
		assert.Equal(t, "text/html; charset=utf-8", w.Header().Get("Content-Type"))
		assert.Contains(t, w.Header().Get("Content-Security-Policy"), "default-src 'none'")
		body := w.Body.String()
		for _, want := range []string{"/v1/events", "Submit an event", "supplier_requestID", `href="#shape-Request"`, `id="shape-Request"`} {
			assert.Contains(t, body, want)
		}
		assert.NotContains(t, body, "<script")
		assert.NotContains(t, body, "src=")
		assert.NotContains(t, body, "ZgotmplZ")
	}
}
