package integration

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tryAnswer is what `starter feed try -o json` prints, as far as the test looks.
type tryAnswer struct {
	Temporal struct {
		Asked  bool   `json:"asked"`
		Reason string `json:"reason"`
	} `json:"temporal"`
	Events []struct {
		Effect struct {
			Workflow string `json:"workflow"`
			Before   bool   `json:"before"`
			Outcome  string `json:"outcome"`
			Request  struct {
				Ticket struct {
					Key string `json:"key"`
				} `json:"ticket"`
			} `json:"request"`
			Would string `json:"would"`
		} `json:"effect"`
	} `json:"events"`
}

// What a feed's newest events would do is shown against what is really there,
// before the feed is started and while it runs, and nothing comes of it.
func TestTryingAFeed(t *testing.T) {
	t.Parallel()
	feed := newFeed(t, "tried", fast)
	s := start(t, options{feeds: "feeds:\n" + feed.config()})
	feed.tell("T1", "first")
	try := func() tryAnswer {
		t.Helper()
		var answer tryAnswer
		require.NoError(t, json.Unmarshal([]byte(s.steer(t, "try", "tried", "-o", "json")), &answer))
		return answer
	}

	before := try()
	require.Len(t, before.Events, 1)
	assert.True(t, before.Temporal.Asked, before.Temporal.Reason)
	assert.Equal(t, "created", before.Events[0].Effect.Outcome)
	assert.Empty(t, s.workflows("WorkflowType = 'MatchEvents' OR WorkflowType = 'PollFeed'"), "nothing was started")

	s.steer(t, "start", "tried")
	s.arrives(t, "tried T1", "first")
	workflow := before.Events[0].Effect.Workflow
	s.eventually(t, func() bool {
		view := s.match(workflow)
		return len(view.Requests) == 1 && view.Requests[0].Ticket != nil && len(view.Requests[0].Pending) == 0
	}, "the ticket is up to date")
	s.steer(t, "pause", "tried")
	s.eventually(t, func() bool { return s.feed("tried").State == "paused" }, "the feed is paused")
	feed.tell("T1", "second")
	feed.tell("T2", "other")
	history := len(s.events(workflow))

	after := try()
	require.Len(t, after.Events, 3)
	handedOver, note, other := after.Events[0].Effect, after.Events[1].Effect, after.Events[2].Effect
	assert.True(t, handedOver.Before)
	assert.Contains(t, handedOver.Would, "was handed over already: created OPS-1 (request ")
	assert.Equal(t, "updated", note.Outcome)
	assert.Equal(t, "OPS-1", note.Request.Ticket.Key)
	assert.Contains(t, note.Would, "would be a note on OPS-1 (request ")
	assert.Equal(t, "created", other.Outcome)
	assert.Len(t, s.events(workflow), history, "asking leaves no trace")
	assert.NotContains(t, s.texts("tried T1"), "second")

	for _, w := range s.workers {
		w.kill()
	}
	alone := try()
	assert.False(t, alone.Temporal.Asked)
	assert.Contains(t, alone.Temporal.Reason, "no worker answered in time")
	require.Len(t, alone.Events, 3, "it goes on without")

	out, status := s.starter("feed", "try", "nope")
	assert.Equal(t, 3, status)
	assert.Contains(t, out, `"nope"`)
}
