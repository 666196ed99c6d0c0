package cloudfeeds

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/event"
)

// position is where reading goes on. Encoded it takes at most 12 KB, and a
// person can read it.
type position struct {
	// Host is whom the markers belong to: every deployment has its own store.
	Host string `json:"host"`
	// Marker is the newest entry handed over, Newest its time.
	Marker string    `json:"marker,omitempty"`
	Newest time.Time `json:"newest,omitzero"`
	// Highest is the highest time ever handed over.
	Highest time.Time `json:"highest,omitzero"`
	// Settled: all up to here was handed over, and is too old for late entries.
	Settled time.Time `json:"settled,omitzero"`
	// Floor: up to here Seen is incomplete; entries count as handed over.
	Floor time.Time `json:"floor,omitzero"`
	Seen  seen      `json:"seen,omitzero"`
	// Anchor is the newest entry at or below the base: where a walk begins.
	Anchor mark `json:"anchor,omitzero"`
	// Aim is what a start or a rewind is after.
	Aim  *aim  `json:"aim,omitempty"`
	Walk *walk `json:"walk,omitempty"`
	// Lost: walking failed; the head is all there is.
	Lost *lost `json:"lost,omitempty"`
	// Look is a window to read once more.
	Look *look `json:"look,omitempty"`
	// NoForward is when the server last contradicted itself: it has a head
	// but nothing after an older marker.
	NoForward time.Time `json:"no_forward,omitzero"`
	// Asked is the last request, Full the last page that was not a 304.
	Asked time.Time `json:"asked,omitzero"`
	Full  time.Time `json:"full,omitzero"`
	ETag  string    `json:"etag,omitempty"`

	// forgot is the highest time that Seen forgot in this step.
	forgot time.Time
}

// mark is an entry that a walk may begin at.
type mark struct {
	ID string    `json:"id,omitempty"`
	At time.Time `json:"at,omitzero"`
}

// walk is a reading of many pages, oldest first.
type walk struct {
	// Cursor is the last entry read. Without an id the walk begins at the
	// oldest entry that the server has.
	Cursor mark `json:"cursor,omitzero"`
	// Newest is the head's newest time when the walk began.
	Newest time.Time `json:"newest,omitzero"`
	// Open: a page held entries young enough for late ones beside them, so that
	// Settled must not pass them.
	Open bool `json:"open,omitempty"`
	// Inclusive: the server returns the cursor itself too.
	Inclusive bool `json:"inclusive,omitempty"`
}

// lost says from where on entries are out of reach.
type lost struct {
	From   time.Time `json:"from,omitzero"`
	Reason string    `json:"reason"`
	// Sure: also if the head holds all that the server has.
	Sure bool `json:"sure,omitempty"`
}

// look is a window in which late entries may stand among forgotten ones: more
// came at once than Seen holds. It is handed over again when it has settled.
type look struct {
	From  time.Time `json:"from,omitzero"`
	To    time.Time `json:"to"`
	Begin mark      `json:"begin,omitzero"`
}

// marker ids are checked because they go into URLs and into a bounded state.
var markerForm = regexp.MustCompile(`^[A-Za-z0-9:._~/+@=-]{1,80}$`)

// markerPrefix begins every marker that a person may type: other entry ids are
// only known to exist when the feed has shown them.
const markerPrefix = "urn:uuid:"

func isMarker(id string) bool {
	return markerForm.MatchString(id) && id != StartOldest && id != StartNow && id != "last"
}

var etagForm = regexp.MustCompile(`^(W/)?"[A-Za-z0-9:._~/+@=-]{1,80}"$`)

// load reads a position; a nil or empty one is where Config.Start says.
func (c *Client) load(data json.RawMessage) (*position, error) {
	p := &position{}
	if len(data) > 0 && string(data) != "null" {
		if err := json.Unmarshal(data, p); err != nil {
			return nil, fmt.Errorf("position of feed %s: %w", c.cfg.Name, err)
		}
	}
	host := hostOf(c.base)
	if p.Host == "" {
		p.Aim = startAim(c.cfg.Start)
	} else if p.Host != host {
		p.forgetServer()
	}
	p.Host = host
	return p, nil
}

// hostOf names the store: its host, cut to a bounded hash where it is long.
func hostOf(base string) string {
	u, err := url.Parse(base)
	if err != nil || len(u.Host) > 80 {
		return fmt.Sprintf("%016x", hashID(base))
	}
	return u.Host
}

// forgetServer drops what only one server understands. What was seen stays.
func (p *position) forgetServer() {
	p.Anchor, p.Walk, p.ETag, p.NoForward = mark{}, nil, "", time.Time{}
	if p.Look != nil {
		p.Look.Begin = mark{}
	}
}

// base is the time up to which nothing needs to be read again.
func (p *position) base() time.Time { return later(p.Settled, p.Floor) }

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// reading closes a step.
func (p *position) reading(r event.Reading) (event.Reading, error) {
	data, err := json.Marshal(p)
	if err != nil {
		return event.Reading{}, fmt.Errorf("encode the position: %w", err)
	}
	r.Position, r.Marker, r.Newest = data, p.Marker, p.Newest
	return r, nil
}
