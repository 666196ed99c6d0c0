package integration

import (
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/simulator/cloudfeeds"
)

// typed are payloads as people get them wrong. The first is no JSON at all;
// "" sends no input.
func typed() []string {
	return []string{
		`item: 1`, `[]`, ``, `"retry"`, `{"item": 5, "set": "x", "to": 7, "ticket": {}, "events": "one"}`, `{"itme": "1"} {}`,
	}
}

// Every signal of every workflow, typed wrongly in every way, by tctl and
// temporal: the workflow counts and shows it, and goes on.
func TestSignalsTypedWrongly(t *testing.T) {
	t.Parallel()
	needTctl(t)
	s, feed := startWithFeed(t, cloudfeeds.Options{Mode: cloudfeeds.DDB}, options{})
	s.alarm(t, 201, "srv-001", "first")
	workflow := s.workflowOf("srv-001")
	s.eventually(t, func() bool { return s.feed("rackspace-lon").Polls > 0 }, "the first poll")

	wrong := s.typeWrongly(t, workflow, typed(), contract.SignalEvent, contract.SignalTicketChanged, contract.SignalRetry, contract.SignalDiscard, contract.SignalAmend)
	s.eventually(t, func() bool { return s.match(workflow).Rejected >= wrong }, "every wrong signal is counted")
	assert.EqualValues(t, wrong, s.match(workflow).Rejected)
	wrong = s.typeWrongly(t, "feed:rackspace-lon", typed(), contract.SignalRewind, contract.SignalRetry, contract.SignalDiscard, contract.SignalAmend)
	s.eventually(t, func() bool { return s.feed("rackspace-lon").Rejected >= wrong }, "every wrong signal is counted")
	assert.EqualValues(t, wrong, s.feed("rackspace-lon").Rejected)
	// These need no input, so that a person who types one is obeyed all the same.
	s.typeWrongly(t, "feed:rackspace-lon", typed()[:2], contract.SignalPause, contract.SignalPollNow)
	s.eventually(t, func() bool { return s.feed("rackspace-lon").State == "paused" }, "the feed is paused")
	s.typeWrongly(t, "feed:rackspace-lon", typed()[:2], contract.SignalResume)
	s.eventually(t, func() bool { return s.feed("rackspace-lon").State == "polling" }, "the feed goes on")
	assert.EqualValues(t, wrong, s.feed("rackspace-lon").Rejected)

	for _, id := range []string{workflow, "feed:rackspace-lon"} {
		end := s.tctl("workflow", "query", "--workflow_id", id, "--query_type", "state")
		assert.Zero(t, end.status, end.text())
		assert.Contains(t, end.out, "last_rejection")
		end = s.cli("workflow", "query", "--workflow-id", id, "--type", "state")
		assert.Zero(t, end.status, end.text())
		assert.Contains(t, end.out, "last_rejection")
	}
	s.alarm(t, 200, "srv-001", "second")
	s.eventually(t, func() bool { return strings.Contains(s.texts("Alarm on srv-001"), "second") }, "the next comment")
	feed.Publish(cloudfeeds.Entry{Account: account, TicketID: "250101-lon-0000001", Subject: "Still read", Type: "CREATE"})
	s.eventually(t, func() bool { return len(s.issues()["Still read"]) == 1 }, "the next entry's ticket")
}

// typeWrongly sends each signal with each wrong payload, by one of the tools and
// over all by both, and reports how many they passed on: temporal refuses by
// itself what is no JSON.
func (s *stack) typeWrongly(t *testing.T, workflow string, payloads []string, signals ...string) int64 {
	t.Helper()
	var passed atomic.Int64
	var group errgroup.Group
	group.SetLimit(4)
	for i, payload := range payloads {
		file := filepath.Join(t.TempDir(), "typed.json")
		require.NoError(t, os.WriteFile(file, []byte(payload), 0o600))
		for n, signal := range signals {
			run, args := s.tctl, []string{"workflow", "signal", "--workflow_id", workflow, "--name", signal, "--input_file", file}
			if (i+n)%2 == 1 {
				run, args = s.cli, []string{"workflow", "signal", "--workflow-id", workflow, "--name", signal, "--input-file", file}
			}
			if payload == "" {
				args = args[:len(args)-2]
			}
			group.Go(func() error {
				end := run(args...)
				if end.status == 0 {
					passed.Add(1)
				} else {
					assert.Contains(t, strings.ToLower(end.text()), "json", "%s %q", signal, payload)
				}
				return nil
			})
		}
	}
	require.NoError(t, group.Wait())
	return passed.Load()
}
