package integration

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/simulator/cloudfeeds"
	"github.com/ticketbridge/ticketbridge/internal/simulator/jira"
)

// chaos kills one of worker, Temporal server and HTTP side at random moments
// until stop is called, and starts what it killed again.
type chaos struct {
	stop  chan struct{}
	done  sync.WaitGroup
	kills int
}

func (s *stack) unleash(seed uint64, least, most time.Duration) *chaos {
	c := &chaos{stop: make(chan struct{})}
	random := rand.New(rand.NewPCG(seed, 3))
	c.done.Go(func() {
		for {
			wait := least + time.Duration(random.Int64N(int64(most-least)))
			select {
			case <-c.stop:
				return
			case <-time.After(wait):
			}
			c.kills++
			switch random.IntN(4) {
			case 0, 1:
				s.workers[0].kill()
				s.workers = s.workers[1:]
				s.startWorker()
			case 2:
				s.temporal.crash()
			case 3:
				s.serve.kill()
				s.startServe()
			}
		}
	})
	return c
}

func (c *chaos) end() int {
	close(c.stop)
	c.done.Wait()
	return c.kills
}

// publish spreads a story over some time.
func publish(feed *cloudfeeds.Server, told *story, pause time.Duration) {
	for i, e := range told.entries {
		feed.Publish(e)
		if i%10 == 9 {
			<-time.After(pause)
		}
	}
}

func (s *stack) survive(t *testing.T, feed *cloudfeeds.Server, seed uint64, within time.Duration) {
	told := tell(500, 60, seed)
	c := s.unleash(seed, 2*time.Second, 6*time.Second)
	publish(feed, told, 500*time.Millisecond)
	kills := c.end()
	begin := time.Now()
	s.awaitTold(t, told, within)
	t.Logf("%d kills while 500 events arrived; all delivered %s later; create calls %d, tickets %d",
		kills, time.Since(begin).Round(time.Second), s.jira.Stats().Requests["create"], s.jira.Stats().Commits["create"])
	require.Positive(t, kills)
	s.assertTold(t, told)
}

// 500 events over 60 foreign tickets, while everything of ours is killed at
// random moments: each ticket and each comment once, and in order.
func TestKilledAtRandom(t *testing.T) {
	t.Parallel()
	s, feed := startWithFeed(t, cloudfeeds.Options{HeadDelay: 200 * time.Millisecond}, options{})
	s.survive(t, feed, 11, 5*time.Minute)
}

// The same while Jira fails in every documented way and its index lags.
func TestKilledAtRandomWithBadJira(t *testing.T) {
	t.Parallel()
	s, feed := startWithFeed(t, cloudfeeds.Options{HeadDelay: 200 * time.Millisecond}, options{
		jira: jira.Options{IndexLag: 5 * time.Second, Seed: 5},
	})
	require.NoError(t, s.jira.SetFaults(
		jira.Fault{Kind: jira.TooMany, Probability: 0.1, RetryAfter: 1},
		jira.Fault{Kind: jira.ErrorAfter, Probability: 0.1},
		jira.Fault{Kind: jira.DropAfter, Probability: 0.1},
		jira.Fault{Kind: jira.HTML, Probability: 0.1},
		jira.Fault{Kind: jira.Slow, Probability: 0.1, Delay: 1500},
	))
	s.survive(t, feed, 12, 10*time.Minute)
}
