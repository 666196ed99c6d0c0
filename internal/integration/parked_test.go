package integration

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/operate"
	"github.com/ticketbridge/ticketbridge/internal/simulator/jira"
)

// mender is one way to settle a parked item.
type mender struct {
	name string
	// does is retry, amend or discard.
	does string
	mend func(s *stack, workflow, item string) ended
}

func ciAt(n int) string { return fmt.Sprintf("srv-%03d", n) }

// menders are all ways; an amendment sets this name to this value.
func menders(set, value string) []mender {
	one := func(item string) string { return `{"item":"` + item + `"}` }
	amended := func(item string) string { return fmt.Sprintf(`{"item":%q,"set":{%q:%q}}`, item, set, value) }
	tctl := func(signal string, payload func(string) string) func(*stack, string, string) ended {
		return func(s *stack, workflow, item string) ended {
			return s.tctl("workflow", "signal", "--workflow_id", workflow, "--name", signal, "--input", payload(item))
		}
	}
	starter := func(args ...string) func(*stack, string, string) ended {
		return func(s *stack, workflow, item string) ended {
			out, status := s.starter(append([]string{"parked", args[0], workflow, item}, args[1:]...)...)
			return ended{out: out, status: status}
		}
	}
	http := func(action, body string) func(*stack, string, string) ended {
		return func(s *stack, workflow, item string) ended {
			a, err := s.call(http.MethodPost, "/v1/parked/"+url.PathEscape(workflow)+"/"+url.PathEscape(item)+"/"+action, strings.NewReader(body))
			if err != nil || a.status != 202 {
				return ended{err: fmt.Sprint(err, a.text), status: 1}
			}
			return ended{out: a.text}
		}
	}
	return []mender{
		{"tctl retry", "retry", tctl("retry", one)},
		{"tctl amend", "amend", tctl("amend", amended)},
		{"tctl discard", "discard", tctl("discard", one)},
		{"temporal retry", "retry", func(s *stack, workflow, item string) ended {
			return s.cli("workflow", "signal", "--workflow-id", workflow, "--name", "retry", "--input", one(item))
		}},
		{"starter retry", "retry", starter("retry")},
		{"starter amend", "amend", starter("amend", set+"="+value)},
		{"starter discard", "discard", starter("discard")},
		{"HTTP retry", "retry", http("retry", "")},
		{"HTTP amend", "amend", http("amend", fmt.Sprintf(`{"set":{%q:%q}}`, set, value))},
		{"HTTP discard", "discard", http("discard", "")},
	}
}

// What a provider refuses is parked, visible everywhere, and settled by every tool.
func TestParked(t *testing.T) {
	t.Parallel()
	needTctl(t)
	s := start(t, options{})
	t.Run("creates", s.testParkedCreates)
	t.Run("comments", s.testParkedComments)
	t.Run("all of an integration", s.testParkedAll)
	t.Run("what is not there", s.testParkedUnknown)
}

func (s *stack) parked(t *testing.T) []operate.Item {
	t.Helper()
	out, status := s.starter("parked", "list", "-o", "json")
	require.Zero(t, status, out)
	var items []operate.Item
	require.NoError(t, json.Unmarshal([]byte(out), &items), out)
	return items
}

// awaitParked waits until so many items are parked, and gives them by workflow.
func (s *stack) awaitParked(t *testing.T, n int) map[string]operate.Item {
	t.Helper()
	var items []operate.Item
	s.eventually(t, func() bool { items = s.parked(t); return len(items) == n }, fmt.Sprintf("%d parked items", n))
	byWorkflow := map[string]operate.Item{}
	for _, item := range items {
		byWorkflow[item.Workflow] = item
	}
	return byWorkflow
}

// assertShown: the parked items stand in every list.
func (s *stack) assertShown(t *testing.T, items map[string]operate.Item, kind, reason string) {
	t.Helper()
	for workflow, item := range items {
		assert.Equal(t, kind, item.Kind, workflow)
		assert.Contains(t, item.Reason, reason, workflow)
		assert.Equal(t, "jira-ops", item.Integration, workflow)
		assert.NotZero(t, item.Since, workflow)
	}
	table, status := s.starter("parked", "list")
	assert.Zero(t, status)
	assert.Len(t, lines(table, kind, reason), len(items), table)
	var overHTTP []operate.Item
	require.NoError(t, json.Unmarshal([]byte(s.get("/v1/parked").text), &overHTTP))
	assert.Len(t, overHTTP, len(items))
	found := s.cli("workflow", "list", "--query", "BridgeState = 'parked'")
	assert.Equal(t, len(items), strings.Count(found.out, "MatchEvents"), found.text())
}

