package activities

import (
	"slices"

	"github.com/ticketbridge/ticketbridge/internal/event"
)

// letCreate lets parked entries that are read again make tickets: however far the
// feed has come by now, they were never handed over.
func (in ReadFeedInput) letCreate(entries []event.Entry) {
	for i := range entries {
		if slices.Contains(in.Parked, entries[i].Item()) {
			entries[i].Create = true
		}
	}
}

// unparked names those of the entries that were parked and are handed over now;
// the refused ones are not.
func (in ReadFeedInput) unparked(entries, refused []event.Entry) []string {
	var names []string
	for _, e := range entries {
		item := e.Item()
		still := slices.ContainsFunc(refused, func(r event.Entry) bool { return r.Item() == item })
		if !still && slices.Contains(in.Parked, item) && !slices.Contains(names, item) {
			names = append(names, item)
		}
	}
	return names
}
