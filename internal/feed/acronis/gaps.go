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
	return page.back || p.Unsure != nil || !p.Doubted.IsZero() || stale(p.Checked, asked) || !p.AsOf.IsZero() && stale(p.AsOf, asked)
}

// compare asks the topic what it still has, where that is due. Where it cannot be
// asked, what came is handed over all the same, and the question stays open.
func (c *Client) compare(ctx context.Context, p *position, page *page, asked time.Time) (gaps []event.Gap, anew bool, note string, err error) {
	if !p.due(*page, asked) {
		return nil, false, "", nil
	}
	gaps, anew, err = c.check(ctx, p, page, asked, false)
	switch {
	case err == nil:
		p.Unsure = nil
	case page.back || !p.Doubted.IsZero() || ctx.Err() != nil:
		return nil, false, "", err // what came cannot be judged without
	default:
		note = "the topic cannot be asked what it still keeps, so whether events expired unread is not known yet: " + err.Error()
		if p.Unsure == nil {
			p.Unsure = &unsure{Offset: p.Offset, AsOf: p.AsOf}
		}
	}
	return gaps, anew, note, nil
}

// base is the lowest offset that nobody compared with what the topic keeps, and
// up to when was read before it.
func (p *position) base() unsure {
	if p.Unsure != nil {
		return *p.Unsure
	}
	return unsure{Offset: p.Offset, AsOf: p.AsOf}
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
	if base := p.base(); base.Offset < earliest {
		p.Checked, p.Doubted = asked, time.Time{}
		if len(page.items) == 0 {
			page.offset = max(page.offset, earliest) // what is left is read next
		}
		if !certain && !base.AsOf.IsZero() && !stale(base.AsOf, asked) {
			return nil, false, nil // all of it was seen: only what the filter hides has gone
		}
		return []event.Gap{base.expired(page, earliest, asked)}, false, nil
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

// expired is the window between what was read and what is left.
func (u unsure) expired(page *page, earliest int64, asked time.Time) event.Gap {
	gap := event.Gap{From: u.AsOf, To: asked, Reason: fmt.Sprintf(
		"offset %d is older than the earliest that the topic keeps, %d: events between them may have expired unread", u.Offset, earliest)}
	if len(page.items) > 0 && !page.items[0].taken.IsZero() {
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
