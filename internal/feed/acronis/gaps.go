package acronis

import (
	"context"
	"fmt"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/event"
)

const (
	// freshFor is shorter than the retention of any topic: what was read up to
	// less than this ago cannot have expired unread. It is also how often a quiet
	// topic is looked at whether it began anew.
	freshFor = time.Hour
	// doubtFor is how long the topic's end must be told to be before our offset
	// until that is believed: one of several servers may lag behind.
	doubtFor = time.Minute
)

func stale(at, now time.Time) bool { return at.IsZero() || now.Sub(at) > freshFor }

// due reports whether the topic has to be asked what it still has.
func (p *position) due(page page, asked time.Time) bool {
	return page.back || !p.Doubted.IsZero() || stale(p.Checked, asked) || !p.AsOf.IsZero() && stale(p.AsOf, asked)
}

// check looks whether events expired before they were read, and whether the
// topic began anew: then p is at its beginning, and the page is of no use. It
// asks after the page came, when what was read was there: so a topic that
// forgets while we catch up is noticed too. Where it is certain that the offset
// is wrong, one look at the topic's end is enough.
func (c *Client) check(ctx context.Context, p *position, page *page, asked time.Time, certain bool) (gaps []event.Gap, anew bool, err error) {
	earliest, err := c.api.offsetOf(ctx, c.cfg.Topic, positionEarliest, time.Time{})
	if err != nil {
		return nil, false, err
	}
	if p.Offset < earliest {
		p.Checked, p.Doubted = asked, time.Time{}
		return []event.Gap{p.expired(page, earliest, asked)}, false, nil
	}
	current := page.offset // if that is higher, the topic goes on beyond our offset
	if current <= p.Offset {
		if current, err = c.api.offsetOf(ctx, c.cfg.Topic, positionCurrent, time.Time{}); err != nil {
			return nil, false, err
		}
	}
	if current >= p.Offset {
		p.Checked, p.Doubted = asked, time.Time{}
		return nil, false, nil
	}
	if p.Doubted.IsZero() {
		p.Doubted = asked
	}
	if !certain && asked.Sub(p.Doubted) < doubtFor {
		return nil, false, nil
	}
	return []event.Gap{p.beginAnew(earliest, current, asked)}, true, nil
}

// expired is the window between what was read and what is left. Where nothing
// came with the page, what is left is read next.
func (p *position) expired(page *page, earliest int64, asked time.Time) event.Gap {
	gap := event.Gap{From: p.AsOf, To: asked, Reason: fmt.Sprintf(
		"offset %d is older than the earliest that the topic keeps, %d: events between them may have expired unread", p.Offset, earliest)}
	switch {
	case len(page.items) == 0:
		page.offset = max(page.offset, earliest)
	case !page.items[0].taken.IsZero():
		gap.To = page.items[0].taken
	}
	return gap
}

// beginAnew forgets what the topic counted before. What was handed over is known
// by its time: then even a topic that only seemed to be another one makes no
// second tickets.
func (p *position) beginAnew(earliest, current int64, asked time.Time) event.Gap {
	gap := event.Gap{From: earlier(p.AsOf, p.Checked), To: asked, Reason: fmt.Sprintf(
		"the topic's offsets went back from %d to %d: it was made anew, and events of before may be lost", p.Offset, current)}
	p.Offset, p.Highest, p.Last, p.Top, p.Committed = earliest, 0, none, none, none
	p.Before, p.AsOf, p.Checked, p.Doubted = p.Newest, time.Time{}, asked, time.Time{}
	return gap
}
