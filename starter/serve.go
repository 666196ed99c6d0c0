package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/ticketbridge/ticketbridge/internal/app"
	"github.com/ticketbridge/ticketbridge/internal/httpapi"
	"github.com/ticketbridge/ticketbridge/internal/operate"
	"github.com/ticketbridge/ticketbridge/internal/provider"
	"github.com/ticketbridge/ticketbridge/internal/telemetry"
)

func serveCommand() *cobra.Command {
	return &cobra.Command{
		Use: "serve", Short: "Serve the HTTP interfaces until interrupted", Args: cobra.NoArgs,
		Long: `serve answers the Events API and the operating endpoints at TICKETBRIDGE_HTTP_ADDR.
GET / shows what there is. Events are taken in while no worker runs. The tickets of
a test provider (ticketing_mock_ticketing) are in its memory, and go with it.`,
		RunE: serve,
	}
}

func serve(cmd *cobra.Command, _ []string) error {
	settings, c, err := loadConfig()
	if err != nil {
		return err
	}
	logger, err := telemetry.NewLogger(cmd.ErrOrStderr(), settings.LogLevel, settings.LogFormat)
	if err != nil {
		return usageError{err}
	}
	for _, warning := range c.Warnings {
		logger.Warn("configuration", "warning", warning.String())
	}
	metrics, err := telemetry.NewMetrics(version, revision)
	if err != nil {
		return err
	}
	temporal, namespace, err := app.Dial(cmd.Context(), logger, metrics.SDKMetricsHandler())
	if err != nil {
		return fmt.Errorf("%w: %w", operate.ErrUnavailable, err)
	}
	defer temporal.Close()
	if err := app.Prepare(cmd.Context(), temporal, namespace); err != nil {
		return err
	}
	// One set: what reads tickets here sees what the calls made here have written.
	known, err := app.Registry(settings, c, temporal, namespace)
	if err != nil {
		return usageError{err}
	}
	integrations, err := provider.New(c, known)
	if err != nil {
		return err
	}
	durable := durableWrites(integrations, temporal)
	files, err := openSpool(cmd.Context(), settings, temporal, namespace)
	if err != nil {
		return err
	}
	defer files.Close()
	large := uploads{spool: files, writes: durable, logger: logger}
	requests := &operate.Requests{Temporal: temporal}
	handler := httpapi.New(httpapi.Options{
		Callers: callers{c, known},
		Events: events{
			operate.Events{Temporal: temporal, Resolver: app.Rules(c, known), Delivery: app.Delivery(known, temporal)}, requests, metrics,
		},
		Requests:     requestSource{requests, integrations},
		Feeds:        feeds{operate.Feeds{Temporal: temporal}, c},
		Parked:       parked{operate.Parked{Temporal: temporal}, c},
		Ticketing:    readsOf(integrations),
		Writes:       writes{durable, large},
		Spool:        large,
		MaxUpload:    int64(settings.MaxUpload),
		Integrations: managed{known},
		Providers:    provider.Capabilities(),
		Health:       health{temporal, namespace},
		Metrics:      metrics.Handler(),
		Observe:      metrics.HTTPRequest,
		Logger:       logger,
		Now:          time.Now,
		Version:      version,
	})
	group, ctx := errgroup.WithContext(cmd.Context())
	group.Go(func() error {
		return httpapi.Serve(ctx, settings.HTTP.Addr, handler, settings.HTTP.TLS.Cert, settings.HTTP.TLS.Key, logger)
	})
	workers, recorder := app.NewWorkers(temporal, settings.StopTimeout.Std()), app.NewRecorder(metrics, logger)
	workers.Uploads(files.ID(), files, integrations, recorder)
	if names := integrations.ProvidersInServe(); len(names) > 0 {
		workers.Providers(names, integrations, recorder)
		logger.Info("tickets are kept in memory, until this process ends", "providers", names)
	}
	group.Go(func() error { return workers.Run(ctx) })
	group.Go(func() error { large.tidy(ctx); return nil })
	return group.Wait()
}
