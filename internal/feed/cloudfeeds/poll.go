package cloudfeeds

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/event"
)

// noForwardFor is how long a server's broken forward pages are remembered.
const noForwardFor = 24 * time.Hour

// Read makes one step: a poll of the head, or one page of a walk. It waits for
// Config.MinInterval first; the feed itself never waits for entries. Hand the entries over, then use the position; used
// again, a position brings the same entries again.
//
// Errors: *ConfigurationError where a person is needed; *ticket.Error of kind
// Retry or RateLimited where the same call may be made again, after RetryAfter.
func (c *Client) Read(ctx context.Context, step event.Step) (event.Reading, error) {
	p, err := c.load(step.Position)
	if err != nil {
		return event.Reading{}, err
	}
	var r event.Reading
	if p.Walk != nil {
		r, err = c.walkStep(ctx, p)
	} else {
		r, err = c.poll(ctx, p)
	}
	if err != nil {
		return event.Reading{}, err
	}
	return p.reading(r)
}

// poll reads the head.
func (c *Client) poll(ctx context.Context, p *position) (event.Reading, error) {
	resp, err := c.get(ctx, &p.Asked, "", c.etagFor(p))
	if err != nil {
		return event.Reading{}, err
	}
	if resp.Status == http.StatusNotModified {
		return event.Reading{}, nil
	}
	items, err := c.decode(resp)
	if err != nil {
		return event.Reading{}, err
	}
	return c.head(p, items, resp), nil
}

// etagFor is the tag to send. A tag covers the first and the last entry only, so
// none is sent while the page is young enough for late entries in between.
func (c *Client) etagFor(p *position) string {
	now := c.cfg.Now()
	young := p.Highest.After(p.Settled)
	if p.Aim != nil || p.Lost != nil || p.Look != nil || young || now.Sub(p.Full) >= c.cfg.FullEvery || p.Full.After(now) {
		return ""
	}
	return p.ETag
}

// head takes the newest page: what is new on it if it reaches back to what is
// known, else it begins a walk.
func (c *Client) head(p *position, items []item, resp answer) event.Reading {
	p.Full, p.ETag = c.cfg.Now(), ""
	if tag := resp.Header.Get("ETag"); etagForm.MatchString(tag) {
		p.ETag = tag
	}
	full := len(items) >= c.cfg.Limit
	p.Aim.resolve(items)
	if !full && p.Aim != nil && p.Aim.Marker != "" {
		p.markerGone("is not in the feed any more") // all that there is was on this page
	}
	if full && p.Lost == nil && !p.reaches(items[0]) {
		begin := p.walkFrom()
		if !p.noForward(resp.at) {
			p.Walk = &walk{Cursor: begin, Newest: items[len(items)-1].at}
			return event.Reading{More: true}
		}
		p.loseFrom(begin, "the server shows nothing after a marker")
	}
	return c.acceptHead(p, items, full, resp.at)
}

// reaches reports whether a full head whose oldest entry is given holds all
// that is wanted.
func (p *position) reaches(oldest item) bool {
	if a := p.Aim; a != nil {
		reached := a.None || a.After != "" || a.Marker == "" && oldest.at.Before(a.From)
		if !reached || a.Fresh {
			return reached
		}
	}
	return p.known(oldest)
}

// known: handed over before, as far as can be told.
func (p *position) known(it item) bool {
	return p.Seen.has(it.hash) || !it.at.After(p.base())
}

// acceptHead hands over what is new on the head.
func (c *Client) acceptHead(p *position, items []item, full bool, now time.Time) event.Reading {
	settled := now.Add(-c.cfg.Overlap)
	var r event.Reading
	var oldest item
	if len(items) > 0 {
		oldest = items[0]
	}
	r.Gaps = p.headGaps(oldest, full, now)
	fresh, hadLost := p.Aim != nil && p.Aim.Fresh, p.Lost != nil
	behind := full && oldest.at.After(p.base()) && !fresh && !hadLost
	p.take(&r, items, now)
	if full && (fresh || hadLost) {
		p.Floor = later(p.Floor, oldest.at)
	}
	p.Aim, p.Lost = nil, nil
	switch {
	case !behind:
		p.Settled = later(p.Settled, settled)
	case settled.Sub(p.Settled) >= c.cfg.Overlap:
		r.Gaps = append(r.Gaps, c.overlapWalk(p, items, now)...)
	}
	if fresh {
		p.forgot = time.Time{} // what is forgotten here came before the start
	}
	p.endStep(items)
	if p.Look != nil && p.Walk == nil && !p.Look.To.After(settled) {
		r.Gaps = append(r.Gaps, p.beginLook(now)...)
	}
	r.More = p.Walk != nil
	return r
}

// headGaps are the windows that this head shows to be out of reach.
func (p *position) headGaps(oldest item, full bool, now time.Time) []event.Gap {
	to := oldest.at
	if oldest.id == "" {
		to = now
	}
	if l := p.Lost; l != nil && (l.Sure || full && !to.Before(l.From)) {
		return []event.Gap{{From: l.From, To: to, Reason: l.Reason}}
	}
	if full {
		return nil
	}
	return p.expired(to, now)
}

