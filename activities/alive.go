package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"
)

// keepAliveEvery is well below the heartbeat timeout that the workflows set.
const keepAliveEvery = 20 * time.Second

// keepAlive heartbeats until the returned function is called, so that the death
// of a worker in a long search is noticed.
func keepAlive(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(keepAliveEvery)
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

// reportTime is left of an attempt to tell how its call ended.
const reportTime = 2 * time.Second

// inTime ends a call that changes something early enough that its attempt can
// still report it; a workflow that cancels does not end it. Cut off in the middle
// the call may have had its effect, and the SDK would report the attempt as
// cancelled, which the workflow takes for not made.
func inTime(ctx context.Context) (context.Context, context.CancelFunc) {
	own := context.WithoutCancel(ctx)
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(own, deadline.Add(-reportTime))
	}
	return context.WithCancel(own)
}
