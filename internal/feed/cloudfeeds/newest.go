package cloudfeeds

import (
	"context"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/event"
)

// Newest asks for the newest entries of the feed, at most n, oldest first. It
// is one request of the credential's budget and moves nothing. Errors are those
// of Read.
func (c *Client) Newest(ctx context.Context, n int) ([]event.Entry, error) {
	var asked time.Time
	resp, err := c.page(ctx, &asked, max(2, min(n, DefaultLimit)), "", "")
	if err != nil {
		return nil, err
	}
	items, err := c.decode(resp)
	if err != nil {
		return nil, err
	}
	var entries []event.Entry
	for _, it := range items[max(0, len(items)-n):] {
		entries = append(entries, it.entries...)
	}
	return entries, nil
}
