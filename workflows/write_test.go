package workflows

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func (s *writeSuite) TestATicketIsMadeAndItsAnswerCanBeHadForTwoMinutes() {
	first := s.ask(0, "")
	late := s.ask(rejoin-time.Second, "")
	outcome := s.run()
	s.Equal([]string{"create T1 Disk full: "}, s.desk.written())
	s.Equal(contract.WriteOK, outcome.Status)
	s.Equal("T1", outcome.TicketID)
	s.Equal("T1", s.ticketOf(outcome).ID)
	s.Equal(outcome, first.answer.Outcome)
	s.Equal(outcome, late.answer.Outcome, "who posts it again gets the same ticket")
	s.WithinDuration(s.begin.Add(rejoin), s.env.Now(), time.Second)
}

func (s *writeSuite) TestAWriteThatWasAnsweredEndsAtOnce() {
	s.signal(10*time.Second, contract.SignalAnswered, nil)
	s.run()
	s.Equal(10*time.Second, s.took())
}

// A keyed write is known by its key for as long as its run is kept.
func (s *writeSuite) TestAKeyedWriteEndsWhenItIsMade() {
	s.input.Keyed, s.key = true, "order-17"
	s.Equal("T1", s.run().TicketID)
	s.Less(s.took(), time.Second)
}

func (s *writeSuite) TestAnAnswerIsNoneBeforeTheWriteIsMade() {
	s.desk.on["create"] = upTo(1, false, down(time.Minute))
	s.signal(time.Second, contract.SignalAnswered, nil)
	s.look(2*time.Second, func(v contract.WriteView) { s.Contains(v.LastRejection, "not made yet") })
	s.run()
	s.Greater(s.took(), rejoin)
}

// An equal write that comes later is another one, and so is one with a key.
func (s *writeSuite) TestTheOperationTellsOccurrencesApart() {
	var operations []string
	for _, step := range []func(){func() {}, func() { s.begin = s.begin.Add(time.Hour) }, func() { s.input.Keyed, s.key = true, "k" }} {
		step()
		s.newRun()
		s.env.SetOnActivityStartedListener(onWrite(func(in activities.WriteInput) { operations = append(operations, in.Operation) }))
		s.run()
	}
	s.Len(operations, 3)
	s.NotEqual(operations[0], operations[1])
	s.Equal(s.id(), operations[2])
	s.Len(s.desk.tickets, 3)
}

// A run that goes on writes the same as the one before; it does not wait anew.
func (s *writeSuite) TestARunThatContinuesKeepsItsOperation() {
	var operations []string
	listen := func() {
		s.env.SetOnActivityStartedListener(onWrite(func(in activities.WriteInput) { operations = append(operations, in.Operation) }))
	}
	s.desk.on["create"] = upTo(1, false, down(time.Hour))
	listen()
	waits := s.ask(55*time.Second, "")
	s.at(time.Minute, func() { s.env.SetContinueAsNewSuggested(true) })
	s.at(time.Minute+time.Second, func() { s.env.SignalWorkflow(contract.SignalRetry, nil) }) // wakes the run
	s.runToNext()
	s.True(waits.done && waits.answer.Again, "%+v", waits)
	listen()
	s.run()
	s.Require().Len(operations, 2)
	s.Equal(operations[0], operations[1])
	s.Equal([]string{"create T1 Disk full: "}, s.desk.written())
}

func (s *writeSuite) TestALostCreateIsSearchedForTwiceBeforeItIsMadeAgain() {
	s.desk.on["create"] = upTo(1, false, unanswered())
	s.desk.indexed = false
	s.run()
	s.Equal(2, s.desk.count("recover"))
	s.Equal(1, s.desk.count("find"))
	s.Len(s.desk.tickets, 1)
}

