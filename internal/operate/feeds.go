package operate

import (
	"context"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"github.com/ticketbridge/ticketbridge/internal/contract"
)

// Feeds steer PollFeed workflows.
type Feeds struct {
	Temporal client.Client
}

// Start starts reading a feed; where it runs already nothing happens.
func (f *Feeds) Start(ctx context.Context, feed, integration string) error {
	_, err := f.Temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                       contract.FeedID(feed),
		TaskQueue:                contract.QueueWorkflows,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            "Feed " + feed + " to " + integration,
		StaticDetails:            fmt.Sprintf("Reads feed **%s** for ever and hands its events over to tickets at **%s**. Signals: `pause`, `resume`, `rewind`, `poll-now`, `retry`, `discard`, `amend`; query `state`.", feed, integration),
		TypedSearchAttributes: temporal.NewSearchAttributes(
			temporal.NewSearchAttributeKeyKeyword(contract.AttributeState).ValueSet(contract.StatePolling),
			temporal.NewSearchAttributeKeyKeyword(contract.AttributeFeed).ValueSet(feed),
			temporal.NewSearchAttributeKeyKeyword(contract.AttributeIntegration).ValueSet(integration),
		),
	}, contract.PollFeed, contract.PollFeedInput{Feed: feed})
	if err != nil {
		return fmt.Errorf("start feed %s: %w", feed, classify(err))
	}
	return nil
}

// State asks a feed how it stands.
func (f *Feeds) State(ctx context.Context, feed string) (contract.FeedView, error) {
	var view contract.FeedView
	if err := queryRunning(ctx, f.Temporal, contract.FeedID(feed), contract.QueryState, &view); err != nil {
		return view, fmt.Errorf("feed %s: %w", feed, err)
	}
	return view, nil
}

// Signal sends a feed one of its signals; payload may be nil.
func (f *Feeds) Signal(ctx context.Context, feed, signal string, payload any) error {
	err := f.Temporal.SignalWorkflow(ctx, contract.FeedID(feed), "", signal, payload)
	if err != nil {
		return fmt.Errorf("%s feed %s (is it started? `starter feed start %s`): %w", signal, feed, feed, classify(err))
	}
	return nil
}

// query runs a query and decodes its answer.
func query(ctx context.Context, c client.Client, workflowID, name string, answer any, args ...any) error {
	var value converter.EncodedValue
	err := patiently(ctx, func(ctx context.Context) (err error) {
		value, err = c.QueryWorkflow(ctx, workflowID, "", name, args...)
		return err
	})
	if err != nil {
		return fmt.Errorf("query %s of %s: %w", name, workflowID, classifyQuery(err))
	}
	if err := value.Get(answer); err != nil {
		return fmt.Errorf("query %s of %s: %w", name, workflowID, err)
	}
	return nil
}

// queryRunning runs a query of a workflow that has not ended; ErrNotFound where
// it has, or never was.
func queryRunning(ctx context.Context, c client.Client, workflowID, name string, answer any, args ...any) error {
	var response *client.QueryWorkflowWithOptionsResponse
	err := patiently(ctx, func(ctx context.Context) (err error) {
		response, err = c.QueryWorkflowWithOptions(ctx, &client.QueryWorkflowWithOptionsRequest{
			WorkflowID: workflowID, QueryType: name, Args: args,
			QueryRejectCondition: enumspb.QUERY_REJECT_CONDITION_NOT_OPEN,
		})
		return err
	})
	switch {
	case err != nil:
		return classifyQuery(err)
	case response.QueryRejected != nil:
		return fmt.Errorf("its workflow has ended: %w", ErrNotFound)
	}
	return response.QueryResult.Get(answer)
}
