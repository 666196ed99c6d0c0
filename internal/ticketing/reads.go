package ticketing

import (
	"context"
	"slices"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// Integration is a provider account whose Client implements some of the operators.
type Integration struct {
	Name string
	// Provider is the provider's short name, for texts.
	Provider string
	Client   any
}

// Reads asks providers directly, and waits a moment where their rate asks for it. Every method's errors are *ticket.Error; one of
// kind NotSupported where the provider has no such operation.
type Reads struct {
	// Integration looks one up by its name.
	Integration func(ctx context.Context, name string) (Integration, error)
}

// operator is the integration's client as an operator.
func operator[T any](ctx context.Context, r Reads, name string, op Operator) (T, error) {
	in, err := r.supporting(ctx, name, op)
	client, _ := in.Client.(T) // it supports the operator
	return client, err
}

// QueryTickets lists tickets.
func (r Reads) QueryTickets(ctx context.Context, integration string, q ticket.Query) (ticket.Page[ticket.Ticket], error) {
	c, err := operator[TicketQuerier](ctx, r, integration, QueryTickets)
	if err != nil {
		return ticket.Page[ticket.Ticket]{}, err
	}
	return ticket.InTurn(ctx, func() (ticket.Page[ticket.Ticket], error) { return c.QueryTickets(ctx, q) })
}

// GetTicket reads a ticket.
func (r Reads) GetTicket(ctx context.Context, integration, id string) (ticket.Ticket, error) {
	c, err := operator[TicketGetter](ctx, r, integration, GetTicket)
	if err != nil {
		return ticket.Ticket{}, err
	}
	return ticket.InTurn(ctx, func() (ticket.Ticket, error) { return c.GetTicket(ctx, id) })
}

// ListComments lists a ticket's comments, oldest first.
func (r Reads) ListComments(ctx context.Context, integration, ticketID string) ([]ticket.Comment, error) {
	c, err := operator[CommentLister](ctx, r, integration, ListComments)
	if err != nil {
		return nil, err
	}
	comments, err := ticket.InTurn(ctx, func() ([]ticket.Comment, error) { return c.ListComments(ctx, ticketID) })
	// Some providers keep notes among the comments.
	return slices.DeleteFunc(comments, func(c ticket.Comment) bool { return c.Internal }), err
}

// ListNotes lists a ticket's notes, oldest first.
func (r Reads) ListNotes(ctx context.Context, integration, ticketID string) ([]ticket.Note, error) {
	c, err := operator[NoteLister](ctx, r, integration, ListNotes)
	if err != nil {
		return nil, err
	}
	return ticket.InTurn(ctx, func() ([]ticket.Note, error) { return c.ListNotes(ctx, ticketID) })
}

// ListAttachments lists a ticket's files, oldest first.
func (r Reads) ListAttachments(ctx context.Context, integration, ticketID string) ([]ticket.Attachment, error) {
	c, err := operator[AttachmentLister](ctx, r, integration, ListAttachments)
	if err != nil {
		return nil, err
	}
	return ticket.InTurn(ctx, func() ([]ticket.Attachment, error) { return c.ListAttachments(ctx, ticketID) })
}

// DownloadAttachment opens a file; the caller closes it.
func (r Reads) DownloadAttachment(ctx context.Context, integration, ticketID, id string) (ticket.Download, error) {
	c, err := operator[AttachmentDownloader](ctx, r, integration, DownloadAttachment)
	if err != nil {
		return ticket.Download{}, err
	}
	return ticket.InTurn(ctx, func() (ticket.Download, error) { return c.DownloadAttachment(ctx, ticketID, id) })
}

// ListProjects lists projects by name.
func (r Reads) ListProjects(ctx context.Context, integration, cursor string, limit int) (ticket.Page[ticket.Project], error) {
	c, err := operator[ProjectLister](ctx, r, integration, ListProjects)
	if err != nil {
		return ticket.Page[ticket.Project]{}, err
	}
	return ticket.InTurn(ctx, func() (ticket.Page[ticket.Project], error) { return c.ListProjects(ctx, cursor, limit) })
}

// ListRemoteFields lists the fields that tickets have at the provider.
func (r Reads) ListRemoteFields(ctx context.Context, integration string) ([]ticket.RemoteField, error) {
	c, err := operator[RemoteFieldLister](ctx, r, integration, ListRemoteFields)
	if err != nil {
		return nil, err
	}
	return ticket.InTurn(ctx, func() ([]ticket.RemoteField, error) { return c.ListRemoteFields(ctx) })
}

// QueryEscalationPolicies lists escalation policies.
func (r Reads) QueryEscalationPolicies(ctx context.Context, integration string, q ticket.Query) (ticket.Page[ticket.EscalationPolicy], error) {
	c, err := operator[PolicyQuerier](ctx, r, integration, QueryEscalationPolicies)
	if err != nil {
		return ticket.Page[ticket.EscalationPolicy]{}, err
	}
	return ticket.InTurn(ctx, func() (ticket.Page[ticket.EscalationPolicy], error) { return c.QueryEscalationPolicies(ctx, q) })
}

// ListOnCall tells who is on call by a policy.
func (r Reads) ListOnCall(ctx context.Context, integration, policyID string) ([]ticket.Agent, error) {
	c, err := operator[OnCallLister](ctx, r, integration, ListOnCall)
	if err != nil {
		return nil, err
	}
	return ticket.InTurn(ctx, func() ([]ticket.Agent, error) { return c.ListOnCall(ctx, policyID) })
}
