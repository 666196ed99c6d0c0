package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/ticketbridge/ticketbridge/internal/simulator/jira"
)

const (
	createsPerSecond = 20
	mostPosts        = 1.1
)

// limit puts two workers, who do not know of each other, before a Jira that
// takes so many creates a second: once with the default rate, which keeps below
// that, and once with one that is far too high.
func (b *bench) limit(ctx context.Context) ([]line, error) {
	var lines []line
	for _, rate := range []struct{ name, line string }{
		{"default rate", "rate: {per_second: 10, concurrency: 8}"},
		{"rate set to 200/s", "rate: {per_second: 200, concurrency: 16}"},
	} {
		done, err := b.limited(ctx, rate.line)
		if err != nil {
			return lines, err
		}
		posts := float64(done.creates) / float64(jobKeys)
		lines = append(lines, line{
			figure:   fmt.Sprintf("create POSTs per ticket, Jira takes %d a second, two workers, %s", createsPerSecond, rate.name),
			measured: fmt.Sprintf("%.2f (%d for %d), %.0f events/s, %s", posts, done.creates, done.tickets, done.rate(), done.verdict),
			hold:     fmt.Sprintf("at most %.1f, 0 duplicates, 0 lost", mostPosts), holds: posts <= mostPosts && done.right,
		})
	}
	return lines, nil
}

func (b *bench) limited(ctx context.Context, rate string) (done outcome, err error) {
	s, err := b.start(ctx, options{serve: true, workers: 2, rate: rate, jira: jira.Options{CreatesPerSecond: createsPerSecond, Seed: 7}})
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	return s.work(ctx)
}