// expired is the gap after a stop longer than the retention, when the oldest
// entry that is left is newer than what was read. A server that keeps entries
// for less than it says shows it by the anchor: that one is gone too, and was
// younger when it was last seen than what came since would be now.
func (p *position) expired(oldest, now time.Time) []event.Gap {
	stop := now.Sub(p.Settled)
	switch a := p.Anchor; {
	case p.Settled.IsZero() || !oldest.After(p.Settled):
		return nil
	case stop > retention:
		return []event.Gap{{From: p.Settled, To: oldest, Reason: "the feed was not read for longer than it keeps entries (3 days)"}}
	case a.ID != "" && !a.At.After(p.Settled) && stop > p.Settled.Sub(a.At):
		return []event.Gap{{From: p.Settled, To: oldest, Reason: "the feed was not read for longer than it keeps entries, which is shorter than its documented 3 days: what was read last is not there any more"}}
	default:
		return nil
	}
}

// overlapWalk looks for late entries below a head that joins what was read but
// is younger than the overlap. Without a way to walk, they are a gap.
func (c *Client) overlapWalk(p *position, items []item, now time.Time) []event.Gap {
	newest := items[len(items)-1].at
	if !p.noForward(now) {
		p.Walk = &walk{Cursor: p.Anchor, Newest: newest}
		return nil
	}
	gap := event.Gap{From: p.base(), To: items[0].at, Reason: fmt.Sprintf(
		"a whole page (%d entries) came within %s; entries that became visible late below it are out of reach, because the server shows nothing after a marker",
		c.cfg.Limit, 2*c.cfg.Overlap)}
	p.Floor = later(p.Floor, items[0].at)
	p.Settled = later(p.Settled, now.Add(-c.cfg.Overlap))
	return []event.Gap{gap}
}

// take hands over what of a page is wanted, and remembers it.
func (p *position) take(r *event.Reading, items []item, now time.Time) {
	type decision struct{ known, wanted bool }
	decisions := make([]decision, len(items))
	onPage := make(map[uint64]bool, len(items))
	for i, it := range items {
		known := p.Seen.has(it.hash) || !it.at.After(p.Floor)
		wanted := !known
		if a := p.Aim; a != nil && known {
			wanted = a.covers(it) && !a.Fresh && !p.atCursor(it)
		} else if a != nil && a.Fresh {
			wanted = a.covers(it)
		}
		decisions[i] = decision{known, wanted && !onPage[it.hash]}
		onPage[it.hash] = true
	}
	highest := p.Highest
	for i, it := range items {
		d := decisions[i]
		if d.wanted && it.refused {
			r.Refused++
		} else if d.wanted {
			replayed := d.known && !it.at.After(highest) && !p.Aim.secondLook()
			for _, e := range it.entries {
				e.Replayed = replayed
				r.Entries = append(r.Entries, e)
			}
		}
		if !d.known {
			p.remember(it, now)
		}
		if !it.synthetic && !it.at.Before(p.Newest) && isMarker(it.id) {
			p.Marker, p.Newest = it.id, it.at
		}
		p.Highest = later(p.Highest, it.at)
	}
}

// atCursor: an inclusive server shows the last entry of the page before again.
func (p *position) atCursor(it item) bool { return p.Walk != nil && p.Walk.Cursor.ID == it.id }

// remember adds to Seen. A publisher's date in the future must not lift the floor over what is to come.
func (p *position) remember(it item, now time.Time) {
	p.forgot = later(p.forgot, p.Seen.add(it.hash, earlier(it.at, now)))
	p.Floor = later(p.Floor, p.forgot)
}

// endStep keeps the newest entry at or below the base as the place to walk
// from, and notes when Seen was too small for what has not settled.
func (p *position) endStep(items []item) {
	base := p.base()
	old := p.Anchor
	for _, it := range items {
		if !it.synthetic && isMarker(it.id) && !it.at.After(base) && !it.at.Before(p.Anchor.At) {
			p.Anchor = mark{it.id, it.at}
		}
	}
	if !p.forgot.After(p.Settled) {
		return
	}
	if p.Look == nil {
		p.Look = &look{From: p.Settled, Begin: old}
	}
	p.Look.To = later(p.Look.To, p.forgot)
}

// beginLook reads a window once more; where that is not possible, late
// entries in it are out of reach.
func (p *position) beginLook(now time.Time) []event.Gap {
	l := p.Look
	p.Look = nil
	if p.noForward(now) {
		return []event.Gap{{From: l.From, To: l.To, Reason: fmt.Sprintf(
			"more than %d entries came at once; one that became visible late among them is out of reach, because the server shows nothing after a marker", maxRemember)}}
	}
	p.Aim = &aim{From: l.From, Until: l.To}
	p.Walk = &walk{Cursor: l.Begin, Newest: l.To}
	return nil
}
