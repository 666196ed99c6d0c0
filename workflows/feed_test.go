package workflows

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/suite"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
)

// feedSuite runs PollFeed with a ReadFeed that answers from a script; where the
// script ends it waits out its window and brings nothing.
type feedSuite struct {
	suite.Suite
	env    *testsuite.TestWorkflowEnvironment
	input  contract.PollFeedInput
	script []func(activities.ReadFeedInput) (activities.ReadFeedResult, error)
	// reads are the inputs so far.
	reads       []activities.ReadFeedInput
	redelivered []activities.RedeliverInput
	redeliver   func(activities.RedeliverInput) (activities.RedeliverResult, error)
}

func TestPollFeed(t *testing.T) { suite.Run(t, new(feedSuite)) }

const window = 70 * time.Second

func (s *feedSuite) SetupTest() {
	s.input = contract.PollFeedInput{Feed: "lon"}
	s.script, s.reads, s.redelivered = nil, nil, nil
	s.redeliver = func(activities.RedeliverInput) (activities.RedeliverResult, error) {
		return activities.RedeliverResult{}, nil
	}
	s.newRun()
}

func (s *feedSuite) newRun() {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(silent{})
	s.env = suite.NewTestWorkflowEnvironment()
	s.env.SetWorkerOptions(worker.Options{WorkflowPanicPolicy: worker.FailWorkflow})
	s.env.SetTestTimeout(time.Minute)
	s.env.RegisterWorkflow(PollFeed)
	s.env.RegisterActivity(&activities.Feeds{})
	s.env.OnActivity("ReadFeed", mock.Anything, mock.Anything).Return(s.read).Maybe()
	s.env.OnActivity("Redeliver", mock.Anything, mock.Anything).Return(func(_ context.Context, in activities.RedeliverInput) (activities.RedeliverResult, error) {
		s.redelivered = append(s.redelivered, in)
		return s.redeliver(in)
	}).Maybe()
}

func (s *feedSuite) read(ctx context.Context, in activities.ReadFeedInput) (activities.ReadFeedResult, error) {
	s.reads = append(s.reads, in)
	if len(s.script) == 0 {
		token, env := activity.GetInfo(ctx).TaskToken, s.env
		env.RegisterDelayedCallback(func() {
			_ = env.CompleteActivity(token, activities.ReadFeedResult{
				Position: in.Position, Polls: 7, LastPoll: in.LastPoll, NotBefore: in.NotBefore, Integration: "desk-ops",
			}, nil) // an error means that the workflow went on without it
		}, window)
		return activities.ReadFeedResult{}, activity.ErrResultPending
	}
	step := s.script[0]
	s.script = s.script[1:]
	return step(in)
}

// brings is a step of the script with a fixed answer.
func brings(r activities.ReadFeedResult) func(activities.ReadFeedInput) (activities.ReadFeedResult, error) {
	return func(activities.ReadFeedInput) (activities.ReadFeedResult, error) { return r, nil }
}

func fails(err error) func(activities.ReadFeedInput) (activities.ReadFeedResult, error) {
	return func(activities.ReadFeedInput) (activities.ReadFeedResult, error) {
		return activities.ReadFeedResult{}, err
	}
}

func (s *feedSuite) at(after time.Duration, do func()) { s.env.RegisterDelayedCallback(do, after) }

func (s *feedSuite) signal(after time.Duration, name string, payload any) {
	s.at(after, func() { s.env.SignalWorkflow(name, payload) })
}

func (s *feedSuite) look(after time.Duration, do func(contract.FeedView)) {
	s.at(after, func() {
		value, err := s.env.QueryWorkflow(contract.QueryState)
		s.Require().NoError(err)
		var view contract.FeedView
		s.Require().NoError(value.Get(&view))
		do(view)
	})
}

// run runs for a while and returns the state that the next run would get.
func (s *feedSuite) run(length time.Duration) feedState {
	s.at(length, func() { s.env.SetContinueAsNewSuggested(true) })
	s.signal(length+time.Second, contract.SignalPollNow, nil)
	s.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: contract.FeedID("lon"), TaskQueue: contract.QueueWorkflows})
	s.env.ExecuteWorkflow(PollFeed, s.input)
	s.Require().True(s.env.IsWorkflowCompleted())
	next, ok := errors.AsType[*workflow.ContinueAsNewError](s.env.GetWorkflowError())
	s.Require().True(ok, "a feed never ends: %v", s.env.GetWorkflowError())
	s.Require().NoError(converter.GetDefaultDataConverter().FromPayloads(next.Input, &s.input))
	var state feedState
	s.Require().NoError(json.Unmarshal(s.input.State, &state))
	return state
}

