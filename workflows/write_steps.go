package workflows

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/rest"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// perform starts a coroutine that makes the write, where none does.
func (w *write) perform(ctx workflow.Context) {
	if w.performing || !w.toDo() {
		return
	}
	w.performing = true
	workflow.Go(ctx, func(ctx workflow.Context) {
		for w.toDo() {
			if err := w.step(ctx); err != nil {
				break // cancelled: it stays for the next run
			}
		}
		w.performing, w.nudged = false, true
	})
}

func (w *write) toDo() bool {
	return !w.draining && w.state.Outcome == nil && w.state.Parked == nil
}

// step takes the write one step further. Its only error is cancellation.
func (w *write) step(ctx workflow.Context) error {
	w.state.Attempts++
	switch {
	case w.state.Unknown != nil:
		return w.search(ctx)
	case w.state.Made != nil:
		return w.setStatus(ctx)
	case strings.HasPrefix(w.input.Operator, "create_"):
		return w.create(ctx)
	case strings.HasPrefix(w.input.Operator, "delete_") &&
		workflow.GetVersion(ctx, "deletes-are-counted", workflow.DefaultVersion, 1) == 1:
		return w.delete(ctx)
	default:
		return w.apply(ctx)
	}
}

// operation identifies the act at the provider across attempts, runs and resets.
// An equal write without a key that comes later is another act: the time at
// which it began tells them apart.
func (w *write) operation() string {
	if w.input.Keyed {
		return w.id
	}
	return w.id + "/" + w.input.FirstScheduledAt.Format(time.RFC3339Nano)
}

func (w *write) act(ctx workflow.Context) activities.WriteInput {
	in := activities.WriteInput{
		Integration: w.input.Integration, Operator: w.input.Operator, TicketID: w.input.TicketID, PartID: w.input.PartID,
		Body: w.input.Body, Operation: w.operation(),
		Key:              strings.TrimPrefix(w.id, contract.WriteID(w.input.Integration, "")),
		FirstScheduledAt: w.input.FirstScheduledAt, Repeated: w.state.Repeated,
	}
	if w.isLarge(ctx) {
		in.Body, in.Set = nil, w.amended
	}
	return in
}

// call runs an activity until the write's time is up.
func (w *write) call(ctx workflow.Context, options workflow.ActivityOptions, activity, in any) (activities.WriteResult, error) {
	options.ScheduleToCloseTimeout = max(w.expiresAt().Sub(workflow.Now(ctx)), options.StartToCloseTimeout)
	var result activities.WriteResult
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), activity, in).Get(ctx, &result)
	if !unheld(err) {
		w.state.Missed = time.Time{}
	}
	return result, err
}

func (w *write) expiresAt() time.Time { return w.state.Since.Add(perseverance) }

func (w *write) create(ctx workflow.Context) error {
	timeout := callTimeout
	if w.input.Operator == contract.WriteCreateTicket {
		timeout = createTimeout
	}
	options := w.upload(once(w.input.Provider, timeout, w.title()))
	result, err := w.call(ctx, options, w.calls(ctx).create, w.act(ctx))
	if err != nil {
		return w.failed(ctx, err, true)
	}
	w.made(ctx, result)
	return nil
}

// search looks for what an unanswered create may have done.
func (w *write) search(ctx workflow.Context) error {
	u := w.state.Unknown
	in := activities.WriteRecoverInput{Write: w.act(ctx), EndedAt: u.EndedAt, Last: u.Scans > 0}
	options := w.onHolder(search(w.input.Provider, "look for what an unanswered "+w.input.Operator+" did"))
	result, err := w.call(ctx, options, w.calls(ctx).recover, in)
	switch {
	case err != nil:
		return w.failed(ctx, err, false)
	case result.Found:
		w.made(ctx, result)
	case w.searchedTwice(ctx):
		w.state.Unknown = u.scanned(workflow.Now(ctx))
	default:
		w.state.Unknown = nil
	}
	return w.backOff(ctx)
}

// searchedTwice: tickets, whose lists lag, and files, which bear no mark.
func (w *write) searchedTwice(ctx workflow.Context) bool {
	switch w.input.Operator {
	case contract.WriteCreateTicket:
		return true
	case contract.WriteCreateAttachment:
		return workflow.GetVersion(ctx, "search-twice-for-files", workflow.DefaultVersion, 1) == 1
	default:
		return false
	}
}

// longestBackOff is the longest pause before a create, or a delete, is made again.
const longestBackOff = 5 * time.Minute

// backOff waits before a create whose effect was not found, or a delete, is made
// again, from the second time on, longer each time: every round is some calls at the provider and
// two dozen events. Its only error is cancellation.
func (w *write) backOff(ctx workflow.Context) error {
	if w.state.Unknown != nil || w.state.Made != nil || w.state.Outcome != nil || w.state.Parked != nil ||
		workflow.GetVersion(ctx, "back-off-between-creates", workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		return nil
	}
	w.state.Rounds++
	if w.state.Rounds == 1 {
		return nil
	}
	wait := longestBackOff
	if doublings := w.state.Rounds - 2; doublings < 9 {
		wait = min(wait, time.Second<<doublings)
	}
	return workflow.Sleep(ctx, wait)
}

