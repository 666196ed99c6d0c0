package workflows

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/stretchr/testify/mock"
	"go.temporal.io/sdk/temporal"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
)

func (s *matchSuite) TestTheNextRunRemembersEverything() {
	s.desk.on["comment"] = upTo(1, false, refused("no"))
	first := s.alarm("e1", "a")
	s.send(0, first)
	s.send(time.Minute, s.alarm("e2", "b"), s.alarm("e3", "c"))
	s.continueAt(time.Hour)
	s.runToNext()
	s.signal(time.Second, contract.SignalRetry, nil)
	s.send(time.Minute, s.alarm("e1", "a"), s.alarm("e4", "c"), s.alarm("e5", "d"))
	view := s.run()
	s.Equal([]string{"create T1 Server down: a", "comment T1: c", "comment T1: b", "comment T1: d"}, s.desk.written())
	s.Equal(int64(1), view.Duplicates)
	s.Equal(int64(5), view.Events)
	s.Require().Len(view.Requests, 1, "the window is that of the first run")
	s.Equal(4, view.Requests[0].Notes)
}

// Signals that are there when the run continues as new are decided by it: the
// next run's input never grows with what is waiting.
func (s *matchSuite) TestSignalsOfTheLastMomentAreDecided() {
	s.send(0, s.alarm("e1", "a"))
	late := []event.Event{s.typed("e2", "b"), s.alarm("e3", "c"), s.alarm("e4", "d")}
	for i := range late {
		late[i].ReceivedAt = s.begin.Add(time.Hour)
	}
	s.at(time.Hour-time.Millisecond, func() {
		s.env.SignalWorkflowSkippingWorkflowTask(contract.SignalEvent, contract.EventsSignal{Events: late})
	})
	s.continueAt(time.Hour)
	s.runToNext()
	var state matchState
	s.Require().NoError(json.Unmarshal(s.input.State, &state))
	s.Empty(state.Queue)
	s.Equal(int64(4), state.Events)
	s.run()
	s.Equal([]string{"create T1 Server down: a", "comment T1: b", "comment T1: c", "comment T1: d"}, s.desk.written())
}

// A call that waits for its retry is taken back at once; nothing is parked for it.
func (s *matchSuite) TestACallInBackOffMovesToTheNextRun() {
	s.desk.on["create"] = upTo(2, false, down(time.Hour))
	s.send(0, s.alarm("e1", "a"))
	s.continueAt(10 * time.Minute)
	s.runToNext()
	s.WithinDuration(time.Date(2020, 11, 2, 8, 10, 0, 0, time.UTC), s.begin, time.Minute, "it does not wait an hour for the retry")
	view := s.run()
	s.Equal([]string{"create T1 Server down: a"}, s.desk.written())
	s.Empty(view.Requests[0].Pending)
}

// What ends without an answer just when the run is to continue is searched for.
func (s *matchSuite) TestTheSearchForALostCreateGoesOnInTheNextRun() {
	s.desk.on["create"] = upTo(1, true, unanswered())
	s.desk.on["recover"] = upTo(1, false, down(time.Hour))
	s.send(0, s.alarm("e1", "a"))
	s.continueAt(10 * time.Minute)
	s.runToNext()
	s.run()
	s.Equal(1, s.desk.count("create"))
	s.Equal([]string{"create T1 Server down: a"}, s.desk.written())
}

func (s *matchSuite) TestACallerWhoWaitsIsToldToAskTheNextRun() {
	s.send(0, s.alarm("e1", "a"))
	var got contract.OutcomeAnswer
	s.at(time.Minute, func() {
		s.env.UpdateWorkflow(contract.UpdateOutcome, "u1", &callback{complete: func(v any, err error) {
			s.NoError(err)
			got = v.(contract.OutcomeAnswer)
		}}, contract.OutcomeRequest{EventID: "not yet"})
	})
	s.continueAt(time.Hour)
	s.runToNext()
	s.True(got.Again)
}

func (s *matchSuite) TestACallerWhoWaitsDoesNotKeepARunFromEnding() {
	s.send(0, s.alarm("e1", "a"))
	var got contract.OutcomeAnswer
	s.at(time.Minute, func() {
		s.env.UpdateWorkflow(contract.UpdateOutcome, "u1", &callback{complete: func(v any, err error) {
			got = v.(contract.OutcomeAnswer)
		}}, contract.OutcomeRequest{EventID: "never"})
	})
	s.run()
	s.True(got.Again)
}

func (s *matchSuite) TestAWaitForATimeGoesOnInTheNextRun() {
	until := s.begin.Add(3 * time.Hour).Format(time.RFC3339)
	s.send(0, s.alarm("e1", "a", "status", "waiting_for", "waiting_until", until))
	s.continueAt(time.Hour)
	s.runToNext()
	s.run()
	s.Equal("patch T1 status=assigned", s.desk.written()[2])
}

// A provider that is down for weeks while an alarm flaps, with long notes of
// every kind, does not make the state grow beyond its bound, and the tickets
// tell what was not told one by one.
func (s *matchSuite) TestTheStateStaysSmallWhateverHappens() {
	for name, c := range map[string]struct {
		rounds int
		text   string
	}{
		"short":       {40, "note"},
		"long":        {6, strings.Repeat(" x", 16<<10)},
		"escaped":     {3, strings.Repeat("<&\x01", 20<<10)},
		"one request": {8, strings.Repeat("y", 60<<10)},
	} {
		note := func(n int) string { return fmt.Sprint(n, c.text) }
		s.Run(name, func() {
			s.SetupTest()
			s.desk.on["create"] = always(false, refused("field x is required"))
			at, n := time.Duration(0), 0
			for range c.rounds {
				s.send(at, s.alarm(fmt.Sprint("e", n), note(n), "internal_note", note(n)))
				s.send(at+time.Minute, s.alarm(fmt.Sprint("e", n+1), note(n+1), "status", "in_progress"))
				if name != "one request" {
					s.send(at+2*time.Minute, s.recovery(fmt.Sprint("e", n+2), note(n+2)))
				}
				n += 3
				at += 10 * time.Minute
			}
			s.continueAt(at + time.Hour)
			s.runToNext()
			s.LessOrEqual(len(s.input.State), 512<<10)
			s.Greater(len(s.input.State), 60<<10, "it was put to the test")
			s.desk.on = nil
			s.signal(time.Second, contract.SignalRetry, nil)
			view := s.run()
			for _, r := range view.Requests {
				s.Empty(r.Pending)
			}
			s.NotEmpty(s.desk.tickets)
		})
	}
}

func (s *matchSuite) TestASearchAttributeIsSetOnlyWhenItChanges() {
	upserts := 0
	s.env.OnUpsertTypedSearchAttributes(mock.Anything).Return(func(temporal.SearchAttributes) error { upserts++; return nil })
	s.Require().NoError(s.env.SetTypedSearchAttributesOnStart(temporal.NewSearchAttributes(
		temporal.NewSearchAttributeKeyKeyword(contract.AttributeState).ValueSet(contract.StateDelivering),
	)))
	s.send(0, s.alarm("e1", "a"))
	for n := range 20 {
		s.send(time.Duration(n+1)*time.Minute, s.alarm(fmt.Sprint("n", n), fmt.Sprint("note ", n)))
	}
	s.at(time.Hour, func() { s.LessOrEqual(upserts, 2) })
	s.run()
}
