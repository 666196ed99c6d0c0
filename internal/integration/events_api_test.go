package integration

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"golang.org/x/sync/errgroup"

	"github.com/ticketbridge/ticketbridge/internal/simulator/jira"
)

// The Events API as a monitoring tool sees it, with the Temporal server's own
// limit of 10 updates in flight at a workflow.
func TestEventsAPI(t *testing.T) {
	t.Parallel()
	s := start(t, options{server: []string{"--dynamic-config-value", "history.maxInFlightUpdates=10"}})
	t.Run("identity", s.testIdentity)
	t.Run("Jira is down", s.testJiraDown)
	t.Run("bodies", s.testBodies)
	t.Run("no worker", s.testNoWorker)
	t.Run("serve is killed", s.testServeKilled)
	t.Run("many at once", s.testManyAtOnce)
}

// A re-post without a key changes nothing, one with a key gets what the first
// one got; a recovery that shares its sourceID with the problem is none.
func (s *stack) testIdentity(t *testing.T) {
	down := []string{"sourceID", "trigger-17"}
	first := s.alarm(t, 201, "srv-001", "not reachable", down...)
	again := s.alarm(t, 200, "srv-001", "not reachable", down...)
	assert.Equal(t, first.body["id"], again.body["id"])
	assert.Equal(t, first.body["updated_at"], again.body["updated_at"], "a re-post changes nothing")
	assert.Equal(t, fmt.Sprintf("/v1/requests/%.0f", first.body["id"]), first.header.Get("Location"))
	for range 2 { // the second would be a new request, were it not the same event
		up := s.alarm(t, 200, "srv-001", "up again", append(down, "status", "completed", "completion_reason", "solved")...)
		assert.Equal(t, first.body["id"], up.body["id"])
		assert.Equal(t, "completed", up.body["status"])
	}

	params := map[string]any{"subject": "Disk full", "source": "Nagios", "ci": "srv-002", "note": "/var is full"}
	keyed, err := s.post(params, "Idempotency-Key", "probe-1")
	require.NoError(t, err)
	require.Equal(t, 201, keyed.status, keyed.text)
	s.alarm(t, 200, "srv-002", "something else meanwhile")
	replay, err := s.post(params, "Idempotency-Key", "probe-1")
	require.NoError(t, err)
	assert.Equal(t, 201, replay.status, "the recorded outcome: %s", replay.text)
	assert.Equal(t, keyed.body["id"], replay.body["id"])

	s.eventually(t, func() bool {
		return len(s.issues()["Alarm on srv-001"]) == 1 && s.issues()["Alarm on srv-001"][0].Status == "Done" &&
			len(s.issues()["Disk full"]) == 1 && len(s.issues()["Disk full"][0].Comments) == 1
	}, "two tickets with one comment each")
	assert.Len(t, s.issues()["Alarm on srv-001"][0].Comments, 1)
	assert.Equal(t, 1, strings.Count(s.texts("Disk full"), "/var is full"))
}

// texts is all that Jira holds under a summary.
func (s *stack) texts(summary string) string {
	var b strings.Builder
	for _, issue := range s.issues()[summary] {
		b.WriteString(jira.Text(issue.Description) + "\n")
		for _, c := range issue.Comments {
			b.WriteString(jira.Text(c.Body) + "\n")
		}
	}
	return b.String()
}

