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
	known := newFeed(t, "known", fast)
	s := start(t, options{
		env:   []string{"TEST_DEV_TOKEN=" + devToken},
		feeds: "feeds:\n" + known.config(),
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
	t.Run("search attributes missing", s.testSearchAttributesMissing)
	t.Run("unknown feed", func(t *testing.T) { s.testFeedNotConfigured(t, known) })
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

// Nobody registered our search attributes: no worker ever ran in the namespace,
// or the server let none do it.
func (s *stack) testSearchAttributesMissing(t *testing.T) {
	require.Zero(t, s.cli("operator", "namespace", "create", "bare").status)
	bare := []string{"TEMPORAL_NAMESPACE=bare"}
	var end ended
	s.eventually(t, func() bool {
		end = s.command(bare, s.program("starter"), "event", "send", "--caller", "monitoring", "subject=x", "source=Nagios", "ci=srv-001", "note=n")
		return !strings.Contains(end.text(), `"bare" does not exist`) && !strings.Contains(end.text(), "bare is not found")
	}, "the namespace is there")
	end.assert(t, 1, "search attribute", "temporal operator search-attribute create", "--name BridgeState --type Keyword")
	s.stillWorks(t, "srv-006")
}

// A feed that is not in the configuration, on every way to a feed. The one that
// is there goes on all the same.
func (s *stack) testFeedNotConfigured(t *testing.T, known *ownFeed) {
	needTctl(t)
	s.steer(t, "start", known.name)
	for _, args := range [][]string{
		{"start", "nope"}, {"start", "known", "nope"}, {"state", "nope"}, {"pause", "nope"}, {"resume", "nope"},
		{"poll-now", "nope"}, {"rewind", "nope", "--to", "oldest"},
	} {
		end := s.command(nil, s.program("starter"), append([]string{"feed"}, args...)...)
		end.assert(t, 3, `unknown feed "nope"`, "known")
	}
	for _, action := range []string{"start", "pause", "resume", "poll-now", "rewind"} {
		a, err := s.call("POST", "/v1/feeds/nope/"+action, strings.NewReader(`{"to":"oldest"}`))
		require.NoError(t, err)
		assert.Equal(t, 404, a.status, "%s: %s", action, a.text)
		assert.Contains(t, a.body["detail"], `"nope"`)
		a, err = s.call("POST", "/v1/feeds/known/"+action, strings.NewReader(`{"to":"oldest"}`), "Authorization", "Bearer "+devToken)
		require.NoError(t, err)
		assert.Equal(t, 404, a.status, "another integration's feed is nobody's business: %s", a.text)
	}
	for body, want := range map[string]int{
		`{"to":"oldest","colour":"red"}`: 400,
		`{"to"`:                          400,
		`{"to":"` + strings.Repeat("x", 1<<20) + `"}`: 413,
	} {
		a, err := s.call("POST", "/v1/feeds/known/rewind", strings.NewReader(body))
		require.NoError(t, err)
		assert.Equal(t, want, a.status, a.text)
		assert.NotEmpty(t, a.body["message"])
	}

	end := s.tctl("workflow", "start", "--workflow_id", "feed:nope", "--workflow_type", "PollFeed", "--taskqueue", "ticketbridge", "--input", `{"feed":"nope"}`)
	require.Zero(t, end.status, end.text())
	s.eventually(t, func() bool { return s.feed("nope").State == "blocked" }, "the unknown feed is blocked")
	assert.Contains(t, s.feed("nope").LastError, `unknown feed "nope"`)
	assert.Contains(t, s.feed("nope").LastError, "known", "it names those that there are")
	known.tell("250101-lon-0000001", "goes on.")
	s.arrives(t, "known 250101-lon-0000001", "goes on.")
	assert.Equal(t, "polling", s.feed(known.name).State)
	assert.Zero(t, s.tctl("workflow", "terminate", "--workflow_id", "feed:nope").status)
	s.stillWorks(t, "srv-007")
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
