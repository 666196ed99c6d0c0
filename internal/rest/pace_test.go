package rest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func noon() time.Time { return time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC) }

func TestSlotsArePromisedOneByOne(t *testing.T) {
	p := NewPace(Rate{PerSecond: 10, Concurrency: 100})
	now := noon()
	var waits []time.Duration
	for range 500 {
		if wait := p.Enter(now, "create", ""); wait > 0 {
			waits = append(waits, wait)
		}
	}
	require.Len(t, waits, 498)
	for i := 1; i < 400; i++ {
		assert.Equal(t, 100*time.Millisecond, waits[i]-waits[i-1])
	}
	p = NewPace(Rate{PerSecond: 1, Concurrency: 100})
	for range 500 {
		assert.LessOrEqual(t, p.Enter(now, "create", ""), maxPromise+2*time.Second, "promises are bounded")
	}
}

func TestConcurrencyIsHeld(t *testing.T) {
	p := NewPace(Rate{PerSecond: 1000, Concurrency: 2})
	now := noon()
	assert.Zero(t, p.Enter(now, "get", ""))
	assert.Zero(t, p.Enter(now, "get", ""))
	first, second := p.Enter(now, "get", ""), p.Enter(now, "get", "")
	assert.Positive(t, first)
	assert.GreaterOrEqual(t, second, first)
	p.Leave(now, now)
	assert.Zero(t, p.Enter(now, "get", ""))
}

func TestWaitsGrowWhereNoneIsNamed(t *testing.T) {
	p := NewPace(Rate{PerSecond: 1000, Concurrency: 1})
	now, last := noon(), time.Duration(0)
	for range 8 {
		wait := p.Limited(now, "create", "", OneEndpoint, 0)
		assert.GreaterOrEqual(t, wait, last/3, "jitter aside, waits grow")
		last = wait
		now = now.Add(wait + time.Millisecond)
	}
	assert.Greater(t, last, 15*time.Second)
	assert.Less(t, last, 50*time.Second)
}
