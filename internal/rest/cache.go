package rest

import (
	"sync"
	"time"
)

// What is remembered of a vendor's own settings, so that they are not asked for
// with every ticket. A change is seen within cacheFor.
const (
	cacheFor = 10 * time.Minute
	cacheMax = 1000
)

// Cache remembers answers for 10 minutes, at most 1,000 of them. It is safe for
// concurrent use.
type Cache[V any] struct {
	mu      sync.Mutex
	now     func() time.Time
	entries map[string]cached[V]
}

type cached[V any] struct {
	value V
	until time.Time
}

// NewCache makes a cache that goes by the clock now.
func NewCache[V any](now func() time.Time) *Cache[V] {
	return &Cache[V]{now: now, entries: map[string]cached[V]{}}
}

// Get answers from memory or asks; a failed ask is not remembered. Two callers
// may ask at once: asking twice harms nobody.
func (c *Cache[V]) Get(key string, ask func() (V, error)) (V, error) {
	if value, ok := c.recall(key); ok {
		return value, nil
	}
	value, err := ask()
	if err != nil {
		return value, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.entries) >= cacheMax {
		clear(c.entries)
	}
	c.entries[key] = cached[V]{value: value, until: c.now().Add(cacheFor)}
	return value, nil
}

func (c *Cache[V]) recall(key string) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	entry, ok := c.entries[key]
	return entry.value, ok && c.now().Before(entry.until)
}
