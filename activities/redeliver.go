package activities

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// RedeliverInput asks for a parked entry again; Set is what a person amended, of
// the names in contract.AmendableEntry.
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
	if err := amend(&entry, feed.Match, in); err != nil {
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
func amend(entry *event.Entry, policy event.Policy, in RedeliverInput) error {
	if len(in.Set) == 0 {
		return nil
	}
	allowed := contract.AmendableEntry(policy)
	for field := range in.Set {
		if !slices.Contains(allowed, field) {
			return fmt.Errorf("set.%s: want %s", field, strings.Join(allowed, ", "))
		}
	}
	if entry.ID == "" {
		entry.ID = in.Item
	}
	entry.Malformed = ""
	if policy == event.PolicyEvent {
		params := event.Params{}
		maps.Copy(params, entry.Params)
		maps.Copy(params, in.Set)
		entry.Params = params
		return nil
	}
	amendForeign(entry, in)
	return nil
}

// amendForeign sets what the entry says of the foreign ticket.
func amendForeign(entry *event.Entry, in RedeliverInput) {
	foreign := event.Foreign{UpdatedAt: entry.StoredAt}
	if entry.Foreign != nil {
		foreign = *entry.Foreign
	}
	for field, value := range in.Set {
		switch field {
		case contract.SetTicketID:
			foreign.TicketID = value
		case contract.SetSubject:
			foreign.Subject = value
		case contract.SetStatus:
			foreign.Status = value
		case contract.SetNote:
			foreign.Comment = &event.ForeignComment{ID: in.Item, Text: value}
		}
	}
	entry.Foreign = &foreign
}
