package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/testbed"
)

// A storm: pages as a feed brings them, full of events that say again what is
// known already. Each has an id of its own, so only the rules can tell.
const (
	stormPages = 30
	pageEvents = 1000
	stormKeys  = 50
	leastStorm = 3000 // events a second
)

func (b *bench) storm(ctx context.Context) (lines []line, err error) {
	s, err := b.start(ctx, options{feeds: stormFeed()})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	handOver := s.deliverer()
	if err := s.warmUp(ctx); err != nil {
		return nil, err
	}
	before := s.jira.Stats().Commits["create"]
	begin := time.Now()
	for page := range stormPages {
		refused, err := handOver.HandOver(ctx, stormName, stormPage(page), false)
		if err != nil {
			return nil, err
		}
		if len(refused) > 0 {
			return nil, fmt.Errorf("%d events of a page are refused: %s", len(refused), refused[0].Malformed)
		}
	}
	handed := time.Since(begin)
	ids, err := s.stormIDs()
	if err != nil {
		return nil, err
	}
	decided, err := s.awaitDecided(ctx, ids, stormPages*pageEvents)
	if err != nil {
		return nil, err
	}
	took := time.Since(begin)
	if err := s.awaitCommits(ctx, "create", before+stormKeys); err != nil {
		return nil, err
	}
	tickets := s.jira.Stats().Commits["create"] - before
	total, err := s.countAll(ctx, ids)
	if err != nil {
		return nil, err
	}
	// What the 50 requests themselves cost is not the duplicates'.
	const perRequest, perDuplicate = 4, 0.1
	events := float64(stormPages * pageEvents)
	each := total.minus(cost{actions: perRequest * stormKeys}).per(events - stormKeys)
	return []line{{
		figure: fmt.Sprintf("storm of duplicates: %d pages of %d events on %d keys", stormPages, pageEvents, stormKeys),
		measured: fmt.Sprintf("%.0f events/s (handed over at %.0f/s), %d tickets, %d of %d decided",
			events/took.Seconds(), events/handed.Seconds(), tickets, decided, stormPages*pageEvents),
		hold:  fmt.Sprintf("at least %d events/s, %d tickets, nothing lost", leastStorm, stormKeys),
		holds: events/took.Seconds() >= leastStorm && tickets == stormKeys && decided == stormPages*pageEvents,
	}, {
		figure: "cost of a duplicate in such a page", measured: each.String(),
		hold: fmt.Sprintf("at most %.1f actions", perDuplicate), holds: each.actions <= perDuplicate,
	}}, nil
}

// stormFeed is a feed whose pages are made up here: it is never started.
func stormFeed() string {
	text := feedText(stormName, "http://127.0.0.1:1", stormName, "person: monitor@widget.example")
	return strings.Replace(text, "match: ticket", "match: event", 1)
}

const stormName = "storm"

// warmUp makes one request, so that nothing is done for the first time later.
func (s *stack) warmUp(ctx context.Context) error {
	if err := s.submitter()(ctx, "warm-up"); err != nil {
		return err
	}
	return s.awaitCommits(ctx, "create", 1)
}

func stormEvent(key int) event.Params {
	ci := testbed.CI(key)
	return event.Params{"subject": "Disk full on " + ci, "source": "Nagios", "ci": ci, "note": "The disk of " + ci + " is full."}
}

func stormPage(page int) []event.Entry {
	entries := make([]event.Entry, pageEvents)
	for n := range entries {
		entries[n] = event.Entry{ID: fmt.Sprintf("urn:uuid:storm-%04d-%04d", page, n), StoredAt: time.Now(), Params: stormEvent(n % stormKeys)}
	}
	return entries
}

func (s *stack) stormIDs() ([]string, error) {
	var ids []string
	for key := range stormKeys {
		id, err := s.matchID(event.Event{Params: stormEvent(key)})
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// askAtOnce is how many workflows are asked at a time: one after the other, the
// asking itself would show in the rate.
const askAtOnce = 8

// awaitDecided waits until the workflows have decided so many events in all.
func (s *stack) awaitDecided(ctx context.Context, ids []string, n int64) (int64, error) {
	var decided atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(askAtOnce)
	for _, id := range ids {
		group.Go(func() error {
			return await(ctx, 2*time.Minute, 10*time.Millisecond, "the last decision of "+id, func() (bool, error) {
				value, err := s.client.QueryWorkflow(ctx, id, "", contract.QueryState)
				if err != nil {
					return false, err
				}
				var view contract.MatchView
				if err := value.Get(&view); err != nil {
					return false, err
				}
				if view.Events < n/int64(len(ids)) {
					return false, s.failure()
				}
				decided.Add(view.Events)
				return true, nil
			})
		})
	}
	err := group.Wait()
	return decided.Load(), err
}
