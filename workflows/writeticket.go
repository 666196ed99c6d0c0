package workflows

import (
	"encoding/json"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/contract"
)

var writeActivities *activities.Writes

const (
	// rejoin is how long a write without a key stays after it was made, for a
	// caller who never got the answer and posts it once more.
	rejoin = 2 * time.Minute
	// perseverance is how long a write is tried before a person has to look.
	perseverance = 24 * time.Hour
)

// write is one run of WriteTicket.
type write struct {
	id      string
	input   contract.WriteTicketInput
	state   writeState
	signals writeSignals
	// performing: a coroutine makes the write right now.
	performing bool
	// draining: the run is about to end, so no call is begun any more.
	draining bool
	// closing sends callers who still wait to the next run, or to the result.
	closing bool
	// nudged: a step ended, so look again at what is left.
	nudged bool
	// waiting counts the callers who wait for the outcome.
	waiting int
	// asked is the task queue that the last call for a held file was given to.
	asked string
	// amended is what a person set since this run began.
	amended map[string]string
	alarm   alarm
}

// writeState is what a run of WriteTicket hands to the next one.
type writeState struct {
	// Since is when it was last begun to be tried: at first, or when a person
	// said so.
	Since    time.Time `json:"since"`
	Attempts int       `json:"attempts,omitempty"`
	// Unknown is set while an attempt may have had its effect unseen.
	Unknown *unknown `json:"unknown,omitempty"`
	// Made is a new ticket whose status is still to be set.
	Made *activities.WriteResult `json:"made,omitempty"`
	// Repeated: what is to be deleted may be gone already, by an attempt of ours.
	Repeated bool `json:"repeated,omitempty"`
	// Missed is since when nobody is found who holds the file.
	Missed   time.Time `json:"missed,omitzero"`
	Async    bool      `json:"async,omitempty"`
	Answered bool      `json:"answered,omitempty"`
	// Rounds counts the creates that had an unknown outcome and were not found.
	Rounds int `json:"rounds,omitempty"`
	// Stays: it was discarded, and may have had its effect all the same.
	Stays bool `json:"stays,omitempty"`
	// Parked is why a person is needed, and ParkedAt since when.
	Parked   *contract.WriteError   `json:"parked,omitempty"`
	ParkedAt time.Time              `json:"parked_at,omitzero"`
	Outcome  *contract.WriteOutcome `json:"outcome,omitempty"`
	EndedAt  time.Time              `json:"ended_at,omitzero"`
	// Key and URL are those of the ticket that was made.
	Key           string `json:"key,omitempty"`
	URL           string `json:"url,omitempty"`
	Rejected      int64  `json:"rejected,omitempty"`
	LastRejection string `json:"last_rejection,omitempty"`
}

// WriteTicket makes one write of the unified ticketing API durable: it is tried
// until it is made or refused, and made once however often it is asked for.
func WriteTicket(ctx workflow.Context, in contract.WriteTicketInput) (contract.WriteOutcome, error) {
	w, err := newWrite(ctx, in)
	if err != nil {
		return contract.WriteOutcome{}, temporal.NewNonRetryableApplicationError(err.Error(), contract.ErrorInvalidInput, err)
	}
	if err := w.handle(ctx); err != nil {
		return contract.WriteOutcome{}, err
	}
	return w.run(ctx)
}

func newWrite(ctx workflow.Context, in contract.WriteTicketInput) (*write, error) {
	info := workflow.GetInfo(ctx)
	w := &write{id: info.WorkflowExecution.ID, input: in, signals: openWriteSignals(ctx)}
	if err := in.Validate(w.id); err != nil {
		return nil, err
	}
	if len(in.State) > 0 {
		return w, json.Unmarshal(in.State, &w.state)
	}
	if w.input.BodyHash == "" { // a person started it
		hash, err := contract.WriteHash(in.Operator, in.TicketID, in.PartID, in.Body)
		if err != nil {
			return nil, err
		}
		w.input.BodyHash = hash
	}
	// The server's clock, whoever started it: two occurrences of a write never
	// begin at the same time, and a run that is reset begins when it began.
	w.input.FirstScheduledAt = info.WorkflowStartTime.UTC()
	w.state.Since = w.input.FirstScheduledAt
	return w, nil
}

