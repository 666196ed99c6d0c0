package activities

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// The operators of a provider, one interface each. A provider package
// implements those that its vendor's API can do; the rest is "not supported".
type (
	// TicketCreator makes one attempt to create a ticket: one POST at most. It need
	// not look for an earlier one, for which there is TicketRecoverer; one that it
	// finds is the answer.
	TicketCreator interface {
		CreateTicket(context.Context, ticket.New) (ticket.Ticket, error)
	}
	// TicketRecoverer looks by consistent reads for a ticket whose creation had
	// an unknown outcome.
	TicketRecoverer interface {
		RecoverTicket(context.Context, ticket.New, ticket.Attempt) (ticket.Ticket, bool, error)
		// Settling is how long after the end of a call its effect may still appear.
		Settling() time.Duration
	}
	// TicketFinder finds tickets by our marker, newest first; it may lag.
	TicketFinder interface {
		FindTicket(context.Context, ticket.Marker) ([]ticket.Ticket, error)
	}
	// TicketGetter reads a ticket.
	TicketGetter interface {
		GetTicket(ctx context.Context, id string) (ticket.Ticket, error)
	}
	// TicketPatcher sets fields of a ticket; doing it twice is harmless. A ticket
	// that was closed before Patch.UnlessClosedBefore is an error of kind Closed.
	TicketPatcher interface {
		PatchTicket(ctx context.Context, id string, p ticket.Patch) (ticket.Ticket, error)
	}
	// CommentCreator makes one attempt to create a comment, but not on a ticket
	// that was closed before NewComment.UnlessClosedBefore: that is an error of
	// kind Closed.
	CommentCreator interface {
		CreateComment(ctx context.Context, ticketID string, c ticket.NewComment) (ticket.Comment, error)
	}
	// CommentRecoverer looks for a comment whose creation had an unknown outcome.
	CommentRecoverer interface {
		RecoverComment(ctx context.Context, ticketID string, c ticket.NewComment, a ticket.Attempt) (ticket.Comment, bool, error)
		Settling() time.Duration
	}
)

// Integration is one configured provider account.
type Integration struct {
	Name string
	// Provider is the short name that its task queue bears, e.g. "jira".
	Provider string
	// Client implements the operators above as far as the provider can.
	Client any
	// FieldMap sends request fields that have no place in the ticket model to
	// custom fields: request field name → custom field name.
	FieldMap map[string]string
}

// Integrations finds an integration by its name.
type Integrations interface {
	Integration(ctx context.Context, name string) (Integration, error)
}

// Recorder takes what happened at providers for metrics and health.
type Recorder interface {
	ProviderCall(integration, operation, outcome string, took time.Duration)
	TicketCreated(integration string)
	CommentCreated(integration string)
}

// operator returns the integration and its client as the operator T.
func operator[T any](ctx context.Context, integrations Integrations, name string) (T, Integration, error) {
	var none T
	in, err := integrations.Integration(ctx, name)
	if err != nil {
		// Another worker may know it, or this one after a restart.
		return none, in, temporal.NewApplicationErrorWithCause(err.Error(), contract.ErrorConfiguration, err)
	}
	op, ok := in.Client.(T)
	if !ok {
		return none, in, configurationError(fmt.Errorf("integration %s: %s does not support this operation", name, in.Provider))
	}
	return op, in, nil
}
