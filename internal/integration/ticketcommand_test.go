package integration

import (
	"bytes"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/simulator/jira"
	"github.com/ticketbridge/ticketbridge/internal/simulator/servicenow"
)

// ticket runs `starter ticket`, and wants a status.
func (s *stack) ticket(t *testing.T, want int, args ...string) string {
	t.Helper()
	out, status := s.starter(append([]string{"ticket"}, args...)...)
	require.Equal(t, want, status, "%v: %s", args, out)
	return out
}

// ticketJSON is the result of a `starter ticket` command.
func (s *stack) ticketJSON(t *testing.T, args ...string) map[string]any {
	t.Helper()
	var answer struct {
		Result map[string]any `json:"result"`
	}
	out := s.ticket(t, 0, append(args, "-o", "json")...)
	require.NoError(t, json.Unmarshal([]byte(out), &answer), out)
	return answer.Result
}

// text is a member of a result.
func text(t *testing.T, result map[string]any, member string) string {
	t.Helper()
	value, ok := result[member].(string)
	require.True(t, ok, "%s of %v", member, result)
	return value
}

// The commands at Jira: reads go to it from the command itself, writes through
// Temporal, and serve is needed for none of them.
func TestTicketCommandsAtJira(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	require.True(t, s.serve.stop(soon), "serve ends when it is asked to")
	made := s.ticketJSON(t, "create", "--name", "Disk full on srv-001", "--priority", "high", "--tag", "disk", "--description", "It is **full**.", "--due", "2030-01-02")
	id := text(t, made, "id")
	issue := s.issues()["Disk full on srv-001"][0]
	assert.Equal(t, issue.ID, id)

	shown := s.ticket(t, 0, "get", issue.Key)
	assert.Contains(t, shown, issue.Key+"  Disk full on srv-001\n")
	assert.Contains(t, shown, "It is **full**.")
	for member, value := range map[string]string{"priority": "HIGH", "due": "2030-01-02", "link": s.jiraURL + "/browse/" + issue.Key} {
		assert.Len(t, lines(shown, member, value), 1, "%s: %s", member, shown)
	}
	assert.Len(t, lines(s.ticket(t, 0, "patch", issue.Key, "--status", "Done", "--set", "tags/-=more"), "status", "Done"), 1)
	assert.Equal(t, "Done", s.issues()["Disk full on srv-001"][0].Status)

	comment := text(t, s.ticketJSON(t, "comment", "add", issue.Key, "We look at it."), "id")
	note := text(t, s.ticketJSON(t, "note", "add", issue.Key, "--title", "Cause", "A log."), "id")
	assert.Contains(t, s.ticket(t, 0, "note", "patch", issue.Key, note, "--content", "A log of 40 GB."), "40 GB")
	assert.Contains(t, s.ticket(t, 0, "comment", "list", issue.Key), "We look at it.")
	assert.Contains(t, s.ticket(t, 0, "note", "list", issue.Key), "Cause")
	assert.Equal(t, "deleted\n", s.ticket(t, 0, "note", "delete", issue.Key, note))
	assert.Equal(t, "deleted\n", s.ticket(t, 0, "comment", "delete", issue.Key, comment))
	assert.Equal(t, "none\n", s.ticket(t, 0, "comment", "list", issue.Key))

	content := bytes.Repeat([]byte("0123456789abcdef"), 1<<16) // the most that is attached durably
	in, out := filepath.Join(s.dir, "df.bin"), filepath.Join(s.dir, "out.bin")
	require.NoError(t, os.WriteFile(in, content, 0o600))
	file := text(t, s.ticketJSON(t, "attachment", "add", issue.Key, in), "id")
	assert.Contains(t, s.ticket(t, 0, "attachment", "list", issue.Key), "df.bin")
	assert.Contains(t, s.ticket(t, 0, "attachment", "download", issue.Key, file, "-O", out), "1024 KB")
	got, err := os.ReadFile(out)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(content, got), "the file is what it was")
	s.ticket(t, 0, "attachment", "delete", issue.Key, file)

	for n := range 3 {
		s.ticket(t, 0, "create", "-f", s.given("listed.json", `{"name":"Listed","tags":["listed"]}`), "--summary", string(rune('a'+n)))
	}
	page := s.command(nil, filepath.Join(s.bin, "starter"), "ticket", "list", "--filter", "tags=listed", "--limit", "2")
	assert.Len(t, lines(page.out, "Listed"), 2)
	assert.Contains(t, page.err, "there are more: --all, or --cursor")
	var all struct{ Result []map[string]any }
	require.NoError(t, json.Unmarshal([]byte(s.ticket(t, 0, "list", "--filter", "tags=listed", "--all", "-o", "json")), &all))
	assert.Len(t, all.Result, 3)
	assert.Contains(t, s.ticket(t, 0, "projects"), "OPS")
	assert.Contains(t, s.ticket(t, 0, "fields"), "standard")

	assert.Contains(t, s.ticket(t, 3, "get", "OPS-99999"), "OPS-99999")
	assert.Contains(t, s.ticket(t, 3, "comment", "add", "OPS-99999", "x"), "OPS-99999")
	assert.Contains(t, s.ticket(t, 1, "policies"), "jira cannot do this")
	assert.Contains(t, s.ticket(t, 2, "list", "--filter", "shoe_size=43"), "shoe_size")
	assert.Contains(t, s.ticket(t, 2, "create", "--name", " "), "name: missing")
	s.ticketsOnce(t)
}

