package jira

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/jira"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func setStatus(status, resolution string) ticket.Patch {
	p := ticket.Patch{Status: &status}
	if resolution != "" {
		p.Resolution = &resolution
	}
	return p
}

func TestStatusByTransition(t *testing.T) {
	workflow := []sim.Transition{
		{ID: "5", Name: "Start", To: "In Progress"},
		{ID: "6", Name: "Hold", To: "Waiting for customer"},
		{ID: "7", Name: "Reopen", To: "To Do"},
		{ID: "8", Name: "Resolve", To: "Resolved", Required: []string{"resolution"}},
		{ID: "9", Name: "Close", To: "Closed", Optional: []string{"resolution"}},
	}
	for _, c := range []struct{ asked, resolution, want, wantResolution string }{
		{asked: "in_progress", want: "In Progress"},
		{asked: "In progress", want: "In Progress"},
		{asked: "6", want: "Waiting for customer"},
		{asked: "Hold", want: "Waiting for customer"},
		{asked: "waiting_for", want: "In Progress"},
		{asked: "closed", want: "Closed", wantResolution: "Done"},
		{asked: "completed", resolution: "solved", want: "Resolved", wantResolution: "Done"},
		{asked: "completed", resolution: "withdrawn", want: "Resolved", wantResolution: "Won't Do"},
		{asked: "completed", resolution: "unheard of", want: "Resolved", wantResolution: "Done"},
		{asked: "category:done", want: "Resolved", wantResolution: "Done"},
		{asked: "Closed", resolution: "duplicate", want: "Closed", wantResolution: "Duplicate"},
		{asked: "mapped", want: "Waiting for customer"},
		{asked: "MAPPED-too", want: "Resolved", wantResolution: "Done"},
		{asked: "assigned", want: "To Do"}, // is there already
	} {
		t.Run(c.asked+"/"+c.resolution, func(t *testing.T) {
			w := newWorld(t, func(_ *sim.Options, config *Config) {
				config.StatusMap = map[string]string{"mapped": "Waiting for customer", "mapped_too": "category:done"}
			})
			w.sim.SetWorkflow("OPS", workflow...)
			made := w.create(newTicket(1))
			got, err := w.client.PatchTicket(context.Background(), made.ID, setStatus(c.asked, c.resolution))
			require.NoError(t, err)
			assert.Equal(t, c.want, got.Status)
			assert.Equal(t, c.wantResolution, w.stored(made.ID).Resolution)
			assert.Equal(t, c.wantResolution != "", got.Closed)
			if c.resolution == "unheard of" {
				assert.NotEmpty(t, got.Unmapped["warnings"])
			}
		})
	}
}

func TestAStatusThatCannotBeReached(t *testing.T) {
	w := newWorld(t)
	w.sim.SetWorkflow("OPS", sim.Transition{ID: "1", Name: "Start", To: "In Progress"},
		sim.Transition{ID: "2", Name: "Finish", From: []string{"In Progress"}, To: "Done"})
	made := w.create(newTicket(1))
	_, err := w.client.PatchTicket(context.Background(), made.ID, setStatus("completed", ""))
	assert.Equal(t, ticket.Permanent, kindOf(t, err))
	assert.ErrorContains(t, err, "reachable: In Progress (by Start)")
	assert.ErrorContains(t, err, "status_map")

	w.sim.SetWorkflow("OPS", sim.Transition{ID: "0", Name: "x", From: []string{"nowhere"}, To: "y"})
	_, err = w.client.PatchTicket(context.Background(), made.ID, setStatus("completed", ""))
	assert.ErrorContains(t, err, "Transition issues")
}

func TestScreensOfTransitions(t *testing.T) {
	w := newWorld(t)
	w.sim.SetWorkflow("OPS", sim.Transition{ID: "1", Name: "Finish", To: "Done", Required: []string{"resolution", "customfield_10011"}})
	made := w.create(newTicket(1))
	p := setStatus("completed", "")
	_, err := w.client.PatchTicket(context.Background(), made.ID, p)
	assert.Equal(t, ticket.Permanent, kindOf(t, err))
	assert.ErrorContains(t, err, "customfield_10011")
	assert.Equal(t, "To Do", w.stored(made.ID).Status)

	p.CustomFields = map[string]any{"customfield_10011": "root cause"}
	got, err := w.client.PatchTicket(context.Background(), made.ID, p)
	require.NoError(t, err)
	assert.Equal(t, "Done", got.Status)
	assert.Equal(t, "root cause", got.CustomFields["customfield_10011"])
}

func TestATransitionWhoseAnswerIsLost(t *testing.T) {
	w := newWorld(t)
	made := w.create(newTicket(1))
	w.fail(sim.Fault{Kind: sim.DropAfter, Op: "transition", Times: 1})
	p := setStatus("completed", "duplicate")
	_, err := w.client.PatchTicket(context.Background(), made.ID, p)
	assert.Equal(t, ticket.Retry, kindOf(t, err))
	got, err := w.client.PatchTicket(context.Background(), made.ID, p)
	require.NoError(t, err)
	assert.True(t, got.Closed)
	assert.Equal(t, 1, w.sim.Stats().Commits["transition"])
}

func TestAnAgentWasFaster(t *testing.T) {
	w := newWorld(t)
	made := w.create(newTicket(1))
	w.fail(sim.Fault{Kind: sim.ErrorBefore, Op: "transition", Status: 409, Times: 1})
	_, err := w.client.PatchTicket(context.Background(), made.ID, setStatus("completed", ""))
	assert.Equal(t, ticket.Retry, kindOf(t, err))

	require.NoError(t, w.sim.TransitionByAgent(made.ID, "Done"))
	got, err := w.client.GetTicket(context.Background(), made.ID)
	require.NoError(t, err)
	assert.True(t, got.Closed)
	assert.False(t, got.CompletionDate.IsZero())
	_, err = w.client.PatchTicket(context.Background(), made.ID, setStatus("completed", "solved"))
	require.NoError(t, err)
	assert.Zero(t, w.sim.Stats().Commits["transition"])
}

func TestAResolutionWithoutAMove(t *testing.T) {
	w := newWorld(t)
	made := w.create(newTicket(1))
	reason := "solved"
	got, err := w.client.PatchTicket(context.Background(), made.ID, ticket.Patch{Resolution: &reason})
	require.NoError(t, err)
	assert.Contains(t, got.Unmapped["warnings"], `resolution: "solved" was not set: Jira takes it with a change of status`)
}
