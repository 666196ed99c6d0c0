package workflows

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/suite"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// writeSuite runs WriteTicket with its real activities against a desk, on a clock
// that skips whatever nobody waits for.
type writeSuite struct {
	suite.Suite
	env   *testsuite.TestWorkflowEnvironment
	desk  *fullDesk
	begin time.Time
	input contract.WriteTicketInput
	key   string
	held  held
}

func TestWriteTicket(t *testing.T) { suite.Run(t, new(writeSuite)) }

func (s *writeSuite) SetupTest() {
	s.begin = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	s.desk = newFullDesk(func() time.Time { return s.env.Now() })
	s.key = ""
	s.held = held{}
	s.write(contract.WriteCreateTicket, "", "", ticket.New{Name: "Disk full"})
	s.newRun()
}

// write is what the run is to write.
func (s *writeSuite) write(operator, ticketID, partID string, body any) {
	s.input = contract.WriteTicketInput{Integration: integrationName, Provider: "desk", Operator: operator, TicketID: ticketID, PartID: partID}
	if body != nil {
		data, err := json.Marshal(body)
		s.Require().NoError(err)
		s.input.Body = data
	}
}

func (s *writeSuite) newRun() {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(silent{})
	s.env = suite.NewTestWorkflowEnvironment()
	s.env.SetWorkerOptions(worker.Options{WorkflowPanicPolicy: worker.FailWorkflow, DeadlockDetectionTimeout: time.Minute})
	s.env.SetTestTimeout(time.Minute)
	s.env.RegisterWorkflow(WriteTicket)
	s.env.RegisterActivity(&activities.Writes{Integrations: s.desk, Recorder: silent{}, Bodies: startedWith{&s.input}, Files: &s.held, StillWanted: heard})
	s.env.RegisterActivity(&activities.Events{Integrations: s.desk})
}

func (s *writeSuite) id() string {
	if s.input.Keyed {
		return contract.WriteID(integrationName, contract.KeyedHash(s.key))
	}
	hash, err := contract.WriteHash(s.input.Operator, s.input.TicketID, s.input.PartID, s.input.Body)
	s.Require().NoError(err)
	return contract.WriteID(integrationName, hash)
}

func (s *writeSuite) at(after time.Duration, do func()) { s.env.RegisterDelayedCallback(do, after) }

func (s *writeSuite) signal(after time.Duration, name string, payload any) {
	s.at(after, func() { s.env.SignalWorkflow(name, payload) })
}

func (s *writeSuite) execute() {
	id := s.id()
	if len(s.input.State) > 0 {
		id = contract.WriteID(integrationName, s.input.BodyHash)
	}
	s.env.SetStartTime(s.begin)
	s.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: id, TaskQueue: contract.QueueWorkflows})
	s.env.ExecuteWorkflow(WriteTicket, s.input)
	s.Require().True(s.env.IsWorkflowCompleted())
}

// run runs to the end and returns the result.
func (s *writeSuite) run() contract.WriteOutcome {
	s.execute()
	s.Require().NoError(s.env.GetWorkflowError())
	var outcome contract.WriteOutcome
	s.Require().NoError(s.env.GetWorkflowResult(&outcome))
	s.True(outcome.Done)
	return outcome
}

// runToNext runs until the run continues as new, and prepares the next one.
func (s *writeSuite) runToNext() {
	s.execute()
	next, ok := errors.AsType[*workflow.ContinueAsNewError](s.env.GetWorkflowError())
	s.Require().True(ok, "want continue-as-new, got %v", s.env.GetWorkflowError())
	s.input = contract.WriteTicketInput{}
	s.Require().NoError(converter.GetDefaultDataConverter().FromPayloads(next.Input, &s.input))
	s.begin = s.env.Now().UTC()
	s.newRun()
}

// took is how long the run has lasted.
func (s *writeSuite) took() time.Duration { return s.env.Now().Sub(s.begin) }

func (s *writeSuite) look(after time.Duration, do func(contract.WriteView)) {
	s.at(after, func() {
		value, err := s.env.QueryWorkflow(contract.QueryState)
		s.Require().NoError(err)
		var view contract.WriteView
		s.Require().NoError(value.Get(&view))
		do(view)
	})
}

// caller is one who waits for the outcome.
type caller struct {
	rejected error
	accepted bool
	done     bool
	answer   contract.WriteAnswer
	err      error
}

func (c *caller) Accept()          { c.accepted = true }
func (c *caller) Reject(err error) { c.rejected = err }
func (c *caller) Complete(result any, err error) {
	c.done, c.err = true, err
	c.answer, _ = result.(contract.WriteAnswer)
}

func (s *writeSuite) ask(after time.Duration, wait string) *caller {
	c := &caller{}
	s.at(after, func() {
		s.env.UpdateWorkflow(contract.UpdateOutcome, "", c, contract.WriteOutcomeRequest{Wait: wait})
	})
	return c
}

func (s *writeSuite) ticketOf(o contract.WriteOutcome) ticket.Ticket {
	var t ticket.Ticket
	s.Require().NoError(json.Unmarshal(o.Result, &t))
	return t
}
