package workflows

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/matching"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func (s *matchSuite) TestEventsOfOneRequestReachOneTicketInOrder() {
	s.send(0, s.alarm("e1", "not reachable"))
	s.send(time.Minute, s.alarm("e2", "still down"), s.alarm("e3", "disk full"))
	s.send(2*time.Minute, s.recovery("e4", "up again"))
	view := s.run()
	s.Equal([]string{
		"create T1 Server down: not reachable", "comment T1: still down", "comment T1: disk full",
		"comment T1: up again", "patch T1 resolution=solved status=completed",
	}, s.desk.written())
	s.Require().Len(view.Requests, 1)
	s.Equal("completed", view.Requests[0].Fields.Status)
	s.Equal("T1", view.Requests[0].Ticket.Key)
	s.Equal(int64(4), view.Events)
	s.Equal(s.key, view.Key, "what the events were put together by is shown")
}

func (s *matchSuite) TestAnEventTakesEffectOnce() {
	first := s.alarm("e1", "not reachable")
	s.send(0, first, first)
	s.send(time.Hour, first)
	view := s.run()
	s.Equal([]string{"create T1 Server down: not reachable"}, s.desk.written())
	s.Equal(int64(1), view.Events)
	s.Equal(int64(2), view.Duplicates)
}

// The event of another caller, or much later, is no re-post.
func (s *matchSuite) TestAnEventWithoutIdentityIsRecognisedByWhatItSays() {
	unkeyed := func(id string) event.Event {
		e := s.alarm(id, "not reachable")
		e.Unkeyed = true
		return e
	}
	s.send(0, unkeyed("e1"))
	s.send(9*time.Minute, unkeyed("e2"))
	s.look(9*time.Minute+time.Second, func(v contract.MatchView) {
		s.Equal(int64(1), v.Duplicates)
		answer := s.answer("e2")
		s.True(answer.Repeat)
		s.Equal(event.Unchanged, answer.Outcome)
		s.Equal(v.Requests[0].ID, answer.Request.ID, "the caller gets the request of its first call")
	})
	s.send(11*time.Minute, unkeyed("e3"))
	view := s.run()
	s.Equal(int64(1), view.Duplicates, "after ten minutes it is an event of its own")
}

// A refused event was not applied: sent again it is refused again, not taken
// for a re-post.
func (s *matchSuite) TestARefusedEventIsRefusedEachTime() {
	refuse := func(id string) event.Event {
		e := s.alarm(id, "n", "status", "completed")
		e.Unkeyed = true
		return e
	}
	s.send(0, refuse("e1"))
	s.send(time.Second, refuse("e2"))
	s.look(2*time.Second, func(contract.MatchView) {
		for _, id := range []string{"e1", "e2"} {
			answer := s.answer(id)
			s.Equal(event.Rejected, answer.Outcome, id)
			s.NotEmpty(answer.Errors, id)
		}
	})
	s.run()
	s.Empty(s.desk.written())
}

// answer is what the outcome query says.
func (s *matchSuite) answer(id string) contract.OutcomeAnswer {
	value, err := s.env.QueryWorkflow(contract.UpdateOutcome, contract.OutcomeRequest{EventID: id})
	s.Require().NoError(err)
	var answer contract.OutcomeAnswer
	s.Require().NoError(value.Get(&answer))
	return answer
}

func (s *matchSuite) TestAnEventInTheLastMomentOfTheWindowMatchesAndALaterOneDoesNot() {
	s.send(0, s.alarm("e1", "a"))
	s.send(24*time.Hour, s.alarm("e2", "b"))
	s.send(24*time.Hour+time.Millisecond, s.alarm("e3", "c"))
	view := s.run()
	s.ElementsMatch([]string{"create T1 Server down: a", "comment T1: b", "create T2 Server down: c"}, s.desk.written())
	s.Len(view.Requests, 2)
}

// received_at is the only clock: an event that waited for a worker beyond the
// window still belongs to the request.
func (s *matchSuite) TestAnEventThatWaitedForAWorkerKeepsItsPlace() {
	s.send(0, s.alarm("e1", "a"))
	late := s.alarm("e2", "b")
	late.ReceivedAt = s.begin.Add(23 * time.Hour)
	again := s.alarm("e3", "a")
	again.ReceivedAt = s.begin.Add(23 * time.Hour)
	s.send(30*time.Hour, late, again)
	s.run()
	s.Equal([]string{"create T1 Server down: a", "comment T1: b"}, s.desk.written())
}

