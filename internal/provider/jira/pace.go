package jira

import (
	"math/rand/v2"
	"sync"
	"time"
)

// shortestTurn is what an operation is taken to last at least when the time of
// a free place is estimated.
const shortestTurn = 20 * time.Millisecond

// pace holds the calls of one client to the integration's rate and to the
// pauses that Jira asks for. It never makes a caller wait: it says how long.
type pace struct {
	mu        sync.Mutex
	rate      Rate
	all       bucket
	endpoints map[string]*governor
	// paused: until when every call rests, and the calls for one issue.
	paused time.Time
	issues map[string]time.Time

	busy     int
	lasts    time.Duration // moving mean of an operation
	promised time.Time     // of places
}

func newPace(rate Rate) *pace {
	return &pace{
		rate: rate, all: bucket{rate: rate.PerSecond, tokens: max(minBurst, rate.PerSecond*burstSeconds)},
		endpoints: map[string]*governor{}, issues: map[string]time.Time{}, lasts: shortestTurn,
	}
}

// enter admits an operation whose decisive call goes to endpoint, or says how
// long to wait. Every operation that entered must leave.
func (p *pace) enter(now time.Time, endpoint, issue string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if wait := p.resting(now, issue); wait > 0 {
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

func (p *pace) leave(now, entered time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.busy--
	p.lasts = max(shortestTurn, (p.lasts*7+now.Sub(entered))/8)
}

// further admits one more call of an operation that entered. It is counted, and
// operations that come later pay for it, but only a pause holds it up: an
// operation of many calls would else never come to its end on a busy integration.
func (p *pace) further(now time.Time, endpoint, issue string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if wait := p.resting(now, issue); wait > 0 {
		return wait
	}
	if wait := p.governor(endpoint).admit(now, true); wait > 0 {
		return wait
	}
	p.all.spend(now)
	return 0
}

func (p *pace) resting(now time.Time, issue string) time.Duration {
	if now.Before(p.paused) {
		return p.all.promise(now, p.paused)
	}
	if until := p.issues[issue]; issue != "" && now.Before(until) {
		return until.Sub(now)
	}
	return 0
}

func (p *pace) passed(now time.Time, endpoint string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.governor(endpoint).passed(now)
}

// Reasons that Jira gives with a 429 (its page on rate limiting).
const (
	reasonGlobalQuota = "jira-quota-global-based"
	reasonTenantQuota = "jira-quota-tenant-based"
	reasonPerIssue    = "jira-per-issue-on-write"
)

// limited notes a 429 and answers how long the caller is to wait; asked is the
// wait that Jira named, 0 if none.
func (p *pace) limited(now time.Time, endpoint, issue, reason string, asked time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case reason == reasonGlobalQuota || reason == reasonTenantQuota:
		if asked == 0 {
			asked = jitter(lastWait)
		}
		if until := now.Add(asked); until.After(p.paused) {
			p.paused = until
		}
		return p.all.promise(now, p.paused)
	case reason == reasonPerIssue && issue != "":
		if asked == 0 {
			asked = jitter(2 * firstWait)
		}
		p.restIssue(now, issue, asked)
		return asked
	default:
		return p.governor(endpoint).limited(now, asked, p.rate.PerSecond)
	}
}

func (p *pace) restIssue(now time.Time, issue string, wait time.Duration) {
	for id, until := range p.issues {
		if !now.Before(until) {
			delete(p.issues, id)
		}
	}
	p.issues[issue] = now.Add(wait)
}

func (p *pace) governor(endpoint string) *governor {
	g := p.endpoints[endpoint]
	if g == nil {
		g = &governor{bucket: bucket{rate: p.rate.PerSecond}}
		p.endpoints[endpoint] = g
	}
	return g
}

// jitter is the vendor's: a factor of 0.7 to 1.3.
func jitter(wait time.Duration) time.Duration {
	return time.Duration(float64(wait) * (0.7 + 0.6*rand.Float64()))
}
