package workflows

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/suite"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/catalog"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/delivery"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/matching"
)

// matchSuite runs MatchEvents with its real activities against a desk, on a
// clock that skips whatever nobody waits for.
type matchSuite struct {
	suite.Suite
	env   *testsuite.TestWorkflowEnvironment
	desk  *desk
	begin time.Time
	rules *delivery.Resolver
	// key is that of the first event signalled.
	key event.Key
	// input is what the run starts with.
	input contract.MatchEventsInput
}

func TestMatchEvents(t *testing.T) { suite.Run(t, new(matchSuite)) }

func (s *matchSuite) SetupTest() {
	s.begin = time.Date(2020, 11, 2, 8, 0, 0, 0, time.UTC)
	s.desk = newDesk(func() time.Time { return s.env.Now() })
	s.rules = testRules()
	s.key = event.Key{}
	s.input = contract.MatchEventsInput{}
	s.newRun()
}

func testRules() *delivery.Resolver {
	return &delivery.Resolver{
		Catalog: catalog.New(catalog.Catalog{
			Account: "widget", CurrentUser: &catalog.Person{ID: 100, Email: "monitor@widget.example", Account: "widget"},
			Teams:            []catalog.Team{{ID: 13, Name: "Unix Servers"}},
			ServiceInstances: []catalog.ServiceInstance{{ID: 29, Name: "Data Center"}},
			CIs:              []catalog.CI{{ID: 501, Label: "srv-001", ServiceInstances: []int64{29}}},
		}),
		CallerRoute: func(context.Context, string) (delivery.Route, error) {
			return delivery.Route{Integration: integrationName, Policy: event.PolicyEvent}, nil
		},
		FeedRoute: func(string) (delivery.Route, error) {
			return delivery.Route{Integration: integrationName, Policy: event.PolicyEvent}, nil
		},
	}
}

// newRun is a fresh environment, for the next run of the same key.
func (s *matchSuite) newRun() {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(silent{})
	s.env = suite.NewTestWorkflowEnvironment()
	s.env.SetWorkerOptions(worker.Options{WorkflowPanicPolicy: worker.FailWorkflow, DeadlockDetectionTimeout: time.Minute})
	s.env.SetTestTimeout(time.Minute)
	s.env.RegisterWorkflow(MatchEvents)
	s.env.RegisterActivity(&activities.Tickets{Integrations: s.desk, Recorder: silent{}})
	s.env.RegisterActivity(&activities.Events{Resolver: s.rules, Integrations: s.desk})
}

// at does something when the workflow has run for a while.
func (s *matchSuite) at(after time.Duration, do func()) { s.env.RegisterDelayedCallback(do, after) }

// send signals events; those without a time of receipt are received then.
func (s *matchSuite) send(after time.Duration, events ...event.Event) {
	for i := range events {
		if events[i].ReceivedAt.IsZero() {
			events[i].ReceivedAt = s.begin.Add(after)
		}
		if s.key == (event.Key{}) {
			s.key = events[i].Resolved.Key
		}
	}
	s.at(after, func() { s.env.SignalWorkflow(contract.SignalEvent, contract.EventsSignal{Events: events}) })
}

func (s *matchSuite) signal(after time.Duration, name string, payload any) {
	s.at(after, func() { s.env.SignalWorkflow(name, payload) })
}

// run runs to the end and returns the result.
func (s *matchSuite) run() contract.MatchView {
	s.execute()
	s.Require().NoError(s.env.GetWorkflowError())
	var view contract.MatchView
	s.Require().NoError(s.env.GetWorkflowResult(&view))
	return view
}

func (s *matchSuite) execute() {
	in := s.input
	in.Integration, in.Provider, in.Key = integrationName, "desk", s.key
	s.env.SetStartTime(s.begin)
	s.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: contract.MatchID(integrationName, s.key), TaskQueue: contract.QueueWorkflows})
	s.env.ExecuteWorkflow(MatchEvents, in)
	s.Require().True(s.env.IsWorkflowCompleted())
}

// runToNext runs until the run continues as new, and prepares the next one,
// whose clock starts where this one's ended.
func (s *matchSuite) runToNext() {
	s.execute()
	next, ok := errors.AsType[*workflow.ContinueAsNewError](s.env.GetWorkflowError())
	s.Require().True(ok, "want continue-as-new, got %v", s.env.GetWorkflowError())
	s.Require().NoError(converter.GetDefaultDataConverter().FromPayloads(next.Input, &s.input))
	s.begin = s.env.Now().UTC()
	s.newRun()
}

// continueAt makes the server suggest continue-as-new.
func (s *matchSuite) continueAt(after time.Duration) {
	s.at(after, func() { s.env.SetContinueAsNewSuggested(true) })
}

// look calls do with the state at a time.
func (s *matchSuite) look(after time.Duration, do func(contract.MatchView)) {
	s.at(after, func() { do(s.view()) })
}

func (s *matchSuite) view() contract.MatchView {
	value, err := s.env.QueryWorkflow(contract.QueryState)
	s.Require().NoError(err)
	var view contract.MatchView
	s.Require().NoError(value.Get(&view))
	return view
}

// alarm is a resolved event of the event policy; more are further parameters,
// as name, value pairs.
func (s *matchSuite) alarm(id, note string, more ...string) event.Event {
	params := event.Params{"subject": "Server down", "source": "Nagios", "ci": "srv-001", "note": note}
	for pair := range slices.Chunk(more, 2) {
		params[pair[0]] = pair[1]
	}
	e, err := s.rules.Resolve(delivery.Route{}, event.Event{ID: id, Caller: "monitoring", Params: params})
	s.Require().NoError(err)
	return e
}

// recovery completes the request.
func (s *matchSuite) recovery(id, note string) event.Event {
	return s.alarm(id, note, "status", "completed", "completion_reason", "solved")
}

// foreign is an event of the ticket policy; an empty comment is none.
func (s *matchSuite) foreign(id, status, comment string, updated time.Duration) event.Event {
	f := event.Foreign{TicketID: "12345", Subject: "Disk full", Status: status, UpdatedAt: s.begin.Add(updated)}
	if comment != "" {
		f.Comment = &event.ForeignComment{ID: "c-" + comment, Text: comment}
	}
	resolved := matching.ResolveForeign("lon", f)
	return event.Event{ID: id, Caller: "feed:lon", Resolved: &resolved}
}

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}
