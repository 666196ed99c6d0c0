package acronis

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTokens(t *testing.T) {
	b := newBench(t, Options{})
	const form = "grant_type=client_credentials"
	b.enter("anyone", "anything")
	b.s.AddClient(Client{ID: "c", Secret: "s"})
	b.s.AddClient(Client{ID: "weak", Secret: "s", NoScope: true})
	for _, c := range []struct {
		id, secret, form string
		status           int
		says             string
	}{
		{"c", "wrong", form, 401, "invalid_client"},
		{"other", "s", form, 401, "invalid_client"},
		{"c", "s", "grant_type=password", 400, "unsupported_grant_type"},
		{"c", "s", "", 400, "invalid_request"},
	} {
		w := b.login(c.id, c.secret, c.form)
		assert.Equal(t, c.status, w.Code, c.form)
		assert.Contains(t, w.Body.String(), c.says)
	}
	b.token = "foreign"
	assert.Equal(t, 401, b.get("/topics").Code, "a client is known, so foreign tokens are not")
	assert.Equal(t, b.now.Add(2*time.Hour).Unix(), b.enter("c", "s"))
	assert.Equal(t, 200, b.get("/topics").Code)
	b.now = b.now.Add(2*time.Hour - time.Second)
	assert.Equal(t, 200, b.get("/topics").Code)
	b.now = b.now.Add(time.Second)
	w := b.get("/topics")
	assert.Equal(t, 401, w.Code)
	assert.Equal(t, "text/html", w.Header().Get("Content-Type"))
	b.enter("c", "s")
	b.s.RevokeTokens()
	assert.Equal(t, 401, b.get("/topics").Code)
	b.enter("weak", "s")
	assert.Equal(t, 403, b.get("/topics").Code)
	assert.Equal(t, 401, b.do(httptest.NewRequest("GET", base+"/topics", nil)).Code)
}

// Without clients every foreign token is good, but one of ours still ends.
func TestOurTokensEndWithoutClientsToo(t *testing.T) {
	b := newBench(t, Options{JSON401: true})
	assert.Equal(t, 200, b.get("/topics").Code)
	b.enter("any", "any")
	b.now = b.now.Add(2 * time.Hour)
	w := b.get("/topics")
	assert.Equal(t, 401, w.Code)
	assert.Contains(t, w.Body.String(), `"domain":"EventManager"`)
}

func TestTheDialectsDiffer(t *testing.T) {
	inPath := "/topics/" + TopicTenant + "/offsets?position=EARLIEST"
	inQuery := "/topics/offsets?position=EARLIEST&topic_id=" + TopicTenant
	for dialect, want := range map[Dialect][]int{
		Both: {200, 200, 200, 202, 200, 202}, Tutorial: {200, 404, 200, 202, 202, 202}, OpenAPI: {404, 200, 405, 200, 200, 200},
	} {
		b := newBench(t, Options{Dialect: dialect})
		w := b.subscribe(subA, nil)
		require.Equal(t, 201, w.Code)
		session := map[Dialect]string{Both: "PT30S", Tutorial: "PT5M", OpenAPI: "PT30S"}[dialect]
		assert.Contains(t, w.Body.String(), `"session_timeout":"`+session+`"`, dialect)
		got := []int{b.get(inPath).Code, b.get(inQuery).Code, b.post(base+"/subscriptions/offset", `{"subscription_id":"`+subA+`","offset":3}`).Code}
		for range 3 {
			w := b.get(eventsURL(subA, first, 0))
			got = append(got, w.Code)
			if w.Code == 202 {
				assert.Equal(t, "5", w.Header().Get("Retry-After"))
				assert.Empty(t, w.Body.String())
			} else {
				assert.JSONEq(t, `{"events":[],"offset":0}`, w.Body.String())
			}
		}
		assert.Equal(t, want, got, dialect)
	}
}

