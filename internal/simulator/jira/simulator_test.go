package jira

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const emptyDoc = `{"type":"doc","version":1,"content":[]}`

func doc(text string) string {
	return `{"type":"doc","version":1,"content":[{"type":"paragraph","content":[{"type":"text","text":` + fmt.Sprintf("%q", text) + `}]}]}`
}

type site struct {
	t      *testing.T
	now    time.Time
	sim    *Simulator
	server *httptest.Server
}

func newSite(t *testing.T, options Options) *site {
	s := &site{t: t, now: time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)}
	options.Now = func() time.Time { return s.now }
	s.sim = New(options)
	s.server = httptest.NewServer(s.sim)
	t.Cleanup(s.server.Close)
	return s
}

// call answers the status and body; status 0 is a lost connection.
func (s *site) call(method, path, body string) (int, string) {
	s.t.Helper()
	r, err := http.NewRequest(method, s.server.URL+path, strings.NewReader(body))
	require.NoError(s.t, err)
	r.SetBasicAuth("u", "p")
	response, err := s.server.Client().Do(r)
	if err != nil {
		return 0, ""
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	return response.StatusCode, string(text)
}

func (s *site) create(fields string) (int, string) {
	return s.call("POST", "/rest/api/3/issue", `{"fields":{"project":{"key":"OPS"},"issuetype":{"name":"Task"}`+fields+`}}`)
}

func TestJirasOwnValidation(t *testing.T) {
	s := newSite(t, Options{})
	for fields, want := range map[string]string{
		``:                  "You must specify a summary",
		`,"summary":"a\nb"`: "newline",
		`,"summary":"` + strings.Repeat("x", 255) + `"`:                   "less than 255",
		`,"summary":"x","description":"plain"`:                            "must be an Atlassian Document",
		`,"summary":"x","description":` + doc(""):                         "must not be empty",
		`,"summary":"x","labels":["a b"]`:                                 "The label 'a b' contains spaces which is invalid.",
		`,"summary":"x","labels":["` + strings.Repeat("x", 256) + `"]`:    "maximum length",
		`,"summary":"x","nonsense":1`:                                     "Field 'nonsense' cannot be set. It is not on the appropriate screen, or unknown.",
		`,"summary":"x","priority":{"name":"P1"}`:                         "Priority",
		`,"summary":"x","assignee":{"id":"acc-gone"}`:                     "cannot be assigned",
		`,"summary":"x","duedate":"tomorrow"`:                             "date",
		`,"summary":"x","customfield_10010":"red"`:                        "option",
		`,"summary":"x","description":` + doc(strings.Repeat("x", 32768)): "32,767",
	} {
		status, body := s.create(fields)
		assert.Equal(t, 400, status, fields)
		assert.Contains(t, body, want)
	}
	for project, want := range map[string]int{"NOPE": 400} {
		status, _ := s.call("POST", "/rest/api/3/issue", `{"fields":{"project":{"key":"`+project+`"},"summary":"x"}}`)
		assert.Equal(t, want, status)
	}
	status, body := s.create(`,"summary":"x","description":` + emptyDoc)
	assert.Equal(t, 201, status)
	assert.Contains(t, body, `"key":"OPS-1"`)
	assert.Equal(t, map[string]int{"create": 1}, s.sim.Stats().Commits)

	status, _ = s.call("POST", "/rest/api/3/search", `{}`)
	assert.Equal(t, http.StatusGone, status)
	response, err := http.Get(s.server.URL + "/rest/api/3/myself")
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusUnauthorized, response.StatusCode)
}

func TestDocuments(t *testing.T) {
	for content, want := range map[string]string{
		`{"type":"text","text":"x"}`:                                                                          "not allowed in doc",
		`{"type":"heading","attrs":{"level":7}}`:                                                              "level",
		`{"type":"bulletList","content":[]}`:                                                                  "empty",
		`{"type":"blockquote","content":[{"type":"heading","attrs":{"level":1}}]}`:                            "not allowed in blockquote",
		`{"type":"codeBlock","content":[{"type":"text","text":"x","marks":[{"type":"strong"}]}]}`:             "marks",
		`{"type":"paragraph","content":[{"type":"text","text":"x","marks":[{"type":"code"},{"type":"em"}]}]}`: "code",
		`{"type":"paragraph","content":[{"type":"text","text":"x","marks":[{"type":"link"}]}]}`:               "href",
		`{"type":"paragraph","text":"x"}`:                                                                     "has text",
	} {
		assert.ErrorContains(t, CheckDocument(json.RawMessage(`{"type":"doc","version":1,"content":[`+content+`]}`)), want)
	}
	for _, not := range []string{`null`, `"x"`, `{}`, `{"type":"doc","content":[]}`, `{"type":"doc","version":1}`} {
		assert.Error(t, CheckDocument(json.RawMessage(not)))
	}
}

