package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// FeedReader reads one feed; each feed package has one.
type FeedReader interface {
	// Read makes one step. It keeps the feed's least interval between two
	// requests itself.
	Read(ctx context.Context, step event.Step) (event.Reading, error)
	// Rewind is the position from which the next Read replays.
	Rewind(position json.RawMessage, to string) (json.RawMessage, error)
	// Entry reads one entry again.
	Entry(ctx context.Context, id string) (event.Entry, error)
}

// ConfigurationError is an error of a FeedReader that only a person can mend.
type ConfigurationError struct{ Err error }

func (e *ConfigurationError) Error() string { return e.Err.Error() }
func (e *ConfigurationError) Unwrap() error { return e.Err }

// Feed is one configured feed.
type Feed struct {
	Name        string
	Integration string
	// Match is the policy that its events are matched by.
	Match        event.Policy
	Reader       FeedReader
	PollInterval time.Duration
}

// FeedSource finds a feed by its name in the configuration.
type FeedSource interface {
	Feed(name string) (Feed, error)
}

// HandOver gives a feed's entries to the workflows that they belong to. An
// entry that cannot be resolved is not an error of the call: it comes back as
// malformed. When HandOver returns without error, all others are durable.
type HandOver interface {
	HandOver(ctx context.Context, feed string, entries []event.Entry, create bool) (malformed []event.Entry, err error)
}

// FeedRecorder takes what happened at feeds for metrics.
type FeedRecorder interface {
	FeedPolled(feed, outcome string)
	FeedNewest(feed string, newest time.Time)
	FeedLag(feed string, lag time.Duration)
	EventsHandedOver(source string, n int)
	EntriesRefused(feed string, n int)
	EntriesDropped(feed string, n int)
	HolesSeen(feed string, n int)
	GapRecorded(feed string)
}

// StillWanted tells whether the workflow still waits for the running activity.
// It must ask the server at once, so that a feed that a person paused hands
// nothing over any more.
type StillWanted func(ctx context.Context, taskToken []byte) error

// Feeds are the activities that read feeds.
type Feeds struct {
	Source      FeedSource
	HandOver    HandOver
	Recorder    FeedRecorder
	StillWanted StillWanted
	// Window is how long one ReadFeed waits for something to read.
	Window time.Duration

	mu      sync.Mutex
	running map[string]*reading
}

// reading is a ReadFeed that runs in this worker.
type reading struct{ cancel context.CancelFunc }

// ReadFeedInput continues a feed.
type ReadFeedInput struct {
	Feed     string          `json:"feed"`
	Position json.RawMessage `json:"position,omitempty"`
	// LastPoll is when the feed was last asked; the next poll follows a poll
	// interval later, unless AtOnce. NotBefore is what the feed itself asked for.
	LastPoll  time.Time `json:"last_poll,omitzero"`
	AtOnce    bool      `json:"at_once,omitempty"`
	NotBefore time.Time `json:"not_before,omitzero"`
	// Reader is who reads, the same for the life of the feed's workflow.
	Reader string `json:"reader,omitempty"`
	// Rewind moves the position before reading.
	Rewind *contract.RewindSignal `json:"rewind,omitempty"`
	// Create lets replayed events make tickets.
	Create bool `json:"create,omitempty"`
	// Failures counts the reads that failed one after the other so far.
	Failures int `json:"failures,omitempty"`
	// Note is what is known of the feed; a window ends when there is another one.
	Note string `json:"note,omitempty"`
	// Parked names the entries that wait for a person.
	Parked []string `json:"parked,omitempty"`
}

// ReadFeed reads a feed for one window. It returns as soon as it handed
// something over, so that the position moves; when there is another note to show;
// when the window ends; or when the worker stops. A read that fails is no failure of the activity: the result
// says why and when to try again. A feed that goes on saying "later" is asked
// again within the window, so that waiting costs nothing. Only a configuration
// that a person has to mend is an error, which Temporal does not retry.
func (a *Feeds) ReadFeed(ctx context.Context, in ReadFeedInput) (ReadFeedResult, error) {
	feed, err := a.Source.Feed(in.Feed)
	if err != nil {
		return ReadFeedResult{}, configurationError(err)
	}
	ctx, done := a.supersede(ctx, in.Feed)
	defer done()
	// Until the feed was asked again, what it asked for still holds.
	result := ReadFeedResult{Position: in.Position, Integration: feed.Integration, Match: feed.Match, NotBefore: in.NotBefore}
	if in.Rewind != nil {
		if result.Position, err = feed.Reader.Rewind(in.Position, in.Rewind.To); err != nil {
			result.Position, result.RewindError = in.Position, err.Error()
			return result, nil
		}
	}
	deadline := time.Now().Add(a.Window)
	beat := time.Now().Add(a.Window / 2)
	next := in.first(feed.PollInterval)
	for {
		if !pause(ctx, min(time.Until(next), time.Until(deadline)), beat) || !time.Now().Before(deadline) {
			return result, ctx.Err()
		}
		asked := time.Now()
		moved, err := a.readOnce(ctx, feed, in, &result, deadline)
		if err != nil || moved {
			return result, err
		}
		next = asked.Add(feed.PollInterval)
		if result.NotBefore.After(next) {
			next = result.NotBefore
		}
	}
}

