// Package delivery hands events to the MatchEvents workflows that they belong
// to. It is the one way in: feeds, the HTTP interfaces and the command line all
// use it, so that an event means the same wherever it came from.
package delivery

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"golang.org/x/sync/errgroup"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
)

const (
	// maxSignalBytes bounds one signal; Temporal refuses payloads above 2 MB and
	// a history above 50 MB.
	maxSignalBytes = 256 << 10
	// parallel keys are signalled at once. Signals of one key follow each other.
	parallel = 8
)

// Temporal is what delivery needs of the Temporal client.
type Temporal interface {
	SignalWithStartWorkflow(ctx context.Context, workflowID, signalName string, signalArg any,
		options client.StartWorkflowOptions, workflow any, workflowArgs ...any) (client.WorkflowRun, error)
}

// Delivery hands over events that are resolved.
type Delivery struct {
	Temporal Temporal
	// Target looks an integration up.
	Target func(ctx context.Context, integration string) (Target, error)
}

// Target is what a match key's workflow is told of its integration.
type Target struct {
	// Provider is the provider's short name, e.g. "jira".
	Provider string
	// Memory is how long past its last request's end the key remembers.
	Memory time.Duration
}

// Deliver signals events to their workflows, in order per match key, starting
// those that do not run. When it returns without error all events are durable.
// After an error some may be; delivering all of them again is harmless.
func (d *Delivery) Deliver(ctx context.Context, integration string, events []event.Event) error {
	target, err := d.Target(ctx, integration)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for _, batch := range byKey(integration, events) {
		group.Go(func() error {
			for _, chunk := range chunks(batch.events) {
				if err := d.signal(ctx, integration, target, batch.workflowID, chunk); err != nil {
					return fmt.Errorf("signal %s: %w", batch.workflowID, err)
				}
			}
			return nil
		})
	}
	return group.Wait()
}

type batch struct {
	workflowID string
	events     []event.Event
}

// byKey groups events by the workflow they go to; both the groups and the
// events in them keep the order of arrival.
func byKey(integration string, events []event.Event) []*batch {
	var order []*batch
	byID := map[string]*batch{}
	for _, e := range events {
		id := contract.MatchID(integration, e.Resolved.Key)
		b := byID[id]
		if b == nil {
			b = &batch{workflowID: id}
			byID[id] = b
			order = append(order, b)
		}
		b.events = append(b.events, e)
	}
	return order
}

// chunks cuts events into runs that fit one signal.
func chunks(events []event.Event) [][]event.Event {
	var out [][]event.Event
	start, size := 0, 0
	for i, e := range events {
		n := encodedSize(e)
		if i > start && size+n > maxSignalBytes {
			out = append(out, events[start:i])
			start, size = i, 0
		}
		size += n
	}
	return append(out, events[start:])
}

func encodedSize(e event.Event) int {
	data, err := json.Marshal(e)
	if err != nil {
		return maxSignalBytes // on its own; the client reports what is wrong with it
	}
	return len(data)
}

func (d *Delivery) signal(ctx context.Context, integration string, target Target, workflowID string, events []event.Event) error {
	key := events[0].Resolved.Key
	options := client.StartWorkflowOptions{
		ID:                    workflowID,
		TaskQueue:             contract.QueueWorkflows,
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		StaticSummary:         Summary(events[0]),
		StaticDetails:         details(integration, events[0]),
		TypedSearchAttributes: attributes(integration, workflowID, events[0]),
	}
	_, err := d.Temporal.SignalWithStartWorkflow(ctx, workflowID, contract.SignalEvent,
		contract.EventsSignal{Events: events}, options, contract.MatchEvents,
		contract.MatchEventsInput{Integration: integration, Provider: target.Provider, Memory: target.Memory.String(), Key: key})
	return err
}

const maxSummary = 200 // bytes; the server's limit

// Summary is the line that the web UI shows for a key's workflow.
func Summary(e event.Event) string {
	text := e.Resolved.Fields.Source + ": " + e.Resolved.Fields.Subject
	if e.Resolved.Key.Policy == event.PolicyTicket {
		text = e.Resolved.Key.ForeignTicket + ": " + e.Resolved.Fields.Subject
	}
	return cut(text, maxSummary)
}

func details(integration string, e event.Event) string {
	key := e.Resolved.Key
	if key.Policy == event.PolicyTicket {
		return fmt.Sprintf("Events of ticket **%s** on feed **%s**, mirrored to **%s**.", key.ForeignTicket, key.Feed, integration)
	}
	return fmt.Sprintf("Events of **%s** in account **%s**, ticketed at **%s**.", e.Resolved.Fields.Source, key.Account, integration)
}

func attributes(integration, workflowID string, e event.Event) temporal.SearchAttributes {
	updates := []temporal.SearchAttributeUpdate{
		temporal.NewSearchAttributeKeyKeyword(contract.AttributeState).ValueSet(contract.StateDelivering),
		temporal.NewSearchAttributeKeyKeyword(contract.AttributeIntegration).ValueSet(integration),
		temporal.NewSearchAttributeKeyKeyword(contract.AttributeSource).ValueSet(cut(e.Resolved.Fields.Source, maxSummary)),
		temporal.NewSearchAttributeKeyInt64(contract.AttributeRequest).ValueSet(contract.RequestID(workflowID, e.ID)),
	}
	if feed := e.Resolved.Key.Feed; feed != "" {
		updates = append(updates, temporal.NewSearchAttributeKeyKeyword(contract.AttributeFeed).ValueSet(feed))
	}
	if ci := e.Resolved.Fields.CI; ci.ID != 0 {
		name := ci.Name
		if name == "" {
			name = strconv.FormatInt(ci.ID, 10)
		}
		updates = append(updates, temporal.NewSearchAttributeKeyKeyword(contract.AttributeCI).ValueSet(cut(name, maxSummary)))
	}
	return temporal.NewSearchAttributes(updates...)
}
