package acronis

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bubble runs a test on a clock that moves when everything waits.
func bubble(t *testing.T, opts Options, test func(t *testing.T, b *bench)) {
	synctest.Test(t, func(t *testing.T) {
		opts.Now = time.Now
		test(t, newBench(t, opts))
	})
}

func TestALongPollWaitsForAnEvent(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, b *bench) {
		b.created(subA, nil)
		began := time.Now()
		p := b.polling(eventsURL(subA, first, 0, "timeout", "PT20S"))
		time.Sleep(5 * time.Second)
		b.s.Publish(Event{ID: "hidden", Type: TypePrefix + "a.p.task.created.v1.0"})
		synctest.Wait()
		require.True(t, p.waits(), "a hidden event does not end it")
		b.publish("a")
		<-p.done
		assert.Equal(t, 5*time.Second, time.Since(began))
		got := b.page(p.w)
		require.Len(t, got.Events, 1)
		assert.EqualValues(t, 2, got.Offset)
	})
}

func TestALongPollEnds(t *testing.T) {
	for name, c := range map[string]struct {
		timeout string
		act     func(b *bench, p *polling)
		took    time.Duration
		status  int
	}{
		"at its timeout":        {"PT20S", nil, 20 * time.Second, 202},
		"at the session's":      {"PT20M", nil, 30 * time.Second, 202},
		"with hidden news":      {"PT20S", func(b *bench, _ *polling) { b.s.Publish(Event{Type: "cti.other"}) }, 20 * time.Second, 200},
		"with its waiters":      {"PT20S", func(b *bench, _ *polling) { b.s.CloseWaiters() }, time.Second, 202},
		"with the server":       {"PT20S", func(b *bench, _ *polling) { b.s.Close() }, time.Second, 202},
		"with its subscription": {"PT20S", func(b *bench, _ *polling) { b.s.Evict(subA) }, time.Second, 404},
		"with its token":        {"PT20S", func(b *bench, _ *polling) { b.s.RevokeTokens() }, time.Second, 401},
		"with its caller":       {"PT20S", func(_ *bench, p *polling) { p.cancel() }, time.Second, statusGone},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, Options{}, func(t *testing.T, b *bench) {
				b.enter("any", "any")
				b.created(subA, nil)
				began := time.Now()
				p := b.polling(eventsURL(subA, first, 0, "timeout", c.timeout))
				time.Sleep(time.Second)
				synctest.Wait()
				require.True(t, p.waits())
				if c.act != nil {
					c.act(b, p)
				}
				<-p.done
				assert.Equal(t, c.took, time.Since(began))
				assert.Equal(t, c.status, p.w.Code)
			})
		})
	}
}

func TestATokenEndsInTheMiddleOfAPoll(t *testing.T) {
	bubble(t, Options{TokenLife: 10 * time.Second}, func(t *testing.T, b *bench) {
		b.enter("any", "any")
		b.created(subA, nil)
		began := time.Now()
		p := b.polling(eventsURL(subA, first, 0, "timeout", "PT30S"))
		<-p.done
		assert.Equal(t, 10*time.Second, time.Since(began))
		assert.Equal(t, 401, p.w.Code)
		assert.Contains(t, p.w.Body.String(), "nginx")
	})
}

func TestAClosedServerLetsNoPollWait(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, b *bench) {
		b.created(subA, nil)
		b.s.Close()
		began := time.Now()
		<-b.polling(eventsURL(subA, first, 0, "timeout", "PT30S")).done
		assert.Zero(t, time.Since(began))
	})
}

// Who moves the clock by hand is waited for, too.
func TestWakeLooksAtTheClock(t *testing.T) {
	b := newBench(t, Options{Dialect: OpenAPI})
	start := b.now
	moved := make(chan time.Time, 1)
	moved <- start
	b.s.opts.Now = func() time.Time {
		now := <-moved
		moved <- now
		return now
	}
	b.created(subA, nil)
	p := b.polling(eventsURL(subA, first, 0, "timeout", "PT30S"))
	require.Eventually(t, func() bool { return b.s.Stats().Polls == 1 }, 10*time.Second, time.Millisecond)
	<-moved
	moved <- start.Add(time.Minute)
	assert.Equal(t, 429, b.get(eventsURL(subA, second, 0)).Code, "a leader whose poll runs is alive, however late it is")
	b.s.Wake()
	<-p.done
	assert.JSONEq(t, `{"events":[],"offset":0}`, p.w.Body.String())
}

