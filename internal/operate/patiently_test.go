package operate

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"go.temporal.io/api/serviceerror"
)

func TestAQueryThatIsLostIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		lost := func(n int) func(context.Context) error {
			calls = 0
			return func(ctx context.Context) error {
				if calls++; calls > n {
					return nil
				}
				<-ctx.Done()
				return serviceerror.NewDeadlineExceeded("lost")
			}
		}
		begin := time.Now()
		assert.NoError(t, patiently(t.Context(), lost(1)))
		assert.Equal(t, firstPatience, time.Since(begin))

		assert.ErrorContains(t, patiently(t.Context(), lost(queryTries)), "lost", "no worker runs")
		assert.Equal(t, queryTries, calls)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		assert.Error(t, patiently(ctx, lost(1)))
		assert.Equal(t, 1, calls, "nobody waits any more")

		calls = 0
		refused := errors.New("refused")
		assert.ErrorIs(t, patiently(t.Context(), func(context.Context) error { calls++; return refused }), refused)
		assert.Equal(t, 1, calls)
	})
}
