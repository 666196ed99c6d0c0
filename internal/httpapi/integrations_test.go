package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/operate"
	"github.com/ticketbridge/ticketbridge/internal/registry"
)

const (
	boss     = "Authorization"
	bossSays = "Bearer " + adminToken
)

// manage makes a call as somebody who may manage integrations.
func (e *env) manage(method, target, body string, headers ...string) (int, http.Header, map[string]any) {
	e.t.Helper()
	w := e.call(method, target, body, append([]string{boss, bossSays}, headers...)...)
	var answer map[string]any
	if w.Body.Len() > 0 {
		require.NoError(e.t, json.Unmarshal(w.Body.Bytes(), &answer), w.Body.String())
	}
	return w.Code, w.Header(), answer
}

func withAcme(t *testing.T) *env {
	e := newEnv(t)
	e.managed.there = registry.Integration{
		Name: "acme", Account: "widget", Fullname: "Acme", Version: 3, Tag: "t3",
		ProviderConfig: json.RawMessage(`{"type":"ticketing_jira","custom_field_mappings":[{"name":"due","project_id":"*","provider_field_path":"duedate"}]}`),
	}
	return e
}

func TestAnIntegrationIsMadeWithItsToken(t *testing.T) {
	e := newEnv(t)
	code, header, answer := e.manage("POST", "/v1/integrations/widget", `{"name":"acme","fullname":"Acme","provider_config":{"type":"ticketing_mock_ticketing"},"token_ttl":"24h"}`)
	require.Equal(t, http.StatusCreated, code, answer)
	assert.Equal(t, "/v1/integrations/widget/acme", header.Get("Location"))
	assert.Equal(t, `"t1"`, header.Get("ETag"))
	result := answer["result"].(map[string]any)
	made, token := result["integration"].(map[string]any), result["token"].(map[string]any)
	assert.Equal(t, "acme", made["id"])
	assert.Equal(t, "widget", made["account_id"])
	assert.Equal(t, "boss", made["created_by"])
	assert.Equal(t, map[string]any{"secret": "tb_acme_secret", "expires": "2026-01-16T12:00:00Z"}, token["access"])
}

func TestOnlyManagersManage(t *testing.T) {
	e := withAcme(t)
	for _, path := range []string{"/v1/integrations", "/v1/accounts", "/v1/integrations/widget/acme", "/v1/tokens/widget/acme"} {
		w := e.call("GET", path, "", "Authorization", "Bearer "+token)
		assert.Equal(t, http.StatusForbidden, w.Code, path)
		assert.Contains(t, w.Body.String(), "admin: true", path)
		assert.Contains(t, w.Body.String(), `"occurred_at"`, "a Problem")
	}
	w := e.call("GET", "/v1/ticketing/projects", "", boss, bossSays)
	assert.Equal(t, http.StatusForbidden, w.Code)
	assert.Contains(t, w.Body.String(), "use a token of an integration")
}

func TestAnIntegrationIsShownInItsAccountOnly(t *testing.T) {
	e := withAcme(t)
	code, header, answer := e.manage("GET", "/v1/integrations/widget/acme", "")
	require.Equal(t, http.StatusOK, code)
	assert.Equal(t, `"t3"`, header.Get("ETag"))
	assert.Equal(t, false, answer["result"].(map[string]any)["read_only"])
	code, _, _ = e.manage("GET", "/v1/integrations/other/acme", "")
	assert.Equal(t, http.StatusNotFound, code)
	code, _, _ = e.manage("DELETE", "/v1/integrations/other/acme", "")
	assert.Equal(t, http.StatusNotFound, code)
	assert.Empty(t, e.managed.calls)
	_, _, answer = e.manage("GET", "/v1/integrations/widget", "")
	assert.Len(t, answer["result"], 1)
	_, _, answer = e.manage("GET", "/v1/integrations", "")
	assert.Len(t, answer["result"], 2)
	_, _, answer = e.manage("GET", "/v1/accounts", "")
	assert.Len(t, answer["result"], 2)
}

