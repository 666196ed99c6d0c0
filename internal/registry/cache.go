package registry

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/operate"
)

const (
	// Fresh is how long an answer of Temporal is taken for true. A token that was
	// revoked is good that long at most.
	Fresh = 30 * time.Second
	// maxCached bounds the names remembered: callers can ask for any.
	maxCached = 1000
	// askWithin is how long one question may take.
	askWithin = 10 * time.Second
)

// cache remembers what Temporal said of integrations, and that it knows none.
type cache struct {
	ask func(ctx context.Context, name string) (contract.IntegrationView, error)
	// open makes an integration ready to be used: once for each answer.
	open func(contract.IntegrationView) (Found, error)
	now  func() time.Time
	// asking makes one question of many for the same name.
	asking singleflight.Group

	mu      sync.Mutex
	entries map[string]entry
}

type entry struct {
	view contract.IntegrationView
	// err is nil or ErrNotFound.
	err error
	at  time.Time
	// found is what open makes of the view; nil where there is none.
	found func() (Found, error)
}

func newCache(ask func(context.Context, string) (contract.IntegrationView, error), open func(contract.IntegrationView) (Found, error), now func() time.Time) *cache {
	return &cache{ask: ask, open: open, now: now, entries: map[string]entry{}}
}

// get is what is known of an integration. An error other than ErrNotFound says
// that Temporal could not be asked; the entry is then the last one known, if any.
func (c *cache) get(ctx context.Context, name string) (entry, error) {
	known, ok := c.known(name)
	if ok && c.now().Sub(known.at) < Fresh {
		return known, known.err
	}
	asked := c.asking.DoChan(name, func() (any, error) {
		// For everybody who waits, so not for as long as the first one does.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askWithin)
		defer cancel()
		at := c.now()
		view, err := c.ask(ctx, name)
		if err == nil || errors.Is(err, operate.ErrNotFound) {
			return c.put(name, entry{view: view, err: err, at: at}), err
		}
		return known, err
	})
	select {
	case <-ctx.Done():
		return known, ctx.Err()
	case answer := <-asked:
		said, _ := answer.Val.(entry)
		return said, answer.Err
	}
}

func (c *cache) known(name string) (entry, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[name]
	return e, ok
}

// put remembers an answer, unless a newer one is there, and gives it ready to be
// opened.
func (c *cache) put(name string, e entry) entry {
	if e.err == nil {
		e.found = sync.OnceValues(func() (Found, error) { return c.open(e.view) })
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.entries[name]; ok && old.at.After(e.at) {
		return e
	}
	if len(c.entries) >= maxCached {
		c.evict()
	}
	c.entries[name] = e
	return e
}

// evict makes room: first what is not known to exist, then anything.
func (c *cache) evict() {
	for name, e := range c.entries {
		if e.err != nil {
			delete(c.entries, name)
		}
	}
	for name := range c.entries {
		if len(c.entries) < maxCached {
			return
		}
		delete(c.entries, name)
	}
}
