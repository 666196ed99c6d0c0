package config_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/config"
)

// Parts of a good configuration; a test breaks one of them.
const (
	goodFeed         = `- {name: lon, type: cloudfeeds, url: "https://feeds.example/x", credential: {type: token, secret: "env:RACKSPACE_TOKEN"}, integration: ops}`
	goodIntegration  = `- {name: ops, type: ticketing_jira, url: "https://ops.example", credential: {type: basic, username: u, secret: "env:JIRA_TOKEN"}, default_project: OPS}`
	goodIntegrations = "integrations:\n  " + goodIntegration + "\n"
)

func feed(lines ...string) string {
	return goodIntegrations + "feeds:\n  - " + strings.Join(lines, "\n    ") + "\n"
}

func integration(lines ...string) string {
	return "feeds: [{name: lon, type: cloudfeeds, url: 'https://feeds.example/x', credential: {type: token, secret: 'env:RACKSPACE_TOKEN'}, match: event, integration: ops}]\n" +
		"integrations:\n  - " + strings.Join(lines, "\n    ") + "\n"
}

func caller(lines ...string) string {
	return goodIntegrations + "callers:\n  - " + strings.Join(lines, "\n    ") + "\n"
}

// said loads a bad configuration and gives its problems, without the directory.
func said(t *testing.T, text string) []string {
	t.Helper()
	path := write(t, text)
	cfg, err := config.Load(path, known())
	assert.Nil(t, cfg)
	var problems config.Problems
	require.ErrorAs(t, err, &problems)
	require.NotContains(t, err.Error(), "hunter2", "a secret is shown")
	return strings.Split(strings.ReplaceAll(err.Error(), filepath.Dir(path)+string(filepath.Separator), ""), "\n")
}

