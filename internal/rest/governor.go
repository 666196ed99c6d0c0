package rest

import (
	"slices"
	"time"
)

// How a governor finds the rate that the other side bears.
const (
	// cutTo is the part of the rate that went through which is tried after a 429.
	cutTo = 0.8
	// leastRate keeps a governed endpoint alive, calls a second.
	leastRate = 0.5
	// growBelow and growAbove are how much of the last refused rate is won back
	// in a second without a 429, below and above that rate.
	growBelow = 0.1
	growAbove = 0.01
	// leastGrowth is the part of the configured rate that is won back in a
	// second at least: 429s that have nothing to do with the rate must not keep
	// an endpoint slow.
	leastGrowth = 0.02
	// Waits after a 429 that names none: doubled up to 30 s, with jitter
	// (Atlassian's advice in "Rate limiting").
	firstWait = time.Second
	lastWait  = 30 * time.Second
)

// governor slows one endpoint down after a 429: limits are shared by processes
// that do not know each other, so each feels its way to its share.
type governor struct {
	bucket   bucket
	governed bool
	ceiling  float64 // the rate at the last 429
	// configured is the rate without any 429.
	configured float64
	grownAt    time.Time
	paused     time.Time
	strikes    int
	accepted   []time.Time // within the last second
}

// admit lets one call pass, or says how long to wait. A call that belongs to an
// operation under way waits for pauses only.
func (g *governor) admit(now time.Time, underWay bool) time.Duration {
	if now.Before(g.paused) {
		return g.bucket.promise(now, g.paused)
	}
	if !g.governed {
		return 0
	}
	g.grow(now)
	if underWay {
		g.bucket.spend(now)
		return 0
	}
	return g.bucket.take(now)
}

func (g *governor) grow(now time.Time) {
	step := growBelow
	if g.bucket.rate >= g.ceiling {
		step = growAbove
	}
	if now.After(g.grownAt) {
		growth := g.ceiling * step
		if g.bucket.rate < g.ceiling {
			growth = max(growth, g.configured*leastGrowth)
		}
		g.bucket.rate += growth * now.Sub(g.grownAt).Seconds()
		g.grownAt = now
	}
}

// passed notes an answer that was no 429.
func (g *governor) passed(now time.Time) {
	g.strikes = 0
	g.accepted = append(g.recent(now), now)
}

func (g *governor) recent(now time.Time) []time.Time {
	start, _ := slices.BinarySearchFunc(g.accepted, now.Add(-time.Second), func(t, limit time.Time) int { return t.Compare(limit) })
	return slices.Delete(g.accepted, 0, start)
}

// limited notes a 429 and answers how long the endpoint pauses. Several at once
// (calls that were under way together) slow it down once.
func (g *governor) limited(now time.Time, asked time.Duration, configured float64) time.Duration {
	if now.Before(g.paused) && asked <= g.paused.Sub(now) {
		return g.bucket.promise(now, g.paused)
	}
	wait := asked
	if wait == 0 {
		wait = Jitter(min(firstWait<<min(g.strikes, 5), lastWait))
	}
	g.strikes++
	if !now.Before(g.paused) {
		g.slow(now, configured)
	}
	g.paused = now.Add(wait)
	return g.bucket.promise(now, g.paused)
}

func (g *governor) slow(now time.Time, configured float64) {
	rate := configured
	if g.governed {
		rate = g.bucket.rate
	}
	g.accepted = g.recent(now)
	// Less than half of the rate went through because there was no more to do:
	// that says nothing about what the other side bears.
	through := min(max(float64(len(g.accepted)), rate/2), rate)
	g.governed, g.ceiling, g.grownAt, g.configured = true, through, now, configured
	g.bucket.rate = max(leastRate, through*cutTo)
	g.bucket.tokens, g.bucket.at = 0, now
}
