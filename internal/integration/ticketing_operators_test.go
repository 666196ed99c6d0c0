package integration

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/simulator/servicenow"
)

// oddProject makes ids that a path cannot hold as they are.
const oddProject = "R&D/50% off?"

// All 19 operators at the test provider, for a ticket whose id has a slash, a
// space, a percent sign and more.
func TestTheConnectorsClientAtTheTestProvider(t *testing.T) {
	t.Parallel()
	s := startTry(t, "    custom_field_mappings: [{name: site, project_id: \"*\", provider_field_path: affected_site}]\n", options{})
	c := s.connector(1)
	made, err := c.createTicket(t.Context(), map[string]any{
		"name": "Disk full", "project": oddProject, "priority": "HIGH", "status": "Open", "tags": []string{"disk"},
		"due_date": "2026-05-06T07:08:09.5+02:00", "custom_fields": map[string]any{"site": "Lyon"},
	})
	require.NoError(t, err)
	key, ok := made.Unmapped["key"].(string)
	require.True(t, ok)
	require.Equal(t, oddProject+"-1", key)

	// Every operator on a ticket takes its id, odd or not.
	for _, id := range []string{key, made.ID} {
		read, err := c.getTicket(t.Context(), id)
		require.NoError(t, err)
		assert.Equal(t, made.ID, read.ID)
		assert.Equal(t, "Lyon", read.CustomFields["site"])
		require.NotNil(t, read.DueDate)
		c.testWrites(t, id)
	}
	c.testLists(t, made.ID)
	c.testPolicies(t)
	for _, id := range []string{"no/such ticket", "100%", "%2F", "a/b/comments", "?#"} {
		_, err := c.getTicket(t.Context(), id)
		assert.Contains(t, *refusal(t, http.StatusNotFound, err).Problem.Detail, id)
		_, err = c.patchTicket(t.Context(), id, replace("/status", "Done"))
		refusal(t, http.StatusNotFound, err)
		refusal(t, http.StatusNotFound, c.deleteComment(t.Context(), made.ID, id))
	}
}

// testWrites changes a ticket by every operator that does, and reads it back.
func (c *connector) testWrites(t *testing.T, id string) {
	t.Helper()
	patched, err := c.patchTicket(t.Context(), id, replace("/description", "It is **full** ("+id+")."),
		patchOp{Op: "test", Path: "/name", Value: "Disk full"}, patchOp{Op: "add", Path: "/tags/-", Value: "more"})
	require.NoError(t, err)
	require.NotNil(t, patched.Description)
	assert.Equal(t, "It is **full** ("+id+").", *patched.Description)
	assert.Contains(t, patched.Tags, "more")

	comment, err := c.createComment(t.Context(), id, "We look at 100% of "+id)
	require.NoError(t, err)
	comments, err := c.listComments(t.Context(), id)
	require.NoError(t, err)
	assert.Contains(t, comments, comment)
	require.NoError(t, c.deleteComment(t.Context(), id, comment.ID))

	note, err := c.createNote(t.Context(), id, "Cause", "A log.")
	require.NoError(t, err)
	note, err = c.patchNote(t.Context(), id, note.ID, replace("/content", "A log of 40 GB."), replace("/title", "Reason"))
	require.NoError(t, err)
	assert.Equal(t, []string{"Reason", "A log of 40 GB."}, []string{note.Title, note.Content})
	notes, err := c.listNotes(t.Context(), id)
	require.NoError(t, err)
	assert.Contains(t, notes, note)
	require.NoError(t, c.deleteNote(t.Context(), id, note.ID))
	notes, err = c.listNotes(t.Context(), id)
	require.NoError(t, err)
	assert.Empty(t, notes)

	file, err := c.createAttachment(t.Context(), id, "df -h 100%.txt", []byte("/dev 99%"))
	require.NoError(t, err)
	files, err := c.listAttachments(t.Context(), id)
	require.NoError(t, err)
	assert.Contains(t, files, file)
	content, err := c.downloadAttachment(t.Context(), id, file.ID)
	require.NoError(t, err)
	assert.Equal(t, "/dev 99%", string(content.Content))
	require.NoError(t, c.deleteAttachment(t.Context(), id, file.ID))
	_, err = c.downloadAttachment(t.Context(), id, file.ID)
	refusal(t, http.StatusNotFound, err)
}

