package acronis

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/rest"
)

// Read makes one step: it finds where to begin, or polls. A poll waits at the
// Event Manager for at most step.Wait and Config.LongPoll. Hand the entries
// over, then use the position; used again, a position brings the same events
// again.
//
// Errors: *ConfigurationError where a person is needed; *ticket.Error of kind
// Retry or RateLimited where the same call may be made again, after RetryAfter.
func (c *Client) Read(ctx context.Context, step event.Step) (event.Reading, error) {
	p, err := c.load(step.Position)
	if err != nil {
		return event.Reading{}, err
	}
	if p.Aim != "" {
		return c.begin(ctx, p)
	}
	if err := c.ensure(ctx, p); err != nil {
		return event.Reading{}, err
	}
	if err := c.synchronise(ctx, p); err != nil {
		return event.Reading{}, err
	}
	r, err := c.poll(ctx, p, step)
	if err != nil {
		return event.Reading{}, err
	}
	return p.reading(r)
}

// ensure makes the subscription where it was not seen to exist.
func (c *Client) ensure(ctx context.Context, p *position) error {
	if p.Subscription == c.subscription.ID {
		return nil
	}
	created, err := c.api.subscribe(ctx, c.subscription)
	if err != nil {
		return err
	}
	if c.cfg.Consumer != Stateful && (created || !p.Kept) {
		if err := c.introduce(ctx, p); err != nil {
			return err
		}
	}
	p.Subscription, p.Displaced = c.subscription.ID, false
	return nil
}

// introduce tells a new subscription where we begin: what it remembers by
// itself is not documented.
func (c *Client) introduce(ctx context.Context, p *position) error {
	err := c.api.commit(ctx, c.subscription.ID, p.Offset)
	if _, refused := errors.AsType[*ConfigurationError](err); refused && c.cfg.Consumer == AutoCommit {
		p.Untold = true
		return nil
	}
	if err == nil {
		p.Committed, p.Untold = p.Offset, false
	}
	return err
}

// synchronise keeps the offset that the subscription remembers and ours in step:
// it learns what another consumer has done meanwhile, and commits what was
// handed over.
func (c *Client) synchronise(ctx context.Context, p *position) error {
	if c.cfg.Consumer == Stateful {
		return nil
	}
	if p.Displaced && !p.Untold && p.Offset >= p.Highest { // while replaying, the lower offset is meant
		stored, found, err := c.api.committed(ctx, c.subscription.ID)
		if err != nil {
			return err
		}
		if found && stored > p.Offset {
			p.Offset, p.Highest, p.Committed = stored, stored, stored
		}
	}
	if c.cfg.Consumer == AutoCommit || p.Offset <= p.Committed {
		return nil
	}
	if err := c.api.commit(ctx, c.subscription.ID, p.Offset); err != nil {
		return err
	}
	p.Committed = p.Offset
	return nil
}

// poll asks for the events after the offset.
func (c *Client) poll(ctx context.Context, p *position, step event.Step) (event.Reading, error) {
	asked := c.cfg.Now()
	resp, err := c.ask(ctx, p.Subscription, c.consumer(step), p.Offset, pageLimit, min(step.Wait, c.cfg.LongPoll))
	if err != nil {
		return event.Reading{}, err
	}
	switch {
	case resp.Status == http.StatusOK:
	case resp.Status == http.StatusAccepted:
		p.Displaced, p.AsOf = false, later(p.AsOf, asked)
		return event.Reading{Wait: resp.RetryAfter}, nil
	case resp.Status == http.StatusTooManyRequests:
		return c.standBy(p, resp), nil
	case mayBeEvicted(resp.Status):
		return c.refusedPoll(ctx, p, resp)
	default:
		return event.Reading{}, refused("read feed "+c.cfg.Name, resp)
	}
	page, err := readPage("read feed "+c.cfg.Name, resp)
	if err != nil {
		return event.Reading{}, err
	}
	gaps, err := c.gaps(ctx, p, page, asked)
	if err != nil {
		return event.Reading{}, err
	}
	p.Displaced = false
	r := p.take(page, asked)
	r.Gaps = gaps
	return r, nil
}

