package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/httpapi"
	"github.com/ticketbridge/ticketbridge/internal/operate"
	"github.com/ticketbridge/ticketbridge/internal/provider"
	"github.com/ticketbridge/ticketbridge/internal/spool"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

// readsOf ask the providers of integrations directly.
func readsOf(integrations *provider.Set) ticketing.Reads {
	return ticketing.Reads{Integration: func(ctx context.Context, name string) (ticketing.Integration, error) {
		in, err := integrations.Integration(ctx, name)
		if errors.Is(err, operate.ErrUnavailable) {
			err = &ticket.Error{Kind: ticket.Retry, Op: "look up integration " + name, Message: err.Error(), Err: err}
		}
		return ticketing.Integration{Name: in.Name, Provider: in.Provider, Client: in.Client}, err
	}}
}

// durableWrites make writes to integrations durable.
func durableWrites(integrations *provider.Set, temporal client.Client) *operate.Writes {
	return operate.NewWrites(temporal, func(ctx context.Context, name string) (string, error) {
		in, err := integrations.Integration(ctx, name)
		return in.Provider, err
	})
}

// writes give the HTTP interfaces durable writes.
type writes struct {
	writes  *operate.Writes
	uploads uploads
}

func (w writes) Start(ctx context.Context, asked httpapi.TicketWrite) (httpapi.StartedWrite, error) {
	request := operate.WriteRequest{
		Integration: asked.Integration, Operator: string(asked.Operator), TicketID: asked.TicketID, PartID: asked.PartID,
		Body: asked.Body, Derive: asked.Derive, Said: asked.Said, Came: asked.Came, IdempotencyKey: asked.Key,
	}
	if file, ok := asked.File.(*spool.File); ok {
		return w.uploads.start(ctx, request, file)
	}
	started, err := w.writes.Start(ctx, request)
	if err != nil {
		return nil, writeError(err)
	}
	return startedWrite{started}, nil
}

// writeError turns an error of a start into the HTTP interfaces' own.
func writeError(err error) error {
	switch {
	case errors.Is(err, operate.ErrInvalid):
		return fmt.Errorf("%w: %w", httpapi.ErrInvalidWrite, err)
	case errors.Is(err, operate.ErrKeyReused):
		return fmt.Errorf("%w: %w", httpapi.ErrKeyReused, err)
	default:
		return httpError(err)
	}
}

func (w writes) Outcome(ctx context.Context, integration, operationID string) (contract.WriteOutcome, error) {
	outcome, err := w.writes.Outcome(ctx, integration, operationID)
	return outcome, httpError(err)
}

// startedWrite speaks the HTTP interfaces' errors.
type startedWrite struct{ *operate.Write }

func (s startedWrite) Wait(ctx context.Context, wait time.Duration) (contract.WriteOutcome, bool, error) {
	outcome, ended, err := s.Write.Wait(ctx, wait)
	return outcome, ended, httpError(err)
}

func (s startedWrite) Async(ctx context.Context) (contract.WriteOutcome, bool, error) {
	outcome, ended, err := s.Write.Async(ctx)
	return outcome, ended, httpError(err)
}
