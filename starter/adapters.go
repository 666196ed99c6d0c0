package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/ticketbridge/ticketbridge/internal/app"
	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/httpapi"
	"github.com/ticketbridge/ticketbridge/internal/matching"
	"github.com/ticketbridge/ticketbridge/internal/operate"
	"github.com/ticketbridge/ticketbridge/internal/registry"
	"github.com/ticketbridge/ticketbridge/internal/telemetry"
)

// The types of this file give the HTTP interfaces what they ask for, within
// what a caller may see.

// httpError turns an error of operate into the HTTP interfaces' own.
func httpError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, operate.ErrNotFound):
		return fmt.Errorf("%w: %w", httpapi.ErrNotFound, err)
	case errors.Is(err, operate.ErrUnavailable):
		return fmt.Errorf("%w: %w", httpapi.ErrUnavailable, err)
	default:
		return err
	}
}

// callers are those of the file, and the bearers of integrations' tokens.
type callers struct {
	config   *config.Config
	registry *registry.Registry
}

func (c callers) CallerByToken(ctx context.Context, token string) (httpapi.Caller, bool, error) {
	if found, ok := c.config.CallerByToken(token); ok {
		return httpapi.Caller{
			Name: found.Name, Integration: found.Integration, CatalogAccount: found.CatalogAccount, Person: found.Person, Admin: found.Admin,
		}, true, nil
	}
	found, ok, err := c.registry.Bearer(ctx, token)
	return httpapi.Caller{
		Name: found.Name, Integration: found.Integration, CatalogAccount: found.CatalogAccount, Person: found.Person,
	}, ok, httpError(err)
}

type events struct {
	operate.Events
	requests *operate.Requests
	metrics  *telemetry.Metrics
}

func (e events) Submit(ctx context.Context, c httpapi.Caller, ev event.Event) (httpapi.Receipt, error) {
	route := app.CallerRoute(config.Caller{
		Name: c.Name, Integration: c.Integration, CatalogAccount: c.CatalogAccount, Person: c.Person,
	})
	workflowID, err := e.Events.Submit(ctx, route, ev)
	if invalid, ok := errors.AsType[*matching.Invalid](err); ok {
		e.metrics.EventRejected(c.Name)
		return httpapi.Receipt{}, &httpapi.InvalidEvent{Errors: invalid.Errors}
	}
	if err != nil {
		return httpapi.Receipt{}, httpError(err)
	}
	e.metrics.EventsHandedOver(c.Name, 1)
	return httpapi.Receipt{WorkflowID: workflowID, EventID: ev.ID}, nil
}

func (e events) Outcome(ctx context.Context, r httpapi.Receipt, wait time.Duration) (contract.OutcomeAnswer, bool, error) {
	answer, decided, err := e.Events.Outcome(ctx, r.WorkflowID, r.EventID, wait)
	return answer, decided, httpError(err)
}

func (e events) Current(ctx context.Context, r httpapi.Receipt, request int64) (contract.RequestView, error) {
	found, err := e.requests.In(ctx, r.WorkflowID, request)
	return found.RequestView, httpError(err)
}

type feeds struct {
	operate.Feeds
	config *config.Config
}

func (f feeds) List(ctx context.Context, c httpapi.Caller) ([]contract.FeedView, error) {
	views := []contract.FeedView{}
	for _, feed := range f.config.Feeds {
		if feed.Integration != c.Integration {
			continue
		}
		view, err := f.Feeds.State(ctx, feed.Name)
		if errors.Is(err, operate.ErrUnavailable) {
			return nil, httpError(err)
		}
		if err != nil {
			view = contract.FeedView{Feed: feed.Name, State: stateOf(err)}
		}
		views = append(views, view)
	}
	return views, nil
}

// allowed finds a feed that belongs to the caller's integration.
func (f feeds) allowed(c httpapi.Caller, name string) error {
	feed, err := f.config.Feed(name)
	if err != nil || feed.Integration != c.Integration {
		return fmt.Errorf("feed %q: %w", name, httpapi.ErrNotFound)
	}
	return nil
}

func (f feeds) State(ctx context.Context, c httpapi.Caller, name string) (contract.FeedView, error) {
	if err := f.allowed(c, name); err != nil {
		return contract.FeedView{}, err
	}
	view, err := f.Feeds.State(ctx, name)
	return view, notStarted(err)
}

// notStarted: the feed is in the configuration, so what is missing is its workflow.
func notStarted(err error) error {
	if errors.Is(err, operate.ErrNotFound) {
		return fmt.Errorf("%w: the feed is not started", httpapi.ErrConflict)
	}
	return httpError(err)
}

