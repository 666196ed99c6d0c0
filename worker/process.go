package main

import (
	"context"
	"errors"
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
	"github.com/ticketbridge/ticketbridge/internal/registry"
	"github.com/ticketbridge/ticketbridge/internal/telemetry"
	"github.com/ticketbridge/ticketbridge/workflows"
)

// spareFeedSlots are those of the feeds' queue beside two for each feed: a reader
// waits most of the time, so there is a slot for each, and as many again for
// readers that are being replaced.
const spareFeedSlots = 20

// process is one running worker program.
type process struct {
	settings config.Settings
	config   *config.Config
	client   client.Client
	// namespace is where client works.
	namespace string
	metrics   *telemetry.Metrics
	logger    *slog.Logger
}

// run works until ctx ends; calls that are running then may end.
func (p *process) run(ctx context.Context) error {
	known, err := app.Registry(p.settings, p.config, p.client, p.namespace)
	if err != nil {
		return err
	}
	integrations, err := provider.New(p.config, known)
	if err != nil {
		return err
	}
	feeds, err := feed.New(p.config)
	if err != nil {
		return err
	}
	p.metrics.Expect(p.names())
	workers := p.workers(feeds, known, integrations)
	group, ctx := errgroup.WithContext(ctx)
	if addr := p.settings.MetricsAddr; addr != "" {
		group.Go(func() error { return p.metrics.Serve(ctx, addr, p.logger) })
	}
	group.Go(func() error { return workers.Run(ctx) })
	p.logger.Info("worker runs", "feeds", len(p.config.Feeds), "integrations", len(p.config.Integrations))
	err = group.Wait()
	p.logger.Info("worker stopped")
	return err
}

func (p *process) workers(feeds *feed.Set, known *registry.Registry, integrations *provider.Set) *app.Workers {
	rules := app.Rules(p.config, known)
	workers := app.NewWorkers(p.client, p.settings.StopTimeout.Std())

	// Some workflow code reads a whole attachment, which on a busy machine can take
	// longer than the second that the SDK allows before it calls it a deadlock.
	main := workers.Queue(contract.QueueWorkflows, sdkworker.Options{DeadlockDetectionTimeout: 10 * time.Second})
	main.RegisterWorkflow(workflows.PollFeed)
	main.RegisterWorkflow(workflows.MatchEvents)
	main.RegisterWorkflow(workflows.WriteTicket)
	main.RegisterWorkflow(workflows.KeepIntegration)
	main.RegisterActivity(&activities.Events{Resolver: rules, Integrations: integrations})

	reading := workers.Queue(contract.QueueFeeds, sdkworker.Options{
		MaxConcurrentActivityExecutionSize: 2*len(p.config.Feeds) + spareFeedSlots,
		DisableWorkflowWorker:              true,
	})
	reading.RegisterActivity(&activities.Feeds{
		Source:      feeds,
		HandOver:    &delivery.Feeds{Resolver: rules, Delivery: app.Delivery(known, p.client), Now: time.Now},
		Recorder:    p.metrics,
		StillWanted: p.stillWanted,
		Window:      p.settings.FeedWindow.Std(),
	})

	workers.Providers(integrations.Providers(), integrations, app.NewRecorder(p.metrics, p.logger))
	return workers
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
