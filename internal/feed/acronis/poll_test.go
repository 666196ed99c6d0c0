package acronis

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/event"
	sim "github.com/ticketbridge/ticketbridge/internal/simulator/acronis"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func TestWhatAPollAsks(t *testing.T) {
	for _, c := range []struct {
		wait, longPoll time.Duration
		want           string
	}{
		{70 * time.Second, 30 * time.Second, "PT30S"}, {20 * time.Second, 30 * time.Second, "PT20S"},
		{19900 * time.Millisecond, 30 * time.Second, "PT19S"}, {500 * time.Millisecond, 0, "PT1S"},
		{0, 30 * time.Second, "PT0S"}, {-time.Second, 30 * time.Second, "PT0S"}, {time.Hour, 90 * time.Second, "PT90S"},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := rigWith(t, &clock{}, sim.Options{}, func(cfg *Config) { cfg.LongPoll = c.longPoll })
			r.publish(1, 3)
			r.step()
			_, err := r.client.Read(t.Context(), event.Step{Position: r.pos, Reader: reader, Wait: c.wait})
			require.NoError(t, err)
			polls := r.asked(http.MethodGet, "/events")
			require.Len(t, polls, 1)
			query, err := url.ParseQuery(polls[0].Query)
			require.NoError(t, err)
			require.Equal(t, url.Values{
				"subscription_id": {r.id()}, "consumer_id": {reader}, "offset": {"0"}, "limit": {"100"}, "timeout": {c.want},
			}, query)
		})
	}
}

func TestALongPollWaitsForEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rigWith(t, &clock{}, sim.Options{})
		r.drain()
		long := event.Step{Position: r.pos, Reader: reader, Wait: time.Minute}
		began := time.Now()
		reading, err := r.client.Read(t.Context(), long)
		require.NoError(t, err)
		require.Empty(t, reading.Entries)
		require.Equal(t, 30*time.Second, time.Since(began), "no timeout of ours is shorter")

		go func() {
			time.Sleep(7 * time.Second)
			r.server.Publish(disabled("a"))
		}()
		began = time.Now()
		reading, err = r.client.Read(t.Context(), long)
		require.NoError(t, err)
		require.Equal(t, 7*time.Second, time.Since(began))
		require.Equal(t, []string{disabledType + "a"}, ids(reading.Entries))
		require.Equal(t, time.Now().UTC(), reading.Newest, "not when the poll began")

		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		long.Position = reading.Position
		_, err = r.client.Read(ctx, long)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 10*time.Second, time.Since(began))
	})
}

func TestAServerThatNeverAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rigWith(t, &clock{}, sim.Options{})
		r.drain()
		r.server.SetFaults(sim.Fault{Kind: sim.FaultSlow, Path: sim.PlaceEvents, Delay: time.Hour, Next: 1})
		began := time.Now()
		_, err := r.client.Read(t.Context(), event.Step{Position: r.pos, Reader: reader, Wait: 20 * time.Second})
		require.Equal(t, ticket.Retry, ticket.KindOf(err))
		require.Equal(t, callTimeout+20*time.Second, time.Since(began))
	})
}

func TestTheLeastIntervalBetweenPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rigWith(t, &clock{}, sim.Options{}, func(c *Config) { c.MinInterval = 6 * time.Second })
		r.publish(1, 450)
		r.drain()
		polls := r.asked(http.MethodGet, "/events")
		require.Greater(t, len(polls), 4)
		for i := 1; i < len(polls); i++ {
			require.Equal(t, 6*time.Second, polls[i].At.Sub(polls[i-1].At))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := r.client.Read(ctx, event.Step{Position: r.pos, Reader: reader})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Len(t, r.asked(http.MethodGet, "/events"), len(polls))
	})
}

func TestAPollWithoutNews(t *testing.T) {
	for _, dialect := range []sim.Dialect{sim.Tutorial, sim.OpenAPI} {
		for _, seconds := range []int{9, -1} {
			r := newRig(t, sim.Options{Dialect: dialect, RetryAfter: seconds})
			r.publish(1, 3)
			r.drain()
			before := r.state()
			r.clock.pass(time.Minute)
			reading := r.step()
			require.False(t, reading.More)
			require.Empty(t, reading.Note)
			want := before
			want.AsOf = r.clock.now()
			require.Equal(t, want, r.state(), "the position stays, and says until when it was complete")
			wait := time.Duration(0)
			if dialect == sim.Tutorial && seconds > 0 {
				wait = 9 * time.Second
			}
			require.Equal(t, wait, reading.Wait, dialect)
		}
	}
}

func TestPollsThatFail(t *testing.T) {
	for name, c := range map[string]struct {
		fault sim.Fault
		kind  ticket.Kind
		after time.Duration
	}{
		"500":      {sim.Fault{Kind: sim.FaultStatus, Status: 500}, ticket.Retry, 0},
		"503":      {sim.Fault{Kind: sim.FaultStatus, Status: 503, RetryAfter: 4}, ticket.RateLimited, 4 * time.Second},
		"503 date": {sim.Fault{Kind: sim.FaultStatus, Status: 503, RetryAfter: 4, AsDate: true}, ticket.RateLimited, 4 * time.Second},
		"408":      {sim.Fault{Kind: sim.FaultStatus, Status: 408}, ticket.Retry, 0},
		"drop":     {sim.Fault{Kind: sim.FaultDrop}, ticket.Retry, 0},
		"cut":      {sim.Fault{Kind: sim.FaultCut}, ticket.Retry, 0},
		"html":     {sim.Fault{Kind: sim.FaultHTML}, ticket.Retry, 0},
		"204":      {sim.Fault{Kind: sim.FaultStatus, Status: 204}, ticket.Retry, 0},
	} {
		t.Run(name, func(t *testing.T) {
			for _, consumer := range []Consumer{Stateful, Stateless, AutoCommit} {
				r := newRig(t, sim.Options{}, by(consumer))
				want := r.publish(1, 5)
				r.step()
				c.fault.Path, c.fault.Next = sim.PlaceEvents, 1
				r.server.SetFaults(c.fault)
				require.Equal(t, c.after, r.temporary(c.kind).RetryAfter)
				require.Equal(t, want, ids(r.drain()))
				require.Empty(t, r.gaps)
			}
		})
	}
}

func TestUnreadablePagesLoseNothing(t *testing.T) {
	r := newRig(t, sim.Options{}, by(AutoCommit))
	want := r.publish(1, 5)
	r.step()
	for _, body := range []string{
		"", "null", "{}", "[]", "5", `"x"`, "<html>", `{"error":{}}`, `{"offset":5,"events":`, `{"offset":5,"events":[{"id":"1"`,
		`{"offset":5,"events":{}}`, `{"offset":5,"events":"no"}`, `{"offset":"5","events":[]}`, `{"offset":1.5,"events":[]}`,
		`{"offset":1e30,"events":[]}`, `{"offset":5,"events":[]}{"offset":9}`, `{"offset":null}`, "\x00\xff",
	} {
		r.wire.instead = on(http.MethodGet, "/events", 200, body)
		r.temporary(ticket.Retry)
	}
	r.wire.instead = nil
	require.Equal(t, want, ids(r.drain()))
	require.Empty(t, r.gaps)
}
