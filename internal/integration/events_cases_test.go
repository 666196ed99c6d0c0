package integration

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/simulator/jira"
)

// matchingCases is the file of examples of the Events API's rules.
type matchingCases struct {
	Fixture map[string]any `json:"fixture"`
	Cases   []matchingCase `json:"cases"`
}

type matchingCase struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Given struct {
		CurrentUser map[string]any `json:"current_user"`
		Requests    []any          `json:"requests"`
	} `json:"given"`
	Events []struct {
		At     int64          `json:"at_s"`
		Params map[string]any `json:"params"`
	} `json:"events"`
	Expect []struct {
		Status    int            `json:"status"`
		Outcome   string         `json:"outcome"`
		Request   string         `json:"request"`
		NoteAdded *bool          `json:"note_added"`
		Changed   map[string]any `json:"changed"`
		Errors    any            `json:"errors"`
		Fields    map[string]any `json:"fields"`
	} `json:"expect"`
	After map[string]json.RawMessage `json:"after"`
}

// overHTTP: nothing has to be there before, and no day has to pass.
func (c matchingCase) overHTTP() bool {
	const window = 24 * 60 * 60
	for _, e := range c.Events {
		if e.At >= window {
			return false
		}
	}
	return len(c.Given.Requests) == 0
}

func (c matchingCase) name() string { return strings.ToLower(c.ID) }

func readCases(t *testing.T) (matchingCases, []matchingCase) {
	t.Helper()
	var all matchingCases
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "cases", "event-matching.json"))
	if os.IsNotExist(err) {
		t.Skip("the file of examples of the matching rules is not beside this repository")
	}
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &all))
	var possible []matchingCase
	for _, c := range all.Cases {
		if c.overHTTP() {
			possible = append(possible, c)
		}
	}
	require.NotEmpty(t, possible)
	return all, possible
}

// casesConfig gives every case an integration and a caller of its own, so that
// no case sees another one's requests. A case that is about the current user
// gets a person.
func casesConfig(all matchingCases, cases []matchingCase, jiraURL string) (config, catalog string, env []string) {
	var integrations, callers strings.Builder
	people, _ := all.Fixture["people"].([]any)
	for i, c := range cases {
		fmt.Fprintf(&integrations, "  - {name: %s, type: ticketing_jira, url: %q, credential: {type: basic, username: b, secret: \"env:TEST_JIRA_TOKEN\"},"+
			" default_project: DEV, default_issue_type: Task, settling: 1s, rate: {per_second: 200, concurrency: 16}}\n", c.name(), jiraURL)
		person, _ := all.Fixture["current_user"].(map[string]any)
		if c.Given.CurrentUser != nil {
			person = maps.Clone(person)
			maps.Copy(person, c.Given.CurrentUser)
			person["id"], person["email"] = 9000+i, c.name()+"@widget.example"
			people = append(people, person)
		}
		fmt.Fprintf(&callers, "  - {name: %s, token: \"env:TOKEN_%s\", integration: %s, person: %s}\n", c.name(), c.ID, c.name(), person["email"])
		env = append(env, "TOKEN_"+c.ID+"="+c.token())
	}
	fixture := maps.Clone(all.Fixture)
	fixture["people"] = people
	for _, notOfACatalog := range []string{"t0", "notes"} {
		delete(fixture, notOfACatalog)
	}
	data, err := json.Marshal(fixture)
	if err != nil {
		panic(err) // it was JSON before
	}
	config = "integrations:\n" + integrations.String() + "callers:\n" + callers.String() + "catalog: catalog.yaml\n"
	return config, string(data), env
}

func (c matchingCase) token() string { return "token-of-the-case-" + c.name() }

// Every example of the rules that needs no past, over HTTP, against the real
// programs: the status, the request's fields, the recorded outcome, the notes.
func TestMatchingCasesOverHTTP(t *testing.T) {
	t.Parallel()
	all, cases := readCases(t)
	url, _ := startJira(t, jira.Options{})
	text, catalog, env := casesConfig(all, cases, url)
	s := start(t, options{config: func(string) string { return text }, catalog: catalog, env: env})
	t.Run("case", func(t *testing.T) {
		for _, c := range cases {
			t.Run(c.ID, func(t *testing.T) {
				t.Parallel()
				(&caseRun{t: t, s: s, c: c, ids: map[string]json.Number{}}).run()
			})
		}
	})
	t.Logf("%d of %d cases", len(cases), len(all.Cases))
}

// caseRun plays one case.
type caseRun struct {
	t    *testing.T
	s    *stack
	c    matchingCase
	ids  map[string]json.Number // request ids by label
	made int
}

func (r *caseRun) run() {
	before := map[string]any{}
	for i := range r.c.Events {
		before = r.event(i, before)
	}
	for label, raw := range r.c.After {
		if label == "requests" {
			assert.Equal(r.t, string(raw), fmt.Sprint(r.made), "requests made")
			continue
		}
		r.after(label, raw)
	}
}

func (r *caseRun) call(method, path string, body any, headers ...string) (int, http.Header, map[string]any, string) {
	r.t.Helper()
	data, err := json.Marshal(body)
	require.NoError(r.t, err)
	a, err := r.s.call(method, path, strings.NewReader(string(data)),
		append(headers, "Authorization", "Bearer "+r.c.token(), "Content-Type", "application/json")...)
	require.NoError(r.t, err)
	decoder := json.NewDecoder(strings.NewReader(a.text))
	decoder.UseNumber()
	var exact map[string]any
	_ = decoder.Decode(&exact) // not every answer is an object
	return a.status, a.header, exact, a.text
}

