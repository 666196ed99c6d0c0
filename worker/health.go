package main

import (
	"log/slog"
	"sync"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/telemetry"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// recorder counts provider calls and tells once, not per call, when an
// integration stops working and when it works again.
type recorder struct {
	*telemetry.Metrics
	logger *slog.Logger

	mu   sync.Mutex
	down map[string]bool
}

func newRecorder(metrics *telemetry.Metrics, logger *slog.Logger) *recorder {
	return &recorder{Metrics: metrics, logger: logger, down: map[string]bool{}}
}

// ProviderCall counts one call and notes whether the integration works.
func (r *recorder) ProviderCall(integration, operation, outcome string, took time.Duration) {
	r.Metrics.ProviderCall(integration, operation, outcome, took)
	down := false
	switch ticket.Kind(outcome) {
	case ticket.RateLimited:
		return // says nothing about it
	case ticket.Credentials, ticket.Retry, ticket.OutcomeUnknown:
		down = true
	}
	r.IntegrationUp(integration, !down)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down[integration] == down {
		return
	}
	r.down[integration] = down
	if down {
		r.logger.Error("integration does not work; calls are retried until it does", "integration", integration, "operation", operation, "outcome", outcome)
		return
	}
	r.logger.Info("integration works again", "integration", integration)
}
