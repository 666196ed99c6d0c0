package workflows

import (
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/matching"
)

// changeParkRefused marks the runs that park what the rules refuse. Only a run
// that comes to it pays for the marker; runs that began before the change and
// met such an event without parking it go on as they did.
const changeParkRefused = "park-refused-feed-events"

// refuse parks an event that the rules refuse, where nobody else learns of it: a
// caller gets the errors as an answer, a feed has nobody to answer to.
func (m *matchKey) refuse(ctx workflow.Context, e event.Event, errs [][2]string) {
	if !strings.HasPrefix(e.Caller, "feed:") {
		return
	}
	if workflow.GetVersion(ctx, changeParkRefused, workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		return
	}
	reason := (&matching.Invalid{Errors: errs}).Error()
	if e.Foreign == nil {
		e.Resolved = nil // a retry resolves it anew, by the catalog of that time
	}
	m.parkEvent(ctx, &parkedEvent{Event: e, Reason: reason, Refused: true})
}

// mended reports whether an event that is known is to be decided all the same:
// it is parked because the rules refused it, and now comes with other parameters
// (the feed's transform was mended, and the feed rewound).
func (m *matchKey) mended(ctx workflow.Context, e event.Event) bool {
	for _, p := range m.state.Parked {
		if p.Refused && p.Event.ID == e.ID && p.Event.Params.Canonical() != e.Params.Canonical() {
			m.unpark(ctx, p.Item)
			return true
		}
	}
	return false
}