func TestOneConsumerLeads(t *testing.T) {
	bubble(t, Options{RetryAfter: 7}, func(t *testing.T, b *bench) {
		b.created(subA, map[string]any{"session_timeout": "PT10S"})
		b.created(subB, nil)
		other := func() int { return b.get(eventsURL(subA, second, 0)).Code }
		require.Equal(t, 202, b.get(eventsURL(subA, first, 0)).Code)
		w := b.get(eventsURL(subA, second, 0))
		assert.Equal(t, 429, w.Code)
		assert.Equal(t, "7", w.Header().Get("Retry-After"))
		assert.Empty(t, w.Body.String())
		assert.Equal(t, 202, b.get(eventsURL(subB, second, 0)).Code, "sessions are per subscription")

		p := b.polling(eventsURL(subA, first, 0, "timeout", "PT10S"))
		time.Sleep(9 * time.Second)
		assert.Equal(t, 429, other(), "a poll that runs is a sign of life")
		assert.Equal(t, 200, b.get(eventsURL(subA, first, 0)).Code, "the leader may poll twice at once")
		<-p.done
		time.Sleep(9999 * time.Millisecond)
		assert.Equal(t, 429, other())
		time.Sleep(time.Millisecond)
		assert.NotEqual(t, 429, other(), "silent for the whole timeout")
		assert.Equal(t, 429, b.get(eventsURL(subA, first, 0)).Code, "another one leads now")
		assert.Equal(t, 4, b.s.Stats().NotLeader)
		assert.Equal(t, 4, b.s.Stats().ByStatus[http.StatusTooManyRequests])
	})
}

func TestNoRetryAfterAndACappedSession(t *testing.T) {
	b := newBench(t, Options{RetryAfter: -1, MaxSession: 8 * time.Second, Dialect: Tutorial})
	assert.Contains(t, b.subscribe(subA, nil).Body.String(), `"session_timeout":"PT8S"`)
	w := b.get(eventsURL(subA, first, 0))
	assert.Equal(t, 202, w.Code)
	assert.Empty(t, w.Header().Get("Retry-After"))
	b.now = b.now.Add(8 * time.Second)
	assert.Equal(t, 202, b.get(eventsURL(subA, second, 0)).Code)
}

func (b *bench) committed(sub string) int64 {
	b.t.Helper()
	return b.offset("/subscriptions/offset?subscription_id=" + sub)
}

func TestCommits(t *testing.T) {
	b := newBench(t, Options{})
	b.publish("abcdef")
	b.created(subA, nil)
	assert.EqualValues(t, 0, b.committed(subA))
	b.read(subA, 4)
	assert.EqualValues(t, 0, b.committed(subA), "not by polling")
	w := b.post(base+"/subscriptions/offset", `{"subscription_id":"`+subA+`","offset":4}`)
	assert.JSONEq(t, `{"subscription_id":"`+subA+`","offset":4}`, w.Body.String())
	assert.EqualValues(t, 4, b.committed(subA))
	assert.EqualValues(t, 4, b.s.Committed(subA))
	b.s.SetCommitted(subA, 2)
	assert.EqualValues(t, 2, b.committed(subA))
	for _, body := range []string{`{}`, `{"subscription_id":"` + subA + `"}`, `{"subscription_id":"` + subA + `","offset":1.5}`, `{"offset":1,"x":1}`} {
		assert.Equal(t, 400, b.post(base+"/subscriptions/offset", body).Code, body)
	}
	assert.Equal(t, 404, b.post(base+"/subscriptions/offset", `{"subscription_id":"`+subB+`","offset":1}`).Code)
	assert.Equal(t, 1, b.s.Stats().Commits)
}

func TestAutoCommitFollowsThePolls(t *testing.T) {
	b := newBench(t, Options{EvictAfter: time.Hour})
	b.publish("abcdef")
	b.created(subA, map[string]any{"auto_commit": true, "auto_commit_interval": "PT1M"})
	b.read(subA, 1)
	assert.EqualValues(t, 0, b.committed(subA), "the interval is not over")
	b.now = b.now.Add(time.Minute)
	b.read(subA, 2)
	assert.EqualValues(t, 2, b.committed(subA))
	b.read(subA, 3)
	assert.EqualValues(t, 2, b.committed(subA))

	b.now = b.now.Add(time.Hour - time.Second)
	require.EqualValues(t, 2, b.committed(subA), "asking uses it")
	b.now = b.now.Add(time.Hour)
	assert.Equal(t, 404, b.get(eventsURL(subA, first, 3)).Code, "unused for too long")
	b.created(subA, nil)
	assert.EqualValues(t, 3, b.committed(subA), "stored on eviction, found when it is back")
	assert.Equal(t, 1, b.s.Stats().Evictions)
	assert.Equal(t, 2, b.s.Stats().AutoCommits)
}

func TestASubscriptionIsNotEvictedWhileItIsPolled(t *testing.T) {
	bubble(t, Options{EvictAfter: 5 * time.Second}, func(t *testing.T, b *bench) {
		b.created(subA, nil)
		p := b.polling(eventsURL(subA, first, 0, "timeout", "PT20S"))
		time.Sleep(10 * time.Second)
		assert.Equal(t, 404, b.get(eventsURL(subB, second, 0)).Code)
		<-p.done
		assert.Equal(t, 202, p.w.Code)
	})
}

func TestAPollEndsWhereTheClockStandsStill(t *testing.T) {
	b := newBench(t, Options{TokenLife: 20 * time.Millisecond})
	b.created(subA, nil)
	assert.Equal(t, 202, b.get(eventsURL(subA, first, 0, "timeout", "PT0.02S")).Code)
	b.enter("any", "any")
	assert.Equal(t, 401, b.get(eventsURL(subA, first, 0, "timeout", "PT10S")).Code)
}
