package workflows

import (
	"encoding/json"
	"time"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/contract"
)

// A rewind that hands a parked entry over takes it from the list.
func (s *feedSuite) TestAParkedEntryThatIsHandedOverIsParkedNoLonger() {
	parked := []contract.ParkedItem{{Item: "a", Reason: "bad"}, {Item: "b", Reason: "bad"}}
	s.script = append(s.script,
		brings(activities.ReadFeedResult{Polls: 1, Parked: parked}),
		brings(activities.ReadFeedResult{Polls: 1, Events: 1, Unparked: []string{"a", "never parked"}}))
	state := s.run(time.Hour)
	s.Require().Len(state.Parked, 1)
	s.Equal("b", state.Parked[0].Item)
	s.EqualValues(2, state.Malformed)
	s.Require().Greater(len(s.reads), 2)
	s.Nil(s.reads[0].Parked)
	s.Equal([]string{"a", "b"}, s.reads[1].Parked)
	s.Equal([]string{"b"}, s.reads[2].Parked)
}

// The reading knows the note that is shown, in the next run as well; a state of
// a version without it knows none.
func (s *feedSuite) TestTheReadingKnowsTheNote() {
	s.input.State = json.RawMessage(`{"reader":"r","polls":3,"parked":[{"item":"old","reason":"bad"}]}`)
	s.script = append(s.script, brings(activities.ReadFeedResult{Polls: 1, Note: "standing by"}))
	s.look(time.Second, func(v contract.FeedView) { s.Equal("standing by", v.Note) })
	s.at(time.Minute, func() { s.script = append(s.script, brings(activities.ReadFeedResult{Polls: 1, Note: "reads on"})) })
	state := s.run(2 * time.Minute)
	s.Empty(s.reads[0].Note)
	s.Equal([]string{"old"}, s.reads[0].Parked)
	s.Equal("standing by", s.reads[1].Note)
	s.Equal("reads on", s.reads[len(s.reads)-1].Note)
	s.Len(state.Parked, 1)
}