// The answer never waits for Jira, and what was taken in arrives once it is back.
func (s *stack) testJiraDown(t *testing.T) {
	require.NoError(t, s.jira.SetFaults(jira.Fault{Kind: jira.ErrorBefore}))
	created := s.alarm(t, 201, "srv-010", "first note", "internal_note", "for us only")
	updated := s.alarm(t, 200, "srv-010", "second note")
	assert.Equal(t, created.body["id"], updated.body["id"])
	waited, err := s.post(map[string]any{"subject": "Alarm on srv-010", "source": "Nagios", "ci": "srv-010", "note": "third note"}, "Prefer", "wait=1")
	require.NoError(t, err)
	assert.Equal(t, 200, waited.status, waited.text)
	assert.Equal(t, "wait=1", waited.header.Get("Preference-Applied"))
	assert.Nil(t, waited.body["ticket"])

	path := fmt.Sprintf("/v1/requests/%.0f", created.body["id"])
	s.eventually(t, func() bool { return s.get(path).status == 200 }, "the request is found")
	assert.Nil(t, s.get(path).body["ticket"])
	pending := s.notes(t, path)
	require.Len(t, pending, 4)
	assert.Contains(t, pending[0].Text, "first note")
	assert.Equal(t, []string{"for us only", "second note", "third note"}, textsOf(pending[1:]))
	assert.True(t, pending[1].Internal)

	require.NoError(t, s.jira.SetFaults())
	s.eventually(t, func() bool { return s.get(path).body["ticket"] != nil && len(s.notes(t, path)) == 4 }, "ticket and notes")
	delivered := s.notes(t, path)
	assert.Contains(t, delivered[0].Text, "first note")
	assert.ElementsMatch(t, []string{"second note", "for us only", "third note"}, textsOf(delivered[1:]))
	waited, err = s.post(map[string]any{"subject": "Alarm on srv-011", "source": "Nagios", "ci": "srv-011", "note": "n"}, "Prefer", "wait=20")
	require.NoError(t, err)
	assert.Equal(t, 201, waited.status)
	ticket, _ := waited.body["ticket"].(map[string]any)
	assert.Contains(t, ticket["key"], "OPS-", "Prefer: wait waits for the ticket")
	assert.Equal(t, 404, s.get("/v1/requests/4711").status)
	assert.Equal(t, 404, s.get("/v1/requests/4711/notes").status)
}

type noteView struct {
	Text     string `json:"text"`
	Internal bool   `json:"internal"`
}

func (s *stack) notes(t *testing.T, path string) []noteView {
	t.Helper()
	a := s.get(path + "/notes")
	require.Equal(t, 200, a.status, a.text)
	var notes []noteView
	require.NoError(t, json.Unmarshal([]byte(a.text), &notes), a.text)
	return notes
}

func textsOf(notes []noteView) []string {
	var texts []string
	for _, n := range notes {
		texts = append(texts, n.Text)
	}
	return texts
}

// What cannot be understood is refused with a sentence, and the next event is
// taken all the same.
func (s *stack) testBodies(t *testing.T) {
	const jsonType = "application/json"
	large := strings.Repeat("x", 300<<10)
	for _, c := range []struct {
		name, kind, body string
		status           int
		says             string
	}{
		{"not JSON", jsonType, `{"subject": `, 400, "Invalid JSON string posted"},
		{"a list", jsonType, `[{"subject": "s"}]`, 400, "Invalid JSON string posted"},
		{"a text", jsonType, `"subject"`, 400, "Invalid JSON string posted"},
		{"an unknown type", "application/xml", "<subject>s</subject>", 415, "application/json"},
		{"a body over the limit", jsonType, `{"note": "` + strings.Repeat("x", 1<<20) + `"}`, 413, "larger than"},
		{"parameters over the limit", jsonType, `{"subject": "s", "note": "` + large + `"}`, 413, "larger than"},
		{"nothing", jsonType, `{}`, 422, "subject"},
		{"an unknown status", jsonType, `{"subject": "s", "status": "nearly_done"}`, 422, "status"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := s.call(http.MethodPost, "/v1/events", strings.NewReader(c.body), "Content-Type", c.kind)
			require.NoError(t, err)
			assert.Equal(t, c.status, a.status, a.text)
			assert.Contains(t, a.text, c.says)
		})
	}
	a, err := s.call(http.MethodPost, "/v1/events?subject=From+a+query&source=curl&note="+"100%25%20full", nil)
	require.NoError(t, err)
	require.Equal(t, 201, a.status, a.text)
	a, err = s.call(http.MethodPost, "/v1/events", strings.NewReader("subject=From+a+form&source=curl&note=a;b%20c"),
		"Content-Type", "application/x-www-form-urlencoded")
	require.NoError(t, err)
	require.Equal(t, 201, a.status, a.text)
	s.eventually(t, func() bool {
		return strings.Contains(s.texts("From a query"), "100% full") && strings.Contains(s.texts("From a form"), "a;b c")
	}, "the tickets of query and form")
	a, err = s.call(http.MethodPost, "/v1/events", strings.NewReader("subject=x"), "Authorization", "Bearer wrong-token")
	require.NoError(t, err)
	assert.Equal(t, 401, a.status, a.text)
	assert.Contains(t, a.header.Get("WWW-Authenticate"), "Bearer")
}