func TestTheIndexLags(t *testing.T) {
	s := newSite(t, Options{IndexLag: time.Minute})
	s.create(`,"summary":"x","labels":["tb"]`)
	find := func(jql string) string {
		_, body := s.call("POST", "/rest/api/3/search/jql", fmt.Sprintf(`{"jql":%q,"fields":["labels"]}`, jql))
		return body
	}
	assert.NotContains(t, find(`labels = "tb"`), "OPS-1")
	s.now = s.now.Add(time.Minute)
	assert.Contains(t, find(`labels = "tb" AND project = OPS ORDER BY created DESC`), "OPS-1")
	assert.NotContains(t, find(`project = DEV`), "OPS-1")
	assert.Contains(t, find(`order by key desc`), "Unbounded")
	assert.Contains(t, find(`colour = red`), "does not exist")
	assert.Contains(t, find(`project ~~`), "Expecting operator")
}

func TestCommitsAfterTheConnectionWasDropped(t *testing.T) {
	s := newSite(t, Options{})
	require.NoError(t, s.sim.SetFaults(Fault{Kind: DropLate, Op: "create", Times: 1, Delay: 45000}))
	status, _ := s.create(`,"summary":"late"`)
	assert.Zero(t, status)
	_, err := s.sim.CreateAsOther("OPS", "meanwhile")
	require.NoError(t, err)
	s.now = s.now.Add(44 * time.Second)
	assert.Len(t, s.sim.Issues(), 1)
	s.now = s.now.Add(time.Second)
	issues := s.sim.Issues()
	require.Len(t, issues, 2)
	assert.Equal(t, "OPS-2", issues[1].Key, "its key is given when it is committed")
	assert.Equal(t, 1, s.sim.Stats().Commits["create"])
}

func TestFaultsStrikeAsAsked(t *testing.T) {
	for kind, want := range map[string]struct{ status, issues int }{
		TooMany: {429, 0}, ErrorBefore: {503, 0}, ErrorAfter: {500, 1}, DropBefore: {0, 0}, DropAfter: {0, 1},
		HTML: {200, 1}, HTMLBefore: {200, 0}, Slow: {201, 1},
	} {
		s := newSite(t, Options{})
		require.NoError(t, s.sim.SetFaults(Fault{Kind: kind, Op: "create", Times: 1, Delay: 1}))
		status, _ := s.create(`,"summary":"x"`)
		assert.Equal(t, want.status, status, kind)
		assert.Len(t, s.sim.Issues(), want.issues, kind)
		status, _ = s.create(`,"summary":"x"`)
		assert.Equal(t, 201, status, "it struck once")
	}
	s := newSite(t, Options{Seed: 3})
	require.NoError(t, s.sim.SetFaults(Fault{Kind: ErrorBefore, Probability: 0.3}))
	failed := 0
	for range 300 {
		if status, _ := s.create(`,"summary":"x"`); status == 503 {
			failed++
		}
	}
	assert.InDelta(t, 90, failed, 30)
	assert.Error(t, s.sim.SetFaults(Fault{Kind: "meteor"}))
}

func TestCreatesPerSecond(t *testing.T) {
	s := newSite(t, Options{CreatesPerSecond: 3})
	for n := range 5 {
		status, _ := s.create(`,"summary":"x"`)
		assert.Equal(t, n < 3, status == 201)
	}
	s.now = s.now.Add(time.Second)
	status, _ := s.create(`,"summary":"x"`)
	assert.Equal(t, 201, status)
	assert.Equal(t, 2, s.sim.Stats().TooMany["create"])
}

