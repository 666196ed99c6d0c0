package workflows

import (
	"time"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
)

func (s *matchSuite) TestLaterCommentsOvertakeAParkedOne() {
	s.desk.on["comment"] = upTo(1, false, refused("too strange"))
	s.send(0, s.alarm("e1", "a"))
	s.send(time.Minute, s.alarm("e2", "b"), s.alarm("e3", "c"))
	s.look(time.Hour, func(v contract.MatchView) {
		s.Equal([]string{"create T1 Server down: a", "comment T1: c"}, s.desk.written())
		s.Require().Len(v.Requests[0].Pending, 1)
		s.Contains(v.Requests[0].Pending[0].Parked, "too strange")
		s.Equal([]string{"text"}, v.Requests[0].Pending[0].Set)
	})
	s.signal(2*time.Hour, contract.SignalRetry, contract.ItemSignal{})
	s.run()
	s.Equal([]string{"create T1 Server down: a", "comment T1: c", "comment T1: b"}, s.desk.written())
}

// A close that the provider has no transition for is shown to a person, who
// says what it takes; what comes meanwhile is told all the same.
func (s *matchSuite) TestACloseThatTheProviderRefusesIsShownAndHoldsUpNothing() {
	s.desk.on["patch"] = upTo(1, false, refused("status completed: no transition leads there; reachable: In Review"))
	s.send(0, s.alarm("e1", "a"))
	s.send(time.Minute, s.recovery("e2", "up"))
	s.send(2*time.Minute, s.alarm("e3", "down once more"))
	s.look(time.Hour, func(v contract.MatchView) {
		s.Equal([]string{"create T1 Server down: a", "comment T1: up", "create T2 Server down: down once more"}, s.desk.written())
		s.Require().Len(v.Requests[0].Pending, 1)
		s.Contains(v.Requests[0].Pending[0].Parked, "reachable: In Review")
		s.Contains(v.Requests[0].Pending[0].Set, "status")
	})
	s.signal(2*time.Hour, contract.SignalAmend, contract.AmendSignal{Item: "3", Set: map[string]string{"status": "In Review"}})
	s.run()
	s.Equal("patch T1 resolution=solved status=In Review", s.desk.written()[3])
}

func (s *matchSuite) TestAParkedCreateHoldsItsRequest() {
	s.desk.on["create"] = upTo(1, false, refused("name is too long"))
	s.send(0, s.alarm("e1", "a"))
	s.send(time.Minute, s.alarm("e2", "b"))
	s.look(time.Hour, func(v contract.MatchView) { s.Empty(s.desk.written()) })
	s.signal(2*time.Hour, contract.SignalAmend, contract.AmendSignal{Item: "1", Set: map[string]string{"name": "Shorter"}})
	s.run()
	s.Equal([]string{"create T1 Shorter: a", "comment T1: b"}, s.desk.written())
}

// The run goes on until a person dealt with what is parked.
func (s *matchSuite) TestAParkedItemOutlivesTheMemory() {
	s.desk.on["create"] = upTo(1, false, refused("no"))
	s.send(0, s.alarm("e1", "a"))
	s.signal(60*24*time.Hour, contract.SignalRetry, contract.ItemSignal{Item: "1"})
	s.run()
	s.Equal([]string{"create T1 Server down: a"}, s.desk.written())
}

// A discarded create takes with it what waited for the ticket; the next event
// opens a request of its own.
func (s *matchSuite) TestDiscardingACreateEndsItsRequest() {
	s.desk.on["create"] = upTo(1, false, refused("no"))
	s.send(0, s.alarm("e1", "a"), s.alarm("e2", "b"))
	s.signal(time.Minute, contract.SignalDiscard, contract.ItemSignal{Item: "1"})
	s.send(2*time.Minute, s.alarm("e3", "c"))
	view := s.run()
	s.Equal([]string{"create T1 Server down: c"}, s.desk.written())
	s.Len(view.Requests, 2)
	s.Nil(view.Requests[0].Ticket)
}

// Late entries of a request without a ticket have nowhere to go; they must not
// hold the run open, or break it.
func (s *matchSuite) TestALateEntryOfADiscardedRequestIsDropped() {
	s.desk.on["create"] = upTo(1, false, refused("no"))
	s.send(0, s.foreign("e1", "open", "a", time.Minute))
	s.signal(time.Minute, contract.SignalDiscard, nil)
	s.send(2*time.Minute, s.foreign("e2", "open", "late", 0))
	s.run()
	s.Empty(s.desk.written())
}

func (s *matchSuite) TestAnAmendmentThatTheItemHasNoPlaceForIsRefused() {
	s.desk.on["comment"] = upTo(1, false, refused("no"))
	s.send(0, s.alarm("e1", "a"))
	s.send(time.Minute, s.alarm("e2", "b"))
	s.signal(time.Hour, contract.SignalAmend, contract.AmendSignal{Item: "2", Set: map[string]string{"txet": "better"}})
	s.look(2*time.Hour, func(v contract.MatchView) {
		s.Len(v.Requests[0].Pending, 1, "still parked")
		s.Contains(v.LastRejection, "set.txet: want text")
	})
	s.signal(3*time.Hour, contract.SignalAmend, contract.AmendSignal{Item: "2", Set: map[string]string{"text": "better"}})
	s.run()
	s.Equal([]string{"create T1 Server down: a", "comment T1: better"}, s.desk.written())
}

