package config_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/provider"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

const examples = "../../examples"

// known is a version with two of the providers.
func known() config.Known {
	return config.Known{
		FeedTypes: []string{config.TypeCloudFeeds, config.TypeAcronis},
		IntegrationTypes: slices.DeleteFunc(provider.Types(), func(t config.IntegrationType) bool {
			return t.Name != config.TypeJira && t.Name != config.TypeMock
		}),
	}
}

// setSecrets sets the variables that the examples and tests refer to.
func setSecrets(t *testing.T) {
	t.Helper()
	for _, name := range []string{"RACKSPACE_API_KEY", "RACKSPACE_TOKEN", "ACRONIS_SECRET", "JIRA_TOKEN", "MONITORING_TOKEN"} {
		t.Setenv(name, "secret-value-of-"+name)
	}
}

// write puts text into a configuration file of its own directory.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ticketbridge.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestExampleLoads(t *testing.T) {
	setSecrets(t)
	cfg, err := config.Load(filepath.Join(examples, "ticketbridge.yaml"), known())
	require.NoError(t, err)
	assert.Empty(t, cfg.Warnings)

	feed, err := cfg.Feed("tickets-lon")
	require.NoError(t, err)
	assert.Equal(t, event.PolicyTicket, feed.Match)
	assert.Equal(t, 12*time.Second, feed.PollInterval.Std())
	assert.Equal(t, "secret-value-of-RACKSPACE_API_KEY", feed.Credential.Secret.Reveal())
	feed, err = cfg.Feed("tickets-ord")
	require.NoError(t, err)
	assert.Equal(t, "oldest", feed.Start)
	assert.Equal(t, 10*time.Second, feed.PollInterval.Std())

	jira, err := cfg.Integration("jira-ops")
	require.NoError(t, err)
	assert.Equal(t, "Highest", jira.PriorityMap[ticket.Urgent])
	assert.Equal(t, 7*24*time.Hour, jira.Memory.Std())
	assert.Equal(t, time.Minute, jira.Settling.Std())
	assert.Equal(t, config.Rate{PerSecond: 10, Concurrency: 8}, jira.Rate)
	assert.Equal(t, "customfield_10042", jira.CustomFieldMappings[1].ProviderFieldPath)

	assert.Len(t, cfg.Catalog.CIs, 4)
	assert.Equal(t, "harbour", cfg.Catalog.Account)
	assert.Equal(t, []string{
		"secret-value-of-RACKSPACE_API_KEY", "secret-value-of-RACKSPACE_TOKEN", "secret-value-of-ACRONIS_SECRET",
		"secret-value-of-JIRA_TOKEN", "secret-value-of-MONITORING_TOKEN",
	}, cfg.Secrets())
}

func TestExampleNamesEveryKey(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(examples, "ticketbridge.yaml"))
	require.NoError(t, err)
	alias := []string{"project_field_path"}
	for _, v := range []any{config.Config{}, config.Feed{}, config.Acronis{}, config.Integration{}, config.Credential{}, config.Caller{}, config.Matching{}, config.Rate{}, config.CustomFieldMapping{}} {
		for i := range reflect.TypeOf(v).NumField() {
			key := reflect.TypeOf(v).Field(i).Tag.Get("yaml")
			if key != "-" && key != "" && !slices.Contains(alias, key) {
				assert.Contains(t, string(text), key+":", "%T", v)
			}
		}
	}
	for _, own := range provider.Types() {
		for path := range own.Keys {
			key := path[strings.LastIndex(path, ".")+1:]
			if !strings.HasSuffix(key, "[]") {
				assert.Contains(t, string(text), key+":", "%s: %s", own.Name, path)
			}
		}
	}
}

const small = `
feeds:
  - {name: a, type: cloudfeeds, url: "https://feeds.example/a/", credential: {type: token, secret: "env:RACKSPACE_TOKEN"}, integration: ops}
integrations:
  - {name: ops, type: ticketing_jira, url: "https://ops.example/", credential: {type: basic, username: u, secret: "file:jira.txt"}, default_project: OPS,
     custom_field_mappings: [{name: due, project_id: "*", project_field_path: duedate}]}
callers:
  - {name: one, token: "env:MONITORING_TOKEN", integration: ops}
`

