package rest

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestIntervalKeepsCallsApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var i Interval
		var mu sync.Mutex
		var at []time.Duration
		begin := time.Now()
		var waiting sync.WaitGroup
		for range 4 {
			waiting.Go(func() {
				require.NoError(t, i.Wait(t.Context(), time.Second))
				mu.Lock()
				defer mu.Unlock()
				at = append(at, time.Since(begin))
			})
		}
		waiting.Wait()
		assert.Equal(t, []time.Duration{0, time.Second, 2 * time.Second, 3 * time.Second}, at)
		require.NoError(t, i.Wait(t.Context(), 0), "no interval, no wait")
	})
}

// A person who says poll-now again and again must not push the next poll away.
func TestAWaitThatIsGivenUpCostsNoTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var i Interval
		require.NoError(t, i.Wait(t.Context(), time.Minute))
		begin := time.Now()
		for range 20 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			require.ErrorIs(t, i.Wait(ctx, time.Minute), context.DeadlineExceeded)
			cancel()
		}
		require.NoError(t, i.Wait(t.Context(), time.Minute))
		assert.Equal(t, time.Minute, time.Since(begin))
	})
}