func (s *matchSuite) TestTheNextRequestDoesNotWaitForTheLastOnesClose() {
	s.desk.on["patch"] = upTo(3, false, down(time.Hour))
	s.send(0, s.alarm("e1", "a"))
	s.send(time.Minute, s.recovery("e2", "up"))
	s.send(2*time.Minute, s.alarm("e3", "down once more"))
	s.look(3*time.Minute, func(v contract.MatchView) {
		s.Require().Len(v.Requests, 2)
		s.NotNil(v.Requests[1].Ticket, "created while the first one's close is undelivered")
		s.NotEmpty(v.Requests[0].Pending)
	})
	s.run()
	s.Equal([]string{
		"create T1 Server down: a", "comment T1: up", "create T2 Server down: down once more",
		"patch T1 resolution=solved status=completed",
	}, s.desk.written())
}

func (s *matchSuite) TestAProviderThatIsDownForLongerThanTheWindowGetsEverythingInTheEnd() {
	healthy := s.begin.Add(50 * time.Hour)
	s.desk.on["create"] = func(int) (bool, error) {
		if s.env.Now().Before(healthy) {
			return false, down(7 * time.Hour)
		}
		return true, nil
	}
	s.send(0, s.alarm("e1", "a"))
	s.send(time.Hour, s.alarm("e2", "b"))
	s.send(25*time.Hour, s.alarm("e3", "c"))
	s.look(49*time.Hour, func(v contract.MatchView) {
		s.Len(v.Requests, 2)
		s.Equal(event.Created, s.answer("e3").Outcome, "decided although nothing can be delivered")
	})
	view := s.run()
	s.Equal([]string{"create T1 Server down: c", "create T2 Server down: a", "comment T2: b"}, s.desk.written())
	s.Empty(view.Requests[0].Pending)
}

// A problem that was over before the provider came back still leaves its ticket,
// closed; all that came meanwhile is on that one ticket.
func (s *matchSuite) TestAProblemThatEndsWhileTheProviderIsDownLeavesOneClosedTicket() {
	s.desk.on["create"] = upTo(5, false, down(time.Hour))
	s.send(0, s.alarm("e1", "a"))
	for n := range 3 {
		s.send(time.Duration(n+1)*time.Minute, s.alarm(fmt.Sprint("n", n), fmt.Sprint("note ", n)))
	}
	s.send(10*time.Minute, s.recovery("e2", "up"))
	s.run()
	s.Equal([]string{
		"create T1 Server down: a", "comment T1: note 0", "comment T1: note 1", "comment T1: note 2",
		"comment T1: up", "patch T1 resolution=solved status=completed",
	}, s.desk.written())
}

func (s *matchSuite) TestWaitingUntilPutsTheRequestBackToAssigned() {
	until := s.begin.Add(3 * time.Hour).Format(time.RFC3339)
	s.send(0, s.alarm("e1", "a", "status", "waiting_for", "waiting_until", until))
	s.look(3*time.Hour-time.Minute, func(v contract.MatchView) { s.Equal("waiting_for", v.Requests[0].Fields.Status) })
	s.look(3*time.Hour+time.Minute, func(v contract.MatchView) { s.Equal("assigned", v.Requests[0].Fields.Status) })
	s.run()
	s.Equal([]string{"create T1 Server down: a", "patch T1 status=waiting_for", "patch T1 status=assigned"}, s.desk.written())
}

// The run does not end before a request that waits for a time beyond its memory.
func (s *matchSuite) TestARunOutlivesAWaitThatIsLongerThanItsMemory() {
	until := s.begin.Add(30 * 24 * time.Hour).Format(time.RFC3339)
	s.send(0, s.alarm("e1", "a", "status", "waiting_for", "waiting_until", until))
	s.run()
	s.Contains(s.desk.written(), "patch T1 status=assigned")
}

// Every new timer costs: one is enough for a request, however many events come.
func (s *matchSuite) TestManyEventsNeedOneTimer() {
	timers := 0
	s.env.SetOnTimerScheduledListener(func(string, time.Duration) { timers++ })
	s.send(0, s.alarm("e1", "a"))
	for n := range 50 {
		s.send(time.Duration(n+1)*time.Second, s.alarm(fmt.Sprint("n", n), fmt.Sprint("note ", n)))
	}
	s.at(time.Minute, func() { s.Equal(1, timers) })
	s.run()
}

func (s *matchSuite) TestARunEndsAfterItsMemoryAndNotBefore() {
	s.input.Memory = "48h"
	s.send(0, s.alarm("e1", "a"))
	s.send(71*time.Hour, s.alarm("e1", "a"))
	view := s.run()
	ended := s.env.Now()
	s.Equal(int64(1), view.Duplicates, "remembered until 24 h + 48 h have passed")
	s.WithinDuration(s.begin.Add(72*time.Hour), ended, time.Minute)
}

