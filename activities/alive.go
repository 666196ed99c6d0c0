package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"
)

// How often an activity says that it lives, well below the heartbeat timeouts that
// the workflows set. A call that is answered sooner says nothing, and costs nothing.
const (
	callBeat   = 5 * time.Second
	searchBeat = 20 * time.Second
)

// keepAlive heartbeats until the returned function is called, so that the death
// of a worker in the middle is noticed.
func keepAlive(ctx context.Context, every time.Duration) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				activity.RecordHeartbeat(ctx)
			}
		}
	}()
	return func() { cancel(); <-done }
}

// undisturbed is for a call that changes something at a provider: it ends with
// the attempt's own deadline, not when the workflow cancels. Cut off in the
// middle the call may have had its effect, and the SDK would report the attempt
// as cancelled, which the workflow takes for not made.
func undisturbed(ctx context.Context) (context.Context, context.CancelFunc) {
	own := context.WithoutCancel(ctx)
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(own, deadline)
	}
	return context.WithCancel(own)
}
