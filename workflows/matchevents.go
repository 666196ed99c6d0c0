package workflows

import (
	"encoding/json"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/matching"
)

// The activities' methods are named through these; they are never called.
var (
	ticketActivities *activities.Tickets
	eventActivities  *activities.Events
)

// matchKey is one run of MatchEvents.
type matchKey struct {
	id          string
	input       contract.MatchEventsInput
	memory      time.Duration
	integration string
	provider    string
	key         event.Key
	state       matchState
	signals     matchSignals
	// delivering are the requests with a coroutine that delivers.
	delivering map[int64]bool
	// draining: the run is about to end, so no delivery is begun any more.
	draining bool
	// closing sends callers who still wait to the next run.
	closing bool
	// deciding is the id of the event that is being decided.
	deciding string
	// takenBack counts the events that were put back to be decided again.
	takenBack int
	// nudged: a delivery ended, so look again at what is left.
	nudged bool
	alarm  alarm
}

// MatchEvents keeps the requests of one match key: it decides what each event
// means and delivers the decisions to the ticketing provider. Deciding never
// waits for delivering.
func MatchEvents(ctx workflow.Context, in contract.MatchEventsInput) (contract.MatchView, error) {
	m, err := newMatchKey(ctx, in)
	if err != nil {
		return contract.MatchView{}, temporal.NewNonRetryableApplicationError(err.Error(), contract.ErrorInvalidInput, err)
	}
	if err := m.handle(ctx); err != nil {
		return contract.MatchView{}, err
	}
	return m.run(ctx)
}

func newMatchKey(ctx workflow.Context, in contract.MatchEventsInput) (*matchKey, error) {
	id := workflow.GetInfo(ctx).WorkflowExecution.ID
	if err := in.Validate(id); err != nil {
		return nil, err
	}
	memory, err := in.MemoryDuration()
	if err != nil {
		return nil, err
	}
	m := &matchKey{
		input: in, memory: memory,
		id: id, integration: in.Integration, provider: in.Provider, key: in.Key,
		state:   matchState{Seen: newHashSet(keptEvents), LastEventAt: workflow.Now(ctx)},
		signals: openMatchSignals(ctx), delivering: map[int64]bool{},
	}
	if len(in.State) > 0 {
		if err := json.Unmarshal(in.State, &m.state); err != nil {
			return nil, err
		}
		m.state.Seen.limit = keptEvents
	}
	return m, nil
}

func (m *matchKey) handle(ctx workflow.Context) error {
	if err := workflow.SetQueryHandler(ctx, contract.QueryState, func() (contract.MatchView, error) { return m.view(), nil }); err != nil {
		return err
	}
	if err := workflow.SetQueryHandler(ctx, contract.UpdateOutcome, func(r contract.OutcomeRequest) (contract.OutcomeAnswer, error) {
		return m.answer(r.EventID), nil
	}); err != nil {
		return err
	}
	return workflow.SetUpdateHandlerWithOptions(ctx, contract.UpdateOutcome, m.waitOutcome,
		workflow.UpdateHandlerOptions{Validator: func(r contract.OutcomeRequest) error { return r.Validate() }})
}

func (m *matchKey) run(ctx workflow.Context) (contract.MatchView, error) {
	deliveries, stopDeliveries := workflow.WithCancel(ctx)
	defer stopDeliveries()
	if err := m.findProvider(ctx); err != nil {
		return m.view(), err
	}
	for {
		m.receive(ctx)
		if err := m.decideAll(ctx); err != nil {
			return m.view(), err
		}
		m.wake(workflow.Now(ctx))
		m.state.bound(workflow.Now(ctx))
		m.deliver(deliveries)
		m.show(ctx)
		if m.over(ctx) {
			if done, err := m.end(ctx); done || err != nil {
				return m.view(), err
			}
			continue
		}
		m.alarm.set(ctx, m.state.wakeAt(), 0)
		m.alarm.set(ctx, m.endDue(workflow.Now(ctx)), matching.Window)
		m.nudged = false
		if err := workflow.Await(ctx, func() bool { return m.hasWork() || m.alarm.rang() || continueSuggested(ctx) }); err != nil {
			return m.view(), err
		}
		if continueSuggested(ctx) {
			return m.continueAsNew(ctx, stopDeliveries)
		}
	}
}

// findProvider looks up what a person who started the workflow did not say.
func (m *matchKey) findProvider(ctx workflow.Context) error {
	if m.provider != "" {
		return nil
	}
	return findProvider(ctx, m.integration, &m.provider)
}

func findProvider(ctx workflow.Context, integration string, provider *string) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: time.Minute, Summary: summary("which provider has " + integration + "?"),
	})
	return workflow.ExecuteActivity(ctx, eventActivities.Provider, integration).Get(ctx, provider)
}

// end lets waiting callers go and reports whether the run may really end: an
// event may have come meanwhile.
func (m *matchKey) end(ctx workflow.Context) (bool, error) {
	m.closing = true
	if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
		return false, err
	}
	m.closing = m.over(ctx)
	return m.closing, nil
}

func continueSuggested(ctx workflow.Context) bool {
	return workflow.GetInfo(ctx).GetContinueAsNewSuggested()
}

func (m *matchKey) hasWork() bool {
	return m.nudged || m.signals.pending() || len(m.state.Queue) > 0
}

// continueAsNew ends the run once nothing is in flight any more. Activities
// that Temporal is about to retry are cancelled at once; one that runs is
// awaited, because it may be changing the provider. Events are decided meanwhile.
func (m *matchKey) continueAsNew(ctx workflow.Context, stopDeliveries func()) (contract.MatchView, error) {
	m.draining = true
	stopDeliveries()
	for len(m.delivering) > 0 {
		m.nudged = false
		if err := workflow.Await(ctx, m.hasWork); err != nil {
			return m.view(), err
		}
		m.receive(ctx)
		if err := m.decideAll(ctx); err != nil {
			return m.view(), err
		}
		m.state.bound(workflow.Now(ctx))
	}
	m.closing = true
	if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
		return m.view(), err
	}
	// What has come is decided here: undecided events could be more than fits
	// into the next run's input.
	for m.receive(ctx); len(m.state.Queue) > 0; m.receive(ctx) {
		if err := m.decideAll(ctx); err != nil {
			return m.view(), err
		}
	}
	m.state.bound(workflow.Now(ctx)) // nothing from the last receive on may block
	state, err := json.Marshal(m.state)
	if err != nil {
		return m.view(), err
	}
	m.input.Provider, m.input.State = m.provider, state
	return m.view(), workflow.NewContinueAsNewError(ctx, contract.MatchEvents, m.input)
}

// over reports whether the key may be forgotten.
func (m *matchKey) over(ctx workflow.Context) bool {
	return !m.state.pending() && !m.signals.pending() && !workflow.Now(ctx).Before(m.state.endAt(m.memory))
}

// endDue is when the run may end; zero where it could end but for what is still
// undelivered. A request that completes early ends the run no earlier than the
// timer of its window does: a day more costs less than another timer.
func (m *matchKey) endDue(now time.Time) time.Time {
	if due := m.state.endAt(m.memory); due.After(now) {
		return due
	}
	return time.Time{}
}

// wake puts requests whose waiting_until has passed back to assigned.
func (m *matchKey) wake(now time.Time) {
	for i := range m.state.Requests {
		r := &m.state.Requests[i]
		if r.Wake(now) {
			status := r.Fields.Status
			m.plan(r.ID, &operation{Kind: opPatch, Since: now, EventID: "waiting_until", Changes: event.Changes{Status: &status}})
		}
	}
}
