package operate

import (
	"context"
	"errors"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
)

// startDerived joins the write that says the same, or starts one with what is made of
// the present. The order matters: what was asked for may have been done already, and
// made of that it would be something else, or a test that no longer holds.
func (w *Writes) startDerived(ctx context.Context, r WriteRequest) (*Write, error) {
	id, hash, err := r.identity(nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", r.Operator, ErrInvalid, err)
	}
	if err := w.gates.wait(ctx, id); err != nil {
		return nil, err
	}
	if h, err := w.joinable(ctx, id, hash, r.IdempotencyKey != ""); err != nil || h != nil {
		return h, err
	}
	if r.Body, err = r.Derive(ctx); err != nil {
		return nil, err
	}
	in, id, err := w.input(ctx, r)
	if err != nil {
		return nil, err
	}
	return w.start(ctx, r, in, id)
}

// joinable is the run of a write that an equal one joins: one that runs, and with a
// key also one that has ended; nil where there is none.
func (w *Writes) joinable(ctx context.Context, id, hash string, keyed bool) (*Write, error) {
	described, err := w.temporal.DescribeWorkflowExecution(ctx, id, "")
	if err = classify(err); errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look at %s: %w", id, err)
	}
	info := described.GetWorkflowExecutionInfo()
	if !keyed && info.GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return nil, nil
	}
	run := info.GetExecution().GetRunId()
	if keyed {
		if err := w.sameBody(ctx, id, run, hash); err != nil {
			return nil, err
		}
	}
	return &Write{of: w, id: id, run: run, keyed: keyed}, nil
}
