package app

import (
	"log/slog"
	"sync"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/telemetry"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// Recorder counts provider calls and tells once, not per call, when an
// integration stops working and when it works again.
type Recorder struct {
	*telemetry.Metrics
	logger *slog.Logger

	mu     sync.Mutex
	states map[string]*integrationState
}

// integrationState is whether an integration works: failures counts those in a row.
type integrationState struct {
	failures int
	down     bool
}

// failuresUntilDown keeps a single lost call from raising an alarm.
const failuresUntilDown = 3

// NewRecorder makes the recorder of a process.
func NewRecorder(metrics *telemetry.Metrics, logger *slog.Logger) *Recorder {
	return &Recorder{Metrics: metrics, logger: logger, states: map[string]*integrationState{}}
}

// ProviderCall counts one call and notes whether the integration works.
func (r *Recorder) ProviderCall(integration, operation, outcome string, took time.Duration) {
	r.Metrics.ProviderCall(integration, operation, outcome, took)
	refused := ticket.Kind(outcome) == ticket.Credentials
	failed := false
	switch ticket.Kind(outcome) {
	case ticket.RateLimited:
		return // says nothing about it
	case ticket.Credentials, ticket.Retry, ticket.OutcomeUnknown:
		failed = true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	state := r.states[integration]
	if state == nil {
		state = &integrationState{}
		r.states[integration] = state
	}
	was := state.down
	switch {
	case !failed:
		state.failures, state.down = 0, false
	default:
		state.failures++
		state.down = refused || state.failures >= failuresUntilDown
	}
	r.IntegrationUp(integration, !state.down)
	if state.down && !was {
		r.logger.Error("integration does not work; calls are retried until it does", "integration", integration, "operation", operation, "outcome", outcome)
	}
	if was && !state.down {
		r.logger.Info("integration works again", "integration", integration)
	}
}