func (s *feedSuite) TestThePositionMovesWithEveryReadingAndAcrossRuns() {
	s.script = append(s.script, brings(activities.ReadFeedResult{
		Position: json.RawMessage(`{"at":1}`), Marker: "urn:uuid:1", Polls: 1, Events: 3, Integration: "desk-ops", LastPoll: time.Unix(100, 0),
	}))
	state := s.run(time.Hour)
	s.JSONEq(`{"at":1}`, string(s.reads[1].Position))
	s.Equal(time.Unix(100, 0).UTC(), s.reads[1].LastPoll.UTC())
	s.Equal("urn:uuid:1", state.Marker)
	s.Equal(int64(3), state.Events)
	s.reads = nil
	s.newRun()
	s.run(time.Minute)
	s.JSONEq(`{"at":1}`, string(s.reads[0].Position))
}

// One activity a window, no timer: a quiet minute costs less than two actions.
func (s *feedSuite) TestAnIdleHourIsOneActivityAWindow() {
	timers := 0
	s.env.SetOnTimerScheduledListener(func(string, time.Duration) { timers++ })
	s.run(time.Hour)
	s.LessOrEqual(len(s.reads), int(time.Hour/window)+3)
	s.Zero(timers)
}

func (s *feedSuite) TestPauseAndResumeActInTheMiddleOfAWait() {
	s.signal(10*time.Second, contract.SignalPause, nil)
	s.look(11*time.Second, func(v contract.FeedView) { s.Equal(contract.StatePaused, v.State) })
	s.at(time.Hour, func() { s.Len(s.reads, 1, "nothing is read while paused") })
	s.signal(time.Hour, contract.SignalResume, nil)
	s.at(time.Hour+time.Second, func() {
		s.Require().Len(s.reads, 2)
		s.True(s.reads[1].AtOnce)
	})
	s.look(time.Hour+2*time.Second, func(v contract.FeedView) { s.Equal(contract.StatePolling, v.State) })
	s.run(2 * time.Hour)
}

func (s *feedSuite) TestAPausedFeedStaysPausedInTheNextRun() {
	s.signal(10*time.Second, contract.SignalPause, nil)
	s.True(s.run(time.Minute).Paused)
	s.reads = nil
	s.newRun()
	s.run(time.Hour)
	s.Empty(s.reads)
}

func (s *feedSuite) TestPollNowReadsAtOnce() {
	s.signal(10*time.Second, contract.SignalPollNow, nil)
	s.at(11*time.Second, func() {
		s.Require().Len(s.reads, 2)
		s.True(s.reads[1].AtOnce)
	})
	s.run(time.Minute)
}

func (s *feedSuite) TestRewindGoesWithTheNextReadingOnly() {
	s.signal(10*time.Second, contract.SignalRewind, contract.RewindSignal{To: "oldest", Create: true})
	s.at(9*time.Second, func() {
		s.script = append(s.script, brings(activities.ReadFeedResult{CatchingUp: true, Polls: 1}), brings(activities.ReadFeedResult{Polls: 1}))
	})
	s.run(time.Hour)
	s.Equal("oldest", s.reads[1].Rewind.To)
	s.True(s.reads[1].Create)
	s.Nil(s.reads[2].Rewind)
	s.True(s.reads[2].Create, "while catching up")
	s.False(s.reads[3].Create, "what comes afterwards is new")
}

func (s *feedSuite) TestARejectedRewindIsShownAndTheFeedGoesOn() {
	s.signal(10*time.Second, contract.SignalRewind, contract.RewindSignal{To: "yesterday"})
	s.at(9*time.Second, func() {
		s.script = append(s.script, brings(activities.ReadFeedResult{RewindError: `"yesterday" is neither a marker nor a time`}))
	})
	s.look(12*time.Second, func(v contract.FeedView) {
		s.Equal(int64(1), v.Rejected)
		s.Contains(v.LastRejection, "yesterday")
		s.Equal(contract.StatePolling, v.State)
	})
	s.run(time.Hour)
	s.Nil(s.reads[2].Rewind)
}