func TestFeedProblems(t *testing.T) {
	setSecrets(t)
	const credential = `credential: {type: token, secret: "env:RACKSPACE_TOKEN"}`
	for name, tc := range map[string]struct{ text, want string }{
		"misspelt key":      {feed(`name: a`, `type: cloudfeeds`, `url: https://f.example`, credential, `integration: ops`, `pol_interval: 10s`), `ticketbridge.yaml:9: feeds[0].pol_interval: unknown key; did you mean "poll_interval"?`},
		"duration":          {feed(`name: a`, `type: cloudfeeds`, `url: https://f.example`, credential, `integration: ops`, `poll_interval: 10`), `ticketbridge.yaml:9: feeds[0].poll_interval: want a duration like "10s", "5m", "1h30m" or "7d"`},
		"interval range":    {feed(`name: a`, `type: cloudfeeds`, `url: https://f.example`, credential, `integration: ops`, `poll_interval: 2d`), `ticketbridge.yaml:9: feeds[0].poll_interval: want more than 0 and at most 24h`},
		"interval zero":     {feed(`name: a`, `type: cloudfeeds`, `url: https://f.example`, credential, `integration: ops`, `poll_interval: 0s`), `ticketbridge.yaml:9: feeds[0].poll_interval: want more than 0 and at most 24h`},
		"name":              {feed(`name: "Lon:1"`, `type: cloudfeeds`, `url: https://f.example`, credential, `integration: ops`), `ticketbridge.yaml:4: feeds[0].name: "Lon:1": want lower-case letters, digits, - and _, beginning with a letter or digit, at most 63`},
		"no name":           {feed(`type: cloudfeeds`, `url: https://f.example`, credential, `integration: ops`), `ticketbridge.yaml:4: feeds[0].name: missing`},
		"unknown type":      {feed(`name: a`, `type: cloudfeed`, `url: https://f.example`, credential, `integration: ops`), `ticketbridge.yaml:5: feeds[0].type: unknown value "cloudfeed"; did you mean "cloudfeeds"?`},
		"no url":            {feed(`name: a`, `type: cloudfeeds`, credential, `integration: ops`), `ticketbridge.yaml:4: feeds[0].url: missing`},
		"url":               {feed(`name: a`, `type: cloudfeeds`, `url: f.example/x`, credential, `integration: ops`), `ticketbridge.yaml:6: feeds[0].url: want an address like https://host/path`},
		"url scheme":        {feed(`name: a`, `type: cloudfeeds`, `url: ftp://f.example/x`, credential, `integration: ops`), `ticketbridge.yaml:6: feeds[0].url: want an address like https://host/path`},
		"url with password": {feed(`name: a`, `type: cloudfeeds`, `url: https://u:hunter2@f.example`, credential, `integration: ops`), `ticketbridge.yaml:6: feeds[0].url: must not hold a user name or password; write them as the credential`},
		"url unparsable":    {feed(`name: a`, `type: cloudfeeds`, `url: "https://u:hunter2@f.example:x%zz"`, credential, `integration: ops`), `ticketbridge.yaml:6: feeds[0].url: want an address like https://host/path`},
		"url with query":    {feed(`name: a`, `type: cloudfeeds`, `url: https://f.example/x?limit=5`, credential, `integration: ops`), `ticketbridge.yaml:6: feeds[0].url: must end before the ? or #; parameters are added by ticketbridge`},
		"no credential":     {feed(`name: a`, `type: cloudfeeds`, `url: https://f.example`, `integration: ops`), `ticketbridge.yaml:4: feeds[0].credential: missing`},
		"credential type":   {feed(`name: a`, `type: cloudfeeds`, `url: https://f.example`, `credential: {type: basic, username: u, secret: "env:RACKSPACE_TOKEN"}`, `integration: ops`), `ticketbridge.yaml:7: feeds[0].credential.type: unknown value "basic"; known are rackspace_api_key, token`},
		"no username":       {feed(`name: a`, `type: cloudfeeds`, `url: https://f.example`, `credential: {type: rackspace_api_key, secret: "env:RACKSPACE_TOKEN"}`, `integration: ops`), `ticketbridge.yaml:7: feeds[0].credential.username: missing`},
		"needless key":      {feed(`name: a`, `type: cloudfeeds`, `url: https://f.example`, `credential: {type: token, username: u, secret: "env:RACKSPACE_TOKEN"}`, `integration: ops`), `ticketbridge.yaml:7: feeds[0].credential.username: a credential of type token does not have this key`},
		"budget":            {feed(`name: a`, `type: cloudfeeds`, `url: https://f.example`, `credential: {type: token, secret: "env:RACKSPACE_TOKEN", requests_per_minute: 0}`, `integration: ops`), `ticketbridge.yaml:7: feeds[0].credential.requests_per_minute: want at least 1`},
		"no secret":         {feed(`name: a`, `type: cloudfeeds`, `url: https://f.example`, `credential: {type: token}`, `integration: ops`), `ticketbridge.yaml:7: feeds[0].credential.secret: missing; write "env:NAME" or "file:/path"`},
		"literal secret":    {feed(`name: a`, `type: cloudfeeds`, `url: https://f.example`, `credential: {type: token, secret: hunter2}`, `integration: ops`), `ticketbridge.yaml:7: feeds[0].credential.secret: a secret must not stand in the file; put it into an environment variable and write "env:NAME", or into a file and write "file:/path"`},
		"secret as list":    {feed(`name: a`, `type: cloudfeeds`, `url: https://f.example`, `credential: {type: token, secret: [hunter2]}`, `integration: ops`), `ticketbridge.yaml:7: feeds[0].credential.secret: want a text, not a list`},
		"secret's variable": {feed(`name: a`, `type: cloudfeeds`, `url: https://f.example`, `credential: {type: token, secret: "env:hunter2!"}`, `integration: ops`), `ticketbridge.yaml:7: feeds[0].credential.secret: want "env:NAME" with the name of an environment variable (letters, digits and _)`},
		"variable not set":  {feed(`name: a`, `type: cloudfeeds`, `url: https://f.example`, `credential: {type: token, secret: "env:TB_NOT_SET"}`, `integration: ops`), `ticketbridge.yaml:7: feeds[0].credential.secret: the environment variable TB_NOT_SET is not set`},
		"variable empty":    {feed(`name: a`, `type: cloudfeeds`, `url: https://f.example`, `credential: {type: token, secret: "env:TB_EMPTY"}`, `integration: ops`), `ticketbridge.yaml:7: feeds[0].credential.secret: the environment variable TB_EMPTY is empty`},
		"no secret file":    {feed(`name: a`, `type: cloudfeeds`, `url: https://f.example`, `credential: {type: token, secret: "file:/no/such"}`, `integration: ops`), `ticketbridge.yaml:7: feeds[0].credential.secret: the secret's file cannot be read: open /no/such: no such file or directory`},
		"start":             {feed(`name: a`, `type: cloudfeeds`, `url: https://f.example`, credential, `integration: ops`, `start: earliest`), `ticketbridge.yaml:9: feeds[0].start: want oldest, now or a marker like urn:uuid:560490c6-6c63-11e1-adfe-27851d5aed13`},
		"marker cut off":    {feed(`name: a`, `type: cloudfeeds`, `url: https://f.example`, credential, `integration: ops`, `start: urn:uuid:560490c6`), `ticketbridge.yaml:9: feeds[0].start: want oldest, now or a marker like urn:uuid:560490c6-6c63-11e1-adfe-27851d5aed13`},
		"tenant":            {feed(`name: a`, `type: cloudfeeds`, `url: https://f.example`, credential, `integration: ops`, `tenant: tid:faws:1`), `ticketbridge.yaml:9: feeds[0].tenant: write "faws:1", without tid:`},
		"other type's key":  {feed(`name: a`, `type: cloudfeeds`, `url: https://f.example`, credential, `integration: ops`, `topic: x`), `ticketbridge.yaml:9: feeds[0].topic: a feed of type cloudfeeds does not have this key`},
		"match":             {feed(`name: a`, `type: cloudfeeds`, `url: https://f.example`, credential, `integration: ops`, `match: tickets`), `ticketbridge.yaml:9: feeds[0].match: unknown value "tickets"; did you mean "ticket"?`},
		"integration":       {feed(`name: a`, `type: cloudfeeds`, `url: https://f.example`, credential, `integration: opps`), `ticketbridge.yaml:8: feeds[0].integration: there is no integration "opps"; did you mean "ops"?`},
		"person":            {feed(`name: a`, `type: cloudfeeds`, `url: https://f.example`, credential, `integration: ops`, `person: p@x.example`), `ticketbridge.yaml:9: feeds[0].person: there is no catalog to find the person in; add the key catalog`},
		"name twice":        {goodIntegrations + "feeds:\n  " + goodFeed + "\n  " + goodFeed + "\n", `ticketbridge.yaml:5: feeds[1].name: "lon" is the name of feeds[0] already (line 4)`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("TB_EMPTY", "  ")
			assert.Equal(t, []string{tc.want}, said(t, tc.text))
		})
	}
}

