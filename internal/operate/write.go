package operate

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/ticketbridge/ticketbridge/internal/contract"
)

// Write is a write that was started or joined. It is for one goroutine.
type Write struct {
	of    *Writes
	id    string
	run   string
	keyed bool
	open  func()
}

// askWriteAgain is the pause between two questions where an update cannot wait.
const askWriteAgain = time.Second

// operationMark separates the workflow id from the run id in an OperationID.
const operationMark = "/"

// OperationID is by what Outcome finds this very write.
func (h *Write) OperationID() string { return h.id + operationMark + h.run }

// WorkflowID is that of its WriteTicket.
func (h *Write) WorkflowID() string { return h.id }

// Wait waits, contract.LongestWriteWait at most, until the write has ended or is
// parked; false where it is still on its way, or no worker runs. A nil error with
// false is the normal "not yet": the write goes on.
//
// Once Wait has told that it was made, an equal write without a key waits in this
// process until Answered or Close: whether it is the same one again depends on
// whether this caller gets the answer.
func (h *Write) Wait(ctx context.Context, wait time.Duration) (contract.WriteOutcome, bool, error) {
	wait = min(wait, contract.LongestWriteWait)
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	end := time.Now().Add(wait)
	for {
		outcome, again, err := h.askTogether(waiting)
		switch {
		case err == nil && !again && outcome.Status == contract.WritePending && time.Until(end) > 0:
			continue // who asked for all of us wanted to know sooner
		case err == nil && !again:
			known := outcome.Status != contract.WritePending
			if outcome.Status == contract.WriteOK && !h.keyed && h.open == nil {
				h.open = h.of.gates.close(h.id)
			}
			return outcome, known, nil
		case ctx.Err() != nil:
			return contract.WriteOutcome{}, false, ctx.Err()
		case waiting.Err() != nil:
			return contract.WriteOutcome{Status: contract.WritePending}, false, nil
		case err != nil && !errors.Is(err, ErrUnavailable) && !errors.As(err, new(*client.WorkflowUpdateServiceTimeoutOrCanceledError)):
			return contract.WriteOutcome{}, false, err
		}
		select {
		case <-waiting.Done():
		case <-time.After(askWriteAgain):
		}
	}
}

// askTogether is ask for all callers of this process who wait for the same write:
// a server that many updates of a workflow reach at once can lose its tasks for a
// minute, and each update costs an action.
func (h *Write) askTogether(ctx context.Context) (contract.WriteOutcome, bool, error) {
	type told struct {
		outcome contract.WriteOutcome
		again   bool
		run     string
	}
	asked := h.of.asking.DoChan(h.OperationID(), func() (any, error) {
		// It is not only for the one who asked first, who may leave.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), contract.LongestWriteWait+firstPatience)
		defer cancel()
		one := &Write{of: h.of, id: h.id, run: h.run}
		outcome, again, err := one.ask(ctx, contract.LongestWriteWait)
		return told{outcome, again, one.run}, err
	})
	select {
	case <-ctx.Done():
		return contract.WriteOutcome{}, false, ctx.Err()
	case answer := <-asked:
		all, _ := answer.Val.(told)
		if all.run != "" {
			h.run = all.run
		}
		return all.outcome, all.again, answer.Err
	}
}

// ask waits by update, and where too many do, looks; again: ask once more.
func (h *Write) ask(ctx context.Context, wait time.Duration) (outcome contract.WriteOutcome, again bool, err error) {
	var answer contract.WriteAnswer
	handle, err := h.of.temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: h.id, RunID: h.run, UpdateName: contract.UpdateOutcome,
		Args:         []any{contract.WriteOutcomeRequest{Wait: wait.Round(time.Millisecond).String()}},
		WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err == nil {
		err = handle.Get(ctx, &answer)
	}
	switch {
	case err == nil:
		return answer.Outcome, answer.Again, nil
	case errors.As(err, new(*serviceerror.NotFound)), errors.As(err, new(*serviceerror.ResourceExhausted)):
		// The run is over, or too many wait.
		outcome, known, err := h.look(ctx)
		return outcome, !known, err
	}
	return outcome, false, fmt.Errorf("outcome of %s: %w", h.id, classify(err))
}

// look tells, without waiting, how the write stands: the result of a run that is
// over, else what a worker answers. It follows the run to those that went on.
func (h *Write) look(ctx context.Context) (contract.WriteOutcome, bool, error) {
	for {
		outcome, next, over, err := h.result(ctx)
		if err != nil || over && next == "" {
			return outcome, true, err
		}
		if next != "" {
			h.run = next
			continue
		}
		return h.query(ctx)
	}
}

// query asks a worker. Where none answers in time the write, which is known to
// run, is on its way as far as anybody can tell.
func (h *Write) query(ctx context.Context) (contract.WriteOutcome, bool, error) {
	answer := contract.WriteAnswer{Outcome: contract.WriteOutcome{Status: contract.WritePending}}
	err := within(ctx, firstPatience, func(ctx context.Context) error {
		value, err := h.of.temporal.QueryWorkflow(ctx, h.id, h.run, contract.UpdateOutcome)
		if err != nil {
			return err
		}
		return value.Get(&answer)
	})
	if err != nil && !errors.Is(classifyQuery(err), ErrUnavailable) {
		return answer.Outcome, false, fmt.Errorf("outcome of %s: %w", h.id, classify(err))
	}
	return answer.Outcome, answer.Outcome.Status != contract.WritePending, ctx.Err()
}

