package servicenow

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/servicenow"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

var (
	_ ticketing.CommentDeleter = (*Client)(nil)
	_ ticketing.NoteDeleter    = (*Client)(nil)
)

// Journals are append-only: nothing is said to edit their entries.
func TestNotesAreNotEdited(t *testing.T) {
	_, can := any((*Client)(nil)).(ticketing.NotePatcher)
	assert.False(t, can)
}

// withEntries is a world with a ticket that has a comment and a work note, and
// another ticket with a comment.
func withEntries(t *testing.T) (w *world, one ticket.Ticket, comment, note, elsewhere string) {
	w = newWorld(t)
	ctx := context.Background()
	one = w.create(newTicket(1))
	other := w.create(newTicket(2))
	first, err := w.client.CreateComment(ctx, one.ID, ticket.NewComment{Content: "a secret", Operation: "1"})
	require.NoError(t, err)
	second, err := w.client.CreateNote(ctx, one.ID, ticket.NewNote{Title: "T", Content: "x", Operation: "2"})
	require.NoError(t, err)
	third, err := w.client.CreateComment(ctx, other.ID, ticket.NewComment{Content: "y", Operation: "3"})
	require.NoError(t, err)
	return w, one, first.ID, second.ID, third.ID
}

func TestEntriesAreDeletedWhereTheAccountMay(t *testing.T) {
	w, one, comment, note, elsewhere := withEntries(t)
	w.sim.AllowDelete("sys_journal_field", true)
	ctx := context.Background()
	for id, what := range map[string]string{note: "a work note", elsewhere: "another ticket's", strings.Repeat("f", 32): "nobody's", "x^NQ": "no id"} {
		assert.Equal(t, ticket.NotFound, kindOf(t, w.client.DeleteComment(ctx, one.ID, id)), what)
	}
	assert.Equal(t, ticket.NotFound, kindOf(t, w.client.DeleteNote(ctx, one.ID, comment)), "a comment")
	assert.Len(t, w.sim.Journal(one.ID), 2)
	require.NoError(t, w.client.DeleteComment(ctx, one.Key, comment))
	require.NoError(t, w.client.DeleteNote(ctx, one.ID, note))
	assert.Empty(t, w.sim.Journal(one.ID))
	assert.Equal(t, ticket.NotFound, kindOf(t, w.client.DeleteComment(ctx, one.ID, comment)), "it is gone")
}

// A right that is missing for this one operation is a refusal that names it. An
// error that is waited for would hold the write for ever, and show the integration
// as not working.
func TestAMissingRightToDeleteIsARefusal(t *testing.T) {
	w, one, comment, note, _ := withEntries(t)
	ctx := context.Background()
	for _, err := range []error{w.client.DeleteComment(ctx, one.ID, comment), w.client.DeleteNote(ctx, one.ID, note)} {
		assert.Equal(t, ticket.Permanent, kindOf(t, err))
		assert.ErrorContains(t, err, "lacks the right to delete records of sys_journal_field")
		assert.ErrorContains(t, err, "administrators")
	}
	w.sim.AllowDelete("sys_journal_field", true)
	w.fail(sim.Fault{Kind: sim.ErrorBefore, Op: "erase", Status: 404})
	err := w.client.DeleteComment(ctx, one.ID, comment)
	assert.Equal(t, ticket.Permanent, kindOf(t, err), "a 404 that means a right")
	assert.ErrorContains(t, err, "keeps the entry")
	w.fail(sim.Fault{Kind: sim.ErrorBefore, Op: "erase", Status: 401})
	assert.Equal(t, ticket.Credentials, kindOf(t, w.client.DeleteComment(ctx, one.ID, comment)), "that is another matter")
	assert.Len(t, w.sim.Journal(one.ID), 2)
}

// Blindness is never taken for "gone": whoever repeats a deletion would report it
// as done.
func TestAnEntryThatCannotBeSeenIsNotGone(t *testing.T) {
	for name, blind := range map[string]func(*world){
		"refused": func(w *world) { w.sim.Deny("sys_journal_field") }, "answered with nothing": func(w *world) { w.sim.HideRows("sys_journal_field") },
		"nor counted": func(w *world) {
			w.sim.HideRows("sys_journal_field")
			w.sim.Change(func(o *sim.Options) { o.CountsVisible = true })
		},
		"the query is ignored": func(w *world) { w.sim.RemoveColumn("sys_journal_field", "sys_id") },
	} {
		w, one, comment, _, _ := withEntries(t)
		w.sim.AllowDelete("sys_journal_field", true)
		blind(w)
		err := w.client.DeleteComment(context.Background(), one.ID, comment)
		assert.NotEqual(t, ticket.NotFound, kindOf(t, err), name)
		assert.ErrorContains(t, err, "sys_journal_field", name)
		assert.Len(t, w.sim.Journal(one.ID), 2, name)
	}
	w, one, _, _, _ := withEntries(t)
	err := w.client.DeleteComment(context.Background(), one.ID, refOf("1"))
	assert.Equal(t, ticket.Permanent, kindOf(t, err), "the stand-in id of an entry that could not be read")
}

// A deletion whose answer was lost is made again, which is harmless, and one that
// was only said to be done is none.
func TestALostDeletionIsRepeated(t *testing.T) {
	for _, fault := range []sim.Fault{{Kind: sim.DropAfter}, {Kind: sim.ErrorAfter}, {Kind: sim.DropBefore}, {Kind: sim.Queued}, {Kind: sim.ErrorBefore}} {
		w, one, comment, _, _ := withEntries(t)
		w.sim.AllowDelete("sys_journal_field", true)
		fault.Op, fault.Times = "erase", 1
		w.fail(fault)
		err := w.client.DeleteComment(context.Background(), one.ID, comment)
		require.Equal(t, ticket.Retry, kindOf(t, err), "%s: %v", fault.Kind, err)
		err = w.client.DeleteComment(context.Background(), one.ID, comment)
		if fault.Kind == sim.DropAfter || fault.Kind == sim.ErrorAfter {
			assert.Equal(t, ticket.NotFound, kindOf(t, err), fault.Kind)
		} else {
			assert.NoError(t, err, fault.Kind)
		}
		assert.Len(t, w.sim.Journal(one.ID), 1)
	}
	w, one, comment, _, _ := withEntries(t)
	w.sim.AllowDelete("sys_journal_field", true)
	w.fail(sim.Fault{Kind: sim.Pretends, Op: "erase"})
	err := w.client.DeleteComment(context.Background(), one.ID, comment)
	assert.Equal(t, ticket.Permanent, kindOf(t, err))
	assert.ErrorContains(t, err, "keeps the entry")
}
