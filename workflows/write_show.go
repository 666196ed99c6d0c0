package workflows

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/rest"
)

// crowd is how many callers wait without a timer of their own: each costs an
// action, and Temporal lets ten updates wait at one workflow.
const crowd = 5

// waitOutcome answers the outcome update: it waits until the write has ended or
// is parked, or until the time that the caller named is over. Where few wait that
// is noticed when something happens; nobody listens to such an answer any more.
func (w *write) waitOutcome(ctx workflow.Context, r contract.WriteOutcomeRequest) (contract.WriteAnswer, error) {
	wait, err := r.Duration()
	if err != nil {
		return contract.WriteAnswer{}, err
	}
	w.waiting++
	defer func() { w.waiting-- }()
	until := workflow.Now(ctx).Add(wait)
	// What was parked for want of a file that is there again is not parked.
	known := func() bool { return w.outcome().Status != contract.WritePending && w.signals.held.Len() == 0 }
	answered := func() bool { return w.closing || known() || !workflow.Now(ctx).Before(until) }
	if w.waiting > crowd {
		_, err = workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
			Timeout: wait, TimerOptions: workflow.TimerOptions{Summary: "a caller waits"},
		}, answered)
	} else {
		err = workflow.Await(ctx, answered)
	}
	return contract.WriteAnswer{Outcome: w.outcome(), Again: w.closing && !known()}, err
}

// outcome is how the write stands.
func (w *write) outcome() contract.WriteOutcome {
	switch {
	case w.state.Outcome != nil:
		return *w.state.Outcome
	case w.state.Parked != nil:
		return contract.WriteOutcome{Status: contract.WriteParked, TicketID: w.input.TicketID, PartID: w.input.PartID, Error: w.state.Parked}
	default:
		return contract.WriteOutcome{Status: contract.WritePending, TicketID: w.input.TicketID, PartID: w.input.PartID}
	}
}

func (w *write) view() contract.WriteView {
	v := contract.WriteView{
		Integration: w.input.Integration, Operator: w.input.Operator, TicketID: w.input.TicketID, PartID: w.input.PartID,
		Keyed: w.input.Keyed, Async: w.state.Async, Since: w.input.FirstScheduledAt, Attempts: w.state.Attempts,
		Waiting: w.waitingFor(), Outcome: w.outcome(), Rejected: w.state.Rejected, LastRejection: w.state.LastRejection,
	}
	if p := w.state.Parked; p != nil {
		v.Parked = []contract.PendingView{{
			Item: writeItem, Kind: w.input.Operator, Since: w.state.ParkedAt, Parked: p.Message, Set: amendableWrite(w.input.Operator),
		}}
	}
	return v
}

func (w *write) waitingFor() string {
	switch {
	case w.state.Outcome != nil || w.state.Parked != nil:
		return ""
	case !w.state.Missed.IsZero():
		return "whoever holds the file does not answer; sent again, it goes on at once"
	case w.state.Unknown != nil:
		return "an attempt had no answer; looking for what it may have done"
	case w.state.Made != nil:
		return "the ticket is made; setting its status"
	default:
		return ""
	}
}

// title says what is to be done.
func (w *write) title() string {
	verb, kind, _ := strings.Cut(w.input.Operator, "_")
	text := verb + " " + kind
	if w.input.PartID != "" {
		text += " " + w.input.PartID
	}
	if w.input.TicketID != "" && kind != "ticket" {
		text += " of"
	}
	if w.input.TicketID != "" {
		text += " " + w.input.TicketID
	}
	return text + " in " + w.input.Integration
}

// show brings what the web UI displays up to date.
func (w *write) show(ctx workflow.Context) {
	workflow.SetCurrentDetails(ctx, w.details())
	state := contract.StateDelivering
	switch {
	case w.state.Parked != nil:
		state = contract.StateParked
	case w.state.Outcome != nil:
		state = contract.StateClosed
	}
	upsert(ctx, []attribute{
		{name: contract.AttributeState, text: state},
		{name: contract.AttributeIntegration, text: w.input.Integration},
		{name: contract.AttributeTicket, text: rest.Truncate(cmp.Or(w.ticketKey(), w.input.TicketID), maxSummary)},
	})
}

// ticketKey is the name of a ticket that this write made.
func (w *write) ticketKey() string {
	if w.input.Operator != contract.WriteCreateTicket {
		return ""
	}
	if w.state.Made != nil {
		return w.state.Made.Key
	}
	return w.state.Key
}

// details is the Markdown that a person sees at the top of the write's workflow.
func (w *write) details() string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s: %s\n\n| | |\n|---|---|\n", cell(w.title()), w.outcome().Status)
	row := func(label, value string) {
		if value != "" {
			fmt.Fprintf(&b, "| %s | %s |\n", label, cell(value))
		}
	}
	row("Ticket", w.ticketText())
	row("Comment, note or attachment", w.outcome().PartID)
	row("Since", timeText(w.input.FirstScheduledAt))
	row("Ended", timeText(w.state.EndedAt))
	row("Attempts", fmt.Sprint(w.state.Attempts))
	row("Waiting", w.waitingFor())
	if p := w.state.Parked; p != nil {
		row("**Parked**, item `"+writeItem+"`, since "+timeText(w.state.ParkedAt), p.Message)
		row("Signal", "`retry`, `amend` or `discard`")
	} else if w.state.Outcome == nil {
		row("Parked if not made by", timeText(w.expiresAt().Truncate(time.Second)))
	}
	if o := w.state.Outcome; o != nil && o.Error != nil {
		row("Refused", o.Error.Message)
	}
	row("Warnings", strings.Join(w.outcome().Warnings, "; "))
	if w.state.Async {
		row("Caller", "took a 202 and asks later")
	}
	row("Signals refused", refusedText(w.state.Rejected, w.state.LastRejection))
	return rest.Truncate(b.String(), maxDetails)
}

func (w *write) ticketText() string {
	id := cmp.Or(w.ticketKey(), w.outcome().TicketID)
	if w.state.URL != "" {
		return fmt.Sprintf("[%s](%s)", id, w.state.URL)
	}
	return id
}