func (r *caseRun) event(i int, before map[string]any) map[string]any {
	want := r.c.Expect[i]
	key := fmt.Sprintf("%s-%d", r.c.ID, i)
	status, _, body, text := r.call(http.MethodPost, "/v1/events", r.c.Events[i].Params, "Idempotency-Key", key)
	require.Equal(r.t, want.Status, status, "event %d: %s", i+1, text)
	if want.Errors != nil {
		assert.Equal(r.t, want.Errors, plain(body["errors"]), "event %d", i+1)
	}
	if status >= http.StatusBadRequest {
		return before
	}
	id, _ := body["id"].(json.Number)
	if status == http.StatusCreated {
		r.made++
	}
	if known, ok := r.ids[want.Request]; ok && want.Request != "" {
		assert.Equal(r.t, known, id, "event %d belongs to %s", i+1, want.Request)
	} else {
		assert.NotContains(r.t, slices.Collect(maps.Values(r.ids)), id, "event %d makes a request of its own", i+1)
		r.ids[want.Request] = id
	}
	r.fields(body, want.Fields)
	if want.Changed != nil {
		assert.Equal(r.t, plain(want.Changed), changes(before, body), "event %d: changed", i+1)
	}
	r.outcome(i, key, id)
	return body
}

// outcome: the same key again gives the recorded decision, and changes nothing.
func (r *caseRun) outcome(i int, key string, id json.Number) {
	want := r.c.Expect[i]
	status, header, _, text := r.call(http.MethodPost, "/v1/events", r.c.Events[i].Params, "Idempotency-Key", key, "Prefer", "respond-async")
	require.Equal(r.t, http.StatusAccepted, status, text)
	status, _, body, text := r.call(http.MethodGet, header.Get("Location"), nil)
	require.Equal(r.t, http.StatusOK, status, text)
	assert.Equal(r.t, want.Outcome, body["outcome"], "event %d", i+1)
	if want.NoteAdded != nil {
		assert.Equal(r.t, *want.NoteAdded, body["note_added"], "event %d: note_added", i+1)
	}
	request, _ := body["request"].(map[string]any)
	assert.Equal(r.t, id, request["id"], "event %d", i+1)
}

// fields compares a request's fields; references are ids.
func (r *caseRun) fields(body, want map[string]any) {
	for name, value := range want {
		switch name {
		case "notes", "notes_set":
			r.notes(body["id"], value)
		case "account":
			// Not a member of R-Service's request; its ticket tells it.
		default:
			got, known := body[name]
			assert.True(r.t, known, "the answer has no %s", name)
			assert.Equal(r.t, plain(value), flat(got), name)
		}
	}
}

// notes are told as they are at the provider: the first one with the request's
// other fields below it.
func (r *caseRun) notes(id, want any) {
	wanted, _ := want.([]any)
	r.s.eventually(r.t, func() bool {
		found := r.readNotes(id)
		for _, w := range wanted {
			note, _ := w.(map[string]any)
			if !slices.ContainsFunc(found, func(n map[string]any) bool {
				text, _ := n["text"].(string)
				return strings.HasPrefix(text, note["text"].(string)) && n["internal"] == note["internal"]
			}) {
				return false
			}
		}
		return true
	}, fmt.Sprintf("notes of %s: %v", r.c.ID, want))
}

func (r *caseRun) readNotes(id any) []map[string]any {
	status, _, _, text := r.call(http.MethodGet, fmt.Sprintf("/v1/requests/%v/notes", id), nil)
	var found []map[string]any
	if status == http.StatusOK {
		require.NoError(r.t, json.Unmarshal([]byte(text), &found), text)
	}
	return found
}

func (r *caseRun) after(label string, raw json.RawMessage) {
	var want struct {
		Notes  []string       `json:"notes_text"`
		Fields map[string]any `json:"fields"`
	}
	require.NoError(r.t, json.Unmarshal(raw, &want))
	id := r.ids[label]
	for deadline := time.Now().Add(soon); ; {
		status, _, body, text := r.call(http.MethodGet, "/v1/requests/"+id.String(), nil)
		if status == http.StatusOK {
			r.fields(body, want.Fields)
			break
		}
		require.True(r.t, time.Now().Before(deadline), text) // the index is behind
	}
	if want.Notes == nil {
		return
	}
	r.s.eventually(r.t, func() bool {
		found := r.readNotes(id)
		if len(found) != len(want.Notes) {
			return false
		}
		for i, text := range want.Notes {
			if got, _ := found[i]["text"].(string); !strings.HasPrefix(got, text) {
				return false
			}
		}
		return true
	}, fmt.Sprintf("notes of %s: %v", label, want.Notes))
}

// flat is a member of a request; of a reference it is the id.
func flat(value any) any {
	if reference, ok := value.(map[string]any); ok {
		value = reference["id"]
	}
	return plain(value)
}

// plain makes numbers comparable, whichever way they were read.
func plain(value any) any {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	var out any
	if err := json.Unmarshal(data, &out); err != nil {
		return err
	}
	return out
}

// changes are the members that differ between two answers, of those that an
// event can change.
func changes(before, after map[string]any) any {
	changed := map[string]any{}
	for _, name := range []string{
		"subject", "status", "completion_reason", "team", "member", "impact", "category", "source", "sourceID", "ci", "service_instance",
		"desired_completion_at", "waiting_until", "downtime_start_at", "downtime_end_at", "requested_by", "requested_for",
	} {
		if value := flat(after[name]); !assert.ObjectsAreEqual(flat(before[name]), value) {
			changed[name] = value
		}
	}
	return plain(changed)
}
