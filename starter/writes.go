package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/httpapi"
	"github.com/ticketbridge/ticketbridge/internal/operate"
	"github.com/ticketbridge/ticketbridge/internal/spool"
)

// writes give the HTTP interfaces durable writes.
type writes struct {
	writes  *operate.Writes
	uploads uploads
}

func (w writes) Start(ctx context.Context, asked httpapi.TicketWrite) (httpapi.StartedWrite, error) {
	request := operate.WriteRequest{
		Integration: asked.Integration, Operator: string(asked.Operator), TicketID: asked.TicketID, PartID: asked.PartID,
		Body: asked.Body, IdempotencyKey: asked.Key,
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
