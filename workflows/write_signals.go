package workflows

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/rest"
)

// writeItem is the one item that a write can park.
const writeItem = "1"

// writeSignals are the channels of WriteTicket.
type writeSignals struct {
	answered, async, retry, discard, amend, held workflow.ReceiveChannel
}

func openWriteSignals(ctx workflow.Context) writeSignals {
	return writeSignals{
		answered: workflow.GetSignalChannel(ctx, contract.SignalAnswered),
		async:    workflow.GetSignalChannel(ctx, contract.SignalAsync),
		retry:    workflow.GetSignalChannel(ctx, contract.SignalRetry),
		discard:  workflow.GetSignalChannel(ctx, contract.SignalDiscard),
		amend:    workflow.GetSignalChannel(ctx, contract.SignalAmend),
		held:     workflow.GetSignalChannel(ctx, contract.SignalHeld),
	}
}

func (s writeSignals) pending() bool {
	return s.answered.Len()+s.async.Len()+s.retry.Len()+s.discard.Len()+s.amend.Len()+s.held.Len() > 0
}

// receive handles every buffered signal. It never blocks.
func (w *write) receive(ctx workflow.Context) {
	each(w.signals.answered, w.reject(contract.SignalAnswered), func(nothing) {
		if w.outcome().Status != contract.WriteOK {
			w.reject(contract.SignalAnswered)(errors.New("it is not made yet"))
			return
		}
		w.state.Answered = true
	})
	each(w.signals.async, w.reject(contract.SignalAsync), func(nothing) { w.becomeAsync(ctx) })
	each(w.signals.held, w.reject(contract.SignalHeld), func(s contract.HeldSignal) { w.isHeld(ctx, s) })
	each(w.signals.retry, w.reject(contract.SignalRetry), func(s contract.ItemSignal) {
		w.free(ctx, contract.SignalRetry, s.Item, nil)
	})
	each(w.signals.amend, w.reject(contract.SignalAmend), func(s contract.AmendSignal) {
		w.free(ctx, contract.SignalAmend, s.Item, s.Set)
	})
	each(w.signals.discard, w.reject(contract.SignalDiscard), func(s contract.ItemSignal) { w.discard(ctx, s.Item) })
}

func (w *write) reject(signal string) func(error) {
	return func(err error) {
		w.state.Rejected++
		w.state.LastRejection = rest.Truncate(signal+": "+err.Error(), 2*keptText)
	}
}

// becomeAsync: a caller was told to ask later. A refusal that came just before
// that has been told to nobody, so it waits for a person.
func (w *write) becomeAsync(ctx workflow.Context) {
	w.state.Async = true
	if o := w.state.Outcome; o != nil && o.Status == contract.WriteRefused {
		w.state.Outcome = nil
		w.park(ctx, *o.Error)
	}
}

// unpark ends the wait for a person; false, and a rejected signal, where the
// item is not parked.
func (w *write) unpark(ctx workflow.Context, signal, item string) bool {
	if w.state.Parked == nil || item != "" && item != writeItem {
		w.reject(signal)(fmt.Errorf("item %q: %w", item, errNoSuchItem))
		return false
	}
	w.state.Parked = nil
	countParked(ctx, contract.MetricUnparked, w.input.Operator)
	return true
}

// free lets a parked write go on, with what a person amended.
func (w *write) free(ctx workflow.Context, signal, item string, set map[string]string) {
	body, err := w.withSet(set)
	if err != nil {
		w.reject(signal)(err)
		return
	}
	if w.unpark(ctx, signal, item) {
		w.input.Body, w.state.Since = body, workflow.Now(ctx).UTC()
		w.remember(set)
	}
}

// withSet is the body with what a person set; what it has no place for is an error.
func (w *write) withSet(set map[string]string) (json.RawMessage, error) {
	if len(set) == 0 {
		return w.input.Body, nil
	}
	can := amendableWrite(w.input.Operator)
	if len(can) == 0 {
		return nil, fmt.Errorf("item %s: %s has nothing to amend", writeItem, w.input.Operator)
	}
	for _, name := range workflow.DeterministicKeys(set) {
		if !slices.Contains(can, name) {
			return nil, fmt.Errorf("item %s: set.%s: want %s", writeItem, rest.Truncate(name, keptText), strings.Join(can, ", "))
		}
	}
	text, err := contract.AmendBody(w.input.Body, set)
	if err != nil {
		return nil, err
	}
	return text, contract.CheckWrite(w.input.Operator, w.input.TicketID, w.input.PartID, text)
}

// amendableWrite lists what an amend signal may set.
func amendableWrite(operator string) []string {
	fields := []string{"name", "description", "priority", "status", "assignee", "creator", "contact", "project", "issue_type", "parent"}
	switch operator {
	case contract.WriteCreateTicket:
		return fields
	case contract.WritePatchTicket:
		return append(fields, "resolution")
	case contract.WriteCreateComment:
		return []string{"content"}
	case contract.WriteCreateNote, contract.WritePatchNote:
		return []string{"title", "content"}
	case contract.WriteCreateAttachment:
		return []string{"file_name", "file_type"}
	default:
		return nil
	}
}

// discard gives a parked write up.
func (w *write) discard(ctx workflow.Context, item string) {
	why := w.state.Parked
	if w.unpark(ctx, contract.SignalDiscard, item) {
		// Whoever sends it again without knowing must not make it a second time.
		w.state.Stays = workflow.GetVersion(ctx, "stay-after-a-discard", workflow.DefaultVersion, 1) == 1
		w.finish(ctx, contract.WriteOutcome{
			Status: contract.WriteDiscarded, TicketID: w.input.TicketID, PartID: w.input.PartID,
			Error: &contract.WriteError{Kind: why.Kind, Status: why.Status, Message: "a person discarded it: " + why.Message},
		})
	}
}
