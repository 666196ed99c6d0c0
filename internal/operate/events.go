package operate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/delivery"
	"github.com/ticketbridge/ticketbridge/internal/event"
)

// Events take events in and tell what became of them.
type Events struct {
	Temporal client.Client
	Resolver *delivery.Resolver
	Delivery *delivery.Delivery
}

// Submit resolves an event and hands it over durably. It returns the workflow
// that has it now. An event that the rules refuse is a *matching.Invalid.
func (e *Events) Submit(ctx context.Context, route delivery.Route, ev event.Event) (workflowID string, err error) {
	ev, err = e.Resolver.Resolve(route, ev)
	if err != nil {
		return "", err
	}
	if err := e.Delivery.Deliver(ctx, route.Integration, []event.Event{ev}); err != nil {
		return "", classify(err)
	}
	return contract.MatchID(route.Integration, ev.Resolved.Key), nil
}

// askAgain is the pause between two questions where an update cannot wait for us:
// a run that is about to end, or too many who wait. Each question costs history.
const askAgain = time.Second

// Outcome waits for the decision about an event; false when there is none yet.
func (e *Events) Outcome(ctx context.Context, workflowID, eventID string, wait time.Duration) (contract.OutcomeAnswer, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for {
		answer, err := e.ask(ctx, workflowID, eventID)
		switch {
		case err == nil && !answer.Again:
			return answer, true, nil
		case ctx.Err() != nil:
			return contract.OutcomeAnswer{}, false, nil
		case errors.As(err, new(*serviceerror.NotFound)):
			return contract.OutcomeAnswer{}, false, fmt.Errorf("%s: %w", workflowID, ErrNotFound)
		}
		select {
		case <-ctx.Done():
		case <-time.After(askAgain):
		}
	}
}

// ask waits by update. Temporal lets ten updates wait at one workflow; with more
// callers than that, those left over ask by query.
func (e *Events) ask(ctx context.Context, workflowID, eventID string) (contract.OutcomeAnswer, error) {
	var answer contract.OutcomeAnswer
	request := contract.OutcomeRequest{EventID: eventID}
	handle, err := e.Temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: workflowID, UpdateName: contract.UpdateOutcome, Args: []any{request},
		WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err == nil {
		err = handle.Get(ctx, &answer)
	}
	if err == nil || !errors.As(err, new(*serviceerror.ResourceExhausted)) {
		return answer, err
	}
	value, err := e.Temporal.QueryWorkflow(ctx, workflowID, "", contract.UpdateOutcome, request)
	if err != nil {
		return answer, err
	}
	if err := value.Get(&answer); err != nil {
		return answer, err
	}
	answer.Again = !answer.Known
	return answer, nil
}
