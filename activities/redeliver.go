package activities

import (
	"context"
	"fmt"
	"maps"

	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// RedeliverInput asks for a parked entry again; Set is what a person amended.
type RedeliverInput struct {
	Feed string            `json:"feed"`
	Item string            `json:"item"`
	Set  map[string]string `json:"set,omitempty"`
}

// RedeliverResult says why the entry stays parked; empty when it was handed over.
type RedeliverResult struct {
	Malformed string `json:"malformed,omitempty"`
}

// Redeliver reads a parked entry again and hands it over.
func (a *Feeds) Redeliver(ctx context.Context, in RedeliverInput) (RedeliverResult, error) {
	feed, err := a.Source.Feed(in.Feed)
	if err != nil {
		return RedeliverResult{}, configurationError(err)
	}
	entry, err := feed.Reader.Entry(ctx, in.Item)
	typedInstead := len(in.Set) > 0 && ticket.KindOf(err) == ticket.NotFound
	if err != nil && !typedInstead {
		return RedeliverResult{}, temporalError(ctx, repeatable(err))
	}
	if err := amend(&entry, in); err != nil {
		return RedeliverResult{Malformed: err.Error()}, nil
	}
	if entry.Malformed != "" {
		return RedeliverResult{Malformed: entry.Malformed}, nil
	}
	malformed, err := a.HandOver.HandOver(ctx, in.Feed, []event.Entry{entry}, false)
	if err != nil {
		return RedeliverResult{}, fmt.Errorf("feed %s: hand over %s: %w", in.Feed, in.Item, err)
	}
	if len(malformed) > 0 {
		return RedeliverResult{Malformed: malformed[0].Malformed}, nil
	}
	a.Recorder.EventsHandedOver("feed:"+in.Feed, 1)
	return RedeliverResult{}, nil
}

// amend overwrites what a person set; with it an entry is no longer malformed.
func amend(entry *event.Entry, in RedeliverInput) error {
	if len(in.Set) == 0 {
		return nil
	}
	if entry.ID == "" {
		entry.ID = in.Item
	}
	entry.Malformed = ""
	if entry.Foreign == nil {
		entry.Foreign = &event.Foreign{UpdatedAt: entry.StoredAt}
	}
	entry.Params = maps.Clone(entry.Params)
	if entry.Params == nil {
		entry.Params = event.Params{}
	}
	for field, value := range in.Set {
		switch field {
		case "ticket_id":
			entry.Foreign.TicketID, entry.Params["sourceID"] = value, value
		case "subject":
			entry.Foreign.Subject, entry.Params["subject"] = value, value
		case "status":
			entry.Foreign.Status = value
		case "note":
			entry.Foreign.Comment = &event.ForeignComment{ID: in.Item, Text: value}
			entry.Params["note"] = value
		default:
			return fmt.Errorf("set.%s: want ticket_id, subject, status or note", field)
		}
	}
	return nil
}
