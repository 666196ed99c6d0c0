package jira

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/jira"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// A ticket that an agent closed takes what was received before, not what came
// afterwards; who does not ask is not refused.
func TestAClosedTicketRefusesWhatCameAfterwards(t *testing.T) {
	name := "changed"
	for method, act := range map[string]func(*world, string, time.Time) error{
		"comment": func(w *world, id string, before time.Time) error {
			_, err := w.client.CreateComment(context.Background(), id, ticket.NewComment{Content: "n", Operation: "o", UnlessClosedBefore: before})
			return err
		},
		"patch": func(w *world, id string, before time.Time) error {
			_, err := w.client.PatchTicket(context.Background(), id, ticket.Patch{Name: &name, UnlessClosedBefore: before})
			return err
		},
	} {
		t.Run(method, func(t *testing.T) {
			w := newWorld(t)
			made := w.create(newTicket(1))
			require.NoError(t, act(w, made.ID, w.clock.now()), "it is open")
			w.clock.move(time.Minute)
			require.NoError(t, w.sim.TransitionByAgent(made.ID, "Done"))
			closed := w.clock.now()
			before := w.stored(made.ID)

			err := act(w, made.ID, closed.Add(time.Second))
			assert.Equal(t, ticket.Closed, kindOf(t, err))
			var e *ticket.Error
			require.ErrorAs(t, err, &e)
			assert.True(t, closed.Equal(e.ClosedAt), "closed at %s, got %s", closed, e.ClosedAt)
			assert.Contains(t, err.Error(), made.Key)
			assert.Equal(t, before, w.stored(made.ID), "nothing was changed")

			assert.NoError(t, act(w, made.ID, closed), "received no later than the close")
			assert.NoError(t, act(w, made.ID, time.Time{}), "where it does not matter")
		})
	}
}

// A patch that does not mean to open a closed ticket leaves its status alone, and
// still sets the rest.
func TestAClosedTicketKeepsItsStatus(t *testing.T) {
	for keep, want := range map[bool]string{true: "Done", false: "In Progress"} {
		w := newWorld(t)
		made := w.create(newTicket(1))
		require.NoError(t, w.sim.TransitionByAgent(made.ID, "Done"))
		name, status := "renamed", "in_progress"
		_, err := w.client.PatchTicket(context.Background(), made.ID, ticket.Patch{Name: &name, Status: &status, KeepClosed: keep})
		require.NoError(t, err)
		assert.Equal(t, want, w.stored(made.ID).Status)
		assert.Equal(t, "renamed", w.stored(made.ID).Summary)
	}
}

// The look before a comment is part of the comment: it is admitted with it, so
// that in a long backlog no comment waits twice for its turn.
func TestTheLookBeforeACommentIsAdmittedWithIt(t *testing.T) {
	w := newWorld(t, func(_ *sim.Options, c *Config) { c.Rate = Rate{PerSecond: 2, Concurrency: 1} })
	made := w.create(newTicket(1))
	w.clock.move(time.Minute)
	for n := range 2 {
		_, err := w.client.CreateComment(context.Background(), made.ID, ticket.NewComment{
			Content: "n", Operation: string(rune('a' + n)), UnlessClosedBefore: w.clock.now(),
		})
		require.NoError(t, err, "comment %d", n)
		w.clock.move(time.Second)
	}
	assert.Len(t, w.stored(made.ID).Comments, 2)
}
