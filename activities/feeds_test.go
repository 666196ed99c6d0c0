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

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// reader answers from a script, then with nothing new.
type reader struct {
	script    []event.Reading
	err       error
	asked     []time.Time
	positions []string
	rewound   string
	entry     event.Entry
	entryErr  error
}

func (r *reader) Read(_ context.Context, step event.Step) (event.Reading, error) {
	r.asked, r.positions = append(r.asked, time.Now()), append(r.positions, string(step.Position))
	if r.err != nil {
		return event.Reading{}, r.err
	}
	if len(r.script) == 0 {
		return event.Reading{Position: step.Position}, nil
	}
	next := r.script[0]
	r.script = r.script[1:]
	return next, nil
}

func (r *reader) Rewind(_ json.RawMessage, to string) (json.RawMessage, error) {
	if to != "oldest" {
		return nil, errors.New("want oldest")
	}
	r.rewound = to
	return json.RawMessage(`"rewound"`), nil
}

func (r *reader) Entry(context.Context, string) (event.Entry, error) { return r.entry, r.entryErr }

// handed takes entries, in memory.
type handed struct {
	entries   []event.Entry
	create    bool
	malformed []event.Entry
	err       error
}

func (h *handed) HandOver(_ context.Context, _ string, entries []event.Entry, create bool) ([]event.Entry, error) {
	if h.err != nil {
		return nil, h.err
	}
	h.entries, h.create = append(h.entries, entries...), create
	return h.malformed, nil
}

type source struct{ feed Feed }

func (s source) Feed(name string) (Feed, error) {
	if name != s.feed.Name {
		return Feed{}, errors.New(`unknown feed "` + name + `"`)
	}
	return s.feed, nil
}

// A feed's rhythm in these tests.
const (
	interval = 20 * time.Millisecond
	window   = 7 * interval
)

// feeds are the activities over a reader.
func feeds(r *reader) (*Feeds, *handed, *counted) {
	h, c := &handed{}, &counted{}
	return &Feeds{
		Source:   source{Feed{Name: "lon", Integration: "ops", Reader: r, PollInterval: interval}},
		HandOver: h, Recorder: c, Window: window,
		StillWanted: func(context.Context, []byte) error { return nil },
	}, h, c
}

func TestAQuietWindowIsPolledToItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{}
		a, h, c := feeds(r)
		begin := time.Now()
		got, err := call[ReadFeedResult](t, a, "ReadFeed", ReadFeedInput{Feed: "lon", Position: json.RawMessage(`"p"`)})
		require.NoError(t, err)
		assert.Equal(t, window, time.Since(begin))
		assert.Equal(t, len(r.asked), got.Polls)
		assert.Positive(t, got.Polls)
		assert.Equal(t, "ops", got.Integration)
		assert.JSONEq(t, `"p"`, string(got.Position))
		assert.Len(t, c.polls, got.Polls)
		assert.Empty(t, h.entries)
		for i := 1; i < len(r.asked); i++ {
			assert.GreaterOrEqual(t, r.asked[i].Sub(r.asked[i-1]), interval)
		}
	})
}

func TestAWindowEndsWithTheFirstEntries(t *testing.T) {
	r := &reader{script: []event.Reading{
		{Position: json.RawMessage(`"p1"`)},
		{Position: json.RawMessage(`"p2"`), Marker: "m2", More: true, Entries: []event.Entry{
			{ID: "1", Foreign: &event.Foreign{TicketID: "T", Type: "CREATE", Subject: "s"}}, {ID: "2", Malformed: "no ticket"},
		}},
	}}
	a, h, _ := feeds(r)
	got, err := call[ReadFeedResult](t, a, "ReadFeed", ReadFeedInput{Feed: "lon", Create: true})
	require.NoError(t, err)
	assert.JSONEq(t, `"p2"`, string(got.Position))
	assert.Equal(t, 1, got.Events)
	assert.True(t, got.CatchingUp)
	require.Len(t, got.Parked, 1)
	assert.Equal(t, "no ticket", got.Parked[0].Reason)
	require.Len(t, h.entries, 1, "a malformed entry is not handed over")
	assert.True(t, h.create)
	assert.Equal(t, []string{"", `"p1"`}, r.positions, "the position moves within the window")
}

