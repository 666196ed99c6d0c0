package acronis

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// Bounds of a look for the newest events: how many pages are read at a stretch,
// and how many stretches.
const (
	maxAside     = 5
	maxStretches = 25
)

// Entry reads one event again, to retry one that was parked; item is the
// event's id with "@" and its sequence. It reads by a subscription of its own,
// so that the feed's is not disturbed. Errors are those of Read, and
// *ticket.Error of kind NotFound; with that one the entry has its ID.
func (c *Client) Entry(ctx context.Context, item string) (event.Entry, error) {
	op := "read event " + item
	at := strings.LastIndexByte(item, '@')
	id, sequence := item[:max(at, 0)], number(item[at+1:])
	if at < 0 || sequence == none {
		return event.Entry{ID: item}, &ticket.Error{Kind: ticket.NotFound, Op: op, Message: "the event has no sequence, so it cannot be asked for again; amend or discard it"}
	}
	aside, err := c.aside(ctx)
	if err != nil {
		return event.Entry{}, err
	}
	page, err := c.look(ctx, aside, max(sequence-1, 0), 2) // which of the two comes first is not documented
	if err != nil {
		return event.Entry{}, err
	}
	for _, it := range page.items {
		if it.entry.Place == item {
			return it.entry, nil
		}
	}
	return event.Entry{ID: id}, &ticket.Error{Kind: ticket.NotFound, Op: op, Message: "the topic does not have the event any more, or the subscription leaves it out now"}
}

// Newest are the newest events, at most n, oldest first; fewer where they stand too
// thinly to be found in time. It reads by a
// subscription of its own and moves nothing. Errors are those of Read.
func (c *Client) Newest(ctx context.Context, n int) ([]event.Entry, error) {
	end, err := c.api.offsetOf(ctx, c.cfg.Topic, positionCurrent, time.Time{})
	if err != nil {
		return nil, err
	}
	earliest, err := c.api.offsetOf(ctx, c.cfg.Topic, positionEarliest, time.Time{})
	if err != nil {
		return nil, err
	}
	aside, err := c.aside(ctx)
	if err != nil {
		return nil, err
	}
	var found []event.Entry
	// The filter may hide most of the topic: look further and further back.
	back := int64(n)
	for range maxStretches {
		if len(found) >= n || end <= earliest {
			break
		}
		from := max(end-back, earliest)
		older, whole, err := c.between(ctx, aside, from, end)
		switch {
		case err != nil:
			return nil, err
		case !whole && back > 1:
			back /= 2 // more than we want to read: look less far
			continue
		}
		found = append(without(older, found), found...)
		end, back = from, min(back, (end-earliest)/10+1)*10
	}
	return found[max(0, len(found)-n):], nil
}

// without leaves out what is in known: pages do not end where they are asked to.
func without(entries, known []event.Entry) []event.Entry {
	return slices.DeleteFunc(entries, func(e event.Entry) bool {
		return slices.ContainsFunc(known, func(k event.Entry) bool { return k.ID == e.ID })
	})
}

// aside is a subscription of our own for looks, there for sure.
func (c *Client) aside(ctx context.Context) (Subscription, error) {
	s := c.subscription.aside()
	_, err := c.api.subscribe(ctx, s)
	return s, err
}

// between reads what lies between two offsets, and a little more; whole is
// false where that is too much.
func (c *Client) between(ctx context.Context, aside Subscription, from, to int64) (entries []event.Entry, whole bool, err error) {
	for range maxAside {
		page, err := c.look(ctx, aside, from, pageLimit)
		if err != nil {
			return nil, false, err
		}
		for _, it := range page.items {
			entries = append(entries, it.entry)
		}
		if page.offset <= from || page.offset >= to {
			return entries, true, nil
		}
		from = page.offset
	}
	return entries, false, nil
}

// look reads one page aside.
func (c *Client) look(ctx context.Context, aside Subscription, offset int64, limit int) (page, error) {
	op := "look at feed " + c.cfg.Name
	nothing := page{offset: offset}
	resp, err := c.ask(ctx, aside.ID, derive("consumer", aside.ID), offset, limit, 0)
	switch {
	case err != nil:
		return nothing, fmt.Errorf("%s: %w", op, err)
	case resp.Status == http.StatusAccepted:
		return nothing, nil
	case resp.Status != http.StatusOK:
		return nothing, refused(op+" from offset "+strconv.FormatInt(offset, 10), resp)
	}
	p, err := readPage(op, resp)
	p.settle(offset)
	return p, err
}
