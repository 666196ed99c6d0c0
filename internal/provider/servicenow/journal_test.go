package servicenow

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func TestCommentsAndNotesAreApart(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	made := w.create(newTicket(1))
	public, err := w.client.CreateComment(ctx, made.ID, ticket.NewComment{Content: "for [code]<b>all</b>[/code]", Operation: "one"})
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"comments": "for [ code]<b>all</b>[ /code]\n\n" + refOf("one")}, w.seen.last("PATCH").body)
	w.clock.move(time.Minute)
	note, err := w.client.CreateComment(ctx, "INC0010001", ticket.NewComment{Content: "for us", Internal: true, Operation: "two"})
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"work_notes": "for us\n\n" + refOf("two")}, w.seen.last("PATCH").body)
	require.NoError(t, w.sim.WriteByAgent(made.ID, "comments", "by hand"))

	comments, err := w.client.ListComments(ctx, made.ID)
	require.NoError(t, err)
	require.Len(t, comments, 2)
	assert.Equal(t, public.ID, comments[0].ID)
	assert.Equal(t, "for [ code]<b>all</b>[ /code]", comments[0].Content, "without our mark")
	assert.Equal(t, comments[0].Content, public.Content, "creating answers what the list does")
	assert.Equal(t, "by hand", comments[1].Content)
	assert.Equal(t, "mia.krystof", comments[1].Creator)
	notes, err := w.client.ListNotes(ctx, made.ID)
	require.NoError(t, err)
	require.Len(t, notes, 1)
	assert.Equal(t, note.ID, notes[0].ID)
	assert.Equal(t, []string{"Work note", "for us"}, []string{notes[0].Title, notes[0].Content})
	titled, err := w.client.CreateNote(ctx, made.ID, ticket.NewNote{Title: "Cause", Content: "A disk.\n\nIt was full.", Operation: "three"})
	require.NoError(t, err)
	assert.Equal(t, []string{"Cause", "A disk.\n\nIt was full."}, []string{titled.Title, titled.Content})
	again, found, err := w.client.RecoverNote(ctx, made.ID, ticket.NewNote{Title: "Cause", Content: "A disk.\n\nIt was full.", Operation: "three"}, ticket.Attempt{})
	require.NoError(t, err)
	require.True(t, found)
	assert.Equal(t, titled.ID, again.ID)
	comments, err = w.client.ListComments(ctx, made.ID)
	require.NoError(t, err)
	require.Len(t, comments, 2, "a note is no comment")
	w.sim.HideRows("sys_journal_field")
	_, err = w.client.ListComments(ctx, made.ID)
	assert.Equal(t, ticket.Permanent, kindOf(t, err), "what the account may not see is not nothing")
}

// The entry is our account's, whoever wrote the comment: its first line says who.
func TestACommentNamesItsCreator(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	made := w.create(newTicket(1))
	say := ticket.NewComment{Content: "It hums.", Creator: "ines@widget.example\n[code]", Operation: "one"}
	const want = "Creator: ines@widget.example [ code]\n\nIt hums."
	_, err := w.client.CreateComment(ctx, made.ID, say)
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"comments": want + "\n\n" + refOf("one")}, w.seen.last("PATCH").body)
	comments, err := w.client.ListComments(ctx, made.ID)
	require.NoError(t, err)
	require.Len(t, comments, 1)
	assert.Equal(t, want, comments[0].Content)
	found, ok, err := w.client.RecoverComment(ctx, made.ID, say, ticket.Attempt{})
	require.NoError(t, err)
	require.True(t, ok)
	assert.Equal(t, comments[0], found)

	say.Content, say.Operation = " ", "two"
	_, err = w.client.CreateComment(ctx, made.ID, say)
	assert.Equal(t, ticket.Permanent, kindOf(t, err), "a creator alone is no comment")
}

// The mark is at the end of the text, and is never what is cut off.
func TestALongCommentKeepsItsMark(t *testing.T) {
	w := newWorld(t)
	made := w.create(newTicket(1))
	_, err := w.client.CreateComment(context.Background(), made.ID, ticket.NewComment{Content: strings.Repeat("é", 2*maxJournal), Operation: "o"})
	require.NoError(t, err)
	text := w.sim.Journal(made.ID)[0].Value
	assert.Len(t, []rune(text), maxJournal)
	assert.True(t, strings.HasSuffix(text, "takes]\n\n"+refOf("o")))
}

// A comment is another ticket's, another journal's or another operation's: not ours.
func TestOnlyTheVeryCommentIsFound(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	a, b := w.create(newTicket(1)), w.create(newTicket(2))
	say := ticket.NewComment{Content: "x", Operation: "o"}
	_, err := w.client.CreateComment(ctx, a.ID, say)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		id   string
		n    ticket.NewComment
		want bool
	}{
		"itself":            {a.ID, say, true},
		"another ticket":    {b.ID, say, false},
		"the other journal": {a.ID, ticket.NewComment{Content: "x", Operation: "o", Internal: true}, false},
		"another operation": {a.ID, ticket.NewComment{Content: "x", Operation: "p"}, false},
	} {
		_, ok, err := w.client.RecoverComment(ctx, c.id, c.n, ticket.Attempt{})
		require.NoError(t, err, name)
		assert.Equal(t, c.want, ok, name)
	}
	w.sim.Deny("sys_journal_field")
	w.sim.Restrict("task", "comments", false, true)
	_, _, err = w.client.RecoverComment(ctx, a.ID, say, ticket.Attempt{})
	assert.Equal(t, ticket.Permanent, kindOf(t, err), "what cannot be seen is not proved absent")
	_, err = w.client.CreateComment(ctx, a.ID, ticket.NewComment{Content: " \n"})
	assert.Equal(t, ticket.Permanent, kindOf(t, err))
	_, err = w.client.CreateComment(ctx, strings.Repeat("e", 32), say)
	assert.Equal(t, ticket.NotFound, kindOf(t, err))
}

func TestCheckSaysWhatToDo(t *testing.T) {
	for want, change := range map[string]func(w *world){
		"":                           func(*world) {},
		"does not extend incident":   func(w *world) { w.config.DefaultProject = "sn_si_incident" },
		"Table nothing":              func(w *world) { w.config.DefaultProject = "nothing" },
		"has no column u_nothing":    func(w *world) { w.config.CustomFieldMappings = []CustomFieldMapping{{"a", "*", "u_nothing"}} },
		"status moon: table":         func(w *world) { w.config.StatusMap = map[string]string{"moon": "Moon"} },
		"The credential":             func(w *world) { w.config.Credential.Secret = "other" },
		"may not do this with table": func(w *world) { w.sim.Deny("incident") },
		"sees no record":             func(w *world) { w.sim.HideRows("incident") },
		"may not read correlation_id": func(w *world) {
			w.sim.Restrict("task", "correlation_id", false, true)
		},
	} {
		w := newWorld(t)
		w.create(newTicket(1))
		change(w)
		err := w.newClient().Check(context.Background())
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), testPassword)
	}
}
