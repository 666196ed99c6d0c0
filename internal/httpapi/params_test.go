package httpapi

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/event"
)

const form = "application/x-www-form-urlencoded"

func TestEventParameters(t *testing.T) {
	for name, c := range map[string]struct {
		query, contentType, body string
		want                     event.Params
	}{
		"query": {query: "subject=Server%20Down&source=MyMonitoringTool&sourceID=882395&note=Not%20reachable",
			want: event.Params{"subject": "Server Down", "source": "MyMonitoringTool", "sourceID": "882395", "note": "Not reachable"}},
		"query with plus, semicolon and a bare percent sign": {query: "subject=disk+100%+full;+act&note=a%3Bb%zz",
			want: event.Params{"subject": "disk 100% full; act", "note": "a;b%zz"}},
		"last of equal keys": {query: "subject=a&subject=b", want: event.Params{"subject": "b"}},
		"body wins":          {query: "subject=q&source=s", contentType: "application/json", body: `{"subject":"b"}`, want: event.Params{"subject": "b", "source": "s"}},
		"null in the body does not hide the query": {query: "subject=q", contentType: "application/json", body: `{"subject":null}`,
			want: event.Params{"subject": "q"}},
		"form":                         {contentType: form, body: "subject=Server+Down&note=%D0%94%D0%B8%D1%81%D0%BA", want: event.Params{"subject": "Server Down", "note": "Диск"}},
		"form with charset":            {contentType: form + "; charset=UTF-8", body: "subject=a", want: event.Params{"subject": "a"}},
		"JSON under a form's type":     {contentType: form, body: ` {"subject":"a=b&c"}`, want: event.Params{"subject": "a=b&c"}},
		"JSON under no type":           {body: "\ufeff\n {\"subject\":\"a\"}", want: event.Params{"subject": "a"}},
		"JSON under text":              {contentType: "text/plain", body: `{"subject":"a"}`, want: event.Params{"subject": "a"}},
		"JSON under an unreadable one": {contentType: "application/json; charset", body: `{"subject":"a"}`, want: event.Params{"subject": "a"}},
		"vendor JSON":                  {contentType: "application/vnd.tool+json", body: `{"subject":"a"}`, want: event.Params{"subject": "a"}},
		"form under no type":           {body: "subject=a", want: event.Params{"subject": "a"}},
		"empty JSON body":              {query: "subject=a", contentType: "application/json", body: " \n", want: event.Params{"subject": "a"}},
		"types as YAML leaves them": {contentType: "application/json",
			body: `{"sourceID":882395,"source":null,"note":{"firing":"not reachable"},"subject":true,"ci":["a", 1],"team":"","ci_id":12345678901234567890,"impact":1.50}`,
			want: event.Params{"sourceID": "882395", "note": `{"firing":"not reachable"}`, "subject": "true", "ci": `["a",1]`, "ci_id": "12345678901234567890", "impact": "1.50"}},
		"both spellings of the event's id are passed on": {query: "source_id=1&sourceID=2", want: event.Params{"source_id": "1", "sourceID": "2"}},
		"custom fields":             {contentType: "application/json", body: `{"custom_fields":[{"id":"a", "value":"b"}]}`, want: event.Params{"custom_fields": `[{"id":"a","value":"b"}]`}},
		"unknown ones are not kept": {query: "subject=a&access_token=secret&created_by=x", want: event.Params{"subject": "a"}},
		"bytes that are no text":    {query: "subject=a%FFb%00c", want: event.Params{"subject": "a\ufffdbc"}},
		"the same in JSON":          {contentType: "application/json", body: "{\"subject\":\"a\\u0000b\",\"note\":{\"x\":\"\xff\"}}", want: event.Params{"subject": "ab", "note": "{\"x\":\"\ufffd\"}"}},
		"unicode":                   {contentType: "application/json", body: `{"subject":"日本 \ud83d\ude00 Диск"}`, want: event.Params{"subject": "日本 😀 Диск"}},
		"multipart":                 {contentType: `multipart/form-data; boundary=x`, body: "--x\r\nContent-Disposition: form-data; name=\"subject\"\r\n\r\na b\r\n--x--\r\n", want: event.Params{"subject": "a b"}},
		"nothing at all is for matching to refuse": {want: event.Params{}},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			w := e.call("POST", "/v1/events?"+c.query, c.body, "Content-Type", c.contentType)
			require.Equal(t, http.StatusCreated, w.Code, w.Body)
			assert.Equal(t, c.want, e.events.lastEvent().Params)
		})
	}
}

