package integration

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/simulator/jira"
)

const bossToken = "test-token-of-the-boss"

// startManaged starts a stack whose integrations can be managed, by boss.
func startManaged(t *testing.T, o options) *stack {
	t.Helper()
	o.config = func(text string) string {
		return strings.Replace(text, "catalog: catalog.yaml", "  - {name: boss, token: \"env:TEST_BOSS_TOKEN\", admin: true}\ncatalog: catalog.yaml", 1)
	}
	key := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("k"), 32))
	o.env = append(o.env, "TEST_BOSS_TOKEN="+bossToken, "TICKETBRIDGE_SECRET_KEYS="+key)
	return start(t, o)
}

// manage makes a call as boss.
func (s *stack) manage(method, path, body string, headers ...string) answer {
	s.t.Helper()
	a, err := s.call(method, path, strings.NewReader(body), append(headers, "Authorization", "Bearer "+bossToken, "Content-Type", "application/json")...)
	require.NoError(s.t, err)
	return a
}

// as makes a call with a token.
func (s *stack) as(token, method, path, body string) answer {
	s.t.Helper()
	a, err := s.call(method, path, strings.NewReader(body), "Authorization", "Bearer "+token, "Content-Type", "application/json")
	require.NoError(s.t, err)
	return a
}

// jiraSpec is an integration at the stack's Jira.
func (s *stack) jiraSpec(secret string) string {
	return fmt.Sprintf(`{"type":"ticketing_jira","url":%q,"default_project":"OPS","settling":"1s","rate":{"per_second":200,"concurrency":16},
		"credential":{"type":"basic","username":"bridge@acme.example","secret":%q}}`, s.jiraURL, secret)
}

// made is the token of an integration that was just made.
func made(t *testing.T, a answer) string {
	t.Helper()
	require.Equal(t, http.StatusCreated, a.status, a.text)
	return a.body["result"].(map[string]any)["token"].(map[string]any)["access"].(map[string]any)["secret"].(string)
}

// An integration made by the API is as good as one of the file: its tickets, its
// events, through restarts; and none of its secrets is left anywhere.
func TestAnIntegrationIsMadeAndUsed(t *testing.T) {
	t.Parallel()
	s := startManaged(t, options{})
	wrong := s.manage("POST", "/v1/integrations/acme", `{"name":"jira-api","provider_config":{"type":"ticketing_jira","ulr":"x"}}`)
	assert.Equal(t, 400, wrong.status)
	assert.Contains(t, wrong.text, "ulr: unknown key")
	body := fmt.Sprintf(`{"name":"jira-api","catalog_account":"widget","person":"monitor@widget.example","provider_config":%s}`, s.jiraSpec("secret-of-jira"))
	verified := s.manage("POST", "/v1/integrations/acme/verify", body)
	assert.Equal(t, 200, verified.status, verified.text)
	key := made(t, s.manage("POST", "/v1/integrations/acme", body))
	assert.Equal(t, 409, s.manage("POST", "/v1/integrations/acme", body).status)

	created := s.as(key, "POST", "/v1/ticketing/tickets", `{"name":"Made by the API"}`)
	require.Equal(t, 201, created.status, created.text)
	require.Len(t, s.issues()["Made by the API"], 1)
	event := s.as(key, "POST", "/v1/events", `{"subject":"An event","source":"Nagios","ci":"srv-007","note":"down"}`)
	require.Equal(t, 201, event.status, event.text)
	s.eventually(t, func() bool { return len(s.issues()["An event"]) == 1 }, "its event becomes a ticket")

	// Everything is killed; what was made is still there.
	for _, w := range s.workers {
		w.kill()
	}
	s.serve.kill()
	s.startServe()
	early := s.as(key, "POST", "/v1/events", `{"subject":"Another","source":"Nagios","ci":"srv-008","note":"down"}`)
	assert.Equal(t, 202, early.status, "taken in while no worker runs: %s", early.text)
	assert.Equal(t, 401, s.as("tb_jira-api_"+strings.Repeat("0", 64), "GET", "/v1/parked", "").status)
	// After a while the server says at once that there is none.
	s.eventually(t, func() bool {
		_, err := s.client.QueryWorkflow(t.Context(), contract.IntegrationID("jira-api"), "", contract.QueryState)
		return errors.As(err, new(*serviceerror.FailedPrecondition))
	}, "the server misses the worker")
	s.serve.kill()
	s.startServe()
	late := s.as(key, "POST", "/v1/events", `{"subject":"Another","source":"Nagios","ci":"srv-008","note":"still down"}`)
	assert.Equal(t, 202, late.status, "%s", late.text)
	assert.Equal(t, 200, s.as(key, "GET", "/v1/ticketing/projects", "").status, "reads need no worker")
	list := s.manage("GET", "/v1/integrations", "")
	assert.Equal(t, 200, list.status)
	assert.Contains(t, list.text, "jira-api")
	assert.Equal(t, 503, s.manage("GET", "/v1/integrations/acme/jira-api/changes", "").status)
	s.startWorker()
	s.eventually(t, func() bool { return len(s.issues()["Another"]) == 1 }, "what was taken in is made")
	again := s.as(key, "POST", "/v1/events", `{"subject":"An event","source":"Nagios","ci":"srv-007","note":"still down"}`)
	assert.Equal(t, 200, again.status, again.text)

	busy := s.manage("DELETE", "/v1/integrations/acme/jira-api", "")
	assert.Equal(t, 409, busy.status, "a request of it is open")
	assert.Contains(t, busy.text, "still work for integration jira-api")
	assert.Equal(t, 204, s.manage("DELETE", "/v1/integrations/acme/jira-api?force=true", "").status)
	assert.Equal(t, 401, s.as(key, "GET", "/v1/ticketing/tickets/OPS-1", "").status)
	assert.Equal(t, 404, s.manage("GET", "/v1/integrations/acme/jira-api", "").status)

	second := made(t, s.manage("POST", "/v1/integrations/acme", body))
	assert.NotEqual(t, key, second)
	for _, w := range s.workers {
		w.kill()
	}
	s.serve.kill()
	s.temporal.process.kill()
	stored, logs := contents(t, filepath.Join(s.temporal.dir, "temporal.db*")), contents(t, filepath.Join(logDir(s.t), "*.log"))
	assert.Positive(t, bytes.Count(stored, []byte("integration:jira-api")), "the database can be read")
	for _, secret := range []string{"secret-of-jira", key, second, bossToken} {
		assert.False(t, bytes.Contains(stored, []byte(secret)), "%s is in Temporal's database", secret)
		assert.False(t, bytes.Contains(logs, []byte(secret)), "%s is in a log", secret)
	}
}

