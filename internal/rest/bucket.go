package rest

import (
	"math/rand/v2"
	"time"
)

const (
	// maxPromise bounds how far ahead slots are promised; whoever comes when
	// all of that is given away is sent off for a random part of it.
	maxPromise = time.Minute
	// burstSeconds of unused rate are kept, so that a caller who comes back a
	// little late does not lose its slot.
	burstSeconds = 0.2
	minBurst     = 2
)

// bucket admits rate calls a second. Who is not admitted gets the time of a
// slot of its own, so that many who wait do not come back all at once.
type bucket struct {
	rate     float64
	tokens   float64
	at       time.Time
	promised time.Time
}

func (b *bucket) refill(now time.Time) {
	if now.After(b.at) {
		if !b.at.IsZero() {
			b.tokens += now.Sub(b.at).Seconds() * b.rate
		}
		b.at = now
	}
	b.tokens = min(b.tokens, max(minBurst, b.rate*burstSeconds))
}

// take admits one call, or says how long to wait.
func (b *bucket) take(now time.Time) time.Duration {
	b.refill(now)
	if b.tokens >= 1 {
		b.tokens--
		return 0
	}
	return b.promise(now, now.Add(b.time(1-b.tokens)))
}

// promise gives the next slot that is not before earliest nor promised yet.
func (b *bucket) promise(now, earliest time.Time) time.Duration {
	slot := b.promised.Add(b.time(1))
	if slot.Before(earliest) {
		slot = earliest
	}
	limit := maxPromise
	if wait := earliest.Sub(now) + maxPromise; wait > limit {
		limit = wait
	}
	if slot.Sub(now) > limit {
		return limit - time.Duration(rand.Int64N(int64(maxPromise/2)))
	}
	b.promised = slot
	return slot.Sub(now)
}

// spend counts a call that is made in any case; later ones wait for it.
func (b *bucket) spend(now time.Time) {
	b.refill(now)
	b.tokens--
}

func (b *bucket) time(tokens float64) time.Duration {
	return time.Duration(tokens / b.rate * float64(time.Second))
}