// testLists finds a ticket by the connector's filters, as they are encoded.
func (c *connector) testLists(t *testing.T, id string) {
	t.Helper()
	_, err := c.createTicket(t.Context(), map[string]any{"name": "Another"})
	require.NoError(t, err)
	page, err := c.queryTickets(t.Context(), url.Values{
		"filter": {"project[eq]" + oddProject, `status[in]"Open",Done`, "tags[in]disk", "custom_fields.site[eq]Lyon"},
		"order":  {"created_at[desc]", "name"}, "limit": {"10"},
	})
	require.NoError(t, err)
	require.Len(t, page.Result, 1)
	assert.Equal(t, id, page.Result[0].ID)
	assert.Empty(t, page.Cursor)

	seen := map[string]int{}
	q := url.Values{"limit": {"1"}}
	for range 10 {
		page, err := c.listProjects(t.Context(), q)
		require.NoError(t, err)
		for _, p := range page.Result {
			seen[p.ID]++
		}
		if page.Cursor == "" {
			break
		}
		q.Set("cursor", page.Cursor)
	}
	assert.Equal(t, map[string]int{"DEMO": 1, "HELP": 1, "OPS": 1, oddProject: 1}, seen)
	fields, err := c.listRemoteFields(t.Context())
	require.NoError(t, err)
	assert.NotEmpty(t, fields)
}

func (c *connector) testPolicies(t *testing.T) {
	t.Helper()
	page, err := c.queryEscalationPolicies(t.Context(), url.Values{"filter": {"name[like]Oper*"}, "limit": {"1"}})
	require.NoError(t, err)
	require.Len(t, page.Result, 1)
	for _, rule := range page.Result[0].Rules {
		for _, actor := range rule.Actors {
			checkActor(t, actor)
		}
	}
	onCall, err := c.listOnCall(t.Context(), page.Result[0].ID)
	require.NoError(t, err)
	assert.NotEmpty(t, onCall)
	_, err = c.listOnCall(t.Context(), "no such/policy 1%")
	refusal(t, http.StatusNotFound, err)
}

// What Jira can do, and what it cannot.
func TestTheConnectorsClientAtJira(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	c := s.connector(1)
	made, err := c.createTicket(t.Context(), map[string]any{"name": "Disk full", "priority": "HIGH", "tags": []string{"disk"}})
	require.NoError(t, err)
	c.testWarnings(t)
	c.testWrites(t, made.ID)
	c.testWrites(t, s.issues()["Disk full"][0].Key)
	page, err := c.queryTickets(t.Context(), url.Values{"filter": {`status[eq]"To Do"`, "project[eq]OPS", "tags[in]disk,other"}})
	require.NoError(t, err)
	require.Len(t, page.Result, 1)
	projects, err := c.listProjects(t.Context(), nil)
	require.NoError(t, err)
	assert.NotEmpty(t, projects.Result)
	fields, err := c.listRemoteFields(t.Context())
	require.NoError(t, err)
	assert.NotEmpty(t, fields)
	for _, id := range []string{"OPS-1/comment", "OPS 1", "100%", "../myself"} {
		_, err = c.getTicket(t.Context(), id)
		assert.Contains(t, *refusal(t, http.StatusNotFound, err).Problem.Detail, id)
		_, err = c.createComment(t.Context(), id, "hello")
		refusal(t, http.StatusNotFound, err)
	}
	assert.Zero(t, s.jira.Stats().Requests["myself"], "no id leads elsewhere")

	_, err = c.queryEscalationPolicies(t.Context(), nil)
	c.notSupported(t, "integration jira-ops", err)
	_, err = c.listOnCall(t.Context(), "policy-1")
	c.notSupported(t, "integration jira-ops", err)
}

// testWarnings: a ticket is made without what the provider does not know, and the
// answer says so.
func (c *connector) testWarnings(t *testing.T) {
	t.Helper()
	text, err := c.call(t.Context(), http.MethodPost, "/v1/ticketing/tickets", nil, map[string]any{"name": "Nobody's", "assignee": "nobody@nowhere.example"})
	require.NoError(t, err)
	var answer struct {
		Result   ticketShape
		Messages struct{ Problems []json.RawMessage }
	}
	require.NoError(t, json.Unmarshal(text, &answer))
	assert.NotEmpty(t, answer.Result.ID)
	require.Len(t, answer.Messages.Problems, 1, string(text))
	var p problemShape
	require.NoError(t, decodeShape(answer.Messages.Problems[0], &p))
	assert.Equal(t, http.StatusOK, p.Status)
	require.NotNil(t, p.Detail)
	assert.Contains(t, *p.Detail, "assignee")
}

// notSupported: the connector's answer to an operator that a provider has not.
func (c *connector) notSupported(t *testing.T, integration string, err error) {
	t.Helper()
	p := refusal(t, http.StatusNotImplemented, err).Problem
	assert.Equal(t, http.StatusText(http.StatusNotImplemented), p.Message)
	require.NotNil(t, p.Detail)
	assert.Contains(t, *p.Detail, integration)
	assert.True(t, strings.HasPrefix(p.Instance, "urn:request:"), p.Instance)
}

