package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"golang.org/x/sync/errgroup"

	"github.com/ticketbridge/ticketbridge/internal/app"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/delivery"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/operate"
)

const (
	// clients hand over new requests at the same time.
	clients = 16
	// warmUp is how many requests are made before anything is measured.
	warmUp = 100
	// sampled is how many histories are counted.
	sampled = 20
	// leastRatio is the part of the bare engine's rate to hold.
	leastRatio = 0.85
)

// otherServer names a Temporal server on which new requests are measured too.
const otherServer = "TB_BENCH_TEMPORAL"

func (b *bench) requests(ctx context.Context) (lines []line, err error) {
	dir, err := os.MkdirTemp(b.dir, "requests-")
	if err != nil {
		return nil, err
	}
	embedded, err := startTemporal(ctx, b.cli, dir)
	if err != nil {
		return nil, err
	}
	lines, err = b.requestsOn(ctx, embedded, dir, "embedded server")
	if address := os.Getenv(otherServer); address != "" && err == nil {
		other, borrowErr := borrowTemporal(ctx, b.cli, address)
		if borrowErr != nil {
			return lines, borrowErr
		}
		var more []line
		more, err = b.requestsOn(ctx, other, dir, "server at "+address)
		lines = append(lines, more...)
	}
	return lines, err
}

// side is one of the two that take turns.
type side struct {
	workflow string
	send     func(ctx context.Context, id string) error
	rates    []float64
	used     []time.Duration // of the processors, per request
	took     []time.Duration // where the caller waits
	made     int
}

func (s *side) String() string {
	return fmt.Sprintf("%.0f/s, %.1f ms of processor each", median(s.rates), median(s.used).Seconds()*1000)
}

func (b *bench) requestsOn(ctx context.Context, t *temporal, dir, where string) (lines []line, err error) {
	s, err := b.startOn(ctx, t, dir, options{})
	if err != nil {
		return nil, errors.Join(err, t.stop())
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	if err := b.startBare(s); err != nil {
		return nil, err
	}
	ours := &side{workflow: contract.MatchEvents, send: s.submitter()}
	bare := &side{workflow: bareWorkflow, send: s.sendBare}
	for _, one := range []*side{bare, ours} {
		if _, err := s.makeRequests(ctx, one, warmUp); err != nil {
			return nil, err
		}
	}
	if err := s.takeTurns(ctx, b, bare, ours, s.makeRequests); err != nil {
		return nil, err
	}
	return s.requestLines(ctx, ours, bare, where)
}

// takeTurns lets both sides make their share, round after round, and notes how
// many a second they made and what that took of the processors.
func (s *stack) takeTurns(ctx context.Context, b *bench, bare, ours *side, share func(context.Context, *side, int) (float64, error)) error {
	for round := range b.rounds {
		turn := []*side{bare, ours}
		if round%2 == 1 {
			slices.Reverse(turn)
		}
		for _, one := range turn {
			before := s.processorTime()
			rate, err := share(ctx, one, b.perRound)
			if err != nil {
				return err
			}
			one.rates = append(one.rates, rate)
			one.used = append(one.used, (s.processorTime()-before)/time.Duration(b.perRound))
		}
	}
	return nil
}

// ratios are ours to the bare engine's rate, by round.
func ratios(ours, bare *side) []float64 {
	var all []float64
	for i := range ours.rates {
		all = append(all, ours.rates[i]/bare.rates[i])
	}
	return all
}

func (b *bench) startBare(s *stack) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	p, err := startProcess(s.dir, "bare", append(s.env, bareJira+"="+s.jiraURL), self, bareMode)
	if err != nil {
		return err
	}
	s.others = append(s.others, p)
	s.closers = append(s.closers, p.stop)
	return nil
}

// submitter makes each id a new request of ours, as `starter serve` does.
func (s *stack) submitter() func(ctx context.Context, id string) error {
	in := operate.Events{Temporal: s.client, Resolver: app.Rules(s.config, s.integrations), Delivery: app.Delivery(s.integrations, s.client)}
	route := app.CallerRoute(s.config.Callers[0])
	return func(ctx context.Context, id string) error {
		_, err := in.Submit(ctx, route, newEvent(id))
		return err
	}
}