func TestLoadFillsInDefaults(t *testing.T) {
	setSecrets(t)
	path := write(t, small)
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(path), "jira.txt"), []byte("from-a-file\r\n"), 0o600))
	cfg, err := config.Load(path, known())
	require.NoError(t, err)
	assert.Empty(t, cfg.Warnings)
	feed := cfg.Feeds[0]
	assert.Equal(t, "https://feeds.example/a", feed.URL, "no slash at the end")
	assert.Equal(t, "oldest", feed.Start)
	assert.Equal(t, event.PolicyTicket, feed.Match)
	assert.Equal(t, 10*time.Second, feed.PollInterval.Std())
	assert.Equal(t, "from-a-file", cfg.Integrations[0].Credential.Secret.Reveal())
	assert.Equal(t, []config.CustomFieldMapping{{Name: "due", ProjectID: "*", ProviderFieldPath: "duedate"}},
		cfg.Integrations[0].CustomFieldMappings, "the other spelling is taken")
	require.NotNil(t, cfg.Catalog)
	assert.Empty(t, cfg.Catalog.People)
}

func TestLookups(t *testing.T) {
	cfg := &config.Config{
		Feeds:        []config.Feed{{Name: "a"}, {Name: "b"}},
		Integrations: []config.Integration{{Name: "ops"}},
		Callers: []config.Caller{
			{Name: "one", Token: config.NewSecret("token-one")}, {Name: "two", Token: config.NewSecret("token-two")}, {Name: "none"},
		},
	}
	_, err := cfg.Feed("c")
	assert.EqualError(t, err, `unknown feed "c": the configuration has a, b`)
	_, err = cfg.Integration("c")
	assert.EqualError(t, err, `unknown integration "c": the configuration has ops`)
	_, err = (&config.Config{}).Feed("c")
	assert.EqualError(t, err, `unknown feed "c": the configuration has none`)

	for token, want := range map[string]string{"token-one": "one", "token-two": "two"} {
		caller, ok := cfg.CallerByToken(token)
		assert.True(t, ok)
		assert.Equal(t, want, caller.Name)
	}
	for _, token := range []string{"", "token", "token-one ", "TOKEN-ONE"} {
		caller, ok := cfg.CallerByToken(token)
		assert.False(t, ok, "%q", token)
		assert.Empty(t, caller.Name)
	}
}

func TestFeedsOfOneCredentialShareItsBudget(t *testing.T) {
	key := config.Credential{Type: config.CredentialRackspaceAPIKey, Username: "Alice", IdentityURL: "https://id.example/v2.0"}
	other, elsewhere, lower := key, key, key
	other.Username, elsewhere.IdentityURL, lower.Username = "bob", "https://lon.example/v2.0", "alice"
	token := func(value string) config.Credential {
		return config.Credential{Type: config.CredentialToken, Secret: config.NewSecret(value)}
	}
	fast, slower := token("z"), token("z")
	fast.RequestsPerMinute, slower.RequestsPerMinute = 600, 120
	cfg := &config.Config{Feeds: []config.Feed{
		{Name: "fast", Type: config.TypeCloudFeeds, Credential: fast},
		{Name: "slower", Type: config.TypeCloudFeeds, Credential: slower},
		{Name: "a", Type: config.TypeCloudFeeds, Credential: key},
		{Name: "b", Type: config.TypeCloudFeeds, Credential: key},
		{Name: "c", Type: config.TypeCloudFeeds, Credential: lower},
		{Name: "bob", Type: config.TypeCloudFeeds, Credential: other},
		{Name: "elsewhere", Type: config.TypeCloudFeeds, Credential: elsewhere},
		{Name: "t1", Type: config.TypeCloudFeeds, Credential: token("x")},
		{Name: "t2", Type: config.TypeCloudFeeds, Credential: token("x")},
		{Name: "t3", Type: config.TypeCloudFeeds, Credential: token("y")},
		{Name: "acronis", Type: config.TypeAcronis, Credential: key},
	}}
	for name, want := range map[string]time.Duration{
		"a": 18 * time.Second, "b": 18 * time.Second, "c": 18 * time.Second, "bob": 6 * time.Second, "elsewhere": 6 * time.Second,
		"t1": 12 * time.Second, "t2": 12 * time.Second, "t3": 6 * time.Second, "acronis": 0, "nobody": 0,
		"fast": time.Second, "slower": time.Second, // the smaller of two stated budgets holds for both
	} {
		assert.Equal(t, want, cfg.FeedInterval(name), name)
	}
}