// What is changed here holds in the worker and in another process within 30
// seconds: a credential that was wrong heals what waits for it, a token that was
// revoked lets nobody in.
func TestAChangeIsKnownEverywhereWithinThirtySeconds(t *testing.T) {
	t.Parallel()
	s := startManaged(t, options{jira: jira.Options{Username: "bridge@acme.example", Secret: "secret-of-jira"}})
	here, other := s.httpAddr, fmt.Sprintf("127.0.0.1:%d", freePort(t))
	first := s.serve
	s.httpAddr, s.env = other, append(s.env, "TICKETBRIDGE_HTTP_ADDR="+other)
	s.startServe()
	t.Cleanup(first.kill)
	s.httpAddr = here

	body := fmt.Sprintf(`{"name":"jira-api","provider_config":%s}`, s.jiraSpec("wrong-secret"))
	require.Equal(t, 400, s.manage("POST", "/v1/integrations/default/verify", body).status)
	key := made(t, s.manage("POST", "/v1/integrations", body))
	waiting := make(chan answer, 1)
	go func() {
		a, err := s.call("POST", "/v1/ticketing/tickets", strings.NewReader(`{"name":"Waits for the credential"}`),
			"Authorization", "Bearer "+key, "Content-Type", "application/json", "Prefer", "respond-async")
		assert.NoError(t, err)
		waiting <- a
	}()
	s.eventually(t, func() bool { return s.logged("integration does not work") > 0 }, "the credential is refused")
	mended := s.manage("PATCH", "/v1/integrations/default/jira-api", `{"provider_config":{"credential":{"secret":"secret-of-jira"}}}`)
	require.Equal(t, 200, mended.status, mended.text)
	require.Contains(t, []int{201, 202}, (<-waiting).status)
	// A refused credential is tried again after 1, 2, 4, ... seconds.
	require.Eventually(t, func() bool { return len(s.issues()["Waits for the credential"]) == 1 }, 2*time.Minute, 50*time.Millisecond, "what waited is never made")

	spare := s.manage("POST", "/v1/tokens/default/jira-api", `{"name":"spare"}`)
	require.Equal(t, 201, spare.status, spare.text)
	result := spare.body["result"].(map[string]any)
	id, secret := result["id"].(string), result["access"].(map[string]any)["secret"].(string)
	s.httpAddr = other
	s.eventually(t, func() bool { return s.as(secret, "GET", "/v1/ticketing/projects", "").status == 200 }, "the other process knows the token")
	s.httpAddr = here
	require.Equal(t, 204, s.manage("DELETE", "/v1/tokens/default/jira-api/"+id, "").status)
	revoked := time.Now()
	assert.Equal(t, 401, s.as(secret, "GET", "/v1/ticketing/projects", "").status, "here at once")
	s.httpAddr = other
	require.Eventually(t, func() bool { return s.as(secret, "GET", "/v1/ticketing/projects", "").status == 401 }, time.Minute, 50*time.Millisecond, "the token stays good")
	assert.Less(t, time.Since(revoked), 35*time.Second, "30 seconds, and what a busy machine takes")

	var changes []string
	for _, c := range s.manage("GET", "/v1/integrations/default/jira-api/changes", "").body["result"].([]any) {
		change := c.(map[string]any)
		changes = append(changes, fmt.Sprint(change["by"], " ", change["what"], " ", change["fields"]))
	}
	assert.Equal(t, []string{
		"boss token revoked [spare (" + id + ")]", "boss token created [spare (" + id + ")]",
		"boss changed [provider_config.credential.secret]", changes[3], "boss created <nil>",
	}, changes)
	assert.Contains(t, changes[3], "token created")
}

