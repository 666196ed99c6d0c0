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
	"github.com/ticketbridge/ticketbridge/internal/simulator/acronis"
	"github.com/ticketbridge/ticketbridge/internal/simulator/cloudfeeds"
)

const (
	// idleFeeds is how many feeds one worker reads, half of each kind.
	idleFeeds = 1000
	// idleWindows of reading, each of the default length, are watched.
	idleWindows = 2
	feedWindow  = 70 * time.Second
	mostMemory  = 250 // MB
	mostActions = 2   // a minute
)

// idleKind is a type of feed that brings nothing.
type idleKind struct {
	name  string
	text  func(name string) string // its configuration
	polls func() int               // requests so far
}

// idle lets one worker read feeds that bring nothing, with default settings.
func (b *bench) idle(ctx context.Context) (lines []line, err error) {
	kinds, stop := idleKinds()
	defer stop()
	var feeds strings.Builder
	for n := range idleFeeds {
		feeds.WriteString(kinds[n%len(kinds)].text(idleName(n)))
	}
	s, err := b.start(ctx, options{feeds: feeds.String()})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	if err := s.startIdle(ctx, kinds); err != nil {
		return nil, err
	}
	return s.watchIdle(ctx, kinds)
}

// idleKinds are feeds at simulators of their own, until stop.
func idleKinds() (kinds []idleKind, stop func()) {
	rackspace, acronisEvents := cloudfeeds.New(cloudfeeds.Options{}), acronis.New(acronis.Options{})
	rackspaceSite, acronisSite := httptest.NewServer(rackspace), httptest.NewServer(acronisEvents)
	return []idleKind{{
			name:  "cloudfeeds",
			text:  func(name string) string { return feedText(name, rackspaceSite.URL, name, "") },
			polls: func() int { return rackspace.Stats().Heads },
		}, {
			name:  "acronis",
			text:  func(name string) string { return acronisText(name, acronisSite.URL) },
			polls: func() int { return acronisEvents.Stats().Polls },
		}}, func() {
			acronisEvents.Close()
			rackspaceSite.Close()
			acronisSite.CloseClientConnections()
			acronisSite.Close()
		}
}

// acronisText is the configuration of an Acronis feed. All of them share a
// credential.
func acronisText(name, url string) string {
	return fmt.Sprintf(`  - name: %s
    type: acronis
    url: %s
    credential: {type: oauth_client, client_id: bench, secret: "env:%s"}
    topic: %s
    types: ["%s*"]
    integration: %s
`, name, url, secretName, acronis.TopicTenant, acronis.TypePrefix, integration)
}

// watchIdle measures the feeds for some windows.
func (s *stack) watchIdle(ctx context.Context, kinds []idleKind) ([]line, error) {
	from, before, err := s.scrape()
	if err != nil {
		return nil, err
	}
	polls := make([]int, len(kinds))
	for i, kind := range kinds {
		polls[i] = kind.polls()
	}
	if err := pause(ctx, idleWindows*feedWindow); err != nil {
		return nil, err
	}
	to, after, err := s.scrape()
	if err != nil {
		return nil, err
	}
	minutes, ofKind := to.Sub(from).Minutes(), float64(idleFeeds/len(kinds))
	heartbeats := (after[heartbeatCalls] - before[heartbeatCalls]) / idleFeeds
	memory := after[residentMemory] / (1 << 20)
	lines := []line{{
		figure: fmt.Sprintf("one worker with %d idle feeds", idleFeeds),
		measured: fmt.Sprintf("%.0f MB, %.0f goroutines, %.0f %% of a core", memory, after[goroutines],
			100*(after[cpuSeconds]-before[cpuSeconds])/to.Sub(from).Seconds()),
		hold: fmt.Sprintf("under %d MB", mostMemory), holds: memory < mostMemory && memory > 0,
	}}
	for i, kind := range kinds {
		each, err := s.idleCost(ctx, i, len(kinds), from, to)
		if err != nil {
			return nil, err
		}
		each.actions += heartbeats
		each = each.per(minutes)
		lines = append(lines, line{
			figure: "cost of a minute of an idle feed, " + kind.name,
			measured: fmt.Sprintf("%s, heartbeats included; %.1f polls", each,
				float64(kind.polls()-polls[i])/ofKind/minutes),
			hold: fmt.Sprintf("at most %d actions", mostActions), holds: each.actions <= mostActions,
		})
	}
	return lines, nil
}

func idleName(n int) string { return fmt.Sprintf("idle-%04d", n) }

// startIdle starts the feeds and waits until each was polled.
func (s *stack) startIdle(ctx context.Context, kinds []idleKind) error {
	group, starting := errgroup.WithContext(ctx)
	group.SetLimit(clients)
	for n := range idleFeeds {
		group.Go(func() error { return s.startFeed(starting, idleName(n)) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return await(ctx, 3*time.Minute, 200*time.Millisecond, "the first polls of every feed", func() (bool, error) {
		for _, kind := range kinds {
			if kind.polls() < 2*idleFeeds/len(kinds) {
				return false, s.failure()
			}
		}
		return true, nil
	})
}

func (s *stack) startFeed(ctx context.Context, name string) error {
	feeds := operate.Feeds{Temporal: s.client}
	return feeds.Start(ctx, name, integration)
}

// idleCost is the mean cost of a feed of one kind in a span of time; every of
// so many feeds is of that kind, from first on.
func (s *stack) idleCost(ctx context.Context, first, every int, from, to time.Time) (cost, error) {
	var sum cost
	step := idleFeeds / sampled / every * every
	for n := range sampled {
		c, err := s.count(ctx, contract.FeedID(idleName(first+n*step)), from, to)
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
