package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/operate"
	"github.com/ticketbridge/ticketbridge/internal/simulator/cloudfeeds"
)

const (
	idleFeeds = 1000
	// idleWindows of reading, each of the default length, are watched.
	idleWindows = 2
	feedWindow  = 70 * time.Second
	mostMemory  = 250 // MB
	mostActions = 2   // a minute
)

// idle lets one worker read feeds that bring nothing, with default settings.
func (b *bench) idle(ctx context.Context) (lines []line, err error) {
	source := cloudfeeds.New(cloudfeeds.Options{})
	site := httptest.NewServer(source)
	defer site.Close()
	var feeds strings.Builder
	for n := range idleFeeds {
		feeds.WriteString(feedText(idleName(n), site.URL, idleName(n), ""))
	}
	s, err := b.start(ctx, options{feeds: feeds.String()})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	if err := s.startIdle(ctx, source); err != nil {
		return nil, err
	}
	from, before, err := s.scrape()
	if err != nil {
		return nil, err
	}
	polls := source.Stats().Heads
	if err := pause(ctx, idleWindows*feedWindow); err != nil {
		return nil, err
	}
	to, after, err := s.scrape()
	if err != nil {
		return nil, err
	}
	polls = source.Stats().Heads - polls
	each, err := s.idleCost(ctx, from, to)
	if err != nil {
		return nil, err
	}
	minutes := to.Sub(from).Minutes()
	heartbeats := (after[heartbeatCalls] - before[heartbeatCalls]) / idleFeeds
	each.actions += heartbeats
	each = each.per(minutes)
	memory := after[residentMemory] / (1 << 20)
	return []line{{
		figure: fmt.Sprintf("one worker with %d idle feeds", idleFeeds),
		measured: fmt.Sprintf("%.0f MB, %.0f goroutines, %.0f %% of a core, %.1f polls a minute and feed", memory, after[goroutines],
			100*(after[cpuSeconds]-before[cpuSeconds])/to.Sub(from).Seconds(), float64(polls)/idleFeeds/minutes),
		hold: fmt.Sprintf("under %d MB", mostMemory), holds: memory < mostMemory && memory > 0,
	}, {
		figure:   "cost of a minute of an idle feed",
		measured: fmt.Sprintf("%s, heartbeats included", each),
		hold:     fmt.Sprintf("at most %d actions", mostActions), holds: each.actions <= mostActions,
	}}, nil
}

func idleName(n int) string { return fmt.Sprintf("idle-%04d", n) }

// startIdle starts the feeds and waits until each was polled.
func (s *stack) startIdle(ctx context.Context, source *cloudfeeds.Server) error {
	group, starting := errgroup.WithContext(ctx)
	group.SetLimit(clients)
	for n := range idleFeeds {
		group.Go(func() error { return s.startFeed(starting, idleName(n)) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return await(ctx, 3*time.Minute, 200*time.Millisecond, "the first poll of every feed", func() (bool, error) {
		return source.Stats().Heads >= 2*idleFeeds, s.failure()
	})
}

func (s *stack) startFeed(ctx context.Context, name string) error {
	feeds := operate.Feeds{Temporal: s.client}
	return feeds.Start(ctx, name, integration)
}

// idleCost is the mean cost of a feed in a span of time.
func (s *stack) idleCost(ctx context.Context, from, to time.Time) (cost, error) {
	var sum cost
	const step = idleFeeds / sampled
	for n := range sampled {
		c, err := s.count(ctx, contract.FeedID(idleName(n*step)), from, to)
		if err != nil {
			return sum, err
		}
		sum.events += c.events
		sum.actions += c.actions
	}
	return sum.per(sampled), nil
}

// What is read of a worker's metrics.
const (
	residentMemory = "process_resident_memory_bytes"
	cpuSeconds     = "process_cpu_seconds_total"
	goroutines     = "go_goroutines"
	requestCount   = "temporal_request_total"
	// heartbeatCalls is requestCount of heartbeats alone.
	heartbeatCalls = "heartbeats"
)

// scrape reads the first worker's metrics.
func (s *stack) scrape() (time.Time, map[string]float64, error) {
	now := time.Now()
	resp, err := http.Get("http://" + s.metrics[0] + "/metrics")
	if err != nil {
		return now, nil, err
	}
	defer resp.Body.Close()
	values := map[string]float64{}
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		series, text, _ := strings.Cut(lines.Text(), " ")
		name, labels, _ := strings.Cut(series, "{")
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			continue // a comment
		}
		if name == requestCount && strings.Contains(labels, `operation="RecordActivityTaskHeartbeat"`) {
			name = heartbeatCalls
		}
		values[name] += value
	}
	return now, values, lines.Err()
}
