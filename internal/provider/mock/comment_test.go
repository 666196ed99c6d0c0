package mock

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func TestCommentsAndNotes(t *testing.T) {
	c, clock := newWorld(t, Config{})
	made := c.must(t, ticket.New{})
	clock.advance(time.Minute)
	public, err := c.CreateComment(t.Context(), made.Key, ticket.NewComment{Content: "we look at it", Operation: "op-1"})
	require.NoError(t, err)
	assert.Equal(t, ticket.Comment{ID: public.ID, TicketID: made.ID, Creator: "ticketbridge", Content: "we look at it", CreatedAt: clock.at}, public)
	internal, err := c.CreateComment(t.Context(), made.ID, ticket.NewComment{Content: "call Mia", Internal: true, Operation: "op-2"})
	require.NoError(t, err)
	note, err := c.CreateNote(t.Context(), made.ID, ticket.NewNote{Title: "Cause", Content: "a cable", Operation: "op-3"})
	require.NoError(t, err)
	assert.Equal(t, ticket.Note{ID: note.ID, TicketID: made.ID, Title: "Cause", Creator: "ticketbridge", Content: "a cable", CreatedAt: clock.at}, note)

	comments, err := c.ListComments(t.Context(), made.ID)
	require.NoError(t, err)
	require.Len(t, comments, 3)
	assert.Equal(t, []ticket.Comment{public, internal}, comments[:2])
	assert.True(t, comments[1].Internal && comments[2].Internal)
	notes, err := c.ListNotes(t.Context(), made.ID)
	require.NoError(t, err)
	require.Len(t, notes, 2)
	assert.Equal(t, "call Mia", notes[0].Content)
	assert.Equal(t, note, notes[1])

	read, err := c.GetTicket(t.Context(), made.ID)
	require.NoError(t, err)
	assert.Equal(t, clock.at, read.UpdatedAt, "a comment is a change")

	requireKind(t, ticket.NotFound, c.DeleteComment(t.Context(), made.ID, note.ID), "no such entry")
	requireKind(t, ticket.NotFound, c.DeleteNote(t.Context(), made.ID, public.ID), "no such entry")
	require.NoError(t, c.DeleteComment(t.Context(), made.ID, public.ID))
	require.NoError(t, c.DeleteNote(t.Context(), made.ID, note.ID))
	requireKind(t, ticket.NotFound, c.DeleteComment(t.Context(), made.ID, public.ID), "no such entry")
	comments, err = c.ListComments(t.Context(), made.ID)
	require.NoError(t, err)
	assert.Equal(t, []ticket.Comment{internal}, comments)
	by, err := c.CreateComment(t.Context(), made.ID, ticket.NewComment{Content: "on my way", Creator: "mia@acme.example", Operation: "op-4"})
	require.NoError(t, err)
	assert.Equal(t, "mia@acme.example", by.Creator)
	c.assertCounted(t)
}

func TestAnOperationMakesOneCommentAndOneNote(t *testing.T) {
	c, _ := newWorld(t, Config{})
	made, other := c.must(t, ticket.New{}), c.must(t, ticket.New{})
	comment := ticket.NewComment{Content: "x", Operation: "op-1"}
	note := ticket.NewNote{Title: "t", Content: "y", Operation: "op-2"}
	_, ok, err := c.RecoverComment(t.Context(), made.ID, comment, ticket.Attempt{})
	require.NoError(t, err)
	assert.False(t, ok)
	_, ok, err = c.RecoverNote(t.Context(), made.ID, note, ticket.Attempt{})
	require.NoError(t, err)
	assert.False(t, ok)
	for range 2 {
		first, err := c.CreateComment(t.Context(), made.ID, comment)
		require.NoError(t, err)
		found, ok, err := c.RecoverComment(t.Context(), made.Key, comment, ticket.Attempt{})
		require.NoError(t, err)
		assert.True(t, ok)
		assert.Equal(t, first, found)
		second, err := c.CreateNote(t.Context(), made.ID, note)
		require.NoError(t, err)
		foundNote, ok, err := c.RecoverNote(t.Context(), made.ID, note, ticket.Attempt{})
		require.NoError(t, err)
		assert.True(t, ok)
		assert.Equal(t, second, foundNote)
	}
	for range 2 { // without an operation each is another one
		_, err = c.CreateComment(t.Context(), made.ID, ticket.NewComment{Content: "x"})
		require.NoError(t, err)
	}
	all, err := c.ListComments(t.Context(), made.ID)
	require.NoError(t, err)
	ids := map[string]bool{}
	for _, e := range all {
		ids[e.ID] = true
	}
	assert.Len(t, ids, 4)
	_, ok, err = c.RecoverComment(t.Context(), other.ID, comment, ticket.Attempt{})
	require.NoError(t, err)
	assert.False(t, ok, "it is on the other ticket")
	_, _, err = c.RecoverComment(t.Context(), made.ID, ticket.NewComment{}, ticket.Attempt{})
	requireKind(t, ticket.Permanent, err, "no operation")

	_, err = c.PatchTicket(t.Context(), made.ID, ticket.Patch{Status: ptr("Done")})
	require.NoError(t, err)
	comment.UnlessClosedBefore = startOfTime().Add(time.Hour)
	_, err = c.CreateComment(t.Context(), made.ID, comment)
	require.NoError(t, err, "it is there already")
}

