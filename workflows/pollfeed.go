package workflows

import (
	"encoding/json"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/contract"
)

// feedActivities names the activities' methods; it is never called.
var feedActivities *activities.Feeds

// feed is one run of PollFeed.
type feed struct {
	name    string
	state   feedState
	signals feedSignals
}

// PollFeed reads one feed for ever. It never fails by itself: trouble with the
// feed is retried, and a configuration that has to be mended blocks it until a
// person signals resume.
func PollFeed(ctx workflow.Context, in contract.PollFeedInput) error {
	if err := in.Validate(); err != nil {
		return temporal.NewNonRetryableApplicationError(err.Error(), contract.ErrorInvalidInput, err)
	}
	if want := contract.FeedID(in.Feed); workflow.GetInfo(ctx).WorkflowExecution.ID != want {
		err := fmt.Errorf("feed %s belongs to the workflow id %q; start it there", in.Feed, want)
		return temporal.NewNonRetryableApplicationError(err.Error(), contract.ErrorInvalidInput, err)
	}
	f := &feed{name: in.Feed, signals: openFeedSignals(ctx)}
	if len(in.State) > 0 {
		if err := json.Unmarshal(in.State, &f.state); err != nil {
			return temporal.NewNonRetryableApplicationError("state: "+err.Error(), contract.ErrorInvalidInput, err)
		}
	}
	err := workflow.SetQueryHandler(ctx, contract.QueryState, func() (contract.FeedView, error) { return f.state.view(f.name), nil })
	if err != nil {
		return err
	}
	return f.run(ctx)
}

func (f *feed) run(ctx workflow.Context) error {
	for {
		f.receive()
		f.show(ctx)
		var err error
		if f.state.Paused || f.state.Blocked != "" {
			err = workflow.Await(ctx, f.signals.pending)
		} else {
			err = f.read(ctx)
		}
		if err != nil {
			return err
		}
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			f.receive() // nothing below may block
			return f.continueAsNew(ctx)
		}
	}
}

func (f *feed) continueAsNew(ctx workflow.Context) error {
	state, err := json.Marshal(f.state)
	if err != nil {
		return err
	}
	return workflow.NewContinueAsNewError(ctx, contract.PollFeed, contract.PollFeedInput{Feed: f.name, State: state})
}

// read runs one ReadFeed. A signal that concerns the reading interrupts it: the
// workflow goes on at once, and the activity learns of it when it next asks.
func (f *feed) read(ctx workflow.Context) error {
	if err := f.redeliver(ctx); err != nil {
		return err
	}
	ctx, cancel := workflow.WithCancel(ctx)
	defer cancel()
	in := f.state.readInput(f.name)
	f.state.AtOnce = false
	future := workflow.ExecuteActivity(readOptions(ctx, f.name), feedActivities.ReadFeed, in)
	for {
		if err := workflow.Await(ctx, func() bool { return future.IsReady() || f.signals.pending() }); err != nil {
			return err
		}
		if future.IsReady() {
			break
		}
		if interrupted := f.receive(); interrupted {
			return nil
		}
		f.show(ctx)
	}
	var result activities.ReadFeedResult
	err := future.Get(ctx, &result)
	f.state.take(result, err)
	return nil
}

// redeliver hands over the parked entries that a person asked for again.
func (f *feed) redeliver(ctx workflow.Context) error {
	for len(f.state.Redeliver) > 0 {
		again := f.state.Redeliver[0]
		f.state.Redeliver = f.state.Redeliver[1:]
		in := activities.RedeliverInput{Feed: f.name, Item: again.Item, Set: again.Set}
		var result activities.RedeliverResult
		err := workflow.ExecuteActivity(redeliverOptions(ctx, again.Item), feedActivities.Redeliver, in).Get(ctx, &result)
		if temporal.IsCanceledError(err) {
			return err
		}
		f.state.redelivered(again.Item, result, err)
	}
	return nil
}

// The timeouts leave room for a window of waiting, a slow last page and its
// hand-over. ReadFeed heartbeats in the middle of its window.
const (
	readTimeout      = 10 * time.Minute
	heartbeatTimeout = 75 * time.Second
)

func readOptions(ctx workflow.Context, name string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           contract.QueueFeeds,
		StartToCloseTimeout: readTimeout,
		HeartbeatTimeout:    heartbeatTimeout,
		Summary:             "read " + name,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, MaximumInterval: time.Minute},
	})
}

func redeliverOptions(ctx workflow.Context, item string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           contract.QueueFeeds,
		StartToCloseTimeout: time.Minute,
		Summary:             summary("hand over again " + item),
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, MaximumAttempts: 3},
	})
}
