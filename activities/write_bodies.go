package activities

import (
	"context"
	"encoding/json"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// Bodies has the bodies of writes that are too large to stand in the input of each
// of their calls.
type Bodies interface {
	// StartedWith is the body that a run of WriteTicket was started with.
	StartedWith(ctx context.Context, namespace, workflowID, runID string) (json.RawMessage, error)
}

// readWithin bounds the reading of a body.
const readWithin = 10 * time.Second

// whole is the input with its body. The error of one that cannot be read now is to
// be tried again: nothing was changed.
func (a *Writes) whole(ctx context.Context, in WriteInput) (WriteInput, error) {
	if !in.AsStarted {
		return in, nil
	}
	run := activity.GetInfo(ctx)
	reading, cancel := context.WithTimeout(ctx, readWithin)
	defer cancel()
	body, err := a.Bodies.StartedWith(reading, run.Namespace, run.WorkflowExecution.ID, run.WorkflowExecution.RunID)
	if err == nil {
		in.Body, err = contract.AmendBody(body, in.Set)
	}
	if err != nil {
		err = temporalError(ctx, &ticket.Error{Kind: ticket.Retry, Op: "read what is to be written", Message: err.Error(), Err: err})
	}
	return in, err
}
