package workflows

import (
	"time"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
)

func (s *matchSuite) TestATicketClosedByAnAgentTakesNoMoreEvents() {
	s.send(0, s.alarm("e1", "a"))
	s.at(time.Hour, func() { s.desk.close("T1", s.env.Now()) })
	s.send(2*time.Hour, s.alarm("e2", "b"))
	view := s.run()
	s.Equal([]string{"create T1 Server down: a", "create T2 Server down: b"}, s.desk.written())
	s.Equal("completed", view.Requests[0].Fields.Status)
}

// The state was asked for less than a minute ago, so the delivery meets the
// closed ticket: the events are decided again, in their order, once.
func (s *matchSuite) TestEventsThatMeetAClosedTicketOpenTheNextRequestInOrder() {
	s.send(0, s.alarm("e1", "a"))
	s.at(20*time.Second, func() { s.desk.close("T1", s.env.Now()) })
	s.send(30*time.Second, s.alarm("e2", "b"), s.alarm("e3", "c", "status", "in_progress"), s.alarm("e4", "d"))
	view := s.run()
	s.Equal([]string{
		"create T1 Server down: a",
		"create T2 Server down: b", "comment T2: c", "patch T2 status=in_progress", "comment T2: d",
	}, s.desk.written())
	s.Require().Len(view.Requests, 2)
	s.Equal(1, view.Requests[0].Notes)
	s.Equal(3, view.Requests[1].Notes)
}

// What was received before the ticket was closed still goes to it.
func (s *matchSuite) TestAnEventReceivedBeforeTheCloseStaysWithItsTicket() {
	s.desk.on["comment"] = upTo(1, false, down(time.Hour))
	s.send(0, s.alarm("e1", "a"))
	s.send(time.Minute, s.alarm("e2", "b"))
	s.at(30*time.Minute, func() { s.desk.close("T1", s.env.Now()) })
	s.run()
	s.Equal([]string{"create T1 Server down: a", "comment T1: b"}, s.desk.written())
}

func (s *matchSuite) TestAWebhookTellsThatATicketIsClosed() {
	s.send(0, s.alarm("e1", "a"))
	s.signal(10*time.Second, contract.SignalTicketChanged, map[string]any{"ticket": "T1", "closed": true})
	s.signal(11*time.Second, contract.SignalTicketChanged, map[string]any{"ticket": "T9", "closed": true})
	s.look(12*time.Second, func(v contract.MatchView) {
		s.Equal("completed", v.Requests[0].Fields.Status)
		s.WithinDuration(s.begin.Add(10*time.Second), v.Requests[0].CompletedAt, time.Second, "also when the signal says no time")
		s.Equal(int64(1), v.Rejected)
		s.Contains(v.LastRejection, "T9")
	})
	s.send(20*time.Second, s.alarm("e2", "b"))
	s.run()
	s.Equal([]string{"create T1 Server down: a", "create T2 Server down: b"}, s.desk.written())
}

// The provider tells us of every change, our own as well.
func (s *matchSuite) TestOurOwnCloseThatComesBackChangesNothing() {
	s.send(0, s.alarm("e1", "a"))
	s.send(time.Minute, s.recovery("e2", "up"))
	s.signal(2*time.Minute, contract.SignalTicketChanged, map[string]any{"ticket": "T1", "closed": true})
	s.look(3*time.Minute, func(v contract.MatchView) {
		s.WithinDuration(s.begin.Add(time.Minute), v.Requests[0].CompletedAt, time.Second)
		s.Zero(v.Rejected)
	})
	view := s.run()
	s.Equal([]string{"create T1 Server down: a", "comment T1: up", "patch T1 resolution=solved status=completed"}, s.desk.written())
	s.Len(view.Requests, 1)
}

func (s *matchSuite) TestAnUnreachableProviderLeavesTheLastKnownState() {
	s.desk.on["get"] = upTo(1, false, down(time.Hour))
	s.send(0, s.alarm("e1", "a"))
	s.send(time.Hour, s.alarm("e2", "b"))
	s.look(time.Hour+10*time.Second, func(contract.MatchView) {
		s.Equal(event.Updated, s.answer("e2").Outcome, "decided in seconds")
	})
	s.run()
	s.Equal([]string{"create T1 Server down: a", "comment T1: b"}, s.desk.written())
}

// While an event asks whether the ticket is open, an older one may come back
// from the closed ticket: the older one is decided first.
func (s *matchSuite) TestAnOlderEventThatComesBackGoesFirst() {
	s.send(0, s.alarm("e1", "a"))
	s.at(20*time.Second, func() { s.desk.close("T1", s.env.Now()) })
	s.desk.on["get"] = func(n int) (bool, error) {
		if n == 1 {
			return false, down(50 * time.Second) // the delivery of e2
		}
		return true, nil
	}
	s.send(30*time.Second, s.alarm("e2", "b"))
	s.send(2*time.Minute, s.alarm("e3", "c"))
	s.run()
	s.Equal([]string{"create T1 Server down: a", "create T2 Server down: b", "comment T2: c"}, s.desk.written())
}

