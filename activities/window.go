package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"
)

// pause waits for d, and heartbeats once beat has come (the SDK sends at most
// one heartbeat in 0.8 of the heartbeat timeout). It reports false when the
// activity was cancelled or the worker is stopping.
func pause(ctx context.Context, d time.Duration, beat time.Time) bool {
	timer := time.NewTimer(max(d, 0))
	defer timer.Stop()
	heartbeat := time.NewTimer(time.Until(beat))
	defer heartbeat.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-activity.GetWorkerStopChannel(ctx):
			return false
		case <-heartbeat.C:
			activity.RecordHeartbeat(ctx)
		case <-timer.C:
			return ctx.Err() == nil
		}
	}
}

// supersede ends a ReadFeed of the same feed that still runs in this worker:
// its workflow went on without it (a person paused or rewound the feed), and
// two readers would use twice the feed's share of requests.
func (a *Feeds) supersede(ctx context.Context, feed string) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	own := &reading{cancel: cancel}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.running == nil {
		a.running = map[string]*reading{}
	}
	if before := a.running[feed]; before != nil {
		before.cancel()
	}
	a.running[feed] = own
	return ctx, func() {
		cancel()
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.running[feed] == own {
			delete(a.running, feed)
		}
	}
}