// made: what was to be created exists. A ticket that its provider created in
// another status than was asked for is moved there.
func (w *write) made(ctx workflow.Context, result activities.WriteResult) {
	w.state.Unknown = nil
	if result.Status != "" {
		w.state.Made = &result
		return
	}
	w.done(ctx, result)
}

// setStatus patches a new ticket. It exists, so a status that the provider
// refuses is a warning, and no reason to say that it was not created.
func (w *write) setStatus(ctx workflow.Context) error {
	made := w.state.Made
	body, err := json.Marshal(ticket.Patch{Status: &made.Status})
	if err != nil {
		return err
	}
	in := activities.WriteInput{Integration: w.input.Integration, Operator: contract.WritePatchTicket, TicketID: made.TicketID, Body: body}
	result, err := w.call(ctx, repeatable(w.input.Provider, callTimeout, "set the status of "+made.Key), writeActivities.WriteApply, in)
	// What the create said of the status is outdated either way.
	warnings := slices.DeleteFunc(slices.Clone(made.Warnings), func(text string) bool { return strings.HasPrefix(text, "status:") })
	if err != nil {
		if v := judge(ctx, err, false); v.stop != nil {
			return v.stop
		}
		result = *made
		result.Warnings = append(warnings, "status: not set: "+parkedText(err))
	} else {
		result.Warnings = append(warnings, result.Warnings...)
	}
	w.done(ctx, result)
	return nil
}

func (w *write) apply(ctx workflow.Context) error {
	result, err := w.call(ctx, repeatable(w.input.Provider, callTimeout, w.title()), w.calls(ctx).apply, w.act(ctx))
	if err != nil {
		w.state.Repeated = w.state.Repeated || !isFinal(err)
		return w.failed(ctx, err, false)
	}
	w.done(ctx, result)
	return nil
}

// delete makes one attempt after another that may have deleted it, and knows: only
// after such a one is what is not found deleted.
func (w *write) delete(ctx workflow.Context) error {
	in := w.act(ctx)
	in.Counted = true
	result, err := w.call(ctx, once(w.input.Provider, callTimeout, w.title()), writeActivities.WriteApply, in)
	if err == nil {
		w.done(ctx, result)
		return nil
	}
	if v := judge(ctx, err, true); v.unknown {
		w.state.Repeated = true
		if !isPanic(err) && workflow.Now(ctx).Before(w.expiresAt()) {
			return w.backOff(ctx)
		}
	}
	return w.failed(ctx, err, false)
}

func (w *write) done(ctx workflow.Context, result activities.WriteResult) {
	w.state.Made, w.state.Key, w.state.URL = nil, result.Key, result.URL
	w.finish(ctx, contract.WriteOutcome{
		Status: contract.WriteOK, Result: result.Result, TicketID: result.TicketID, PartID: result.PartID, Warnings: result.Warnings,
	})
}

func (w *write) finish(ctx workflow.Context, o contract.WriteOutcome) {
	o.Done, o.Operator = true, w.input.Operator
	w.state.Outcome, w.state.EndedAt = &o, workflow.Now(ctx).UTC()
}

// failed decides what an activity's final error means: search for what it may
// have done, tell the caller that it was refused, or wait for a person.
func (w *write) failed(ctx workflow.Context, err error, once bool) error {
	if unheld(err) {
		w.missed(ctx, err)
		return nil
	}
	v := judge(ctx, err, once)
	if v.unknown {
		w.state.Unknown = &unknown{EndedAt: workflow.Now(ctx)}
	}
	expired := !workflow.Now(ctx).Before(w.expiresAt())
	if v.stop != nil || !v.person && !expired {
		return v.stop
	}
	refusal, refused := refusalOf(err)
	if refused && w.changedNothing(refusal) && !w.state.Async {
		w.finish(ctx, contract.WriteOutcome{Status: contract.WriteRefused, TicketID: w.input.TicketID, PartID: w.input.PartID, Error: &refusal})
		return nil
	}
	if !isFinal(err) {
		refusal.Message = rest.Truncate("not made within 24 hours: "+refusal.Message, 4*keptText)
	}
	w.park(ctx, refusal)
	return nil
}

// changedNothing: no attempt has had an effect. Where one may have had it, a
// search that finds no ticket to look at has found nothing of its parts either.
func (w *write) changedNothing(refusal contract.WriteError) bool {
	return w.state.Unknown == nil || refusal.Kind == string(ticket.NotFound) && w.input.Operator != contract.WriteCreateTicket
}

func (w *write) park(ctx workflow.Context, why contract.WriteError) {
	w.state.Parked, w.state.ParkedAt = &why, workflow.Now(ctx).UTC()
	countParked(ctx, contract.MetricParked, w.input.Operator)
}

// refusalOf is what the provider, or we, had against a write; false where
// something else went wrong.
func refusalOf(err error) (contract.WriteError, bool) {
	refusal := contract.WriteError{}
	app, ok := errors.AsType[*temporal.ApplicationError](err)
	if ok && app.HasDetails() {
		_ = app.Details(&refusal) // without details the error's text serves
	}
	refusal.Message = parkedText(err)
	switch {
	case isType(err, contract.ErrorTicketClosed):
		refusal.Kind = string(ticket.Closed)
	case isType(err, contract.ErrorRefused), isType(err, contract.ErrorNotFound):
	default:
		return contract.WriteError{Message: refusal.Message}, false
	}
	return refusal, true
}
