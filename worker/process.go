package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.temporal.io/sdk/client"
	sdkworker "go.temporal.io/sdk/worker"
	"golang.org/x/sync/errgroup"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/app"
	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/delivery"
	"github.com/ticketbridge/ticketbridge/internal/feed"
	"github.com/ticketbridge/ticketbridge/internal/provider"
	"github.com/ticketbridge/ticketbridge/internal/telemetry"
	"github.com/ticketbridge/ticketbridge/workflows"
)

// Slots of the task queues. A feed's reader waits most of the time, so there is
// a slot for each, and as many again for readers that are being replaced.
const (
	providerSlots  = 100
	spareFeedSlots = 20
)

// process is one running worker program.
type process struct {
	settings config.Settings
	config   *config.Config
	client   client.Client
	metrics  *telemetry.Metrics
	logger   *slog.Logger
}

// run works until ctx ends; calls that are running then may end.
func (p *process) run(ctx context.Context) error {
	integrations, err := provider.New(p.config)
	if err != nil {
		return err
	}
	feeds, err := feed.New(p.config)
	if err != nil {
		return err
	}
	p.metrics.Expect(p.names())
	fatal := make(chan error, 1)
	workers := p.workers(feeds, integrations, fatal)
	group, ctx := errgroup.WithContext(ctx)
	if addr := p.settings.MetricsAddr; addr != "" {
		group.Go(func() error { return p.metrics.Serve(ctx, addr, p.logger) })
	}
	group.Go(func() error { return runAll(ctx, workers, fatal) })
	p.logger.Info("worker runs", "feeds", len(p.config.Feeds), "integrations", len(p.config.Integrations))
	err = group.Wait()
	p.logger.Info("worker stopped")
	return err
}

func runAll(ctx context.Context, workers []sdkworker.Worker, fatal <-chan error) error {
	for i, w := range workers {
		if err := w.Start(); err != nil {
			stopAll(workers[:i])
			return fmt.Errorf("start worker: %w", err)
		}
	}
	defer stopAll(workers)
	select {
	case <-ctx.Done():
		return nil
	case err := <-fatal:
		return fmt.Errorf("the worker cannot go on: %w", err)
	}
}

// stopAll stops the workers side by side: each lets its running calls end.
func stopAll(workers []sdkworker.Worker) {
	var group errgroup.Group
	for _, w := range workers {
		group.Go(func() error { w.Stop(); return nil })
	}
	_ = group.Wait()
}

func (p *process) workers(feeds *feed.Set, integrations *provider.Set, fatal chan<- error) []sdkworker.Worker {
	rules := app.Rules(p.config)
	recorder := newRecorder(p.metrics, p.logger)

	main := p.worker(contract.QueueWorkflows, sdkworker.Options{}, fatal)
	main.RegisterWorkflow(workflows.PollFeed)
	main.RegisterWorkflow(workflows.MatchEvents)
	main.RegisterWorkflow(workflows.WriteTicket)
	main.RegisterActivity(&activities.Events{Resolver: rules, Integrations: integrations})

	reading := p.worker(contract.QueueFeeds, sdkworker.Options{
		MaxConcurrentActivityExecutionSize: 2*len(p.config.Feeds) + spareFeedSlots,
		DisableWorkflowWorker:              true,
	}, fatal)
	reading.RegisterActivity(&activities.Feeds{
		Source:      feeds,
		HandOver:    &delivery.Feeds{Resolver: rules, Delivery: app.Delivery(p.config, p.client), Now: time.Now},
		Recorder:    p.metrics,
		StillWanted: p.stillWanted,
		Window:      p.settings.FeedWindow.Std(),
	})

	workers := []sdkworker.Worker{main, reading}
	for _, name := range integrations.Providers() {
		w := p.worker(contract.ProviderQueue(name), sdkworker.Options{
			MaxConcurrentActivityExecutionSize: providerSlots,
			DisableWorkflowWorker:              true,
		}, fatal)
		w.RegisterActivity(&activities.Tickets{Integrations: integrations, Recorder: recorder})
		w.RegisterActivity(&activities.Writes{Integrations: integrations, Recorder: recorder})
		workers = append(workers, w)
	}
	return workers
}

func (p *process) worker(queue string, options sdkworker.Options, fatal chan<- error) sdkworker.Worker {
	options.WorkerStopTimeout = p.settings.StopTimeout.Std()
	options.OnFatalError = func(err error) {
		select {
		case fatal <- err:
		default: // the first one is enough
		}
	}
	return sdkworker.New(p.client, queue, options)
}

// stillWanted asks the server at once whether a workflow still waits for its
// activity; the SDK's own heartbeats are held back for a while.
func (p *process) stillWanted(ctx context.Context, taskToken []byte) error {
	if len(taskToken) == 0 {
		return errors.New("no task token")
	}
	return p.client.RecordActivityHeartbeat(ctx, taskToken)
}

// names are those of the configured feeds and integrations.
func (p *process) names() (feeds, integrations []string) {
	for _, f := range p.config.Feeds {
		feeds = append(feeds, f.Name)
	}
	for _, in := range p.config.Integrations {
		integrations = append(integrations, in.Name)
	}
	return feeds, integrations
}
