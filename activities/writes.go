package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// Writes are the activities of WriteTicket. They run on the provider's own task
// queue; those that need a file that a process holds, on that process's own.
type Writes struct {
	Integrations Integrations
	Recorder     Recorder
	// Bodies has those that are too large for the input of each call.
	Bodies Bodies
	// Files are those that this process holds, nil where it holds none;
	// StillWanted is only needed with them.
	Files       Files
	StillWanted StillWanted
}

// WriteInput names everything that makes up a write. It is the same in every
// attempt, and in the search for an attempt whose outcome is unknown.
type WriteInput struct {
	Integration string          `json:"integration"`
	Operator    string          `json:"operator"`
	TicketID    string          `json:"ticket_id,omitempty"`
	PartID      string          `json:"part_id,omitempty"`
	Body        json.RawMessage `json:"body,omitempty"`
	// Set is what a person has amended of the body since the workflow's run began,
	// for calls that read the body there.
	Set map[string]string `json:"set,omitempty"`
	// Operation identifies the act across attempts; Key is what a new ticket is
	// found by in the provider's index.
	Operation string `json:"operation,omitempty"`
	Key       string `json:"key,omitempty"`
	// FirstScheduledAt is when the write began: nothing of it can be older.
	FirstScheduledAt time.Time `json:"first_scheduled_at,omitzero"`
	// Repeated: an earlier call may have done it already.
	Repeated bool `json:"repeated,omitempty"`
	// Counted: whoever calls wants to know of every attempt that may have had its
	// effect. So such an attempt is the last of its call, and only Repeated tells of
	// earlier ones.
	Counted bool `json:"counted,omitempty"`
}

// WriteResult tells the workflow what there is now.
type WriteResult struct {
	// Found is false where a search found nothing.
	Found bool `json:"found"`
	// Result is the model's object.
	Result   json.RawMessage `json:"result,omitempty"`
	TicketID string          `json:"ticket_id,omitempty"`
	PartID   string          `json:"part_id,omitempty"`
	Key      string          `json:"key,omitempty"`
	URL      string          `json:"url,omitempty"`
	Warnings []string        `json:"warnings,omitempty"`
	// Status is what a new ticket is still to be set to.
	Status string `json:"status,omitempty"`
}

// WriteCreate makes one attempt to create a ticket, comment, note or attachment.
// Its error types tell whether the attempt certainly changed nothing (then
// Temporal tries again), was refused, or may have created it all the same.
func (a *Writes) WriteCreate(ctx context.Context, in WriteInput) (WriteResult, error) {
	client, err := a.client(ctx, in)
	if err != nil {
		return WriteResult{}, err
	}
	if err := a.holds(in); err != nil {
		return WriteResult{}, err
	}
	call, done := inTime(ctx)
	defer done()
	start := time.Now()
	made, err := a.create(call, client, in)
	record(a.Recorder, in.Integration, in.Operator, start, err)
	if err != nil {
		return WriteResult{}, temporalError(ctx, err)
	}
	switch in.Operator {
	case contract.WriteCreateTicket:
		a.Recorder.TicketCreated(in.Integration)
	case contract.WriteCreateComment, contract.WriteCreateNote:
		a.Recorder.CommentCreated(in.Integration)
	}
	activity.GetLogger(ctx).Info("written", "integration", in.Integration, "operator", in.Operator, "ticket", made.TicketID, "part", made.PartID)
	return made, nil
}

func (a *Writes) create(ctx context.Context, client any, in WriteInput) (WriteResult, error) {
	switch in.Operator {
	case contract.WriteCreateTicket:
		return createTicket(ctx, client, in)
	case contract.WriteCreateComment:
		return createComment(ctx, client, in)
	case contract.WriteCreateNote:
		return createNote(ctx, client, in)
	case contract.WriteCreateAttachment:
		return a.createAttachment(ctx, client, in)
	default:
		return WriteResult{}, notSupported(in.Operator, "creates nothing")
	}
}

// WriteRecoverInput asks for what a create with an unknown outcome may have made.
type WriteRecoverInput struct {
	Write WriteInput `json:"write"`
	// EndedAt is when the last thing that could have created it, or the scan
	// before this one, ended. The search waits until the provider's settling time
	// has passed since.
	EndedAt time.Time `json:"ended_at"`
	// Last also asks the provider's index for a ticket.
	Last bool `json:"last,omitempty"`
}

