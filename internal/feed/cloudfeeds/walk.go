package cloudfeeds

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/event"
)

// walkStep reads the next page of a walk.
func (c *Client) walkStep(ctx context.Context, p *position) (event.Reading, error) {
	marker := p.Walk.Cursor.ID
	if marker == "" {
		marker = "last"
	}
	resp, err := c.get(ctx, &p.Asked, marker, "")
	if err != nil {
		return event.Reading{}, err
	}
	if resp.Status != http.StatusOK {
		p.cursorGone(resp.Status)
		return event.Reading{More: true}, nil
	}
	items, err := c.decode(resp)
	if err != nil {
		return event.Reading{}, err
	}
	if len(items) == 0 {
		return c.emptyPage(p, resp.at), nil
	}
	return c.walkPage(p, items, resp.at), nil
}

// emptyPage ends a walk: at its end, or in a contradiction, when the head had
// shown newer entries than the cursor.
func (c *Client) emptyPage(p *position, now time.Time) event.Reading {
	w := p.Walk
	if w.Cursor.ID != "" && !w.Cursor.At.Before(w.Newest) {
		c.endWalk(p, now)
		return event.Reading{}
	}
	p.NoForward = now
	p.loseFrom(w.Cursor, "the server shows nothing after a marker, though its head holds newer entries")
	return event.Reading{More: true}
}

// cursorGone: the server does not know the marker (any more).
func (p *position) cursorGone(status int) {
	w := p.Walk
	switch {
	case p.Aim != nil && p.Aim.Marker != "" && w.Cursor.ID == p.Aim.Marker:
		p.markerGone(fmt.Sprintf("is unknown to the feed (%d)", status))
		p.Walk = &walk{Newest: w.Newest}
	case w.Cursor.ID == "":
		p.loseFrom(w.Cursor, fmt.Sprintf("the server does not show its oldest entries (%d)", status))
	default: // the anchor stays until the oldest page tells what its end means
		p.Walk = &walk{Newest: w.Newest}
	}
}

// markerGone: a start or rewind marker is gone; everything that is left is wanted.
func (p *position) markerGone(what string) {
	p.Lost = &lost{Sure: true, Reason: fmt.Sprintf("the marker %s %s; reading begins at the oldest entry that is left", p.Aim.Marker, what)}
	p.Aim.Marker = ""
}

// walkFrom is where a walk to what is missing begins: the zero mark is the
// server's oldest entry.
func (p *position) walkFrom() mark {
	a := p.Aim
	switch {
	case a == nil:
		return p.Anchor
	case a.Marker != "":
		return mark{ID: a.Marker}
	case p.Anchor.ID != "" && p.Anchor.At.Before(a.From):
		return p.Anchor
	case a.After != "":
		return mark{a.After, a.From}
	default:
		return mark{}
	}
}

// loseFrom gives a walk up: what lies between and the head is out of reach.
func (p *position) loseFrom(cursor mark, reason string) {
	from := later(p.base(), cursor.At)
	if a := p.Aim; a != nil {
		from = earlier(from, later(a.From, cursor.At))
	}
	sure := false
	if p.Lost != nil { // a marker was gone before
		from, reason, sure = p.Lost.From, p.Lost.Reason, p.Lost.Sure
	}
	p.Lost = &lost{From: from, Reason: reason, Sure: sure}
	p.Walk = nil
}

// noForward: walking failed lately, and would again.
func (p *position) noForward(now time.Time) bool {
	return !p.NoForward.IsZero() && now.Sub(p.NoForward) < noForwardFor
}

// walkPage takes one page, and ends the walk at a short one.
func (c *Client) walkPage(p *position, items []item, now time.Time) event.Reading {
	if p.beginAtAnchor(items) {
		return event.Reading{More: true}
	}
	w := p.Walk
	var r event.Reading
	if w.Cursor.ID == "" {
		r.Gaps = p.oldestGaps(items[0].at, now)
	}
	p.take(&r, items, now)
	newest := items[len(items)-1].at
	settled := now.Add(-c.cfg.Overlap)
	if !w.Open {
		p.Settled = later(p.Settled, earlier(newest, settled))
	}
	w.Open = w.Open || newest.After(settled)
	next := cursorOf(items)
	stuck := w.advance(items, next)
	switch {
	case len(items) < c.cfg.Limit, p.Aim.secondLook() && newest.After(p.Aim.Until):
		c.endWalk(p, now)
	case stuck:
		p.loseFrom(w.Cursor, fmt.Sprintf("%d entries or more bear one time, which the server cannot page through", c.cfg.Limit))
	}
	p.endStep(items)
	r.More = p.Walk != nil || p.Lost != nil
	return r
}

// advance moves the cursor; it reports when it cannot.
func (w *walk) advance(items []item, next mark) (stuck bool) {
	for _, it := range items {
		if it.id == w.Cursor.ID {
			w.Inclusive, w.Cursor.At = true, it.at
		}
	}
	if next.ID == "" || next.ID == w.Cursor.ID || w.Inclusive && next.At.Equal(w.Cursor.At) {
		return true
	}
	w.Cursor = next
	return false
}

// cursorOf is the newest entry whose id the server can be asked for.
func cursorOf(items []item) mark {
	for i := len(items) - 1; i >= 0; i-- {
		if !items[i].synthetic && isMarker(items[i].id) {
			return mark{items[i].id, items[i].at}
		}
	}
	return mark{}
}

// beginAtAnchor settles, at the first page after a rewind's marker, what it
// stands for in time. A marker newer than what was read must not make the walk
// skip what lies between: then it begins at the anchor instead.
func (p *position) beginAtAnchor(items []item) bool {
	a, w := p.Aim, p.Walk
	if a == nil || a.Marker == "" || a.Marker != w.Cursor.ID {
		return false
	}
	a.From, a.After, a.Marker = items[0].at, a.Marker, ""
	if a.Fresh || !items[0].at.After(p.base()) {
		return false
	}
	p.Walk = &walk{Cursor: p.Anchor, Newest: w.Newest}
	return true
}

// oldestGaps are the windows that the server's oldest page shows to be gone.
func (p *position) oldestGaps(oldest, now time.Time) []event.Gap {
	if l := p.Lost; l != nil {
		p.Lost = nil
		return []event.Gap{{From: l.From, To: oldest, Reason: l.Reason}}
	}
	gaps := p.expired(oldest, now)
	if p.Anchor.At.Before(oldest) {
		p.Anchor = mark{}
	}
	return gaps
}

// endWalk: all that was visible is handed over.
func (c *Client) endWalk(p *position, now time.Time) {
	if !p.Walk.Open && !p.Aim.secondLook() {
		p.Settled = later(p.Settled, now.Add(-c.cfg.Overlap))
	}
	p.Walk, p.Aim = nil, nil
}
