package activities

import (
	"context"

	"go.temporal.io/sdk/temporal"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
)

// EventResolver applies catalog and defaults to an event.
type EventResolver interface {
	ResolveEvent(ctx context.Context, e event.Event) (event.Resolved, error)
}

// Events are the activities about events themselves.
type Events struct {
	Resolver     EventResolver
	Integrations Integrations
}

// ResolveInput is an event that a person typed.
type ResolveInput struct {
	Event event.Event `json:"event"`
}

// Resolve applies the same rules to an event typed by hand that intake applies
// to all others. An event that the rules refuse is an InvalidInput error.
func (a *Events) Resolve(ctx context.Context, in ResolveInput) (event.Resolved, error) {
	resolved, err := a.Resolver.ResolveEvent(ctx, in.Event)
	if err != nil {
		return resolved, temporal.NewNonRetryableApplicationError(err.Error(), contract.ErrorInvalidInput, err)
	}
	return resolved, nil
}

// Provider tells an integration's provider, for a MatchEvents that a person
// started without it.
func (a *Events) Provider(ctx context.Context, integration string) (string, error) {
	in, err := a.Integrations.Integration(ctx, integration)
	if err != nil {
		return "", err // asked again until the configuration has it
	}
	return in.Provider, nil
}
