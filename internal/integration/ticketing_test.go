package integration

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/simulator/jira"
)

// ticketing makes a call of the unified ticketing API, and wants a status.
func (s *stack) ticketing(t *testing.T, want int, method, path, body string, headers ...string) answer {
	t.Helper()
	a, err := s.call(method, "/v1/ticketing/"+path, strings.NewReader(body), append(headers, "Content-Type", "application/json")...)
	require.NoError(t, err)
	require.Equal(t, want, a.status, "%s %s: %s", method, path, a.text)
	return a
}

// one is the result of an answer that has one.
func one(t *testing.T, a answer) map[string]any {
	t.Helper()
	result, ok := a.body["result"].(map[string]any)
	require.True(t, ok, a.text)
	return result
}

// many is the result of an answer that lists.
func many(t *testing.T, a answer) []any {
	t.Helper()
	result, ok := a.body["result"].([]any)
	require.True(t, ok, a.text)
	return result
}

// The unified ticketing API at Jira, one operator after the other, on the real
// programs.
func TestTicketingAPI(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	t.Run("a ticket's life", s.testTicketLife)
	t.Run("lists", s.testTicketLists)
	t.Run("what is refused", s.testTicketingRefused)
	t.Run("once", s.testWritesOnce)
}

func (s *stack) testTicketLife(t *testing.T) {
	made := one(t, s.ticketing(t, 201, "POST", "tickets", `{"name":"Disk full on srv-001","description":"It is **full**.","priority":"HIGH","tags":["disk"]}`))
	id, _ := made["id"].(string)
	require.NotEmpty(t, id)
	assert.Equal(t, "Disk full on srv-001", made["name"])
	assert.NotEmpty(t, made["created_at"])
	path := "tickets/" + url.PathEscape(id)

	s.ticketing(t, 200, "PATCH", path, `[{"op":"replace","path":"/status","value":"Done"},{"op":"add","path":"/tags/-","value":"more"}]`)
	read := one(t, s.ticketing(t, 200, "GET", path, ""))
	assert.Equal(t, "Done", read["status"])
	assert.ElementsMatch(t, []any{"disk", "more"}, read["tags"])
	assert.Equal(t, "HIGH", read["priority"])

	comment := one(t, s.ticketing(t, 201, "POST", path+"/comments", `{"content":"We look at it.","creator":"anna@acme.example"}`))
	assert.Equal(t, "Creator: anna@acme.example\n\nWe look at it.", comment["content"], "Jira's comments are its own account's")
	note := one(t, s.ticketing(t, 201, "POST", path+"/notes", `{"title":"Cause","content":"A log."}`))
	assert.Equal(t, "Cause", note["title"])
	comments := many(t, s.ticketing(t, 200, "GET", path+"/comments", ""))
	require.Len(t, comments, 1, "a note is no comment")
	notes := many(t, s.ticketing(t, 200, "GET", path+"/notes", ""))
	require.Len(t, notes, 1)
	s.ticketing(t, 200, "PATCH", fmt.Sprintf("%s/notes/%v", path, note["id"]), `[{"op":"replace","path":"/content","value":"A log of 40 GB."}]`)
	assert.Contains(t, s.ticketing(t, 200, "GET", path+"/notes", "").text, "40 GB")
	s.ticketing(t, 200, "DELETE", fmt.Sprintf("%s/notes/%v", path, note["id"]), "")
	s.ticketing(t, 200, "DELETE", fmt.Sprintf("%s/comments/%v", path, comment["id"]), "")
	assert.Empty(t, many(t, s.ticketing(t, 200, "GET", path+"/comments", "")))

	file := one(t, s.ticketing(t, 201, "POST", "attachments/"+id, `{"file_name":"df.txt","content":"L2RldiA5OSU="}`))
	assert.EqualValues(t, 8, file["file_size"])
	require.Len(t, many(t, s.ticketing(t, 200, "GET", "attachments/"+id, "")), 1)
	content := fmt.Sprintf("attachments/%s/%v/download", id, file["id"])
	assert.Equal(t, "L2RldiA5OSU=", one(t, s.ticketing(t, 200, "GET", content, ""))["content"])
	raw := s.ticketing(t, 200, "GET", content, "", "Accept", "application/octet-stream")
	assert.Equal(t, "/dev 99%", raw.text)
	s.ticketing(t, 200, "DELETE", fmt.Sprintf("attachments/%s/%v", id, file["id"]), "")
	assert.Empty(t, many(t, s.ticketing(t, 200, "GET", "attachments/"+id, "")))
}