// The foreign ticket closes after an agent closed ours: the closing comment goes
// to the closed ticket; it opens no new one, and is not decided for ever.
func (s *matchSuite) TestAClosingForeignEntryGoesToTheTicketThatAnAgentClosed() {
	s.send(0, s.foreign("e1", "open", "first", 0))
	s.at(20*time.Second, func() { s.desk.close("T1", s.env.Now()) })
	s.send(30*time.Second, s.foreign("e2", "closed", "last words", 30*time.Second))
	s.run()
	s.Equal([]string{"create T1 Disk full: first", "comment T1: last words"}, s.desk.written())
}

func (s *matchSuite) TestAForeignEntryAfterTheAgentsCloseOpensTheNextTicket() {
	s.send(0, s.foreign("e1", "open", "first", 0))
	s.at(20*time.Second, func() { s.desk.close("T1", s.env.Now()) })
	s.send(30*time.Second, s.foreign("e2", "open", "second", 30*time.Second), s.foreign("e3", "open", "third", 31*time.Second))
	s.run()
	s.Equal([]string{"create T1 Disk full: first", "create T2 Disk full: second", "comment T2: third"}, s.desk.written())
}

func (s *matchSuite) TestAFreshRunAdoptsTheOpenTicketOfItsKey() {
	e := s.foreign("e1", "open", "hello", 0)
	s.desk.add(contract.KeyHash(e.Resolved.Key), time.Time{})
	s.send(0, e)
	view := s.run()
	s.Equal([]string{"comment T1: hello"}, s.desk.written())
	s.Equal("T1", view.Requests[0].Ticket.Key)
}

func (s *matchSuite) TestAnAdoptedTicketIsNotToldTwice() {
	e := s.foreign("e1", "open", "hello", 0)
	s.desk.add(contract.KeyHash(e.Resolved.Key), time.Time{})
	s.desk.tickets[0].operations = []string{contract.MatchID(integrationName, e.Resolved.Key) + "/comment/c-hello"}
	s.send(0, e)
	s.send(time.Minute, s.foreign("e2", "open", "news", time.Minute))
	s.run()
	s.Equal([]string{"comment T1: news"}, s.desk.written())
}

// The newest ticket of the key was closed before this event came: the event
// belongs to a new one, also when it brings no comment.
func (s *matchSuite) TestAFreshRunThatFindsAClosedTicketOpensTheNext() {
	for comment, description := range map[string]string{"hello": "hello", "": "Source: lon"} {
		s.SetupTest()
		e := s.foreign("e1", "open", comment, 0)
		s.desk.add(contract.KeyHash(e.Resolved.Key), s.begin.Add(-time.Hour))
		s.send(0, e)
		view := s.run()
		s.Equal([]string{"create T2 Disk full: " + description}, s.desk.written())
		s.Len(view.Requests, 2)
	}
}

func (s *matchSuite) TestAReplayedFirstEventWithoutATicketIsCountedNotTicketed() {
	e := s.foreign("e1", "open", "hello", 0)
	e.Replayed = true
	next := s.foreign("e2", "open", "more", time.Second)
	next.Replayed = true
	s.send(0, e, next)
	view := s.run()
	s.Empty(s.desk.written())
	s.Equal(int64(2), view.NotTicketed)
	s.Empty(view.Requests)
}

func (s *matchSuite) TestAReplayThatMayCreateMakesTheTicket() {
	e := s.foreign("e1", "open", "hello", 0)
	e.Replayed, e.Create = true, true
	s.send(0, e)
	s.run()
	s.Equal([]string{"create T1 Disk full: hello"}, s.desk.written())
}

// What a rewind only counted is made by a later one that may.
func (s *matchSuite) TestASecondReplayThatMayCreateMakesWhatTheFirstCounted() {
	e := s.foreign("e1", "open", "hello", 0)
	e.Replayed = true
	s.send(0, e)
	e.Create = true
	s.send(time.Hour, e)
	view := s.run()
	s.Equal([]string{"create T1 Disk full: hello"}, s.desk.written())
	s.Equal(int64(1), view.NotTicketed)
}

// New events that came while the replayed one looked for its ticket are decided
// as new ones.
func (s *matchSuite) TestNewEventsBehindAReplayedOneAreTicketed() {
	s.desk.on["find"] = upTo(1, false, down(time.Hour))
	e := s.foreign("e1", "open", "old", 0)
	e.Replayed = true
	s.send(0, e)
	s.send(time.Minute, s.foreign("e2", "open", "new", time.Minute))
	view := s.run()
	s.Equal([]string{"create T1 Disk full: new"}, s.desk.written())
	s.Equal(int64(1), view.NotTicketed)
}

func (s *matchSuite) TestAReplayedEventAdoptsAClosedTicketAndTellsItWhatItMissed() {
	e := s.foreign("e1", "open", "hello", 0)
	e.Replayed = true
	s.desk.add(contract.KeyHash(e.Resolved.Key), s.begin.Add(-time.Hour))
	s.send(0, e)
	view := s.run()
	s.Equal([]string{"comment T1: hello"}, s.desk.written())
	s.Equal("completed", view.Requests[0].Fields.Status)
}