// ask makes one request for events.
func (c *Client) ask(ctx context.Context, subscription, consumer string, offset int64, limit int, wait time.Duration) (*rest.Response, error) {
	if err := c.pace.Wait(ctx, c.cfg.MinInterval); err != nil {
		return nil, fmt.Errorf("read feed %s: %w", c.cfg.Name, err)
	}
	wait = max(wait, 0).Truncate(time.Second)
	return c.api.do(ctx, call{
		op: "read feed " + c.cfg.Name, method: http.MethodGet, path: "/events", wait: wait,
		query: url.Values{
			"subscription_id": {subscription}, "consumer_id": {consumer},
			"offset": {strconv.FormatInt(offset, 10)}, "limit": {strconv.Itoa(limit)}, "timeout": {isoDuration(wait)},
		},
	})
}

// consumer is who reads. A workflow that has no id of its own yet is known by
// the feed.
func (c *Client) consumer(step event.Step) string {
	if step.Reader != "" {
		return step.Reader
	}
	return derive("consumer", c.subscription.ID)
}

// standBy leaves the subscription to whoever reads it, and comes back.
func (c *Client) standBy(p *position, resp *rest.Response) event.Reading {
	p.Displaced = true
	wait := resp.RetryAfter
	if wait == 0 {
		wait = standby
	}
	return event.Reading{
		Wait: wait,
		Note: "standing by: another consumer reads subscription " + p.Subscription + ", or too much is asked (429)",
	}
}

// refusedPoll looks why a poll was refused: the subscription may be gone, or the
// offset too old to be read from.
func (c *Client) refusedPoll(ctx context.Context, p *position, resp *rest.Response) (event.Reading, error) {
	created, err := c.api.subscribe(ctx, c.subscription)
	if err != nil {
		return event.Reading{}, err
	}
	if created {
		p.Subscription, p.Committed, p.Kept = "", none, false // the next step introduces us
		return event.Reading{More: true, Note: "the subscription was gone and was made again"}, nil
	}
	earliest, err := c.api.offsetOf(ctx, c.cfg.Topic, positionEarliest, time.Time{})
	if err != nil {
		return event.Reading{}, err
	}
	if p.Offset < earliest {
		gap := p.expired(earliest, p.AsOf, c.cfg.Now())
		p.Offset = earliest
		return event.Reading{More: true, Gaps: []event.Gap{gap}}, nil
	}
	return event.Reading{}, refused("read feed "+c.cfg.Name, resp)
}

// take hands over what of a page was not handed over before.
func (p *position) take(page page, asked time.Time) event.Reading {
	var r event.Reading
	for _, it := range page.items {
		// A replay is of what is known.
		replayed := it.sequence != none && it.sequence <= p.Highest || it.sequence == none && page.offset <= p.Highest
		before := p.Last
		if it.sequence != none {
			if it.sequence <= p.Last {
				continue
			}
			p.Last = it.sequence
		}
		if !replayed && p.Seen.has(it.hash) {
			continue
		}
		if before != none && it.previous > before {
			r.Holes++
		}
		p.Seen.add(it.hash)
		p.Newest = later(p.Newest, it.at)
		it.entry.Replayed = replayed
		r.Entries = append(r.Entries, it.entry)
	}
	p.read(page, asked)
	r.More = len(page.items) >= pageLimit || page.offset < p.Highest
	return r
}

// read moves the position behind a page.
func (p *position) read(page page, asked time.Time) {
	switch last := len(page.items) - 1; {
	case last >= 0 && !page.items[last].at.IsZero():
		p.AsOf = page.items[last].at
	case last < 0 && (!page.moved || page.offset == p.Offset):
		p.AsOf = asked // nothing is left to read
	}
	if page.moved {
		p.Offset = page.offset
	}
	p.Highest = max(p.Highest, p.Offset)
}
