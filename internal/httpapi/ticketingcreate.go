package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

// Envelopes of what writes answer.
type (
	commentAnswer struct {
		Result ticket.Comment `json:"result"`
		warned
	}
	noteAnswer struct {
		Result ticket.Note `json:"result"`
		warned
	}
	attachmentMetadataAnswer struct {
		Result attachmentMetadata `json:"result"`
		warned
	}
)

func ticketEnvelope() envelope {
	return decoded(func(t ticket.Ticket, said warned) any { return ticketAnswer{t, said} })
}

func noteEnvelope() envelope {
	return decoded(func(n ticket.Note, said warned) any { return noteAnswer{n, said} })
}

func attachmentEnvelope() envelope {
	return decoded(func(made ticket.Attachment, said warned) any { return attachmentMetadataAnswer{metadataOf(made), said} })
}

func (a *api) createTicket(w http.ResponseWriter, r *http.Request, c Caller) error {
	var body createTicketRequest
	if err := a.readTicketing(w, r, &body); err != nil {
		return err
	}
	asked, err := body.ticket()
	if err != nil {
		return err
	}
	return a.write(w, r, c, TicketWrite{Operator: ticketing.CreateTicket, Body: asked}, ticketEnvelope())
}

func (a *api) patchTicket(w http.ResponseWriter, r *http.Request, c Caller) error {
	patch, said, err := a.readPatch(w, r, ticketing.TicketMembers(), "id", "created_at", "updated_at")
	if err != nil {
		return err
	}
	write := TicketWrite{Operator: ticketing.PatchTicket, TicketID: r.PathValue("ticketId")}
	err = write.patches(patch.Blind(), said, func(ctx context.Context) (any, error) {
		var current ticket.Ticket
		if !patch.Blind() {
			var err error
			if current, err = a.Ticketing.GetTicket(ctx, c.Integration, write.TicketID); err != nil {
				return nil, err
			}
		}
		return patch.Ticket(current)
	})
	if err != nil {
		return err
	}
	return a.write(w, r, c, write, ticketEnvelope())
}

// patches makes a write of a patch: now, where that needs nothing to be read, else
// when it is known that no equal one is under way.
func (t *TicketWrite) patches(blind bool, said json.RawMessage, derive func(context.Context) (any, error)) (err error) {
	if blind {
		t.Body, err = derive(context.Background())
		return patchRefusal(err)
	}
	t.Said, t.Derive = said, func(ctx context.Context) (any, error) {
		changes, err := derive(ctx)
		return changes, patchRefusal(err)
	}
	return nil
}

func (a *api) createComment(w http.ResponseWriter, r *http.Request, c Caller) error {
	var body createCommentRequest
	if err := a.readTicketing(w, r, &body); err != nil {
		return err
	}
	asked, err := body.comment()
	if err != nil {
		return err
	}
	return a.write(w, r, c, TicketWrite{Operator: ticketing.CreateComment, TicketID: r.PathValue("ticketId"), Body: asked},
		decoded(func(made ticket.Comment, said warned) any { return commentAnswer{made, said} }))
}

func (a *api) deleteComment(w http.ResponseWriter, r *http.Request, c Caller) error {
	return a.write(w, r, c, TicketWrite{
		Operator: ticketing.DeleteComment, TicketID: r.PathValue("ticketId"), PartID: r.PathValue("commentId"),
	}, nil)
}

func (a *api) createNote(w http.ResponseWriter, r *http.Request, c Caller) error {
	var body createNoteRequest
	if err := a.readTicketing(w, r, &body); err != nil {
		return err
	}
	asked, err := body.note()
	if err != nil {
		return err
	}
	return a.write(w, r, c, TicketWrite{Operator: ticketing.CreateNote, TicketID: r.PathValue("ticketId"), Body: asked}, noteEnvelope())
}

