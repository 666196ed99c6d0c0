package operate

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	querypb "go.temporal.io/api/query/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/matching"
)

// asked answers queries of workflows that run; it has no other method, so that
// anything but a query panics.
type asked struct {
	client.Client
	ended, silent bool
	answer        any
	last          *client.QueryWorkflowWithOptionsRequest
}

func (a *asked) QueryWorkflowWithOptions(ctx context.Context, r *client.QueryWorkflowWithOptionsRequest) (*client.QueryWorkflowWithOptionsResponse, error) {
	a.last = r
	switch {
	case a.silent:
		<-ctx.Done()
		return nil, ctx.Err()
	case a.ended && r.QueryRejectCondition == enumspb.QUERY_REJECT_CONDITION_NOT_OPEN:
		return &client.QueryWorkflowWithOptionsResponse{QueryRejected: &querypb.QueryRejected{}}, nil
	case a.answer == nil:
		return nil, serviceerror.NewNotFound("workflow not found")
	}
	return &client.QueryWorkflowWithOptionsResponse{QueryResult: answer{a.answer}}, nil
}

func TestAKeyIsAskedOnlyWhileItsWorkflowRuns(t *testing.T) {
	view := contract.MatchView{Integration: "ops", Events: 3}
	a := &asked{answer: view}
	requests := &Requests{Temporal: a}
	got, err := requests.Running(t.Context(), "match:1")
	require.NoError(t, err)
	assert.Equal(t, view.Events, got.Events)
	assert.Equal(t, "match:1", a.last.WorkflowID)
	assert.Equal(t, contract.QueryState, a.last.QueryType)

	a.ended = true
	_, err = requests.Running(t.Context(), "match:1")
	assert.ErrorIs(t, err, ErrNotFound)
	a.ended, a.answer = false, nil
	_, err = requests.Running(t.Context(), "match:1")
	assert.ErrorIs(t, err, ErrNotFound)

	a.silent = true
	ctx, cancel := context.WithTimeout(t.Context(), 1)
	defer cancel()
	_, err = requests.Running(ctx, "match:1")
	assert.ErrorIs(t, err, ErrUnavailable)
}

func TestADecisionIsAskedForByQuery(t *testing.T) {
	a := &asked{answer: contract.OutcomeAnswer{Known: true, Outcome: event.Updated}}
	got, err := (&Requests{Temporal: a}).Decided(t.Context(), "match:1", "e1")
	require.NoError(t, err)
	assert.Equal(t, event.Updated, got.Outcome)
	assert.Equal(t, contract.UpdateOutcome, a.last.QueryType)
	args, err := json.Marshal(a.last.Args)
	require.NoError(t, err)
	assert.JSONEq(t, `[{"event_id":"e1"}]`, string(args))
}

// What amend may set of a feed's entry depends on how the feed's events match.
func TestAnEntrysListOfWhatMayBeAmendedFitsItsFeed(t *testing.T) {
	for policy, want := range map[event.Policy][]string{
		event.PolicyEvent:  matching.Parameters(),
		event.PolicyTicket: {"ticket_id", "subject", "status", "note"},
		"":                 {"ticket_id", "subject", "status", "note"}, // not read since the policy is told
	} {
		s := &server{workflows: []string{"feed:lon"}, answers: map[string]any{
			"feed:lon": contract.FeedView{Feed: "lon", Match: policy, Parked: []contract.ParkedItem{{Item: "1", Reason: "bad"}}},
		}}
		items, err := (&Parked{Temporal: s}).List(t.Context(), Filter{})
		require.NoError(t, err)
		require.Len(t, items, 1)
		assert.Equal(t, want, items[0].Set)
	}
}
