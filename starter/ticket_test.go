package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fakeServe answers calls in turn, the last one for good, and remembers them.
type fakeServe struct {
	t   *testing.T
	url string

	mu      sync.Mutex
	answers []fakeAnswer
	calls   []fakeCall
}

type fakeAnswer struct {
	status int
	body   string
	header map[string]string
}

type fakeCall struct {
	method, path string
	query        url.Values
	header       http.Header
	body         string
}

func newFakeServe(t *testing.T, answers ...fakeAnswer) *fakeServe {
	f := &fakeServe{t: t, answers: answers}
	server := httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(server.Close)
	f.url = server.URL
	t.Setenv("TEST_DESK_TOKEN", "token-of-the-desk")
	return f
}

func (f *fakeServe) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, fakeCall{r.Method, r.URL.EscapedPath(), r.URL.Query(), r.Header, string(body)})
	answer := f.answers[0]
	if len(f.answers) > 1 {
		f.answers = f.answers[1:]
	}
	for name, value := range answer.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(answer.status)
	_, _ = io.WriteString(w, answer.body)
}

func (f *fakeServe) last() fakeCall { return f.calls[len(f.calls)-1] }

// run runs a ticket command against the server.
func (f *fakeServe) run(stdin string, args ...string) (out string, status int, err error) {
	return runStarter(stdin, append([]string{"ticket", "--url", f.url, "--token", "env:TEST_DESK_TOKEN"}, args...)...)
}

func runStarter(stdin string, args ...string) (out string, status int, err error) {
	root := rootCommand()
	var text bytes.Buffer
	root.SetOut(&text)
	root.SetErr(&text)
	root.SetIn(strings.NewReader(stdin))
	root.SetArgs(args)
	if err = root.Execute(); err != nil {
		status = exitStatus(err)
	}
	return text.String(), status, err
}

const madeTicket = `{"result":{"id":"10012","name":"Quay lights","summary":"Quay lights","status":"Open","priority":"HIGH",
"created_at":"2026-03-04T12:00:00Z","updated_at":"2026-03-04T12:00:00Z","custom_fields":{"berth":7},"description":"It is\u001b[31m dark.",
"unmapped":{"key":"OPS-12","url":"https://x.example/browse/OPS-12"}}}`