func TestTheCatalogue(t *testing.T) {
	b := newBench(t, Options{})
	assert.Contains(t, b.get("/topics").Body.String(), TopicSecurity)
	w := b.get("/topics?topic_id=" + TopicTask)
	assert.JSONEq(t, `[{"id":"`+TopicTask+`","description":"What happens to tasks","persistency":true,"ordering":"EVENTMANAGER",
		"producer_consolidation":"NONE","archive_consolidation":"NONE","retention":"P7D"}]`, w.Body.String())
	assert.JSONEq(t, `[]`, b.get("/topics?topic_id=x").Body.String())
	one := "/types?topic_id=" + TopicTenant + "&type_id=" + disabled
	assert.NotContains(t, b.get(one).Body.String(), "schema")
	assert.Contains(t, b.get(one+"&include_schema=true").Body.String(), `"data_schema":"{\"type\"`)
	assert.NotContains(t, b.get(one).Body.String(), enabled)
	assert.Equal(t, 400, b.get(one+"&include_schema=perhaps").Code)
	require.NoError(t, b.s.AddTopic(Topic{ID: "cti.x", Retention: "P1D"}))
	assert.Contains(t, b.get("/topics?topic_id=cti.x").Body.String(), "P1D")
	assert.ErrorContains(t, b.s.AddTopic(Topic{ID: "cti.y", Retention: "P1Y"}), "retention")
	assert.Equal(t, 404, b.get("/nothing").Code)
	assert.Equal(t, 405, b.post(base+"/topics", "").Code)
}

func TestSubscriptionsAreChecked(t *testing.T) {
	b := newBench(t, Options{})
	many := make([]string, 33)
	for i := range many {
		many[i] = disabled
	}
	for name, bad := range map[string]any{
		"subscription_id": "not-a-uuid", "topic_id": "cti.unknown", "types": many, "tenant_depth": "SOME",
		"session_timeout": "PT0S", "auto_commit_interval": "5m", "cel": string(make([]byte, 4097)), "surprise": 1,
	} {
		w := b.subscribe(subA, map[string]any{name: bad})
		assert.Equal(t, 400, w.Code, name)
		assert.Contains(t, w.Body.String(), name)
	}
	for _, name := range []string{"subscription_id", "topic_id", "types", "tenant_depth"} {
		assert.Equal(t, 400, b.subscribe(subA, map[string]any{name: nil}).Code, "without %s", name)
	}
	assert.Equal(t, 400, b.subscribe(subA, map[string]any{"types": []string{"cti.*.v1.0"}}).Code)
	w := b.subscribe(subA, map[string]any{"session_timeout": "PT1M", "tenant_id": "t"})
	assert.Equal(t, 201, w.Code)
	assert.JSONEq(t, `{"subscription_id":"`+subA+`","topic_id":"`+TopicTenant+`","types":["`+allTenantTypes+`"],
		"tenant_id":"t","tenant_depth":"ALL","auto_commit":false,"session_timeout":"PT1M"}`, w.Body.String())
	assert.Equal(t, 409, b.subscribe(subA, nil).Code)
	r := httptest.NewRequest(http.MethodPost, base+"/subscriptions", nil)
	r.Header.Set("Authorization", "Bearer x")
	assert.Equal(t, 415, b.do(r).Code)
}

func TestPollsAreChecked(t *testing.T) {
	b := newBench(t, Options{UnknownStatus: 403})
	b.created(subA, nil)
	for name, values := range map[string][]string{
		"subscription_id": {"", "x"}, "consumer_id": {"", "x"}, "offset": {"", "-1", "1.0", "1e3", "9223372036854775808"},
		"limit": {"0", "101", "x"}, "timeout": {"30", "PT", "P1M"},
	} {
		for _, value := range values {
			w := b.get(eventsURL(subA, first, 0, name, value))
			assert.Equal(t, 400, w.Code, "%s=%s", name, value)
			assert.Contains(t, w.Body.String(), name)
		}
	}
	assert.Equal(t, 403, b.get(eventsURL(subB, first, 0)).Code)
	assert.Equal(t, 403, b.get("/subscriptions/offset?subscription_id="+subB).Code)
}
