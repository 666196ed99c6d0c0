package rest

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// shortestTurn is what an operation is taken to last at least when the time of
// a free place is estimated.
const shortestTurn = 20 * time.Millisecond

// Rate bounds the calls of one integration by one process.
type Rate struct {
	PerSecond   float64 // calls a second
	Concurrency int     // operations at a time
}

// Pace holds the calls of one client to the integration's rate and to the
// pauses that the other side asks for. It never makes a caller wait: it says how
// long. It is safe for concurrent use.
type Pace struct {
	mu        sync.Mutex
	rate      Rate
	all       bucket
	endpoints map[string]*governor
	// paused: until when every call rests, and the calls for one object.
	paused  time.Time
	objects map[string]time.Time

	busy     int
	lasts    time.Duration // moving mean of an operation
	promised time.Time     // of places
}

// NewPace makes a pace; both members of rate must be positive.
func NewPace(rate Rate) *Pace {
	return &Pace{
		rate: rate, all: bucket{rate: rate.PerSecond, tokens: max(minBurst, rate.PerSecond*burstSeconds)},
		endpoints: map[string]*governor{}, objects: map[string]time.Time{}, lasts: shortestTurn,
	}
}

// Enter admits an operation whose decisive call goes to endpoint, or says how
// long to wait. Every operation that entered must leave. object, where not empty,
// is what it writes to.
func (p *Pace) Enter(now time.Time, endpoint, object string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if wait := p.resting(now, object); wait > 0 {
		return wait
	}
	if p.busy >= p.rate.Concurrency {
		step := p.lasts / time.Duration(p.rate.Concurrency)
		if p.promised.Before(now) {
			p.promised = now
		}
		p.promised = p.promised.Add(max(step, time.Millisecond))
		return min(max(p.promised.Sub(now), p.lasts/2), maxPromise)
	}
	g := p.governor(endpoint)
	if wait := g.admit(now, false); wait > 0 {
		return wait
	}
	if wait := p.all.take(now); wait > 0 {
		g.bucket.tokens++ // what it admitted is not made
		return wait
	}
	p.busy++
	return 0
}

// Leave ends an operation.
func (p *Pace) Leave(now, entered time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.busy--
	p.lasts = max(shortestTurn, (p.lasts*7+now.Sub(entered))/8)
}

// Further admits one more call of an operation that entered. It is counted, and
// operations that come later pay for it, but only a pause holds it up: an
// operation of many calls would else never come to its end on a busy integration.
func (p *Pace) Further(now time.Time, endpoint, object string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if wait := p.resting(now, object); wait > 0 {
		return wait
	}
	if wait := p.governor(endpoint).admit(now, true); wait > 0 {
		return wait
	}
	p.all.spend(now)
	return 0
}

func (p *Pace) resting(now time.Time, object string) time.Duration {
	if now.Before(p.paused) {
		return p.all.promise(now, p.paused)
	}
	if until := p.objects[object]; object != "" && now.Before(until) {
		return until.Sub(now)
	}
	return 0
}

// Passed notes an answer that was no 429.
func (p *Pace) Passed(now time.Time, endpoint string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.governor(endpoint).passed(now)
}

// Scope is what a 429 speaks of.
type Scope int

const (
	// OneEndpoint: the endpoint that answered it, which is slowed down.
	OneEndpoint Scope = iota
	// AllCalls: the whole account.
	AllCalls
	// OneObject: writes to the object of the call.
	OneObject
)

// Limited notes a 429 and answers how long the caller is to wait; asked is the
// wait that the answer named, 0 if none.
func (p *Pace) Limited(now time.Time, endpoint, object string, scope Scope, asked time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case scope == AllCalls:
		if asked == 0 {
			asked = Jitter(lastWait)
		}
		if until := now.Add(asked); until.After(p.paused) {
			p.paused = until
		}
		return p.all.promise(now, p.paused)
	case scope == OneObject && object != "":
		if asked == 0 {
			asked = Jitter(2 * firstWait)
		}
		p.restObject(now, object, asked)
		return asked
	default:
		return p.governor(endpoint).limited(now, asked, p.rate.PerSecond)
	}
}

func (p *Pace) restObject(now time.Time, object string, wait time.Duration) {
	for id, until := range p.objects {
		if !now.Before(until) {
			delete(p.objects, id)
		}
	}
	p.objects[object] = now.Add(wait)
}

func (p *Pace) governor(endpoint string) *governor {
	g := p.endpoints[endpoint]
	if g == nil {
		g = &governor{bucket: bucket{rate: p.rate.PerSecond}}
		p.endpoints[endpoint] = g
	}
	return g
}

// Jitter spreads a wait by a factor of 0.7 to 1.3, so that callers who were sent
// off together do not come back together.
func Jitter(wait time.Duration) time.Duration {
	return time.Duration(float64(wait) * (0.7 + 0.6*rand.Float64()))
}

// Sleep waits, and reports false when ctx ended first.
func Sleep(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