func (a *api) patchNote(w http.ResponseWriter, r *http.Request, c Caller) error {
	patch, said, err := a.readPatch(w, r, ticketing.NoteMembers(), "id", "ticket_id", "creator", "created_at", "updated_at")
	if err != nil {
		return err
	}
	write := TicketWrite{Operator: ticketing.PatchNote, TicketID: r.PathValue("ticketId"), PartID: r.PathValue("noteId")}
	err = write.patches(patch.Blind(), said, func(ctx context.Context) (any, error) {
		var current ticket.Note
		if !patch.Blind() {
			var err error
			if current, err = a.note(ctx, c, write.TicketID, write.PartID); err != nil {
				return nil, err
			}
		}
		return patch.Note(current)
	})
	if err != nil {
		return err
	}
	return a.write(w, r, c, write, noteEnvelope())
}

// note is one note of a ticket.
func (a *api) note(ctx context.Context, c Caller, ticketID, id string) (ticket.Note, error) {
	notes, err := a.Ticketing.ListNotes(ctx, c.Integration, ticketID)
	if err != nil {
		return ticket.Note{}, err
	}
	if i := slices.IndexFunc(notes, func(n ticket.Note) bool { return n.ID == id }); i >= 0 {
		return notes[i], nil
	}
	return ticket.Note{}, fmt.Errorf("note %s of ticket %s: %w", id, ticketID, ErrNotFound)
}

func (a *api) deleteNote(w http.ResponseWriter, r *http.Request, c Caller) error {
	return a.write(w, r, c, TicketWrite{
		Operator: ticketing.DeleteNote, TicketID: r.PathValue("ticketId"), PartID: r.PathValue("noteId"),
	}, nil)
}

func (a *api) deleteAttachment(w http.ResponseWriter, r *http.Request, c Caller) error {
	return a.write(w, r, c, TicketWrite{
		Operator: ticketing.DeleteAttachment, TicketID: r.PathValue("ticketId"), PartID: r.PathValue("attachmentId"),
	}, nil)
}

// writing is a route of the unified ticketing API that changes something.
func writing(method, path, summary string, body, result any, parameters []parameter, handle handler) route {
	about, status := "What the provider made of it.", http.StatusOK
	if method == http.MethodPost {
		status = http.StatusCreated
	}
	if result == nil {
		result, about = gone{}, "It is deleted."
	}
	answers := append([]answer{
		{status: status, about: about, body: result, headers: []string{operationHeader}},
		{status: 202, about: "It is under way; only with Prefer: respond-async.", body: ticketOperation{}, headers: []string{"Location", "Preference-Applied", operationHeader}},
		{status: 409, about: "The Idempotency-Key was used for another write, a test of the patch does not hold, the ticket is closed, or the write is parked.", body: problem{}},
		{status: 413, about: "The body is too large.", body: problem{}},
		{status: 503, about: "It takes longer than 20 seconds, and goes on: context.operation is its id. Without one, Temporal or the provider cannot be reached, and nothing was accepted.", body: problem{}, headers: []string{"Retry-After"}},
	}, ticketingErrors()...)
	return route{
		method: method, path: ticketingPath + path, tag: ticketsTag, summary: summary, body: body, answers: answers, handle: handle,
		within: readTimeout + AnswerWithin, // fromHere bounds what comes after the body
		parameters: append(parameters, parameter{"Idempotency-Key", "header", "Names the write: sent again with the same key, it is the same one. Without it an equal call is the same write while that is under way, and for two minutes after it ended without a 2xx."},
			parameter{"Prefer", "header", "respond-async: 202 instead of 503 where the write takes longer than 20 seconds after its body was read. wait=N: than N seconds, 20 at most."}),
		detail: "The write is durable: it goes on when the call, a worker or the provider fails, and is never made twice. " + operationHeader + " of the answer names it, also where it was refused or is under way.",
	}
}

// Content types of changes, beside plain JSON.
const (
	jsonPatchType  = "application/json-patch+json"
	mergePatchType = "application/merge-patch+json"
)

