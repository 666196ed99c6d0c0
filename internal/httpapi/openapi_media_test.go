package httpapi

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/registry"
)

// jsonBodies are calls with a JSON body that each operation takes.
func jsonBodies() map[string]struct{ target, body string } {
	const integration = `{"name":"acme","provider_config":{"type":"ticketing_jira"}}`
	return map[string]struct{ target, body string }{
		"POST /v1/events":                   {"/v1/events", `{"subject":"x"}`},
		"POST /v1/feeds/{name}/rewind":      {"/v1/feeds/rackspace-lon/rewind", `{"to":"oldest"}`},
		"POST /v1/parked/retry":             {"/v1/parked/retry", `{"integration":"jira-ops"}`},
		"POST /v1/parked/discard":           {"/v1/parked/discard", `{"integration":"jira-ops"}`},
		"POST /v1/ticketing/tickets":        {"/v1/ticketing/tickets", `{"name":"x"}`},
		"POST /v1/integrations":             {"/v1/integrations", integration},
		"POST /v1/integrations/{accountId}": {"/v1/integrations/widget", integration},
		"POST /v1/parked/{workflow}/{item}/amend": {
			"/v1/parked/match:jira-ops:x:AAAAAAAAAAAAAAAAAAAAAAAAAA/1/amend", `{"set":{"name":"x"}}`},
		"PATCH /v1/ticketing/tickets/{ticketId}":                {"/v1/ticketing/tickets/T1", `[{"op":"replace","path":"/status","value":"Done"}]`},
		"POST /v1/ticketing/tickets/{ticketId}/comments":        {"/v1/ticketing/tickets/T1/comments", `{"content":"x"}`},
		"POST /v1/ticketing/tickets/{ticketId}/notes":           {"/v1/ticketing/tickets/T1/notes", `{"title":"x","content":"x"}`},
		"PATCH /v1/ticketing/tickets/{ticketId}/notes/{noteId}": {"/v1/ticketing/tickets/T1/notes/N1", `[{"op":"replace","path":"/title","value":"x"}]`},
		"POST /v1/ticketing/attachments/{ticketId}":             {filePath, inBase64("a", "hello")},
		"POST /v1/integrations/{accountId}/verify":              {"/v1/integrations/widget/verify", integration},
		"PUT /v1/integrations/{accountId}/{integrationId}":      {"/v1/integrations/widget/acme", integration},
		"PATCH /v1/integrations/{accountId}/{integrationId}":    {"/v1/integrations/widget/acme", `[{"op":"replace","path":"/fullname","value":"x"}]`},
		"POST /v1/tokens/{accountId}/{integrationId}":           {"/v1/tokens/widget/acme", `{"name":"x"}`},
	}
}

// taken makes a call, and tells whether its body is taken for what it is.
func taken(t *testing.T, target, method, kind, body string) bool {
	t.Helper()
	e := newEnv(t)
	e.managed.there = registry.Integration{Name: "acme", Account: "widget", Fullname: "Acme", Tag: "t1", ProviderConfig: json.RawMessage(`{"type":"ticketing_jira"}`)}
	e.writes.outcome, e.writes.ended = contract.WriteOutcome{Status: contract.WriteOK, Result: json.RawMessage(`{}`)}, true
	who := token
	if strings.HasPrefix(target, integrationsPath) || strings.HasPrefix(target, tokensPath) {
		who = adminToken
	}
	w := e.call(method, target, body, "Content-Type", kind, "Authorization", "Bearer "+who)
	if w.Code >= 500 || w.Code == http.StatusNotFound || w.Code == http.StatusUnauthorized {
		t.Fatalf("%s %s: %d %s", method, target, w.Code, w.Body)
	}
	return w.Code < 300
}

// The document names a form of a body where, and only where, it is taken.
func TestTheDocumentNamesEveryFormOfABody(t *testing.T) {
	const form = "--x\r\nContent-Disposition: form-data; name=\"subject\"\r\n\r\nx\r\n--x--\r\n"
	examples := jsonBodies()
	for path, item := range newEnv(t).doc.Paths.Map() {
		for method, operation := range item.Operations() {
			if operation.RequestBody == nil {
				continue
			}
			t.Run(method+" "+path, func(t *testing.T) {
				example, ok := examples[method+" "+path]
				require.True(t, ok, "there is no example of its body")
				documented := operation.RequestBody.Value.Content
				if method != http.MethodPatch {
					assert.NotContains(t, documented, jsonPatchType)
				}
				for _, kind := range []string{"application/json", "application/json; charset=utf-8", "text/plain", "application/x-www-form-urlencoded", ""} {
					assert.True(t, taken(t, example.target, method, kind, example.body), "JSON as %q", kind)
				}
				patch := example.body
				if method != http.MethodPatch {
					patch = `[{"op":"replace","path":"/name","value":"x"}]`
				}
				for kind, body := range map[string]string{
					jsonPatchType: patch, mergePatchType: `{"fullname":"x"}`,
					"application/x-www-form-urlencoded": "subject=x", "multipart/form-data": form,
				} {
					if method+" "+path == "POST /v1/events" && strings.HasSuffix(kind, "+json") {
						continue // it has no member that it needs
					}
					sent := kind
					if kind == "multipart/form-data" {
						sent += "; boundary=x"
					}
					assert.Equal(t, documented[kind] != nil, taken(t, example.target, method, sent, body), kind)
				}
				asFile := example.target + "?file_name=a"
				for _, kind := range []string{"application/octet-stream", "image/png", "text/csv"} {
					assert.Equal(t, documented.Get(kind) != nil, taken(t, asFile, method, kind, "\x89hello"), "the bytes of a file as %s", kind)
				}
			})
		}
	}
}

// What comes back has a form of its own only where a file does.
func TestTheDocumentNamesEveryFormOfAnAnswer(t *testing.T) {
	answers := newEnv(t).doc.Paths.Find("/v1/ticketing/attachments/{ticketId}/{attachmentId}/download").Get.Responses
	require.NotNil(t, answers.Value("200").Value.Content.Get("image/png"))
	assert.Equal(t, "binary", answers.Value("200").Value.Content.Get("image/png").Schema.Value.Format)
	assert.NotNil(t, answers.Value("200").Value.Content["application/json"])
}
