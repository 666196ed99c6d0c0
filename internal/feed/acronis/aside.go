package acronis

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// maxAside bounds the pages that one look may read.
const maxAside = 50

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
	items, err := c.after(ctx, max(sequence-1, 0), sequence, 2)
	if err != nil {
		return event.Entry{}, err
	}
	for _, it := range items {
		if it.sequence == sequence {
			return it.entry, nil
		}
	}
	return event.Entry{ID: id}, &ticket.Error{Kind: ticket.NotFound, Op: op, Message: "the topic does not have the event any more, or the subscription leaves it out now"}
}

// Newest are the newest events, at most n, oldest first. It reads by a
// subscription of its own and moves nothing. Errors are those of Read.
func (c *Client) Newest(ctx context.Context, n int) ([]event.Entry, error) {
	current, err := c.api.offsetOf(ctx, c.cfg.Topic, positionCurrent, time.Time{})
	if err != nil {
		return nil, err
	}
	earliest, err := c.api.offsetOf(ctx, c.cfg.Topic, positionEarliest, time.Time{})
	if err != nil {
		return nil, err
	}
	// The filter may hide most of the topic: look further and further back.
	for back := int64(n); ; back *= 10 {
		from := max(current-back, earliest)
		if back > current/10 {
			from = earliest
		}
		items, err := c.after(ctx, from, current, n)
		if err != nil {
			return nil, err
		}
		if len(items) >= n || from == earliest {
			entries := make([]event.Entry, len(items))
			for i, it := range items {
				entries[i] = it.entry
			}
			return entries, nil
		}
	}
}

// after reads aside from an offset up to another one, and keeps the last n events.
func (c *Client) after(ctx context.Context, offset, upTo int64, n int) ([]item, error) {
	op := "look at feed " + c.cfg.Name
	aside := c.subscription.aside()
	if _, err := c.api.subscribe(ctx, aside); err != nil {
		return nil, err
	}
	var kept []item
	for range maxAside {
		resp, err := c.ask(ctx, aside.ID, derive("consumer", aside.ID), offset, pageLimit, 0)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: %w", op, err)
		case resp.Status == http.StatusAccepted:
			return kept, nil
		case resp.Status != http.StatusOK:
			return nil, refused(op+" from offset "+strconv.FormatInt(offset, 10), resp)
		}
		page, err := readPage(op, resp)
		if err != nil {
			return nil, err
		}
		kept = append(kept, page.items...)
		kept = kept[max(0, len(kept)-n):]
		if !page.moved || page.offset <= offset || page.offset >= upTo {
			return kept, nil
		}
		offset = page.offset
	}
	return kept, nil
}
