package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/ticketbridge/ticketbridge/internal/contract"
)

// soon is how long a thing may take that a person would call immediate; these
// machines are slow and busy.
const soon = 30 * time.Second

const tctlEnv = "TB_TEST_TCTL"

func needTctl(t *testing.T) {
	t.Helper()
	if os.Getenv(tctlEnv) == "" {
		t.Skipf("%s does not name a tctl v1.18.0; run the tests with `make test`, which builds one", tctlEnv)
	}
}

// ended is how a command ended.
type ended struct {
	out    string // standard output
	err    string // standard error
	status int
}

func (e ended) text() string { return e.out + e.err }

// command runs a program to its end, with the stack's environment and more of it.
func (s *stack) command(more []string, program string, args ...string) ended {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(append(os.Environ(), s.env...), more...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		return ended{err: err.Error(), status: -1}
	}
	return ended{out: out.String(), err: errs.String(), status: cmd.ProcessState.ExitCode()}
}

// tctl and cli are the two command lines that people steer workflows with.
func (s *stack) tctl(args ...string) ended {
	s.t.Helper()
	return s.command([]string{"TEMPORAL_CLI_ADDRESS=" + s.temporal.address}, os.Getenv(tctlEnv), args...)
}

func (s *stack) cli(args ...string) ended {
	s.t.Helper()
	return s.command(nil, os.Getenv(temporalEnv), append(args, "--address", s.temporal.address)...)
}

// signal sends a signal with a JSON payload, by the client.
func (s *stack) signal(workflow, name string, payload any) {
	s.t.Helper()
	require.NoError(s.t, s.client.SignalWorkflow(context.Background(), workflow, "", name, payload))
}

// match is a match key's state.
func (s *stack) match(workflow string) contract.MatchView {
	s.t.Helper()
	var view contract.MatchView
	s.query(workflow, &view)
	return view
}

func (s *stack) feed(name string) contract.FeedView {
	s.t.Helper()
	var view contract.FeedView
	s.query(contract.FeedID(name), &view)
	return view
}

func (s *stack) query(workflow string, view any) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*soon)
	defer cancel()
	value, err := s.client.QueryWorkflow(ctx, workflow, "", contract.QueryState)
	for err != nil && ctx.Err() == nil { // the server may ask a worker first that was killed
		value, err = s.client.QueryWorkflow(ctx, workflow, "", contract.QueryState)
	}
	require.NoError(s.t, err, workflow)
	require.NoError(s.t, value.Get(view))
}

// workflows are the ids that a visibility query finds.
func (s *stack) workflows(query string) []string {
	s.t.Helper()
	found, err := s.client.ListWorkflow(context.Background(), &workflowservice.ListWorkflowExecutionsRequest{Query: query})
	require.NoError(s.t, err)
	var ids []string
	for _, info := range found.GetExecutions() {
		ids = append(ids, info.GetExecution().GetWorkflowId())
	}
	return ids
}

// history counts a workflow's events by kind, over its present run.
func (s *stack) history(workflow string) map[enums.EventType]int {
	count := map[enums.EventType]int{}
	for _, e := range s.events(workflow) {
		count[e.GetEventType()]++
	}
	return count
}

// events is a workflow's history, as far as the server gives it.
func (s *stack) events(workflow string) []*historypb.HistoryEvent {
	var all []*historypb.HistoryEvent
	history := s.client.GetWorkflowHistory(context.Background(), workflow, "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for history.HasNext() {
		e, err := history.Next()
		if err != nil {
			return all
		}
		all = append(all, e)
	}
	return all
}

// workflowOf is the workflow that an event of a CI and source Nagios belongs to.
func (s *stack) workflowOf(ci string) string {
	s.t.Helper()
	out, status := s.starter("event", "id", "-o", "json", "subject=x", "source=Nagios", "ci="+ci)
	require.Zero(s.t, status, out)
	var id struct {
		Workflow string `json:"workflow"`
	}
	require.NoError(s.t, json.Unmarshal([]byte(out), &id), out)
	return id.Workflow
}

// alarm posts an event of source Nagios about a CI, and wants a status.
func (s *stack) alarm(t *testing.T, want int, ci, note string, more ...string) answer {
	t.Helper()
	params := map[string]any{"subject": "Alarm on " + ci, "source": "Nagios", "ci": ci, "note": note}
	for i := 0; i+1 < len(more); i += 2 {
		params[more[i]] = more[i+1]
	}
	a, err := s.post(params)
	require.NoError(t, err)
	require.Equal(t, want, a.status, a.text)
	return a
}

// eventually is require.Eventually with a sensible pace, and says how things stand.
func (s *stack) eventually(t *testing.T, done func() bool, what string) {
	t.Helper()
	deadline := time.Now().Add(soon)
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for !done() {
		if time.Now().After(deadline) {
			require.FailNow(t, "never happens: "+what, s.report())
		}
		<-ticker.C
	}
}

// lines are those of a text that hold all the words.
func lines(text string, words ...string) []string {
	var found []string
	for line := range strings.Lines(text) {
		has := true
		for _, word := range words {
			has = has && strings.Contains(line, word)
		}
		if has {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}
