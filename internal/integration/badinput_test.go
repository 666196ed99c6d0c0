package integration

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/simulator/jira"
)

const secondOf = `
  - name: jira-dev
    type: ticketing_jira
    url: %s
    credential: {type: basic, username: bridge@acme.example, secret: "env:TEST_JIRA_TOKEN"}
    default_project: DEV
    default_issue_type: Task
    settling: 1s
`

// What a user gets to read who set something up wrongly, and that nothing else
// stops.
func TestBadInput(t *testing.T) {
	t.Parallel()
	s := start(t, options{
		env: []string{"TEST_DEV_TOKEN=" + devToken},
		config: func(text string) string {
			url := text[strings.Index(text, "url: ")+5:]
			url = url[:strings.Index(url, "\n")]
			text = strings.Replace(text, "\ncallers:\n", fmt.Sprintf(secondOf, url)+"\ncallers:\n"+
				"  - {name: dev, token: \"env:TEST_DEV_TOKEN\", integration: jira-dev, person: monitor@widget.example}\n", 1)
			return text
		},
	})
	t.Run("unreachable Temporal", s.testUnreachable)
	t.Run("wrong namespace", s.testWrongNamespace)
	t.Run("search attributes", s.testSearchAttributes)
	t.Run("bad configuration", s.testBadConfiguration)
	t.Run("port in use", s.testPortInUse)
	t.Run("refused credential", s.testRefusedCredential)
	t.Run("deleted project", s.testDeletedProject)
}

const devToken = "test-token-of-development"

func (s *stack) program(name string) string { return filepath.Join(s.bin, name) }

// stillWorks: an event becomes a ticket.
func (s *stack) stillWorks(t *testing.T, ci string) {
	t.Helper()
	s.alarm(t, 201, ci, "first")
	s.eventually(t, func() bool { return len(s.issues()["Alarm on "+ci]) == 1 }, "everything else goes on")
}

func (s *stack) testUnreachable(t *testing.T) {
	nowhere := []string{"TEMPORAL_ADDRESS=" + fmt.Sprintf("127.0.0.1:%d", freePort(t)), "TICKETBRIDGE_HTTP_ADDR=127.0.0.1:0"}
	const sentence = "no Temporal server answers at 127.0.0.1:"
	for _, c := range []struct {
		status int
		args   []string
	}{
		{1, []string{"worker"}},
		{4, []string{"starter", "serve"}},
		{4, []string{"starter", "feed", "list"}},
		{4, []string{"starter", "event", "send", "subject=x"}},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			t.Parallel()
			end := s.command(nowhere, s.program(c.args[0]), c.args[1:]...)
			end.assert(t, c.status, sentence, "TEMPORAL_ADDRESS")
		})
	}
}

// assert: the status, the words on standard error, and no secret.
func (e ended) assert(t *testing.T, status int, words ...string) {
	t.Helper()
	assert.Equal(t, status, e.status, e.text())
	for _, word := range words {
		assert.Contains(t, e.text(), word)
	}
	for _, secret := range []string{"secret-of-jira", "secret-of-feed", token} {
		assert.NotContains(t, e.text(), secret)
	}
}

func (s *stack) testWrongNamespace(t *testing.T) {
	wrong := []string{"TEMPORAL_NAMESPACE=nowhere", "TICKETBRIDGE_HTTP_ADDR=127.0.0.1:0"}
	s.command(wrong, s.program("worker")).assert(t, 1, `namespace "nowhere" does not exist`, "TEMPORAL_NAMESPACE")
	s.command(wrong, s.program("starter"), "serve").assert(t, 1, `namespace "nowhere" does not exist`)
	s.command(wrong, s.program("starter"), "event", "send", "--caller", "monitoring", "subject=x").assert(t, 1, "nowhere")
	s.stillWorks(t, "srv-001")
}

// Somebody else's search attribute bears one of our names.
func (s *stack) testSearchAttributes(t *testing.T) {
	require.Zero(t, s.cli("operator", "namespace", "create", "taken").status)
	s.eventually(t, func() bool {
		return s.cli("operator", "search-attribute", "create", "--namespace", "taken", "--name", "BridgeRequest", "--type", "Keyword").status == 0
	}, "a search attribute of another type")
	taken := []string{"TEMPORAL_NAMESPACE=taken", "TICKETBRIDGE_HTTP_ADDR=127.0.0.1:0"}
	for _, args := range [][]string{{"worker"}, {"starter", "serve"}} {
		end := s.command(taken, s.program(args[0]), args[1:]...)
		end.assert(t, 1, "search attribute BridgeRequest is Keyword", "needs Int", "temporal operator search-attribute remove --name BridgeRequest")
	}
	s.stillWorks(t, "srv-002")
}

