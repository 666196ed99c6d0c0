package cloudfeeds

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type bench struct {
	t   *testing.T
	now time.Time
	s   *Server
}

func newBench(t *testing.T, opts Options) *bench {
	b := &bench{t: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	opts.Now = func() time.Time { return b.now }
	b.s = New(opts)
	return b
}

func (b *bench) publish(letters string) {
	for _, l := range letters {
		b.now = b.now.Add(time.Second)
		b.s.Publish(Entry{ID: "urn:uuid:" + string(l), Account: "1", TicketID: "T"})
	}
	b.now = b.now.Add(10 * time.Second)
}

func (b *bench) get(path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("X-Auth-Token", "any")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	b.s.ServeHTTP(w, r)
	return w
}

var idForm = regexp.MustCompile(`<atom:id>urn:uuid:(.)</atom:id>`)

// shown are the letters of the entries on a page, in its order.
func (b *bench) shown(query string) string {
	w := b.get("/consolidated_ticketing/events/1" + query)
	if w.Code != http.StatusOK {
		return http.StatusText(w.Code)
	}
	var out strings.Builder
	for _, m := range idForm.FindAllStringSubmatch(w.Body.String(), -1) {
		out.WriteString(m[1])
	}
	return out.String()
}

func TestWhatEachRequestReturns(t *testing.T) {
	const m = "&marker=urn:uuid:"
	for query, want := range map[string][3]string{
		"?limit=3":                              {"fed", "fed", "fed"},
		"?limit=3" + m + "b":                    {"edc", "dcb", ""},
		"?limit=3" + m + "f":                    {"", "f", ""},
		"?limit=3" + m + "e&direction=BACKWARD": {"edc", "abc", ""},
		"?limit=3&marker=last":                  {"cba", "abc", ""},
		"?limit=3" + m + "z":                    {"Not Found", "Not Found", "Not Found"},
		"?startingAt=2026-03-01T12:00:02.000Z":  {"fedc", "fedc", "fedc"},
		"?startingAt=2026-03-01T13:00:02.000Z":  {"Not Found", "Internal Server Error", "Internal Server Error"},
		"?limit=0":                              {"Bad Request", "Bad Request", "Bad Request"},
		"?limit=1001":                           {"Bad Request", "Bad Request", "Bad Request"},
		"?limit=x":                              {"Bad Request", "Bad Request", "Bad Request"},
		"?search=x":                             {"Bad Request", "Bad Request", "Bad Request"},
		"?direction=up" + m + "a":               {"Bad Request", "Bad Request", "Bad Request"},
		"?startingAt=yesterday":                 {"Bad Request", "Bad Request", "Bad Request"},
		"?search=(cat=rid:T)&limit=2":           {"fe", "fe", "fe"},
		"?search=(cat=rid:other)":               {"", "", ""},
	} {
		for i, mode := range []Mode{JDBC, DDB, DDBBrokenForward} {
			b := newBench(t, Options{Mode: mode})
			b.publish("abcdef")
			require.Equal(t, want[i], b.shown(query), "%s %s", mode, query)
		}
	}
}

func TestHeadDelayLateAndRetention(t *testing.T) {
	b := newBench(t, Options{})
	b.publish("a")
	b.s.Publish(Entry{ID: "urn:uuid:b", Account: "1"}, Entry{ID: "urn:uuid:c", Account: "1", VisibleAt: b.now.Add(time.Minute)}, Entry{ID: "urn:uuid:p", Account: "1", Private: true})
	require.Equal(t, "a", b.shown(""))
	b.now = b.now.Add(3 * time.Second)
	require.Equal(t, "ba", b.shown(""))
	b.now = b.now.Add(time.Minute)
	require.Equal(t, "cba", b.shown(""))
	b.s.Expire("urn:uuid:b")
	require.Equal(t, "Not Found", b.shown("?marker=urn:uuid:b"))
	b.now = b.now.Add(73 * time.Hour)
	require.Empty(t, b.shown(""))
	require.NotContains(t, b.get("/consolidated_ticketing/events/1").Body.String(), "<updated>")
}

func TestJSONFormAndNotModified(t *testing.T) {
	b := newBench(t, Options{})
	b.publish("ab")
	b.s.Publish(Entry{Account: "1", TicketID: "T", Comments: []Comment{{Text: "one\ntwo"}}})
	b.now = b.now.Add(3 * time.Second)
	w := b.get("/consolidated_ticketing/events/1/", "Accept", jsonType)
	require.False(t, json.Valid(w.Body.Bytes()), "a raw line break, as the real server sends it")
	require.True(t, json.Valid([]byte(strings.ReplaceAll(w.Body.String(), "one\ntwo", ""))))
	tag := w.Header().Get("ETag")
	require.Equal(t, http.StatusNotModified, b.get("/consolidated_ticketing/events/1/", "If-None-Match", tag).Code)
	require.Equal(t, http.StatusNotAcceptable, b.get("/consolidated_ticketing/events/1", "Accept", "application/json").Code)
	require.NotContains(t, b.get("/consolidated_ticketing/events/2", "Accept", jsonType).Body.String(), "entry")
	require.Contains(t, b.get("/consolidated_ticketing/events/1/entries/urn:uuid:a").Body.String(), "urn:uuid:a")
	require.Equal(t, http.StatusNotFound, b.get("/consolidated_ticketing/events/2/entries/urn:uuid:a").Code)
	require.Contains(t, b.get("/consolidated_ticketing/events/1?marker=x", "Accept", jsonType).Body.String(), `"code" : "404"`)
}

func TestRateLimitSaysWhenByDate(t *testing.T) {
	b := newBench(t, Options{RatePerMinute: 10})
	for range 10 {
		require.Equal(t, http.StatusOK, b.get("/consolidated_ticketing/events/1").Code)
	}
	w := b.get("/consolidated_ticketing/events/1")
	require.Equal(t, http.StatusRequestEntityTooLarge, w.Code)
	at, err := http.ParseTime(w.Header().Get("Retry-After"))
	require.NoError(t, err)
	b.now = at
	require.Equal(t, http.StatusOK, b.get("/consolidated_ticketing/events/1").Code)
}

func TestIdentityAndBasic(t *testing.T) {
	b := newBench(t, Options{})
	b.s.AddUser(User{Name: "alice", APIKey: "k"})
	login := func(key string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		b.s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v2.0/tokens", strings.NewReader(`{"auth":{"RAX-KSKEY:apiKeyCredentials":{"username":"alice","apiKey":"`+key+`"}}}`)))
		return w
	}
	require.Equal(t, http.StatusUnauthorized, login("x").Code)
	w := login("k")
	var answer struct {
		Access struct{ Token struct{ ID string } }
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
	status := func() int {
		return b.get("/consolidated_ticketing/events/1", "X-Auth-Token", answer.Access.Token.ID).Code
	}
	require.Equal(t, http.StatusOK, status())
	b.now = b.now.Add(24 * time.Hour)
	require.Equal(t, http.StatusUnauthorized, status(), "expired")
	require.Equal(t, http.StatusOK, b.get("/consolidated_ticketing/events/1", "Authorization", "Basic YWxpY2U6aw==").Code)
	require.Equal(t, http.StatusUnauthorized, b.get("/consolidated_ticketing/events/1").Code)
}

func TestControlAndRestart(t *testing.T) {
	b := newBench(t, Options{})
	post := func(s *Server, path, body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, strings.NewReader(body)))
		return w
	}
	require.Equal(t, http.StatusOK, post(b.s, "/_control/publish", `[{"id":"urn:uuid:a","account":"1"},{"id":"urn:uuid:b","account":"1"}]`).Code)
	require.Equal(t, http.StatusOK, post(b.s, "/_control/mode", `{"mode":"ddb"}`).Code)
	require.Equal(t, http.StatusBadRequest, post(b.s, "/_control/mode", `{"mode":"x"}`).Code)
	require.Equal(t, http.StatusOK, post(b.s, "/_control/faults", `[{"kind":"status","status":500,"next":1}]`).Code)
	require.Equal(t, "Internal Server Error", b.shown(""))
	require.Equal(t, "ba", b.shown(""))
	state, err := io.ReadAll(b.get("/_control/snapshot").Body)
	require.NoError(t, err)
	again := newBench(t, Options{})
	require.Equal(t, http.StatusOK, post(again.s, "/_control/restore", string(state)).Code)
	require.Equal(t, "ba", again.shown(""))
	require.Equal(t, DDB, again.s.opts.Mode)
	require.Equal(t, 2, again.s.Stats().Published)
	require.NotEmpty(t, b.s.Log())
	require.Equal(t, http.StatusNotFound, post(b.s, "/_control/nothing", "").Code)
}
