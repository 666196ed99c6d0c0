package httpapi

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func newCall(method, target, token string) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestTokens(t *testing.T) {
	basic := func(user, password string) string {
		r := httptest.NewRequest("GET", "/", nil)
		r.SetBasicAuth(user, password)
		return r.Header.Get("Authorization")
	}
	for name, c := range map[string]struct {
		authorization string
		status        int
	}{
		"bearer":             {"Bearer " + token, 200},
		"bearer, any case":   {"bEARER  " + token + " ", 200},
		"basic":              {basic(token, "x"), 200},
		"basic, no password": {basic(token, ""), 200},
		"none":               {"", 401},
		"empty":              {"Bearer ", 401},
		"wrong":              {"Bearer " + token + "x", 401},
		"as a password":      {basic("monitoring", token), 401},
		"bare":               {token, 401},
		"broken basic":       {"Basic !!", 401},
	} {
		t.Run(name, func(t *testing.T) {
			w := newEnv(t).call("GET", "/v1/feeds", "", "Authorization", c.authorization)
			assert.Equal(t, c.status, w.Code)
			if c.status == 401 {
				assert.JSONEq(t, `{"message":"Unauthorized"}`, w.Body.String())
				assert.Contains(t, w.Header().Values("WWW-Authenticate"), `Bearer realm="ticketbridge"`)
			}
		})
	}
}

func TestTokenListIsChecked(t *testing.T) {
	_, err := NewTokens(Token{"", Caller{Name: "a"}})
	assert.ErrorContains(t, err, `caller "a": its token is empty`)
	_, err = NewTokens(Token{"x", Caller{Name: "a"}}, Token{"x", Caller{Name: "b"}})
	assert.ErrorContains(t, err, `"a" and "b" have the same token`)
	none, err := NewTokens()
	require.NoError(t, err)
	_, ok, _ := none.CallerByToken(t.Context(), "")
	assert.False(t, ok)
}

func TestAccountHeaders(t *testing.T) {
	for _, header := range []string{"X-4me-Account", "X-Xurrent-Account", "X-RService-Account", "X-R-Service-Account"} {
		e := newEnv(t)
		assert.Equal(t, 201, e.call("POST", "/v1/events?subject=a", "", header, " Widget ").Code, "the caller's own account")
		assert.Equal(t, "widget", e.events.lastCaller().CatalogAccount)

		assert.Equal(t, 201, e.call("POST", "/v1/events?subject=a", "", header, "wdc", "Authorization", "Bearer "+freeToken).Code)
		assert.Equal(t, "wdc", e.events.lastCaller().CatalogAccount)

		w := e.call("POST", "/v1/events?subject=a", "", header, "wdc")
		assert.Equal(t, 403, w.Code)
		assert.Contains(t, w.Body.String(), `"message":"Forbidden"`)
		assert.Contains(t, w.Body.String(), "widget")
		assert.Equal(t, 403, e.call("GET", "/v1/requests/1", "", header, "wdc").Code)
		assert.Len(t, e.events.submitted, 2)
	}
}

func TestRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, func(o *Options) { o.Limiter = NewLimiter(Rate{PerSecond: 0.4, Burst: 2}, time.Now) })
		start := time.Now()
		for left := 1; left >= 0; left-- {
			w := e.call("GET", "/v1/feeds", "")
			require.Equal(t, 200, w.Code)
			assert.Equal(t, "2", w.Header().Get("X-RateLimit-Limit"))
			assert.Equal(t, string(rune('0'+left)), w.Header().Get("X-RateLimit-Remaining"))
		}
		w := e.call("GET", "/v1/feeds", "")
		assert.Equal(t, 429, w.Code)
		assert.JSONEq(t, `{"message":"Too Many Requests"}`, w.Body.String())
		assert.Equal(t, "3", w.Header().Get("Retry-After"), "2.5 seconds, rounded up")
		assert.Equal(t, "0", w.Header().Get("X-RateLimit-Remaining"))
		assert.Equal(t, start.Add(5*time.Second).Unix(), mustInt(t, w.Header().Get("X-RateLimit-Reset")))

		assert.Equal(t, 200, e.call("GET", "/v1/feeds", "", "Authorization", "Bearer "+otherToken).Code, "another caller has its own limit")
		assert.Equal(t, 200, e.call("GET", "/healthz", "").Code)

		time.Sleep(3 * time.Second)
		assert.Equal(t, 200, e.call("GET", "/v1/feeds", "").Code, "what Retry-After promised")
	})
}

