package config_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/config"
)

func TestAllProblemsAreFoundInOnePass(t *testing.T) {
	setSecrets(t)
	assert.Equal(t, []string{
		`ticketbridge.yaml:2: feeds[0].nmae: unknown key; did you mean "name"?`,
		`ticketbridge.yaml:2: feeds[0].name: missing`,
		`ticketbridge.yaml:2: feeds[0].integration: missing`,
		`ticketbridge.yaml:4: feeds[0].url: want an address like https://host/path`,
		`ticketbridge.yaml:5: feeds[0].credential.secret: a secret must not stand in the file; put it into an environment variable and write "env:NAME", or into a file and write "file:/path"`,
		`ticketbridge.yaml:6: feeds[0].poll_interval: want a duration like "10s", "5m", "1h30m" or "7d"`,
		`ticketbridge.yaml:8: integrations[0].name: "Ops": want lower-case letters, digits, - and _, beginning with a letter or digit, at most 63`,
		`ticketbridge.yaml:9: integrations[0].type: "ticketing_torq" is not available in this version; available: ticketing_jira, ticketing_mock_ticketing`,
		`ticketbridge.yaml:10: integrations[0].rate.per_second: want a number, not a text`,
		`ticketbridge.yaml:12: callers[0].integration: there is no integration "ops"; did you mean "Ops"?`,
		`ticketbridge.yaml:12: callers[0].token: the environment variable TB_NOT_SET is not set`,
		`ticketbridge.yaml:13: catalogue: unknown key; did you mean "catalog"?`,
		`ticketbridge.yaml:15: matching.strict_ci: want true or false, not a text`,
	}, said(t, `feeds:
  - nmae: lon
    type: cloudfeeds
    url: feeds.example
    credential: {type: token, secret: hunter2}
    poll_interval: often
integrations:
  - name: Ops
    type: ticketing_torq
    rate: {per_second: fast}
callers:
  - {name: a, integration: ops, token: "env:TB_NOT_SET"}
catalogue: catalog.yaml
matching:
  strict_ci: perhaps
`))
}

func TestFilesThatCannotBeRead(t *testing.T) {
	assert.Equal(t, []string{`ticketbridge.yaml:3: not valid YAML: could not find flow mapping end token '}'`},
		said(t, "integrations: []\nfeeds:\n  - {name: x, secret: hunter2\n"))
	assert.Equal(t, []string{`ticketbridge.yaml:1: want keys and values, not a list`}, said(t, "- name: x\n"))

	_, err := config.Load("no/such.yaml", known())
	assert.EqualError(t, err, "no/such.yaml: no such file; examples/ticketbridge.yaml shows what to write, and TICKETBRIDGE_CONFIG names another place")
	dir := t.TempDir()
	_, err = config.Load(dir, known())
	assert.EqualError(t, err, dir+": cannot be read: is a directory")
}

func TestCatalogProblems(t *testing.T) {
	setSecrets(t)
	const cfg = goodIntegrations + "catalog: sub/catalog.yaml\ncallers:\n" +
		"  - {name: a, integration: ops, token: 'env:MONITORING_TOKEN', catalog_account: harbor, person: nobody@x.example}\n"
	for name, tc := range map[string]struct {
		catalog string
		want    []string
	}{
		"misspelt": {"people:\n  - {id: 1, emial: x}\n  - {id: one}\n", []string{
			`sub/catalog.yaml:2: people[0].emial: unknown key; did you mean "email"?`,
			`sub/catalog.yaml:3: people[1].id: want a whole number, not a text`,
		}},
		"references": {"people: []\nteams:\n  - {id: 5}\n  - {id: 5}\ncis:\n  - id: 1\n    service_instances:\n      - 31\n", []string{
			`sub/catalog.yaml:4: teams[1].id: 5 is the id of teams[0] already`,
			`sub/catalog.yaml:8: cis[0].service_instances[0]: there is no service instance 31`,
		}},
		"person": {"account: harbour\npeople: [{id: 1, email: a@x.example}]\n", []string{
			`ticketbridge.yaml:5: callers[0].person: nobody in the catalog has the e-mail address "nobody@x.example"`,
		}},
		"syntax": {"people: [\n", []string{`sub/catalog.yaml:1: not valid YAML: sequence end token ']' not found`}},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, cfg)
			dir := filepath.Dir(path) + string(filepath.Separator)
			require.NoError(t, os.Mkdir(dir+"sub", 0o700))
			require.NoError(t, os.WriteFile(dir+"sub/catalog.yaml", []byte(tc.catalog), 0o600))
			_, err := config.Load(path, known())
			require.Error(t, err)
			assert.Equal(t, tc.want, strings.Split(strings.ReplaceAll(err.Error(), dir, ""), "\n"))
		})
	}
	assert.Contains(t, said(t, cfg)[0], "sub/catalog.yaml: no such file")
}

func TestAnUnknownAccountIsOnlyAWarning(t *testing.T) {
	setSecrets(t)
	path := write(t, goodIntegrations+"catalog: c.yaml\ncallers: [{name: a, integration: ops, token: 'env:MONITORING_TOKEN', catalog_account: harbor, person: A@X.example}]\n")
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(path), "c.yaml"),
		[]byte("account: harbour\nt0: 2026-01-15T12:00:00Z\nnotes: {a: b}\npeople: [{id: 1, email: a@x.example}]\n"), 0o600))
	cfg, err := config.Load(path, known())
	require.NoError(t, err, "a fixture's clock and remarks are no harm, and e-mail addresses ignore case")
	require.Len(t, cfg.Warnings, 1)
	assert.Contains(t, cfg.Warnings[0].String(),
		`ticketbridge.yaml:4: callers[0].catalog_account: the catalog does not name the account "harbor"; did you mean "harbour"?`)
}

func TestProblemsAsJSON(t *testing.T) {
	text, err := json.Marshal(config.Problems{{File: "a.yaml", Line: 3, Path: "feeds", Message: "missing"}, {File: "a.yaml", Message: "empty"}})
	require.NoError(t, err)
	assert.JSONEq(t, `[{"file":"a.yaml","line":3,"path":"feeds","message":"missing"},{"file":"a.yaml","message":"empty"}]`, string(text))
}
