package operate

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"

	"github.com/ticketbridge/ticketbridge/internal/contract"
)

const (
	// answeredSoon is how long an equal write waits for whether the answer of one that
	// is made was written in full, by whatever process.
	answeredSoon = time.Second
	// clocksDiffer is how far the clock of this machine may be from the server's.
	clocksDiffer = 10 * time.Second
)

// joinable is the run that a write joins; nil where it is to be made itself. What ran
// when the write came would have been joined then, so it is joined also where it has
// ended since, unless somebody got its 2xx. That it ran is known from ran, or from when the
// write came, where that is not zero: long ago.
func (w *Writes) joinable(ctx context.Context, id string, came time.Time, ran bool) (*Write, error) {
	for made := ""; ; {
		last, err := w.lastRun(ctx, id)
		if err != nil || last == nil {
			return nil, err
		}
		h := &Write{of: w, id: id, run: last.GetExecution().GetRunId()}
		if last.GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
			if ran || !came.IsZero() && !last.GetCloseTime().AsTime().Before(came.Add(-clocksDiffer)) {
				return h.unanswered(ctx)
			}
			return nil, nil
		}
		if keyword(last, contract.AttributeState) != contract.StateClosed || h.run == made {
			return h, nil
		}
		ran, made = true, h.run
		if err := h.endSoon(ctx); err != nil {
			return nil, err
		}
	}
}

// joinableKeyed is the run that has the key, also one that has ended; nil where there
// is none.
func (w *Writes) joinableKeyed(ctx context.Context, id, hash string) (*Write, error) {
	last, err := w.lastRun(ctx, id)
	if err != nil || last == nil {
		return nil, err
	}
	return &Write{of: w, id: id, run: last.GetExecution().GetRunId(), keyed: true}, sameBody(last, hash)
}

// lastRun describes the last run of a write; nil where there is none.
func (w *Writes) lastRun(ctx context.Context, id string) (*workflowpb.WorkflowExecutionInfo, error) {
	described, err := w.temporal.DescribeWorkflowExecution(ctx, id, "")
	if err = classify(err); errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look at %s: %w", id, err)
	}
	return described.GetWorkflowExecutionInfo(), nil
}

// sameBody refuses a key that stands for something else.
func sameBody(run *workflowpb.WorkflowExecutionInfo, hash string) error {
	id := run.GetExecution().GetWorkflowId()
	var have string
	payload := run.GetMemo().GetFields()[memoBody]
	if payload != nil { // a person who started it gave none
		if err := Converter().FromPayload(payload, &have); err != nil {
			return fmt.Errorf("memo of %s: %w", id, err)
		}
	}
	if have != hash {
		return fmt.Errorf("%s: %w", id, ErrKeyReused)
	}
	return nil
}

// endSoon waits a while for the end of a run that is made: it ends when its caller has
// the answer. Its only error is that of the context.
func (h *Write) endSoon(ctx context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, answeredSoon)
	defer cancel()
	_ = h.of.temporal.GetWorkflow(waiting, h.id, h.run).Get(waiting, nil) // whether it has ended is looked at
	return ctx.Err()
}

// unanswered is this run, which is over, where it was made, or discarded, and nobody
// got a 2xx; nil for any other. A refusal changed nothing, so it is tried again.
func (h *Write) unanswered(ctx context.Context) (*Write, error) {
	if h.of.told.has(h.run) {
		return nil, nil
	}
	events := h.of.temporal.GetWorkflowHistory(ctx, h.id, h.run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			return nil, fmt.Errorf("history of %s: %w", h.id, classify(err))
		}
		if event.GetWorkflowExecutionSignaledEventAttributes().GetSignalName() == contract.SignalAnswered {
			return nil, nil
		}
		done := event.GetWorkflowExecutionCompletedEventAttributes()
		if done == nil {
			continue
		}
		var outcome contract.WriteOutcome
		if err := Converter().FromPayloads(done.GetResult(), &outcome); err != nil {
			return nil, fmt.Errorf("result of %s: %w", h.id, err)
		}
		if outcome.Status == contract.WriteRefused {
			return nil, nil
		}
		return h, nil
	}
	return nil, nil // a person ended it
}

// toldFor is longer than it takes to send a file.
const toldFor = 2 * time.Hour

// told are the runs whose 2xx somebody got in this process when they were over, so that
// they cannot know it.
type told struct {
	mu sync.Mutex
	at map[string]time.Time
}

func (t *told) add(run string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.at == nil {
		t.at = map[string]time.Time{}
	}
	for other, at := range t.at {
		if time.Since(at) > toldFor {
			delete(t.at, other)
		}
	}
	t.at[run] = time.Now()
}

func (t *told) has(run string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, ok := t.at[run]
	return ok
}
