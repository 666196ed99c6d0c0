package activities

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// polled answers each request of a feed by a function, and remembers them.
type polled struct {
	reader
	answer func(ctx context.Context, n int, step event.Step) (event.Reading, error)
	steps  []event.Step
}

func (r *polled) Read(ctx context.Context, step event.Step) (event.Reading, error) {
	r.asked, r.steps = append(r.asked, time.Now()), append(r.steps, step)
	return r.answer(ctx, len(r.steps), step)
}

// gaps are the times between the beginnings of requests.
func (r *polled) gaps() []time.Duration {
	var gaps []time.Duration
	for i := 1; i < len(r.asked); i++ {
		gaps = append(gaps, r.asked[i].Sub(r.asked[i-1]))
	}
	return gaps
}

func pollsOf(answer func(ctx context.Context, n int, step event.Step) (event.Reading, error)) (*polled, *Feeds, *counted) {
	r := &polled{answer: answer}
	a, _, c := feeds(&r.reader)
	a.Source = source{Feed{Name: "lon", Integration: "ops", Match: event.PolicyEvent, Reader: r, PollInterval: interval}}
	return r, a, c
}

// takes is a request that the feed keeps for so long and answers with nothing.
func takes(d time.Duration, more event.Reading) func(context.Context, int, event.Step) (event.Reading, error) {
	return func(_ context.Context, _ int, step event.Step) (event.Reading, error) {
		<-time.After(d)
		more.Position = step.Position
		return more, nil
	}
}

func TestAStepMayWaitForTheRestOfTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, a, _ := pollsOf(takes(0, event.Reading{}))
		deadline := time.Now().Add(window)
		got, err := call[ReadFeedResult](t, a, "ReadFeed", ReadFeedInput{Feed: "lon", Reader: "reader-1"})
		require.NoError(t, err)
		require.Greater(t, len(r.steps), 2)
		for i, step := range r.steps {
			assert.Equal(t, deadline.Sub(r.asked[i]), step.Wait)
			assert.Equal(t, "reader-1", step.Reader)
		}
		assert.Equal(t, event.PolicyEvent, got.Match)
	})
}

// A long poll that took longer than the interval is followed at once; one that
// was answered at once is followed an interval later.
func TestPollsAreMeasuredFromTheStartOfARequest(t *testing.T) {
	for name, tc := range map[string]struct{ takes, gap time.Duration }{
		"at once":  {0, interval},
		"half":     {interval / 2, interval},
		"long":     {2 * interval, 2 * interval},
		"interval": {interval, interval},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, a, _ := pollsOf(takes(tc.takes, event.Reading{}))
				_, err := call[ReadFeedResult](t, a, "ReadFeed", ReadFeedInput{Feed: "lon"})
				require.NoError(t, err)
				require.Greater(t, len(r.asked), 2)
				for _, gap := range r.gaps() {
					assert.Equal(t, tc.gap, gap)
				}
			})
		})
	}
}

func TestTheFeedsWaitDelaysTheNextStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, a, _ := pollsOf(takes(0, event.Reading{Wait: 3 * interval}))
		got, err := call[ReadFeedResult](t, a, "ReadFeed", ReadFeedInput{Feed: "lon"})
		require.NoError(t, err)
		assert.Equal(t, []time.Duration{3 * interval, 3 * interval}, r.gaps())
		last := r.asked[len(r.asked)-1]
		assert.True(t, last.Add(3*interval).Equal(got.NotBefore), "it is told to the next window")

		_, err = call[ReadFeedResult](t, a, "ReadFeed", ReadFeedInput{Feed: "lon", LastPoll: got.LastPoll, NotBefore: got.NotBefore, AtOnce: true})
		require.NoError(t, err)
		assert.Equal(t, 3*interval, r.gaps()[2], "and kept there, whatever a person wants")
	})
}

// A worker that stops ends a request that waits for news. The feed did nothing
// wrong, and its position stays.
func TestAStoppingWorkerEndsALongPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := make(chan struct{})
		r, a, counted := pollsOf(func(ctx context.Context, _ int, _ event.Step) (event.Reading, error) {
			time.AfterFunc(interval, func() { close(stop) })
			<-ctx.Done()
			return event.Reading{}, ctx.Err()
		})
		var suite testsuite.WorkflowTestSuite
		env := suite.NewTestActivityEnvironment()
		env.SetWorkerStopChannel(stop)
		env.RegisterActivity(a)
		begin := time.Now()
		value, err := env.ExecuteActivity("ReadFeed", ReadFeedInput{Feed: "lon", Position: json.RawMessage(`"p"`)})
		require.NoError(t, err)
		var got ReadFeedResult
		require.NoError(t, value.Get(&got))
		assert.Equal(t, interval, time.Since(begin), "at once")
		assert.Len(t, r.steps, 1)
		assert.JSONEq(t, `"p"`, string(got.Position))
		assert.Empty(t, got.Error)
		assert.Empty(t, counted.polls, "neither a poll nor a failure")
	})
}

