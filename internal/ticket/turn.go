package ticket

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

const (
	// patience is how long a read waits for its turn, all in all: clients that ask
	// once are not turned away by a burst, and none is kept waiting for long.
	patience = 8 * time.Second
	// shortestTurn keeps many readers from asking all the time.
	shortestTurn = 50 * time.Millisecond
)

// InTurn makes a read, again where the rate of the integration or its provider
// does not allow it yet and will soon.
func InTurn[T any](ctx context.Context, read func() (T, error)) (T, error) {
	end := time.Now().Add(patience)
	for {
		out, err := read()
		limited, ok := errors.AsType[*Error](err)
		if !ok || limited.Kind != RateLimited {
			return out, err
		}
		wait := max(limited.RetryAfter, shortestTurn)
		wait += rand.N(wait/2 + 1) // those who wait together do not ask together
		if time.Now().Add(wait).After(end) {
			return out, err
		}
		select {
		case <-ctx.Done():
			return out, err
		case <-time.After(wait):
		}
	}
}
