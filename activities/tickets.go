package activities

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// Tickets are the activities that call ticketing providers. They run on the
// provider's own task queue.
type Tickets struct {
	Integrations Integrations
	Recorder     Recorder
}

// CreateTicketInput names everything that makes up a ticket. It is the same in
// every attempt, and in the search for an attempt whose outcome is unknown.
type CreateTicketInput struct {
	Integration string        `json:"integration"`
	Fields      event.Fields  `json:"fields"`
	Note        string        `json:"note,omitempty"`
	Marker      ticket.Marker `json:"marker"`
	// Adopt looks for a ticket of the same match key first, by the provider's
	// index, and takes it instead of creating one.
	Adopt bool `json:"adopt,omitempty"`
	// OnlyAdopt never creates.
	OnlyAdopt bool `json:"only_adopt,omitempty"`
	// Set is what a person amended: name, description, priority.
	Set map[string]string `json:"set,omitempty"`
	// FirstScheduledAt is when the request first asked for its ticket.
	FirstScheduledAt time.Time `json:"first_scheduled_at"`
}

// TicketResult tells the workflow about a ticket.
type TicketResult struct {
	// Found is false where OnlyAdopt or a search found nothing.
	Found    bool      `json:"found"`
	ID       string    `json:"id,omitempty"`
	Key      string    `json:"key,omitempty"`
	URL      string    `json:"url,omitempty"`
	Closed   bool      `json:"closed,omitempty"`
	ClosedAt time.Time `json:"closed_at,omitzero"`
	// Adopted: the ticket was there before. Told: the very same event made it, so
	// it holds what the event says.
	Adopted bool `json:"adopted,omitempty"`
	Told    bool `json:"told,omitempty"`
}

func ticketResult(t ticket.Ticket, adopted bool) TicketResult {
	return TicketResult{
		Found: true, ID: t.ID, Key: t.Key, URL: t.URL, Closed: t.Closed, ClosedAt: t.ClosedSince(), Adopted: adopted,
	}
}

// CreateTicket makes one attempt to create a request's ticket. Its error types
// tell whether the attempt certainly changed nothing (then Temporal tries
// again), was refused, or may have created the ticket all the same.
func (a *Tickets) CreateTicket(ctx context.Context, in CreateTicketInput) (TicketResult, error) {
	creator, integration, err := operator[TicketCreator](ctx, a.Integrations, in.Integration)
	if err != nil {
		return TicketResult{}, err
	}
	if (in.Adopt || in.OnlyAdopt) && !activity.HasHeartbeatDetails(ctx) {
		found, err := a.adopt(ctx, in)
		if err != nil || found.Found || in.OnlyAdopt {
			return found, err
		}
	}
	asked, err := in.ticket(integration)
	if err != nil {
		return TicketResult{}, temporalError(ctx, err)
	}
	call, done := inTime(ctx)
	defer done()
	start := time.Now()
	created, err := creator.CreateTicket(call, asked)
	a.record(in.Integration, "create_ticket", start, err)
	if err != nil {
		if in.Adopt {
			// For the next attempt: there is nothing to adopt. To search anew each
			// time could use up the integration's rate.
			activity.RecordHeartbeat(ctx, "nothing to adopt")
		}
		return TicketResult{}, temporalError(ctx, err)
	}
	a.Recorder.TicketCreated(in.Integration)
	activity.GetLogger(ctx).Info("ticket created", "integration", in.Integration, "ticket", created.Key, "request", in.Marker.Request)
	return ticketResult(created, false), nil
}

func (in CreateTicketInput) ticket(integration Integration) (ticket.New, error) {
	asked := newTicket(integration, in.Fields, in.Note, in.Marker)
	for field, value := range in.Set {
		switch field {
		case "name":
			asked.Name = value
		case "description":
			asked.Description = value
		case "priority":
			asked.Priority = ticket.Priority(value)
		case "assignee":
			asked.Assignee = value
		default:
			return asked, &ticket.Error{Kind: ticket.Permanent, Op: "amend create", Message: fmt.Sprintf("set.%s: want name, description, priority or assignee", field)}
		}
	}
	return asked, nil
}

