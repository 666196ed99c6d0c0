package workflows

import (
	"encoding/json"
	"errors"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/rest"
)

// Bounds that keep a feed's state under 16 KB, whatever happens; the position
// itself is at most 12 KB.
const (
	keptGaps    = 10
	keptParked  = 10
	keptSamples = 3
	keptText    = 160
)

// feedState is what a run of PollFeed hands to the next one.
type feedState struct {
	Position    json.RawMessage `json:"position,omitempty"`
	Integration string          `json:"integration,omitempty"`
	Marker      string          `json:"marker,omitempty"`
	Newest      time.Time       `json:"newest,omitzero"`
	LastPoll    time.Time       `json:"last_poll,omitzero"`
	NotBefore   time.Time       `json:"not_before,omitzero"`
	AtOnce      bool            `json:"at_once,omitempty"`
	Paused      bool            `json:"paused,omitempty"`
	// Blocked is why a person is needed before the feed can be read.
	Blocked string                 `json:"blocked,omitempty"`
	Rewind  *contract.RewindSignal `json:"rewind,omitempty"`
	// Create lets the replay that runs make tickets.
	Create        bool                   `json:"create,omitempty"`
	CatchingUp    bool                   `json:"catching_up,omitempty"`
	Failures      int                    `json:"failures,omitempty"`
	LastError     string                 `json:"last_error,omitempty"`
	Polls         int64                  `json:"polls,omitempty"`
	Events        int64                  `json:"events,omitempty"`
	Refused       int64                  `json:"refused,omitempty"`
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
		AtOnce: s.AtOnce || s.CatchingUp, Rewind: s.Rewind, Create: s.Create, Failures: s.Failures,
	}
}

// take adds what a ReadFeed brought. Only a configuration error ends a ReadFeed
// with an error that Temporal does not retry.
func (s *feedState) take(r activities.ReadFeedResult, err error) {
	if err != nil {
		s.block(err)
		return
	}
	s.Position, s.Rewind = r.Position, nil
	s.Integration = r.Integration
	if r.Marker != "" {
		s.Marker, s.Newest = r.Marker, r.Newest
	}
	if !r.LastPoll.IsZero() {
		s.LastPoll = r.LastPoll
	}
	s.NotBefore, s.CatchingUp = r.NotBefore, r.CatchingUp
	s.Polls += int64(r.Polls)
	s.Events += int64(r.Events)
	s.Refused += int64(r.Refused)
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
	if r.Polls > 0 {
		s.Failures, s.LastError = 0, ""
	}
	if !r.CatchingUp {
		s.Create = false
	}
}

func (s *feedState) block(err error) {
	message := err.Error()
	if app, ok := errors.AsType[*temporal.ApplicationError](err); ok {
		message = app.Message()
	}
	s.Blocked = rest.Truncate(message, 2*keptText)
	s.LastError = s.Blocked
}

// park remembers entries that could not be handed over. The oldest give way
// when there are too many: they stay counted, and named in the history.
func (s *feedState) park(items []contract.ParkedItem) {
	for _, item := range items {
		s.Malformed++
		if slices.ContainsFunc(s.Parked, func(p contract.ParkedItem) bool { return p.Item == item.Item }) {
			continue
		}
		item.Reason = rest.Truncate(item.Reason, keptText)
		s.Parked = append(s.Parked, item)
	}
	s.Parked = newest(s.Parked, keptParked)
}

func (s *feedState) redelivered(item string, r activities.RedeliverResult, err error) {
	reason := r.Malformed
	if err != nil {
		reason = err.Error()
		if app, ok := errors.AsType[*temporal.ApplicationError](err); ok {
			reason = app.Message()
		}
	}
	if reason == "" {
		s.discard(item)
		s.Events++
		return
	}
	for i := range s.Parked {
		if s.Parked[i].Item == item {
			s.Parked[i].Reason = rest.Truncate(reason, keptText)
		}
	}
}

func (s *feedState) discard(item string) {
	s.Parked = slices.DeleteFunc(s.Parked, func(p contract.ParkedItem) bool { return item == "" || p.Item == item })
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
		Feed: name, State: s.bridgeState(), Marker: s.Marker, Newest: s.Newest, Position: s.Position,
		LastPoll: s.LastPoll, Polls: s.Polls, Events: s.Events, Refused: s.Refused, Malformed: s.Malformed,
		CatchingUp: s.CatchingUp, LastError: s.LastError, Gaps: s.Gaps, GapCount: s.GapCount, Parked: s.Parked,
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