// A parked create holds its request's comments; each way to settle it works.
func (s *stack) testParkedCreates(t *testing.T) {
	all := menders("name", "Amended by hand")
	require.NoError(t, s.jira.SetFaults(jira.Fault{Kind: jira.ErrorBefore, Op: "create", Status: 400}))
	for i := range all {
		s.alarm(t, 201, ciAt(50+i), "first")
		s.alarm(t, 200, ciAt(50+i), "second")
	}
	items := s.awaitParked(t, len(all))
	s.assertShown(t, items, "create", "400")
	require.NoError(t, s.jira.SetFaults())
	for i, m := range all {
		workflow := s.workflowOf(ciAt(50 + i))
		view := s.match(workflow)
		require.Len(t, view.Requests[0].Pending, 2, "the comment waits for the create")
		assert.Equal(t, []string{"name", "description", "priority", "assignee"}, items[workflow].Set)
		end := m.mend(s, workflow, items[workflow].Item)
		assert.Zero(t, end.status, "%s: %s", m.name, end.text())
	}
	for i, m := range all {
		t.Run(m.name, func(t *testing.T) { s.assertCreateSettled(t, m, ciAt(50+i)) })
	}
	s.awaitParked(t, 0)
	assert.Empty(t, s.workflows("BridgeState = 'parked'"))
}

func (s *stack) assertCreateSettled(t *testing.T, m mender, ci string) {
	summary := "Alarm on " + ci
	switch m.does {
	case "discard":
		s.eventually(t, func() bool { return len(s.match(s.workflowOf(ci)).Requests[0].Pending) == 0 }, "nothing waits any more")
		assert.Empty(t, s.issues()[summary])
		s.alarm(t, 201, ci, "third") // the next event opens the next request
		s.eventually(t, func() bool { return len(s.issues()[summary]) == 1 }, "the next request's ticket")
		assert.NotContains(t, s.texts(summary), "first")
		return
	case "amend":
		summary = "Amended by hand"
	}
	s.eventually(t, func() bool {
		return slices.ContainsFunc(s.issues()[summary], func(i jira.Issue) bool {
			return strings.Contains(jira.Text(i.Description), ci) && len(i.Comments) == 1
		})
	}, "the ticket of "+ci+" with its comment")
	s.eventually(t, func() bool { return len(s.match(s.workflowOf(ci)).Requests[0].Pending) == 0 }, "nothing waits any more")
}

// A parked comment is overtaken by later ones; each way to settle it works.
func (s *stack) testParkedComments(t *testing.T) {
	all := menders("text", "said differently")
	for i := range all {
		s.alarm(t, 201, ciAt(70+i), "first")
	}
	s.eventually(t, func() bool { return len(s.issues()["Alarm on "+ciAt(70+len(all)-1)]) == 1 }, "tickets")
	require.NoError(t, s.jira.SetFaults(jira.Fault{Kind: jira.ErrorBefore, Op: "comment", Status: 400}))
	for i := range all {
		s.alarm(t, 200, ciAt(70+i), "refused")
	}
	items := s.awaitParked(t, len(all))
	s.assertShown(t, items, "comment", "400")
	require.NoError(t, s.jira.SetFaults())
	for i := range all {
		s.alarm(t, 200, ciAt(70+i), "overtakes")
	}
	for i, m := range all {
		ci := ciAt(70 + i)
		s.eventually(t, func() bool { return strings.Contains(s.texts("Alarm on "+ci), "overtakes") }, "the later comment of "+ci)
		workflow := s.workflowOf(ci)
		require.NotEmpty(t, items[workflow].Item)
		end := m.mend(s, workflow, items[workflow].Item)
		assert.Zero(t, end.status, "%s: %s", m.name, end.text())
	}
	for i, m := range all {
		t.Run(m.name, func(t *testing.T) {
			want := map[string][]string{
				"retry": {"overtakes", "refused"}, "amend": {"overtakes", "said differently"}, "discard": {"overtakes"},
			}[m.does]
			s.eventually(t, func() bool { return len(s.match(s.workflowOf(ciAt(70 + i))).Requests[0].Pending) == 0 }, "nothing waits any more")
			var got []string
			for _, c := range s.issues()["Alarm on "+ciAt(70+i)][0].Comments {
				got = append(got, strings.TrimSpace(jira.Text(c.Body)))
			}
			assert.Equal(t, want, got)
		})
	}
	s.awaitParked(t, 0)
}

