package cloudfeeds

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// aim is what a start or a rewind is after: every entry stored at From or
// later (zero: everything), or everything after a marker whose time is not yet known.
type aim struct {
	Marker string    `json:"marker,omitempty"`
	From   time.Time `json:"from,omitzero"`
	// After is an entry at From that is not wanted: the marker itself.
	After string `json:"after,omitempty"`
	// Until ends the window of a second look.
	Until time.Time `json:"until,omitzero"`
	// Fresh: nothing was handed over before, and entries outside are not wanted.
	Fresh bool `json:"fresh,omitempty"`
	// None: nothing that is there already is wanted.
	None bool `json:"none,omitempty"`
}

func startAim(start string) *aim {
	switch start {
	case StartOldest:
		return &aim{Fresh: true}
	case StartNow:
		return &aim{Fresh: true, None: true}
	default:
		return &aim{Fresh: true, Marker: start}
	}
}

// secondLook: its entries are no replay, but perhaps never seen.
func (a *aim) secondLook() bool { return a != nil && !a.Until.IsZero() }

func (a *aim) covers(it item) bool {
	switch {
	case a == nil || a.None:
		return false
	case a.Marker != "":
		return true
	default:
		return !it.at.Before(a.From) && it.id != a.After && (a.Until.IsZero() || !it.at.After(a.Until))
	}
}

// resolve learns the marker's time from a page that holds it.
func (a *aim) resolve(items []item) {
	if a == nil || a.Marker == "" {
		return
	}
	for _, it := range items {
		if it.id == a.Marker {
			a.From, a.After, a.Marker = it.at, it.id, ""
			return
		}
	}
}

// Rewind returns a position from which the next Read hands over again what
// came after to: a marker, an RFC 3339 time, or "oldest". It asks nobody.
// Entries that were handed over before come marked as replayed.
func (c *Client) Rewind(data json.RawMessage, to string) (json.RawMessage, error) {
	p, err := c.load(data)
	if err != nil {
		return nil, fmt.Errorf("rewind: %w", err)
	}
	target := &aim{Fresh: p.Aim != nil && p.Aim.Fresh}
	at, isTime := parseTime(to)
	switch {
	case to == StartOldest:
	case isTime:
		target.From = at
	case isMarker(to) && strings.HasPrefix(to, markerPrefix):
		target.Marker = to
	default:
		return nil, fmt.Errorf("rewind: to: %q is neither %q nor an RFC 3339 time nor a marker (urn:uuid:...)", to, StartOldest)
	}
	if p.Aim.secondLook() {
		p.Look = &look{From: p.Aim.From, To: p.Aim.Until}
	}
	p.Aim, p.Walk, p.Lost, p.ETag = target, nil, nil, ""
	out, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("rewind: %w", err)
	}
	return out, nil
}
