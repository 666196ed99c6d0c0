package operate

import (
	"context"
	"errors"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"

	"github.com/ticketbridge/ticketbridge/internal/contract"
)

// heldSignal tells who holds the file of a write.
func heldSignal(r WriteRequest) contract.HeldSignal {
	file, _ := r.Body.(contract.NewAttachment)
	return contract.HeldSignal{By: r.HeldBy, SHA256: file.SHA256}
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
	last, err := w.lastRun(ctx, workflowID)
	return last.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, err
}
