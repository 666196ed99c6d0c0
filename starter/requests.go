package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/httpapi"
	"github.com/ticketbridge/ticketbridge/internal/operate"
	"github.com/ticketbridge/ticketbridge/internal/provider"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// ticketReader is what finding a request or its notes needs of a provider.
type ticketReader interface {
	GetTicket(ctx context.Context, id string) (ticket.Ticket, error)
	ListComments(ctx context.Context, ticketID string) ([]ticket.Comment, error)
	FindTicket(ctx context.Context, m ticket.Marker) ([]ticket.Ticket, error)
}

// requestSource finds requests in Temporal, and those that it has forgotten at
// the provider, by the marker of their tickets.
type requestSource struct {
	requests     *operate.Requests
	integrations *provider.Set
}

func (r requestSource) Request(ctx context.Context, c httpapi.Caller, id int64) (contract.RequestView, error) {
	found, err := r.requests.Find(ctx, c.Integration, id)
	if err == nil || !errors.Is(err, operate.ErrNotFound) {
		return found.RequestView, httpError(err)
	}
	return r.byMarker(ctx, c, id)
}

// byMarker finds a request by its ticket. The search of Temporal shows only the
// newest request of a match key; one that is older is still kept there, and the
// marker names the workflow. Else the request is rebuilt from what its ticket
// still says of it.
func (r requestSource) byMarker(ctx context.Context, c httpapi.Caller, id int64) (contract.RequestView, error) {
	reader, err := r.reader(ctx, c)
	if err != nil {
		return contract.RequestView{}, err
	}
	found, err := reader.FindTicket(ctx, ticket.Marker{Request: id})
	switch {
	case err != nil:
		return contract.RequestView{}, fmt.Errorf("%w: request %d is looked for at the provider, which does not answer: %w", httpapi.ErrUnavailable, id, err)
	case len(found) == 0:
		return contract.RequestView{}, fmt.Errorf("request %d: %w", id, httpapi.ErrNotFound)
	}
	t := found[0]
	workflowID, _, _ := strings.Cut(t.Operation, "/")
	if c.Owns(workflowID) {
		if kept, err := r.requests.In(ctx, workflowID, id); err == nil {
			return kept.RequestView, nil
		}
	}
	status := "assigned"
	if t.Closed {
		status = "completed"
	}
	return contract.RequestView{
		ID: id, CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt, CompletedAt: t.CompletionDate,
		Fields: event.Fields{Subject: t.Name, Status: status, Account: c.CatalogAccount},
		Ticket: &contract.TicketView{ID: t.ID, Key: t.Key, URL: t.URL},
	}, nil
}

func (r requestSource) reader(ctx context.Context, c httpapi.Caller) (ticketReader, error) {
	in, err := r.integrations.Integration(ctx, c.Integration)
	if err != nil {
		return nil, err
	}
	reader, ok := in.Client.(ticketReader)
	if !ok {
		return nil, fmt.Errorf("integration %s cannot list comments: %w", in.Name, httpapi.ErrNotFound)
	}
	return reader, nil
}

// Notes are the ticket's description and comments, and what is still on its way
// there: texts leave Temporal once the provider has them.
func (r requestSource) Notes(ctx context.Context, c httpapi.Caller, id int64) ([]httpapi.Note, error) {
	view, err := r.Request(ctx, c, id)
	if err != nil {
		return nil, err
	}
	notes, err := r.delivered(ctx, c, view)
	if err != nil {
		return nil, err
	}
	for _, p := range view.Pending {
		if p.Text == "" || told(notes, p) {
			continue
		}
		notes = append(notes, httpapi.Note{
			ID: "pending-" + p.Item, Person: view.Fields.RequestedBy, CreatedAt: p.Since, Text: p.Text,
			Internal: p.Internal, Account: view.Fields.Account,
		})
	}
	sort.SliceStable(notes, func(i, j int) bool { return notes[i].CreatedAt.Before(notes[j].CreatedAt) })
	return notes, nil
}

// told: what was still on its way when Temporal was asked has arrived meanwhile.
func told(notes []httpapi.Note, p contract.PendingView) bool {
	return slices.ContainsFunc(notes, func(n httpapi.Note) bool {
		return strings.TrimSpace(n.Text) == strings.TrimSpace(p.Text) && n.Internal == p.Internal && !n.CreatedAt.Before(p.Since.Add(-clockSkew))
	})
}

// clockSkew is how much a provider's clock may be behind ours.
const clockSkew = time.Minute

func (r requestSource) delivered(ctx context.Context, c httpapi.Caller, view contract.RequestView) ([]httpapi.Note, error) {
	if view.Ticket == nil {
		return nil, nil
	}
	reader, err := r.reader(ctx, c)
	if err != nil {
		return nil, err
	}
	t, err := reader.GetTicket(ctx, view.Ticket.ID)
	if err != nil {
		return nil, fmt.Errorf("%w: the notes are at the provider, which does not answer: %w", httpapi.ErrUnavailable, err)
	}
	comments, err := reader.ListComments(ctx, view.Ticket.ID)
	if err != nil {
		return nil, fmt.Errorf("%w: the notes are at the provider, which does not answer: %w", httpapi.ErrUnavailable, err)
	}
	var notes []httpapi.Note
	if t.Description != "" {
		notes = append(notes, httpapi.Note{
			ID: "description", Person: view.Fields.CreatedBy, CreatedAt: view.CreatedAt, Text: t.Description, Account: view.Fields.Account,
		})
	}
	for _, comment := range comments {
		notes = append(notes, httpapi.Note{
			ID: comment.ID, Person: event.Ref{Name: comment.Creator}, CreatedAt: comment.CreatedAt, Text: comment.Content,
			Internal: comment.Internal, Account: view.Fields.Account,
		})
	}
	return notes, nil
}