// A rewind that a pause interrupts is not forgotten.
func (s *feedSuite) TestAnInterruptedRewindIsDoneLater() {
	s.signal(10*time.Second, contract.SignalRewind, contract.RewindSignal{To: "oldest"})
	s.signal(20*time.Second, contract.SignalPause, nil)
	s.signal(30*time.Second, contract.SignalResume, nil)
	s.run(time.Hour)
	s.Require().Greater(len(s.reads), 2)
	s.NotNil(s.reads[1].Rewind)
	s.NotNil(s.reads[2].Rewind)
}

func (s *feedSuite) TestAConfigurationErrorBlocksUntilResume() {
	s.script = append(s.script, fails(temporal.NewNonRetryableApplicationError("feed lon: wrong API key", contract.ErrorConfiguration, nil)))
	s.look(5*time.Second, func(v contract.FeedView) {
		s.Equal(contract.StateBlocked, v.State)
		s.Contains(v.LastError, "wrong API key")
		s.Len(s.reads, 1, "it is left alone for a while")
	})
	s.signal(6*time.Second, contract.SignalResume, nil)
	s.look(6*time.Second+2*window, func(v contract.FeedView) {
		s.Equal(contract.StatePolling, v.State)
		s.Empty(v.LastError)
	})
	s.run(time.Hour)
}

func (s *feedSuite) TestABlockedFeedIsTriedAgainNowAndThen() {
	wrong := fails(temporal.NewNonRetryableApplicationError("feed lon: 404", contract.ErrorConfiguration, nil))
	for range 9 {
		s.script = append(s.script, wrong)
	}
	// After 10, 20, 40, 80 and 160 seconds, then every 5 minutes.
	for _, at := range []struct {
		after time.Duration
		reads int
	}{{8 * time.Second, 1}, {12 * time.Second, 2}, {72 * time.Second, 4}, {5*time.Minute + 12*time.Second, 6}, {10*time.Minute + 5*time.Second, 6}, {10*time.Minute + 20*time.Second, 7}} {
		s.look(at.after, func(v contract.FeedView) {
			s.Len(s.reads, at.reads, "after %s", at.after)
			s.Equal(contract.StateBlocked, v.State)
		})
	}
	s.look(40*time.Minute, func(v contract.FeedView) { s.Equal(contract.StatePolling, v.State) })
	s.run(time.Hour)
}

func (s *feedSuite) TestTroubleIsShownAndRetriedWhenTheFeedSaid() {
	again := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	s.script = append(s.script, brings(activities.ReadFeedResult{Error: "503", NotBefore: again}), brings(activities.ReadFeedResult{NotBefore: again}))
	s.look(time.Second, func(v contract.FeedView) { s.Equal("503", v.LastError) })
	state := s.run(time.Hour)
	s.Equal(1, s.reads[1].Failures)
	s.True(again.Equal(s.reads[1].NotBefore))
	s.True(again.Equal(s.reads[2].NotBefore), "a window that ends before the feed may be asked forgets nothing")
	s.Empty(state.LastError, "healed")
}

func (s *feedSuite) TestGapsAreKeptAndCounted() {
	for n := range 15 {
		s.script = append(s.script, brings(activities.ReadFeedResult{Polls: 1, Gaps: []event.Gap{{From: time.Unix(int64(n), 0), To: time.Unix(int64(n+1), 0), Reason: "marker expired"}}}))
	}
	state := s.run(time.Hour)
	s.Equal(int64(15), state.GapCount)
	s.Require().Len(state.Gaps, keptGaps)
	s.Equal(int64(14), state.Gaps[keptGaps-1].From.Unix())
}

// parks is a reading that parks entries.
func parks(items ...string) activities.ReadFeedResult {
	r := activities.ReadFeedResult{Polls: 1}
	for _, item := range items {
		r.Parked = append(r.Parked, contract.ParkedItem{Item: item, Reason: "names no ticket"})
	}
	return r
}