// An event that comes when the run would end is taken by the same run.
func (s *matchSuite) TestAnEventThatArrivesWhileTheRunEndsIsNotLost() {
	s.input.Memory = "48h"
	s.send(0, s.alarm("e1", "a"))
	e := s.alarm("e2", "b")
	e.ReceivedAt = s.begin.Add(72 * time.Hour)
	s.at(72*time.Hour-time.Millisecond, func() {
		// It is there when the timer wakes the run for its end.
		s.env.SignalWorkflowSkippingWorkflowTask(contract.SignalEvent, contract.EventsSignal{Events: []event.Event{e}})
	})
	view := s.run()
	s.Equal(int64(2), view.Events)
	s.Len(view.Requests, 2)
}

func (s *matchSuite) TestARunUnderTheWrongIDRefusesAndNamesTheRightOne() {
	s.key = s.alarm("e1", "a").Resolved.Key
	in := contract.MatchEventsInput{Integration: integrationName, Provider: "desk", Key: s.key}
	s.env.ExecuteWorkflow(MatchEvents, in)
	s.Require().Error(s.env.GetWorkflowError())
	s.Contains(s.env.GetWorkflowError().Error(), contract.MatchID(integrationName, s.key))
	s.False(temporal.IsTimeoutError(s.env.GetWorkflowError()))
}

func (s *matchSuite) TestAnUnassignableChangeIsToldInTheComment() {
	s.send(0, s.alarm("e1", "a"))
	s.send(time.Minute, s.alarm("e2", "b", "team", "Unix Servers"))
	s.run()
	s.Contains(s.desk.written(), "comment T1: b")
	s.Equal(1, s.desk.count("comment"))
}

// What the provider could not set is told at the ticket, once, also at one that
// the same patch closed.
func (s *matchSuite) TestWhatAPatchCouldNotSetIsToldInAComment() {
	s.desk.warnings = []string{"resolution: the site has no such"}
	s.desk.on["comment"] = func(n int) (bool, error) {
		if n == 2 {
			return true, unanswered()
		}
		return true, nil
	}
	s.send(0, s.alarm("e1", "down"))
	s.send(time.Minute, s.recovery("e2", "up"))
	s.run()
	s.Equal([]string{
		"create T1 Server down: down", "comment T1: up", "patch T1 resolution=solved status=completed",
		"comment T1: Not set at this ticket:", "  - resolution: the site has no such",
	}, s.desk.written())
}

func (s *matchSuite) TestAnInternalNoteBecomesANoteOnly() {
	s.send(0, s.alarm("e1", "a", "internal_note", "secret"))
	s.run()
	s.Equal([]string{"create T1 Server down: a", "note T1: secret"}, s.desk.written())
}

// Five thousand notes are told apart; then one comment says that the rest is
// counted.
func (s *matchSuite) TestAfterFiveThousandNotesARequestOnlyCounts() {
	s.send(0, s.alarm("e1", "a"))
	s.continueAt(time.Hour)
	s.runToNext()
	var state matchState
	s.Require().NoError(json.Unmarshal(s.input.State, &state))
	state.Requests[0].Notes = matching.MaxNotes - 2
	for n := 1; n < matching.MaxNotes-2; n++ {
		sum := sha256.Sum256([]byte(fmt.Sprint("note ", n)))
		state.Requests[0].NoteHashes = append(state.Requests[0].NoteHashes, sum[:16]...)
	}
	data, err := json.Marshal(state)
	s.Require().NoError(err)
	s.input.State = data
	s.send(0, s.alarm("e2", "note 7"), s.alarm("e3", "b"), s.alarm("e4", "c"), s.alarm("e5", "d"), s.alarm("e6", "e"), s.alarm("e7", "f"))
	view := s.run()
	s.Equal(matching.MaxNotes+3, view.Requests[0].Notes)
	s.Equal([]string{"create T1 Server down: a", "comment T1: b", "comment T1: c", "comment T1: " + countingText}, s.desk.written())
}

func (s *matchSuite) TestTheAnswerToAWaitingCallerIsTheDecision() {
	s.desk.on["create"] = upTo(3, false, &ticket.Error{Kind: ticket.RateLimited, Op: "create", Message: "slow", RetryAfter: time.Hour})
	e := s.alarm("e1", "a")
	s.send(time.Second, e)
	var got contract.OutcomeAnswer
	s.at(0, func() {
		s.env.UpdateWorkflow(contract.UpdateOutcome, "u1", &callback{complete: func(v any, err error) {
			s.NoError(err)
			got = v.(contract.OutcomeAnswer)
			s.Nil(got.Request.Ticket, "it does not wait for the provider")
		}}, contract.OutcomeRequest{EventID: "e1"})
	})
	s.run()
	s.True(got.Known)
	s.Equal(event.Created, got.Outcome)
}

// callback takes the answer to an update.
type callback struct{ complete func(any, error) }

func (*callback) Accept()                       {}
func (*callback) Reject(error)                  {}
func (c *callback) Complete(value any, e error) { c.complete(value, e) }
