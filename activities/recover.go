package activities

import (
	"context"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// RecoverTicketInput asks for the ticket of a create whose outcome is unknown.
type RecoverTicketInput struct {
	Create CreateTicketInput `json:"create"`
	// EndedAt is when the last thing that could have created it, or the scan
	// before this one, ended. The search waits until the provider's settling
	// time has passed since.
	EndedAt time.Time `json:"ended_at"`
	// Last also asks the provider's index.
	Last bool `json:"last,omitempty"`
}

// RecoverTicket looks for a ticket that may have been created although no
// answer came.
func (a *Tickets) RecoverTicket(ctx context.Context, in RecoverTicketInput) (TicketResult, error) {
	recoverer, integration, err := operator[TicketRecoverer](ctx, a.Integrations, in.Create.Integration)
	if err != nil {
		return TicketResult{}, err
	}
	if err := settle(ctx, in.EndedAt, recoverer.Settling()); err != nil {
		return TicketResult{}, err
	}
	defer keepAlive(ctx)()
	asked, err := in.Create.ticket(integration)
	if err != nil {
		return TicketResult{}, temporalError(ctx, err)
	}
	start := time.Now()
	found, ok, err := recoverer.RecoverTicket(ctx, asked, ticket.Attempt{FirstScheduledAt: in.Create.FirstScheduledAt})
	a.record(in.Create.Integration, "recover_ticket", start, err)
	if err != nil {
		return TicketResult{}, temporalError(ctx, repeatable(err))
	}
	if ok {
		return ticketResult(found, false), nil
	}
	if !in.Last {
		return TicketResult{}, nil
	}
	return a.findByIndex(ctx, in.Create)
}

func (a *Tickets) findByIndex(ctx context.Context, in CreateTicketInput) (TicketResult, error) {
	finder, _, err := operator[TicketFinder](ctx, a.Integrations, in.Integration)
	if err != nil {
		return TicketResult{}, err
	}
	start := time.Now()
	found, err := finder.FindTicket(ctx, in.Marker)
	a.record(in.Integration, "find_ticket", start, err)
	if err != nil {
		return TicketResult{}, temporalError(ctx, repeatable(err))
	}
	if len(found) == 0 {
		return TicketResult{}, nil
	}
	return ticketResult(found[len(found)-1], false), nil
}

// settle makes Temporal come back when enough time has passed since ended.
func settle(ctx context.Context, ended time.Time, settling time.Duration) error {
	wait := settling - time.Since(ended)
	if wait <= 0 {
		return nil
	}
	return temporalError(ctx, &ticket.Error{
		Kind: ticket.RateLimited, Op: "look for what an unanswered call may have done",
		Message: "waiting until it can no longer appear late", RetryAfter: wait,
	})
}

// repeatable says of a failed read or patch that it may be repeated, whatever
// became of it.
func repeatable(err error) error {
	if ticket.KindOf(err) != ticket.OutcomeUnknown {
		return err
	}
	return &ticket.Error{Kind: ticket.Retry, Op: "call", Message: err.Error(), Err: err}
}