// Without a worker an event is safe: 202 with the place to ask, and the outcome
// once a worker runs.
func (s *stack) testNoWorker(t *testing.T) {
	s.workers[0].kill()
	s.workers = nil
	slow := make(chan answer, 1)
	begin := time.Now()
	go func() { // ends with the answer, which is read below
		a, _ := s.post(map[string]any{"subject": "Waits", "source": "Nagios", "ci": "srv-020", "note": "n"})
		slow <- a
	}()
	quick, err := s.post(map[string]any{"subject": "Does not wait", "source": "Nagios", "ci": "srv-021", "note": "n"}, "Prefer", "respond-async")
	require.NoError(t, err)
	require.Equal(t, 202, quick.status, quick.text)
	assert.Less(t, time.Since(begin), 15*time.Second)
	pending := s.get(quick.header.Get("Location"))
	assert.Equal(t, 202, pending.status, "not decided yet: %s", pending.text)
	out, status := s.starter("event", "send", "--wait", "1s", "subject=By hand", "source=Nagios", "ci=srv-022", "note=n")
	assert.Zero(t, status, out)
	assert.Contains(t, out, "not decided yet")

	waited := <-slow
	require.Equal(t, 202, waited.status, waited.text)
	assert.GreaterOrEqual(t, time.Since(begin), 19*time.Second)
	assert.Equal(t, waited.header.Get("Location"), waited.body["location"])
	s.startWorker()
	for _, location := range []string{waited.header.Get("Location"), quick.header.Get("Location")} {
		s.eventually(t, func() bool { return s.get(location).status == 200 }, "the outcome at "+location)
		assert.Equal(t, "created", s.get(location).body["outcome"])
	}
	s.eventually(t, func() bool {
		return len(s.issues()["Waits"]) == 1 && len(s.issues()["Does not wait"]) == 1 && len(s.issues()["By hand"]) == 1
	}, "the tickets")
	assert.Equal(t, 404, s.get("/v1/events/bm8tcmVjZWlwdA").status)
}

// A caller whose connection breaks after its event was taken posts it again,
// and changes nothing.
func (s *stack) testServeKilled(t *testing.T) {
	s.workers[0].kill() // so that the answer is still to come
	s.workers = nil
	params := map[string]any{"subject": "Alarm on srv-030", "source": "Nagios", "ci": "srv-030", "note": "n"}
	failed := make(chan error, 1)
	go func() { // ends with the connection
		_, err := s.post(params)
		failed <- err
	}()
	workflow := s.workflowOf("srv-030")
	s.eventually(t, func() bool { return s.signals(workflow) == 1 }, "the event's signal")
	s.serve.kill()
	require.Error(t, <-failed)
	s.startServe()
	s.startWorker()
	again, err := s.post(params)
	require.NoError(t, err)
	assert.Equal(t, 200, again.status, "the first one made the request: %s", again.text)
	s.eventually(t, func() bool { return len(s.issues()["Alarm on srv-030"]) == 1 }, "the ticket")
	view := s.match(workflow)
	assert.Len(t, view.Requests, 1)
	assert.EqualValues(t, 1, view.Duplicates)
}

// signals counts those in a workflow's history; none where it does not exist.
func (s *stack) signals(workflow string) int {
	return s.history(workflow)[enums.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED]
}

// More callers than Temporal lets wait at one workflow all get their decision.
func (s *stack) testManyAtOnce(t *testing.T) {
	const many = 25
	s.workers[0].kill() // so that all of them wait at the same time
	s.workers = nil
	var group errgroup.Group
	answers := make([]answer, many)
	for i := range many {
		group.Go(func() (err error) {
			answers[i], err = s.post(map[string]any{"subject": "Alarm on srv-040", "source": "Nagios", "ci": "srv-040", "note": fmt.Sprintf("event-%02d.", i)})
			return err
		})
	}
	workflow := s.workflowOf("srv-040")
	s.eventually(t, func() bool { return s.signals(workflow) == many }, "all signals")
	s.startWorker()
	require.NoError(t, group.Wait())
	var created int
	ids := map[any]bool{}
	for _, a := range answers {
		require.Contains(t, []int{200, 201}, a.status, a.text)
		if a.status == 201 {
			created++
		}
		ids[a.body["id"]] = true
	}
	assert.Equal(t, 1, created)
	assert.Len(t, ids, 1)
	var found []string
	s.eventually(t, func() bool {
		found = slices.DeleteFunc(strings.Fields(s.texts("Alarm on srv-040")), func(w string) bool { return !strings.HasPrefix(w, "event-") })
		return len(found) >= many
	}, "all notes")
	slices.Sort(found)
	assert.Len(t, slices.Compact(found), many, "each once")
	assert.Len(t, found, many)
}
