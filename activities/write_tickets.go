package activities

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func (in WriteInput) newTicket() (ticket.New, error) {
	asked, err := body[ticket.New](in)
	asked.Marker = ticket.Marker{Key: in.Key, Operation: in.Operation}
	return asked, err
}

func createTicket(ctx context.Context, client any, in WriteInput) (WriteResult, error) {
	creator, err := as[TicketCreator](client, in)
	if err != nil {
		return WriteResult{}, err
	}
	asked, err := in.newTicket()
	if err != nil {
		return WriteResult{}, err
	}
	made, err := creator.CreateTicket(ctx, asked)
	if err != nil {
		return WriteResult{}, err
	}
	return written(complete(ctx, client, made), asked.Status)
}

// completeWithin bounds a read of a ticket that is made already.
const completeWithin = 5 * time.Second

// complete reads a new ticket where the provider did not answer all of it. That
// it exists is no longer in question: where it cannot be read, it is shown as it was
// asked for, and that is said.
func complete(ctx context.Context, client any, made ticket.Ticket) ticket.Ticket {
	getter, ok := client.(TicketGetter)
	if !made.CreatedAt.IsZero() || !ok {
		return made
	}
	read, err := ticket.InTurn(ctx, func() (ticket.Ticket, error) {
		ctx, cancel := context.WithTimeout(ctx, completeWithin)
		defer cancel()
		return getter.GetTicket(ctx, made.ID)
	})
	if err != nil {
		made.CreatedAt = time.Now().UTC().Truncate(time.Second)
		made.UpdatedAt = made.CreatedAt
		return warn(made, "the ticket was made, but could not be read: this is what was asked for, and the times are ours")
	}
	return warn(read, made.Warnings()...)
}

// warn puts warnings before those that a ticket has.
func warn(t ticket.Ticket, warnings ...string) ticket.Ticket {
	if len(warnings) == 0 {
		return t
	}
	t.Unmapped = maps.Clone(t.Unmapped)
	if t.Unmapped == nil {
		t.Unmapped = map[string]any{}
	}
	t.Unmapped[ticket.WarningsKey] = slices.Concat(warnings, t.Warnings())
	return t
}

func recoverTicket(client any, in WriteRecoverInput) (func(context.Context) (WriteResult, error), time.Duration, error) {
	recoverer, err := as[TicketRecoverer](client, in.Write)
	if err != nil {
		return nil, 0, err
	}
	asked, err := in.Write.newTicket()
	if err != nil {
		return nil, 0, err
	}
	return func(ctx context.Context) (WriteResult, error) {
		found, ok, err := recoverer.RecoverTicket(ctx, asked, in.Write.attempt())
		if err == nil && !ok && in.Last {
			found, ok, err = oldest(ctx, client, asked.Marker)
		}
		if err != nil || !ok {
			return WriteResult{}, err
		}
		return written(complete(ctx, client, found), asked.Status)
	}, recoverer.Settling(), nil
}

// oldest asks the provider's index for the ticket of an operation; of several the
// first one made is it.
func oldest(ctx context.Context, client any, marker ticket.Marker) (ticket.Ticket, bool, error) {
	finder, ok := client.(TicketFinder)
	if !ok {
		return ticket.Ticket{}, false, nil
	}
	found, err := finder.FindTicket(ctx, marker)
	if err != nil || len(found) == 0 {
		return ticket.Ticket{}, false, err
	}
	return found[len(found)-1], true, nil
}

func (in WriteInput) attempt() ticket.Attempt {
	return ticket.Attempt{FirstScheduledAt: in.FirstScheduledAt}
}

func patchTicket(ctx context.Context, client any, in WriteInput) (WriteResult, error) {
	patcher, err := as[TicketPatcher](client, in)
	if err != nil {
		return WriteResult{}, err
	}
	patch, err := body[ticket.Patch](in)
	if err != nil {
		return WriteResult{}, err
	}
	patched, err := patcher.PatchTicket(ctx, in.TicketID, patch)
	if err != nil {
		return WriteResult{}, err
	}
	return written(patched, "")
}

// maxResult is the longest object that goes back through Temporal, in bytes.
const maxResult = 256 << 10

// written is the result of a ticket that is there; asked is the status that it
// should have.
func written(t ticket.Ticket, asked string) (WriteResult, error) {
	result := WriteResult{
		Found: true, TicketID: t.ID, Key: cmp.Or(t.Key, t.ID), URL: t.URL, Warnings: t.Warnings(),
	}
	if !strings.EqualFold(asked, t.Status) {
		result.Status = asked
	}
	t.Unmapped = maps.Clone(t.Unmapped)
	delete(t.Unmapped, ticket.WarningsKey)
	data, err := json.Marshal(t)
	if err == nil && len(data) > maxResult {
		t.Unmapped = nil
		result.Warnings = append(result.Warnings, "unmapped: left out of this answer: too long")
		data, err = json.Marshal(t)
	}
	result.Result = data
	return result, err
}
