// Command worker runs the workflows and activities of ticketbridge.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/ticketbridge/ticketbridge/internal/app"
	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/telemetry"
)

// version and revision are set by the linker.
var (
	version  = "dev"
	revision = "unknown"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if err := parse(args); err != nil {
		return err
	}
	settings, err := config.LoadSettings()
	if err != nil {
		return err
	}
	logger, err := telemetry.NewLogger(os.Stderr, settings.LogLevel, settings.LogFormat)
	if err != nil {
		return err
	}
	cfg, err := config.Load(settings.Config, app.Known())
	if err != nil {
		return err
	}
	for _, warning := range cfg.Warnings {
		logger.Warn("configuration", "warning", warning.String())
	}
	metrics, err := telemetry.NewMetrics(version, revision)
	if err != nil {
		return err
	}
	c, namespace, err := app.Dial(ctx, logger, metrics.SDKMetricsHandler())
	if err != nil {
		return err
	}
	defer c.Close()
	if err := app.Prepare(ctx, c, namespace); err != nil {
		return err
	}
	p := &process{settings: settings, config: cfg, client: c, namespace: namespace, metrics: metrics, logger: logger}
	return p.run(ctx)
}

func parse(args []string) error {
	flags := flag.NewFlagSet("worker", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprintf(flags.Output(), `worker runs the workflows and activities of ticketbridge until it is interrupted.
It takes no arguments; these variables of the environment set it:

%s
The Temporal server is set as for the temporal command: TEMPORAL_ADDRESS,
TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_... or a profile file.
`, config.Usage())
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q; see worker -help", flags.Arg(0))
	}
	return nil
}