// A 429 says when in seconds or, in vendors' other way, as a date.
func TestWhenTooManyMayComeBack(t *testing.T) {
	s := newSite(t, Options{CreatesPerSecond: 1, RetryDates: true})
	date := s.now.Add(2*time.Second - 1).UTC().Format(http.TimeFormat)
	said := func(method, path string) string {
		request, err := http.NewRequest(method, s.server.URL+path, strings.NewReader(`{"fields":{"project":{"key":"OPS"},"issuetype":{"name":"Task"},"summary":"x"}}`))
		require.NoError(t, err)
		request.SetBasicAuth("a", "b")
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return response.Header.Get("Retry-After")
	}
	for _, want := range []string{"", "1", date, "1", date} {
		assert.Equal(t, want, said("POST", "/rest/api/3/issue"))
	}
	require.NoError(t, s.sim.SetFaults(Fault{Kind: TooMany, Op: "get", RetryAfter: 1, Date: true}))
	assert.Equal(t, date, said("GET", "/rest/api/3/issue/OPS-1"))
}

func TestStateSurvivesARestart(t *testing.T) {
	first := newSite(t, Options{})
	first.create(`,"summary":"x","labels":["l"]`)
	require.NoError(t, first.sim.CommentByAgent("OPS-1", "hello"))
	require.NoError(t, first.sim.Move("OPS-1", "DEV"))
	require.NoError(t, first.sim.SetFaults(Fault{Kind: DropLate, Op: "create", Times: 1, Delay: 45000}))
	first.create(`,"summary":"late"`)
	var saved bytes.Buffer
	require.NoError(t, first.sim.Snapshot(&saved))

	second := newSite(t, Options{})
	require.NoError(t, second.sim.Restore(&saved))
	_, body := second.call("GET", "/rest/api/3/issue/OPS-1", "")
	assert.Contains(t, body, `"key":"DEV-1"`)
	assert.Len(t, second.sim.Issues(), 2)
	assert.Equal(t, 2, second.sim.Stats().Commits["create"])
	_, body = second.create(`,"summary":"next"`)
	assert.Contains(t, body, `"key":"OPS-3"`)
	assert.Error(t, second.sim.Restore(strings.NewReader("{")))
}

func TestControl(t *testing.T) {
	s := newSite(t, Options{})
	do := func(want int, method, path, body string) string {
		t.Helper()
		status, text := s.call(method, "/_control/"+path, body)
		assert.Equal(t, want, status, "%s %s: %s", method, path, text)
		return text
	}
	do(200, "POST", "issues", `{"project":"OPS","summary":"by hand","labels":["x"]}`)
	do(204, "POST", "issues/OPS-1/transition", `{"to":"Done"}`)
	do(204, "POST", "issues/OPS-1/comments", `{"text":"<b>on it</b>"}`)
	dump := do(200, "GET", "issues", "")
	assert.Contains(t, dump, `"category":"done"`)
	assert.Contains(t, dump, "on it")
	do(204, "POST", "issues/OPS-1/hide", "")
	status, _ := s.call("GET", "/rest/api/3/issue/OPS-1", "")
	assert.Equal(t, 404, status)
	do(204, "POST", "issues/OPS-1/show", "")
	do(204, "POST", "issues/OPS-1/move", `{"project":"DEV"}`)
	do(204, "PUT", "faults", `[{"kind":"429","op":"create","times":1}]`)
	assert.Contains(t, do(200, "GET", "faults", ""), `"429"`)
	do(204, "DELETE", "faults", "")
	do(400, "PUT", "faults", `[{"kind":"meteor"}]`)
	do(204, "PUT", "index-lag", `{"ms":5000}`)
	do(204, "PUT", "creates-per-second", `{"n":20}`)
	do(404, "POST", "issues/OPS-9/hide", "")
	do(400, "POST", "issues/OPS-1/transition", `{"too":"Done"}`)
	assert.Contains(t, do(200, "GET", "stats", ""), "requests")

	status, page := s.call("GET", "/browse/OPS-1", "")
	assert.Equal(t, 200, status)
	assert.Contains(t, page, "DEV-1 by hand")
	assert.Contains(t, page, "&lt;b&gt;on it&lt;/b&gt;")
	_, page = s.call("GET", "/", "")
	assert.Contains(t, page, `href="/browse/DEV-1"`)
	do(204, "DELETE", "issues/DEV-1", "")
	status, _ = s.call("GET", "/browse/DEV-1", "")
	assert.Equal(t, 404, status)
	do(204, "DELETE", "projects/DEV", "")
	status, _ = s.call("GET", "/rest/api/3/project/DEV", "")
	assert.Equal(t, 404, status)
}