func TestPatchNote(t *testing.T) {
	c, clock := newWorld(t, Config{})
	made := c.must(t, ticket.New{})
	note, err := c.CreateNote(t.Context(), made.ID, ticket.NewNote{Title: "t", Content: "c"})
	require.NoError(t, err)
	clock.advance(time.Minute)
	changed := clock.at
	for _, r := range []struct {
		patch          ticket.NotePatch
		title, content string
	}{
		{ticket.NotePatch{Title: ptr("T")}, "T", "c"},
		{ticket.NotePatch{Title: ptr(""), Content: ptr("C")}, "", "C"},
	} {
		after, err := c.PatchNote(t.Context(), made.ID, note.ID, r.patch)
		require.NoError(t, err)
		assert.Equal(t, []string{r.title, r.content}, []string{after.Title, after.Content})
		assert.Equal(t, clock.at, after.UpdatedAt)
	}
	clock.advance(time.Minute)
	after, err := c.PatchNote(t.Context(), made.ID, note.ID, ticket.NotePatch{Content: ptr("C")})
	require.NoError(t, err)
	assert.Equal(t, changed, after.UpdatedAt, "nothing was changed")
	_, err = c.PatchNote(t.Context(), made.ID, note.ID, ticket.NotePatch{Content: ptr(" ")})
	requireKind(t, ticket.Permanent, err, "content: empty")
	comment, err := c.CreateComment(t.Context(), made.ID, ticket.NewComment{Content: "x"})
	require.NoError(t, err)
	_, err = c.PatchNote(t.Context(), made.ID, comment.ID, ticket.NotePatch{})
	requireKind(t, ticket.NotFound, err, "no such note")
	_, err = c.PatchNote(t.Context(), made.ID, note.ID, ticket.NotePatch{Content: ptr("longer than before")})
	require.NoError(t, err)
	c.assertCounted(t)
}

func TestCommentsNeedATicketAndAText(t *testing.T) {
	c, _ := newWorld(t, Config{})
	ctx, made := t.Context(), c.must(t, ticket.New{})
	_, comment := c.CreateComment(ctx, made.ID, ticket.NewComment{Content: " \n"})
	_, note := c.CreateNote(ctx, made.ID, ticket.NewNote{Title: "t"})
	for _, err := range []error{comment, note} {
		requireKind(t, ticket.Permanent, err, "content: empty")
	}
	for _, call := range []func() error{
		func() error { _, err := c.CreateComment(ctx, "gone", ticket.NewComment{Content: "x"}); return err },
		func() error {
			_, _, err := c.RecoverComment(ctx, "gone", ticket.NewComment{Operation: "o"}, ticket.Attempt{})
			return err
		},
		func() error { _, err := c.ListComments(ctx, "gone"); return err },
		func() error { return c.DeleteComment(ctx, "gone", "x") },
		func() error { _, err := c.CreateNote(ctx, "gone", ticket.NewNote{Content: "x"}); return err },
		func() error { _, err := c.ListNotes(ctx, "gone"); return err },
		func() error { _, err := c.PatchNote(ctx, "gone", "x", ticket.NotePatch{}); return err },
		func() error { return c.DeleteNote(ctx, "gone", "x") },
	} {
		requireKind(t, ticket.NotFound, call(), `there is no ticket "gone"`)
	}
}