// result is how the run ended; over is false while it runs, and next the run that
// goes on in its place.
func (h *Write) result(ctx context.Context) (outcome contract.WriteOutcome, next string, over bool, err error) {
	described, err := h.of.temporal.DescribeWorkflowExecution(ctx, h.id, h.run)
	if err != nil {
		return outcome, "", false, fmt.Errorf("operation %s: %w", h.id, classify(err))
	}
	info := described.GetWorkflowExecutionInfo()
	h.run = info.GetExecution().GetRunId()
	if info.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return outcome, "", false, nil
	}
	events := h.of.temporal.GetWorkflowHistory(ctx, h.id, h.run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT)
	last, err := events.Next()
	if err != nil {
		return outcome, "", false, fmt.Errorf("end of %s: %w", h.id, classify(err))
	}
	if again := last.GetWorkflowExecutionContinuedAsNewEventAttributes(); again != nil {
		return outcome, again.GetNewExecutionRunId(), true, nil
	}
	done := last.GetWorkflowExecutionCompletedEventAttributes()
	if done == nil {
		return outcome, "", true, fmt.Errorf("%s was ended from outside (%s), so whether it was made is not known: %w", h.id, info.GetStatus(), ErrNotRunning)
	}
	err = Converter().FromPayloads(done.GetResult(), &outcome)
	return outcome, "", true, err
}

// Trouble is why the last attempt failed, for a caller who is told "not yet";
// empty where none has, or nobody can say.
func (h *Write) Trouble(ctx context.Context) string {
	described, err := h.of.temporal.DescribeWorkflowExecution(ctx, h.id, h.run)
	if err != nil {
		return ""
	}
	for _, pending := range described.GetPendingActivities() {
		if text := pending.GetLastFailure().GetMessage(); text != "" {
			return text
		}
	}
	return ""
}

// Answered says that a 2xx was written to the caller in full: from now on an
// equal write without a key is another one. It returns when that holds for all
// who ask this process.
func (h *Write) Answered(ctx context.Context) error {
	defer h.Close()
	if h.keyed {
		return nil // its key says what it is
	}
	if err := h.signal(ctx, contract.SignalAnswered, struct{}{}); err != nil {
		if errors.Is(err, ErrNotFound) {
			h.of.told.add(h.run) // it has ended already
			return nil
		}
		return err
	}
	return h.awaitEnd(ctx)
}

// endsWithin is how long the end of a run that was answered is waited for. Where
// no worker ends it, or Temporal does not tell, equal writes join it still.
const endsWithin = 2 * time.Second

func (h *Write) awaitEnd(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, endsWithin)
	defer cancel()
	err := classify(h.of.temporal.GetWorkflow(ctx, h.id, h.run).Get(ctx, nil))
	if err != nil && ctx.Err() == nil && !errors.Is(err, ErrUnavailable) {
		return fmt.Errorf("end of %s: %w", h.id, err)
	}
	return nil
}

// Async says that the caller takes a 202 and asks later: from now on a refusal
// waits for a person. Where the write has ended meanwhile its outcome is told,
// and true.
func (h *Write) Async(ctx context.Context) (contract.WriteOutcome, bool, error) {
	err := h.signal(ctx, contract.SignalAsync, struct{}{})
	if errors.Is(err, ErrNotFound) {
		return h.look(ctx)
	}
	return contract.WriteOutcome{Status: contract.WritePending}, false, err
}

// signal reaches the run, or the one that goes on in its place; ErrNotFound where
// the write has ended.
func (h *Write) signal(ctx context.Context, name string, payload any) error {
	for {
		err := h.of.temporal.SignalWorkflow(ctx, h.id, h.run, name, payload)
		if err == nil {
			return nil
		}
		err = fmt.Errorf("%s at %s: %w", name, h.id, classify(err))
		if !errors.Is(err, ErrNotFound) {
			return err
		}
		_, next, _, lookErr := h.result(ctx)
		if lookErr != nil || next == "" {
			return err
		}
		h.run = next
	}
}

// Close lets equal writes pass that wait for whether this one was answered. It
// may be called more than once.
func (h *Write) Close() {
	if h.open != nil {
		h.open()
		h.open = nil
	}
}

// gates hold back, in this process, writes that equal one whose answer is being
// written.
type gates struct {
	mu     sync.Mutex
	closed map[string][]chan struct{}
}

// close closes the gate of an id until the returned function is called.
func (g *gates) close(id string) (open func()) {
	gate := make(chan struct{})
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed == nil {
		g.closed = map[string][]chan struct{}{}
	}
	g.closed[id] = append(g.closed[id], gate)
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		rest := g.closed[id][:0]
		for _, other := range g.closed[id] {
			if other != gate {
				rest = append(rest, other)
			}
		}
		if g.closed[id] = rest; len(rest) == 0 {
			delete(g.closed, id)
		}
		close(gate)
	}
}

// gatePatience bounds the wait for a caller who reads slowly; after it an equal
// write joins.
const gatePatience = 5 * time.Second

// wait returns when all gates of the id that are closed now are open; held tells
// whether any was closed.
func (g *gates) wait(ctx context.Context, id string) (held bool, err error) {
	g.mu.Lock()
	gates := append([]chan struct{}{}, g.closed[id]...)
	g.mu.Unlock()
	limit := time.NewTimer(gatePatience)
	defer limit.Stop()
	for _, gate := range gates {
		select {
		case <-gate:
		case <-limit.C:
			return true, nil
		case <-ctx.Done():
			return true, ctx.Err()
		}
	}
	return len(gates) > 0, nil
}