// WriteRecover looks for what may have been created although no answer came.
func (a *Writes) WriteRecover(ctx context.Context, in WriteRecoverInput) (WriteResult, error) {
	client, err := a.client(ctx, in.Write)
	if err != nil {
		return WriteResult{}, err
	}
	if err := a.holds(in.Write); err != nil {
		return WriteResult{}, err
	}
	look, settling, err := a.recovery(client, in)
	if err != nil {
		return WriteResult{}, temporalError(ctx, err)
	}
	if err := settle(ctx, in.EndedAt, settling); err != nil {
		return WriteResult{}, err
	}
	defer keepAlive(ctx)()
	start := time.Now()
	found, err := look(ctx)
	record(a.Recorder, in.Write.Integration, "recover "+in.Write.Operator, start, err)
	if err != nil {
		return WriteResult{}, temporalError(ctx, repeatable(err))
	}
	return found, nil
}

// recovery is how the result of a create is looked for, and how long after the
// end of a call its effect may still appear.
func (a *Writes) recovery(client any, in WriteRecoverInput) (look func(context.Context) (WriteResult, error), settling time.Duration, err error) {
	switch in.Write.Operator {
	case contract.WriteCreateTicket:
		return recoverTicket(client, in)
	case contract.WriteCreateComment:
		return recoverComment(client, in.Write)
	case contract.WriteCreateNote:
		return recoverNote(client, in.Write)
	case contract.WriteCreateAttachment:
		return a.recoverAttachment(client, in.Write)
	default:
		return nil, 0, notSupported(in.Write.Operator, "creates nothing")
	}
}

// WriteApply patches or deletes. Doing it again is harmless, so Temporal repeats
// it whatever an earlier attempt's outcome was, unless the attempts are Counted; what
// a repeated delete does not find is deleted.
func (a *Writes) WriteApply(ctx context.Context, in WriteInput) (WriteResult, error) {
	client, err := a.client(ctx, in)
	if err != nil {
		return WriteResult{}, err
	}
	call, done := inTime(ctx)
	defer done()
	start := time.Now()
	applied, err := apply(call, client, in)
	record(a.Recorder, in.Integration, in.Operator, start, err)
	repeated := in.Repeated || !in.Counted && activity.GetInfo(ctx).Attempt > 1
	if repeated && deletes(in.Operator) && ticket.KindOf(err) == ticket.NotFound {
		return WriteResult{Found: true, TicketID: in.TicketID, PartID: in.PartID}, nil
	}
	switch {
	case err == nil:
		return applied, nil
	case !in.Counted:
		err = repeatable(err)
	case ticket.KindOf(err) == ticket.Retry: // because it is repeatable; the call may have been heard
		err = &ticket.Error{Kind: ticket.OutcomeUnknown, Op: in.Operator, Message: err.Error(), Err: err}
	}
	return WriteResult{}, temporalError(ctx, err)
}

func deletes(operator string) bool { return strings.HasPrefix(operator, "delete_") }

func apply(ctx context.Context, client any, in WriteInput) (WriteResult, error) {
	gone := WriteResult{Found: true, TicketID: in.TicketID, PartID: in.PartID}
	switch in.Operator {
	case contract.WritePatchTicket:
		return patchTicket(ctx, client, in)
	case contract.WritePatchNote:
		return patchNote(ctx, client, in)
	case contract.WriteDeleteComment:
		deleter, err := as[CommentDeleter](client, in)
		if err != nil {
			return gone, err
		}
		return gone, deleter.DeleteComment(ctx, in.TicketID, in.PartID)
	case contract.WriteDeleteNote:
		deleter, err := as[NoteDeleter](client, in)
		if err != nil {
			return gone, err
		}
		return gone, deleter.DeleteNote(ctx, in.TicketID, in.PartID)
	case contract.WriteDeleteAttachment:
		deleter, err := as[AttachmentDeleter](client, in)
		if err != nil {
			return gone, err
		}
		return gone, deleter.DeleteAttachment(ctx, in.TicketID, in.PartID)
	default:
		return gone, notSupported(in.Operator, "neither patches nor deletes")
	}
}

func (a *Writes) client(ctx context.Context, in WriteInput) (any, error) {
	client, _, err := operator[any](ctx, a.Integrations, in.Integration)
	return client, err
}

// as is the client as the operator T.
func as[T any](client any, in WriteInput) (T, error) {
	op, ok := client.(T)
	if !ok {
		return op, notSupported(in.Operator, "the provider of integration "+in.Integration+" has no such operation")
	}
	return op, nil
}

func notSupported(operator, why string) error {
	return &ticket.Error{Kind: ticket.NotSupported, Op: operator, Message: why}
}

// body reads what is to be written. The workflow has checked it; a member that
// this version does not know comes from a newer one.
func body[T any](in WriteInput) (T, error) {
	var value T
	if err := json.Unmarshal(in.Body, &value); err != nil {
		return value, &ticket.Error{Kind: ticket.Permanent, Op: in.Operator, Message: fmt.Sprintf("body: %v", err), Err: err}
	}
	return value, nil
}
