package main

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/simulator/cloudfeeds"
)

const (
	// pollStep is short, so that what is added to it shows.
	pollStep = time.Second
	// published are the events that are followed, each on its own.
	published = 30
	allowance = 100 * time.Millisecond
	account   = "faws:576508529999"
)

// latency follows single events of a feed to their tickets in a system that has
// nothing else to do. The feed shows them at once.
func (b *bench) latency(ctx context.Context) (lines []line, err error) {
	source := cloudfeeds.New(cloudfeeds.Options{HeadDelay: -1})
	site := httptest.NewServer(source)
	defer site.Close()
	s, err := b.start(ctx, options{
		feeds: feedText("rackspace-lon", site.URL, "alice", fmt.Sprintf("poll_interval: %s", pollStep)),
	})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	if err := s.startFeed(ctx, "rackspace-lon"); err != nil {
		return nil, err
	}
	if err := await(ctx, time.Minute, 20*time.Millisecond, "the first poll", func() (bool, error) {
		return source.Stats().Heads > 0, s.failure()
	}); err != nil {
		return nil, err
	}
	var took []time.Duration
	for n := range published {
		one, err := s.follow(ctx, source, n)
		if err != nil {
			return nil, err
		}
		took = append(took, one)
	}
	p50, p95 := median(took), quantile(took, 0.95)
	return []line{{
		figure:   fmt.Sprintf("event published to ticket created, quiet, polled every %s", pollStep),
		measured: fmt.Sprintf("p50 %d ms, p95 %d ms", p50.Milliseconds(), p95.Milliseconds()),
		hold:     fmt.Sprintf("p50 under %d ms", (pollStep + allowance).Milliseconds()), holds: p50 < pollStep+allowance,
	}}, nil
}

// follow publishes an entry at some moment between two polls and tells how long
// its ticket took.
func (s *stack) follow(ctx context.Context, source *cloudfeeds.Server, n int) (time.Duration, error) {
	// Moments spread evenly over the step: a part of it, turned by the golden
	// ratio, after the ticket before.
	phase := float64(n) * 0.618
	if err := pause(ctx, time.Duration((phase-float64(int(phase)))*float64(pollStep))); err != nil {
		return 0, err
	}
	subject := fmt.Sprintf("Latency %03d", n)
	begin := time.Now()
	source.Publish(cloudfeeds.Entry{
		Account: account, TicketID: fmt.Sprintf("260115-lon-%07d", n), Type: "CREATE", Subject: subject,
		Comments: []cloudfeeds.Comment{{ID: subject, Author: "Racker", AuthorType: "Rackspace", Created: begin, Text: "We look at it."}},
	})
	if err := s.awaitCommits(ctx, "create", n+1); err != nil {
		return 0, err
	}
	for _, issue := range s.jira.Issues() {
		if issue.Summary == subject {
			return issue.Created.Sub(begin), nil
		}
	}
	return 0, fmt.Errorf("%q has no ticket, another was made", subject)
}

// feedText is a feed's configuration. Its own user keeps its request budget to
// itself.
func feedText(name, url, user, more string) string {
	text := fmt.Sprintf(`  - name: %s
    type: cloudfeeds
    url: %s/consolidated_ticketing/events/%s
    credential: {type: rackspace_api_key, username: %s, secret: "env:%s", identity_url: "%s/v2.0", requests_per_minute: 600}
    match: ticket
    integration: %s
`, name, url, account, user, secretName, url, integration)
	if more != "" {
		text += "    " + more + "\n"
	}
	return text
}