// Acronis publishes no budget; one that is stated is shared by the feeds of a
// client at its data centre.
func TestAcronisFeedsShareAStatedBudget(t *testing.T) {
	feed := func(name, client, url string, perMinute int) config.Feed {
		return config.Feed{Name: name, Type: config.TypeAcronis, URL: url, Credential: config.Credential{
			Type: config.CredentialOAuthClient, ClientID: client, RequestsPerMinute: perMinute,
		}}
	}
	cfg := &config.Config{Feeds: []config.Feed{
		feed("a", "c1", "https://eu2.example", 12), feed("b", "c1", "https://EU2.example", 0),
		feed("us", "c1", "https://us5.example", 60), feed("other", "c2", "https://eu2.example", 0),
		{Name: "cloud", Type: config.TypeCloudFeeds, URL: "https://eu2.example", Credential: config.Credential{Type: config.CredentialOAuthClient, ClientID: "c1"}},
	}}
	for name, want := range map[string]time.Duration{
		"a": 10 * time.Second, "b": 10 * time.Second, // stated once, shared by both
		"us": time.Second, "other": 0, "cloud": 6 * time.Second,
	} {
		assert.Equal(t, want, cfg.FeedInterval(name), name)
	}
}

func TestPollIntervalIsAtLeastTheShare(t *testing.T) {
	setSecrets(t)
	cfg, err := config.Load(write(t, `
feeds:
  - {name: a, type: cloudfeeds, url: "https://feeds.example/a", credential: {type: token, secret: "env:RACKSPACE_TOKEN"}, integration: ops, poll_interval: 5s}
  - {name: b, type: cloudfeeds, url: "https://feeds.example/b", credential: {type: token, secret: "env:RACKSPACE_TOKEN"}, integration: ops}
  - {name: c, type: cloudfeeds, url: "https://feeds.example/c", credential: {type: token, secret: "env:RACKSPACE_TOKEN"}, integration: ops, poll_interval: 1m}
integrations:
  - {name: ops, type: ticketing_jira, url: "https://ops.example", credential: {type: basic, username: u, secret: "env:JIRA_TOKEN"}, default_project: OPS}
`), known())
	require.NoError(t, err)
	require.Len(t, cfg.Warnings, 1)
	assert.Contains(t, cfg.Warnings[0].String(), "ticketbridge.yaml:3: feeds[0].poll_interval: 5s is less than this feed's share of its "+
		"credential's budget (10 requests a minute over all its feeds); 18s is used")
	for i, want := range []time.Duration{18 * time.Second, 18 * time.Second, time.Minute} {
		assert.Equal(t, want, cfg.Feeds[i].PollInterval.Std())
	}
}

func TestConfigNeverShowsItsSecrets(t *testing.T) {
	setSecrets(t)
	cfg, err := config.Load(filepath.Join(examples, "ticketbridge.yaml"), known())
	require.NoError(t, err)
	text, err := json.Marshal(cfg)
	require.NoError(t, err)
	for _, secret := range cfg.Secrets() {
		for _, shown := range []string{fmt.Sprintf("%v", cfg), fmt.Sprintf("%+v", *cfg), fmt.Sprintf("%#v", *cfg), string(text)} {
			assert.NotContains(t, shown, secret)
		}
	}
}

func FuzzLoad(f *testing.F) {
	for _, name := range []string{"ticketbridge.yaml", "catalog.yaml"} {
		data, err := os.ReadFile(filepath.Join(examples, name))
		require.NoError(f, err)
		f.Add(data)
	}
	f.Add([]byte(small))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "ticketbridge.yaml")
		require.NoError(t, os.WriteFile(path, data, 0o600))
		cfg, err := config.Load(path, known())
		require.Equal(t, err == nil, cfg != nil)
		_, _ = config.LoadCatalog(path)
	})
}
