package provider

import (
	"fmt"
	"slices"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/provider/mock"
	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

// mockKeys are the keys that only the test provider has: how it behaves.
type mockKeys struct {
	Mock struct {
		// Latency is how long each call takes before it is carried out.
		Latency config.Duration `yaml:"latency"`
		// Seed makes the faults fall in the same order again.
		Seed   int         `yaml:"seed"`
		Faults []mockFault `yaml:"faults"`
	} `yaml:"mock"`
}

// mockFault is one way in which calls go wrong; see mock.Fault.
type mockFault struct {
	Kind       string          `yaml:"kind"`
	Share      float64         `yaml:"share"`
	Operators  []string        `yaml:"operators"`
	Delay      config.Duration `yaml:"delay"`
	RetryAfter config.Duration `yaml:"retry_after"`
}

func noMockKeys() *mockKeys { return &mockKeys{} }

// Limits of the test provider's keys: what is longer was not meant.
const (
	maxLatency    = config.Duration(time.Minute)
	maxDelay      = config.Duration(10 * time.Minute)
	maxRetryAfter = config.Duration(time.Hour)
)

func faultKinds() []string {
	return []string{mock.ErrorBefore, mock.ErrorAfter, mock.Slow, mock.RateLimited, mock.Refused, mock.Credentials}
}

// operatorNames are those that a fault can be held to.
func operatorNames() []string {
	var names []string
	for _, op := range ticketing.Operators() {
		names = append(names, string(op))
	}
	return names
}

func aboutMockKeys() map[string]config.Key {
	return map[string]config.Key{
		"mock":                      {About: "How a test provider misbehaves."},
		"mock.latency":              {About: "How long each call takes, like 200ms."},
		"mock.seed":                 {About: "The same seed, the same faults."},
		"mock.faults":               {About: "What goes wrong."},
		"mock.faults[]":             {About: "One way in which calls go wrong."},
		"mock.faults[].kind":        {About: "What happens.", Enum: faultKinds()},
		"mock.faults[].share":       {About: "The part of the calls that it befalls, up to 1; absent: all."},
		"mock.faults[].operators":   {About: "The operators that it befalls; absent: all."},
		"mock.faults[].operators[]": {About: "The name of an operator.", Enum: operatorNames()},
		"mock.faults[].delay":       {About: "How late a slow answer comes, like 3s."},
		"mock.faults[].retry_after": {About: "What a rate limit asks callers to wait, like 2s."},
	}
}

func checkMock(in *config.Integration, r config.Report) {
	own := config.Own(*in, noMockKeys).Mock
	r.Within("mock.latency", own.Latency, 0, maxLatency)
	if own.Seed < 0 {
		r.Problem("mock.seed", "want at least 0")
	}
	for i, fault := range own.Faults {
		fault.check(fmt.Sprintf("mock.faults[%d]", i), r)
	}
}

func (f mockFault) check(at string, r config.Report) {
	if !r.OneOf(at+".kind", f.Kind, faultKinds()) {
		return
	}
	if r.Has(at+".share") && (f.Share <= 0 || f.Share > 1) {
		r.Problem(at+".share", "want more than 0 and at most 1, which is every call")
	}
	for i, operator := range f.Operators {
		r.OneOf(fmt.Sprintf("%s.operators[%d]", at, i), operator, operatorNames())
	}
	f.belongs(at+".delay", r, mock.Slow)
	f.belongs(at+".retry_after", r, mock.RateLimited)
	if f.Kind == mock.Slow {
		r.Within(at+".delay", f.Delay, config.Duration(time.Millisecond), maxDelay)
	}
	if r.Has(at + ".retry_after") {
		r.Within(at+".retry_after", f.RetryAfter, config.Duration(time.Millisecond), maxRetryAfter)
	}
}

// belongs reports a key that a fault of this kind does not have.
func (f mockFault) belongs(key string, r config.Report, kinds ...string) {
	if r.Has(key) && !slices.Contains(kinds, f.Kind) {
		r.Problem(key, "a fault of kind %s does not have this key", f.Kind)
	}
}