func TestDefaultRate(t *testing.T) {
	e := newEnv(t, func(o *Options) { o.Limiter = nil })
	w := e.call("GET", "/v1/feeds", "")
	assert.Equal(t, "200", w.Header().Get("X-RateLimit-Limit"))
	assert.Equal(t, "199", w.Header().Get("X-RateLimit-Remaining"))
}

func TestPathsAndMethods(t *testing.T) {
	e := newEnv(t)
	for target, status := range map[string]int{
		"GET /v1/nothing": 404, "POST /v1": 404, "GET /v2/events": 404, "GET /v1/parked/x": 404,
		"GET /v1/events": 405, "DELETE /v1/requests/1": 405, "OPTIONS /v1/events": 405, "PUT /": 405, "GET /v1/feeds/x/pause": 405,
	} {
		t.Run(target, func(t *testing.T) {
			method, path, _ := strings.Cut(target, " ")
			w := serve(e.handler, newCall(method, path, token))
			assert.Equal(t, status, w.Code)
			assert.Equal(t, "application/json; charset=utf-8", w.Header().Get("Content-Type"))
			assert.NotEmpty(t, w.Header().Get("X-Request-Id"))
			if status == 404 {
				assert.JSONEq(t, `{"message":"Not Found"}`, w.Body.String())
			} else {
				assert.Contains(t, w.Body.String(), `"message":"Method Not Allowed"`)
				assert.NotEmpty(t, w.Header().Get("Allow"))
			}
		})
	}
	assert.Equal(t, "POST", serve(e.handler, newCall("GET", "/v1/events", token)).Header().Get("Allow"))
	assert.Equal(t, "GET, HEAD", serve(e.handler, newCall("PUT", "/v1/requests/1", token)).Header().Get("Allow"))
}

// A base URL that ends in a slash must not turn a POST into a redirect.
func TestUntidyPathsAreServedWithoutRedirect(t *testing.T) {
	e := newEnv(t)
	for _, path := range []string{"//v1/events", "/v1//events", "/v1/events/", "/v1/./events"} {
		assert.Equal(t, 201, e.call("POST", path+"?subject=a", "").Code, path)
	}
	assert.Equal(t, 202, e.call("POST", "/v1//parked/"+workflow+"/a%2Fb/retry/", "").Code)
	assert.Equal(t, []string{"retry " + workflow + " a/b"}, e.parked.did, "an escaped slash stays within its id")
}

func mustInt(t *testing.T, text string) int64 {
	t.Helper()
	var n int64
	for _, c := range text {
		require.True(t, c >= '0' && c <= '9', text)
		n = n*10 + int64(c-'0')
	}
	return n
}

// Nor does a parameter lead out of the account that a caller is bound to.
func TestSupportDomainStaysInTheCallersAccount(t *testing.T) {
	e := newEnv(t)
	w := e.call("POST", "/v1/events?subject=a&support_domain=elsewhere", "")
	assert.Equal(t, http.StatusUnprocessableEntity, w.Code, w.Body)
	assert.Contains(t, w.Body.String(), "support_domain")
	w = e.call("POST", "/v1/events?subject=a&support_domain=Widget", "")
	assert.Equal(t, http.StatusOK, w.Code/100*100, w.Body)
}
