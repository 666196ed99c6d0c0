// Package ticketing is the unified ticketing API behind its HTTP side: one
// operator after the other, on whatever provider the integration has. Reads go
// straight to the provider; writes are another matter (see WriteTicket).
package ticketing

import (
	"context"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// Operator is one of the 19 operations of the API; the names are those of the
// Synqly Ticketing Connector without their prefix.
type Operator string

// The operators.
const (
	QueryTickets            Operator = "query_tickets"
	CreateTicket            Operator = "create_ticket"
	GetTicket               Operator = "get_ticket"
	PatchTicket             Operator = "patch_ticket"
	ListComments            Operator = "list_comments"
	CreateComment           Operator = "create_comment"
	DeleteComment           Operator = "delete_comment"
	ListNotes               Operator = "list_notes"
	CreateNote              Operator = "create_note"
	PatchNote               Operator = "patch_note"
	DeleteNote              Operator = "delete_note"
	CreateAttachment        Operator = "create_attachment"
	ListAttachments         Operator = "list_attachments_metadata"
	DownloadAttachment      Operator = "download_attachment"
	DeleteAttachment        Operator = "delete_attachment"
	ListProjects            Operator = "list_projects"
	ListRemoteFields        Operator = "list_remote_fields"
	QueryEscalationPolicies Operator = "query_escalation_policies"
	ListOnCall              Operator = "list_on_call"
)

// Operators are all of them, in the order in which people look for them.
func Operators() []Operator {
	return []Operator{
		QueryTickets, CreateTicket, GetTicket, PatchTicket,
		ListComments, CreateComment, DeleteComment,
		ListNotes, CreateNote, PatchNote, DeleteNote,
		CreateAttachment, ListAttachments, DownloadAttachment, DeleteAttachment,
		ListProjects, ListRemoteFields, QueryEscalationPolicies, ListOnCall,
	}
}

// What a provider's client implements of the operators. Errors are *ticket.Error;
// one of kind NotSupported says why.
type (
	// TicketCreator makes one attempt to create a ticket.
	TicketCreator interface {
		CreateTicket(context.Context, ticket.New) (ticket.Ticket, error)
	}
	// TicketRecoverer looks for a ticket whose creation had an unknown outcome.
	TicketRecoverer interface {
		RecoverTicket(context.Context, ticket.New, ticket.Attempt) (ticket.Ticket, bool, error)
	}
	// TicketPatcher sets fields of a ticket; doing it twice is harmless.
	TicketPatcher interface {
		PatchTicket(ctx context.Context, id string, p ticket.Patch) (ticket.Ticket, error)
	}
	// TicketQuerier lists tickets. A filter or order that the provider cannot do
	// is a Permanent error that names those that it can.
	TicketQuerier interface {
		QueryTickets(ctx context.Context, q ticket.Query) (ticket.Page[ticket.Ticket], error)
	}
	// TicketGetter reads a ticket.
	TicketGetter interface {
		GetTicket(ctx context.Context, id string) (ticket.Ticket, error)
	}
	// CommentLister lists a ticket's comments, oldest first.
	CommentLister interface {
		ListComments(ctx context.Context, ticketID string) ([]ticket.Comment, error)
	}
	// CommentCreator makes one attempt to create a comment.
	CommentCreator interface {
		CreateComment(ctx context.Context, ticketID string, c ticket.NewComment) (ticket.Comment, error)
	}
	// CommentRecoverer looks for a comment whose creation had an unknown outcome.
	CommentRecoverer interface {
		RecoverComment(ctx context.Context, ticketID string, c ticket.NewComment, a ticket.Attempt) (ticket.Comment, bool, error)
	}
	// CommentDeleter deletes a comment; one that is gone already is NotFound.
	CommentDeleter interface {
		DeleteComment(ctx context.Context, ticketID, commentID string) error
	}
	// NoteLister lists a ticket's notes, oldest first.
	NoteLister interface {
		ListNotes(ctx context.Context, ticketID string) ([]ticket.Note, error)
	}
	// NoteCreator makes one attempt to create a note.
	NoteCreator interface {
		CreateNote(ctx context.Context, ticketID string, n ticket.NewNote) (ticket.Note, error)
	}
	// NoteRecoverer looks for a note whose creation had an unknown outcome.
	NoteRecoverer interface {
		RecoverNote(ctx context.Context, ticketID string, n ticket.NewNote, a ticket.Attempt) (ticket.Note, bool, error)
	}
	// NotePatcher sets members of a note; doing it twice is harmless.
	NotePatcher interface {
		PatchNote(ctx context.Context, ticketID, noteID string, p ticket.NotePatch) (ticket.Note, error)
	}
	// NoteDeleter deletes a note; one that is gone already is NotFound.
	NoteDeleter interface {
		DeleteNote(ctx context.Context, ticketID, noteID string) error
	}
	// AttachmentCreator makes one attempt to add a file.
	AttachmentCreator interface {
		CreateAttachment(ctx context.Context, ticketID string, a ticket.NewAttachment) (ticket.Attachment, error)
	}
	// AttachmentRecoverer looks for a file whose creation had an unknown outcome.
	AttachmentRecoverer interface {
		RecoverAttachment(ctx context.Context, ticketID string, n ticket.NewAttachment, a ticket.Attempt) (ticket.Attachment, bool, error)
	}
	// AttachmentLister lists a ticket's files, oldest first.
	AttachmentLister interface {
		ListAttachments(ctx context.Context, ticketID string) ([]ticket.Attachment, error)
	}
	// AttachmentDownloader opens a file; the caller closes it.
	AttachmentDownloader interface {
		DownloadAttachment(ctx context.Context, ticketID, attachmentID string) (ticket.Download, error)
	}
	// AttachmentDeleter deletes a file; one that is gone already is NotFound.
	AttachmentDeleter interface {
		DeleteAttachment(ctx context.Context, ticketID, attachmentID string) error
	}
	// ProjectLister lists projects by name.
	ProjectLister interface {
		ListProjects(ctx context.Context, cursor string, limit int) (ticket.Page[ticket.Project], error)
	}
	// RemoteFieldLister lists the fields that tickets have at the provider.
	RemoteFieldLister interface {
		ListRemoteFields(ctx context.Context) ([]ticket.RemoteField, error)
	}
	// PolicyQuerier lists escalation policies.
	PolicyQuerier interface {
		QueryEscalationPolicies(ctx context.Context, q ticket.Query) (ticket.Page[ticket.EscalationPolicy], error)
	}
	// OnCallLister tells who is on call by a policy.
	OnCallLister interface {
		ListOnCall(ctx context.Context, policyID string) ([]ticket.Agent, error)
	}
)
