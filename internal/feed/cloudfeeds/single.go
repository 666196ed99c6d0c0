package cloudfeeds

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// Entry asks the feed for one entry again, to retry one that was malformed. The
// answer may be malformed still. Errors are those of Read, and *ticket.Error of
// kind NotFound or, for an entry of a foreign tenant, Permanent.
func (c *Client) Entry(ctx context.Context, id string) (event.Entry, error) {
	op := "read entry " + id
	entryID, _, _ := strings.Cut(id, "#")
	if !isMarker(entryID) || strings.HasPrefix(entryID, "malformed:") {
		return event.Entry{}, &ticket.Error{Kind: ticket.NotFound, Op: op, Message: "the entry had no id of its own, so the feed cannot be asked for it; discard it"}
	}
	var asked time.Time
	resp, err := c.call(ctx, &asked, c.base+"/entries/"+url.PathEscape(entryID), "")
	if err != nil {
		return event.Entry{}, err
	}
	switch resp.Status {
	case http.StatusOK:
	case http.StatusNotFound:
		return event.Entry{}, &ticket.Error{Kind: ticket.NotFound, Op: op, Status: resp.Status, Message: "the feed does not have the entry any more (it keeps three days)"}
	default:
		return event.Entry{}, c.refused(op, resp)
	}
	items, err := c.decode(answer{resp, c.cfg.Now()})
	if err != nil {
		return event.Entry{}, err
	}
	for _, it := range items {
		if it.refused {
			return event.Entry{}, &ticket.Error{Kind: ticket.Permanent, Op: op, Message: "the entry belongs to another tenant than the feed's; discard it"}
		}
		for _, e := range it.entries {
			if e.ID == id {
				return e, nil
			}
		}
	}
	return event.Entry{}, &ticket.Error{Kind: ticket.NotFound, Op: op, Status: resp.Status, Message: "the feed's answer does not hold the entry"}
}
