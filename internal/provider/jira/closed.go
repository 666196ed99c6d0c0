package jira

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// closedFields are the fields that tell whether and when an issue was closed.
const closedFields = "status,resolutiondate,updated"

// stillOpen reads as little as tells whether the issue was closed before a time.
func (t *turn) stillOpen(ctx context.Context, id string, before time.Time) error {
	if before.IsZero() {
		return nil
	}
	var found issue
	err := t.do(ctx, call{
		endpoint: endGet, path: "/issue/" + url.PathEscape(id),
		query: url.Values{"fields": {closedFields}},
	}, &found)
	if err != nil {
		return err
	}
	if found.ID == "" {
		return t.nonsense("an issue without id")
	}
	return t.refuseClosed(found, before)
}

// refuseClosed is an error of kind Closed where the issue was closed before this
// time; a zero time means that it does not matter.
func (t *turn) refuseClosed(i issue, before time.Time) error {
	state := closing(i)
	at := state.ClosedSince()
	if before.IsZero() || !state.Closed || !at.Before(before) {
		return nil
	}
	return &ticket.Error{
		Kind: ticket.Closed, Op: t.op, ClosedAt: at,
		Message: fmt.Sprintf("%s is closed since %s", cmp.Or(i.Key, i.ID), at.Format(time.RFC3339)),
	}
}

// closing is what of the model tells whether and when an issue was closed.
func closing(i issue) ticket.Ticket {
	return ticket.Ticket{
		Closed:    i.value("status").Category.Key == categoryDone,
		UpdatedAt: i.time("updated"), CompletionDate: i.time("resolutiondate"),
	}
}
