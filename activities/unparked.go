package activities

import (
	"slices"

	"github.com/ticketbridge/ticketbridge/internal/event"
)

// firstTime lets parked entries that are read again count as new: wherever the
// feed stands by now, they were never handed over.
func (in ReadFeedInput) firstTime(entries []event.Entry) {
	for i := range entries {
		if slices.Contains(in.Parked, entries[i].Item()) {
			entries[i].Replayed = false
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
