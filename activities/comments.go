package activities

import (
	"context"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// AddCommentInput is one comment or internal note on a request's ticket.
type AddCommentInput struct {
	Integration string `json:"integration"`
	TicketID    string `json:"ticket_id"`
	Note        string `json:"note"`
	Internal    bool   `json:"internal,omitempty"`
	// Changes without a field at the ticket are told in lines under the note.
	Changes event.Changes `json:"changes,omitzero"`
	// Operation identifies the comment across attempts.
	Operation string `json:"operation"`
	// UnlessClosedBefore refuses to comment on a ticket that somebody closed
	// before this time: the event then belongs to another request.
	UnlessClosedBefore time.Time `json:"unless_closed_before,omitzero"`
	FirstScheduledAt   time.Time `json:"first_scheduled_at"`
}

func (in AddCommentInput) comment(integration Integration) ticket.NewComment {
	return ticket.NewComment{
		Content:   commentText(integration, in.Note, in.Changes),
		Internal:  in.Internal,
		Operation: in.Operation,

		UnlessClosedBefore: in.UnlessClosedBefore,
	}
}

// CommentResult tells whether a comment exists.
type CommentResult struct {
	Found bool   `json:"found"`
	ID    string `json:"id,omitempty"`
}

// AddComment makes one attempt to add a comment.
func (a *Tickets) AddComment(ctx context.Context, in AddCommentInput) (CommentResult, error) {
	creator, integration, err := operator[CommentCreator](ctx, a.Integrations, in.Integration)
	if err != nil {
		return CommentResult{}, err
	}
	comment := in.comment(integration)
	if comment.Content == "" {
		return CommentResult{Found: true}, nil // all it has to tell has a field at the ticket
	}
	call, done := inTime(ctx)
	defer done()
	start := time.Now()
	created, err := creator.CreateComment(call, in.TicketID, comment)
	a.record(in.Integration, "create_comment", start, err)
	if err != nil {
		return CommentResult{}, temporalError(ctx, err)
	}
	a.Recorder.CommentCreated(in.Integration)
	return CommentResult{Found: true, ID: created.ID}, nil
}

// RecoverCommentInput asks for a comment whose creation had an unknown outcome.
type RecoverCommentInput struct {
	Comment AddCommentInput `json:"comment"`
	EndedAt time.Time       `json:"ended_at"`
}

// RecoverComment looks for a comment that may have been created although no
// answer came.
func (a *Tickets) RecoverComment(ctx context.Context, in RecoverCommentInput) (CommentResult, error) {
	recoverer, integration, err := operator[CommentRecoverer](ctx, a.Integrations, in.Comment.Integration)
	if err != nil {
		return CommentResult{}, err
	}
	if err := settle(ctx, in.EndedAt, recoverer.Settling()); err != nil {
		return CommentResult{}, err
	}
	defer keepAlive(ctx)()
	start := time.Now()
	found, ok, err := recoverer.RecoverComment(ctx, in.Comment.TicketID, in.Comment.comment(integration), ticket.Attempt{FirstScheduledAt: in.Comment.FirstScheduledAt})
	a.record(in.Comment.Integration, "recover_comment", start, err)
	if err != nil {
		return CommentResult{}, temporalError(ctx, repeatable(err))
	}
	return CommentResult{Found: ok, ID: found.ID}, nil
}
