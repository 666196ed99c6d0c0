package operate

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"github.com/ticketbridge/ticketbridge/internal/contract"
)

// server is a Temporal server that lists workflows, a page each, and answers
// queries about their state.
type server struct {
	client.Client
	workflows []string
	answers   map[string]any
	// silent does not answer, unwell answers with an error.
	silent, unwell string
	where          []string
	signalled      []string
}

func (s *server) ListWorkflow(_ context.Context, r *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	s.where = append(s.where, r.Query)
	n := len(r.NextPageToken)
	page := &workflowservice.ListWorkflowExecutionsResponse{Executions: []*workflowpb.WorkflowExecutionInfo{{
		Execution: &commonpb.WorkflowExecution{WorkflowId: s.workflows[n]},
		SearchAttributes: &commonpb.SearchAttributes{IndexedFields: map[string]*commonpb.Payload{
			contract.AttributeIntegration: {Data: []byte(`"ops"`)},
		}},
	}}}
	if n+1 < len(s.workflows) {
		page.NextPageToken = make([]byte, n+1)
	}
	return page, nil
}

func (s *server) QueryWorkflow(ctx context.Context, id, _, _ string, _ ...any) (converter.EncodedValue, error) {
	switch id {
	case s.silent:
		<-ctx.Done()
		return nil, ctx.Err()
	case s.unwell:
		return nil, serviceerror.NewQueryFailed("unknown workflow type")
	}
	return answer{s.answers[id]}, nil
}

func (s *server) SignalWorkflow(_ context.Context, id, _, name string, _ any) error {
	if id == s.unwell {
		return serviceerror.NewNotFound("it ended")
	}
	s.signalled = append(s.signalled, name+" "+id)
	return nil
}

// answer is what a query brings.
type answer struct{ value any }

func (a answer) HasValue() bool { return true }
func (a answer) Get(into any) error {
	data, err := json.Marshal(a.value)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

func parkedServer() *server {
	return &server{
		workflows: []string{"match:ops:a:1", "match:ops:b:2", "match:ops:c:3", "feed:lon"},
		answers: map[string]any{
			"match:ops:a:1": contract.MatchView{Requests: []contract.RequestView{{ID: 7, Pending: []contract.PendingView{
				{Item: "1", Kind: "create", Parked: "no such project"}, {Item: "2", Kind: "comment"},
			}}}},
			"match:ops:b:2": contract.MatchView{Parked: []contract.PendingView{{Item: "1", Kind: "event", Parked: "hidden"}}},
			"match:ops:c:3": contract.MatchView{Parked: []contract.PendingView{{Item: "4", Kind: "event", Parked: "no subject"}}},
			"feed:lon":      contract.FeedView{Parked: []contract.ParkedItem{{Item: "urn:9", Reason: "names no ticket"}}},
		},
	}
}

// brief is what a list says, line by line.
func brief(items []Item) []string {
	var lines []string
	for _, i := range items {
		reason, _, _ := strings.Cut(i.Reason, ",")
		lines = append(lines, strings.Join([]string{i.Workflow, i.Item, i.Integration, i.Kind, reason}, "|"))
	}
	return lines
}

func TestParkedItemsAreListed(t *testing.T) {
	s := parkedServer()
	items, err := (&Parked{Temporal: s}).List(t.Context(), Filter{Integration: "ops", Feed: "l'on"})
	require.NoError(t, err)
	assert.Equal(t, []string{
		"match:ops:a:1|1|ops|create|no such project",
		"match:ops:b:2|1|ops|event|hidden",
		"match:ops:c:3|4|ops|event|no subject",
		"feed:lon|urn:9|ops|entry|names no ticket",
	}, brief(items))
	assert.Equal(t, "(BridgeState = 'parked' OR BridgeState = 'paused' OR BridgeState = 'blocked') AND ExecutionStatus = 'Running' AND BridgeIntegration = 'ops' AND BridgeFeed = 'l''on'", s.where[0])
}

// A workflow that does not answer, in time or at all, is told as an item of its
// own; it hides none of the others.
func TestAWorkflowThatDoesNotAnswerHidesNoParkedItems(t *testing.T) {
	for name, spoil := range map[string]func(*server){
		"silent": func(s *server) { s.silent = "match:ops:b:2" },
		"unwell": func(s *server) { s.unwell = "match:ops:b:2" },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := parkedServer()
				spoil(s)
				begin := time.Now()
				items, err := (&Parked{Temporal: s}).List(t.Context(), Filter{})
				require.NoError(t, err)
				assert.Equal(t, []string{
					"match:ops:a:1|1|ops|create|no such project",
					"match:ops:b:2||ops|workflow|does not answer",
					"match:ops:c:3|4|ops|event|no subject",
					"feed:lon|urn:9|ops|entry|names no ticket",
				}, brief(items))
				assert.LessOrEqual(t, time.Since(begin), answerWithin)
			})
		})
	}
}

// A caller who leaves ends the list; that is no trouble of a workflow.
func TestAListThatNobodyWaitsForEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := parkedServer()
		s.silent = "match:ops:a:1"
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := (&Parked{Temporal: s}).List(ctx, Filter{})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Len(t, s.where, 1)
	})
}

func TestAllAreSignalledButThoseThatEnded(t *testing.T) {
	s := parkedServer()
	s.unwell = "match:ops:b:2"
	s.workflows = append(s.workflows, "feed:paused")
	s.answers["feed:paused"] = contract.FeedView{State: contract.StatePaused} // with nothing parked
	n, err := (&Parked{Temporal: s}).SignalAll(t.Context(), Filter{}, contract.SignalRetry)
	assert.Equal(t, 3, n)
	require.ErrorContains(t, err, "retry at match:ops:b:2")
	assert.True(t, errors.Is(err, ErrNotFound))
	assert.Equal(t, []string{"retry match:ops:a:1", "retry match:ops:c:3", "retry feed:lon"}, s.signalled)
}
