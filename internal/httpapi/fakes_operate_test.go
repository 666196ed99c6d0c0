package httpapi

import (
	"context"
	"fmt"

	"github.com/ticketbridge/ticketbridge/internal/contract"
)

// fakeFeeds knows one feed and remembers what was done to it.
type fakeFeeds struct {
	did []string
	err error
}

func (f *fakeFeeds) act(action, name string) error {
	if f.err != nil {
		return f.err
	}
	if name != "rackspace-lon" {
		return fmt.Errorf("feed %q is not in the configuration: %w", name, ErrNotFound)
	}
	f.did = append(f.did, action+" "+name)
	return nil
}

func (f *fakeFeeds) List(context.Context, Caller) ([]contract.FeedView, error) { return nil, f.err }
func (f *fakeFeeds) State(_ context.Context, _ Caller, name string) (contract.FeedView, error) {
	return contract.FeedView{Feed: name, State: contract.StatePolling, Parked: []contract.ParkedItem{{Item: "1"}}}, f.act("state", name)
}
func (f *fakeFeeds) Start(_ context.Context, _ Caller, name string) error {
	return f.act("start", name)
}
func (f *fakeFeeds) Pause(_ context.Context, _ Caller, name string) error {
	return f.act("pause", name)
}
func (f *fakeFeeds) Resume(_ context.Context, _ Caller, name string) error {
	return f.act("resume", name)
}
func (f *fakeFeeds) PollNow(_ context.Context, _ Caller, name string) error {
	return f.act("poll-now", name)
}
func (f *fakeFeeds) Rewind(_ context.Context, _ Caller, name string, to contract.RewindSignal) error {
	return f.act(fmt.Sprintf("rewind to %s create %t", to.To, to.Create), name)
}

// fakeParked remembers what was done.
type fakeParked struct {
	items []ParkedView
	did   []string
	err   error
}

func (f *fakeParked) act(format string, args ...any) error {
	f.did = append(f.did, fmt.Sprintf(format, args...))
	return f.err
}

func (f *fakeParked) List(_ context.Context, _ Caller, filter ParkedFilter) ([]ParkedView, error) {
	return f.items, f.act("list %s %s", filter.Integration, filter.Feed)
}
func (f *fakeParked) Retry(_ context.Context, _ Caller, workflowID, item string) error {
	return f.act("retry %s %s", workflowID, item)
}
func (f *fakeParked) Discard(_ context.Context, _ Caller, workflowID, item string) error {
	return f.act("discard %s %s", workflowID, item)
}
func (f *fakeParked) Amend(_ context.Context, _ Caller, workflowID string, change contract.AmendSignal) error {
	return f.act("amend %s %s %v", workflowID, change.Item, change.Set)
}
func (f *fakeParked) RetryAll(_ context.Context, _ Caller, filter ParkedFilter) (int, error) {
	return 3, f.act("retry all %s %s", filter.Integration, filter.Feed)
}
func (f *fakeParked) DiscardAll(_ context.Context, _ Caller, filter ParkedFilter) (int, error) {
	return 3, f.act("discard all %s %s", filter.Integration, filter.Feed)
}