func TestTicketCreate(t *testing.T) {
	f := newFakeServe(t, fakeAnswer{status: 201, body: madeTicket})
	file := filepath.Join(t.TempDir(), "ticket.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"name":"from the file","tags":["quay"],"custom_fields":{"crane":2,"berth":1}}`), 0o600))
	out, _, err := f.run("", "create", "-f", file, "--name", "Quay lights", "--priority", "high", "--due", "2026-05-06",
		"--field", "berth=7", "--field", "note=two words", "--key", "order-17", "--wait", "5s")
	require.NoError(t, err)
	call := f.last()
	assert.Equal(t, "POST /v1/ticketing/tickets", call.method+" "+call.path)
	assert.JSONEq(t, `{"name":"Quay lights","priority":"HIGH","due_date":"2026-05-06T00:00:00Z","tags":["quay"],
		"custom_fields":{"crane":2,"berth":7,"note":"two words"}}`, call.body)
	assert.Equal(t, "Bearer token-of-the-desk", call.header.Get("Authorization"))
	assert.Equal(t, "order-17", call.header.Get("Idempotency-Key"))
	assert.Equal(t, "wait=5", call.header.Get("Prefer"))
	for _, want := range []string{"OPS-12  Quay lights\n", "link      https://x.example/browse/OPS-12", "priority  HIGH", "created   2026-03-04 12:00:00Z", "berth     7", "\nIt is[31m dark.\n"} {
		assert.Contains(t, out, want)
	}
	out, _, err = f.run(`{"name":"x"}`, "create", "-f", "-", "-o", "json")
	require.NoError(t, err)
	assert.JSONEq(t, madeTicket, out, "the API's own shape")
	_, status, err := f.run("", "create")
	assert.ErrorContains(t, err, "give --name")
	assert.Equal(t, exitUsage, status)
}

func TestTicketPatch(t *testing.T) {
	f := newFakeServe(t, fakeAnswer{status: 200, body: madeTicket})
	_, _, err := f.run(`[{"op":"test","path":"/status","value":"Open"}]`, "patch", "T/1", "-f", "-", "--status", "Done", "--field", "a/b=true",
		"--set", "name=123", "--set", "custom_fields/size=3", "--set", "/tags=a,b", "--set", "tags/-=c", "--unset", "due_date")
	require.NoError(t, err)
	assert.Equal(t, "PATCH /v1/ticketing/tickets/T%2F1", f.last().method+" "+f.last().path)
	assert.JSONEq(t, `[{"op":"test","path":"/status","value":"Open"},{"op":"replace","path":"/status","value":"Done"},
		{"op":"replace","path":"/custom_fields/a~1b","value":true},{"op":"replace","path":"/name","value":"123"},
		{"op":"replace","path":"/custom_fields/size","value":3},{"op":"replace","path":"/tags","value":["a","b"]},{"op":"add","path":"/tags/-","value":"c"},
		{"op":"remove","path":"/due_date"}]`, f.last().body)
	for _, args := range [][]string{{"patch", "1"}, {"patch", "1", "--set", "status"}, {"patch"}, {"patch", "1", "-f", "/nowhere"}} {
		_, status, err := f.run("", args...)
		assert.Equal(t, exitUsage, status, "%v: %v", args, err)
	}
}

func TestTicketList(t *testing.T) {
	f := newFakeServe(t, fakeAnswer{status: 200, body: `{"result":[],"cursor":"b"}`},
		fakeAnswer{status: 200, body: strings.Replace(madeTicket, `{"result":`, `{"result":[`, 1)[:len(madeTicket)] + `],"cursor":"c=="}`})
	out, _, err := f.run("", "list", "--filter", `status[in]To Do,"Done, really"`, "--order", "created_at[desc]", "--limit", "2")
	require.NoError(t, err)
	assert.Equal(t, url.Values{"filter": {`status[in]To Do,"Done, really"`}, "order": {"created_at[desc]"}, "limit": {"2"}, "cursor": {"b"}}, f.last().query)
	assert.Contains(t, out, "TICKET  STATUS  PRIORITY  ASSIGNEE  UPDATED               NAME         LINK\n")
	assert.Contains(t, out, "OPS-12  Open    HIGH      -         2026-03-04 12:00:00Z  Quay lights  https://x.example/browse/OPS-12\n")
	assert.Contains(t, out, "there are more: --all, or --cursor 'c=='")

	f = newFakeServe(t, fakeAnswer{status: 200, body: `{"result":[{"id":"1"},{"id":"2"}],"cursor":"more"}`}, fakeAnswer{status: 200, body: `{"result":[{"id":"3"}],"cursor":""}`})
	out, _, err = f.run("", "list", "--all", "-o", "json")
	require.NoError(t, err)
	assert.JSONEq(t, `{"result":[{"id":"1"},{"id":"2"},{"id":"3"}],"cursor":""}`, out)
	assert.Equal(t, "500", f.last().query.Get("limit"))
	out, _, err = newFakeServe(t, fakeAnswer{status: 200, body: `{"result":[],"cursor":""}`}).run("", "list")
	require.NoError(t, err)
	assert.Equal(t, "none\n", out)
	for _, args := range [][]string{{"--filter", "status"}, {"--order", "a[up]"}, {"--limit", "501"}, {"--limit", "0"}, {"--all", "--limit", "3"}} {
		_, status, err := f.run("", append([]string{"list"}, args...)...)
		assert.Equal(t, exitUsage, status, "%v: %v", args, err)
	}
}

// What was done otherwise than asked is told beside the ticket; JSON has it anyway.
func TestTicketWarnings(t *testing.T) {
	body := strings.TrimSuffix(madeTicket, "}") + `,"messages":{"problems":[{"message":"x","status":200,"detail":"assignee: nobody\u001b is known"}]}}`
	f := newFakeServe(t, fakeAnswer{status: 201, body: body})
	args := []string{"ticket", "--url", f.url, "--token", "env:TEST_DESK_TOKEN", "create", "--name", "x"}
	for format, want := range map[string]string{"text": "warning: assignee: nobody is known\n", "json": ""} {
		var out, told bytes.Buffer
		root := rootCommand()
		root.SetOut(&out)
		root.SetErr(&told)
		root.SetArgs(append(args, "-o", format))
		require.NoError(t, root.Execute())
		assert.Equal(t, want, told.String(), format)
		assert.NotContains(t, out.String(), "warning")
		assert.Equal(t, format == "json", strings.Contains(out.String(), `"problems"`))
	}
}

// Each command asks what it should, and shows what came.
func TestTicketCommands(t *testing.T) {
	for _, c := range []struct {
		args, call, body, answer, shows string
	}{
		{"get OPS-12", "GET tickets/OPS-12", "", madeTicket, "OPS-12  Quay lights"},
		{"comment add 1 hello", "POST tickets/1/comments", `{"content":"hello"}`, `{"result":{"id":"c1","creator":"a@b","content":"hello","created_at":"2026-03-04T12:00:00Z"}}`, "c1  2026-03-04 12:00:00Z  a@b\n    hello\n"},
		{"comment add 1 - --creator me", "POST tickets/1/comments", `{"content":"from stdin","creator":"me"}`, `{"result":{"id":"c1"}}`, "c1"},
		{"comment list 1", "GET tickets/1/comments", "", `{"result":[]}`, "none"},
		{"comment delete 1 c1", "DELETE tickets/1/comments/c1", "", `{}`, "deleted"},
		{"note add 1 text --title Cause", "POST tickets/1/notes", `{"title":"Cause","content":"text"}`, `{"result":{"id":"n1","title":"Cause","content":"text"}}`, "    Cause\n    text\n"},
		{"note list 1", "GET tickets/1/notes", "", `{"result":[{"id":"n1","content":"text"}]}`, "n1  -  -\n    text\n"},
		{"note patch 1 n1 --content new", "PATCH tickets/1/notes/n1", `[{"op":"replace","path":"/content","value":"new"}]`, `{"result":{"id":"n1"}}`, "n1"},
		{"note delete 1 n1", "DELETE tickets/1/notes/n1", "", `{}`, "deleted"},
		{"attachment list 1", "GET attachments/1", "", `{"result":[{"id":"7","file_name":"df.txt","file_type":"text/plain","file_size":8,"created_date":"2026-03-04T12:00:00Z","creator":"me"}]}`, "7     df.txt  8 B   text/plain  2026-03-04 12:00:00Z  me"},
		{"file delete 1 7", "DELETE attachments/1/7", "", `{}`, "deleted"},
		{"attachment add 1 - --name a.txt", "POST attachments/1", `{"file_name":"a.txt","content":"ZnJvbSBzdGRpbg=="}`, `{"result":{"id":"7","file_name":"a.txt"}}`, "7     a.txt"},
		{"projects", "GET projects", "", `{"result":[{"id":"OPS","name":"Operations"}],"cursor":""}`, "OPS      Operations"},
		{"fields", "GET remote-fields", "", `{"result":[{"field_id":"f1","provider_field_name":"Colour","schema":{"field_type_id":"enum","enum_values":["red","blue"]}}]}`, "f1     Colour  enum  -      -        -     red, blue"},
		{"policies --filter name=x", "GET escalation-policies", "", `{"result":[{"id":"P1","name":"All","rules":[{"delay_seconds":300,"actors":[{"full_name":"Ines"},{"id":"S1"}]},{"delay_seconds":60,"actors":[{"name":"Team"}]}]}],"cursor":""}`, "P1      All   Ines, S1 (5m0s), then Team (1m0s)"},
		{"on-call P1", "GET escalation-policies/P1/on-call", "", `{"result":[{"uid":"U1","full_name":"Ines Krohn","email_addr":"i@x"}]}`, "U1      Ines Krohn  i@x     -"},
		{"operation write:ops:abc/run", "GET operations/write:ops:abc%2Frun", "", `{"id":"write:ops:abc/run","status":"parked","reason":"no such user"}`, "waits for a person (starter parked list): no such user"},
	} {
		t.Run(c.args, func(t *testing.T) {
			f := newFakeServe(t, fakeAnswer{status: 200, body: c.answer})
			out, _, err := f.run("from stdin\n", strings.Fields(c.args)...)
			require.NoError(t, err)
			call := f.last()
			assert.Equal(t, c.call, call.method+" "+strings.TrimPrefix(call.path, "/v1/ticketing/"))
			if c.body == "" {
				assert.Empty(t, call.body)
			} else if strings.Contains(c.args, "attachment") { // bytes as they came
				assert.Contains(t, call.body, `"content":"ZnJvbSBzdGRpbgo="`)
			} else {
				assert.JSONEq(t, c.body, call.body)
			}
			assert.Contains(t, out, c.shows)
			out, _, err = f.run("from stdin\n", append(strings.Fields(c.args), "-o", "json")...)
			require.NoError(t, err)
			assert.JSONEq(t, c.answer, out)
		})
	}
}

// A write that takes longer is asked for again, which joins it.
func TestTicketWritesWait(t *testing.T) {
	underWay := fakeAnswer{status: 503, header: map[string]string{"Retry-After": "1"},
		body: `{"message":"The write is still under way","detail":"It is safe. jira does not answer","context":{"operation":"write:ops:abc/run"}}`}
	stands := func(status string) fakeAnswer {
		return fakeAnswer{status: 200, body: fmt.Sprintf(`{"id":"write:ops:abc/run","status":%q,"reason":"no such user"}`, status)}
	}
	f := newFakeServe(t, underWay, stands("pending"), fakeAnswer{status: 201, body: madeTicket})
	out, _, err := f.run("", "create", "--name", "x")
	require.NoError(t, err)
	assert.Contains(t, out, "It is safe. jira does not answer", "why it takes so long is told")
	assert.Contains(t, out, "OPS-12")
	require.Len(t, f.calls, 3)
	assert.Equal(t, f.calls[0].body, f.calls[2].body)

	f = newFakeServe(t, underWay, stands("parked"))
	_, status, err := f.run("", "create", "--name", "x")
	assert.ErrorContains(t, err, "waits for a person: no such user")
	assert.Equal(t, exitFailed, status)

	f = newFakeServe(t, underWay, stands("pending"))
	_, status, err = f.run("", "create", "--name", "x", "--wait", "0s")
	assert.ErrorContains(t, err, "starter ticket operation write:ops:abc/run tells how it stands")
	assert.Equal(t, exitFailed, status)
	assert.Equal(t, "wait=0", f.calls[0].header.Get("Prefer"))

	f = newFakeServe(t, fakeAnswer{status: 202, body: `{"id":"write:ops:abc/run","status":"pending"}`})
	out, _, err = f.run("", "create", "--name", "x", "--async")
	require.NoError(t, err)
	assert.Contains(t, out, "under way: operation write:ops:abc/run")
	assert.Equal(t, "respond-async, wait=0", f.last().header.Get("Prefer"))
}

func TestTicketErrors(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		exit   int
		says   string
	}{
		{404, `{"message":"Not Found","detail":"get issue OPS-99: absent"}`, exitNotFound, "Not Found: get issue OPS-99: absent"},
		{400, `{"message":"Bad Request","detail":"name: missing","context":{"parameter":{"id":"/name"}}}`, exitUsage, "name: missing"},
		{400, `{"message":"Bad Request","detail":"query issues: no such field"}`, exitFailed, "no such field"},
		{501, `{"message":"Not Implemented","detail":"jira cannot do this"}`, exitFailed, "jira cannot do this"},
		{502, `{"message":"The provider refuses","remediation":"Renew the token."}`, exitFailed, "\nRenew the token."},
		{503, `{"message":"The provider cannot be reached"}`, exitFailed, "cannot be reached"},
		{401, `{"message":"Unauthorized"}`, exitFailed, "the server does not know the token"},
		{200, `<html>`, exitFailed, "is the address right?"},
		{500, `<html>`, exitFailed, "500 Internal Server Error: the answer is not one of the ticketing API"},
	} {
		_, status, err := newFakeServe(t, fakeAnswer{status: c.status, body: c.body}).run("", "get", "OPS-99")
		assert.ErrorContains(t, err, c.says)
		assert.Equal(t, c.exit, status, c.says)
	}
	t.Setenv("TEST_DESK_TOKEN", "token-of-the-desk")
	nowhere := httptest.NewServer(http.NotFoundHandler())
	nowhere.Close()
	_, status, err := runStarter("", "ticket", "get", "1", "--url", nowhere.URL, "--token", "env:TEST_DESK_TOKEN")
	assert.ErrorContains(t, err, "does a starter serve run there?")
	assert.Equal(t, exitNoServer, status)
	for _, args := range [][]string{
		{"--url", "http://x"}, {"--token", "env:X"}, {"--url", "ftp://x", "--token", "env:TEST_DESK_TOKEN"},
		{"--url", "http://x", "--token", "secret"}, {"--url", "http://x", "--token", "env:TEST_DESK_TOKEN", "--integration", "ops"},
	} {
		_, status, err := runStarter("", append([]string{"ticket", "get", "1"}, args...)...)
		require.Error(t, err)
		assert.Equal(t, exitUsage, status, "%v: %v", args, err)
	}
	_, _, err = runStarter("", "ticket", "get", "1", "--url", "http://x", "--token", "plain")
	assert.ErrorContains(t, err, "--token: want env:NAME or file:PATH")
	assert.NotContains(t, err.Error(), "plain")
}

// What a body says in the end is valid JSON, whatever was typed.
func FuzzTyped(f *testing.F) {
	for _, seed := range []string{"3", "1e999", `"x"`, "007", "[1,", "true false", "null", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		data, err := json.Marshal(map[string]any{"v": typed(text)})
		require.NoError(t, err)
		require.True(t, json.Valid(data))
	})
}
