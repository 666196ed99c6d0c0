package workflows

import (
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
func once(provider string, timeout time.Duration, text string) workflow.ActivityOptions {
	options := repeatable(provider, timeout, text)
	options.RetryPolicy.NonRetryableErrorTypes = onceOnly()
	return options
}

// repeatable are the options of a call that may be made again, whatever became
// of the one before.
func repeatable(provider string, timeout time.Duration, text string) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		TaskQueue:           contract.ProviderQueue(provider),
		StartToCloseTimeout: timeout,
		// In a run that ends, a call in progress is awaited, not abandoned.
		WaitForCancellation: true,
		Summary:             summary(text),
		RetryPolicy:         retryPolicy(),
	}
}

// onceOnly are the ends of an attempt that may have had its effect, as the
// server names them: the worker did not report in time, or its code panicked.
func onceOnly() []string {
	return []string{"TemporalTimeout:StartToClose", "TemporalTimeout:Heartbeat", "PanicError"}
}

// search are the options of looking for what an earlier call did; it may be
// repeated at will.
func search(provider, text string) workflow.ActivityOptions {
	options := repeatable(provider, searchTimeout, text)
	options.HeartbeatTimeout = time.Minute
	options.RetryPolicy.MaximumInterval = time.Minute // a whole request waits for it
	return options
}

// once, and the others below, are the options for the key's provider.
func (m *matchKey) once(ctx workflow.Context, timeout time.Duration, text string) workflow.Context {
	return workflow.WithActivityOptions(ctx, once(m.provider, timeout, text))
}

func (m *matchKey) repeatable(ctx workflow.Context, text string) workflow.Context {
	return workflow.WithActivityOptions(ctx, repeatable(m.provider, callTimeout, text))
}

func (m *matchKey) search(ctx workflow.Context, text string) workflow.Context {
	return workflow.WithActivityOptions(ctx, search(m.provider, text))
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