func TestBodiesThatCannotBeRead(t *testing.T) {
	for name, c := range map[string]struct {
		contentType, body string
		status            int
		want              string
	}{
		"cut JSON":         {"application/json", `{"subject":`, 400, `{"message":"Invalid JSON string posted"}`},
		"a list":           {"application/json", `[{"subject":"a"}]`, 400, `{"message":"Invalid JSON string posted"}`},
		"a text":           {"application/json", `"a"`, 400, `{"message":"Invalid JSON string posted"}`},
		"not JSON":         {"application/json", `subject=a`, 400, `{"message":"Invalid JSON string posted"}`},
		"two objects":      {"application/json", `{}{}`, 400, `{"message":"Invalid JSON string posted"}`},
		"plain text":       {"text/plain", `server down`, 400, `{"message":"Invalid JSON string posted"}`},
		"XML":              {"application/xml", `<a/>`, 415, ""},
		"broken multipart": {"multipart/form-data; boundary=x", "--y", 400, ""},
		"no boundary":      {"multipart/form-data", "--y", 400, ""},
		"too deep":         {"application/json", `{"note":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`, 400, `{"message":"Invalid JSON string posted"}`},
		"too large":        {"application/json", `{"note":"` + strings.Repeat("a", DefaultMaxBody) + `"}`, 413, ""},
		"too many texts":   {"application/json", `{"note":"` + strings.Repeat("a", maxParameters) + `"}`, 413, ""},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			w := e.call("POST", "/v1/events", c.body, "Content-Type", c.contentType)
			require.Equal(t, c.status, w.Code, w.Body)
			if c.want != "" {
				assert.JSONEq(t, c.want, w.Body.String())
			}
			assert.Empty(t, e.events.submitted)
		})
	}
}

func TestCompressedBodyIsRefused(t *testing.T) {
	w := newEnv(t).call("POST", "/v1/events", "x", "Content-Encoding", "gzip")
	assert.Equal(t, http.StatusUnsupportedMediaType, w.Code)
	assert.Contains(t, w.Body.String(), "without Content-Encoding")
}

func TestLongQueryIsRefused(t *testing.T) {
	w := newEnv(t).call("POST", "/v1/events?note="+strings.Repeat("a", maxQuery), "")
	assert.Equal(t, http.StatusRequestURITooLong, w.Code)
	assert.Contains(t, w.Body.String(), "in the body")
}

func TestBodyAtTheLimitIsTaken(t *testing.T) {
	e := newEnv(t, func(o *Options) { o.MaxBody = 30 })
	assert.Equal(t, http.StatusCreated, e.call("POST", "/v1/events", `{"subject":"`+strings.Repeat("a", 16)+`"}`).Code)
	assert.Equal(t, http.StatusRequestEntityTooLarge, e.call("POST", "/v1/events", `{"subject":"`+strings.Repeat("a", 17)+`"}`).Code)
}

// FuzzEventsBody: no body, query or content type makes a fault of ours, and
// every answer is JSON.
func FuzzEventsBody(f *testing.F) {
	f.Add("subject=a", "application/json", []byte(`{"subject":"a","note":{"a":[1,null]}}`))
	f.Add("a=%zz;&&=", form, []byte("subject=%f&x"))
	f.Add("", "multipart/form-data; boundary=x", []byte("--x\r\nContent-Disposition: form-data; name=\"subject\"\r\n\r\na\r\n--x--\r\n"))
	f.Add("", "", []byte("\xef\xbb\xbf{"))
	f.Add("", "text/plain; =", []byte("\x00=\xff"))
	e := newEnv(f)
	f.Fuzz(func(t *testing.T, query, contentType string, body []byte) {
		r := httptest.NewRequest("POST", "/v1/events", strings.NewReader(string(body)))
		r.URL.RawQuery = query
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", contentType)
		w := httptest.NewRecorder()
		e.handler.ServeHTTP(w, r)
		require.Less(t, w.Code, 500)
		require.Equal(t, "application/json; charset=utf-8", w.Header().Get("Content-Type"))
		if w.Code == http.StatusCreated {
			for name, value := range e.events.lastEvent().Params {
				require.Equal(t, cleanText(value), value)
				require.NotEmpty(t, value)
				require.True(t, knownParameters()[name])
			}
		}
		e.events.submitted, e.events.callers, e.log.lines = nil, nil, nil
	})
}
