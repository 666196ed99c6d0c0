// Package feed makes the readers of the configured feeds. It is the one place
// that knows all feed types.
package feed

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/event"
)

// Reader is what every feed package offers.
type Reader interface {
	activities.FeedReader
	// Newest are the newest entries of the feed, at most n, oldest first. It
	// changes nothing for those who read the feed.
	Newest(ctx context.Context, n int) ([]event.Entry, error)
}

// kind is one type of feed.
type kind struct {
	// open makes a reader; shared is what all feeds of the configuration have in common.
	open func(f config.Feed, interval config.Duration, shared *shared) (Reader, error)
	// transform is the default jq program.
	transform string
}

func kinds() map[string]kind {
	return map[string]kind{
		config.TypeCloudFeeds: cloudFeedsKind(),
		config.TypeAcronis:    acronisKind(),
	}
}

// Types are the feed types of this version, as the configuration names them.
func Types() []string { return slices.Sorted(maps.Keys(kinds())) }

// Set holds the reader of every configured feed.
type Set struct {
	feeds   map[string]activities.Feed
	readers map[string]Reader
	unknown func(name string) error
}

// New makes the readers; the error names the feed and the key that is wrong.
func New(c *config.Config) (*Set, error) {
	s := &Set{
		feeds: map[string]activities.Feed{}, readers: map[string]Reader{},
		unknown: func(name string) error {
			_, err := c.Feed(name)
			return err
		},
	}
	shared := newShared()
	for _, f := range c.Feeds {
		reader, err := open(f, config.Duration(c.FeedInterval(f.Name)), shared)
		if err != nil {
			return nil, fmt.Errorf("feed %s: %w", f.Name, err)
		}
		s.readers[f.Name] = reader
		s.feeds[f.Name] = activities.Feed{
			Name: f.Name, Integration: f.Integration, Match: f.Match, Reader: reader, PollInterval: f.PollInterval.Std(),
		}
	}
	return s, nil
}

// Feed finds a feed by name.
func (s *Set) Feed(name string) (activities.Feed, error) {
	if f, ok := s.feeds[name]; ok {
		return f, nil
	}
	return activities.Feed{}, s.unknown(name)
}

// Reader finds a feed's reader by the feed's name.
func (s *Set) Reader(name string) (Reader, error) {
	if r, ok := s.readers[name]; ok {
		return r, nil
	}
	return nil, s.unknown(name)
}

func open(f config.Feed, interval config.Duration, shared *shared) (Reader, error) {
	kind, ok := kinds()[f.Type]
	if !ok {
		return nil, fmt.Errorf("type %s is not available in this version", f.Type)
	}
	reader, err := kind.open(f, interval, shared)
	if err != nil || f.Match != event.PolicyEvent {
		return reader, err
	}
	program, err := shared.program(cmp.Or(f.Transform, kind.transform))
	if err != nil {
		return nil, fmt.Errorf("transform: %w", err)
	}
	return transformed{Reader: reader, program: program}, nil
}
