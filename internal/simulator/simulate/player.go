package main

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/simulator/cloudfeeds"
)

// slower is how much slower made-up entries follow than recorded ones.
const slower = 10

// player publishes the recorded story, one entry at a time, and made-up entries
// after it; see estateEvent for what Acronis adds.
type player struct {
	world *world
	story []cloudfeeds.Entry
	// pace is the mean time between two recorded entries.
	pace time.Duration
	// wait returns false when ctx ended before d was over.
	wait func(ctx context.Context, d time.Duration) bool
}

// play goes on from where the world stands until ctx ends.
func (p *player) play(ctx context.Context) {
	for p.wait(ctx, p.next(p.world.position())) {
		p.world.publish(p.entry)
	}
}

// next is how long entry n waits; a little unevenly, as in life.
func (p *player) next(n int) time.Duration {
	pace := p.pace
	if n >= len(p.story) {
		pace *= slower
	}
	return time.Duration(float64(pace) * (0.7 + 0.6*rand.Float64()))
}

func (p *player) entry(n int) cloudfeeds.Entry {
	if n < len(p.story) {
		return p.story[n]
	}
	return invent(n - len(p.story))
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