// uploading is a route that takes a file as it is, too.
func uploading(rt route) route {
	rt.media, rt.within = []media{{"application/octet-stream", nil}, {"*/*", nil}}, uploadWithin
	rt.parameters = append(rt.parameters,
		parameter{"file_name", "query", "The file's name, where its bytes are the body. Their Content-Type becomes the file's type."},
		parameter{"Content-Disposition", "header", "The same, as attachment; filename=...; file_name goes before it."})
	rt.answers = append(rt.answers,
		answer{status: 408, about: "The file did not arrive in time.", body: problem{}},
		answer{status: 415, about: "A form with parts, or a Content-Encoding.", body: problem{}},
		answer{status: 507, about: "There is no room for the file now.", body: problem{}, headers: []string{"Retry-After"}})
	rt.detail += " A file above 1 MB is on the server's disk until the provider has it, so respond-async is not taken for it: a 2xx would say that the file can be forgotten. " +
		"After a 503, to ask for the operation is enough; the file sent again joins the write."
	return rt
}

func (a *api) ticketWriteRoutes() []route {
	if a.Writes == nil {
		return nil
	}
	ticketID := []parameter{{"ticketId", "path", "The ticket's id."}}
	of := func(name, about string) []parameter { return append(ticketID[:1:1], parameter{name, "path", about}) }
	comment, note, file := of("commentId", "The comment's id."), of("noteId", "The note's id."), of("attachmentId", "The file's id.")
	patch := []patchOperationShape{}
	patching := func(rt route) route {
		rt.media = []media{{jsonPatchType, patch}}
		return rt
	}
	return []route{
		writing(http.MethodPost, "tickets", "Create a ticket", createTicketRequest{}, ticketAnswer{}, nil, a.createTicket).does(ticketing.CreateTicket),
		patching(writing(http.MethodPatch, "tickets/{ticketId}", "Change a ticket by JSON Patch (RFC 6902)", patch, ticketAnswer{}, ticketID, a.patchTicket)).does(ticketing.PatchTicket),
		writing(http.MethodPost, "tickets/{ticketId}/comments", "Comment on a ticket", createCommentRequest{}, commentAnswer{}, ticketID, a.createComment).does(ticketing.CreateComment),
		writing(http.MethodDelete, "tickets/{ticketId}/comments/{commentId}", "Delete a comment", nil, nil, comment, a.deleteComment).does(ticketing.DeleteComment),
		writing(http.MethodPost, "tickets/{ticketId}/notes", "Add a note to a ticket", createNoteRequest{}, noteAnswer{}, ticketID, a.createNote).does(ticketing.CreateNote),
		patching(writing(http.MethodPatch, "tickets/{ticketId}/notes/{noteId}", "Change a note by JSON Patch", patch, noteAnswer{}, note, a.patchNote)).does(ticketing.PatchNote),
		writing(http.MethodDelete, "tickets/{ticketId}/notes/{noteId}", "Delete a note", nil, nil, note, a.deleteNote).does(ticketing.DeleteNote),
		uploading(writing(http.MethodPost, "attachments/{ticketId}", "Attach a file: its bytes, or base64 in JSON", createAttachmentRequest{}, attachmentMetadataAnswer{}, ticketID, a.createAttachment)).does(ticketing.CreateAttachment),
		writing(http.MethodDelete, "attachments/{ticketId}/{attachmentId}", "Delete a file", nil, nil, file, a.deleteAttachment).does(ticketing.DeleteAttachment),
		standing(reading("operations/{operation}", "How a write stands", ticketOperation{}, []parameter{{"operation", "path", "The id that a 202 or 503 gave; its slash may be escaped (%2F) or not."}}, a.getOperation)),
	}
}

// standing is a route by the id of a write, in which there is a slash.
func standing(rt route) route {
	rt.rest = true
	return rt
}
