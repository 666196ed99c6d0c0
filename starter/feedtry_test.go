package main

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/cloudfeeds"
)

// site is a configuration with two feeds of one simulator: tickets matches by
// ticket, alarms by event, with a transform.
type site struct {
	t      *testing.T
	dir    string
	server *sim.Server
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir(), server: sim.New(sim.Options{HeadDelay: -1})}
	web := httptest.NewServer(s.server)
	t.Cleanup(web.Close)
	path := s.file("ticketbridge.yaml", strings.ReplaceAll(`
feeds:
  - {name: tickets, type: cloudfeeds, url: "URL/consolidated_ticketing/events/1", credential: {type: token, secret: "env:FEED_TOKEN"}, integration: ops}
  - name: alarms
    type: cloudfeeds
    url: URL/consolidated_ticketing/events/1
    credential: {type: token, secret: "env:FEED_TOKEN"}
    integration: ops
    match: event
    transform: |
      if .ticket.type == "NOISE" then empty
      elif .ticket.type == "BROKEN" then error("no such host")
      else {source: "Desk", subject: .ticket.subject, note: .ticket.comment.text, impact: .ticket.status} end
integrations:
  - {name: ops, type: ticketing_jira, url: "https://ops.example", credential: {type: bearer, secret: "env:JIRA_TOKEN"}, default_project: OPS}
`, "URL", web.URL))
	t.Setenv("FEED_TOKEN", "a-feed-token")
	t.Setenv("JIRA_TOKEN", "a-jira-token")
	t.Setenv("TICKETBRIDGE_CONFIG", path)
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1") // nobody listens there
	return s
}

