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
	if f.state.Reader == "" {
		f.state.Reader = workflow.GetInfo(ctx).FirstRunID
	}
	err := workflow.SetQueryHandler(ctx, contract.QueryState, func() (contract.FeedView, error) { return f.state.view(f.name), nil })
	if err != nil {
		return err
	}
	return f.run(ctx)
}

func (f *feed) run(ctx workflow.Context) error {
	for {
		f.receive(ctx)
		f.show(ctx)
		var err error
		switch {
		case len(f.state.Redeliver) > 0: // also of a feed that is paused: a person asked
			err = f.redeliver(ctx)
		case workflow.GetInfo(ctx).GetContinueAsNewSuggested():
			return f.continueAsNew(ctx) // nothing since receive blocked
		case f.state.Paused:
			err = workflow.Await(ctx, f.signals.pending)
		case f.state.Blocked != "":
			err = f.readBlocked(ctx)
		default:
			err = f.read(ctx)
		}
		if err != nil {
			return err
		}
	}
}

func (f *feed) continueAsNew(ctx workflow.Context) error {
	f.state.bound()
	state, err := json.Marshal(f.state)
	if err != nil {
		return err
	}
	return workflow.NewContinueAsNewError(ctx, contract.PollFeed, contract.PollFeedInput{Feed: f.name, State: state})
}

// A blocked feed is tried again after firstBlocked, then after twice as long
// each time, up to mostBlocked.
const (
	firstBlocked = 10 * time.Second
	mostBlocked  = 5 * time.Minute
)

func blockedWait(times int) time.Duration {
	wait := firstBlocked
	for range times - 1 {
		wait = min(2*wait, mostBlocked)
	}
	return wait
}

// readBlocked waits for a person to mend the configuration, and tries again now
// and then all the same: what looked like a mistake in it may have been one odd
// answer of the feed.
func (f *feed) readBlocked(ctx workflow.Context) error {
	options := workflow.AwaitOptions{Timeout: blockedWait(f.state.BlockedTimes), TimerOptions: workflow.TimerOptions{Summary: "try the blocked feed again"}}
	signalled, err := workflow.AwaitWithOptions(ctx, options, f.signals.pending)
	if err != nil || signalled {
		return err
	}
	f.state.AtOnce = true
	return f.read(ctx)
}

// read runs one ReadFeed. A signal that concerns the reading interrupts it: the
// workflow goes on at once, and the activity learns of it when it next asks.
func (f *feed) read(ctx workflow.Context) error {
	ctx, cancel := workflow.WithCancel(ctx)
	defer cancel()
	in := f.state.readInput(f.name)
	f.state.AtOnce = false
	future := workflow.ExecuteActivity(readOptions(ctx, f.name), feedActivities.ReadFeed, in)
	if interrupted, err := f.await(ctx, future); interrupted || err != nil {
		return err
	}
	var result activities.ReadFeedResult
	err := future.Get(ctx, &result)
	if temporal.IsCanceledError(err) {
		return err
	}
	f.take(ctx, result, err)
	return nil
}

// await waits for an activity and obeys signals meanwhile. It ends early when
// one of them changes what is to be done.
func (f *feed) await(ctx workflow.Context, future workflow.Future) (interrupted bool, err error) {
	for {
		if err := workflow.Await(ctx, func() bool { return future.IsReady() || f.signals.pending() }); err != nil {
			return false, err
		}
		if future.IsReady() {
			return false, nil
		}
		if f.receive(ctx) {
			return true, nil
		}
		f.show(ctx)
	}
}

// take adds what a ReadFeed brought to the state.
func (f *feed) take(ctx workflow.Context, r activities.ReadFeedResult, err error) {
	for _, item := range r.Unparked {
		for range f.state.discard(item) {
			countParked(ctx, contract.MetricUnparked, kindEntry)
		}
	}
	before := f.state.Malformed
	f.state.take(r, err)
	for range f.state.Malformed - before {
		countParked(ctx, contract.MetricParked, kindEntry)
	}
}

// kindEntry is the kind of a feed's parked entry.
const kindEntry = "entry"

// redeliver hands over one parked entry that a person asked for again. It goes
// on to its end, whatever else is signalled meanwhile.
func (f *feed) redeliver(ctx workflow.Context) error {
	again := f.state.Redeliver[0]
	f.state.Redeliver = f.state.Redeliver[1:]
	if !f.state.isParked(again.Item) {
		return nil // handed over or discarded since
	}
	in := activities.RedeliverInput{Feed: f.name, Item: again.Item, Set: again.Set}
	future := workflow.ExecuteActivity(redeliverOptions(ctx, again.Item), feedActivities.Redeliver, in)
	for !future.IsReady() {
		if _, err := f.await(ctx, future); err != nil {
			return err
		}
		f.show(ctx)
	}
	var result activities.RedeliverResult
	err := future.Get(ctx, &result)
	if temporal.IsCanceledError(err) {
		return err
	}
	if f.state.redelivered(again.Item, result, err) {
		countParked(ctx, contract.MetricUnparked, kindEntry)
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
