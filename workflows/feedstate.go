package workflows

import (
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/rest"
)

// Bounds that keep a feed's state small; the position itself is at most 12 KB.
const (
	keptGaps    = 10
	keptParked  = 10
	keptSamples = 3
	keptText    = 160
	// maxBlockedTimes is more than the longest wait needs.
	maxBlockedTimes = 10
	// maxFeedState is what a run hands to the next one at most.
	maxFeedState = 16 << 10
)

// feedState is what a run of PollFeed hands to the next one.
type feedState struct {
	// Reader is who reads the feed, whichever worker does it.
	Reader      string          `json:"reader,omitempty"`
	Position    json.RawMessage `json:"position,omitempty"`
	Integration string          `json:"integration,omitempty"`
	Match       event.Policy    `json:"match,omitempty"`
	Marker      string          `json:"marker,omitempty"`
	Newest      time.Time       `json:"newest,omitzero"`
	LastPoll    time.Time       `json:"last_poll,omitzero"`
	NotBefore   time.Time       `json:"not_before,omitzero"`
	AtOnce      bool            `json:"at_once,omitempty"`
	Paused      bool            `json:"paused,omitempty"`
	// Blocked is why a person is needed before the feed can be read.
	Blocked string `json:"blocked,omitempty"`
	// BlockedTimes counts the reads that were blocked one after the other.
	BlockedTimes int                    `json:"blocked_times,omitempty"`
	Rewind       *contract.RewindSignal `json:"rewind,omitempty"`
	// Create lets the replay that runs make tickets.
	Create        bool                   `json:"create,omitempty"`
	CatchingUp    bool                   `json:"catching_up,omitempty"`
	Failures      int                    `json:"failures,omitempty"`
	LastError     string                 `json:"last_error,omitempty"`
	Note          string                 `json:"note,omitempty"`
	Polls         int64                  `json:"polls,omitempty"`
	Events        int64                  `json:"events,omitempty"`
	Refused       int64                  `json:"refused,omitempty"`
	Dropped       int64                  `json:"dropped,omitempty"`
	Holes         int64                  `json:"holes,omitempty"`
	Malformed     int64                  `json:"malformed,omitempty"`
	Gaps          []event.Gap            `json:"gaps,omitempty"`
	GapCount      int64                  `json:"gap_count,omitempty"`
	Parked        []contract.ParkedItem  `json:"parked,omitempty"`
	Redeliver     []contract.AmendSignal `json:"redeliver,omitempty"`
	Rejected      int64                  `json:"rejected,omitempty"`
	LastRejection string                 `json:"last_rejection,omitempty"`
	Samples       []string               `json:"samples,omitempty"`
}

func (s *feedState) readInput(feed string) activities.ReadFeedInput {
	return activities.ReadFeedInput{
		Feed: feed, Position: s.Position, LastPoll: s.LastPoll, NotBefore: s.NotBefore,
		AtOnce: s.AtOnce || s.CatchingUp, Reader: s.Reader, Rewind: s.Rewind, Create: s.Create, Failures: s.Failures,
		Note: s.Note, Parked: s.parkedNames(),
	}
}

// parkedNames names the parked entries; nil where there are none.
func (s *feedState) parkedNames() []string {
	var names []string
	for _, p := range s.Parked {
		names = append(names, p.Item)
	}
	return names
}

// take adds what a ReadFeed brought. Only a configuration error ends a ReadFeed
// with an error that Temporal does not retry.
func (s *feedState) take(r activities.ReadFeedResult, err error) {
	if err != nil {
		s.block(err)
		return
	}
	s.Position, s.Rewind = r.Position, nil
	s.Integration, s.Match = r.Integration, r.Match
	if r.Marker != "" {
		s.Marker, s.Newest = r.Marker, r.Newest
	}
	if !r.LastPoll.IsZero() {
		s.LastPoll = r.LastPoll
	}
	s.NotBefore = r.NotBefore
	if r.Polls > 0 {
		s.CatchingUp, s.Note = r.CatchingUp, rest.Truncate(r.Note, keptText)
	}
	s.Polls += int64(r.Polls)
	s.Events += int64(r.Events)
	s.Refused += int64(r.Refused)
	s.Dropped += int64(r.Dropped)
	s.Holes += int64(r.Holes)
	s.GapCount += int64(len(r.Gaps))
	for _, gap := range r.Gaps {
		gap.Reason = rest.Truncate(gap.Reason, keptText)
		s.Gaps = append(s.Gaps, gap)
	}
	s.Gaps = newest(s.Gaps, keptGaps)
	s.park(r.Parked)
	for _, sample := range r.Samples {
		s.Samples = append(s.Samples, rest.Truncate(sample, keptText))
	}
	s.Samples = newest(s.Samples, keptSamples)
	s.noteErrors(r)
	if r.Polls > 0 {
		s.Blocked, s.BlockedTimes = "", 0 // it can be read again
	}
}

