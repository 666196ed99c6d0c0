package operate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/ticketbridge/ticketbridge/internal/contract"
)

// Parked finds and settles what waits for a person.
type Parked struct {
	Temporal client.Client
}

// Filter narrows what is meant; empty members do not.
type Filter struct {
	Integration string
	Feed        string
}

// Item is one parked thing.
type Item struct {
	Workflow    string    `json:"workflow"`
	Item        string    `json:"item"`
	Integration string    `json:"integration,omitempty"`
	Feed        string    `json:"feed,omitempty"`
	Request     int64     `json:"request,omitempty"`
	Kind        string    `json:"kind"`
	Reason      string    `json:"reason"`
	Since       time.Time `json:"since"`
	Set         []string  `json:"set,omitempty"`
}

// answerWithin bounds the question to one workflow.
const answerWithin = 10 * time.Second

// List asks every workflow that says it has parked items for them. One that does
// not answer is an item of its own: it must not hide the others.
func (p *Parked) List(ctx context.Context, f Filter) ([]Item, error) {
	var items []Item
	err := p.each(ctx, f, func(workflowID string, integration string) error {
		found, err := p.ask(ctx, workflowID)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			found = []Item{{Workflow: workflowID, Kind: "workflow", Reason: "does not answer, so what is parked there is not known: " + err.Error()}}
		}
		for i := range found {
			found[i].Integration = integration
		}
		items = append(items, found...)
		return nil
	})
	return items, err
}

func (p *Parked) ask(ctx context.Context, workflowID string) ([]Item, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	return p.of(ctx, workflowID)
}

// of lists the parked items of one workflow.
func (p *Parked) of(ctx context.Context, workflowID string) ([]Item, error) {
	if feed, ok := strings.CutPrefix(workflowID, contract.FeedID("")); ok {
		return p.ofFeed(ctx, workflowID, feed)
	}
	if _, ok := contract.WriteIntegration(workflowID); ok {
		return p.ofWrite(ctx, workflowID)
	}
	var view contract.MatchView
	if err := query(ctx, p.Temporal, workflowID, contract.QueryState, &view); err != nil {
		return nil, err
	}
	var items []Item
	for _, r := range view.Requests {
		for _, op := range r.Pending {
			if op.Parked != "" {
				items = append(items, item(workflowID, view.Key.Feed, r.ID, op))
			}
		}
	}
	for _, parked := range view.Parked {
		items = append(items, item(workflowID, view.Key.Feed, 0, parked))
	}
	return items, nil
}

func item(workflowID, feed string, request int64, v contract.PendingView) Item {
	return Item{Workflow: workflowID, Item: v.Item, Feed: feed, Request: request, Kind: v.Kind, Reason: v.Parked, Since: v.Since, Set: v.Set}
}

func (p *Parked) ofWrite(ctx context.Context, workflowID string) ([]Item, error) {
	var view contract.WriteView
	if err := query(ctx, p.Temporal, workflowID, contract.QueryState, &view); err != nil {
		return nil, err
	}
	var items []Item
	for _, parked := range view.Parked {
		items = append(items, item(workflowID, "", 0, parked))
	}
	return items, nil
}

func (p *Parked) ofFeed(ctx context.Context, workflowID, feed string) ([]Item, error) {
	var view contract.FeedView
	if err := query(ctx, p.Temporal, workflowID, contract.QueryState, &view); err != nil {
		return nil, err
	}
	var items []Item
	for _, parked := range view.Parked {
		items = append(items, Item{
			Workflow: workflowID, Item: parked.Item, Feed: feed, Kind: "entry", Reason: parked.Reason, Since: parked.Since,
			Set: contract.AmendableEntry(view.Match),
		})
	}
	return items, nil
}

// Retry tries an item again, all of the workflow's where item is empty.
func (p *Parked) Retry(ctx context.Context, workflowID, item string) error {
	return p.settle(ctx, workflowID, contract.SignalRetry, item, contract.ItemSignal{Item: item})
}

