package workflows

import (
	"encoding/json"
	"time"

	"github.com/stretchr/testify/mock"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
)

// A create that takes an hour does not hold up the events that come while the
// run waits for it in order to continue as new, nor the callers who ask for
// their outcome; and the next run knows all of it.
func (s *matchSuite) TestEventsAreDecidedWhileARunDrains() {
	s.env.SetWorkerOptions(worker.Options{
		WorkflowPanicPolicy: worker.FailWorkflow, DeadlockDetectionTimeout: time.Minute,
		Interceptors: []interceptor.WorkerInterceptor{&awaitCancelled{}},
	})
	tickets := &activities.Tickets{Integrations: s.desk, Recorder: silent{}}
	s.env.OnActivity(tickets.CreateTicket, mock.Anything, mock.Anything).Return(tickets.CreateTicket).After(time.Hour)
	begin := s.begin
	s.send(0, s.alarm("e1", "a"))
	s.continueAt(10 * time.Minute)
	s.send(20*time.Minute, s.alarm("e2", "b"))
	before := s.ask(25*time.Minute, "e2")
	waiting := s.ask(26*time.Minute, "e3")
	s.send(30*time.Minute, s.alarm("e3", "c"), s.alarm("e2", "b"))
	s.send(time.Hour-time.Second, s.alarm("e4", "d"))
	s.runToNext()

	s.Equal(time.Hour, s.begin.Sub(begin).Round(time.Minute), "the create is awaited: it may be changing the provider")
	for _, a := range []*asked{before, waiting} {
		s.True(a.Known, "decided: %+v", a)
		s.Equal(event.Updated, a.Outcome)
		s.False(a.Again)
		s.Less(a.at.Sub(begin), 31*time.Minute, "long before the create ended")
	}
	var state matchState
	s.Require().NoError(json.Unmarshal(s.input.State, &state))
	s.Equal(int64(4), state.Events)
	s.Equal(int64(1), state.Duplicates)
	s.Empty(state.Queue)
	s.run()
	s.Equal([]string{"create T1 Server down: a", "comment T1: b", "comment T1: c", "comment T1: d"}, s.desk.written())
}

// asked is the answer to a caller who waits, and when it came.
type asked struct {
	contract.OutcomeAnswer
	at time.Time
}

// ask waits for an event's outcome from a time on.
func (s *matchSuite) ask(after time.Duration, eventID string) *asked {
	got := &asked{}
	s.at(after, func() {
		s.env.UpdateWorkflow(contract.UpdateOutcome, "ask "+eventID, &callback{complete: func(v any, err error) {
			s.NoError(err)
			got.OutcomeAnswer, got.at = v.(contract.OutcomeAnswer), s.env.Now()
		}}, contract.OutcomeRequest{EventID: eventID})
	})
	return got
}

// awaitCancelled does what the server does and the test environment does not: an
// activity that is to be awaited after its cancellation runs to its end.
type awaitCancelled struct {
	interceptor.WorkerInterceptorBase
}

func (*awaitCancelled) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	return &awaitInbound{interceptor.WorkflowInboundInterceptorBase{Next: next}}
}

type awaitInbound struct {
	interceptor.WorkflowInboundInterceptorBase
}

func (i *awaitInbound) Init(outbound interceptor.WorkflowOutboundInterceptor) error {
	return i.Next.Init(&awaitOutbound{interceptor.WorkflowOutboundInterceptorBase{Next: outbound}})
}

type awaitOutbound struct {
	interceptor.WorkflowOutboundInterceptorBase
}

func (o *awaitOutbound) ExecuteActivity(ctx workflow.Context, name string, args ...any) workflow.Future {
	if workflow.GetActivityOptions(ctx).WaitForCancellation {
		ctx, _ = workflow.NewDisconnectedContext(ctx)
	}
	return o.Next.ExecuteActivity(ctx, name, args...)
}
