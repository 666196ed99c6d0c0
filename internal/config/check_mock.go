package config

import (
	"fmt"
	"slices"
	"time"
)

// Limits of the test provider's keys: what is longer was not meant.
const (
	maxLatency    = Duration(time.Minute)
	maxDelay      = Duration(10 * time.Minute)
	maxRetryAfter = Duration(time.Hour)
)

// checkMock: the test provider is nowhere, and only it can be told how to behave.
func (c *checker) checkMock(path string, integration *Integration) {
	at := path + ".mock"
	if integration.Type != TypeMock {
		if c.doc.Has(at) {
			c.problem(at, "only a %s has this key", TypeMock)
		}
		return
	}
	if c.doc.Has(path + ".url") {
		c.problem(path+".url", "this type has no address: it is in the memory of starter serve")
	}
	c.within(at+".latency", integration.Mock.Latency, 0, maxLatency)
	if integration.Mock.Seed < 0 {
		c.problem(at+".seed", "want at least 0")
	}
	for i := range integration.Mock.Faults {
		c.checkFault(fmt.Sprintf("%s.faults[%d]", at, i), &integration.Mock.Faults[i])
	}
}

func (c *checker) checkFault(path string, f *MockFault) {
	if !c.oneOf(path+".kind", f.Kind, mockFaultKinds()) {
		return
	}
	if c.doc.Has(path+".share") && (f.Share <= 0 || f.Share > 1) {
		c.problem(path+".share", "want more than 0 and at most 1, which is every call")
	}
	for i, operator := range f.Operators {
		c.oneOf(fmt.Sprintf("%s.operators[%d]", path, i), operator, MockOperators())
	}
	c.belongs(path+".delay", f.Kind, MockSlow)
	c.belongs(path+".retry_after", f.Kind, MockRateLimited)
	if f.Kind == MockSlow {
		c.within(path+".delay", f.Delay, Duration(time.Millisecond), maxDelay)
	}
	if c.doc.Has(path + ".retry_after") {
		c.within(path+".retry_after", f.RetryAfter, Duration(time.Millisecond), maxRetryAfter)
	}
}

// belongs reports a key that a fault of this kind does not have.
func (c *checker) belongs(path, kind string, kinds ...string) {
	if c.doc.Has(path) && !slices.Contains(kinds, kind) {
		c.problem(path, "a fault of kind %s does not have this key", kind)
	}
}

func (c *checker) within(path string, d, least, most Duration) {
	if d < least || d > most {
		c.problem(path, "want at least %s and at most %s", least, most)
	}
}
