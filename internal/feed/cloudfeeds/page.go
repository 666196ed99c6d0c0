package cloudfeeds

import (
	"bytes"
	"cmp"
	"fmt"
	"mime"
	"slices"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/rest"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// item is one entry of a page. An entry with several comments is several
// event.Entries; one of a foreign tenant none.
type item struct {
	id   string
	hash uint64
	// at is when the feed stored it; where that is unreadable, a neighbour's time.
	at time.Time
	// synthetic: the id is ours, the server does not know it.
	synthetic bool
	refused   bool
	entries   []event.Entry
}

// decode reads a page into items, oldest first.
func (c *Client) decode(resp answer) ([]item, error) {
	raw, err := split(resp.Body, resp.Header.Get("Content-Type"))
	if err != nil {
		return nil, &ticket.Error{Kind: ticket.Retry, Op: "read feed " + c.cfg.Name, Status: resp.Status, Message: "unreadable page: " + rest.Truncate(err.Error(), 300), Err: err}
	}
	items := make([]item, len(raw))
	for i, entry := range raw {
		items[i] = readEntry(entry, c.cfg.Tenant)
	}
	order(items, resp.at)
	return items, nil
}

// order sorts a page oldest first. Pages come newest first, so that of two
// entries with one time the later on the page is the older.
func order(items []item, now time.Time) {
	for i := len(items) - 2; i >= 0; i-- {
		if items[i].at.IsZero() {
			items[i].at = items[i+1].at
		}
	}
	known := now
	for i := range items {
		if items[i].at.IsZero() {
			items[i].at = known
		}
		known = items[i].at
	}
	slices.Reverse(items)
	slices.SortStableFunc(items, func(a, b item) int { return a.at.Compare(b.at) })
}

// rawEntry is one entry as sent, and what could be read of it.
type rawEntry struct {
	raw  []byte
	tree map[string]any
	err  error
}

// split takes a page, or a single entry, apart. It decides by what came, not by what
// was asked for. An entry that cannot be read does not spoil the others.
func split(body []byte, contentType string) ([]rawEntry, error) {
	body = bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), " \t\r\n")
	media, _, _ := mime.ParseMediaType(contentType)
	switch {
	case len(body) == 0:
		return nil, fmt.Errorf("the answer is empty")
	case body[0] == '{':
		return splitJSON(body)
	case body[0] == '<' && media != "text/html":
		return splitXML(body)
	default:
		return nil, fmt.Errorf("the answer is no feed but %s: %q", cmp.Or(media, "of no named type"), excerpt(body))
	}
}

func excerpt(body []byte) string {
	return rest.Truncate(strings.Join(strings.Fields(string(body[:min(len(body), 400)])), " "), 160)
}
