package workflows

import (
	"encoding/json"
	"time"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
)

// readers are those that the readings so far were given, each once.
func (s *feedSuite) readers() []string {
	var readers []string
	for _, in := range s.reads {
		if n := len(readers); n == 0 || readers[n-1] != in.Reader {
			readers = append(readers, in.Reader)
		}
	}
	return readers
}

// A vendor that lets one reader at a time read knows us by the same name in
// every window, after a signal too, and in the next run. (The test environment
// knows no first run, which names the reader of a new feed; see
// TestAFeedsReaderIsNamedByItsFirstRun.)
func (s *feedSuite) TestOneReaderReadsAFeedForEver() {
	const name = "5d0cbb43-ac29-4f9e-a0d1-50e07cb0a8b0"
	state, err := json.Marshal(feedState{Reader: name})
	s.Require().NoError(err)
	s.input.State = state
	s.signal(10*time.Second, contract.SignalPollNow, nil)
	s.signal(20*time.Second, contract.SignalPause, nil)
	s.signal(30*time.Second, contract.SignalResume, nil)
	s.signal(40*time.Second, contract.SignalRewind, contract.RewindSignal{To: "oldest"})
	s.Equal(name, s.run(time.Hour).Reader)
	s.Require().Greater(len(s.reads), 5)
	s.Equal([]string{name}, s.readers())

	s.newRun()
	s.reads = nil
	s.run(time.Hour)
	s.Equal([]string{name}, s.readers(), "the next run is the same reader")
}

func (s *feedSuite) TestWhatIsLeftOutIsCountedAndShown() {
	s.script = append(s.script,
		brings(activities.ReadFeedResult{Polls: 1, Dropped: 2, Holes: 1, Match: event.PolicyEvent, Integration: "desk-ops"}),
		brings(activities.ReadFeedResult{Polls: 1, Dropped: 3, Holes: 4, Match: event.PolicyEvent, Integration: "desk-ops"}))
	s.look(30*time.Second, func(v contract.FeedView) {
		s.Equal([]int64{5, 5}, []int64{v.Dropped, v.Holes})
		s.Zero(v.GapCount, "a hole is no gap")
		s.Equal(event.PolicyEvent, v.Match)
	})
	state := s.run(time.Minute)
	s.Equal([]int64{5, 5}, []int64{state.Dropped, state.Holes}, "the next run goes on counting")
	details := state.details("lon")
	s.Contains(details, "| Of a foreign tenant / left out by the transform | 0 / 5 |")
	s.Contains(details, "| Holes in the numbering | 5 |")
	s.NotContains((&feedState{}).details("lon"), "Holes", "nothing to say of a feed that has none")
}