// first is when the first request of a window is due.
func (in ReadFeedInput) first(interval time.Duration) time.Time {
	if in.AtOnce || in.Rewind != nil || in.LastPoll.IsZero() {
		return in.NotBefore
	}
	if due := in.LastPoll.Add(interval); due.After(in.NotBefore) {
		return due
	}
	return in.NotBefore
}

// readOnce makes one step. It reports whether the window should end with it.
func (a *Feeds) readOnce(ctx context.Context, feed Feed, in ReadFeedInput, result *ReadFeedResult, deadline time.Time) (bool, error) {
	got, err := readKeepingAlive(ctx, feed.Reader, event.Step{
		Position: result.Position, Reader: in.Reader, Wait: time.Until(deadline),
	})
	result.LastPoll = time.Now().UTC()
	switch {
	case err != nil && stopping(ctx):
		return true, ctx.Err() // the position is where it was
	case err != nil:
		return a.readFailed(ctx, feed, in, result, deadline, err)
	}
	result.Polls++
	entries, malformed := split(got.Entries)
	in.letCreate(entries)
	if len(got.Entries) > 0 {
		if err := a.StillWanted(ctx, activity.GetInfo(ctx).TaskToken); err != nil {
			return true, fmt.Errorf("feed %s: the workflow went on without this reading: %w", feed.Name, err)
		}
		refused, err := a.HandOver.HandOver(ctx, feed.Name, entries, in.Create)
		if err != nil {
			err = &ticket.Error{Kind: ticket.Retry, Op: fmt.Sprintf("feed %s: hand over %d events", feed.Name, len(entries)), Message: err.Error(), Err: err}
			return a.readFailed(ctx, feed, in, result, deadline, err)
		}
		malformed = append(malformed, refused...)
		result.Unparked = in.unparked(entries, refused)
	}
	result.take(got, malformed, result.LastPoll)
	a.report(feed.Name, got, len(entries))
	return len(got.Entries) > 0 || len(got.Gaps) > 0 || got.More || result.Note != in.Note, nil
}

// readKeepingAlive heartbeats while the reader waits: for something new, or for
// its share of requests, which is long where many feeds share a credential. It
// does not hold up a worker that stops.
func readKeepingAlive(ctx context.Context, reader FeedReader, step event.Step) (event.Reading, error) {
	defer keepAlive(ctx)()
	reading, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan struct{})
	defer close(done)
	go func() { // ends with the reading
		select {
		case <-activity.GetWorkerStopChannel(ctx):
			cancel()
		case <-done:
		}
	}()
	return reader.Read(reading, step)
}

// stopping reports whether the worker is.
func stopping(ctx context.Context) bool {
	select {
	case <-activity.GetWorkerStopChannel(ctx):
		return true
	default:
		return false
	}
}

// readFailed records a failed read, or ends the activity with the error that
// parks the feed. It reports whether the window should end with it.
func (a *Feeds) readFailed(ctx context.Context, feed Feed, in ReadFeedInput, result *ReadFeedResult, deadline time.Time, err error) (bool, error) {
	if ctx.Err() != nil {
		return true, ctx.Err()
	}
	if _, ok := errors.AsType[*ConfigurationError](err); ok {
		a.Recorder.FeedPolled(feed.Name, "configuration")
		return true, configurationError(fmt.Errorf("feed %s: %w", feed.Name, err))
	}
	a.Recorder.FeedPolled(feed.Name, "error")
	wait := backoff(in.Failures)
	if e, ok := errors.AsType[*ticket.Error](err); ok && e.RetryAfter > 0 {
		wait = e.RetryAfter
	}
	result.Error = err.Error()
	result.NotBefore = time.Now().Add(wait).UTC()
	return !waitsInWindow(in, result.NotBefore, deadline, err), nil
}

// waitsInWindow: a feed that says when to ask again is waited for within the
// window, once its first refusal was shown.
func waitsInWindow(in ReadFeedInput, again, deadline time.Time, err error) bool {
	e, ok := errors.AsType[*ticket.Error](err)
	return ok && e.Kind == ticket.RateLimited && e.RetryAfter > 0 && in.Failures > 0 && again.Before(deadline)
}

const (
	firstBackoff = 2 * time.Second
	maxBackoff   = 5 * time.Minute
)

func backoff(failures int) time.Duration {
	if failures > 8 {
		return maxBackoff
	}
	return min(firstBackoff<<failures, maxBackoff)
}

func (a *Feeds) report(feed string, got event.Reading, entries int) {
	a.Recorder.FeedPolled(feed, "ok")
	if !got.Newest.IsZero() {
		a.Recorder.FeedNewest(feed, got.Newest)
	}
	if entries > 0 {
		a.Recorder.EventsHandedOver("feed:"+feed, entries)
		a.Recorder.FeedLag(feed, time.Since(got.Newest))
	}
	if got.Refused > 0 {
		a.Recorder.EntriesRefused(feed, got.Refused)
	}
	if got.Dropped > 0 {
		a.Recorder.EntriesDropped(feed, got.Dropped)
	}
	if got.Holes > 0 {
		a.Recorder.HolesSeen(feed, got.Holes)
	}
	for range got.Gaps {
		a.Recorder.GapRecorded(feed)
	}
}
