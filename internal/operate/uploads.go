package operate

import (
	"context"
	"errors"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"

	"github.com/ticketbridge/ticketbridge/internal/contract"
)

// heldSignal tells who holds the file of a write.
func heldSignal(in contract.WriteTicketInput) contract.HeldSignal {
	return contract.HeldSignal{By: in.HeldBy, SHA256: in.File().SHA256}
}

// Held tells a write who holds its file; false where it does not run, so that
// nobody needs the file.
func (w *Writes) Held(ctx context.Context, workflowID string, s contract.HeldSignal) (running bool, err error) {
	err = classify(w.temporal.SignalWorkflow(ctx, workflowID, "", contract.SignalHeld, s))
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("%s at %s: %w", contract.SignalHeld, workflowID, err)
	}
	return true, nil
}

// Running tells whether a write still runs.
func (w *Writes) Running(ctx context.Context, workflowID string) (bool, error) {
	described, err := w.temporal.DescribeWorkflowExecution(ctx, workflowID, "")
	if err = classify(err); errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look at %s: %w", workflowID, err)
	}
	return described.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, nil
}
