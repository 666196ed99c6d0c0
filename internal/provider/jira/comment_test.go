package jira

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/rest"
	sim "github.com/ticketbridge/ticketbridge/internal/simulator/jira"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func TestCommentsPublicAndInternal(t *testing.T) {
	for project, deskLike := range map[string]bool{"OPS": false, "HELP": true} {
		t.Run(project, func(t *testing.T) {
			w := newWorld(t)
			ctx := context.Background()
			n := newTicket(1)
			n.Project = project
			made := w.create(n)
			for i, internal := range []bool{false, true} {
				got, err := w.client.CreateComment(ctx, made.ID, ticket.NewComment{Content: "a **note**", Internal: internal, Operation: fmt.Sprint("op-", i)})
				require.NoError(t, err)
				assert.Equal(t, internal, got.Internal)
			}
			stored := w.stored(made.ID).Comments
			require.Len(t, stored, 2)
			assert.False(t, stored[0].Internal())
			assert.True(t, stored[1].Internal())
			assert.Equal(t, deskLike, stored[1].Visibility == nil, "a service desk hides it by a property, others by a role")
			assert.JSONEq(t, `{"operation":"op-1"}`, string(stored[1].Properties["ticketbridge"]))

			listed, err := w.client.ListComments(ctx, made.ID)
			require.NoError(t, err)
			require.Len(t, listed, 2)
			assert.Equal(t, "a **note**", listed[1].Content)
			assert.Equal(t, []bool{false, true}, []bool{listed[0].Internal, listed[1].Internal})
			assert.Equal(t, made.ID, listed[0].TicketID)
		})
	}
}