func TestIntegrationProblems(t *testing.T) {
	setSecrets(t)
	const (
		head = `name: ops`
		kind = `type: ticketing_jira`
		url  = `url: https://ops.example`
		cred = `credential: {type: basic, username: u, secret: "env:JIRA_TOKEN"}`
		proj = `default_project: OPS`
	)
	with := func(line string) string { return integration(head, kind, url, cred, proj, line) }
	for name, tc := range map[string]struct{ text, want string }{
		"none":            {"feeds: []\n", `ticketbridge.yaml:1: integrations: missing; ticketbridge needs at least one provider to keep tickets at`},
		"empty file":      {"# to do\n", `ticketbridge.yaml: integrations: missing; ticketbridge needs at least one provider to keep tickets at`},
		"unknown type":    {integration(head, `type: jira`, url, cred, proj), `ticketbridge.yaml:4: integrations[0].type: unknown value "jira"; known are ticketing_jira, ticketing_servicenow, ticketing_servicenow_sir, ticketing_pagerduty, ticketing_zendesk, ticketing_freshdesk, ticketing_autotask, ticketing_torq, ticketing_mock_ticketing`},
		"type to come":    {integration(head, `type: ticketing_zendesk`, url, cred), `ticketbridge.yaml:4: integrations[0].type: "ticketing_zendesk" is not available in this version; available: ticketing_jira, ticketing_mock_ticketing`},
		"no project":      {integration(head, kind, url, cred), `ticketbridge.yaml:3: integrations[0].default_project: missing; events have no project of their own`},
		"priority":        {with(`priority_map: {Urgent: Highest}`), `ticketbridge.yaml:8: integrations[0].priority_map.Urgent: unknown key; did you mean "URGENT"?`},
		"priority empty":  {with(`priority_map: {URGENT: }`), `ticketbridge.yaml:8: integrations[0].priority_map.URGENT: missing`},
		"status":          {with(`status_map: {complete: Done}`), `ticketbridge.yaml:8: integrations[0].status_map.complete: unknown key; did you mean "completed"?`},
		"field":           {with(`field_map: {sorce: x}`), `ticketbridge.yaml:8: integrations[0].field_map.sorce: unknown key; did you mean "source"?`},
		"mapping":         {with(`custom_field_mappings: [{name: a, project_id: "*"}]`), `ticketbridge.yaml:8: integrations[0].custom_field_mappings[0].provider_field_path: missing`},
		"mapping project": {with(`custom_field_mappings: [{name: a, provider_field_path: b}]`), `ticketbridge.yaml:8: integrations[0].custom_field_mappings[0].project_id: missing; write a project, or "*" for all`},
		"mapping twice":   {with(`custom_field_mappings: [{name: a, project_id: P, provider_field_path: b}, {name: a, project_id: P, provider_field_path: c}]`), `ticketbridge.yaml:8: integrations[0].custom_field_mappings[1].name: "a" of project "P" is mapped already by integrations[0].custom_field_mappings[0]`},
		"mapping spelt":   {with(`custom_field_mappings: [{name: a, project_id: P, provider_field_path: b, project_field_path: b}]`), `ticketbridge.yaml:8: integrations[0].custom_field_mappings[0].project_field_path: is another spelling of provider_field_path; write one of them`},
		"rate":            {with(`rate: {per_second: -1}`), `ticketbridge.yaml:8: integrations[0].rate.per_second: want more than 0 and at most 10000`},
		"concurrency":     {with(`rate: {concurrency: 5000}`), `ticketbridge.yaml:8: integrations[0].rate.concurrency: want at least 1 and at most 1000`},
		"settling":        {with(`settling: 1d`), `ticketbridge.yaml:8: integrations[0].settling: want more than 0 and at most 1h`},
		"memory":          {with(`memory: 1d`), `ticketbridge.yaml:8: integrations[0].memory: want at least 72h: that long an event can come again`},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, []string{tc.want}, said(t, tc.text)) })
	}
}