func TestTheFirstPollKeepsTheIntervalUnlessAtOnce(t *testing.T) {
	for _, c := range []struct {
		name                string
		lastPoll, notBefore time.Duration
		atOnce              bool
		want                time.Duration
	}{
		{"an interval after the last poll", -interval / 4, 0, false, interval * 3 / 4},
		{"at once", -interval / 4, 0, true, 0},
		{"not before what the feed asked for", 0, 2 * interval, true, 2 * interval},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &reader{script: []event.Reading{{More: true}}}
				a, _, _ := feeds(r)
				begin := time.Now()
				in := ReadFeedInput{Feed: "lon", AtOnce: c.atOnce, LastPoll: begin.Add(c.lastPoll)}
				if c.notBefore > 0 {
					in.NotBefore = begin.Add(c.notBefore)
				}
				_, err := call[ReadFeedResult](t, a, "ReadFeed", in)
				require.NoError(t, err)
				require.Len(t, r.asked, 1)
				assert.Equal(t, c.want, r.asked[0].Sub(begin))
			})
		})
	}
}

// A first poll takes into account what the feed and the person want.
func TestTheFirstPollIsDue(t *testing.T) {
	last, later := time.Unix(100, 0), time.Unix(500, 0)
	for _, c := range []struct {
		in   ReadFeedInput
		want time.Time
	}{
		{ReadFeedInput{}, time.Time{}},
		{ReadFeedInput{LastPoll: last}, last.Add(time.Minute)},
		{ReadFeedInput{LastPoll: last, AtOnce: true}, time.Time{}},
		{ReadFeedInput{LastPoll: last, Rewind: &contract.RewindSignal{To: "oldest"}}, time.Time{}},
		{ReadFeedInput{LastPoll: last, NotBefore: later}, later},
		{ReadFeedInput{LastPoll: last, NotBefore: later, AtOnce: true}, later},
	} {
		assert.Equal(t, c.want, c.in.first(time.Minute))
	}
}

// A wait that the feed asked for is kept over windows that end before it does.
func TestAWaitLongerThanTheWindowIsNotForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{}
		a, _, _ := feeds(r)
		until := time.Now().Add(5 * time.Minute)
		got, err := call[ReadFeedResult](t, a, "ReadFeed", ReadFeedInput{Feed: "lon", NotBefore: until, AtOnce: true})
		require.NoError(t, err)
		assert.Empty(t, r.asked)
		assert.True(t, until.Equal(got.NotBefore))

		got, err = call[ReadFeedResult](t, a, "ReadFeed", ReadFeedInput{Feed: "lon", NotBefore: time.Now().Add(interval)})
		require.NoError(t, err)
		assert.NotEmpty(t, r.asked)
		assert.True(t, got.NotBefore.IsZero(), "it is over once the feed answered")
	})
}

func TestAFailedReadTellsWhenToTryAgain(t *testing.T) {
	for _, c := range []struct {
		name     string
		err      error
		failures int
		wait     time.Duration
	}{
		{"first", errors.New("cut"), 0, 2 * time.Second},
		{"fourth", errors.New("cut"), 3, 16 * time.Second},
		{"hundredth", errors.New("cut"), 99, 5 * time.Minute},
		{"as the feed says", &ticket.Error{Kind: ticket.RateLimited, Op: "read", RetryAfter: 42 * time.Second}, 3, 42 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, _, counted := feeds(&reader{err: c.err})
			got, err := call[ReadFeedResult](t, a, "ReadFeed", ReadFeedInput{Feed: "lon", Failures: c.failures, Position: json.RawMessage(`"p"`)})
			require.NoError(t, err, "the feed's trouble is no failure of the activity")
			assert.Equal(t, c.err.Error(), got.Error)
			assert.InDelta(t, c.wait, time.Until(got.NotBefore), float64(time.Second))
			assert.JSONEq(t, `"p"`, string(got.Position))
			assert.Equal(t, []string{"error"}, counted.polls)
		})
	}
}