func (f feeds) Start(ctx context.Context, c httpapi.Caller, name string) error {
	if err := f.allowed(c, name); err != nil {
		return err
	}
	return httpError(f.Feeds.Start(ctx, name, c.Integration))
}

func (f feeds) signal(ctx context.Context, c httpapi.Caller, name, signal string, payload any) error {
	if err := f.allowed(c, name); err != nil {
		return err
	}
	return notStarted(f.Feeds.Signal(ctx, name, signal, payload))
}

func (f feeds) Pause(ctx context.Context, c httpapi.Caller, name string) error {
	return f.signal(ctx, c, name, contract.SignalPause, nil)
}

func (f feeds) Resume(ctx context.Context, c httpapi.Caller, name string) error {
	return f.signal(ctx, c, name, contract.SignalResume, nil)
}

func (f feeds) PollNow(ctx context.Context, c httpapi.Caller, name string) error {
	return f.signal(ctx, c, name, contract.SignalPollNow, nil)
}

func (f feeds) Rewind(ctx context.Context, c httpapi.Caller, name string, to contract.RewindSignal) error {
	return f.signal(ctx, c, name, contract.SignalRewind, to)
}

type parked struct {
	operate.Parked
	config *config.Config
}

func (p parked) List(ctx context.Context, c httpapi.Caller, f httpapi.ParkedFilter) ([]httpapi.ParkedView, error) {
	items, err := p.Parked.List(ctx, operate.Filter{Integration: c.Integration, Feed: f.Feed})
	if err != nil {
		return nil, httpError(err)
	}
	views := make([]httpapi.ParkedView, len(items))
	for i, item := range items {
		views[i] = httpapi.ParkedView(item)
	}
	return views, nil
}

// settle does what the caller may: a feed's parked entries belong to the caller
// of its integration.
func (p parked) settle(c httpapi.Caller, workflowID string, do func() error) error {
	if name, ok := strings.CutPrefix(workflowID, contract.FeedID("")); ok {
		if err := (feeds{config: p.config}).allowed(c, name); err != nil {
			return err
		}
	}
	return httpError(do())
}

func (p parked) Retry(ctx context.Context, c httpapi.Caller, workflowID, item string) error {
	return p.settle(c, workflowID, func() error { return p.Parked.Retry(ctx, workflowID, item) })
}

func (p parked) Discard(ctx context.Context, c httpapi.Caller, workflowID, item string) error {
	return p.settle(c, workflowID, func() error { return p.Parked.Discard(ctx, workflowID, item) })
}

func (p parked) Amend(ctx context.Context, c httpapi.Caller, workflowID string, change contract.AmendSignal) error {
	return p.settle(c, workflowID, func() error { return p.Parked.Amend(ctx, workflowID, change) })
}

func (p parked) RetryAll(ctx context.Context, c httpapi.Caller, f httpapi.ParkedFilter) (int, error) {
	count, err := p.Parked.SignalAll(ctx, operate.Filter{Integration: c.Integration, Feed: f.Feed}, contract.SignalRetry)
	return count, httpError(err)
}

func (p parked) DiscardAll(ctx context.Context, c httpapi.Caller, f httpapi.ParkedFilter) (int, error) {
	count, err := p.Parked.SignalAll(ctx, operate.Filter{Integration: c.Integration, Feed: f.Feed}, contract.SignalDiscard)
	return count, httpError(err)
}

// health looks whether Temporal answers and a worker takes workflow tasks.
type health struct {
	temporal  client.Client
	namespace string
}

func (h health) Checks(ctx context.Context) []httpapi.Check {
	server := httpapi.Check{Name: "temporal", OK: true}
	if _, err := h.temporal.CheckHealth(ctx, &client.CheckHealthRequest{}); err != nil {
		server.OK, server.Detail = false, "the Temporal server does not answer"
		return []httpapi.Check{server}
	}
	worker := httpapi.Check{Name: "worker", OK: true, Optional: true}
	queue, err := h.temporal.DescribeTaskQueue(ctx, contract.QueueWorkflows, enums.TASK_QUEUE_TYPE_WORKFLOW)
	if err != nil || len(pollers(queue)) == 0 {
		worker.OK, worker.Detail = false, "no worker runs; events are taken in and decided later"
	}
	return []httpapi.Check{server, worker}
}

func pollers(r *workflowservice.DescribeTaskQueueResponse) []string {
	var names []string
	for _, p := range r.GetPollers() {
		names = append(names, p.GetIdentity())
	}
	return names
}
