package workflows

import (
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func notFound() error {
	return &ticket.Error{Kind: ticket.NotFound, Op: "comment on T9", Status: 404, Message: "no such ticket"}
}

// A refusal changed nothing: the caller gets it at once, and posting the write
// again is another try.
func (s *writeSuite) TestARefusalEndsAWriteThatIsWaitedFor() {
	for kind, err := range map[string]error{
		"permanent": refused("name is too long"), "not_found": notFound(),
		"not_supported": &ticket.Error{Kind: ticket.NotSupported, Op: "create_ticket", Message: "no such operation"},
		"closed":        &ticket.Error{Kind: ticket.Closed, Op: "create_ticket", Message: "it is closed"},
	} {
		s.SetupTest()
		s.desk.on["create"] = always(false, err)
		waits := s.ask(0, "")
		outcome := s.run()
		s.Equal(contract.WriteRefused, outcome.Status, kind)
		s.Equal(kind, outcome.Error.Kind)
		s.Equal(err.Error(), outcome.Error.Message)
		s.Equal(outcome, waits.answer.Outcome, kind)
		s.Less(s.took(), time.Second, kind)
		s.Equal(1, s.desk.count("create"), kind)
	}
}

func (s *writeSuite) TestAnOperatorThatTheProviderLacksIsNotSupported() {
	s.write(contract.WriteCreateNote, "T1", "", ticket.NewNote{Content: "c"})
	s.desk.lacks = true
	outcome := s.run()
	s.Equal(contract.WriteRefused, outcome.Status)
	s.Equal("not_supported", outcome.Error.Kind)
}

func (s *writeSuite) TestTroubleHealsByItself() {
	for _, err := range []error{
		down(time.Hour),
		&ticket.Error{Kind: ticket.Credentials, Op: "create", Status: 401, Message: "who are you?", RetryAfter: time.Hour},
		&ticket.Error{Kind: ticket.RateLimited, Op: "create", Status: 429, Message: "slow down", RetryAfter: time.Hour},
	} {
		s.SetupTest()
		s.desk.on["create"] = upTo(3, false, err)
		s.Equal(contract.WriteOK, s.run().Status)
		s.Greater(s.took(), 3*time.Hour)
	}
}

// What was promised with a 202 is not given up without a person.
func (s *writeSuite) TestARefusalAfterA202IsParked() {
	s.desk.on["create"] = func(n int) (bool, error) {
		switch n {
		case 1:
			return false, down(time.Minute)
		case 2:
			return false, refused("name is too long")
		}
		return true, nil
	}
	s.signal(time.Second, contract.SignalAsync, nil)
	s.look(time.Hour, func(v contract.WriteView) {
		s.True(v.Async)
		s.Require().Len(v.Parked, 1)
		s.Contains(v.Parked[0].Parked, "name is too long")
		s.Equal(contract.WriteCreateTicket, v.Parked[0].Kind)
		s.Contains(v.Parked[0].Set, "name")
		s.Equal(contract.WriteParked, v.Outcome.Status)
	})
	waits := s.ask(time.Hour, "")
	s.signal(2*time.Hour, contract.SignalAmend, contract.AmendSignal{Item: "2", Set: map[string]string{"name": "Short"}})
	s.signal(2*time.Hour, contract.SignalAmend, contract.AmendSignal{Item: "1", Set: map[string]string{"nmae": "Short"}})
	s.look(3*time.Hour, func(v contract.WriteView) {
		s.Equal(int64(2), v.Rejected)
		s.Contains(v.LastRejection, "set.nmae: want name, ")
	})
	s.signal(4*time.Hour, contract.SignalAmend, contract.AmendSignal{Item: "1", Set: map[string]string{"name": "Short"}})
	s.Equal(contract.WriteOK, s.run().Status)
	s.Equal([]string{"create T1 Short: "}, s.desk.written())
	s.True(waits.done)
	s.Equal(contract.WriteParked, waits.answer.Outcome.Status, "who waits is told that a person is needed")
	s.Less(s.took(), 4*time.Hour+rejoin, "its caller has a 2xx: an equal write is another one")
}

// The 202 and the refusal may cross: here a run begins with both.
func (s *writeSuite) TestARefusalThatCrossesA202IsParked() {
	_, s.input.BodyHash, _ = strings.Cut(s.id(), integrationName+":")
	s.input.FirstScheduledAt = s.begin
	s.input.State = []byte(`{"since":"2026-03-02T08:00:00Z","outcome":{"done":true,"status":"refused","error":{"kind":"permanent","message":"no such project"}}}`)
	s.signal(0, contract.SignalAsync, nil)
	s.look(time.Minute, func(v contract.WriteView) { s.Equal("no such project", v.Parked[0].Parked) })
	s.signal(time.Hour, contract.SignalRetry, contract.ItemSignal{})
	s.Equal(contract.WriteOK, s.run().Status)
	s.Len(s.desk.tickets, 1)
}

func (s *writeSuite) TestADiscardedWriteEnds() {
	s.desk.on["create"] = always(false, refused("no"))
	s.signal(0, contract.SignalAsync, nil)
	s.signal(time.Hour, contract.SignalDiscard, contract.ItemSignal{Item: "1"})
	outcome := s.run()
	s.Equal(contract.WriteDiscarded, outcome.Status)
	s.Contains(outcome.Error.Message, "a person discarded it: call: 422: no")
	s.Empty(s.desk.written())
}

// What was discarded may have been made all the same, so who sends it again without
// knowing is told, and makes nothing a second time.
func (s *writeSuite) TestADiscardedWriteStaysForWhoSendsItAgain() {
	s.desk.on["create"] = always(false, unanswered())
	s.desk.on["recover"] = always(false, refused("not now"))
	s.signal(time.Hour, contract.SignalDiscard, nil)
	again := s.ask(time.Hour+rejoin-time.Second, "")
	s.Equal(contract.WriteDiscarded, s.run().Status)
	s.Equal(contract.WriteDiscarded, again.answer.Outcome.Status)
	s.WithinDuration(s.begin.Add(time.Hour+rejoin), s.env.Now(), time.Second)
}

// A create that is not found is made again ever more seldom.
func (s *writeSuite) TestRoundsOfACreateGrowFarApart() {
	s.desk.on["create"] = upTo(40, false, unanswered())
	s.desk.indexed = false
	s.Equal(contract.WriteOK, s.run().Status)
	s.Equal(41, s.desk.count("create"))
	s.Greater(s.took(), 2*time.Hour)
}

// A write that could not be made for a day needs a person, whoever waits for it.
func (s *writeSuite) TestAWriteThatCannotBeMadeForADayIsParked() {
	healthy := s.begin.Add(40 * time.Hour)
	s.desk.on["create"] = func(int) (bool, error) {
		if s.env.Now().Before(healthy) {
			return false, down(5 * time.Hour)
		}
		return true, nil
	}
	s.look(19*time.Hour, func(v contract.WriteView) { s.Empty(v.Parked) })
	s.look(25*time.Hour, func(v contract.WriteView) {
		s.Require().Len(v.Parked, 1)
		s.Contains(v.Parked[0].Parked, "not made within 24 hours")
		s.Contains(v.Parked[0].Parked, "down")
	})
	s.signal(31*time.Hour, contract.SignalRetry, nil)
	s.look(39*time.Hour, func(v contract.WriteView) { s.Empty(v.Parked, "it has another day") })
	s.Equal(contract.WriteOK, s.run().Status)
}

// What a delete did before its run went on in another is known there.
func (s *writeSuite) TestADeleteThatContinuesAndFindsNothingIsDone() {
	s.write(contract.WriteDeleteNote, "T1", "7", nil)
	s.desk.on["delete note"] = func(n int) (bool, error) {
		switch n {
		case 1:
			return true, unanswered()
		case 2:
			return false, &ticket.Error{Kind: ticket.RateLimited, Op: "call", Message: "rest", RetryAfter: time.Hour}
		}
		return true, nil
	}
	s.at(time.Minute, func() { s.env.SetContinueAsNewSuggested(true); s.env.SignalWorkflow(contract.SignalRetry, nil) })
	s.runToNext()
	s.Equal(contract.WriteOK, s.run().Status)
	s.Equal([]string{"delete note 7 of T1"}, s.desk.written())
	s.Equal(3, s.desk.count("delete note"))
}

// Whether something was made is not known: that is no refusal.
func (s *writeSuite) TestAPanicInACreateIsParkedAndItsRetrySearches() {
	s.desk.on["create"] = func(n int) (bool, error) {
		if n == 1 {
			panic("a bug")
		}
		return true, nil
	}
	s.look(time.Minute, func(v contract.WriteView) { s.Contains(v.Parked[0].Parked, "a bug") })
	s.signal(2*time.Minute, contract.SignalRetry, contract.ItemSignal{Item: "1"})
	s.run()
	s.Equal(2, s.desk.count("recover"))
	s.Len(s.desk.tickets, 1)
}

func (s *writeSuite) TestASearchThatIsRefusedIsParked() {
	s.desk.on["create"] = upTo(1, true, unanswered())
	s.desk.on["recover"] = upTo(1, false, refused("this search is forbidden"))
	s.look(time.Minute, func(v contract.WriteView) { s.Contains(v.Parked[0].Parked, "forbidden") })
	s.signal(2*time.Minute, contract.SignalRetry, nil)
	s.Equal(contract.WriteOK, s.run().Status)
	s.Len(s.desk.tickets, 1)
}

// The ticket is gone, and what an unanswered call may have added with it.
func (s *writeSuite) TestACommentOnATicketThatIsGoneIsNotFound() {
	s.desk.add("other", time.Time{})
	s.write(contract.WriteCreateComment, "T1", "", ticket.NewComment{Content: "hello"})
	s.desk.on["comment"] = always(false, unanswered())
	s.desk.on["recover comment"] = always(false, notFound())
	outcome := s.run()
	s.Equal(contract.WriteRefused, outcome.Status)
	s.Equal("not_found", outcome.Error.Kind)
}

func (s *writeSuite) TestAWaitThatIsNoDurationIsRejected() {
	bad := s.ask(0, "soon")
	s.run()
	s.ErrorContains(bad.rejected, `wait: "soon"`)
	s.False(bad.accepted)
}

// Few callers wait without timers: those whose time is over are let go when
// something happens. In a crowd each has a timer, so that there is always room.
func (s *writeSuite) TestWaitsThatAreOverMakeRoom() {
	timers := 0
	s.env.SetOnTimerScheduledListener(func(string, time.Duration) { timers++ })
	s.desk.on["create"] = upTo(1, false, down(time.Hour))
	var callers []*caller
	for n := range crowd + 2 {
		callers = append(callers, s.ask(time.Duration(n)*time.Millisecond, "10s"))
	}
	s.at(time.Second, func() { s.Equal(2, timers, "for the last two") })
	s.at(time.Minute, func() {
		for _, c := range callers {
			s.True(c.done)
			s.Equal(contract.WritePending, c.answer.Outcome.Status)
			s.False(c.answer.Again)
		}
	})
	s.run()
}

func (s *writeSuite) TestAMistypedSignalIsCountedAndNothingElse() {
	s.signal(time.Second, contract.SignalDiscard, "all of it")
	s.signal(time.Second, contract.SignalRetry, contract.ItemSignal{Item: "1"})
	s.look(2*time.Second, func(v contract.WriteView) {
		s.Equal(int64(2), v.Rejected)
		s.Contains(v.LastRejection, "no such item")
	})
	s.Equal(contract.WriteOK, s.run().Status)
}

// Outcomes are kept across runs.
func (s *writeSuite) TestARunThatContinuesWhileItIsRememberedKeepsItsOutcome() {
	s.at(time.Minute, func() { s.env.SetContinueAsNewSuggested(true); s.env.SignalWorkflow(contract.SignalRetry, nil) })
	s.runToNext()
	late := s.ask(0, "")
	outcome := s.run()
	s.Equal("T1", outcome.TicketID)
	s.Equal(outcome, late.answer.Outcome)
	s.WithinDuration(s.begin.Add(rejoin-time.Minute), s.env.Now(), time.Second)
	s.Len(s.desk.tickets, 1)
}

// A parked write that was amended goes on in the next run as it was amended.
func (s *writeSuite) TestAnAmendedWriteContinuesAmended() {
	s.desk.on["create"] = func(n int) (bool, error) {
		switch n {
		case 1:
			return false, refused("name is too long")
		case 2:
			return false, down(time.Hour)
		}
		return true, nil
	}
	s.signal(0, contract.SignalAsync, nil)
	s.signal(time.Minute, contract.SignalAmend, contract.AmendSignal{Item: "1", Set: map[string]string{"name": "Short"}})
	s.at(2*time.Minute, func() { s.env.SetContinueAsNewSuggested(true); s.env.SignalWorkflow(contract.SignalRetry, nil) })
	s.runToNext()
	s.Equal(contract.WriteOK, s.run().Status)
	s.Equal([]string{"create T1 Short: "}, s.desk.written())
}
