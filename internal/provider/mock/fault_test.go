package mock

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/rest"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func TestFaults(t *testing.T) {
	for _, r := range []struct {
		fault   Fault
		kind    ticket.Kind
		status  int
		after   time.Duration
		read    ticket.Kind // of a read with the same fault; empty: it succeeds
		carried bool
	}{
		{Fault{Kind: ErrorBefore}, ticket.Retry, 503, 0, ticket.Retry, false},
		{Fault{Kind: ErrorAfter}, ticket.OutcomeUnknown, 500, 0, ticket.Retry, true},
		{Fault{Kind: RateLimited}, ticket.RateLimited, 429, DefaultRetryAfter, ticket.RateLimited, false},
		{Fault{Kind: RateLimited, RetryAfter: time.Minute}, ticket.RateLimited, 429, time.Minute, ticket.RateLimited, false},
		{Fault{Kind: Refused}, ticket.Permanent, 422, 0, ticket.Permanent, false},
		{Fault{Kind: Credentials}, ticket.Credentials, 401, 0, ticket.Credentials, false},
	} {
		t.Run(r.fault.Kind, func(t *testing.T) {
			c, _ := newWorld(t, Config{Faults: []Fault{r.fault}})
			_, err := c.CreateTicket(t.Context(), ticket.New{Name: "n"})
			requireKind(t, r.kind, err, "mock.faults")
			failed, ok := errors.AsType[*ticket.Error](err)
			require.True(t, ok)
			assert.Equal(t, r.status, failed.Status)
			assert.Equal(t, r.after, failed.RetryAfter)
			assert.Equal(t, r.carried, len(c.memory.tickets) == 1)
			_, err = c.ListProjects(t.Context(), "", 0)
			requireKind(t, r.read, err, "mock.faults")
		})
	}
}

func TestOfSeveralFaultsTheFirstIsAnswered(t *testing.T) {
	c, _ := newWorld(t, Config{Faults: []Fault{{Kind: ErrorBefore}, {Kind: Refused}, {Kind: ErrorAfter}}})
	_, err := c.CreateTicket(t.Context(), ticket.New{Name: "n"})
	requireKind(t, ticket.Retry, err, "nothing was done")
	assert.Empty(t, c.memory.tickets)
}

// What was done behind an error is found.
func TestWhatAnErrorHidesIsRecovered(t *testing.T) {
	c, _ := newWorld(t, Config{Faults: []Fault{{Kind: ErrorAfter, Operators: []string{opCreateTicket, opCreateComment, opCreateNote, opCreateFile}}}})
	n := ticket.New{Name: "n", Marker: marked("op-1")}
	_, err := c.CreateTicket(t.Context(), n)
	requireKind(t, ticket.OutcomeUnknown, err, "behind the deed")
	made, ok, err := c.RecoverTicket(t.Context(), n, ticket.Attempt{})
	require.NoError(t, err)
	require.True(t, ok)
	comment, note, file := ticket.NewComment{Content: "x", Operation: "o"}, ticket.NewNote{Content: "x", Operation: "p"}, upload("a", "abc")
	file.Operation = "q"
	_, failed := c.CreateComment(t.Context(), made.ID, comment)
	requireKind(t, ticket.OutcomeUnknown, failed, "comment on ticket")
	_, failed = c.CreateNote(t.Context(), made.ID, note)
	requireKind(t, ticket.OutcomeUnknown, failed, "add a note")
	_, failed = c.CreateAttachment(t.Context(), made.ID, file)
	requireKind(t, ticket.OutcomeUnknown, failed, "attach a")
	assert.EqualValues(t, 3, c.memory.files, "it is kept, and so is its room")
	_, ok, err = c.RecoverComment(t.Context(), made.ID, comment, ticket.Attempt{})
	require.NoError(t, err)
	assert.True(t, ok)
	_, ok, err = c.RecoverNote(t.Context(), made.ID, note, ticket.Attempt{})
	require.NoError(t, err)
	assert.True(t, ok)
	_, ok, err = c.RecoverAttachment(t.Context(), made.ID, file, ticket.Attempt{})
	require.NoError(t, err)
	assert.True(t, ok)
}

func TestAShareOfTheCallsGoesWrongTheSameWayForASeed(t *testing.T) {
	outcomes := func(seed uint64) (kinds []ticket.Kind) {
		c, _ := newWorld(t, Config{Seed: seed, Faults: []Fault{{Kind: ErrorBefore, Share: 0.2}, {Kind: RateLimited, Share: 0.1, Operators: []string{opGetTicket}}}})
		for range 1000 {
			_, err := c.GetTicket(t.Context(), "gone")
			kinds = append(kinds, ticket.KindOf(err))
		}
		return kinds
	}
	first := outcomes(7)
	assert.Equal(t, first, outcomes(7))
	assert.NotEqual(t, first, outcomes(8))
	count := map[ticket.Kind]int{}
	for _, kind := range first {
		count[kind]++
	}
	assert.InDelta(t, 200, count[ticket.Retry], 50)
	assert.InDelta(t, 80, count[ticket.RateLimited], 30, "of those that the first fault left")
	assert.Equal(t, 1000, count[ticket.Retry]+count[ticket.RateLimited]+count[ticket.NotFound])
}

// A call takes the integration's latency; who gives up before that has changed
// nothing, who gives up on a slow answer does not know.
func TestLatencyAndSlowAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := New(Config{Name: "try", Latency: 200 * time.Millisecond, Faults: []Fault{{Kind: Slow, Delay: time.Second, Operators: []string{opCreateTicket}}}})
		require.NoError(t, err)
		begin := time.Now()
		_, err = c.ListProjects(t.Context(), "", 0)
		require.NoError(t, err)
		assert.Equal(t, 200*time.Millisecond, time.Since(begin))
		begin = time.Now()
		c.must(t, ticket.New{})
		assert.Equal(t, 1200*time.Millisecond, time.Since(begin))

		for _, r := range []struct {
			within time.Duration
			kind   ticket.Kind
			made   int
		}{{100 * time.Millisecond, ticket.Retry, 1}, {500 * time.Millisecond, ticket.OutcomeUnknown, 2}} {
			ctx, cancel := context.WithTimeout(t.Context(), r.within)
			_, err = c.CreateTicket(ctx, ticket.New{Name: "n"})
			cancel()
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Equal(t, r.kind, ticket.KindOf(err))
			assert.Len(t, c.memory.tickets, r.made)
		}
	})
}

func TestTheRateIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := New(Config{Name: "try", Rate: rest.Rate{PerSecond: 1, Concurrency: 1}})
		require.NoError(t, err)
		var last error
		for range 5 {
			if _, err := c.ListProjects(t.Context(), "", 0); err != nil {
				last = err
			}
		}
		requireKind(t, ticket.RateLimited, last, "rate is used up")
		failed, ok := errors.AsType[*ticket.Error](last)
		require.True(t, ok)
		assert.Positive(t, failed.RetryAfter)
		time.Sleep(failed.RetryAfter)
		_, err = c.ListProjects(t.Context(), "", 0)
		require.NoError(t, err)
	})
}