// newEvent opens a request of its own.
func newEvent(id string) event.Event {
	return event.Event{
		ID: caller + ":" + id, ReceivedAt: time.Now().UTC(), Caller: caller,
		Params: event.Params{"subject": "Alarm " + id, "source": "Nagios", "note": "Something is wrong at " + id + "."},
	}
}

// makeRequests makes n requests and answers how many a second were finished:
// at the provider, and with their ticket among the search attributes.
func (s *stack) makeRequests(ctx context.Context, one *side, n int) (float64, error) {
	created := s.jira.Stats().Commits["create"] + n
	begin := time.Now()
	group, sending := errgroup.WithContext(ctx)
	group.SetLimit(clients)
	for range n {
		one.made++
		id := fmt.Sprintf("%s-%06d", one.workflow, one.made)
		group.Go(func() error { return one.send(sending, id) })
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	if err := s.awaitCommits(ctx, "create", created); err != nil {
		return 0, err
	}
	err := await(ctx, time.Minute, 20*time.Millisecond, "the last ticket's search attribute", func() (bool, error) {
		count, err := s.client.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{
			Query: fmt.Sprintf("WorkflowType = '%s' AND %s IS NOT NULL", one.workflow, contract.AttributeTicket),
		})
		return count.GetCount() >= int64(one.made), err
	})
	return float64(n) / time.Since(begin).Seconds(), err
}

// awaitCommits waits until the simulated Jira has made so many changes.
func (s *stack) awaitCommits(ctx context.Context, operation string, n int) error {
	return await(ctx, 3*time.Minute, 5*time.Millisecond, fmt.Sprintf("%s number %d", operation, n), func() (bool, error) {
		return s.jira.Stats().Commits[operation] >= n, s.failure()
	})
}

// failure is the end of a worker that should still run.
func (s *stack) failure() error {
	for _, w := range s.workers {
		if err := w.failure(); err != nil {
			return err
		}
	}
	return nil
}

func (s *stack) requestLines(ctx context.Context, ours, bare *side, where string) ([]line, error) {
	each := ratios(ours, bare)
	ratio := median(each)
	our, their, err := s.requestCosts(ctx, ours, bare)
	if err != nil {
		return nil, err
	}
	const most = 4
	return []line{{
		figure:   "new requests per second, " + where,
		measured: fmt.Sprintf("%s; ratio %.2f (%.2f to %.2f)", ours, ratio, slices.Min(each), slices.Max(each)),
		bare:     bare.String(),
		hold:     fmt.Sprintf("ratio at least %.2f", leastRatio), holds: ratio >= leastRatio,
	}, {
		figure: "cost of a new request, " + where, measured: our.String(), bare: their.String(),
		hold: fmt.Sprintf("at most %d actions", most), holds: our.actions <= most,
	}}, nil
}

// requestCosts are the mean costs of the newest requests.
func (s *stack) requestCosts(ctx context.Context, ours, bare *side) (our, their cost, err error) {
	var ourIDs, theirIDs []string
	for i := range sampled {
		id := fmt.Sprintf("%s-%06d", ours.workflow, ours.made-i)
		key, err := s.matchID(newEvent(id))
		if err != nil {
			return our, their, err
		}
		ourIDs = append(ourIDs, key)
		theirIDs = append(theirIDs, fmt.Sprintf("%s-%06d", bare.workflow, bare.made-i))
	}
	if our, err = s.countAll(ctx, ourIDs); err != nil {
		return our, their, err
	}
	their, err = s.countAll(ctx, theirIDs)
	return our.per(sampled), their.per(sampled), err
}

// matchID is the id of the workflow that an event goes to.
func (s *stack) matchID(e event.Event) (string, error) {
	e, err := app.Rules(s.config, s.integrations).Resolve(app.CallerRoute(s.config.Callers[0]), e)
	if err != nil {
		return "", err
	}
	return contract.MatchID(integration, e.Resolved.Key), nil
}

// deliverer hands over pages of a feed's entries, as ReadFeed does.
func (s *stack) deliverer() *delivery.Feeds {
	return &delivery.Feeds{Resolver: app.Rules(s.config, s.integrations), Delivery: app.Delivery(s.integrations, s.client), Now: time.Now}
}

func median[T cmp.Ordered](values []T) T { return quantile(values, 0.5) }

// quantile is the value below which a part of the values lies.
func quantile[T cmp.Ordered](values []T, part float64) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(int(part*float64(len(sorted))), len(sorted)-1)]
}
