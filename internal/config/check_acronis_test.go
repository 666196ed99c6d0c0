package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/event"
)

// acronis is an Acronis feed, good but for the lines given, which begin at line
// 10 of the file; a line replaces the good one of the same key.
func acronis(lines ...string) string {
	good := []string{
		`name: a`, `type: acronis`, `url: https://dc.example`, `integration: ops`,
		`credential: {type: oauth_client, client_id: c, secret: "env:ACRONIS_SECRET"}`,
		`topic: tenants`, `types: ["tenant.*"]`,
	}
	var kept []string
	for _, line := range good {
		key, _, _ := strings.Cut(line, ":")
		replaced := false
		for _, other := range lines {
			replaced = replaced || strings.HasPrefix(other, key+":")
		}
		if replaced {
			line = "# " + line
		}
		kept = append(kept, line)
	}
	return feed(append([]string{"# a feed"}, append(kept, lines...)...)...)
}

func loadFeed(t *testing.T, text string) config.Feed {
	t.Helper()
	cfg, err := config.Load(write(t, text), known())
	require.NoError(t, err)
	return cfg.Feeds[0]
}

func TestAnAcronisFeedHasDefaults(t *testing.T) {
	setSecrets(t)
	f := loadFeed(t, acronis())
	assert.Equal(t, config.Acronis{
		Topic: "tenants", Types: []string{"tenant.*"}, TenantDepth: config.DepthAll, Consumer: config.ConsumerStateful,
		SessionTimeout: config.Duration(2 * time.Minute), LongPoll: config.Duration(30 * time.Second), AutoCommitInterval: config.Duration(time.Minute),
	}, f.Acronis)
	assert.Equal(t, "earliest", f.Start)
	assert.Equal(t, event.PolicyEvent, f.Match)
	assert.Equal(t, 10*time.Second, loadFeed(t, acronis(`session_timeout: 10s`)).LongPoll.Std(), "no request outlasts the session")
	assert.Equal(t, time.Second, loadFeed(t, acronis(`session_timeout: 1500ms`)).LongPoll.Std(), "in whole seconds")
}

func TestAnAcronisFeedHasEveryKey(t *testing.T) {
	setSecrets(t)
	f := loadFeed(t, acronis(
		`types: ["tenant.created", "tenant.v1.*"]`, `tenant_depth: direct`, `tenant: 692ff7d2-8505-44ed-82b0-e82ee8d42ef2`, `subject_types: [s1, s2]`, `cel: event.source == "x"`,
		`consumer: auto_commit`, `auto_commit_interval: 30s`, `session_timeout: 90s`, `long_poll: 45s`,
		`subscription: 454E9A51-2207-4a2c-9db4-6ca168ac9597`, `match: event`, `start: stored`, `transform: "{subject: .type}"`,
		`credential: {type: oauth_client, client_id: c, secret: "env:ACRONIS_SECRET", token_url: "https://dc.example/token", requests_per_minute: 5}`,
	))
	assert.Equal(t, config.Acronis{
		Topic: "tenants", Types: []string{"tenant.created", "tenant.v1.*"}, TenantDepth: "direct", SubjectTypes: []string{"s1", "s2"},
		CEL: `event.source == "x"`, Consumer: "auto_commit", AutoCommitInterval: config.Duration(30 * time.Second),
		SessionTimeout: config.Duration(90 * time.Second), LongPoll: config.Duration(45 * time.Second),
		Subscription: "454E9A51-2207-4a2c-9db4-6ca168ac9597",
	}, f.Acronis)
	assert.Equal(t, "{subject: .type}", f.Transform)
	assert.Equal(t, "https://dc.example/token", f.Credential.TokenURL)
	assert.Equal(t, 5, f.Credential.RequestsPerMinute)
}

func TestAcronisStarts(t *testing.T) {
	setSecrets(t)
	for start, good := range map[string]bool{
		"earliest": true, "current": true, "stored": true, "0": true, "9223372036854775807": true,
		"2026-01-15T12:00:00Z": true, "2026-01-15T12:00:00.123456789+02:00": true,
		"oldest": false, "now": false, "-1": false, "9223372036854775808": false, "2026-01-15": false, "1e3": false,
	} {
		t.Run(start, func(t *testing.T) {
			text := acronis(`start: "` + start + `"`)
			if good {
				assert.Equal(t, start, loadFeed(t, text).Start)
				return
			}
			assert.Equal(t, []string{"ticketbridge.yaml:12: feeds[0].start: want earliest, current, stored, an offset or a time like 2026-01-15T12:00:00Z"}, said(t, text))
		})
	}
}

