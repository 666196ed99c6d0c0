package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/ticketbridge/ticketbridge/internal/contract"
)

// Timeouts of one attempt. A call itself is given up after 20 seconds; an
// operator may need several calls. There is no heartbeat that would end an
// attempt sooner: a worker that was only frozen, or cut off, could still be
// making the call, and what it does must not come after the search for it.
const (
	createTimeout = 45 * time.Second
	callTimeout   = time.Minute
	searchTimeout = 15 * time.Minute
)

func retryPolicy() *temporal.RetryPolicy {
	return &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 5 * time.Minute}
}

// once are the options of a call that must not be repeated when its outcome is
// unknown. Temporal repeats it only when the activity says that nothing was
// changed; a worker that died in the middle counts as unknown.
func (m *matchKey) once(ctx workflow.Context, timeout time.Duration, text string) workflow.Context {
	policy := retryPolicy()
	policy.NonRetryableErrorTypes = onceOnly()
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           contract.ProviderQueue(m.provider),
		StartToCloseTimeout: timeout,
		// In a run that ends, a call in progress is awaited, not abandoned.
		WaitForCancellation: true,
		Summary:             summary(text),
		RetryPolicy:         policy,
	})
}

// onceOnly are the ends of an attempt that may have had its effect, as the
// server names them: the worker did not report in time, or its code panicked.
func onceOnly() []string {
	return []string{"TemporalTimeout:StartToClose", "TemporalTimeout:Heartbeat", "PanicError"}
}

// search are the options of looking for what an earlier call did; it may be
// repeated at will.
func (m *matchKey) search(ctx workflow.Context, text string) workflow.Context {
	policy := retryPolicy()
	policy.MaximumInterval = time.Minute // a whole request waits for it
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           contract.ProviderQueue(m.provider),
		StartToCloseTimeout: searchTimeout,
		HeartbeatTimeout:    time.Minute,
		WaitForCancellation: true,
		Summary:             summary(text),
		RetryPolicy:         policy,
	})
}

// operationID identifies an act at the provider across retries, runs and
// restarts: it is made of business facts only.
func (m *matchKey) operationID(op *operation) string {
	id := m.id + "/" + op.EventID
	if op.Event != nil && op.Kind == opComment && op.Event.Resolved.Foreign != nil && op.Event.Resolved.Foreign.Comment != nil {
		id = m.id + "/comment/" + op.Event.Resolved.Foreign.Comment.ID
	}
	if op.Kind == opNote {
		id += "/internal"
	}
	return id
}

func isType(err error, errorType string) bool {
	app, ok := errors.AsType[*temporal.ApplicationError](err)
	return ok && app.Type() == errorType
}

// unknownOutcome: the provider did not answer, or the worker died on the way.
func unknownOutcome(err error) bool {
	_, timeout := errors.AsType[*temporal.TimeoutError](err)
	return timeout || isType(err, contract.ErrorOutcomeUnknown)
}

// isPanic: the activity's code panicked; a person has to look, and what the
// call did before is unknown.
func isPanic(err error) bool {
	_, ok := errors.AsType[*temporal.PanicError](err)
	return ok
}

// isFinal: another attempt would end the same way.
func isFinal(err error) bool {
	app, ok := errors.AsType[*temporal.ApplicationError](err)
	return ok && app.NonRetryable() || isPanic(err)
}
