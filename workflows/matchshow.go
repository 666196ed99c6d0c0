package workflows

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/matching"
	"github.com/ticketbridge/ticketbridge/internal/rest"
)

// show brings what the web UI displays up to date.
func (m *matchKey) show(ctx workflow.Context) {
	workflow.SetCurrentDetails(ctx, m.details())
	upsert(ctx, m.attributes(ctx))
}

// upsert sets those search attributes that differ from what the run has: each
// upsert costs an action.
func upsert(ctx workflow.Context, want []attribute) {
	have := workflow.GetTypedSearchAttributes(ctx)
	var updates []temporal.SearchAttributeUpdate
	for _, a := range want {
		if update, differs := a.differs(have); differs {
			updates = append(updates, update)
		}
	}
	if len(updates) == 0 {
		return
	}
	if err := workflow.UpsertTypedSearchAttributes(ctx, updates...); err != nil {
		workflow.GetLogger(ctx).Error("search attributes not set", "error", err)
	}
}

// attribute is a wanted value; number is used when text is empty.
type attribute struct {
	name   string
	text   string
	number int64
}

func (a attribute) differs(have temporal.SearchAttributes) (temporal.SearchAttributeUpdate, bool) {
	if a.text == "" && a.number != 0 {
		key := temporal.NewSearchAttributeKeyInt64(a.name)
		value, ok := have.GetInt64(key)
		return key.ValueSet(a.number), !ok || value != a.number
	}
	key := temporal.NewSearchAttributeKeyKeyword(a.name)
	value, ok := have.GetKeyword(key)
	return key.ValueSet(a.text), a.text != "" && (!ok || value != a.text)
}

func (m *matchKey) attributes(ctx workflow.Context) []attribute {
	list := []attribute{
		{name: contract.AttributeState, text: m.bridgeState(ctx)},
		{name: contract.AttributeIntegration, text: m.integration},
		{name: contract.AttributeFeed, text: m.key.Feed},
	}
	if n := len(m.state.Requests); n > 0 {
		last := m.state.Requests[n-1]
		list = append(list, attribute{name: contract.AttributeRequest, number: last.ID},
			attribute{name: contract.AttributeSource, text: rest.Truncate(last.Fields.Source, maxSummary)})
		if ci := last.Fields.CI; ci.ID != 0 {
			list = append(list, attribute{name: contract.AttributeCI, text: rest.Truncate(cmp.Or(ci.Name, strconv.FormatInt(ci.ID, 10)), maxSummary)})
		}
		if t := m.state.Tracks[n-1].Ticket; t != nil {
			list = append(list, attribute{name: contract.AttributeTicket, text: cmp.Or(t.Key, t.ID)})
		}
	}
	return list
}

// bridgeState says at a glance how the key stands. Comments on their way do not
// show: a change costs an action each time.
func (m *matchKey) bridgeState(ctx workflow.Context) string {
	state := contract.StateClosed
	for i := range m.state.Requests {
		r, t := &m.state.Requests[i], m.state.Tracks[i]
		for _, op := range t.Pending {
			if op.Parked != "" {
				return contract.StateParked
			}
		}
		switch {
		case t.Ticket == nil && len(t.Pending) > 0:
			state = contract.StateDelivering
		case state == contract.StateClosed && r.Open(workflow.Now(ctx)):
			state = contract.StateOpen
		}
	}
	switch {
	case len(m.state.Parked) > 0:
		return contract.StateParked
	case len(m.state.Requests) == 0 && m.state.Events == 0:
		return contract.StateOpen
	}
	return state
}

// details is the Markdown that a person sees at the top of the key's workflow.
func (m *matchKey) details() string {
	var b strings.Builder
	for i := len(m.state.Requests) - 1; i >= 0 && b.Len() < maxDetails; i-- {
		requestDetails(&b, &m.state.Requests[i], m.state.Tracks[i])
	}
	for _, p := range m.state.Parked {
		fmt.Fprintf(&b, "\n**Parked event** item `%s` since %s: %s\n", p.Item, timeText(p.Since), p.Reason)
	}
	fmt.Fprintf(&b, "\nEvents %d, again the same %d", m.state.Events, m.state.Duplicates)
	if m.state.NotTicketed > 0 {
		fmt.Fprintf(&b, ", replayed without a ticket %d", m.state.NotTicketed)
	}
	if refused := refusedText(m.state.Rejected, m.state.LastRejection); refused != "" {
		fmt.Fprintf(&b, ", signals refused %s", refused)
	}
	b.WriteString("\n")
	return rest.Truncate(b.String(), maxDetails)
}

// shownOperations is how many undelivered operations of a request are shown.
const shownOperations = 20

func requestDetails(b *strings.Builder, r *matching.Request, t *track) {
	fmt.Fprintf(b, "### Request %d: %s\n\n| | |\n|---|---|\n", r.ID, cell(r.Fields.Subject))
	row := func(label, value string) {
		if value != "" {
			fmt.Fprintf(b, "| %s | %s |\n", label, cell(value))
		}
	}
	row("Ticket", ticketText(t))
	row("Status", r.Fields.Status)
	row("Created", timeText(r.CreatedAt))
	if r.Policy == event.PolicyEvent {
		row("Takes events until", timeText(r.CreatedAt.Add(matching.Window)))
	}
	row("Completed", timeText(r.CompletedAt))
	row("Notes", fmt.Sprint(r.Notes))
	row("Waiting until", timeText(r.WakeAt()))
	for _, op := range t.Pending[:min(len(t.Pending), shownOperations)] {
		v := op.view()
		switch {
		case v.Parked != "":
			fmt.Fprintf(b, "| **Parked** %s, item `%s` | %s |\n", v.Kind, v.Item, cell(v.Parked))
		case v.Waiting != "":
			row("On its way: "+v.Kind, v.Waiting)
		}
	}
	if n := len(t.Pending); n > 0 {
		row("Not delivered yet", fmt.Sprint(n))
	}
	b.WriteString("\n")
}

func ticketText(t *track) string {
	switch {
	case t.Ticket == nil:
		return "none yet"
	case t.Ticket.URL != "":
		return fmt.Sprintf("[%s](%s)", cmp.Or(t.Ticket.Key, t.Ticket.ID), t.Ticket.URL)
	default:
		return cmp.Or(t.Ticket.Key, t.Ticket.ID)
	}
}