func TestAcronisProblems(t *testing.T) {
	setSecrets(t)
	const (
		types = `want 1 to 32 event types; ` + "`starter feed types`" + ` lists them`
		id    = `454e9a51-2207-4a2c-9db4-6ca168ac9597`
	)
	for name, tc := range map[string]struct{ line, want string }{
		"match":             {`match: ticket`, `match: want event: the events of this type name no ticket`},
		"topic":             {`topic: " "`, `topic: missing`},
		"no types":          {`types: []`, `types: ` + types},
		"too many types":    {`types: [` + strings.Repeat("t, ", 32) + `t]`, `types: ` + types},
		"empty type":        {`types: [t, ""]`, `types[1]: missing`},
		"types as text":     {`types: t`, `types: want a list, not a text`},
		"depth":             {`tenant_depth: ALL`, `tenant_depth: unknown value "ALL"; did you mean "all"?`},
		"subject type":      {`subject_types: [""]`, `subject_types[0]: missing`},
		"consumer":          {`consumer: stateles`, `consumer: unknown value "stateles"; did you mean "stateless"?`},
		"filter":            {`cel: "` + strings.Repeat("ä", 4097) + `"`, `cel: longer than 4096 characters`},
		"session too short": {`session_timeout: 500ms`, `session_timeout: want 1s to 1h`},
		"session too long":  {`session_timeout: 2h`, `session_timeout: want 1s to 1h`},
		"poll too short":    {`long_poll: 10ms`, `long_poll: want 1s to 2m`},
		"poll over session": {`long_poll: 3m`, `long_poll: want 1s to 2m`},
		"no session":        {`session_timeout: 0s`, `session_timeout: want 1s to 1h`},
		"no poll":           {`long_poll: 0s`, `long_poll: want 1s to 2m`},
		"part of a second":  {`long_poll: 1500ms`, `long_poll: want whole seconds`},
		"tenant":            {`tenant: "5588"`, `tenant: want a UUID, the tenant's id in the management console`},
		"needless interval": {`auto_commit_interval: 30s`, `auto_commit_interval: is for consumer: auto_commit`},
		"subscription":      {`subscription: mine`, `subscription: want a UUID, or nothing: then the id is derived from the configuration`},
		"braced id":         {`subscription: "{` + id + `}"`, `subscription: want a UUID, or nothing: then the id is derived from the configuration`},
		"credential":        {`credential: {type: token, secret: "env:ACRONIS_SECRET"}`, `credential.type: unknown value "token"; known are oauth_client`},
		"no client":         {`credential: {type: oauth_client, secret: "env:ACRONIS_SECRET"}`, `credential.client_id: missing`},
		"token url":         {`credential: {type: oauth_client, client_id: c, secret: "env:ACRONIS_SECRET", token_url: dc.example}`, `credential.token_url: want an address like https://host/path`},
		"budget":            {`credential: {type: oauth_client, client_id: c, secret: "env:ACRONIS_SECRET", requests_per_minute: 0}`, `credential.requests_per_minute: want at least 1`},
		"other's key":       {`credential: {type: oauth_client, client_id: c, secret: "env:ACRONIS_SECRET", identity_url: "https://x.example"}`, `credential.identity_url: a credential of type oauth_client does not have this key`},
		"misspelt key":      {`sesion_timeout: 1m`, `sesion_timeout: unknown key; did you mean "session_timeout"?`},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, []string{"ticketbridge.yaml:12: feeds[0]." + tc.want}, said(t, acronis(tc.line)))
		})
	}
	for _, interval := range []string{"0s", "999ms", "2h"} {
		t.Run("interval "+interval, func(t *testing.T) {
			assert.Equal(t, []string{"ticketbridge.yaml:13: feeds[0].auto_commit_interval: want 1s to 1h"},
				said(t, acronis(`consumer: auto_commit`, `auto_commit_interval: `+interval)))
		})
	}
	t.Run("a bad session says nothing of the poll", func(t *testing.T) {
		assert.Equal(t, []string{"ticketbridge.yaml:12: feeds[0].session_timeout: want 1s to 1h"},
			said(t, acronis(`session_timeout: 0s`, `long_poll: 10s`)))
	})
	for _, address := range []string{"https://dc.example/api/event_manager/v1", "https://dc.example/api/event_manager/v1/", "https://dc.example/api/2"} {
		t.Run(address, func(t *testing.T) {
			_, path, _ := strings.Cut(strings.TrimSuffix(address, "/"), "dc.example")
			assert.Equal(t, []string{"ticketbridge.yaml:12: feeds[0].url: want the data center's address alone, without " + path}, said(t, acronis(`url: `+address)))
		})
	}
}