// Jira's comments are its accounts': the text tells who wrote one, and is found
// again after a lost answer all the same.
func TestACommentTellsWhoWroteIt(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	made := w.create(newTicket(1))
	n := ticket.NewComment{Content: "the *disk* is full", Creator: " an_na@acme.example\n(night) ", Operation: "op-1"}
	got, err := w.client.CreateComment(ctx, made.ID, n)
	require.NoError(t, err)
	listed, err := w.client.ListComments(ctx, made.ID)
	require.NoError(t, err)
	require.Len(t, listed, 1)
	assert.Equal(t, got, listed[0])
	first, rest, _ := strings.Cut(listed[0].Content, "\n\n")
	assert.Equal(t, "Creator: an_na@acme.example (night)", strings.ReplaceAll(first, `\`, ""))
	assert.Equal(t, "the *disk* is full", rest)
	assert.Equal(t, "bridge@acme.example", listed[0].Creator, "that is our account")
	found, ok, err := w.client.RecoverComment(ctx, made.ID, n, ticket.Attempt{FirstScheduledAt: w.clock.now()})
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Equal(t, got, found)

	_, err = w.client.CreateComment(ctx, made.ID, ticket.NewComment{Content: " \n ", Creator: "anna@acme.example"})
	assert.Equal(t, ticket.Permanent, kindOf(t, err), "a name alone is no comment")
	long, err := w.client.CreateComment(ctx, made.ID, ticket.NewComment{Content: strings.Repeat("x", maxText), Creator: "anna@acme.example", Operation: "op-2"})
	require.NoError(t, err)
	assert.LessOrEqual(t, units(long.Content), maxText)
	assert.Contains(t, long.Content, "longer than Jira takes")
}

// Nothing internal is ever sent in a form that could be public.
func TestAnInternalNoteIsNeverPublic(t *testing.T) {
	ctx, note := context.Background(), ticket.NewComment{Content: "secret", Internal: true, Operation: "o"}
	t.Run("the project's type is not known", func(t *testing.T) {
		w := newWorld(t)
		made := w.create(newTicket(1))
		w.client.projects = rest.NewCache[project](w.clock.now)
		w.fail(sim.Fault{Kind: sim.ErrorBefore, Op: "project"})
		_, err := w.client.CreateComment(ctx, made.ID, note)
		assert.Equal(t, ticket.Retry, kindOf(t, err))
		assert.Zero(t, w.sim.Stats().Requests["comment"])
	})
	t.Run("the issue moved to a service desk", func(t *testing.T) {
		w := newWorld(t)
		made := w.create(newTicket(1))
		_, err := w.client.CreateComment(ctx, made.ID, note)
		require.NoError(t, err)
		require.NoError(t, w.sim.Move(made.ID, "HELP"))
		_, err = w.client.CreateComment(ctx, made.ID, note)
		require.NoError(t, err)
		assert.Contains(t, w.stored(made.ID).Comments[1].Properties, "sd.public.comment")
	})
	t.Run("the role does not exist", func(t *testing.T) {
		w := newWorld(t, func(_ *sim.Options, c *Config) { c.InternalRole = "Nobody" })
		made := w.create(newTicket(1))
		_, err := w.client.CreateComment(ctx, made.ID, note)
		assert.Equal(t, ticket.Permanent, kindOf(t, err))
		assert.Empty(t, w.stored(made.ID).Comments)
	})
}

func TestALostCommentIsMadeOnce(t *testing.T) {
	for _, fault := range []sim.Fault{
		{Kind: sim.DropBefore}, {Kind: sim.DropAfter}, {Kind: sim.DropLate, Delay: 45000}, {Kind: sim.ErrorAfter}, {Kind: sim.HTML},
	} {
		t.Run(fault.Kind, func(t *testing.T) {
			w := newWorld(t)
			ctx := context.Background()
			made := w.create(newTicket(1))
			for i := range 5 {
				_, err := w.client.CreateComment(ctx, made.ID, ticket.NewComment{Content: "same text", Operation: fmt.Sprint("before-", i)})
				require.NoError(t, err)
			}
			w.clock.move(time.Hour)
			attempt := ticket.Attempt{FirstScheduledAt: w.clock.now()}
			fault.Op, fault.Times = "comment", 1
			w.fail(fault)
			n := ticket.NewComment{Content: "same text", Operation: "ours"}
			_, err := w.client.CreateComment(ctx, made.ID, n)
			require.Equal(t, ticket.OutcomeUnknown, kindOf(t, err))
			_, err = w.client.CreateComment(ctx, made.ID, ticket.NewComment{Content: "same text", Operation: "another of ours"})
			require.NoError(t, err)
			w.clock.move(w.client.Settling())
			for range 120 { // agents talk meanwhile
				require.NoError(t, w.sim.CommentByAgent(made.ID, "same text"))
			}
			found, ok, err := w.client.RecoverComment(ctx, made.ID, n, attempt)
			require.NoError(t, err)
			assert.Equal(t, fault.Kind != sim.DropBefore, ok)
			if !ok {
				_, err = w.client.CreateComment(ctx, made.ID, n)
				require.NoError(t, err)
			} else {
				assert.Equal(t, "same text", found.Content)
			}
			ours := 0
			for _, c := range w.stored(made.ID).Comments {
				if string(c.Properties["ticketbridge"]) == `{"operation":"ours"}` {
					ours++
				}
			}
			assert.Equal(t, 1, ours)
			assert.LessOrEqual(t, w.sim.Stats().Requests["property"], 122, "older comments are not asked for")
		})
	}
}

func TestRecoverCommentFailsRatherThanMisses(t *testing.T) {
	for _, op := range []string{"comments", "property"} {
		w := newWorld(t)
		made := w.create(newTicket(1))
		n := ticket.NewComment{Content: "x", Operation: "ours"}
		_, err := w.client.CreateComment(context.Background(), made.ID, n)
		require.NoError(t, err)
		for _, kind := range []string{sim.ErrorBefore, sim.HTML, sim.DropAfter} {
			w.fail(sim.Fault{Kind: kind, Op: op})
			_, _, err = w.client.RecoverComment(context.Background(), made.ID, n, ticket.Attempt{FirstScheduledAt: w.clock.now()})
			assert.Equal(t, ticket.Retry, kindOf(t, err), "%s %s", op, kind)
		}
	}
}

func TestAnEmptyCommentIsRefusedHere(t *testing.T) {
	w := newWorld(t)
	made := w.create(newTicket(1))
	_, err := w.client.CreateComment(context.Background(), made.ID, ticket.NewComment{Content: " \n"})
	assert.Equal(t, ticket.Permanent, kindOf(t, err))
	assert.Zero(t, w.sim.Stats().Requests["comment"])
}
