package workflows

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
)

// payload is what a signal brings, as it is on the wire.
func payload(encoding, data string) converter.RawValue {
	return converter.NewRawValue(&commonpb.Payload{
		Metadata: map[string][]byte{"encoding": []byte(encoding)}, Data: []byte(data),
	})
}

// Each mistyped signal is counted and shown; the others work, and nothing fails.
func (s *matchSuite) TestMistypedSignalsAreCountedAndTheRestGoesOn() {
	s.send(0, s.alarm("e1", "a"))
	wrong := []struct{ name, encoding, data, want string }{
		{contract.SignalEvent, "json/plain", `{"events":`, "want one JSON object"},
		{contract.SignalEvent, "json/plain", `[1,2]`, "want one JSON object"},
		{contract.SignalEvent, "json/plain", `"hello"`, "want one JSON object"},
		{contract.SignalEvent, "json/plain", `{}`, "events: missing"},
		{contract.SignalEvent, "binary/null", ``, "events: missing"},
		{contract.SignalEvent, "binary/plain", "\x00\xff", "want one JSON object"},
		{contract.SignalEvent, "json/plain", `{"events":[{"params":{"subject":"x"}}]}`, "events[0].id: missing"},
		{contract.SignalEvent, "json/plain", `{"events":[{"id":"x"}]}`, "neither params nor foreign"},
		{contract.SignalEvent, "json/plain", `{"events":[{"id":"x","received_at":"yesterday","params":{"subject":"x"}}]}`, "yesterday"},
		{contract.SignalRetry, "json/plain", `{"item":3}`, "item"},
		{contract.SignalRetry, "json/plain", `{"itm":"3"}`, "itm"},
		{contract.SignalRetry, "json/plain", `{"item":"3"} {}`, "nothing after it"},
		{contract.SignalDiscard, "json/plain", `{"item":"99"}`, "no such item"},
		{contract.SignalAmend, "json/plain", `{"item":"1"}`, "set: missing"},
		{contract.SignalAmend, "json/plain", `{"set":{"name":"x"}}`, "item: missing"},
		{contract.SignalTicketChanged, "json/plain", `{"closed":true}`, "ticket: missing"},
	}
	for i, w := range wrong {
		s.signal(time.Duration(i+1)*time.Second, w.name, payload(w.encoding, w.data))
		s.look(time.Duration(i+1)*time.Second+time.Millisecond, func(v contract.MatchView) {
			s.Equal(int64(i+1), v.Rejected, w.data)
			s.Contains(v.LastRejection, w.want, w.data)
			s.Contains(v.LastRejection, w.name)
		})
	}
	s.send(time.Minute, s.alarm("e2", "b"))
	s.run()
	s.Equal([]string{"create T1 Server down: a", "comment T1: b"}, s.desk.written())
}

// Among good events a bad one is left out alone.
func (s *matchSuite) TestABadEventBlocksOnlyItself() {
	nameless := s.alarm("", "b")
	s.send(0, s.alarm("e1", "a"))
	s.send(time.Second, s.alarm("e2", "b"), nameless, s.alarm("e3", "c"))
	view := s.run()
	s.Equal([]string{"create T1 Server down: a", "comment T1: b", "comment T1: c"}, s.desk.written())
	s.Equal(int64(1), view.Rejected)
}

// Whoever types `pause` with something behind it means pause.
func (s *feedSuite) TestPauseIsObeyedWhateverComesWithIt() {
	for _, data := range []string{"", "null", `"now"`, "now!", `{"x":1}`} {
		s.SetupTest()
		s.signal(time.Second, contract.SignalPause, payload("json/plain", data))
		s.True(s.run(time.Minute).Paused, data)
	}
}

func TestDecodeTakesNoInputForAnEmptyObject(t *testing.T) {
	var item contract.ItemSignal
	require.NoError(t, decode(converter.RawValue{}, &item))
	assert.Empty(t, item.Item)
}

// Programs may send more than this version knows; an event must not be lost for it.
func TestAnEventFromANewerProgramIsTaken(t *testing.T) {
	var signal contract.EventsSignal
	require.NoError(t, decode(payload("json/plain", `{"events":[{"id":"1","params":{"subject":"x"},"colour":"red"}],"v":2}`), &signal))
	assert.Len(t, signal.Events, 1)
}

// Whatever bytes a signal brings, the run lives on and takes the next event.
func FuzzSignals(f *testing.F) {
	names := []string{
		contract.SignalEvent, contract.SignalTicketChanged, contract.SignalRetry, contract.SignalDiscard, contract.SignalAmend,
		contract.SignalPause, contract.SignalResume, contract.SignalRewind, contract.SignalPollNow,
	}
	for i := range names {
		f.Add(uint8(i), "json/plain", []byte(`{"events":[{"id":"1","params":{"subject":"x"}}],"item":"1","set":{"text":""},"to":"oldest"}`))
		f.Add(uint8(i), "binary/plain", []byte("\xff"))
		f.Add(uint8(i), "", []byte(nil))
	}
	f.Add(uint8(0), "json/plain", []byte(`{"events":[{"id":"1","foreign":{"ticket_id":"1","comment":{}}},{"id":"2","resolved":{"key":{}}}]}`))
	f.Fuzz(func(t *testing.T, which uint8, encoding string, data []byte) {
		name := names[int(which)%len(names)]
		fuzzMatch(t, name, payload(encoding, string(data)))
		fuzzFeed(t, name, payload(encoding, string(data)))
	})
}

func fuzzMatch(t *testing.T, name string, raw converter.RawValue) {
	s := new(matchSuite)
	s.SetT(t)
	s.SetupTest()
	s.send(0, s.alarm("e1", "a"))
	s.signal(time.Second, name, raw)
	e := s.alarm("e-last", "the last one")
	e.Caller = "nobody else"
	s.send(time.Minute, e)
	s.look(2*time.Minute, func(contract.MatchView) { assert.True(t, s.answer("e-last").Known) })
	s.at(time.Hour, s.env.CancelWorkflow)
	s.execute()
}

func fuzzFeed(t *testing.T, name string, raw converter.RawValue) {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(silent{})
	env := suite.NewTestWorkflowEnvironment()
	env.SetWorkerOptions(worker.Options{WorkflowPanicPolicy: worker.FailWorkflow})
	env.RegisterActivity(&activities.Feeds{})
	env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: contract.FeedID("lon"), TaskQueue: contract.QueueWorkflows})
	state, err := json.Marshal(feedState{Paused: true, Gaps: []event.Gap{{Reason: "r"}}})
	require.NoError(t, err)
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(contract.SignalPause, nil) }, 0)
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(name, raw) }, time.Second)
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(contract.SignalPause, nil) }, time.Second)
	env.RegisterDelayedCallback(func() {
		value, err := env.QueryWorkflow(contract.QueryState)
		if assert.NoError(t, err) {
			var view contract.FeedView
			assert.NoError(t, value.Get(&view))
			assert.Equal(t, contract.StatePaused, view.State)
		}
		env.CancelWorkflow()
	}, time.Minute)
	env.ExecuteWorkflow(PollFeed, contract.PollFeedInput{Feed: "lon", State: state})
}