func (s *site) file(name, text string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	require.NoError(s.t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// publish stores entries of type and subject, in this order.
func (s *site) publish(entries ...sim.Entry) {
	for i, e := range entries {
		e.Account, e.TicketID, e.Updated = "1", "T1", time.Now().Add(time.Duration(i-len(entries))*time.Second)
		s.server.Publish(e)
	}
}

// try runs the command and returns its output and exit status.
func (s *site) try(args ...string) (string, error) {
	s.t.Helper()
	var out bytes.Buffer
	root := rootCommand()
	root.SetOut(&out)
	root.SetErr(&out)
	root.SetArgs(append([]string{"feed", "try"}, args...))
	err := root.ExecuteContext(s.t.Context())
	return out.String(), err
}

// answer runs the command with -o json.
func (s *site) answer(args ...string) tryAnswer {
	s.t.Helper()
	out, err := s.try(append(args, "-o", "json")...)
	require.NoError(s.t, err)
	var answer tryAnswer
	decoder := json.NewDecoder(strings.NewReader(out))
	require.NoError(s.t, decoder.Decode(&answer))
	require.False(s.t, decoder.More(), "one value")
	return answer
}

func TestTryShowsWhatEventsBecome(t *testing.T) {
	s := newSite(t)
	s.publish(
		sim.Entry{Type: "CREATE", Subject: "too old to be shown"},
		sim.Entry{Type: "CREATE", Subject: "Disk full", Status: "high", Comments: []sim.Comment{{ID: "1", Text: "97 %"}}},
		sim.Entry{Type: "NOISE", Subject: "hum"},
		sim.Entry{Type: "BROKEN", Subject: "crack"},
		sim.Entry{Type: "CREATE", Subject: "Disk full", Status: "enormous"},
		sim.Entry{Type: "UPDATE", Subject: "Disk full", Status: "high", Comments: []sim.Comment{{ID: "1", Text: "97 %"}}},
	)
	a := s.answer("alarms", "--offline")
	assert.False(t, a.Temporal.Asked)
	require.Len(t, a.Events, 5)

	first := a.Events[0]
	assert.Equal(t, map[string]string{"source": "Desk", "subject": "Disk full", "note": "97 %", "impact": "high"}, map[string]string(first.Params))
	assert.Contains(t, first.Raw, "<", "whole, as sent")
	assert.Equal(t, "Disk full", first.Data["ticket"].(map[string]any)["subject"], "what a transform can use")
	assert.Equal(t, "created", string(first.Effect.Outcome))
	assert.Contains(t, first.Effect.Workflow, "match:ops:")
	assert.Equal(t, "high", first.Effect.Request.Fields["impact"])
	assert.False(t, first.Effect.Request.Exists)

	assert.True(t, a.Events[1].Dropped)
	assert.Empty(t, a.Events[1].Parked)
	assert.Contains(t, a.Events[2].Parked, "no such host")
	assert.Contains(t, a.Events[3].Parked, "impact", "what the rules refuse")

	last := a.Events[4].Effect
	assert.Equal(t, first.Effect.Workflow, last.Workflow)
	assert.Equal(t, "unchanged", string(last.Outcome), "the event before it had the note")
	assert.Equal(t, first.Effect.Request.ID, last.Request.ID)

	text, err := s.try("alarms", "--offline", "-n", "5")
	require.NoError(t, err)
	for _, want := range []string{
		"not compared with what Temporal keeps: --offline", `would create request`, "left out by the transform",
		"would be parked: transform: error: no such host", "would change nothing at request",
	} {
		assert.Contains(t, text, want)
	}
	assert.NotContains(t, text, "too old")
}

func TestTryShowsTicketsElsewhere(t *testing.T) {
	s := newSite(t)
	s.publish(
		sim.Entry{Type: "CREATE", Subject: "Disk full", Status: "open"},
		sim.Entry{Type: "UPDATE", Subject: "Disk full", Status: "closed", Comments: []sim.Comment{{ID: "9", Author: "Ann", Text: "cleaned\x1b[31m up"}}},
	)
	a := s.answer("tickets", "--offline")
	require.Len(t, a.Events, 2)
	assert.Equal(t, "T1", a.Events[0].Foreign.TicketID)
	assert.Equal(t, "created", string(a.Events[0].Effect.Outcome))
	update := a.Events[1].Effect
	assert.Equal(t, "updated", string(update.Outcome))
	assert.True(t, update.NoteAdded)
	assert.Equal(t, "completed", update.Changed["status"])
	text, err := s.try("tickets", "--offline")
	require.NoError(t, err)
	assert.Contains(t, text, "would be a note on request ")
	assert.Contains(t, text, "status to completed")
	assert.NotContains(t, text, "\x1b", "foreign text does not steer the terminal")
}

func TestTryChangesNothing(t *testing.T) {
	s := newSite(t)
	s.publish(sim.Entry{Type: "CREATE", Subject: "a"})
	_, err := s.try("tickets", "--offline")
	require.NoError(t, err)
	log := s.server.Log()
	require.Len(t, log, 1, "one request of the feed's budget")
	assert.Equal(t, "GET", log[0].Method)
}

func TestTryWithoutTemporalGoesOn(t *testing.T) {
	s := newSite(t)
	s.publish(sim.Entry{Type: "CREATE", Subject: "a"})
	out, err := s.try("tickets")
	require.NoError(t, err)
	assert.Equal(t, 1, strings.Count(out, "no Temporal server answers at 127.0.0.1:1"), "one line: %s", out)
	assert.Contains(t, out, "would create request")
}

func TestTryAnotherTransform(t *testing.T) {
	s := newSite(t)
	s.publish(sim.Entry{Type: "NOISE", Subject: "hum"})
	good := s.file("good.jq", "{subject: (.ticket.subject | ascii_upcase)}")
	a := s.answer("alarms", "--offline", "--transform", good)
	require.Len(t, a.Events, 1)
	assert.Equal(t, "HUM", a.Events[0].Params["subject"])

	for name, tc := range map[string]struct{ feed, file, want string }{
		"syntax":        {"alarms", s.file("bad.jq", "{\n  subject: .ticket.subject,\n  note: }\n"), "bad.jq:3: "},
		"no function":   {"alarms", s.file("fn.jq", "nosuch(.)"), "fn.jq: "},
		"empty":         {"alarms", s.file("empty.jq", ""), "empty.jq is empty"},
		"no file":       {"alarms", filepath.Join(s.dir, "none.jq"), "none.jq"},
		"ticket policy": {"tickets", good, "match: ticket"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.try(tc.feed, "--offline", "--transform", tc.file)
			require.ErrorContains(t, err, tc.want)
			assert.Equal(t, exitUsage, exitStatus(err))
		})
	}
}

func TestTryRefusesWhatItCannotDo(t *testing.T) {
	s := newSite(t)
	out, err := s.try("alarms")
	require.NoError(t, err)
	assert.Contains(t, out, "feed alarms has no events to try")
	assert.Empty(t, s.answer("alarms").Events)
	assert.NotNil(t, s.answer("alarms").Events, "a list, also of none")

	for _, tc := range []struct {
		args   []string
		want   string
		status int
	}{
		{[]string{"typo"}, `unknown feed "typo"`, exitNotFound},
		{[]string{"alarms", "-n", "0"}, "want 1 to 100", exitUsage},
		{[]string{}, "want one NAME", exitUsage},
	} {
		_, err := s.try(tc.args...)
		require.ErrorContains(t, err, tc.want)
		assert.Equal(t, tc.status, exitStatus(err))
	}
	s.server.SetFaults(sim.Fault{Kind: "status", Status: 401, Share: 1})
	_, err = s.try("alarms", "--offline")
	require.ErrorContains(t, err, "feed alarms")
	assert.Equal(t, exitFailed, exitStatus(err))
	assert.NotContains(t, err.Error(), "a-feed-token")
}
