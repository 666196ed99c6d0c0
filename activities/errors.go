// Package activities holds what MatchEvents, PollFeed and WriteTicket do to the
// outside world. Every activity is: input, one call of a client, the client's error
// turned into a Temporal error. The interfaces it needs are declared here; no
// provider is known by name.
package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// temporalError turns a provider's error into the Temporal error that makes the
// right thing happen next. The Temporal error is always the outermost one:
// a wrapped one loses its type, and with it "do not retry" and the delay.
func temporalError(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	options := temporal.ApplicationErrorOptions{Cause: err}
	message := err.Error()
	kind := ticket.KindOf(err)
	if e, ok := errors.AsType[*ticket.Error](err); ok && e.RetryAfter > 0 {
		options.NextRetryDelay = e.RetryAfter
		message += fmt.Sprintf(" (next try in %s)", e.RetryAfter.Round(time.Millisecond))
	}
	switch kind {
	case ticket.Retry:
		return temporal.NewApplicationErrorWithOptions(message, contract.ErrorRetry, options)
	case ticket.RateLimited:
		options.Category = temporal.ApplicationErrorCategoryBenign
		return temporal.NewApplicationErrorWithOptions(message, contract.ErrorRateLimited, options)
	case ticket.Credentials:
		return temporal.NewApplicationErrorWithOptions(message, contract.ErrorCredentials, options)
	case ticket.Closed:
		return temporal.NewNonRetryableApplicationError(message, contract.ErrorTicketClosed, err, closedResult(err))
	case ticket.NotFound:
		return temporal.NewNonRetryableApplicationError(message, contract.ErrorNotFound, err, refusal(err))
	case ticket.Permanent, ticket.NotSupported:
		return temporal.NewNonRetryableApplicationError(message, contract.ErrorRefused, err, refusal(err))
	default:
		return temporal.NewNonRetryableApplicationError(message, contract.ErrorOutcomeUnknown, err)
	}
}

// refusal tells the workflow what to tell a caller.
func refusal(err error) contract.WriteError {
	told := contract.WriteError{Kind: string(ticket.KindOf(err)), Message: err.Error()}
	if e, ok := errors.AsType[*ticket.Error](err); ok {
		told.Status = e.Status
	}
	return told
}

// closedResult tells the workflow since when a ticket is closed.
func closedResult(err error) TicketResult {
	result := TicketResult{Found: true, Closed: true}
	if e, ok := errors.AsType[*ticket.Error](err); ok {
		result.ClosedAt = e.ClosedAt
	}
	return result
}

func configurationError(err error) error {
	return temporal.NewNonRetryableApplicationError(err.Error(), contract.ErrorConfiguration, err)
}