func (s *feedSuite) TestAParkedEntryIsHandedOverAgainOnRetry() {
	s.script = append(s.script, brings(parks("a", "b")))
	s.look(5*time.Second, func(v contract.FeedView) { s.Equal(contract.StateParked, v.State) })
	s.signal(10*time.Second, contract.SignalRetry, contract.ItemSignal{Item: "a"})
	s.signal(20*time.Second, contract.SignalAmend, contract.AmendSignal{Item: "b", Set: map[string]string{"ticket_id": "7"}})
	state := s.run(time.Hour)
	s.Equal([]activities.RedeliverInput{{Feed: "lon", Item: "a"}, {Feed: "lon", Item: "b", Set: map[string]string{"ticket_id": "7"}}}, s.redelivered)
	s.Empty(state.Parked)
	s.Equal(int64(2), state.Malformed, "both stay counted")
	s.Equal(int64(2), state.Events)
}

func (s *feedSuite) TestAnEntryThatIsStillMalformedStaysParkedWithTheNewReason() {
	s.script = append(s.script, brings(parks("a")))
	s.redeliver = func(activities.RedeliverInput) (activities.RedeliverResult, error) {
		return activities.RedeliverResult{Malformed: "still names no ticket"}, nil
	}
	s.signal(10*time.Second, contract.SignalRetry, nil)
	state := s.run(time.Hour)
	s.Require().Len(state.Parked, 1)
	s.Equal("still names no ticket", state.Parked[0].Reason)
}

func (s *feedSuite) TestARetryOfAPausedFeedsEntryIsDoneAtOnce() {
	s.script = append(s.script, brings(parks("a")))
	s.signal(10*time.Second, contract.SignalPause, nil)
	s.signal(20*time.Second, contract.SignalRetry, nil)
	s.at(30*time.Second, func() { s.Len(s.redelivered, 1) })
	state := s.run(time.Hour)
	s.True(state.Paused)
	s.Empty(state.Parked)
}

func (s *feedSuite) TestDiscardForgetsAnEntryAndRefusesAnUnknownOne() {
	s.script = append(s.script, brings(parks("a", "b")))
	s.signal(10*time.Second, contract.SignalDiscard, contract.ItemSignal{Item: "c"})
	s.look(11*time.Second, func(v contract.FeedView) {
		s.Len(v.Parked, 2)
		s.Contains(v.LastRejection, `"c"`)
	})
	s.signal(20*time.Second, contract.SignalDiscard, contract.ItemSignal{Item: "a"})
	s.look(21*time.Second, func(v contract.FeedView) { s.Len(v.Parked, 1) })
	s.Len(s.run(time.Hour).Parked, 1)
	s.Empty(s.redelivered)
}

// A misspelt name must not mean all items.
func (s *feedSuite) TestAMisspeltDiscardDiscardsNothing() {
	s.script = append(s.script, brings(parks("a", "b")))
	s.signal(10*time.Second, contract.SignalDiscard, map[string]string{"itm": "a"})
	state := s.run(time.Hour)
	s.Len(state.Parked, 2)
	s.Contains(state.LastRejection, "itm")
}

func (s *feedSuite) TestTheStateFitsWhateverTheFeedBrings() {
	long := strings.Repeat("<ü>", 4000)
	position, err := json.Marshal(strings.Repeat("x", 12<<10-2))
	s.Require().NoError(err)
	for n := range 20 {
		r := parks(fmt.Sprintf("urn:uuid:%036d", n))
		r.Position, r.Marker = position, "urn:uuid:00000000-0000-0000-0000-000000000000"
		r.Parked[0].Reason, r.Error = long, long
		r.Gaps = []event.Gap{{From: time.Now(), To: time.Now(), Reason: long}}
		r.Samples = []string{long, long, long}
		s.script = append(s.script, brings(r))
	}
	s.signal(time.Minute, contract.SignalRewind, map[string]string{"to": long})
	s.run(time.Hour)
	s.LessOrEqual(len(s.input.State), maxFeedState)
}

func (s *feedSuite) TestAWrongInputIsRefusedWithASentence() {
	for name, c := range map[string]struct {
		id   string
		in   contract.PollFeedInput
		want string
	}{
		"no feed":  {"feed:lon", contract.PollFeedInput{}, "feed: missing"},
		"wrong id": {"my-feed", contract.PollFeedInput{Feed: "lon"}, `"feed:lon"`},
	} {
		s.Run(name, func() {
			s.newRun()
			s.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: c.id, TaskQueue: contract.QueueWorkflows})
			s.env.ExecuteWorkflow(PollFeed, c.in)
			s.Require().Error(s.env.GetWorkflowError())
			s.Contains(s.env.GetWorkflowError().Error(), c.want)
		})
	}
}
