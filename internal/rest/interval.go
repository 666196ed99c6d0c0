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
// error. Calls that wait at the same time take turns.
func (i *Interval) Wait(ctx context.Context, every time.Duration) error {
	i.mu.Lock()
	now := time.Now()
	due := i.last.Add(every)
	if due.Before(now) {
		due = now
	}
	i.last = due
	i.mu.Unlock()
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
