package ticket

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// limited refuses reads until a time.
func limited(until time.Time, after time.Duration) (read func() (string, error), asked *int) {
	asked = new(int)
	return func() (string, error) {
		*asked++
		if time.Now().Before(until) {
			return "", &Error{Kind: RateLimited, RetryAfter: after}
		}
		return "read", nil
	}, asked
}

func TestAReadWaitsForItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		read, asked := limited(time.Now().Add(3*time.Second), 0)
		got, err := InTurn(t.Context(), read)
		require.NoError(t, err)
		assert.Equal(t, "read", got)
		assert.LessOrEqual(t, *asked, 62, "not more often than every 50 ms")
	})
}

func TestAReadDoesNotWaitForLong(t *testing.T) {
	for _, after := range []time.Duration{0, time.Second, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			read, _ := limited(begin.Add(time.Hour), after)
			_, err := InTurn(t.Context(), read)
			failed, ok := errors.AsType[*Error](err)
			require.True(t, ok)
			assert.Equal(t, RateLimited, failed.Kind)
			assert.LessOrEqual(t, time.Since(begin), patience)
			if after > patience {
				assert.Zero(t, time.Since(begin), "what would take too long is told at once")
			}
		})
	}
}

func TestAReaderThatLeavesIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		read, _ := limited(begin.Add(time.Hour), 0)
		_, err := InTurn(ctx, read)
		require.Error(t, err)
		assert.Equal(t, time.Second, time.Since(begin))
	})
}

func TestOtherErrorsAreToldAtOnce(t *testing.T) {
	asked := 0
	_, err := InTurn(t.Context(), func() (string, error) {
		asked++
		return "", &Error{Kind: Retry, RetryAfter: time.Second}
	})
	require.Error(t, err)
	assert.Equal(t, 1, asked)
}
