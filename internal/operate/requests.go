package operate

import (
	"context"
	"fmt"

	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/client"

	"github.com/ticketbridge/ticketbridge/internal/contract"
)

// Requests find requests by their number.
type Requests struct {
	Temporal client.Client
}

// Found is a request and the workflow that keeps it.
type Found struct {
	Workflow string
	contract.RequestView
}

// Find looks for a request of an integration by search attribute. A workflow
// whose run is over answers by its result.
func (r *Requests) Find(ctx context.Context, integration string, id int64) (Found, error) {
	var found *Found
	where := fmt.Sprintf("%s = %d AND %s", contract.AttributeRequest, id, equals(contract.AttributeIntegration, integration))
	err := list(ctx, r.Temporal, where, func(info *workflowpb.WorkflowExecutionInfo) error {
		if found != nil {
			return nil
		}
		view, err := r.View(ctx, info.GetExecution().GetWorkflowId())
		if err != nil {
			return err
		}
		found = pick(info.GetExecution().GetWorkflowId(), view, id)
		return nil
	})
	switch {
	case err != nil:
		return Found{}, err
	case found == nil:
		return Found{}, fmt.Errorf("request %d: %w", id, ErrNotFound)
	}
	return *found, nil
}

// In looks for a request in a workflow that is known.
func (r *Requests) In(ctx context.Context, workflowID string, id int64) (Found, error) {
	view, err := r.View(ctx, workflowID)
	if err != nil {
		return Found{}, err
	}
	if found := pick(workflowID, view, id); found != nil {
		return *found, nil
	}
	return Found{}, fmt.Errorf("request %d: %w", id, ErrNotFound)
}

// View is the state of a match key, from a worker while one answers, else from
// the result of a run that is over.
func (r *Requests) View(ctx context.Context, workflowID string) (contract.MatchView, error) {
	var view contract.MatchView
	err := query(ctx, r.Temporal, workflowID, contract.QueryState, &view)
	if err == nil {
		return view, nil
	}
	description, describeErr := r.Temporal.DescribeWorkflowExecution(ctx, workflowID, "")
	if describeErr != nil || description.GetWorkflowExecutionInfo().GetCloseTime() == nil {
		return view, err
	}
	if err := r.Temporal.GetWorkflow(ctx, workflowID, "").Get(ctx, &view); err != nil {
		return view, fmt.Errorf("result of %s: %w", workflowID, classify(err))
	}
	return view, nil
}

// Running is the state of a match key whose workflow runs; ErrNotFound where
// none does.
func (r *Requests) Running(ctx context.Context, workflowID string) (contract.MatchView, error) {
	var view contract.MatchView
	if err := queryRunning(ctx, r.Temporal, workflowID, contract.QueryState, &view); err != nil {
		return view, fmt.Errorf("state of %s: %w", workflowID, err)
	}
	return view, nil
}

// Decided tells, without waiting, what was decided about an event under a match
// key whose workflow runs.
func (r *Requests) Decided(ctx context.Context, workflowID, eventID string) (contract.OutcomeAnswer, error) {
	var answer contract.OutcomeAnswer
	if err := queryRunning(ctx, r.Temporal, workflowID, contract.UpdateOutcome, &answer, contract.OutcomeRequest{EventID: eventID}); err != nil {
		return answer, fmt.Errorf("outcome of %s at %s: %w", eventID, workflowID, err)
	}
	return answer, nil
}

func pick(workflowID string, view contract.MatchView, id int64) *Found {
	for _, request := range view.Requests {
		if request.ID == id {
			return &Found{Workflow: workflowID, RequestView: request}
		}
	}
	return nil
}
