package activities

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
)

// ReadFeedResult is what one window brought, all of it handed over.
type ReadFeedResult struct {
	Position    json.RawMessage       `json:"position,omitempty"`
	Integration string                `json:"integration,omitempty"`
	Match       event.Policy          `json:"match,omitempty"`
	Marker      string                `json:"marker,omitempty"`
	Newest      time.Time             `json:"newest,omitzero"`
	Polls       int                   `json:"polls,omitempty"`
	Events      int                   `json:"events,omitempty"`
	Refused     int                   `json:"refused,omitempty"`
	Dropped     int                   `json:"dropped,omitempty"`
	Holes       int                   `json:"holes,omitempty"`
	Parked      []contract.ParkedItem `json:"parked,omitempty"`
	// Unparked names the entries that were parked, and now are handed over.
	Unparked   []string    `json:"unparked,omitempty"`
	Gaps       []event.Gap `json:"gaps,omitempty"`
	Samples    []string    `json:"samples,omitempty"`
	CatchingUp bool        `json:"catching_up,omitempty"`
	LastPoll   time.Time   `json:"last_poll,omitzero"`
	// Note is what a person should know of the feed though nothing is wrong.
	Note string `json:"note,omitempty"`
	// RewindError is why the position was not moved back.
	RewindError string `json:"rewind_error,omitempty"`
	// Error is why the last read failed; NotBefore when to try again.
	Error     string    `json:"error,omitempty"`
	NotBefore time.Time `json:"not_before,omitzero"`
}

const (
	samplesPerReading = 3
	// maxNote is how many bytes of a note are shown.
	maxNote = 160
)

// take adds one reading to the result, at the time it was read.
func (r *ReadFeedResult) take(got event.Reading, malformed []event.Entry, at time.Time) {
	r.Position = got.Position
	r.Marker, r.Newest = got.Marker, got.Newest
	r.Events += len(got.Entries) - len(malformed)
	r.Refused += got.Refused
	r.Dropped += got.Dropped
	r.Holes += got.Holes
	r.Gaps = append(r.Gaps, got.Gaps...)
	r.CatchingUp, r.Note = got.More, strings.ToValidUTF8(got.Note[:min(len(got.Note), maxNote)], "")
	r.Error, r.NotBefore = "", time.Time{}
	if got.Wait > 0 {
		r.NotBefore = at.Add(got.Wait)
	}
	for _, e := range malformed {
		r.Parked = append(r.Parked, contract.ParkedItem{Item: e.Item(), Reason: e.Malformed, Since: at})
	}
	for _, e := range got.Entries {
		if len(r.Samples) == samplesPerReading {
			break
		}
		r.Samples = append(r.Samples, sample(e))
	}
}

func sample(e event.Entry) string {
	switch {
	case e.Malformed != "":
		return e.ID + ": malformed: " + e.Malformed
	case e.Foreign == nil:
		return e.ID + ": " + e.Params["subject"]
	case e.Foreign.Comment != nil:
		return e.Foreign.TicketID + ": comment " + e.Foreign.Comment.ID + " on " + e.Foreign.Subject
	default:
		return e.Foreign.TicketID + ": " + e.Foreign.Type + " " + e.Foreign.Subject
	}
}

func split(all []event.Entry) (good, malformed []event.Entry) {
	for _, e := range all {
		if e.Malformed != "" {
			malformed = append(malformed, e)
			continue
		}
		good = append(good, e)
	}
	return good, malformed
}