func (s *stack) testTicketLists(t *testing.T) {
	for n := range 5 {
		s.ticketing(t, 201, "POST", "tickets", fmt.Sprintf(`{"name":"Listed %d","tags":["listed"]}`, n))
	}
	var names []string
	query := url.Values{"filter": {"tags[eq]listed"}, "order": {"created_at[asc]"}, "limit": {"2"}}
	for range 10 {
		page := s.ticketing(t, 200, "GET", "tickets?"+query.Encode(), "")
		for _, each := range many(t, page) {
			ticket, _ := each.(map[string]any)
			names = append(names, fmt.Sprint(ticket["name"]))
		}
		cursor, _ := page.body["cursor"].(string)
		if cursor == "" {
			break
		}
		query.Set("cursor", cursor)
	}
	assert.Equal(t, []string{"Listed 0", "Listed 1", "Listed 2", "Listed 3", "Listed 4"}, names)
	assert.Contains(t, s.ticketing(t, 200, "GET", "projects", "").text, `"OPS"`)
	assert.NotEmpty(t, many(t, s.ticketing(t, 200, "GET", "remote-fields", "")))
}

func (s *stack) testTicketingRefused(t *testing.T) {
	for _, c := range []struct {
		status             int
		method, path, body string
		says               string
	}{
		{404, "GET", "tickets/OPS-99999", "", "OPS-99999"},
		{501, "GET", "escalation-policies", "", "jira cannot do this"},
		{400, "GET", "tickets?filter=" + url.QueryEscape("shoe_size[eq]43"), "", "shoe_size"},
		{400, "POST", "tickets", `{"name":""}`, "/name"},
		{404, "POST", "tickets/OPS-99999/comments", `{"content":"x"}`, ""},
	} {
		a := s.ticketing(t, c.status, c.method, c.path, c.body)
		assert.Contains(t, a.text, c.says)
		assert.EqualValues(t, c.status, a.body["status"], "errors are problems")
		assert.NotEmpty(t, a.body["occurred_at"])
	}
	a, err := s.call("GET", "/v1/ticketing/tickets", nil, "Authorization", "Bearer nobody")
	require.NoError(t, err)
	assert.Equal(t, http.StatusUnauthorized, a.status)
	assert.EqualValues(t, 401, a.body["status"])
}

// A lost answer of Jira, a key that comes again, an equal body after a 2xx.
func (s *stack) testWritesOnce(t *testing.T) {
	require.NoError(t, s.jira.SetFaults(jira.Fault{Kind: jira.DropAfter, Op: "create", Times: 1}))
	lost := one(t, s.ticketing(t, 201, "POST", "tickets", `{"name":"Answer lost"}`))
	assert.Len(t, s.issues()["Answer lost"], 1)
	require.NotEmpty(t, lost["id"])

	first := one(t, s.ticketing(t, 201, "POST", "tickets", `{"name":"Keyed"}`, "Idempotency-Key", "order-7"))
	again := one(t, s.ticketing(t, 201, "POST", "tickets", `{"name":"Keyed"}`, "Idempotency-Key", "order-7"))
	assert.Equal(t, first["id"], again["id"])
	s.ticketing(t, 409, "POST", "tickets", `{"name":"Another"}`, "Idempotency-Key", "order-7")
	assert.Len(t, s.issues()["Keyed"], 1)

	s.ticketing(t, 201, "POST", "tickets", `{"name":"Twice on purpose"}`)
	s.ticketing(t, 201, "POST", "tickets", `{"name":"Twice on purpose"}`)
	assert.Len(t, s.issues()["Twice on purpose"], 2, "after a 2xx an equal body is a new ticket")

	// Jira is away for longer than a caller waits: the write goes on, and a
	// re-post joins it.
	require.NoError(t, s.jira.SetFaults(jira.Fault{Kind: jira.ErrorBefore, Op: "create"}))
	late := s.ticketing(t, 202, "POST", "tickets", `{"name":"Later"}`, "Prefer", "respond-async")
	operation := fmt.Sprint(late.body["id"])
	require.NoError(t, s.jira.SetFaults())
	s.eventually(t, func() bool {
		a := s.ticketing(t, 200, "GET", "operations/"+url.PathEscape(operation), "")
		return a.body["status"] == "ok"
	}, "the write is made")
	assert.Len(t, s.issues()["Later"], 1)
	var made map[string]any
	require.NoError(t, json.Unmarshal([]byte(s.ticketing(t, 200, "GET", "operations/"+url.PathEscape(operation), "").text), &made))
	assert.NotNil(t, made["result"])
}
