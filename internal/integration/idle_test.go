package integration

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
)

// An idle feed costs at most 2 Temporal actions a minute with the default
// window. This window is shorter; what one window costs is the same.
func TestIdleFeed(t *testing.T) {
	t.Parallel()
	const window, defaultWindow = 12 * time.Second, 70 * time.Second
	metrics := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	f := newFeed(t, "idle", "    poll_interval: 3s\n")
	s := start(t, options{
		feeds: "feeds:\n" + f.config(), window: window.String(), env: []string{"TICKETBRIDGE_METRICS_ADDR=" + metrics},
	})
	out, status := s.starter("--help")
	require.Zero(t, status)
	require.NotEmpty(t, lines(out, "TICKETBRIDGE_FEED_WINDOW", "default 70s"), out)
	f.tell("250101-lon-0000001", "once.")
	out, status = s.starter("feed", "start", "idle")
	require.Zero(t, status, out)
	s.arrives(t, "idle 250101-lon-0000001", "once.")

	heartbeats := func() int {
		return metric(scrape("http://"+metrics+"/metrics"), "temporal_request_total", `operation="RecordActivityTaskHeartbeat"`)
	}
	idle := func(after int) bool { return s.history("feed:idle")[enums.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED] >= after }
	s.eventually(t, func() bool { return idle(3) }, "a first window that nothing came in")
	before, beats, polls := s.history("feed:idle"), heartbeats(), f.Stats().Heads
	const windows = 3
	require.Eventually(t, func() bool { return idle(before[enums.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED] + windows) },
		windows*window+time.Minute, 200*time.Millisecond)
	after := s.history("feed:idle")
	actions := heartbeats() - beats
	for _, kind := range []enums.EventType{
		enums.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, enums.EVENT_TYPE_TIMER_STARTED, enums.EVENT_TYPE_MARKER_RECORDED,
		enums.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, enums.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
	} {
		actions += after[kind] - before[kind]
	}
	assert.GreaterOrEqual(t, f.Stats().Heads-polls, windows*3, "it is polled all the time")
	perMinute := float64(actions) / windows * float64(time.Minute) / float64(defaultWindow)
	t.Logf("%d actions in %d windows: %.2f a minute with the default window", actions, windows, perMinute)
	assert.LessOrEqual(t, perMinute, 2.0)
	assert.Positive(t, actions, "heartbeats and activities are counted")
	events := 0
	for kind := range after {
		events += after[kind] - before[kind]
	}
	t.Logf("%.1f history events a window", float64(events)/windows)
	assert.LessOrEqual(t, events, 7*windows, "history events a window")
}

// metric adds up the lines of a counter that have a label.
func metric(text, name, label string) int {
	total := 0
	for _, line := range lines(text, name, label) {
		value, err := strconv.ParseFloat(line[strings.LastIndex(line, " ")+1:], 64)
		if err == nil {
			total += int(value)
		}
	}
	return total
}