func (s *feedState) noteErrors(r activities.ReadFeedResult) {
	if r.RewindError != "" {
		s.reject("rewind", errors.New(r.RewindError))
	}
	if r.Error != "" {
		s.Failures++
		s.LastError = rest.Truncate(r.Error, keptText)
		return
	}
	if r.Polls == 0 {
		return // it only waited: whatever it was to do is still to be done
	}
	s.Failures, s.LastError = 0, ""
	if !r.CatchingUp {
		s.Create = false
	}
}

func (s *feedState) block(err error) {
	s.BlockedTimes = min(s.BlockedTimes+1, maxBlockedTimes)
	s.Blocked = rest.Truncate(errorText(err), 2*keptText)
	s.LastError = s.Blocked
}

// bound makes the state fit: samples go first, then reasons are shortened, then
// the oldest gaps and parked entries go, which stay counted and in the history.
func (s *feedState) bound() {
	if encodedSize(s) > maxFeedState {
		s.Samples = nil
		for i := range s.Parked {
			s.Parked[i].Reason = rest.Truncate(s.Parked[i].Reason, keptText/4)
		}
	}
	for encodedSize(s) > maxFeedState && len(s.Gaps)+len(s.Parked) > 0 {
		s.Gaps, s.Parked = newest(s.Gaps, max(len(s.Gaps)-1, 0)), newest(s.Parked, max(len(s.Parked)-1, 0))
	}
}

// park remembers entries that could not be handed over. The oldest give way
// when there are too many: they stay counted, and named in the history.
func (s *feedState) park(items []contract.ParkedItem) {
	for _, item := range items {
		if slices.ContainsFunc(s.Parked, func(p contract.ParkedItem) bool { return p.Item == item.Item }) {
			continue // read again
		}
		s.Malformed++
		item.Reason = rest.Truncate(item.Reason, keptText)
		s.Parked = append(s.Parked, item)
	}
	s.Parked = newest(s.Parked, keptParked)
}

// redelivered notes how a hand-over of a parked entry ended, and reports whether
// it is parked no longer.
func (s *feedState) redelivered(item string, r activities.RedeliverResult, err error) bool {
	reason := r.Malformed
	if err != nil {
		reason = errorText(err)
	}
	if reason == "" {
		s.Events++
		return s.discard(item) > 0
	}
	for i := range s.Parked {
		if s.Parked[i].Item == item {
			s.Parked[i].Reason = rest.Truncate(reason, keptText)
		}
	}
	return false
}

// discard forgets a parked entry, all of them when item is empty.
func (s *feedState) discard(item string) int {
	before := len(s.Parked)
	s.Parked = slices.DeleteFunc(s.Parked, func(p contract.ParkedItem) bool { return item == "" || p.Item == item })
	return before - len(s.Parked)
}

func (s *feedState) reject(signal string, err error) {
	s.Rejected++
	s.LastRejection = rest.Truncate(signal+": "+err.Error(), 2*keptText)
}

// bridgeState is the value of BridgeState.
func (s *feedState) bridgeState() string {
	switch {
	case s.Blocked != "":
		return contract.StateBlocked
	case s.Paused:
		return contract.StatePaused
	case len(s.Parked) > 0:
		return contract.StateParked
	default:
		return contract.StatePolling
	}
}

func (s *feedState) view(name string) contract.FeedView {
	return contract.FeedView{
		Feed: name, State: s.bridgeState(), Match: s.Match, Marker: s.Marker, Newest: s.Newest, Position: s.Position,
		LastPoll: s.LastPoll, Polls: s.Polls, Events: s.Events,
		Refused: s.Refused, Dropped: s.Dropped, Holes: s.Holes, Malformed: s.Malformed,
		CatchingUp: s.CatchingUp, LastError: s.LastError, Note: s.Note, Gaps: s.Gaps, GapCount: s.GapCount, Parked: s.Parked,
		Rejected: s.Rejected, LastRejection: s.LastRejection, Samples: s.Samples,
	}
}

// newest keeps the last n of a list.
func newest[T any](list []T, n int) []T {
	if len(list) <= n {
		return list
	}
	return slices.Clone(list[len(list)-n:])
}