// A publisher's own statuses are put into ours before they are mapped, so a
// mapping of theirs would never be used.
func TestOnlyOurStatusesCanBeMapped(t *testing.T) {
	setSecrets(t)
	_, err := config.Load(write(t, strings.Replace(integration(
		`name: ops`, `type: ticketing_jira`, `url: https://ops.example`, `credential: {type: bearer, secret: "env:JIRA_TOKEN"}`,
		`default_project: OPS`, `status_map: {Pending Customer: Waiting}`), "match: event", "match: ticket", 1)), known())
	assert.ErrorContains(t, err, "status_map.Pending Customer: unknown key")
}

func TestTheIssueTypeHasADefault(t *testing.T) {
	setSecrets(t)
	c, err := config.Load(write(t, integration(
		`name: ops`, `type: ticketing_jira`, `url: https://ops.example`, `credential: {type: bearer, secret: "env:JIRA_TOKEN"}`,
		`default_project: OPS`)), known())
	require.NoError(t, err)
	assert.Equal(t, "Task", c.Integrations[0].DefaultIssueType)
}

func TestCallerProblems(t *testing.T) {
	setSecrets(t)
	t.Setenv("TB_BLANK", "hunter2 hunter2 hunter2")
	for name, tc := range map[string]struct{ text, want string }{
		"no token":      {caller(`name: a`, `integration: ops`), `ticketbridge.yaml:4: callers[0].token: missing; write "env:NAME" or "file:/path"`},
		"literal token": {caller(`name: a`, `integration: ops`, `token: hunter2`), `ticketbridge.yaml:6: callers[0].token: a secret must not stand in the file; put it into an environment variable and write "env:NAME", or into a file and write "file:/path"`},
		"blank":         {caller(`name: a`, `integration: ops`, `token: env:TB_BLANK`), `ticketbridge.yaml:6: callers[0].token: the token contains a blank or a line break, which no Authorization header can carry`},
		"same token":    {caller(`{name: a, integration: ops, token: "env:JIRA_TOKEN"}`) + `  - {name: b, integration: ops, token: "env:JIRA_TOKEN"}`, `ticketbridge.yaml:5: callers[1].token: the same token as callers[0]; a token must tell who calls`},
		"integration":   {caller(`name: a`, `token: env:MONITORING_TOKEN`), `ticketbridge.yaml:4: callers[0].integration: missing`},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, []string{tc.want}, said(t, tc.text)) })
	}
}

func TestWarnings(t *testing.T) {
	setSecrets(t)
	t.Setenv("TB_SHORT", "hunter2")
	load := func(text string) []string {
		path := write(t, text)
		cfg, err := config.Load(path, known())
		require.NoError(t, err)
		var lines []string
		for _, warning := range cfg.Warnings {
			lines = append(lines, strings.ReplaceAll(warning.String(), filepath.Dir(path)+string(filepath.Separator), ""))
		}
		return lines
	}
	assert.Equal(t, []string{`ticketbridge.yaml:6: callers[0].token: the token is shorter than 16 characters`},
		load(caller(`name: a`, `integration: ops`, `token: env:TB_SHORT`)))
	assert.Equal(t, []string{`ticketbridge.yaml:1: there are neither feeds nor callers, so no events will arrive`}, load(goodIntegrations))
	const plain = `ticketbridge.yaml:2: integrations[0].url: uses http: credentials and tickets cross the network unencrypted`
	assert.Contains(t, load(strings.Replace(goodIntegrations, "https", "http", 1)), plain)
	for _, local := range []string{"http://127.0.0.1:99", "http://localhost:99", "http://[::1]:99"} {
		assert.NotContains(t, load(strings.Replace(goodIntegrations, "https://ops.example", local, 1)), plain)
	}
}
