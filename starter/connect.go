package main

import (
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/ticketbridge/ticketbridge/internal/app"
	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/operate"
	"github.com/ticketbridge/ticketbridge/internal/registry"
	"github.com/ticketbridge/ticketbridge/internal/telemetry"
)

// setup is what a command works with.
type setup struct {
	settings config.Settings
	config   *config.Config
	client   client.Client
	// namespace is where client works.
	namespace string
	logger    *slog.Logger
	registry  *registry.Registry
}

// loadConfig reads settings and configuration.
func loadConfig() (config.Settings, *config.Config, error) {
	settings, err := config.LoadSettings()
	if err != nil {
		return settings, nil, usageError{err}
	}
	c, err := config.Load(settings.Config, app.Known())
	return settings, c, err
}

// connect reads the configuration and dials Temporal. Only trouble is logged:
// the command's own answer is what the user wants to see.
func connect(cmd *cobra.Command) (*setup, error) {
	settings, c, err := loadConfig()
	if err != nil {
		return nil, err
	}
	logger, err := telemetry.NewLogger(cmd.ErrOrStderr(), "error", settings.LogFormat)
	if err != nil {
		return nil, usageError{err}
	}
	temporal, namespace, err := app.Dial(cmd.Context(), logger, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", operate.ErrUnavailable, err)
	}
	known, err := app.Registry(settings, c, temporal, namespace)
	if err != nil {
		temporal.Close()
		return nil, usageError{err}
	}
	return &setup{settings: settings, config: c, client: temporal, namespace: namespace, logger: logger, registry: known}, nil
}

// begin is how every command begins that asks Temporal and prints an answer.
// The caller closes the client.
func begin(cmd *cobra.Command) (printer, *setup, error) {
	p, err := newPrinter(cmd)
	if err != nil {
		return p, nil, err
	}
	s, err := connect(cmd)
	return p, s, err
}