// given writes a file, and is its name.
func (s *stack) given(name, text string) string {
	s.file(name, text)
	return filepath.Join(s.dir, name)
}

// ticketsOnce: a key, a lost answer and a command that did not wait each make one
// ticket.
func (s *stack) ticketsOnce(t *testing.T) {
	require.NoError(t, s.jira.SetFaults(jira.Fault{Kind: jira.DropAfter, Op: "create", Times: 1}))
	first := s.ticketJSON(t, "create", "--name", "Keyed", "--key", "order-7")
	assert.Equal(t, first["id"], s.ticketJSON(t, "create", "--name", "Keyed", "--key", "order-7")["id"])
	assert.Contains(t, s.ticket(t, 1, "create", "--name", "Other", "--key", "order-7"), "Idempotency-Key")
	assert.Len(t, s.issues()["Keyed"], 1)

	require.NoError(t, s.jira.SetFaults(jira.Fault{Kind: jira.ErrorBefore, Op: "create"}))
	var pending struct{ ID, Status string }
	require.NoError(t, json.Unmarshal([]byte(s.ticket(t, 0, "create", "--name", "Later", "--async", "-o", "json")), &pending))
	assert.Equal(t, "pending", pending.Status)
	assert.Contains(t, s.ticket(t, 1, "create", "--name", "Later", "--wait", "1s"), "starter ticket operation "+pending.ID, "joined")
	assert.Contains(t, s.ticket(t, 0, "operation", pending.ID), "under way")
	require.NoError(t, s.jira.SetFaults())
	s.eventually(t, func() bool {
		out, _ := s.starter("ticket", "operation", pending.ID)
		return len(lines(out, "made")) == 1
	}, "the write is made")
	assert.Len(t, s.issues()["Later"], 1)
}

// The tickets of a test provider are in serve, which the commands ask; so does
// anybody from elsewhere, with a token.
func TestTicketCommandsAtTheTestProvider(t *testing.T) {
	t.Parallel()
	s := startTry(t, "", options{})
	id := text(t, s.ticketJSON(t, "create", "--name", "Quay lights are out", "--field", "berth=7"), "id")
	assert.Contains(t, s.ticket(t, 0, "get", "DEMO-1"), "berth    7")
	s.ticket(t, 0, "comment", "add", id, "We look at it.")
	assert.Contains(t, s.ticket(t, 0, "list", "--filter", "custom_fields.berth[gt]6"), "DEMO-1")
	assert.Contains(t, s.ticket(t, 0, "on-call", policyOf(t, s)), "PERSON")

	elsewhere := s.command([]string{"TICKETBRIDGE_CONFIG=/nowhere"}, filepath.Join(s.bin, "starter"),
		"ticket", "comment", "list", "DEMO-1", "--url", "http://"+s.httpAddr, "--token", "env:TEST_CALLER_TOKEN")
	assert.Zero(t, elsewhere.status, elsewhere.text())
	assert.Contains(t, elsewhere.out, "We look at it.")
	require.True(t, s.serve.stop(soon), "serve ends when it is asked to")
	assert.Contains(t, s.ticket(t, 4, "get", id), "start it")
}

func policyOf(t *testing.T, s *stack) string {
	t.Helper()
	var list struct{ Result []map[string]any }
	out := s.ticket(t, 0, "policies", "--limit", "1", "-o", "json")
	require.NoError(t, json.Unmarshal([]byte(out), &list), out)
	require.Len(t, list.Result, 1)
	return text(t, list.Result[0], "id")
}

func TestTicketCommandsAtServiceNow(t *testing.T) {
	t.Parallel()
	s, d := startDesk(t, desks()[0], servicenow.Options{}, options{})
	made := s.ticketJSON(t, "create", "--name", "Disk full", "--priority", "critical")
	record := d.titled()["Disk full"][0]
	assert.Equal(t, record.ID, made["id"])
	shown := s.ticket(t, 0, "get", record.Fields["number"])
	assert.Contains(t, shown, record.Fields["number"]+"  Disk full")
	assert.Contains(t, shown, "link")
	s.ticket(t, 0, "comment", "add", record.Fields["number"], "We look at it.")
	assert.Contains(t, s.ticket(t, 0, "comment", "list", record.ID), "We look at it.")
}

// What the server says that it can do is what it does.
func TestCapabilitiesAreServed(t *testing.T) {
	t.Parallel()
	s := startTry(t, "", options{})
	a := s.get("/v1/capabilities/providers/ticketing_mock_ticketing?" + url.Values{"expand": {"provider_config"}}.Encode())
	require.Equal(t, 200, a.status, a.text)
	provider := one(t, a)
	operations, ok := provider["operations"].([]any)
	require.True(t, ok)
	assert.Len(t, operations, 19)
	for _, each := range operations {
		operation, _ := each.(map[string]any)
		assert.Equal(t, true, operation["supported"], operation["id"])
	}
	assert.NotNil(t, provider["provider_config"])
	assert.Len(t, many(t, s.get("/v1/capabilities")), 4)
	assert.Equal(t, 404, s.get("/v1/capabilities/providers/ticketing_abacus").status)
}