// Discard gives an item up, all of the workflow's where item is empty.
func (p *Parked) Discard(ctx context.Context, workflowID, item string) error {
	return p.settle(ctx, workflowID, contract.SignalDiscard, item, contract.ItemSignal{Item: item})
}

// Amend changes an item and tries it again.
func (p *Parked) Amend(ctx context.Context, workflowID string, change contract.AmendSignal) error {
	return p.settle(ctx, workflowID, contract.SignalAmend, change.Item, change)
}

// settle passes a signal on. An item that is not parked is ErrNotFound; where no
// worker can say, the signal goes all the same, and the workflow counts it among
// the refused ones if there is no such item.
func (p *Parked) settle(ctx context.Context, workflowID, signal, item string, payload any) error {
	if item != "" {
		items, err := p.ask(ctx, workflowID)
		known := func(i Item) bool { return i.Item == item }
		if err == nil && !slices.ContainsFunc(items, known) {
			return fmt.Errorf("%s: item %q is not parked at %s: %w", signal, item, workflowID, ErrNotFound)
		}
	}
	return p.signal(ctx, workflowID, signal, payload)
}

func (p *Parked) signal(ctx context.Context, workflowID, signal string, payload any) error {
	if err := p.Temporal.SignalWorkflow(ctx, workflowID, "", signal, payload); err != nil {
		return fmt.Errorf("%s at %s: %w", signal, workflowID, classify(err))
	}
	return nil
}

// SignalAll sends retry or discard to every workflow that has parked items and
// reports how many took it; the error names those that did not.
func (p *Parked) SignalAll(ctx context.Context, f Filter, signal string) (int, error) {
	count := 0
	var failed []error
	err := p.each(ctx, f, func(workflowID, _ string) error {
		if strings.HasPrefix(workflowID, contract.FeedID("")) {
			if items, err := p.ask(ctx, workflowID); err == nil && len(items) == 0 {
				return nil // only paused or blocked
			}
		}
		if err := p.signal(ctx, workflowID, signal, contract.ItemSignal{}); err != nil {
			failed = append(failed, err)
			return ctx.Err()
		}
		count++
		return nil
	})
	return count, errors.Join(append(failed, err)...)
}

// each visits the workflows whose BridgeState is parked.
func (p *Parked) each(ctx context.Context, f Filter, visit func(workflowID, integration string) error) error {
	// A feed that is paused or blocked shows that, whatever is parked there.
	where := []string{
		"(" + equals(contract.AttributeState, contract.StateParked) + " OR " + equals(contract.AttributeState, contract.StatePaused) +
			" OR " + equals(contract.AttributeState, contract.StateBlocked) + ")",
		`ExecutionStatus = 'Running'`,
	}
	if f.Integration != "" {
		where = append(where, equals(contract.AttributeIntegration, f.Integration))
	}
	if f.Feed != "" {
		where = append(where, equals(contract.AttributeFeed, f.Feed))
	}
	return list(ctx, p.Temporal, strings.Join(where, " AND "), func(info *workflowpb.WorkflowExecutionInfo) error {
		return visit(info.GetExecution().GetWorkflowId(), keyword(info, contract.AttributeIntegration))
	})
}

// list visits every workflow that a visibility query finds.
func list(ctx context.Context, c client.Client, where string, visit func(*workflowpb.WorkflowExecutionInfo) error) error {
	var token []byte
	for {
		page, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Query: where, NextPageToken: token})
		if err != nil {
			return fmt.Errorf("list workflows: %w", classify(err))
		}
		for _, info := range page.GetExecutions() {
			if err := visit(info); err != nil {
				return err
			}
		}
		if token = page.GetNextPageToken(); len(token) == 0 {
			return nil
		}
	}
}

func keyword(info *workflowpb.WorkflowExecutionInfo, name string) string {
	payload := info.GetSearchAttributes().GetIndexedFields()[name]
	return strings.Trim(string(payload.GetData()), `"`)
}

// equals writes a condition of a visibility query; quotes in values are doubled.
func equals(name, value string) string {
	return name + " = '" + strings.ReplaceAll(value, "'", "''") + "'"
}
