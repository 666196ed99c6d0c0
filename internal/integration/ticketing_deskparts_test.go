package integration

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stored is a record as the instance has it.
func (c counter) stored(t *testing.T, id string) map[string]string {
	t.Helper()
	for _, r := range c.sim.Tickets(c.table) {
		if r.ID == id {
			return r.Fields
		}
	}
	require.Fail(t, "no such record", id)
	return nil
}

// testTypedFields: values are stored as their columns want them and answered as
// what they are; one of another type is refused, by its name, before anything is sent.
func (c counter) testTypedFields(t *testing.T) {
	made, err := c.createTicket(t.Context(), map[string]any{"name": "Typed", "custom_fields": map[string]any{
		"begin": "2026-01-02T03:04:05+01:00", "machines": 5, "floor": "Basement", "u_outage": true, "u_load": 2.50, "u_day": "2026-03-04", "u_owner": "mia@acme.example",
	}})
	require.NoError(t, err)
	for name, want := range map[string][2]any{ // answered, stored
		"begin": {"2026-01-02T02:04:05Z", "2026-01-02 02:04:05"}, "machines": {5.0, "5"}, "floor": {"Basement", "b1"},
	} {
		assert.Equal(t, want[0], made.CustomFields[name], name)
		assert.Equal(t, want[1], c.stored(t, made.ID)["u_"+name], name)
	}
	for name, want := range map[string]any{"u_outage": true, "u_load": 2.5, "u_day": "2026-03-04", "u_owner": "Mia Krystof"} {
		assert.Equal(t, want, made.Unmapped[name], name)
	}
	patched, err := c.patchTicket(t.Context(), made.ID, patchOp{Op: "test", Path: "/custom_fields/begin", Value: "2026-01-02T02:04:05Z"},
		replace("/custom_fields/begin", "2026-01-03 00:00:00"), replace("/custom_fields/machines", "7"), patchOp{Op: "remove", Path: "/custom_fields/floor"}, replace("/custom_fields/u_outage", false))
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"begin": "2026-01-03T00:00:00Z", "machines": 7.0}, patched.CustomFields)
	assert.Equal(t, false, patched.Unmapped["u_outage"])

	before := len(c.sim.Tickets(c.table))
	for name, wrong := range map[string]struct {
		value any
		want  string
	}{
		"machines": {"many", "want a whole number"}, "begin": {"soon", "want a time like 2026-03-04T12:00:00Z"}, "floor": {"Attic", "want one of"}, "site": {map[string]any{"a": 1}, "want a text"},
		"u_machines": {5.5, "a whole number"}, "u_outage": {"perhaps", "want true or false"}, "u_load": {true, "want a number"}, "u_day": {"4.3.", "want a date like"},
		"server": {"srv-002", "leads through a reference"}, "nothing": {"x", "custom_field_mappings of integration snow-"}, "correlation_id": {"x", "set by the platform"},
	} {
		_, err := c.createTicket(t.Context(), map[string]any{"name": "Wrong " + name, "custom_fields": map[string]any{name: wrong.value}})
		p := refusal(t, http.StatusBadRequest, err).Problem
		require.NotNil(t, p.Detail, name)
		assert.Contains(t, *p.Detail, "custom_fields."+name)
		assert.Contains(t, *p.Detail, wrong.want)
		_, err = c.patchTicket(t.Context(), made.ID, patchOp{Op: "add", Path: "/custom_fields/" + name, Value: wrong.value})
		assert.Contains(t, *refusal(t, http.StatusBadRequest, err).Problem.Detail, wrong.want)
	}
	assert.Len(t, c.sim.Tickets(c.table), before)
}