func (s *writeSuite) TestACreateThatHappenedUnseenIsFound() {
	for kind, body := range map[string]any{
		contract.WriteCreateTicket: ticket.New{Name: "Disk full"}, contract.WriteCreateComment: ticket.NewComment{Content: "hello"},
		contract.WriteCreateNote:       ticket.NewNote{Title: "t", Content: "c"},
		contract.WriteCreateAttachment: contract.NewAttachment{FileName: "a.log", Content: []byte("line")},
	} {
		s.SetupTest()
		ticketID := ""
		if kind != contract.WriteCreateTicket {
			s.desk.add("other", time.Time{})
			ticketID = "T1"
		}
		s.write(kind, ticketID, "", body)
		for _, call := range []string{"create", "comment", "note", "file"} {
			s.desk.on[call] = upTo(1, true, unanswered())
		}
		outcome := s.run()
		s.Equal(contract.WriteOK, outcome.Status, kind)
		s.Len(s.desk.written(), 1, kind)
		s.NotEmpty(outcome.Result, kind)
		if ticketID != "" {
			s.NotEmpty(outcome.PartID, kind)
		}
	}
}

// A file bears no mark, and may be committed late: it is looked for twice.
func (s *writeSuite) TestAFileThatComesLateIsFound() {
	s.desk.add("other", time.Time{})
	s.write(contract.WriteCreateAttachment, "T1", "", contract.NewAttachment{FileName: "a.log", Content: []byte("line")})
	s.desk.on["file"] = upTo(1, true, unanswered())
	s.desk.on["recover file"] = upTo(1, false, nil)
	s.Equal(contract.WriteOK, s.run().Status)
	s.Len(s.desk.written(), 1)
}

func (s *writeSuite) TestEveryOperatorReachesItsProvider() {
	for _, c := range []struct {
		operator, part string
		body           any
		want           string
	}{
		{contract.WritePatchTicket, "", ticket.Patch{Name: new("New")}, "patch T1 name=New"},
		{contract.WriteCreateComment, "", ticket.NewComment{Content: "hello"}, "comment T1: hello"},
		{contract.WriteDeleteComment, "7", nil, "delete comment 7 of T1"},
		{contract.WriteCreateNote, "", ticket.NewNote{Title: "t", Content: "c"}, "note T1: t, c"},
		{contract.WritePatchNote, "7", ticket.NotePatch{Content: new("c")}, "patch note 7 of T1: c"},
		{contract.WriteDeleteNote, "7", nil, "delete note 7 of T1"},
		{contract.WriteCreateAttachment, "", contract.NewAttachment{FileName: "a.log", Content: []byte("line")}, "file T1: a.log, line"},
		{contract.WriteDeleteAttachment, "7", nil, "delete file 7 of T1"},
	} {
		s.SetupTest()
		s.desk.add("other", time.Time{})
		s.write(c.operator, "T1", c.part, c.body)
		outcome := s.run()
		s.Equal([]string{c.want}, s.desk.written())
		s.Equal(contract.WriteOK, outcome.Status, c.operator)
		s.Equal("T1", outcome.TicketID, c.operator)
		s.Equal(c.body == nil, outcome.Result == nil, c.operator)
	}
}

// onWrite calls do with the input of every attempt to write.
func onWrite(do func(activities.WriteInput)) func(*activity.Info, context.Context, converter.EncodedValues) {
	return func(_ *activity.Info, _ context.Context, args converter.EncodedValues) {
		var in activities.WriteInput
		if args.Get(&in) == nil && in.Operation != "" {
			do(in)
		}
	}
}

func (s *writeSuite) TestARepeatedDeleteThatFindsNothingIsDone() {
	s.write(contract.WriteDeleteComment, "T1", "7", nil)
	s.desk.on["delete comment"] = func(n int) (bool, error) {
		if n == 1 {
			s.desk.gone["7"] = true
			return false, unanswered()
		}
		return true, nil
	}
	s.Equal(contract.WriteOK, s.run().Status)
	s.Equal(2, s.desk.count("delete comment"))
}

// An attempt that was only held back deleted nothing.
func (s *writeSuite) TestADeleteThatWaitedForItsTurnAndFindsNothingIsNotFound() {
	s.write(contract.WriteDeleteComment, "T1", "7", nil)
	s.desk.on["delete comment"] = upTo(2, false, &ticket.Error{Kind: ticket.RateLimited, Op: "call", Message: "10 calls a second", RetryAfter: time.Second})
	s.desk.gone["7"] = true
	outcome := s.run()
	s.Equal(contract.WriteRefused, outcome.Status)
	s.Equal("not_found", outcome.Error.Kind)
	s.Equal(3, s.desk.count("delete comment"))
}