func (s *matchSuite) TestALostCreateIsSearchedForTwiceBeforeItIsMadeAgain() {
	s.desk.on["create"] = upTo(1, false, unanswered())
	s.desk.indexed = false
	s.send(0, s.alarm("e1", "a"))
	s.run()
	s.Equal(2, s.desk.count("recover"))
	s.Equal(1, s.desk.count("find"), "the index is asked before the second try only")
	s.Equal([]string{"create T1 Server down: a"}, s.desk.written())
}

func (s *matchSuite) TestACreateThatHappenedUnseenIsFound() {
	s.desk.on["create"] = upTo(1, true, unanswered())
	s.send(0, s.alarm("e1", "a"))
	s.send(time.Minute, s.alarm("e2", "b"))
	s.run()
	s.Equal(1, s.desk.count("create"))
	s.Equal([]string{"create T1 Server down: a", "comment T1: b"}, s.desk.written())
}

func (s *matchSuite) TestACommentThatHappenedUnseenIsFound() {
	s.desk.on["comment"] = upTo(1, true, unanswered())
	s.send(0, s.alarm("e1", "a"))
	s.send(time.Minute, s.alarm("e2", "b"))
	s.run()
	s.Equal(1, s.desk.count("comment"))
}

// Code that panics in a create is shown to a person; a retry searches first.
func (s *matchSuite) TestAPanicInACreateIsParkedAndItsRetrySearches() {
	s.desk.on["create"] = func(n int) (bool, error) {
		if n == 1 {
			panic("a bug")
		}
		return true, nil
	}
	s.send(0, s.alarm("e1", "a"))
	s.look(time.Minute, func(v contract.MatchView) { s.Contains(v.Requests[0].Pending[0].Parked, "a bug") })
	s.signal(2*time.Minute, contract.SignalRetry, contract.ItemSignal{Item: "1"})
	s.run()
	s.Equal(2, s.desk.count("recover"))
	s.Equal([]string{"create T1 Server down: a"}, s.desk.written())
}

// typed is an event as a person types it: not resolved.
func (s *matchSuite) typed(id, note string, more ...string) event.Event {
	e := s.alarm(id, note, more...)
	e.Resolved = nil
	return e
}

func (s *matchSuite) TestATypedEventIsResolvedAndKeepsItsPlace() {
	s.send(0, s.alarm("e1", "a"))
	s.send(time.Minute, s.alarm("e2", "b"), s.typed("e3", "c"), s.alarm("e4", "d"))
	s.run()
	s.Equal([]string{"create T1 Server down: a", "comment T1: b", "comment T1: c", "comment T1: d"}, s.desk.written())
}

func (s *matchSuite) TestATypedEventOfAnotherKeyIsParkedAndNamesItsWorkflow() {
	s.send(0, s.alarm("e1", "a"))
	wrong := s.typed("e2", "b", "source", "Zabbix")
	s.send(time.Minute, wrong, s.alarm("e3", "c"))
	right := s.alarm("e2", "b", "source", "Zabbix").Resolved.Key
	s.look(time.Hour, func(v contract.MatchView) {
		s.Require().Len(v.Parked, 1)
		s.Contains(v.Parked[0].Parked, contract.MatchID(integrationName, right))
	})
	s.signal(2*time.Hour, contract.SignalAmend, contract.AmendSignal{Item: "2", Set: map[string]string{"source": "Nagios"}})
	s.run()
	s.Equal([]string{"create T1 Server down: a", "comment T1: c", "comment T1: b"}, s.desk.written())
}

// However it came: an event that is resolved for another key has no business here.
func (s *matchSuite) TestAResolvedEventOfAnotherKeyIsParked() {
	s.send(0, s.alarm("e1", "a"), s.alarm("e2", "b", "source", "Zabbix"))
	s.look(time.Minute, func(v contract.MatchView) { s.Len(v.Parked, 1) })
	s.signal(time.Hour, contract.SignalDiscard, contract.ItemSignal{})
	view := s.run()
	s.Equal([]string{"create T1 Server down: a"}, s.desk.written())
	s.Empty(view.Parked)
}

func (s *matchSuite) TestParkedEventsAreBounded() {
	s.send(0, s.alarm("e1", "a"))
	for n := range 30 {
		s.send(time.Minute, s.alarm("wrong"+string(rune('a'+n)), "b", "source", "Zabbix"))
	}
	s.look(time.Hour, func(v contract.MatchView) {
		s.Len(v.Parked, keptParkedEvents)
		s.Equal(int64(10), v.Rejected)
		s.Contains(v.LastRejection, "no room")
	})
	s.signal(2*time.Hour, contract.SignalDiscard, nil)
	s.run()
}