func TestAnIntegrationIsPatched(t *testing.T) {
	for name, patch := range map[string]string{
		"JSON Patch":       `[{"op":"add","path":"/provider_config/custom_field_mappings/-","value":{"name":"effort","project_id":"TST","project_field_path":"effort"}},{"op":"replace","path":"/fullname","value":"Acme Inc"}]`,
		"JSON Merge Patch": `{"fullname":"Acme Inc","provider_config":{"custom_field_mappings":[{"name":"due","project_id":"*","provider_field_path":"duedate"},{"name":"effort","project_id":"TST","project_field_path":"effort"}]}}`,
	} {
		e := withAcme(t)
		code, header, answer := e.manage("PATCH", "/v1/integrations/widget/acme", patch, "If-Match", `"t3"`)
		require.Equal(t, http.StatusOK, code, "%s: %v", name, answer)
		assert.Equal(t, `"t4"`, header.Get("ETag"), name)
		assert.Equal(t, "Acme Inc", e.managed.there.Fullname, name)
		assert.Equal(t, "widget", e.managed.there.Account, name)
		assert.JSONEq(t, `{"type":"ticketing_jira","custom_field_mappings":[{"name":"due","project_id":"*","provider_field_path":"duedate"},{"name":"effort","project_id":"TST","project_field_path":"effort"}]}`,
			string(e.managed.there.ProviderConfig), name)
		assert.Equal(t, "boss", e.managed.there.UpdatedBy)
	}
}

func TestAnIntegrationIsReplaced(t *testing.T) {
	e := withAcme(t)
	code, _, answer := e.manage("PUT", "/v1/integrations/widget/acme", `{"provider_config":{"type":"ticketing_mock_ticketing"}}`)
	require.Equal(t, http.StatusOK, code, answer)
	assert.Empty(t, e.managed.there.Fullname, "what is not named is not kept")
	assert.Equal(t, "widget", e.managed.there.Account)
}

func TestBadCallsOfTheManagement(t *testing.T) {
	const one = "/v1/integrations/widget/acme"
	for _, c := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"POST", "/v1/integrations", `{}`, 400, "provider_config: missing"},
		{"POST", "/v1/integrations", `{"provider_config":{}}`, 400, "name: missing"},
		{"POST", "/v1/integrations", `{"nam":"x"}`, 400, "nam: there is no such member"},
		{"POST", "/v1/integrations", `{"name":7}`, 400, "name: is of the wrong type"},
		{"POST", "/v1/integrations", `{"name":"x","provider_config":{}} {}`, 400, "nothing after it"},
		{"POST", "/v1/integrations", ``, 400, "not valid JSON"},
		{"POST", "/v1/integrations", `[]`, 400, "want an object"},
		{"POST", "/v1/integrations/widget", `{"name":"x","account_id":"other","provider_config":{}}`, 400, "account_id"},
		{"POST", "/v1/integrations", `{"name":"x","provider_config":{},"token_ttl":"soon"}`, 400, "token_ttl"},
		{"PUT", one, `{}`, 400, "provider_config: missing"},
		{"PUT", one, `{"name":"other","provider_config":{}}`, 400, "keeps its name"},
		{"PATCH", one, `[{"op":"remove","path":"/nowhere"}]`, 400, "nowhere"},
		{"PATCH", one, `[{"op":"add","path":"/colour","value":1}]`, 400, "colour"},
		{"PATCH", one, `[{"op":"test","path":"/fullname","value":"other"}]`, 409, "A test of the patch does not hold"},
		{"PATCH", one, `[]`, 400, "want 1 to"},
		{"PATCH", one, `"x"`, 400, "want a list of JSON Patch"},
		{"PATCH", one, `{"provider_config":null}`, 400, "provider_config: missing"},
		{"PATCH", one, `{"name":"other"}`, 400, "keeps its name"},
		{"GET", "/v1/integrations/widget/nobody", "", 404, "nobody"},
		{"POST", "/v1/tokens/widget/acme", `{"token_ttl":"-1h"}`, 400, "token_ttl"},
		{"DELETE", "/v1/integrations", "", 405, "takes GET, HEAD, POST"},
		{"GET", "/v1/integrations/widget/acme/verify", "", 405, "takes POST"},
	} {
		e := withAcme(t)
		w := e.call(c.method, c.path, c.body, boss, bossSays)
		assert.Equal(t, c.status, w.Code, "%s %s %s: %s", c.method, c.path, c.body, w.Body)
		assert.Contains(t, w.Body.String(), c.want, "%s %s %s", c.method, c.path, c.body)
		assert.Contains(t, w.Body.String(), `"occurred_at"`, "a Problem")
		assert.Empty(t, e.managed.calls)
	}
	e := withAcme(t)
	code, _, _ := e.manage("PATCH", one, `{"fullname":"x"}`, "If-Match", `"t2"`)
	assert.Equal(t, http.StatusConflict, code)
	code, _, _ = e.manage("DELETE", one, "", "If-Match", `"t2"`)
	assert.Equal(t, http.StatusConflict, code)
	code, _, _ = e.manage("PATCH", one, `{"fullname":"x"}`, "If-Match", `W/"t3"`)
	assert.Equal(t, http.StatusOK, code)
}