// testJournals: comments and notes keep their texts and stay apart; those of agents
// are seen with who wrote them; what is deleted is gone, and of no other ticket.
func (c counter) testJournals(t *testing.T) {
	made := c.create(t, 0, map[string]any{"name": "Talked about"})
	other := c.create(t, 0, map[string]any{"name": "Another"})
	texts := []string{"We look at **it**.", "line one\nline two\n\n- a list", `"quoted" ^ORx=y <b>&amp;</b> ünï`}
	for _, text := range texts {
		comment, err := c.createComment(t.Context(), made.ID, text)
		require.NoError(t, err)
		assert.Equal(t, []string{text, made.ID}, []string{comment.Content, comment.TicketID})
	}
	note, err := c.createNote(t.Context(), made.ID, "Cause", "A log.\n\nOf 40 GB.")
	require.NoError(t, err)
	assert.Equal(t, []string{"Cause", "A log.\n\nOf 40 GB."}, []string{note.Title, note.Content})
	require.NoError(t, c.sim.WriteByAgent(made.ID, "comments", "I am on it."))
	require.NoError(t, c.sim.WriteByAgent(made.ID, "work_notes", "He is not."))

	comments, err := c.listComments(t.Context(), made.ID)
	require.NoError(t, err)
	var said, by []string
	for _, each := range comments {
		said, by = append(said, each.Content), append(by, each.Creator)
	}
	assert.Equal(t, append(texts, "I am on it."), said, "oldest first, without the notes and our marks")
	assert.Equal(t, []string{"bridge", "bridge", "bridge", "mia.krystof"}, by)
	notes, err := c.listNotes(t.Context(), made.ID)
	require.NoError(t, err)
	require.Len(t, notes, 2)
	assert.Equal(t, note, notes[0])
	assert.Equal(t, []string{"Work note", "He is not.", "mia.krystof"}, []string{notes[1].Title, notes[1].Content, notes[1].Creator})

	refusal(t, http.StatusNotFound, c.deleteComment(t.Context(), other.ID, comments[0].ID))
	refusal(t, http.StatusNotFound, c.deleteComment(t.Context(), made.ID, note.ID))
	refusal(t, http.StatusNotFound, c.deleteNote(t.Context(), made.ID, comments[0].ID))
	require.NoError(t, c.deleteNote(t.Context(), made.ID, note.ID))
	require.NoError(t, c.deleteComment(t.Context(), made.ID, comments[3].ID))
	assert.Len(t, c.sim.Journal(made.ID), 4)
	for _, empty := range []string{"", " \n"} {
		_, err = c.createComment(t.Context(), made.ID, empty)
		assert.Contains(t, *refusal(t, http.StatusBadRequest, err).Problem.Detail, "content")
	}
}

// testFiles: a file comes back as it was sent, whatever is in it and in its name.
func (c counter) testFiles(t *testing.T) {
	made := c.create(t, 0, map[string]any{"name": "With files"})
	files := map[string][]byte{"a b (2) &c.txt": []byte("plain"), "ünï.bin": pattern(megabyte), "empty.txt": {}}
	for name, content := range files {
		file, err := c.createAttachment(t.Context(), made.ID, name, content)
		require.NoError(t, err, name)
		assert.Equal(t, []string{name, made.ID}, []string{file.FileName, file.TicketID})
		require.NotNil(t, file.FileSize, name)
		assert.Equal(t, len(content), *file.FileSize)
		got, err := c.downloadAttachment(t.Context(), made.ID, file.ID)
		require.NoError(t, err, name)
		assert.Equal(t, string(content), string(got.Content), name)
	}
	listed, err := c.listAttachments(t.Context(), made.ID)
	require.NoError(t, err)
	require.Len(t, listed, len(files))
	other := c.create(t, 0, map[string]any{"name": "Without files"})
	_, err = c.downloadAttachment(t.Context(), other.ID, listed[0].ID)
	refusal(t, http.StatusNotFound, err)
	refusal(t, http.StatusNotFound, c.deleteAttachment(t.Context(), other.ID, listed[0].ID))
	require.NoError(t, c.deleteAttachment(t.Context(), made.ID, listed[0].ID))
	assert.Len(t, c.sim.Attachments(made.ID), len(files)-1)
}
