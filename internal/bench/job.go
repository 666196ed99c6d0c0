package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ticketbridge/ticketbridge/internal/simulator/jira"
	"github.com/ticketbridge/ticketbridge/internal/testbed"
)

// The job that comparable tools were put through: events over match keys, sent
// by HTTP from several senders to a Jira whose every answer takes a while.
const (
	jobEvents  = 1000
	jobKeys    = 250
	jobSenders = 8
	jobDelay   = 20 // milliseconds
	// persisting is what the comparable tool that keeps its work in a database
	// did (n8n 1.123 on PostgreSQL, 2 cores): events a second.
	persisting = 48
	// jobPatience is when what is not there yet counts as missing.
	jobPatience = 3 * time.Minute
)

func (b *bench) job(ctx context.Context) (lines []line, err error) {
	s, err := b.start(ctx, options{serve: true})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	waiting, err := s.waitingCaller(ctx)
	if err != nil {
		return nil, err
	}
	lines = append(lines, waiting)
	if err := s.jira.SetFaults(jira.Fault{Kind: jira.Slow, Delay: jobDelay}); err != nil {
		return nil, err
	}
	done, err := s.work(ctx)
	if err != nil {
		return lines, err
	}
	return append(lines, line{
		figure:   fmt.Sprintf("the job of comparable tools: %d events over %d keys, API of %d ms", jobEvents, jobKeys, jobDelay),
		measured: fmt.Sprintf("%.0f events/s (taken in at %.0f/s), %.1f ms of processor each, %s", done.rate(), done.takenRate(), done.used.Seconds()*1000, done.verdict),
		hold:     fmt.Sprintf("at least %d events/s, 0 duplicates, 0 lost", 2*persisting),
		holds:    done.rate() >= 2*persisting && done.right,
	}), nil
}

// waitingCaller measures a new request whose caller waits for the decision.
func (s *stack) waitingCaller(ctx context.Context) (line, error) {
	created := s.jira.Stats().Commits["create"]
	var took []time.Duration
	var ids []string
	for n := range sampled {
		id := fmt.Sprintf("waiting-%03d", n)
		e := newEvent(id)
		begin := time.Now()
		if err := s.post(ctx, e.Params); err != nil {
			return line{}, err
		}
		created++
		if err := s.awaitCommits(ctx, "create", created); err != nil {
			return line{}, err
		}
		took = append(took, time.Since(begin))
		key, err := s.matchID(e)
		if err != nil {
			return line{}, err
		}
		ids = append(ids, key)
	}
	total, err := s.countAll(ctx, ids[:sampled-1]) // the last one may not be finished
	each := total.per(sampled - 1)
	const most = 5
	return line{
		figure:   "cost of a new request with a waiting caller",
		measured: fmt.Sprintf("%s; POST to ticket p50 %d ms", each, median(took).Milliseconds()),
		hold:     fmt.Sprintf("at most %d actions", most), holds: each.actions <= most,
	}, err
}

// outcome of a job.
type outcome struct {
	events      int
	taken, took time.Duration
	used        time.Duration // of the processors, per event
	creates     int
	tickets     int
	right       bool
	verdict     string
}

func (o outcome) rate() float64      { return float64(o.events) / o.took.Seconds() }
func (o outcome) takenRate() float64 { return float64(o.events) / o.taken.Seconds() }

// work sends the job's events and waits until all are at the provider, which
// alone is the judge.
func (s *stack) work(ctx context.Context) (outcome, error) {
	before, used := s.jira.Stats(), s.processorTime()
	begin := time.Now()
	if err := s.sendJob(ctx); err != nil {
		return outcome{}, err
	}
	taken := time.Since(begin)
	err := await(ctx, jobPatience, 10*time.Millisecond, "the last event", func() (bool, error) {
		now := s.jira.Stats().Commits
		return now["create"]+now["comment"] >= before.Commits["create"]+before.Commits["comment"]+jobEvents, s.failure()
	})
	took := time.Since(begin)
	stats := s.jira.Stats()
	if ctx.Err() != nil || s.failure() != nil {
		return outcome{}, err
	}
	o := outcome{
		events: jobEvents, taken: taken, took: took, used: (s.processorTime() - used) / jobEvents,
		creates: stats.Requests["create"] - before.Requests["create"], tickets: stats.Commits["create"] - before.Commits["create"],
	}
	o.judge(s.jira.Issues())
	if err != nil {
		o.verdict += fmt.Sprintf(" after %s; calls %v", jobPatience, stats.Requests)
	}
	return o, nil
}

func (s *stack) sendJob(ctx context.Context) error {
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range jobSenders {
		group.Go(func() error {
			for n := int(next.Add(1)) - 1; n < jobEvents; n = int(next.Add(1)) - 1 {
				ci := testbed.CI(n % jobKeys)
				err := s.post(ctx, map[string]string{"subject": "Alarm on " + ci, "source": "Nagios", "ci": ci, "note": jobNote(n)})
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

const notePrefix = "event-"

func jobNote(n int) string { return fmt.Sprintf("%s%05d.", notePrefix, n) }

// judge looks for each event's note at the provider.
func (o *outcome) judge(issues []jira.Issue) {
	seen := map[string]int{}
	tickets := 0
	for _, issue := range issues {
		texts := []string{jira.Text(issue.Description)}
		for _, c := range issue.Comments {
			texts = append(texts, jira.Text(c.Body))
		}
		ours := false
		for word := range strings.FieldsSeq(strings.Join(texts, "\n")) {
			if strings.HasPrefix(word, notePrefix) {
				seen[word]++
				ours = true
			}
		}
		if ours {
			tickets++
		}
	}
	missing, twice := 0, 0
	for n := range o.events {
		switch count := seen[jobNote(n)]; {
		case count == 0:
			missing++
		case count > 1:
			twice++
		}
	}
	o.right = tickets == jobKeys && missing == 0 && twice == 0
	o.verdict = fmt.Sprintf("%d tickets, %d missing, %d twice", tickets, missing, twice)
}