func later(wait time.Duration) error {
	return &ticket.Error{Kind: ticket.RateLimited, Op: "read", RetryAfter: wait}
}

// refusing refuses some requests of a feed and answers the others.
func refusing(refused func(n int) error) (*polled, *Feeds, *counted) {
	return pollsOf(func(_ context.Context, n int, step event.Step) (event.Reading, error) {
		return event.Reading{Position: step.Position}, refused(n)
	})
}

func TestTheFirstRefusalIsShownAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, a, _ := refusing(func(int) error { return later(2 * interval) })
		begin := time.Now()
		got, err := call[ReadFeedResult](t, a, "ReadFeed", ReadFeedInput{Feed: "lon"})
		require.NoError(t, err)
		assert.Zero(t, time.Since(begin))
		assert.Len(t, r.steps, 1)
		assert.NotEmpty(t, got.Error)
		assert.True(t, begin.Add(2*interval).Equal(got.NotBefore))
	})
}

// Whom another reader keeps waiting would else cost an activity each time.
func TestFurtherRefusalsAreWaitedForWithinTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, a, counted := refusing(func(int) error { return later(2 * interval) })
		begin := time.Now()
		got, err := call[ReadFeedResult](t, a, "ReadFeed", ReadFeedInput{Feed: "lon", Failures: 1, Position: json.RawMessage(`"p"`)})
		require.NoError(t, err)
		assert.Equal(t, []time.Duration{2 * interval, 2 * interval, 2 * interval}, r.gaps())
		assert.Equal(t, 6*interval, time.Since(begin), "the last one would end after the window")
		assert.NotEmpty(t, got.Error)
		assert.True(t, r.asked[3].Add(2*interval).Equal(got.NotBefore))
		assert.Zero(t, got.Polls)
		assert.JSONEq(t, `"p"`, string(got.Position))
		assert.Equal(t, []string{"error", "error", "error", "error"}, counted.polls, "each is counted")
	})
}

func TestAReadingAfterARefusalClearsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, a, _ := refusing(func(n int) error {
			if n == 1 {
				return later(3 * interval)
			}
			return nil
		})
		got, err := call[ReadFeedResult](t, a, "ReadFeed", ReadFeedInput{Feed: "lon", Failures: 4})
		require.NoError(t, err)
		assert.Equal(t, 3*interval, r.gaps()[0])
		assert.Equal(t, len(r.steps)-1, got.Polls)
		assert.Empty(t, got.Error)
		assert.True(t, got.NotBefore.IsZero())
	})
}

// Everything else returns at once: the workflow shows it and counts.
func TestOnlyARefusalThatFitsTheWindowIsWaitedFor(t *testing.T) {
	for name, failure := range map[string]error{
		"longer than the window": later(window + 1),
		"no time given":          &ticket.Error{Kind: ticket.RateLimited, Op: "read"},
		"trouble":                &ticket.Error{Kind: ticket.Retry, Op: "read", RetryAfter: interval},
		"not a feed's error":     errors.New("cut"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, a, _ := refusing(func(int) error { return failure })
				begin := time.Now()
				got, err := call[ReadFeedResult](t, a, "ReadFeed", ReadFeedInput{Feed: "lon", Failures: 2})
				require.NoError(t, err)
				assert.Len(t, r.steps, 1)
				assert.Zero(t, time.Since(begin))
				assert.NotEmpty(t, got.Error)
				assert.True(t, got.NotBefore.After(begin))
			})
		})
	}
}

func TestWhatAWindowLeftOutIsAddedUp(t *testing.T) {
	readings := []event.Reading{
		{Dropped: 2, Holes: 1, Refused: 1},
		{Dropped: 3, Holes: 4, Entries: []event.Entry{
			{ID: "type:1", Place: "1", Malformed: "bad"}, {ID: "urn:2", Malformed: "bad"}, {ID: "3", Params: event.Params{"subject": "Disk full"}},
		}},
	}
	_, a, counted := pollsOf(func(_ context.Context, n int, _ event.Step) (event.Reading, error) { return readings[n-1], nil })
	got, err := call[ReadFeedResult](t, a, "ReadFeed", ReadFeedInput{Feed: "lon"})
	require.NoError(t, err)
	assert.Equal(t, []int{5, 5, 1}, []int{got.Dropped, got.Holes, got.Refused})
	assert.Equal(t, 5, counted.dropped)
	assert.Equal(t, 5, counted.holes)
	require.Len(t, got.Parked, 2)
	assert.Equal(t, "1", got.Parked[0].Item, "what the feed finds it by")
	assert.Equal(t, "urn:2", got.Parked[1].Item)
	assert.Contains(t, got.Samples, "3: Disk full")
}
