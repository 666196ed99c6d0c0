package rest

import (
	"context"
	"sync"
	"time"
)

// Interval keeps a least time between two calls. The zero value is ready.
type Interval struct {
	mu   sync.Mutex
	last time.Time
}

// Wait returns when every has passed since the last call, or with the context's
// error; then it was no call, and nobody waits for it.
func (i *Interval) Wait(ctx context.Context, every time.Duration) error {
	for {
		wait := i.take(every)
		if wait <= 0 {
			return ctx.Err()
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// take makes the call now, or says how long it has to wait at least.
func (i *Interval) take(every time.Duration) time.Duration {
	i.mu.Lock()
	defer i.mu.Unlock()
	now := time.Now()
	if left := i.last.Add(every).Sub(now); left > 0 && !i.last.IsZero() {
		return left
	}
	i.last = now
	return 0
}
