package acronis

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/event"
)

// position is where reading goes on, at most 4 KB. Offsets are written as text,
// so that no reader of JSON rounds them.
type position struct {
	// Server and Topic are whose offsets these are.
	Server string `json:"server"`
	Topic  string `json:"topic"`
	// Aim is where a start or a rewind is to begin; empty once it is resolved.
	Aim string `json:"aim,omitempty"`
	// Offset is where to read on: all before it was handed over.
	Offset int64 `json:"offset,string"`
	// Highest is the highest offset ever handed over, Top the highest sequence; -1
	// for none. An offset may be that of the event before it or after it.
	Highest int64 `json:"highest,string"`
	Top     int64 `json:"top,string"`
	// Last is the newest sequence handed over since the start or the last rewind;
	// -1 for none.
	Last int64 `json:"last,string"`
	// Newest is when the newest event handed over was taken in.
	Newest time.Time `json:"newest,omitzero"`
	// AsOf: what was taken in up to then was read. Zero where that is not known.
	AsOf time.Time `json:"as_of,omitzero"`
	// Checked is when Offset was last compared with what the topic has, Doubted
	// since when it is beyond the topic's end.
	Checked time.Time `json:"checked,omitzero"`
	Doubted time.Time `json:"doubted,omitzero"`
	// Before: what was taken in up to then was handed over while the topic counted
	// otherwise.
	Before time.Time `json:"before,omitzero"`
	// Doubt: another consumer may have delivered what comes up to this offset, so
	// its tickets are looked for first; 0 for none.
	Doubt int64 `json:"doubt,string,omitempty"`
	// Unsure is a window that the topic could not be asked about yet.
	Unsure *unsure `json:"unsure,omitempty"`
	// Subscription is the id of the one that was seen to exist, Committed the last
	// offset that it was told; -1 for none.
	Subscription string `json:"subscription,omitempty"`
	Committed    int64  `json:"committed,string"`
	// Kept: Offset came from the subscription, which was there before us.
	Kept bool `json:"kept,omitempty"`
	// Displaced: another consumer reads, and may have committed.
	Displaced bool `json:"displaced,omitempty"`
	// Untold: the subscription could not be told where we began, so what it
	// remembers means nothing to us.
	Untold bool   `json:"untold,omitempty"`
	Seen   memory `json:"seen,omitzero"`

	// fresh: nothing was read, and Aim is the configured start. moved: it goes on
	// at another data center. made: this step found or made the subscription. None
	// of them outlives the step.
	fresh, moved, made bool
}

// unsure is what was read on from before anybody knew that nothing is missing.
type unsure struct {
	Offset int64     `json:"offset,string"`
	AsOf   time.Time `json:"as_of,omitzero"`
}

// none stands for an offset or sequence that there is not.
const none = -1

// start is a place to begin at.
type start struct {
	word   string // StartEarliest, StartCurrent, StartStored; else
	at     time.Time
	offset int64
}

var offsetForm = regexp.MustCompile(`^[0-9]{1,19}$`)

func parseStart(text string) (start, error) {
	switch text {
	case StartEarliest, StartCurrent, StartStored:
		return start{word: text}, nil
	}
	if offsetForm.MatchString(text) {
		if offset, err := strconv.ParseInt(text, 10, 64); err == nil {
			return start{offset: offset}, nil
		}
	}
	if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return start{at: at}, nil
	}
	return start{}, fmt.Errorf("%q is neither %s, %s, %s nor an offset nor a time like 2026-01-15T12:00:00Z", text, StartEarliest, StartCurrent, StartStored)
}

// load reads a position; an empty one is where Config.Start says.
func (c *Client) load(data json.RawMessage) (*position, error) {
	p := &position{}
	if len(data) > 0 && string(data) != "null" {
		if err := json.Unmarshal(data, p); err != nil {
			return nil, fmt.Errorf("position of feed %s: %w", c.cfg.Name, err)
		}
	}
	if server := serverOf(c.cfg.URL); p.Topic != c.cfg.Topic || p.Server != server {
		p = p.elsewhere(c.cfg)
		p.Server, p.Topic = server, c.cfg.Topic
	}
	return p, nil
}

// elsewhere is where to begin with another topic, or at another data center: that
// one counts anew, so it is by the time, with some overlap.
func (p *position) elsewhere(cfg Config) *position {
	next := &position{Aim: cfg.Start, Last: none, Top: none, Committed: none, fresh: true}
	since := p.Newest
	if since.IsZero() && cfg.Start == StartCurrent {
		since = p.AsOf
	}
	if p.Topic == cfg.Topic && !since.IsZero() {
		next.Aim = since.Add(-moveOverlap).UTC().Format(time.RFC3339Nano)
		next.Newest, next.AsOf, next.Seen = p.Newest, p.AsOf, p.Seen
		next.fresh, next.moved = false, true
	}
	return next
}

// moveOverlap is read again when a feed moves to another data center; what was
// handed over is known by its type and id.
const moveOverlap = 5 * time.Minute

func serverOf(base string) string {
	u, err := url.Parse(base)
	if err != nil || len(u.Host) > 100 {
		return derive("server", base)
	}
	return u.Host
}

// StartOldest is another word for StartEarliest in a rewind, the one that all
// feeds know.
const StartOldest = "oldest"

// Rewind returns a position from which the next Read hands over again what came
// after to: an offset, an RFC 3339 time, "oldest" or "stored". It asks nobody.
// Events that were handed over before come marked as replayed.
func (c *Client) Rewind(data json.RawMessage, to string) (json.RawMessage, error) {
	p, err := c.load(data)
	if err != nil {
		return nil, fmt.Errorf("rewind: %w", err)
	}
	if to == StartOldest {
		to = StartEarliest
	}
	if target, err := parseStart(to); err != nil || target.word == StartCurrent {
		return nil, fmt.Errorf("rewind: to: %q is neither %q, %q nor an offset nor an RFC 3339 time", to, StartOldest, StartStored)
	}
	p.Aim = to
	out, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("rewind: %w", err)
	}
	return out, nil
}

// reading closes a step.
func (p *position) reading(r event.Reading) (event.Reading, error) {
	data, err := json.Marshal(p)
	if err != nil {
		return event.Reading{}, fmt.Errorf("encode the position: %w", err)
	}
	r.Position, r.Newest = data, p.Newest
	if p.Aim == "" {
		r.Marker = "offset " + strconv.FormatInt(p.Offset, 10)
	}
	return r, nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