// One that got no answer, or one that says that it may be asked again, may have.
func (s *writeSuite) TestADeleteIsMadeAgainUntilItIsKnown() {
	s.write(contract.WriteDeleteComment, "T1", "7", nil)
	s.desk.on["delete comment"] = func(n int) (bool, error) {
		switch {
		case n == 3:
			s.desk.gone["7"] = true
			return false, unanswered()
		case n < 6:
			return false, down(0)
		}
		return true, nil
	}
	s.look(14*time.Second, func(contract.WriteView) {
		s.Equal(5, s.desk.count("delete comment"), "further and further apart")
	})
	s.Equal(contract.WriteOK, s.run().Status)
	s.Equal(6, s.desk.count("delete comment"))
}

func (s *writeSuite) TestADeleteOfNothingIsNotFound() {
	s.write(contract.WriteDeleteComment, "T1", "7", nil)
	s.desk.gone["7"] = true
	outcome := s.run()
	s.Equal(contract.WriteRefused, outcome.Status)
	s.Equal(&contract.WriteError{Kind: "not_found", Status: 404, Message: "delete comment: 404: no such comment"}, outcome.Error)
}

// A ticket that its provider makes in another status is moved to the one asked for.
func (s *writeSuite) TestTheStatusOfANewTicketIsSet() {
	s.write(contract.WriteCreateTicket, "", "", ticket.New{Name: "Disk full", Status: "In Progress"})
	outcome := s.run()
	s.Equal([]string{"create T1 Disk full: ", "patch T1 status=In Progress"}, s.desk.written())
	s.Equal("In Progress", s.ticketOf(outcome).Status)
	s.Empty(outcome.Warnings)
}

// The ticket is there: a status that it cannot have does not undo that.
func (s *writeSuite) TestAStatusThatIsRefusedIsAWarning() {
	s.write(contract.WriteCreateTicket, "", "", ticket.New{Name: "Disk full", Status: "Nope"})
	s.desk.on["patch"] = always(false, refused("no transition leads there"))
	outcome := s.run()
	s.Equal(contract.WriteOK, outcome.Status)
	s.Equal("T1", s.ticketOf(outcome).ID)
	s.Require().Len(outcome.Warnings, 1)
	s.Contains(outcome.Warnings[0], "no transition leads there")
}

func (s *writeSuite) TestAWrongIDIsRefusedAndTheRightOneNamed() {
	right := s.id()
	s.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: "my-write", TaskQueue: contract.QueueWorkflows})
	s.env.ExecuteWorkflow(WriteTicket, s.input)
	s.ErrorContains(s.env.GetWorkflowError(), right)
	s.Empty(s.desk.written())
}

func (s *writeSuite) TestAWriteStartedByHandFindsItsProvider() {
	s.input.Provider = ""
	s.Equal(contract.WriteOK, s.run().Status)
}

// A person sees in the UI what is written, and how it stands.
func (s *writeSuite) TestWhatIsShown() {
	w := write{input: contract.WriteTicketInput{Integration: "ops", Operator: contract.WriteDeleteComment, TicketID: "OPS-1", PartID: "7|8"}}
	s.Contains(w.details(), `### delete comment 7\|8 of OPS-1 in ops: pending`)
	w.state.Parked = &contract.WriteError{Message: "no right to do so"}
	s.Contains(w.details(), "no right to do so")
	w.input = contract.WriteTicketInput{Integration: "ops", Operator: contract.WriteCreateTicket}
	w.state = writeState{Key: "OPS-2", URL: "https://x.example/OPS-2", Outcome: &contract.WriteOutcome{Done: true, Status: contract.WriteOK, TicketID: "10002"}}
	s.Contains(w.details(), "### create ticket in ops: ok")
	s.Contains(w.details(), "[OPS-2](https://x.example/OPS-2)")
}