func (s *stack) testBadConfiguration(t *testing.T) {
	s.file("bad.yaml", `feeds:
  - name: Bad Name
    type: cloudfeeds
    url: ftp://feeds.example
    credential: {type: token, secret: "plainly-written-secret"}
    integration: nowhere
    colour: red
integrations:
  - name: jira-ops
    type: ticketing_jira
    url: https://acme.example
    credential: {type: basic, username: u, secret: "env:NOT_SET_ANYWHERE"}
    default_project: OPS
    default_issue_type: Task
`)
	file := filepath.Join(s.dir, "bad.yaml")
	check := s.command(nil, s.program("starter"), "config", "check", file)
	check.assert(t, 2, "bad.yaml:2", "bad.yaml:7", "colour", "NOT_SET_ANYWHERE", "nowhere")
	assert.NotContains(t, check.text(), "plainly-written-secret")
	bad := []string{"TICKETBRIDGE_CONFIG=" + file}
	for status, args := range map[int][]string{1: {"worker"}, 2: {"starter", "serve"}} {
		end := s.command(bad, s.program(args[0]), args[1:]...)
		end.assert(t, status, "bad.yaml:7", "colour")
		assert.NotContains(t, end.text(), "plainly-written-secret")
	}
	missing := s.command([]string{"TICKETBRIDGE_CONFIG=" + file + ".gone"}, s.program("starter"), "feed", "list")
	assert.NotZero(t, missing.status)
	assert.Contains(t, missing.text(), "bad.yaml.gone")
	misspelt := s.command([]string{"TICKETBRIDGE_HTTP_ADRR=x"}, s.program("starter"), "feed", "list")
	misspelt.assert(t, 2, "TICKETBRIDGE_HTTP_ADRR", "HTTP_ADDR")
	good := s.command(nil, s.program("starter"), "config", "check", "--online")
	good.assert(t, 0, "is good", "2 integrations")
	s.command(nil, s.program("starter"), "feed", "strat", "x").assert(t, 2, `unknown command "strat"`, "did you mean start?")
	s.command(nil, s.program("starter"), "fed", "list").assert(t, 2, `unknown command "fed"`, "did you mean feed?")
}

func (s *stack) testPortInUse(t *testing.T) {
	s.command(nil, s.program("starter"), "serve").assert(t, 1, s.httpAddr, "the address is in use", "TICKETBRIDGE_HTTP_ADDR")
	s.stillWorks(t, "srv-003")
}

func (s *stack) testRefusedCredential(t *testing.T) {
	require.NoError(t, s.jira.SetFaults(jira.Fault{Kind: jira.ErrorBefore, Status: 401}))
	check := s.command(nil, s.program("starter"), "config", "check", "--online")
	check.assert(t, 2, "integration jira-ops", "integration jira-dev", "401")
	require.NoError(t, s.jira.SetFaults())
}

// A project that is gone parks what is for it; the other integration goes on.
func (s *stack) testDeletedProject(t *testing.T) {
	s.stillWorks(t, "srv-004")
	require.NoError(t, s.jira.DeleteProject("OPS"))
	s.alarm(t, 201, "srv-005", "for a project that is gone")
	s.alarm(t, 200, "srv-004", "for a ticket that is gone")
	var reasons []string
	s.eventually(t, func() bool {
		reasons = nil
		for _, item := range s.parked(t) {
			reasons = append(reasons, item.Reason)
		}
		return len(reasons) == 2
	}, "two parked items")
	assert.Contains(t, strings.Join(reasons, "\n"), "project")
	check := s.command(nil, s.program("starter"), "config", "check", "--online")
	check.assert(t, 2, "integration jira-ops", "OPS")
	assert.NotContains(t, check.text(), "jira-dev")

	data, err := json.Marshal(map[string]any{"subject": "Goes on", "source": "Nagios", "ci": "srv-005", "note": "n"})
	require.NoError(t, err)
	a, err := s.call("POST", "/v1/events", strings.NewReader(string(data)), "Authorization", "Bearer "+devToken, "Prefer", "wait=20")
	require.NoError(t, err)
	require.Equal(t, 201, a.status, a.text)
	ticket, _ := a.body["ticket"].(map[string]any)
	assert.Contains(t, ticket["key"], "DEV-")
	log, err := os.ReadFile(filepath.Join(logDir(s.t), "worker.log"))
	require.NoError(t, err)
	assert.NotContains(t, string(log), "secret-of-jira")
}
