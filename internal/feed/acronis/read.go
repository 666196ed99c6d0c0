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
	// One that another consumer made meanwhile remembers what that one delivered.
	if c.cfg.Consumer != Stateful && (created || !p.Kept && !p.Displaced) {
		if err := c.introduce(ctx, p); err != nil {
			return err
		}
	}
	p.Subscription, p.made = c.subscription.ID, true
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
			p.Top = max(p.Top, stored-1) // whether the one at the offset itself was read is not told
		}
	}
	if c.cfg.Consumer == AutoCommit || p.Offset <= p.Committed {
		return nil
	}
	err := c.api.commit(ctx, c.subscription.ID, p.Offset)
	if _, gone := errors.AsType[*unknownSubscription](err); gone {
		p.Subscription, p.Kept = "", false
		return c.ensure(ctx, p) // which commits
	}
	if err == nil {
		p.Committed = p.Offset
	}
	return err
}

// poll asks for the events after the offset.
func (c *Client) poll(ctx context.Context, p *position, step event.Step) (event.Reading, error) {
	asked := c.cfg.Now()
	resp, err := c.ask(ctx, p.Subscription, c.consumer(step), p.Offset, pageLimit, min(step.Wait, c.cfg.LongPoll))
	if err != nil {
		return event.Reading{}, err
	}
	page := page{offset: none} // 202: nothing new
	switch {
	case resp.Status == http.StatusOK:
		if page, err = readPage("read feed "+c.cfg.Name, resp); err != nil {
			return event.Reading{}, err
		}
	case resp.Status == http.StatusAccepted:
	case resp.Status == http.StatusTooManyRequests:
		return c.standBy(p, resp), nil
	case mayBeEvicted(resp.Status):
		return c.refusedPoll(ctx, p, resp)
	default:
		return event.Reading{}, refused("read feed "+c.cfg.Name, resp)
	}
	if p.Displaced {
		if err := c.takeOver(ctx, p); err != nil {
			return event.Reading{}, err
		}
	}
	page.settle(p.Offset)
	page.notAfter(c.cfg.Now())
	gaps, anew, note, err := c.compare(ctx, p, &page, asked)
	if err != nil || anew {
		return event.Reading{More: true, Gaps: gaps}, err
	}
	r := p.take(page, asked)
	r.Gaps, r.Wait, r.Note = gaps, resp.RetryAfter, note
	return r, nil
}

// takeOver begins where another consumer ended, who may have delivered all that
// the topic has so far, and committed less.
func (c *Client) takeOver(ctx context.Context, p *position) error {
	current, err := c.api.offsetOf(ctx, c.cfg.Topic, positionCurrent, time.Time{})
	if err == nil {
		p.Displaced, p.Doubt = false, max(p.Doubt, current)
	}
	return err
}

// ask makes one request for events.
func (c *Client) ask(ctx context.Context, subscription, consumer string, offset int64, limit int, wait time.Duration) (*rest.Response, error) {
	if wait > 0 {
		wait = max(wait.Truncate(time.Second), time.Second) // whether less may be asked for is not documented
	}
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

// refusedPoll looks why a poll was refused. The subscription may be gone: then
// the next step makes it again. If it is there, the offset may be one that the
// topic does not have.
func (c *Client) refusedPoll(ctx context.Context, p *position, resp *rest.Response) (event.Reading, error) {
	if !p.made {
		p.Subscription, p.Kept = "", false
		return event.Reading{More: true, Note: fmt.Sprintf(
			"the subscription was refused (%d), as one is that was gone; it is made again", resp.Status)}, nil
	}
	page := page{offset: p.Offset}
	gaps, anew, err := c.check(ctx, p, &page, c.cfg.Now(), true)
	switch {
	case err != nil:
		return event.Reading{}, err
	case len(gaps) == 0:
		return event.Reading{}, refused("read feed "+c.cfg.Name, resp)
	case !anew:
		p.Offset = page.offset
	}
	return event.Reading{More: true, Gaps: gaps}, nil
}

// take hands over what of a page was not handed over before.
func (p *position) take(page page, asked time.Time) event.Reading {
	var r event.Reading
	for _, it := range page.items {
		known := p.Seen.has(it.hash)
		it.entry.Replayed = p.replays(it, page, known)
		switch late := it.sequence != none && it.sequence <= p.Last; {
		case late && (known || p.Seen.has(it.placeHash())):
			continue
		case late: // or it shares its number with another type: nobody can tell whether it is new
			it.entry.Replayed, it.entry.Create = true, true
		case !it.entry.Replayed && p.doubts(it, page):
			it.entry.Replayed, it.entry.Create = true, true
		}
		if p.Last != none && it.previous > p.Last && (it.entry.Replayed || !known) {
			r.Holes++
		}
		// One that lies about its place must not hide those that follow.
		if it.sequence != none && it.sequence <= page.offset {
			p.Last, p.Top = max(p.Last, it.sequence), max(p.Top, it.sequence)
		}
		if known && (!it.entry.Replayed || it.entry.Create) {
			continue
		}
		p.Seen.add(it.hash)
		if it.sequence != none {
			p.Seen.add(it.placeHash())
		}
		p.Newest = later(p.Newest, it.at)
		r.Entries = append(r.Entries, it.entry)
	}
	r.More = page.offset > p.Offset && (len(page.items) >= pageLimit || page.offset < p.Highest)
	p.move(page, asked)
	return r
}

// doubts: another consumer may have delivered it.
func (p *position) doubts(it item, page page) bool {
	if it.sequence != none {
		return it.sequence <= p.Doubt
	}
	return p.Offset < p.Doubt
}

// replays: what is known is handed over again because a person wants it.
func (p *position) replays(it item, page page, known bool) bool {
	switch {
	case !it.taken.IsZero() && !it.taken.After(p.Before):
		return true
	case it.sequence != none:
		return it.sequence <= p.Top
	default:
		return p.Offset < p.Highest && (known || page.offset <= p.Highest)
	}
}

// move puts the position behind a page.
func (p *position) move(page page, asked time.Time) {
	switch last := len(page.items) - 1; {
	case last >= 0 && !page.items[last].taken.IsZero():
		p.AsOf = page.items[last].taken
	case last < 0 && page.offset == p.Offset:
		p.AsOf = later(p.AsOf, asked) // nothing is left to read
	}
	p.Offset = page.offset
	p.Highest = max(p.Highest, p.Offset)
}