// tctl and temporal can do it, too.
func TestAnIntegrationIsSteeredByCommand(t *testing.T) {
	t.Parallel()
	s := startManaged(t, options{})
	s.file("made.json", `{"name":"try-cli","by":"ann","spec":{"provider_config":{"type":"ticketing_mock_ticketing"}}}`)
	s.file("change.json", `{"by":"tim","spec":{"provider_config":{"type":"ticketing_mock_ticketing","custom_field_mappings":[{"name":"due","project_id":"*","provider_field_path":"Dates/due-date"}]}}}`)
	started := s.cli("workflow", "start", "--type", "KeepIntegration", "--task-queue", "ticketbridge", "--workflow-id", "integration:try-cli", "--input-file", filepath.Join(s.dir, "made.json"))
	require.Zero(t, started.status, started.text())
	token := s.manage("POST", "/v1/tokens/default/try-cli", "")
	require.Equal(t, 201, token.status, token.text)
	key := token.body["result"].(map[string]any)["access"].(map[string]any)["secret"].(string)
	created := s.as(key, "POST", "/v1/ticketing/tickets", `{"name":"kept"}`)
	require.Equal(t, 201, created.status, created.text)
	id := created.body["result"].(map[string]any)["id"].(string)

	needTctl(t)
	changed := s.tctl("workflow", "signal", "--workflow_id", "integration:try-cli", "--name", "change", "--input_file", filepath.Join(s.dir, "change.json"))
	require.Zero(t, changed.status, changed.text())
	s.eventually(t, func() bool {
		a := s.as(key, "PATCH", "/v1/ticketing/tickets/"+id, `[{"op":"add","path":"/custom_fields/due","value":"tomorrow"}]`)
		return a.status == 200 && strings.Contains(a.text, `"due":"tomorrow"`)
	}, "the mapping is known, and the ticket is still there")
	var view contract.IntegrationView
	value, err := s.client.QueryWorkflow(t.Context(), contract.IntegrationID("try-cli"), "", contract.QueryState)
	require.NoError(t, err)
	require.NoError(t, value.Get(&view))
	assert.Equal(t, "tim", view.UpdatedBy)

	list, status := s.starter("integration", "list")
	require.Zero(t, status, list)
	assert.Regexp(t, `jira-ops +ticketing_jira +http://\S+ +the file`, list)
	assert.Regexp(t, `try-cli +ticketing_mock_ticketing +the API +\S.* tim`, list)
	log, status := s.starter("integration", "log", "try-cli")
	require.Zero(t, status, log)
	assert.Regexp(t, `tim +changed +provider_config.custom_field_mappings`, log)
	more, status := s.starter("integration", "token", "create", "try-cli", "--label", "mine")
	require.Zero(t, status, more)
	require.Eventually(t, func() bool {
		return s.as(strings.TrimSpace(more), "GET", "/v1/ticketing/tickets/"+id, "").status == 200
	},
		time.Minute, 50*time.Millisecond, "serve knows the token")
	gone, status := s.starter("integration", "delete", "try-cli", "--force")
	require.Zero(t, status, gone)
	_, status = s.starter("integration", "get", "try-cli")
	assert.Equal(t, 3, status)
	_, status = s.starter("integration", "get", "jira-ops")
	assert.Zero(t, status)
}
