package integration

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/simulator/acronis"
)

// Two deployments read one subscription. While the first one reads, the other
// stands by; when the first one dies, the other goes on. What the first one may
// have delivered and did not tell anybody is looked for at the provider: no event is
// lost, and no ticket is made twice.
func TestAcronisTakeover(t *testing.T) {
	t.Parallel()
	for _, consumer := range []string{"stateful", "stateless", "auto_commit"} {
		t.Run(consumer, func(t *testing.T) {
			t.Parallel()
			s, feed := startWithAcronis(t, acronis.Options{RetryAfter: 1},
				"    consumer: "+consumer+"\n    session_timeout: 6s\n    long_poll: 2s\n", options{})
			told, all := agentStory(20, 200, 8)
			feed.Publish(all[:10]...)
			s.eventually(t, func() bool { return s.delivered() == 10 }, "the first half")

			s.secondDeployment(t)
			s.eventually(t, func() bool { return feed.Stats().NotLeader > 0 }, "the second one stands by")
			require.Len(t, s.jira.Issues(), 10)
			s.workers[0].kill()
			feed.Publish(all[10:]...)
			s.awaitAgents(t, told, time.Minute)
			assert.Len(t, s.jira.Issues(), len(told))
		})
	}
}

// secondDeployment runs a worker with the same configuration in a namespace of its own.
func (s *stack) secondDeployment(t *testing.T) {
	t.Helper()
	created := s.cli("operator", "namespace", "create", "--namespace", "second")
	require.Zero(t, created.status, created.text())
	env := append(append([]string{}, s.env...), "TEMPORAL_NAMESPACE=second")
	worker := startProcess(t, "worker-second", env, filepath.Join(s.bin, "worker"))
	t.Cleanup(worker.kill)
	begin := startProcess(t, "starter-second", env, filepath.Join(s.bin, "starter"), "feed", "start", "acronis")
	select {
	case <-begin.done:
	case <-time.After(30 * time.Second):
		begin.kill()
		t.Fatal("the second deployment's feed does not start")
	}
}