// What is only tried needs no name.
func TestAnIntegrationIsTriedWithoutAName(t *testing.T) {
	e := newEnv(t)
	for _, body := range []string{`{"provider_config":{"type":"ticketing_mock_ticketing"}}`, `{"name":"acme","provider_config":{"type":"ticketing_mock_ticketing"}}`} {
		code, _, answer := e.manage("POST", "/v1/integrations/default/verify", body)
		assert.Equal(t, http.StatusOK, code, answer)
	}
	assert.Equal(t, []string{"check verify new=true", "check acme new=true"}, e.managed.calls)
}

func TestWhyTheManagementRefuses(t *testing.T) {
	for want, err := range map[int]error{
		400: fmt.Errorf("%w: provider_config: url: missing", operate.ErrInvalid),
		409: fmt.Errorf("integration acme is in the configuration file; change it there: %w", registry.ErrReadOnly),
		404: fmt.Errorf("integration acme: %w", ErrNotFound),
		503: fmt.Errorf("integration acme: %w", ErrUnavailable),
	} {
		e := withAcme(t)
		e.managed.err = err
		code, _, answer := e.manage("POST", "/v1/integrations/widget/acme/verify", "")
		assert.Equal(t, want, code, answer)
	}
	e := withAcme(t)
	e.managed.err = fmt.Errorf("%w: provider_config: url: missing", operate.ErrInvalid)
	_, _, answer := e.manage("POST", "/v1/integrations/widget/acme/verify", "")
	assert.Equal(t, "provider_config: url: missing", answer["detail"])
}

func TestTokensOfAnIntegration(t *testing.T) {
	e := newEnv(t)
	_, _, _ = e.manage("POST", "/v1/integrations", `{"name":"acme","provider_config":{}}`)
	code, _, answer := e.manage("POST", "/v1/tokens/default/acme", `{"name":"ci","token_ttl":"1h"}`)
	require.Equal(t, http.StatusCreated, code)
	assert.Equal(t, map[string]any{
		"id": "t2", "name": "ci", "access": map[string]any{"secret": "tb_acme_more", "expires": "2026-01-15T13:00:00Z"},
	}, answer["result"])
	code, _, answer = e.manage("POST", "/v1/tokens/default/acme", ``)
	require.Equal(t, http.StatusCreated, code, answer)
	_, _, answer = e.manage("GET", "/v1/tokens/default/acme", "")
	assert.NotContains(t, fmt.Sprint(answer), "secret")
	assert.Len(t, answer["result"], 1)
	code, _, _ = e.manage("DELETE", "/v1/tokens/default/acme/t2", "")
	assert.Equal(t, http.StatusNoContent, code)
	code, _, _ = e.manage("DELETE", "/v1/integrations/default/acme?force=true", "")
	assert.Equal(t, http.StatusNoContent, code)
	assert.Equal(t, []string{"create acme", "token acme ci", "token acme ", "revoke acme t2", "delete acme force=true by boss"}, e.managed.calls)
}

func TestWhileTokensCannotBeAskedNobodyIsTurnedAwayForGood(t *testing.T) {
	e := newEnv(t, func(o *Options) { o.Callers = undecided{} })
	w := e.call("GET", "/v1/ticketing/projects", "", "Authorization", "Bearer tb_acme_x")
	assert.Equal(t, http.StatusServiceUnavailable, w.Code)
	assert.NotEmpty(t, w.Header().Get("Retry-After"))
}
