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
	offset, kept, err := c.remembered(ctx, target, p.fresh)
	if err != nil {
		return event.Reading{}, err
	}
	r := event.Reading{More: true}
	if !kept {
		if offset, err = c.resolve(ctx, target, &r); err != nil {
			return event.Reading{}, err
		}
	}
	if p.moved {
		if err := c.missedByMoving(ctx, p, offset, &r); err != nil {
			return event.Reading{}, err
		}
	}
	now := c.cfg.Now()
	p.Aim, p.Offset, p.Last, p.Kept = "", offset, none, kept
	p.AsOf, p.Checked, p.Doubted = time.Time{}, time.Time{}, time.Time{}
	if kept { // by whoever read before, and may do so still
		p.Committed, p.Displaced = offset, true
	}
	// Where the account named an offset, what was before it may have expired; the
	// first page shows it. What begins at the earliest or later misses nothing.
	if !kept && (target.word != "" || !target.at.IsZero()) {
		p.Checked = now
	}
	if target.word == StartCurrent && !kept {
		p.AsOf = now
	}
	return p.reading(r)
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

func (c *Client) resolve(ctx context.Context, target start, r *event.Reading) (int64, error) {
	switch {
	case target.word == StartStored:
		return c.storedByNew(ctx)
	case target.word == StartEarliest:
		return c.api.offsetOf(ctx, c.cfg.Topic, positionEarliest, time.Time{})
	case target.word == StartCurrent:
		return c.api.offsetOf(ctx, c.cfg.Topic, positionCurrent, time.Time{})
	case !target.at.IsZero():
		return c.api.offsetOf(ctx, c.cfg.Topic, positionTimestamp, target.at)
	}
	current, err := c.api.offsetOf(ctx, c.cfg.Topic, positionCurrent, time.Time{})
	if err == nil && target.offset > current {
		r.Note = fmt.Sprintf("the topic ends at offset %d: reading from there, not from %d", current, target.offset)
	}
	return min(target.offset, current), err
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

// missedByMoving records that nothing is left of the time before a feed that
// stood still for long moved to another data center.
func (c *Client) missedByMoving(ctx context.Context, p *position, offset int64, r *event.Reading) error {
	now := c.cfg.Now()
	if !stale(p.AsOf, now) {
		return nil
	}
	earliest, err := c.api.offsetOf(ctx, c.cfg.Topic, positionEarliest, time.Time{})
	if err == nil && offset <= earliest {
		r.Gaps = []event.Gap{{From: p.AsOf, To: now, Reason: "the feed moved to another data center, which has nothing of before: events may have expired unread"}}
	}
	return err
}
