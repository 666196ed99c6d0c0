package acronis

import (
	"context"
	"fmt"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/event"
)

// begin finds the offset of a start or a rewind. It is a step of its own, so that
// the offset is kept before anything is read from it: asked again, "current"
// would be another one.
func (c *Client) begin(ctx context.Context, p *position) (event.Reading, error) {
	target, err := parseStart(p.Aim)
	if err != nil {
		return event.Reading{}, &ConfigurationError{"start", err.Error()}
	}
	fresh := p.Newest.IsZero() && p.Highest == 0
	offset, kept, err := c.remembered(ctx, target, fresh)
	if err != nil {
		return event.Reading{}, err
	}
	if !kept {
		if offset, err = c.resolve(ctx, target); err != nil {
			return event.Reading{}, err
		}
	}
	p.Aim, p.Offset, p.Last, p.Kept = "", offset, none, kept
	// Where the account named an offset, what was before it may have expired; the
	// first page shows it. What begins at the earliest or later misses nothing.
	p.AsOf = time.Time{}
	if !kept && (target.word != "" || !target.at.IsZero()) {
		p.AsOf = c.cfg.Now()
	}
	return p.reading(event.Reading{More: true})
}

// remembered is the offset that the subscription keeps, where that is what
// decides: always for the start "stored", and for a new feed of a stateless
// consumer whose subscription has been there before.
func (c *Client) remembered(ctx context.Context, target start, fresh bool) (offset int64, kept bool, err error) {
	if target.word != StartStored && !(fresh && c.cfg.Consumer != Stateful) {
		return 0, false, nil
	}
	return c.api.committed(ctx, c.subscription.ID)
}

func (c *Client) resolve(ctx context.Context, target start) (int64, error) {
	switch {
	case target.word == StartStored:
		return c.storedByNew(ctx)
	case target.word == StartEarliest:
		return c.api.offsetOf(ctx, c.cfg.Topic, positionEarliest, time.Time{})
	case target.word == StartCurrent:
		return c.api.offsetOf(ctx, c.cfg.Topic, positionCurrent, time.Time{})
	case !target.at.IsZero():
		return c.api.offsetOf(ctx, c.cfg.Topic, positionTimestamp, target.at)
	default:
		return target.offset, nil
	}
}

// storedByNew is what a subscription that is made only now remembers: what the
// Event Manager begins with.
func (c *Client) storedByNew(ctx context.Context) (int64, error) {
	if _, err := c.api.subscribe(ctx, c.subscription); err != nil {
		return 0, err
	}
	offset, found, err := c.api.committed(ctx, c.subscription.ID)
	if err == nil && !found {
		err = &ConfigurationError{"start", "the Event Manager tells no offset of the subscription; use earliest, current, an offset or a time"}
	}
	return offset, err
}

// gaps looks whether events expired before they were read, and whether the topic
// began anew. It asks after the page came, when what was read was there: so a
// topic that forgets while we catch up is noticed too.
func (c *Client) gaps(ctx context.Context, p *position, page page, asked time.Time) ([]event.Gap, error) {
	if page.moved && page.offset < p.Offset {
		return c.wentBack(ctx, p, &page)
	}
	if !p.AsOf.IsZero() && asked.Sub(p.AsOf) <= freshFor {
		return nil, nil
	}
	earliest, err := c.api.offsetOf(ctx, c.cfg.Topic, positionEarliest, time.Time{})
	if err != nil || p.Offset >= earliest {
		return nil, err
	}
	until := asked
	if len(page.items) > 0 && !page.items[0].at.IsZero() {
		until = page.items[0].at
	}
	return []event.Gap{p.expired(earliest, p.AsOf, until)}, nil
}

func (p *position) expired(earliest int64, from, to time.Time) event.Gap {
	return event.Gap{From: from, To: to, Reason: fmt.Sprintf(
		"offset %d is older than the earliest that the topic keeps, %d: events between them may have expired unread", p.Offset, earliest)}
}

// wentBack judges an answer whose offset is lower than what was asked for. Where
// the topic's end is lower too, the topic began anew, and what it counted before
// says nothing any more; else the answer is a slip, and our offset stands.
func (c *Client) wentBack(ctx context.Context, p *position, page *page) ([]event.Gap, error) {
	current, err := c.api.offsetOf(ctx, c.cfg.Topic, positionCurrent, time.Time{})
	if err != nil {
		return nil, err
	}
	if current >= p.Offset {
		page.offset = p.Offset
		return nil, nil
	}
	gap := event.Gap{From: p.AsOf, To: c.cfg.Now(), Reason: fmt.Sprintf(
		"the topic's offsets went back from %d to %d: it was made anew, and events of before may be lost", p.Offset, page.offset)}
	p.Offset, p.Highest, p.Last, p.Committed = page.offset, 0, none, none
	return []event.Gap{gap}, nil
}