// Everything of an integration is settled at once, on the command line and over HTTP.
func (s *stack) testParkedAll(t *testing.T) {
	for n, settle := range []func(){
		func() {
			out, status := s.starter("parked", "retry", "--integration", "jira-ops")
			assert.Zero(t, status, out)
			assert.Contains(t, out, "2 workflows")
		},
		func() {
			a, err := s.call(http.MethodPost, "/v1/parked/retry", strings.NewReader(`{"integration":"jira-ops"}`))
			require.NoError(t, err)
			assert.Equal(t, 202, a.status, a.text)
			assert.EqualValues(t, 2, a.body["count"])
		},
	} {
		require.NoError(t, s.jira.SetFaults(jira.Fault{Kind: jira.ErrorBefore, Op: "create", Status: 400}))
		cis := []string{ciAt(101 + 2*n), ciAt(102 + 2*n)}
		for _, ci := range cis {
			s.alarm(t, 201, ci, "first")
		}
		s.awaitParked(t, 2)
		require.NoError(t, s.jira.SetFaults())
		settle()
		for _, ci := range cis {
			s.eventually(t, func() bool { return len(s.issues()["Alarm on "+ci]) == 1 }, "the ticket of "+ci)
		}
		s.awaitParked(t, 0)
	}
}

// A wrong item, amendment or workflow is answered or counted, and does nothing.
func (s *stack) testParkedUnknown(t *testing.T) {
	s.alarm(t, 201, "srv-110", "first")
	workflow := s.workflowOf("srv-110")
	s.eventually(t, func() bool { return s.match(workflow).Requests[0].Ticket != nil }, "the ticket")
	s.signal(workflow, contract.SignalRetry, contract.ItemSignal{Item: "99"})
	s.eventually(t, func() bool { return s.match(workflow).Rejected == 1 }, "the refused signal")
	assert.Contains(t, s.match(workflow).LastRejection, `retry: item "99": no such item`)

	require.NoError(t, s.jira.SetFaults(jira.Fault{Kind: jira.ErrorBefore, Op: "comment", Status: 400}))
	s.alarm(t, 200, "srv-110", "second")
	item := s.awaitParked(t, 1)[workflow]
	require.NoError(t, s.jira.SetFaults())
	s.signal(workflow, contract.SignalAmend, contract.AmendSignal{Item: item.Item, Set: map[string]string{"colour": "red"}})
	s.eventually(t, func() bool { return s.match(workflow).Rejected == 2 }, "the refused amendment")
	assert.Contains(t, s.match(workflow).LastRejection, "set.colour: want text")
	assert.Len(t, s.parked(t), 1, "it stays parked")

	out, status := s.starter("parked", "retry", "match:jira-ops:nope:aaaa")
	assert.Equal(t, 3, status, out)
	assert.Contains(t, out, "not found")
	out, status = s.starter("parked", "discard", workflow, "99")
	assert.Equal(t, 3, status, out)
	assert.Contains(t, out, `item "99" is not parked`)
	out, status = s.starter("parked", "retry")
	assert.Equal(t, 2, status, out)
	for path, want := range map[string]int{
		"/v1/parked/match:jira-ops:nope:aaaa/1/retry":         404,
		"/v1/parked/match:other:nope:aaaa/1/discard":          404,
		"/v1/parked/" + url.PathEscape(workflow) + "/1/amend": 422,
		"/v1/parked/retry": 422,
		"/v1/parked/" + url.PathEscape(workflow) + "/99/discard": 404,
	} {
		a, err := s.call(http.MethodPost, path, nil)
		require.NoError(t, err)
		assert.Equal(t, want, a.status, "%s: %s", path, a.text)
	}
	s.signal(workflow, contract.SignalDiscard, contract.ItemSignal{})
	s.awaitParked(t, 0)
}