func (w *write) handle(ctx workflow.Context) error {
	if err := workflow.SetQueryHandler(ctx, contract.QueryState, func() (contract.WriteView, error) { return w.view(), nil }); err != nil {
		return err
	}
	if err := workflow.SetQueryHandler(ctx, contract.UpdateOutcome, func() (contract.WriteAnswer, error) {
		return contract.WriteAnswer{Outcome: w.outcome()}, nil
	}); err != nil {
		return err
	}
	return workflow.SetUpdateHandlerWithOptions(ctx, contract.UpdateOutcome, w.waitOutcome,
		workflow.UpdateHandlerOptions{Validator: func(r contract.WriteOutcomeRequest) error { return r.Validate() }})
}

func (w *write) run(ctx workflow.Context) (contract.WriteOutcome, error) {
	calls, stopCalls := workflow.WithCancel(ctx)
	defer stopCalls()
	if err := w.findProvider(ctx); err != nil {
		return w.outcome(), err
	}
	for {
		w.receive(ctx)
		if w.isOutgrown(ctx) {
			return w.continueAsNew(ctx, stopCalls)
		}
		w.perform(calls)
		w.show(ctx)
		if w.over(ctx) {
			if done, err := w.end(ctx); done || err != nil {
				return w.outcome(), err
			}
			continue
		}
		w.alarm.set(ctx, w.endDue(), 0)
		w.nudged = false
		if err := workflow.Await(ctx, func() bool { return w.hasWork() || w.alarm.rang() || continueSuggested(ctx) }); err != nil {
			return w.outcome(), err
		}
		if continueSuggested(ctx) {
			return w.continueAsNew(ctx, stopCalls)
		}
	}
}

// findProvider looks up what a person who started the workflow did not say.
func (w *write) findProvider(ctx workflow.Context) error {
	if w.input.Provider != "" {
		return nil
	}
	return findProvider(ctx, w.input.Integration, &w.input.Provider)
}

func (w *write) hasWork() bool { return w.nudged || w.signals.pending() }

// over reports whether the run may end: nothing is left to do, and nobody can be
// missing the answer.
func (w *write) over(ctx workflow.Context) bool {
	if w.state.Outcome == nil || w.signals.pending() {
		return false
	}
	due := w.endDue()
	return due.IsZero() || !workflow.Now(ctx).Before(due)
}

// endDue is when a write that was made, or discarded, may be forgotten; zero where
// that needs no wait. A refused one changed nothing, so posting it again is harmless.
func (w *write) endDue() time.Time {
	s := &w.state
	made := s.Outcome != nil && s.Outcome.Status == contract.WriteOK && !s.Async
	if !made && !s.Stays || w.input.Keyed || s.Answered {
		return time.Time{}
	}
	return s.EndedAt.Add(rejoin)
}

// end lets waiting callers go and reports whether the run may really end: a
// signal may have come meanwhile.
func (w *write) end(ctx workflow.Context) (bool, error) {
	w.closing = true
	if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
		return false, err
	}
	w.closing = w.over(ctx)
	return w.closing, nil
}

// continueAsNew ends the run once no call is in flight any more. One that
// Temporal is about to repeat is cancelled at once; one that runs is awaited,
// because it may be changing the provider.
func (w *write) continueAsNew(ctx workflow.Context, stopCalls func()) (contract.WriteOutcome, error) {
	w.draining = true
	stopCalls()
	if err := workflow.Await(ctx, func() bool { return !w.performing }); err != nil {
		return w.outcome(), err
	}
	w.closing = true
	if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
		return w.outcome(), err
	}
	w.receive(ctx) // nothing from here on may block
	if w.over(ctx) && workflow.GetVersion(ctx, "end-rather-than-continue", workflow.DefaultVersion, 1) == 1 {
		w.show(ctx)
		return w.outcome(), nil // there is nothing to go on with
	}
	state, err := json.Marshal(w.state)
	if err != nil {
		return w.outcome(), err
	}
	w.input.State = state
	return w.outcome(), workflow.NewContinueAsNewError(ctx, contract.WriteTicket, w.input)
}