// adopt takes the newest open ticket of the match key, else the newest one.
func (a *Tickets) adopt(ctx context.Context, in CreateTicketInput) (TicketResult, error) {
	finder, _, err := operator[TicketFinder](ctx, a.Integrations, in.Integration)
	if err != nil {
		return TicketResult{}, err
	}
	start := time.Now()
	found, err := finder.FindTicket(ctx, ticket.Marker{Key: in.Marker.Key})
	a.record(in.Integration, "find_ticket", start, err)
	if err != nil {
		return TicketResult{}, temporalError(ctx, repeatable(err))
	}
	if len(found) == 0 {
		return TicketResult{}, nil
	}
	chosen := found[0]
	for _, t := range found {
		if !t.Closed {
			chosen = t
			break
		}
	}
	result := ticketResult(chosen, true)
	result.Told = chosen.MadeBy(in.Marker.Operation)
	return result, nil
}

// GetTicketInput names a ticket.
type GetTicketInput struct {
	Integration string `json:"integration"`
	TicketID    string `json:"ticket_id"`
}

// GetTicket tells whether a ticket is closed at its provider.
func (a *Tickets) GetTicket(ctx context.Context, in GetTicketInput) (TicketResult, error) {
	getter, _, err := operator[TicketGetter](ctx, a.Integrations, in.Integration)
	if err != nil {
		return TicketResult{}, err
	}
	start := time.Now()
	t, err := getter.GetTicket(ctx, in.TicketID)
	a.record(in.Integration, "get_ticket", start, err)
	if err != nil {
		return TicketResult{}, temporalError(ctx, repeatable(err))
	}
	return ticketResult(t, false), nil
}

// PatchTicketInput is the changes that an event made to a request.
type PatchTicketInput struct {
	Integration string        `json:"integration"`
	TicketID    string        `json:"ticket_id"`
	Changes     event.Changes `json:"changes"`
	// Set is what a person amended: status, assignee, name, resolution.
	Set map[string]string `json:"set,omitempty"`
	// UnlessClosedBefore refuses to change a ticket that somebody closed before
	// this time.
	UnlessClosedBefore time.Time `json:"unless_closed_before,omitzero"`
}

// PatchTicketResult tells what of the changes could not be made as they were asked.
type PatchTicketResult struct {
	Warnings []string `json:"warnings,omitempty"`
}

// PatchTicket sets the fields that changed. Doing it again is harmless, so
// Temporal repeats it whatever an earlier attempt's outcome was.
func (a *Tickets) PatchTicket(ctx context.Context, in PatchTicketInput) (PatchTicketResult, error) {
	patcher, integration, err := operator[TicketPatcher](ctx, a.Integrations, in.Integration)
	if err != nil {
		return PatchTicketResult{}, err
	}
	patch, err := in.patch(integration)
	if err != nil {
		return PatchTicketResult{}, temporalError(ctx, err)
	}
	call, done := inTime(ctx)
	defer done()
	start := time.Now()
	patched, err := patcher.PatchTicket(call, in.TicketID, patch)
	a.record(in.Integration, "patch_ticket", start, err)
	if err != nil {
		return PatchTicketResult{}, temporalError(ctx, repeatable(err))
	}
	return PatchTicketResult{Warnings: patched.Warnings()}, nil
}

func (in PatchTicketInput) patch(integration Integration) (ticket.Patch, error) {
	patch := patchOf(integration, in.Changes)
	patch.UnlessClosedBefore = in.UnlessClosedBefore
	// Only a person may open a ticket again that somebody closed.
	_, byHand := in.Set["status"]
	patch.KeepClosed = !byHand
	for field, value := range in.Set {
		switch field {
		case "name":
			patch.Name = &value
		case "status":
			patch.Status = &value
		case "resolution":
			patch.Resolution = &value
		case "assignee":
			patch.Assignee = &value
		default:
			return patch, &ticket.Error{Kind: ticket.Permanent, Op: "amend update", Message: fmt.Sprintf("set.%s: want text, name, status, resolution or assignee", field)}
		}
	}
	return patch, nil
}

func (a *Tickets) record(integration, operation string, start time.Time, err error) {
	record(a.Recorder, integration, operation, start, err)
}

func record(r Recorder, integration, operation string, start time.Time, err error) {
	outcome := "ok"
	if err != nil {
		outcome = string(ticket.KindOf(err))
	}
	r.ProviderCall(integration, operation, outcome, time.Since(start))
}
