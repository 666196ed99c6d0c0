package ticketing

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// Supports reports whether a provider's client, which may be a nil pointer of its
// type, can do an operator. It is the one place that decides: what the API says
// it can do, and what it answers 501 to, both ask here.
func Supports(client any, op Operator) bool {
	needed := map[Operator][]func(any) bool{
		QueryTickets:            {is[TicketQuerier]},
		CreateTicket:            {is[TicketCreator], is[TicketRecoverer]},
		GetTicket:               {is[TicketGetter]},
		PatchTicket:             {is[TicketPatcher]},
		ListComments:            {is[CommentLister]},
		CreateComment:           {is[CommentCreator], is[CommentRecoverer]},
		DeleteComment:           {is[CommentDeleter]},
		ListNotes:               {is[NoteLister]},
		CreateNote:              {is[NoteCreator], is[NoteRecoverer]},
		PatchNote:               {is[NotePatcher]},
		DeleteNote:              {is[NoteDeleter]},
		CreateAttachment:        {is[AttachmentCreator], is[AttachmentRecoverer]},
		ListAttachments:         {is[AttachmentLister]},
		DownloadAttachment:      {is[AttachmentDownloader]},
		DeleteAttachment:        {is[AttachmentDeleter]},
		ListProjects:            {is[ProjectLister]},
		ListRemoteFields:        {is[RemoteFieldLister]},
		QueryEscalationPolicies: {is[PolicyQuerier]},
		ListOnCall:              {is[OnCallLister]},
	}[op]
	return needed != nil && !slices.ContainsFunc(needed, func(has func(any) bool) bool { return !has(client) })
}

func is[T any](client any) bool {
	_, ok := client.(T)
	return ok
}

// Supports returns an error where an integration cannot do an operator: of kind
// NotSupported where its provider cannot, of NotFound where there is no such
// integration, or of the kind that its look-up says.
func (r Reads) Supports(ctx context.Context, integration string, op Operator) error {
	_, err := r.supporting(ctx, integration, op)
	return err
}

// supporting finds an integration that can do an operator.
func (r Reads) supporting(ctx context.Context, name string, op Operator) (Integration, error) {
	in, err := r.Integration(ctx, name)
	known, told := errors.AsType[*ticket.Error](err)
	switch {
	case told:
		return in, known
	case err != nil:
		return in, &ticket.Error{Kind: ticket.NotFound, Op: string(op), Message: err.Error(), Err: err}
	case !Supports(in.Client, op):
		return in, &ticket.Error{
			Kind: ticket.NotSupported, Op: string(op),
			Message: fmt.Sprintf("%s cannot do this (integration %s); GET /v1/capabilities tells what each provider can", in.Provider, name),
		}
	}
	return in, nil
}
