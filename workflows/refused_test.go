package workflows

import (
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
)

// ofFeed is an alarm that a feed brought.
func (s *matchSuite) ofFeed(id, note string, more ...string) event.Event {
	e := s.alarm(id, note, more...)
	e.Caller = "feed:acronis"
	return e
}

// outcome asks for the decision about an event.
func (s *matchSuite) outcome(id string) contract.OutcomeAnswer {
	value, err := s.env.QueryWorkflow(contract.UpdateOutcome, contract.OutcomeRequest{EventID: id})
	s.Require().NoError(err)
	var answer contract.OutcomeAnswer
	s.Require().NoError(value.Get(&answer))
	return answer
}

func (s *matchSuite) TestAFeedsEventThatTheRulesRefuseIsParkedAndAmended() {
	s.send(0, s.ofFeed("e1", "a", "subject", ""))
	s.look(time.Hour, func(v contract.MatchView) {
		s.Empty(s.desk.written())
		s.Require().Len(v.Parked, 1)
		s.Equal("invalid event: subject can't be blank", v.Parked[0].Parked)
		s.Equal(kindEvent, v.Parked[0].Kind)
		answer := s.outcome("e1")
		s.True(answer.Known)
		s.Equal(event.Rejected, answer.Outcome)
		s.Equal([][2]string{{"subject", "can't be blank"}}, answer.Errors)
	})
	// Longer than the memory: what is parked waits for a person.
	s.signal(30*24*time.Hour, contract.SignalRetry, contract.ItemSignal{Item: "1"})
	s.look(30*24*time.Hour+time.Minute, func(v contract.MatchView) {
		s.Require().Len(v.Parked, 1, "still refused")
		s.Equal("2", v.Parked[0].Item)
	})
	s.signal(31*24*time.Hour, contract.SignalAmend, contract.AmendSignal{Item: "2", Set: map[string]string{"subject": "Disk full"}})
	s.look(31*24*time.Hour+time.Minute, func(contract.MatchView) { s.Equal(event.Created, s.outcome("e1").Outcome) })
	view := s.run()
	s.Equal([]string{"create T1 Disk full: a"}, s.desk.written())
	s.Empty(view.Parked)
}

// The request that is open takes no harm, and what comes later overtakes.
func (s *matchSuite) TestARefusedUpdateOfAFeedIsParkedAlone() {
	s.send(0, s.ofFeed("e1", "a"))
	s.send(time.Minute, s.ofFeed("e2", "b", "status", "waiting_for"), s.ofFeed("e3", "c"))
	s.look(time.Hour, func(v contract.MatchView) {
		s.Equal([]string{"create T1 Server down: a", "comment T1: c"}, s.desk.written())
		s.Require().Len(v.Parked, 1)
		s.Contains(v.Parked[0].Parked, "waiting_until")
	})
	s.signal(2*time.Hour, contract.SignalDiscard, nil)
	view := s.run()
	s.Equal([]string{"create T1 Server down: a", "comment T1: c"}, s.desk.written())
	s.Empty(view.Parked)
}

// A caller got the errors as the answer.
func (s *matchSuite) TestACallersEventThatTheRulesRefuseIsNotParked() {
	s.send(0, s.alarm("e1", "a", "subject", ""))
	s.look(time.Hour, func(v contract.MatchView) {
		s.Empty(v.Parked)
		s.Equal(event.Rejected, s.outcome("e1").Outcome)
	})
	s.run()
}

func (s *matchSuite) TestARefusedEventWaitsAcrossContinueAsNew() {
	s.send(0, s.ofFeed("e1", "a", "subject", ""))
	s.continueAt(time.Minute)
	s.signal(2*time.Minute, "nobody reads this", nil)
	s.runToNext()
	s.signal(time.Hour, contract.SignalAmend, contract.AmendSignal{Item: "1", Set: map[string]string{"subject": "Disk full"}})
	s.run()
	s.Equal([]string{"create T1 Disk full: a"}, s.desk.written())
}

// Handed over once more it stays parked once; with what a mended transform makes
// of it, it is decided as it is now.
func (s *matchSuite) TestARefusedEventThatComesMendedIsDecided() {
	s.send(0, s.ofFeed("e1", "a", "subject", ""))
	s.send(time.Minute, s.ofFeed("e1", "a", "subject", ""))
	s.look(time.Hour, func(v contract.MatchView) {
		s.Len(v.Parked, 1)
		s.EqualValues(1, v.Duplicates)
	})
	mended := s.ofFeed("e1", "a", "subject", "Disk full")
	mended.Replayed, mended.Create = true, true
	s.send(2*time.Hour, mended)
	view := s.run()
	s.Equal([]string{"create T1 Disk full: a"}, s.desk.written())
	s.Empty(view.Parked)
}

// An old event that a person asks for may make its ticket.
func (s *matchSuite) TestAReplayedEventThatWasRefusedMakesATicketOnceAmended() {
	e := s.ofFeed("e1", "a", "subject", "")
	e.Replayed = true
	s.send(0, e)
	s.signal(time.Hour, contract.SignalAmend, contract.AmendSignal{Item: "1", Set: map[string]string{"subject": "Disk full"}})
	s.run()
	s.Equal([]string{"create T1 Disk full: a"}, s.desk.written())
}

// One with a long note is kept whole; many are bounded, and the oldest named.
func (s *matchSuite) TestRefusedEventsAreBounded() {
	s.send(0, s.ofFeed("long", strings.Repeat("x", 60<<10), "subject", ""))
	s.look(time.Minute, func(v contract.MatchView) { s.Len(v.Parked, 1) })
	for n := range 30 {
		s.send(time.Hour, s.ofFeed(fmt.Sprint("e", n), fmt.Sprint(n), "subject", ""))
	}
	s.look(2*time.Hour, func(v contract.MatchView) {
		s.Len(v.Parked, keptParkedEvents)
		s.EqualValues(11, v.Rejected)
		s.Contains(v.LastRejection, "subject can't be blank")
	})
	s.signal(3*time.Hour, contract.SignalDiscard, nil)
	s.run()
}

// A run that met a refused event before there was room for it goes on as it did.
// (The history MatchEvents-feed-refused-unparked is of that version.)
func (s *matchSuite) TestARunOfBeforeParksNothingThatWasRefused() {
	s.env.OnGetVersion(changeParkRefused, workflow.DefaultVersion, 1).Return(workflow.DefaultVersion)
	s.send(0, s.ofFeed("e1", "a", "subject", ""))
	s.look(time.Hour, func(v contract.MatchView) { s.Empty(v.Parked) })
	s.run()
}
