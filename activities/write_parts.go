package activities

import (
	"context"
	"encoding/json"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// What WriteTicket needs of a provider beyond tickets and new comments. The
// meanings are those of package ticketing's interfaces of the same names.
type (
	CommentDeleter interface {
		DeleteComment(ctx context.Context, ticketID, commentID string) error
	}
	NoteCreator interface {
		CreateNote(ctx context.Context, ticketID string, n ticket.NewNote) (ticket.Note, error)
	}
	NoteRecoverer interface {
		RecoverNote(ctx context.Context, ticketID string, n ticket.NewNote, a ticket.Attempt) (ticket.Note, bool, error)
	}
	NotePatcher interface {
		PatchNote(ctx context.Context, ticketID, noteID string, p ticket.NotePatch) (ticket.Note, error)
	}
	NoteDeleter interface {
		DeleteNote(ctx context.Context, ticketID, noteID string) error
	}
	AttachmentCreator interface {
		CreateAttachment(ctx context.Context, ticketID string, a ticket.NewAttachment) (ticket.Attachment, error)
	}
	AttachmentRecoverer interface {
		RecoverAttachment(ctx context.Context, ticketID string, n ticket.NewAttachment, a ticket.Attempt) (ticket.Attachment, bool, error)
	}
	AttachmentDeleter interface {
		DeleteAttachment(ctx context.Context, ticketID, attachmentID string) error
	}
	// Settler says how long after the end of a call its effect may still appear.
	Settler interface {
		Settling() time.Duration
	}
)

// part is the result of a comment, note or attachment that is there.
func part(in WriteInput, id string, object any) (WriteResult, error) {
	data, err := json.Marshal(object)
	return WriteResult{Found: true, Result: data, TicketID: in.TicketID, PartID: id}, err
}

func (in WriteInput) newComment() (ticket.NewComment, error) {
	asked, err := body[ticket.NewComment](in)
	asked.Operation = in.Operation
	return asked, err
}

func createComment(ctx context.Context, client any, in WriteInput) (WriteResult, error) {
	creator, err := as[CommentCreator](client, in)
	if err != nil {
		return WriteResult{}, err
	}
	asked, err := in.newComment()
	if err != nil {
		return WriteResult{}, err
	}
	made, err := creator.CreateComment(ctx, in.TicketID, asked)
	if err != nil {
		return WriteResult{}, err
	}
	return part(in, made.ID, made)
}

func recoverComment(client any, in WriteInput) (func(context.Context) (WriteResult, error), time.Duration, error) {
	recoverer, err := as[CommentRecoverer](client, in)
	if err != nil {
		return nil, 0, err
	}
	asked, err := in.newComment()
	return func(ctx context.Context) (WriteResult, error) {
		found, ok, err := recoverer.RecoverComment(ctx, in.TicketID, asked, in.attempt())
		if err != nil || !ok {
			return WriteResult{}, err
		}
		return part(in, found.ID, found)
	}, recoverer.Settling(), err
}

func (in WriteInput) newNote() (ticket.NewNote, error) {
	asked, err := body[ticket.NewNote](in)
	asked.Operation = in.Operation
	return asked, err
}

func createNote(ctx context.Context, client any, in WriteInput) (WriteResult, error) {
	creator, err := as[NoteCreator](client, in)
	if err != nil {
		return WriteResult{}, err
	}
	asked, err := in.newNote()
	if err != nil {
		return WriteResult{}, err
	}
	made, err := creator.CreateNote(ctx, in.TicketID, asked)
	if err != nil {
		return WriteResult{}, err
	}
	return part(in, made.ID, made)
}

func recoverNote(client any, in WriteInput) (func(context.Context) (WriteResult, error), time.Duration, error) {
	recoverer, err := as[NoteRecoverer](client, in)
	if err != nil {
		return nil, 0, err
	}
	asked, err := in.newNote()
	return func(ctx context.Context) (WriteResult, error) {
		found, ok, err := recoverer.RecoverNote(ctx, in.TicketID, asked, in.attempt())
		if err != nil || !ok {
			return WriteResult{}, err
		}
		return part(in, found.ID, found)
	}, settlingOf(client), err
}

func patchNote(ctx context.Context, client any, in WriteInput) (WriteResult, error) {
	patcher, err := as[NotePatcher](client, in)
	if err != nil {
		return WriteResult{}, err
	}
	patch, err := body[ticket.NotePatch](in)
	if err != nil {
		return WriteResult{}, err
	}
	patched, err := patcher.PatchNote(ctx, in.TicketID, in.PartID, patch)
	if err != nil {
		return WriteResult{}, err
	}
	return part(in, patched.ID, patched)
}

func (a *Writes) createAttachment(ctx context.Context, client any, in WriteInput) (WriteResult, error) {
	creator, err := as[AttachmentCreator](client, in)
	if err != nil {
		return WriteResult{}, err
	}
	asked, stop, err := a.attachment(ctx, in)
	if err != nil {
		return WriteResult{}, err
	}
	defer stop()
	made, err := creator.CreateAttachment(ctx, in.TicketID, asked)
	if err != nil {
		return WriteResult{}, err
	}
	return part(in, made.ID, made)
}

func (a *Writes) recoverAttachment(client any, in WriteInput) (func(context.Context) (WriteResult, error), time.Duration, error) {
	recoverer, err := as[AttachmentRecoverer](client, in)
	if err != nil {
		return nil, 0, err
	}
	return func(ctx context.Context) (WriteResult, error) {
		asked, stop, err := a.attachment(ctx, in)
		if err != nil {
			return WriteResult{}, err
		}
		defer stop()
		found, ok, err := recoverer.RecoverAttachment(ctx, in.TicketID, asked, in.attempt())
		if err != nil || !ok {
			return WriteResult{}, err
		}
		return part(in, found.ID, found)
	}, settlingOf(client), nil
}

func settlingOf(client any) time.Duration {
	if settler, ok := client.(Settler); ok {
		return settler.Settling()
	}
	return 0
}