// Two deployments that keep the offset for themselves would both deliver.
func TestASubscriptionOfItsOwnIsForConsumersThatCommit(t *testing.T) {
	setSecrets(t)
	const id = `subscription: 454e9a51-2207-4a2c-9db4-6ca168ac9597`
	for consumer, want := range map[string]int{"stateful": 1, "stateless": 0, "auto_commit": 0} {
		cfg, err := config.Load(write(t, acronis(id, `consumer: `+consumer)), known())
		require.NoError(t, err)
		assert.Len(t, cfg.Warnings, want, consumer)
		for _, warning := range cfg.Warnings {
			assert.Contains(t, warning.String(), "ticketbridge.yaml:12: feeds[0].subscription: with consumer: stateful two deployments")
		}
	}
	cfg, err := config.Load(write(t, acronis(id)), known())
	require.NoError(t, err)
	assert.Len(t, cfg.Warnings, 1, "stateful is the default")
}

// Two readers of one subscription would each get what the other leaves.
func TestASubscriptionHasOneReader(t *testing.T) {
	setSecrets(t)
	const id = "454e9a51-2207-4a2c-9db4-6ca168ac9597"
	_, second, _ := strings.Cut(acronis("subscription: "+strings.ToUpper(id)), "feeds:\n")
	two := acronis("subscription: "+id) + strings.Replace(second, "name: a", "name: b", 1)
	problems := said(t, two)
	require.Len(t, problems, 2)
	for i, path := range []string{"feeds[0].subscription", "feeds[1].subscription"} {
		assert.Contains(t, problems[i], path+": another feed reads this subscription too")
	}
}

// What only one type of feed has is refused at the other.
func TestAcronisKeysBelongToAcronisFeeds(t *testing.T) {
	setSecrets(t)
	for _, line := range []string{
		`topic: t`, `types: [t]`, `tenant_depth: all`, `subject_types: [t]`, `cel: "true"`, `consumer: stateful`,
		`auto_commit_interval: 1m`, `session_timeout: 1m`, `long_poll: 30s`, `subscription: 454e9a51-2207-4a2c-9db4-6ca168ac9597`,
	} {
		key, _, _ := strings.Cut(line, ":")
		assert.Equal(t, []string{"ticketbridge.yaml:9: feeds[0]." + key + ": a feed of type cloudfeeds does not have this key"},
			said(t, feed(`name: a`, `type: cloudfeeds`, `url: https://f.example`, `credential: {type: token, secret: "env:RACKSPACE_TOKEN"}`, `integration: ops`, line)))
	}
}

func TestTransformsAreCompiled(t *testing.T) {
	setSecrets(t)
	const credential = `credential: {type: token, secret: "env:RACKSPACE_TOKEN"}`
	cloud := func(lines ...string) string {
		return feed(append([]string{`name: a`, `type: cloudfeeds`, `url: https://f.example`, credential, `integration: ops`}, lines...)...)
	}
	good := loadFeed(t, cloud(`match: event`, `transform: |`, `  {`, `    subject: .ticket.subject`, `  }`))
	assert.Equal(t, "{\n  subject: .ticket.subject\n}\n", good.Transform)

	for name, tc := range map[string]struct{ text, want string }{
		"ticket policy":    {cloud(`transform: .`), `ticketbridge.yaml:9: feeds[0].transform: is for feeds with match: event; with match: ticket an entry is mirrored as it is`},
		"syntax":           {cloud(`match: event`, `transform: |`, `  {`, `    subject: .ticket.subject,`, `    note: }`), `ticketbridge.yaml:10: feeds[0].transform: the jq program: line 3: `},
		"unknown function": {acronis(`transform: nosuch(.)`), `ticketbridge.yaml:12: feeds[0].transform: the jq program: `},
	} {
		t.Run(name, func(t *testing.T) {
			problems := said(t, tc.text)
			require.Len(t, problems, 1)
			assert.Contains(t, problems[0], tc.want)
		})
	}
}