// What ServiceNow can do in both of its applications, and what it cannot: a write
// is then refused as a read is.
func TestTheConnectorsClientAtServiceNow(t *testing.T) {
	t.Parallel()
	for _, d := range desks() {
		t.Run(d.table, func(t *testing.T) {
			t.Parallel()
			s, d := startDesk(t, d, servicenow.Options{}, options{})
			d.AllowDelete("sys_journal_field", true)
			s.connector(1).testDesk(t)
			s.connector(1).testDeskParts(t, d.table)
			s.connector(2).testNotThere(t)
		})
	}
}

func (c *connector) testDesk(t *testing.T) {
	made, err := c.createTicket(t.Context(), map[string]any{"name": "Disk full", "priority": "HIGH", "description": "It is full."})
	require.NoError(t, err)
	c.testWarnings(t)
	patched, err := c.patchTicket(t.Context(), made.ID, replace("/description", "It is empty."))
	require.NoError(t, err)
	read, err := c.getTicket(t.Context(), made.ID)
	require.NoError(t, err)
	assert.Equal(t, patched.Description, read.Description)
	_, err = c.createComment(t.Context(), made.ID, "We look at it.")
	require.NoError(t, err)
	_, err = c.createNote(t.Context(), made.ID, "Cause", "A log.")
	require.NoError(t, err)
	comments, err := c.listComments(t.Context(), made.ID)
	require.NoError(t, err)
	assert.Len(t, comments, 1)
	notes, err := c.listNotes(t.Context(), made.ID)
	require.NoError(t, err)
	assert.Len(t, notes, 1)
	for _, id := range []string{"INC 1/2", "100%", "../sys_user"} {
		_, err = c.getTicket(t.Context(), id)
		assert.Contains(t, *refusal(t, http.StatusNotFound, err).Problem.Detail, id)
		_, err = c.createComment(t.Context(), id, "hello")
		refusal(t, http.StatusNotFound, err)
	}
}

// testDeskParts: lists, files and deletions.
func (c *connector) testDeskParts(t *testing.T, table string) {
	made, err := c.createTicket(t.Context(), map[string]any{"name": "Fan is loud", "priority": "LOW", "tags": []string{"fan"}})
	require.NoError(t, err)
	page, err := c.queryTickets(t.Context(), url.Values{
		"filter": {`name[like]"loud"`, "project[eq]" + table, "priority[in]LOW,PLANNING", "created_at[gt]2026-01-01T00:00:00Z"}, "order": {"created_at[desc]"},
	})
	require.NoError(t, err)
	require.Len(t, page.Result, 1)
	assert.Equal(t, made.ID, page.Result[0].ID)
	none, err := c.queryTickets(t.Context(), url.Values{"filter": {"name[eq]x^ORname!=x"}})
	require.NoError(t, err)
	assert.Empty(t, none.Result, "a value adds no condition")
	projects, err := c.listProjects(t.Context(), nil)
	require.NoError(t, err)
	require.NotEmpty(t, projects.Result)
	assert.Equal(t, table, projects.Result[0].ID)
	fields, err := c.listRemoteFields(t.Context())
	require.NoError(t, err)
	assert.NotEmpty(t, fields)

	file, err := c.createAttachment(t.Context(), made.ID, "noise 1/2.txt", []byte("bzzz"))
	require.NoError(t, err)
	files, err := c.listAttachments(t.Context(), made.ID)
	require.NoError(t, err)
	require.Len(t, files, 1)
	content, err := c.downloadAttachment(t.Context(), made.ID, file.ID)
	require.NoError(t, err)
	assert.Equal(t, "bzzz", string(content.Content))
	require.NoError(t, c.deleteAttachment(t.Context(), made.ID, file.ID))
	comment, err := c.createComment(t.Context(), made.ID, "We oil it.")
	require.NoError(t, err)
	require.NoError(t, c.deleteComment(t.Context(), made.ID, comment.ID))
	comments, err := c.listComments(t.Context(), made.ID)
	require.NoError(t, err)
	assert.Empty(t, comments)
}

// testNotThere: the library sends a 501 again; that must do no harm.
func (c *connector) testNotThere(t *testing.T) {
	_, err := c.listOnCall(t.Context(), "policy/1 of 2")
	c.notSupported(t, "integration snow-ops", err)
	_, err = c.queryEscalationPolicies(t.Context(), nil)
	c.notSupported(t, "integration snow-ops", err)
	_, err = c.patchNote(t.Context(), "INC 1/2", "100%", replace("/content", "x"))
	c.notSupported(t, "integration snow-ops", err)
	assert.Equal(t, []int{501, 501}, c.sent)
}
