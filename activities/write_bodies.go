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

// WriteCreateAsStarted is WriteCreate of a body that is not in the input, but in that
// of the workflow's own run. It has a name of its own, and so have the others, because
// older workers, which do not know it, would refuse the write for want of a body.
func (a *Writes) WriteCreateAsStarted(ctx context.Context, in WriteInput) (WriteResult, error) {
	in, err := a.whole(ctx, in)
	if err != nil {
		return WriteResult{}, err
	}
	return a.WriteCreate(ctx, in)
}

// WriteRecoverAsStarted is WriteRecover of such a body.
func (a *Writes) WriteRecoverAsStarted(ctx context.Context, in WriteRecoverInput) (_ WriteResult, err error) {
	if in.Write, err = a.whole(ctx, in.Write); err != nil {
		return WriteResult{}, err
	}
	return a.WriteRecover(ctx, in)
}

// WriteApplyAsStarted is WriteApply of such a body.
func (a *Writes) WriteApplyAsStarted(ctx context.Context, in WriteInput) (WriteResult, error) {
	in, err := a.whole(ctx, in)
	if err != nil {
		return WriteResult{}, err
	}
	return a.WriteApply(ctx, in)
}

// readWithin bounds the reading of a body.
const readWithin = 10 * time.Second

// whole is the input with its body. The error of one that cannot be read now is to
// be tried again: nothing was changed.
func (a *Writes) whole(ctx context.Context, in WriteInput) (WriteInput, error) {
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