func TestOnlyAPersonCanMendAConfigurationError(t *testing.T) {
	a, _, _ := feeds(&reader{err: &ConfigurationError{errors.New("wrong API key")}})
	_, err := call[ReadFeedResult](t, a, "ReadFeed", ReadFeedInput{Feed: "lon"})
	app := appError(t, err)
	assert.Equal(t, contract.ErrorConfiguration, app.Type())
	assert.True(t, app.NonRetryable())
	assert.Contains(t, err.Error(), "feed lon: wrong API key")

	_, err = call[ReadFeedResult](t, a, "ReadFeed", ReadFeedInput{Feed: "typo"})
	assert.Equal(t, contract.ErrorConfiguration, appError(t, err).Type())
}

func TestEntriesThatCannotBeHandedOverAreReadAgain(t *testing.T) {
	r := &reader{script: []event.Reading{{Position: json.RawMessage(`"p2"`), Entries: []event.Entry{{ID: "1"}}}}}
	a, h, _ := feeds(r)
	h.err = errors.New("Temporal is down")
	got, err := call[ReadFeedResult](t, a, "ReadFeed", ReadFeedInput{Feed: "lon", Position: json.RawMessage(`"p1"`)})
	require.NoError(t, err, "the workflow shows what is wrong")
	assert.JSONEq(t, `"p1"`, string(got.Position), "the position did not move")
	assert.Contains(t, got.Error, "hand over 1 events: Temporal is down")
	assert.True(t, got.NotBefore.After(time.Now()), "and it is read again")
	assert.Zero(t, got.Events)
}

// A feed that a person paused meanwhile hands nothing over.
func TestAReadingThatIsNoLongerWantedHandsNothingOver(t *testing.T) {
	r := &reader{script: []event.Reading{{Position: json.RawMessage(`"p2"`), Entries: []event.Entry{{ID: "1"}}}}}
	a, h, _ := feeds(r)
	a.StillWanted = func(context.Context, []byte) error { return errors.New("workflow went on") }
	_, err := call[ReadFeedResult](t, a, "ReadFeed", ReadFeedInput{Feed: "lon"})
	require.Error(t, err)
	assert.Empty(t, h.entries)
}

func TestARewindReadsFromThereAndARejectedOneReadsNothing(t *testing.T) {
	r := &reader{}
	a, _, _ := feeds(r)
	_, err := call[ReadFeedResult](t, a, "ReadFeed", ReadFeedInput{Feed: "lon", Position: json.RawMessage(`"p"`), Rewind: &contract.RewindSignal{To: "oldest"}})
	require.NoError(t, err)
	assert.Equal(t, `"rewound"`, r.positions[0])

	r.positions = nil
	got, err := call[ReadFeedResult](t, a, "ReadFeed", ReadFeedInput{Feed: "lon", Position: json.RawMessage(`"p"`), Rewind: &contract.RewindSignal{To: "nowhere"}})
	require.NoError(t, err)
	assert.Equal(t, "want oldest", got.RewindError)
	assert.JSONEq(t, `"p"`, string(got.Position))
	assert.Empty(t, r.positions)
}

// A worker that stops gives the window back at once.
func TestAStoppingWorkerEndsTheWindow(t *testing.T) {
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	stop := make(chan struct{})
	env.SetWorkerStopChannel(stop)
	r := &reader{}
	a, _, _ := feeds(r)
	env.RegisterActivity(a)
	close(stop)
	value, err := env.ExecuteActivity("ReadFeed", ReadFeedInput{Feed: "lon", Position: json.RawMessage(`"p"`)})
	require.NoError(t, err)
	var got ReadFeedResult
	require.NoError(t, value.Get(&got))
	assert.JSONEq(t, `"p"`, string(got.Position))
}

// The workflow went on without the first reader: it ends when the second begins.
func TestASecondReaderOfAFeedEndsTheFirst(t *testing.T) {
	a := &Feeds{}
	first, endFirst := a.supersede(t.Context(), "lon")
	other, endOther := a.supersede(t.Context(), "iad")
	second, endSecond := a.supersede(t.Context(), "lon")
	assert.Error(t, first.Err())
	assert.NoError(t, second.Err())
	assert.NoError(t, other.Err())
	endFirst()
	third, endThird := a.supersede(t.Context(), "lon")
	assert.Error(t, second.Err(), "the end of the first must not hide the second")
	assert.NoError(t, third.Err())
	endSecond()
	endThird()
	endOther()
	assert.Empty(t, a.running)
}
