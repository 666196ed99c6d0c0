package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"golang.org/x/sync/errgroup"

	"github.com/ticketbridge/ticketbridge/internal/contract"
)

// alone is how many writes are made one after the other.
const alone = 40

// writes makes tickets through the unified ticketing API, each caller waiting for
// its 201, beside a workflow that does nothing but call the provider once while
// its caller waits.
func (b *bench) writes(ctx context.Context) (lines []line, err error) {
	s, err := b.start(ctx, options{serve: true})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	if err := b.startBare(s); err != nil {
		return nil, err
	}
	ours := &side{workflow: contract.WriteTicket, send: s.writeOurs}
	bare := &side{workflow: bareWriting, send: s.writeBare}
	for _, one := range []*side{bare, ours} {
		if _, err := s.makeWrites(ctx, one, warmUp); err != nil {
			return nil, err
		}
	}
	before := s.jira.Stats()
	ours.took, bare.took = nil, nil
	if err := s.takeTurns(ctx, b, bare, ours, s.makeWrites); err != nil {
		return nil, err
	}
	after := s.jira.Stats()
	tickets, asked := after.Commits["create"]-before.Commits["create"], 2*b.rounds*b.perRound
	if tickets != asked {
		return nil, fmt.Errorf("%d tickets for %d writes", tickets, asked)
	}
	single, bareSingle, err := s.oneByOne(ctx, ours, bare)
	if err != nil {
		return nil, err
	}
	return s.writeLines(ctx, ours, bare, single, bareSingle)
}

// writeOurs makes a ticket as a client of the unified ticketing API does.
func (s *stack) writeOurs(ctx context.Context, id string) error {
	return s.send(ctx, http.MethodPost, "/v1/ticketing/tickets", http.StatusCreated,
		map[string]string{"name": "Alarm " + id, "description": "Something is wrong at " + id + "."})
}

// makeWrites makes n writes at the same time as many as there are clients, and
// answers how many a second had their answer.
func (s *stack) makeWrites(ctx context.Context, one *side, n int) (float64, error) {
	begin := time.Now()
	group, sending := errgroup.WithContext(ctx)
	group.SetLimit(clients)
	var mu sync.Mutex
	for range n {
		one.made++
		id := fmt.Sprintf("%s-%06d", one.workflow, one.made)
		group.Go(func() error {
			start := time.Now()
			err := one.send(sending, id)
			mu.Lock()
			defer mu.Unlock()
			one.took = append(one.took, time.Since(start))
			return err
		})
	}
	err := group.Wait()
	return float64(n) / time.Since(begin).Seconds(), errors.Join(err, s.failure())
}

// oneByOne is how long a write takes on a system that does nothing else; both
// sides take turns.
func (s *stack) oneByOne(ctx context.Context, ours, bare *side) (our, their []time.Duration, err error) {
	for range alone {
		for _, one := range []*side{bare, ours} {
			one.made++
			begin := time.Now()
			if err := one.send(ctx, fmt.Sprintf("%s-%06d", one.workflow, one.made)); err != nil {
				return nil, nil, err
			}
			if took := time.Since(begin); one == ours {
				our = append(our, took)
			} else {
				their = append(their, took)
			}
		}
	}
	return our, their, nil
}

func (s *stack) writeLines(ctx context.Context, ours, bare *side, single, bareSingle []time.Duration) ([]line, error) {
	each := ratios(ours, bare)
	our, err := s.finishedCosts(ctx, ours.workflow)
	if err != nil {
		return nil, err
	}
	their, err := s.finishedCosts(ctx, bare.workflow)
	if err != nil {
		return nil, err
	}
	return []line{{
		figure:   fmt.Sprintf("durable writes per second, %d callers who wait for the 201", clients),
		measured: fmt.Sprintf("%s; ratio %.2f (%.2f to %.2f)", ours, median(each), slices.Min(each), slices.Max(each)),
		bare:     bare.String(),
	}, {
		figure: "time of a durable write, one at a time", measured: spread(single), bare: spread(bareSingle),
	}, {
		figure: fmt.Sprintf("the same, %d at a time", clients), measured: spread(ours.took), bare: spread(bare.took),
	}, {
		figure: "cost of a durable write", measured: our.String(), bare: their.String(),
	}}, nil
}

// spread tells the middle and the slow end of some times.
func spread(took []time.Duration) string {
	return fmt.Sprintf("p50 %s, p99 %s", millis(quantile(took, 0.5)), millis(quantile(took, 0.99)))
}

func millis(d time.Duration) string {
	if d < 10*time.Millisecond {
		return fmt.Sprintf("%.1f ms", d.Seconds()*1000)
	}
	return fmt.Sprintf("%d ms", d.Milliseconds())
}

// finishedCosts is the mean cost of workflows of a type that are over.
func (s *stack) finishedCosts(ctx context.Context, workflowType string) (cost, error) {
	var ids []string
	err := await(ctx, time.Minute, 100*time.Millisecond, "the list of "+workflowType, func() (bool, error) {
		found, err := s.client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
			PageSize: sampled, Query: fmt.Sprintf("WorkflowType = '%s' AND ExecutionStatus = 'Completed'", workflowType),
		})
		if err != nil {
			return false, err
		}
		ids = nil
		for _, each := range found.GetExecutions() {
			ids = append(ids, each.GetExecution().GetWorkflowId())
		}
		return len(ids) >= sampled, nil
	})
	if err != nil {
		return cost{}, err
	}
	total, err := s.countAll(ctx, ids)
	return total.per(float64(len(ids))), err
}
