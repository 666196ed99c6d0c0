package jira

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/jira"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func TestNotesKeepTheirTitlesAndStayInternal(t *testing.T) {
	for _, project := range []string{"OPS", "HELP"} {
		t.Run(project, func(t *testing.T) {
			w := newWorld(t)
			ctx := context.Background()
			n := newTicket(1)
			n.Project = project
			issue := w.create(n)
			_, err := w.client.CreateComment(ctx, issue.ID, ticket.NewComment{Content: "### public\n\nfor all", Operation: "c"})
			require.NoError(t, err)
			made, err := w.client.CreateNote(ctx, issue.ID, ticket.NewNote{Title: "Root *cause*\nfound", Content: "It **was** the disk.\n\n- sda", Operation: "op-1"})
			require.NoError(t, err)
			assert.Equal(t, "Root *cause* found", made.Title)
			assert.Equal(t, "It **was** the disk.\n\n- sda", made.Content)
			assert.Equal(t, issue.ID, made.TicketID)
			w.clock.move(time.Minute)
			_, err = w.client.CreateNote(ctx, issue.ID, ticket.NewNote{Content: "no title"})
			require.NoError(t, err)

			listed, err := w.client.ListNotes(ctx, issue.ID)
			require.NoError(t, err)
			require.Len(t, listed, 2, "the public comment is none")
			assert.Equal(t, made, listed[0])
			assert.Equal(t, []string{"", "no title"}, []string{listed[1].Title, listed[1].Content})

			title, content := "Second thoughts", "It was *not*."
			for _, patch := range []ticket.NotePatch{{Title: &title}, {Content: &content}, {Title: &title, Content: &content}} {
				got, err := w.client.PatchNote(ctx, issue.ID, made.ID, patch)
				require.NoError(t, err)
				assert.Equal(t, title, got.Title)
				assert.True(t, w.stored(issue.ID).Comments[1].Internal(), "whatever is changed")
				assert.True(t, got.UpdatedAt.After(got.CreatedAt))
			}
			assert.Equal(t, 2, w.sim.Stats().Commits["comment-edit"], "the same again sends nothing")
			assert.Contains(t, w.stored(issue.ID).Comments[1].Properties, "ticketbridge")

			public := w.stored(issue.ID).Comments[0].ID
			_, err = w.client.PatchNote(ctx, issue.ID, public, ticket.NotePatch{Title: &title})
			assert.Equal(t, ticket.NotFound, kindOf(t, err))
			assert.Equal(t, ticket.NotFound, kindOf(t, w.client.DeleteNote(ctx, issue.ID, public)))
			require.NoError(t, w.client.DeleteNote(ctx, issue.ID, made.ID))
			assert.Equal(t, ticket.NotFound, kindOf(t, w.client.DeleteNote(ctx, issue.ID, made.ID)))
			assert.Len(t, w.stored(issue.ID).Comments, 2)
		})
	}
}

func TestANoteThatIsPatchedKeepsTheRichTextOfTheRest(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	issue := w.create(newTicket(1))
	made, err := w.client.CreateNote(ctx, issue.ID, ticket.NewNote{Title: "t", Content: "`code` and ~~gone~~"})
	require.NoError(t, err)
	_, before := readNote(w.stored(issue.ID).Comments[0].Body)
	title := "another"
	_, err = w.client.PatchNote(ctx, issue.ID, made.ID, ticket.NotePatch{Title: &title})
	require.NoError(t, err)
	_, after := readNote(w.stored(issue.ID).Comments[0].Body)
	assert.Equal(t, before, after)
	empty := ""
	for _, patch := range []ticket.NotePatch{{Title: &empty, Content: &empty}, {Content: &empty}} {
		_, err = w.client.PatchNote(ctx, issue.ID, made.ID, patch)
		assert.Equal(t, ticket.Permanent, kindOf(t, err))
		assert.ErrorContains(t, err, "content: empty")
	}
}

func TestALostNoteIsFound(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	issue := w.create(newTicket(1))
	attempt := ticket.Attempt{FirstScheduledAt: w.clock.now()}
	note := ticket.NewNote{Title: "t", Content: "x", Operation: "op-1"}
	for _, fault := range []string{sim.DropBefore, sim.DropAfter} {
		w.fail(sim.Fault{Kind: fault, Op: "comment", Times: 1})
		_, err := w.client.CreateNote(ctx, issue.ID, note)
		assert.Equal(t, ticket.OutcomeUnknown, kindOf(t, err))
		got, found, err := w.client.RecoverNote(ctx, issue.ID, note, attempt)
		require.NoError(t, err)
		assert.Equal(t, fault == sim.DropAfter, found)
		if found {
			assert.Equal(t, "t", got.Title)
		}
	}
	_, _, err := w.client.RecoverNote(ctx, issue.ID, ticket.NewNote{}, attempt)
	assert.Equal(t, ticket.Permanent, kindOf(t, err))
}

func TestDeleteComment(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	issue := w.create(newTicket(1))
	made, err := w.client.CreateComment(ctx, issue.ID, ticket.NewComment{Content: "x"})
	require.NoError(t, err)
	require.NoError(t, w.sim.CommentByAgent(issue.ID, "an agent's"))
	require.NoError(t, w.client.DeleteComment(ctx, issue.ID, made.ID))
	assert.Equal(t, ticket.NotFound, kindOf(t, w.client.DeleteComment(ctx, issue.ID, made.ID)))
	err = w.client.DeleteComment(ctx, issue.ID, w.stored(issue.ID).Comments[0].ID)
	assert.Equal(t, ticket.Permanent, kindOf(t, err), "400 is how Jira says that it is not allowed")
	assert.ErrorContains(t, err, "Delete all comments")
	for kind, fault := range map[ticket.Kind]sim.Fault{
		ticket.Retry: {Kind: sim.DropBefore}, ticket.RateLimited: {Kind: sim.TooMany, RetryAfter: 5}, ticket.Credentials: {Kind: sim.ErrorBefore, Status: 401},
	} {
		fault.Op = "comment-delete"
		w.fail(fault)
		assert.Equal(t, kind, kindOf(t, w.newClient().DeleteComment(ctx, issue.ID, "1")))
	}
	assert.Equal(t, ticket.Permanent, kindOf(t, w.client.DeleteComment(ctx, issue.ID, "")))
}

// Comments that are deleted while the pages are read move the others up.
func TestCommentsWhileSomeAreDeleted(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	issue := w.create(newTicket(1))
	var ids []string
	for n := range 205 {
		made, err := w.client.CreateComment(ctx, issue.ID, ticket.NewComment{Content: fmt.Sprint(n)})
		require.NoError(t, err)
		ids = append(ids, made.ID)
	}
	reader, deleted := w.newClient(), 0
	reader.rest.HTTP = w.client.rest.HTTP
	seen := map[string]bool{}
	turn, err := reader.begin("x", endComments, "")
	require.NoError(t, err)
	defer turn.end()
	require.NoError(t, turn.comments(ctx, issue.ID, "created", func(k comment) (bool, error) {
		assert.False(t, seen[k.ID], "once")
		seen[k.ID] = true
		if len(seen)%100 == 50 { // while a page is held
			for range 5 {
				require.NoError(t, w.client.DeleteComment(ctx, issue.ID, ids[deleted]))
				deleted++
			}
		}
		return true, nil
	}))
	assert.Len(t, seen, 205)
}
