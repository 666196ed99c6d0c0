package operate

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"

	"github.com/ticketbridge/ticketbridge/internal/contract"
)

// clocksDiffer is how far the clock of this machine may be from the server's.
const clocksDiffer = 10 * time.Second

// startOrRejoin starts or joins a run. What a large file says is known only when all
// of it has come; a write that ran when it began to come, and has ended meanwhile
// without a 2xx, would have been joined by a small one.
func (w *Writes) startOrRejoin(ctx context.Context, r WriteRequest, in contract.WriteTicketInput, id string) (*Write, error) {
	if !r.Came.IsZero() && !in.Keyed {
		if h, err := w.endedSince(ctx, id, r.Came.Add(-clocksDiffer)); err != nil || h != nil {
			return h, err
		}
	}
	return w.start(ctx, r, in, id)
}

// endedSince is the last run of a write where it was made, or discarded, since then,
// and nobody was answered; nil where there is no such.
func (w *Writes) endedSince(ctx context.Context, id string, since time.Time) (*Write, error) {
	described, err := w.temporal.DescribeWorkflowExecution(ctx, id, "")
	if err = classify(err); errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look at %s: %w", id, err)
	}
	info := described.GetWorkflowExecutionInfo()
	if info.GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED || info.GetCloseTime().AsTime().Before(since) {
		return nil, nil
	}
	h := &Write{of: w, id: id, run: info.GetExecution().GetRunId()}
	outcome, _, _, err := h.result(ctx)
	if err != nil || outcome.Status == contract.WriteRefused {
		return nil, err // a refusal changed nothing: it is tried again
	}
	answered, err := w.answered(ctx, h)
	if err != nil || answered {
		return nil, err
	}
	return h, nil
}

// answered tells whether somebody got the 2xx of a run that is over.
func (w *Writes) answered(ctx context.Context, h *Write) (bool, error) {
	events := w.temporal.GetWorkflowHistory(ctx, h.id, h.run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			return false, fmt.Errorf("history of %s: %w", h.id, classify(err))
		}
		if event.GetWorkflowExecutionSignaledEventAttributes().GetSignalName() == contract.SignalAnswered {
			return true, nil
		}
	}
	return false, nil
}
