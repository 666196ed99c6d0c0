package httpapi

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limiter counts the calls of each caller.
type Limiter interface {
	Take(caller string) Quota
}

// Quota is what a caller has left after a call.
type Quota struct {
	Allowed   bool
	Limit     int
	Remaining int
	// Reset is when the whole limit is there again.
	Reset time.Time
	// RetryAfter is how long to wait when the call was not allowed.
	RetryAfter time.Duration
}

func (q Quota) writeHeaders(h http.Header) {
	h.Set("X-RateLimit-Limit", strconv.Itoa(q.Limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(q.Remaining))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(q.Reset.Unix(), 10))
}

// Rate is how many calls a caller may make: PerSecond in the long run, Burst at
// once. What is not above zero is the default.
type Rate struct {
	PerSecond float64
	Burst     int
}

// The default is generous: it stops a caller that has gone mad, not a storm of alarms.
const (
	DefaultPerSecond = 100
	DefaultBurst     = 200
)

// NewLimiter gives every caller a token bucket of its own.
func NewLimiter(r Rate, now func() time.Time) Limiter {
	if r.PerSecond <= 0 {
		r.PerSecond = DefaultPerSecond
	}
	if r.Burst <= 0 {
		r.Burst = DefaultBurst
	}
	return &buckets{rate: r, now: now, byCaller: map[string]*rate.Limiter{}}
}

type buckets struct {
	rate Rate
	now  func() time.Time

	mu       sync.Mutex
	byCaller map[string]*rate.Limiter // one for each configured caller at most
}

func (b *buckets) Take(caller string) Quota {
	bucket, now := b.of(caller), b.now()
	allowed := bucket.AllowN(now, 1)
	tokens := bucket.TokensAt(now)
	quota := Quota{
		Allowed: allowed, Limit: b.rate.Burst, Remaining: max(0, int(tokens)),
		Reset: now.Add(b.refill(float64(b.rate.Burst) - tokens)),
	}
	if !allowed {
		quota.RetryAfter = b.refill(1 - tokens)
	}
	return quota
}

func (b *buckets) of(caller string) *rate.Limiter {
	b.mu.Lock()
	defer b.mu.Unlock()
	bucket := b.byCaller[caller]
	if bucket == nil {
		bucket = rate.NewLimiter(rate.Limit(b.rate.PerSecond), b.rate.Burst)
		b.byCaller[caller] = bucket
	}
	return bucket
}

// refill is how long it takes until so many tokens are back.
func (b *buckets) refill(tokens float64) time.Duration {
	return time.Duration(tokens / b.rate.PerSecond * float64(time.Second))
}

// wholeSeconds is a wait as Retry-After carries it: rounded up, at least one.
func wholeSeconds(d time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(d.Seconds()))))
}
