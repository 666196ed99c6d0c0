package delivery

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/catalog"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/matching"
	"github.com/ticketbridge/ticketbridge/internal/rest"
)

// Route says where the events of a feed or caller go, and as whom they are matched.
type Route struct {
	Integration string
	Policy      event.Policy
	As          matching.Caller
}

// Resolver applies catalog and defaults to events.
type Resolver struct {
	Catalog *catalog.Index
	Options matching.Options
	// FeedRoute and CallerRoute look names up in the configuration.
	FeedRoute   func(feed string) (Route, error)
	CallerRoute func(ctx context.Context, caller string) (Route, error)
}

// Resolve resolves an event that a caller sent; the route says as whom.
func (r *Resolver) Resolve(route Route, e event.Event) (event.Event, error) {
	resolved, err := r.Options.Resolve(r.Catalog, route.As, e.Params)
	if err != nil {
		return e, err
	}
	resolved.ApplyOnRepeat = r.Options.ApplyOnRepeat
	resolved.IgnoreOrphanRecovery = r.Options.IgnoreOrphanRecovery
	e.Resolved = &resolved
	return e, nil
}

// ResolveEvent resolves an event that a person typed, as the caller it names;
// one that names none is matched in the catalog's own account.
func (r *Resolver) ResolveEvent(ctx context.Context, e event.Event) (event.Resolved, error) {
	feed, ofFeed := strings.CutPrefix(e.Caller, "feed:")
	if ofFeed && e.Foreign != nil {
		return matching.ResolveForeign(feed, *e.Foreign), nil
	}
	route := Route{Policy: event.PolicyEvent}
	var err error
	switch {
	case ofFeed:
		route, err = r.FeedRoute(feed)
	case e.Caller != "":
		route, err = r.CallerRoute(ctx, e.Caller)
	}
	if err != nil {
		return event.Resolved{}, err
	}
	e, err = r.Resolve(route, e)
	if err != nil {
		return event.Resolved{}, err
	}
	return *e.Resolved, nil
}

// Entry makes the event of a feed's entry that was received at this time, and
// resolves it as the feed's route says. The error is why it cannot be handed over.
func (r *Resolver) Entry(feed string, route Route, entry event.Entry, received time.Time) (event.Event, error) {
	e, err := r.entry(feed, route, entry, received)
	if err != nil {
		return e, err
	}
	if size := encodedSize(e); size > maxSignalBytes {
		return e, fmt.Errorf("it takes %d KB; at most %d KB can be handed over", size>>10, maxSignalBytes>>10)
	}
	return e, nil
}

func (r *Resolver) entry(feed string, route Route, entry event.Entry, received time.Time) (event.Event, error) {
	if entry.ID == "" || len(entry.ID) > contract.MaxEventID {
		return event.Event{}, fmt.Errorf("its id is missing or longer than %d bytes", contract.MaxEventID)
	}
	e := event.Event{
		ID: entry.ID, ReceivedAt: received, Caller: "feed:" + feed, Replayed: entry.Replayed, Raw: entry.Raw,
	}
	if route.Policy == event.PolicyTicket {
		if entry.Foreign == nil || entry.Foreign.TicketID == "" {
			return e, errors.New("names no ticket")
		}
		resolved := matching.ResolveForeign(feed, *entry.Foreign)
		e.Resolved = &resolved
		return e, nil
	}
	e.Params = entry.Params
	return r.Resolve(route, e)
}

// Feeds hands over what feeds bring.
type Feeds struct {
	Resolver *Resolver
	Delivery *Delivery
	Now      func() time.Time
}

// HandOver makes events of entries and delivers them. Entries that the rules
// refuse come back as malformed; the rest is durable when err is nil.
func (f *Feeds) HandOver(ctx context.Context, feed string, entries []event.Entry, create bool) ([]event.Entry, error) {
	route, err := f.Resolver.FeedRoute(feed)
	if err != nil {
		return nil, err
	}
	received := f.Now().UTC()
	var malformed []event.Entry
	var events []event.Event
	for _, entry := range entries {
		e, err := f.Resolver.Entry(feed, route, entry, received)
		if err != nil {
			entry.Malformed = err.Error()
			malformed = append(malformed, entry)
			continue
		}
		e.Create = create || entry.Create
		events = append(events, e)
	}
	return malformed, f.Delivery.Deliver(ctx, route.Integration, events)
}

func cut(text string, n int) string { return rest.Truncate(text, n) }
