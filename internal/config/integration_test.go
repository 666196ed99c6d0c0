package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/provider"
)

func parseAPI(text string) (config.Integration, error) {
	return config.ParseIntegration("jira-api", []byte(text), config.Known{IntegrationTypes: provider.Types()}, func(sealed string) (string, error) {
		if sealed != "sealed:v1:k:x" {
			return "", errors.New("damaged")
		}
		return "s3cret", nil
	})
}

func TestAnIntegrationOutsideOfTheFile(t *testing.T) {
	in, err := parseAPI(`{"type": "ticketing_jira", "url": "https://acme.example/", "default_project": "Ops <&> \u2028 \ud83d\ude00",
		"credential": {"type": "basic", "username": "u@acme.example", "secret": "sealed:v1:k:x"},
		"rate": {"per_second": 2.5}, "settling": "90s", "priority_map": {"HIGH": "Blocker"},
		"custom_field_mappings": [{"name": "due", "project_id": "*", "project_field_path": "Dates/due"}]}`)
	require.NoError(t, err)
	assert.Equal(t, "jira-api", in.Name)
	assert.Equal(t, "https://acme.example", in.URL)
	assert.Equal(t, "s3cret", in.Credential.Secret.Reveal())
	assert.Equal(t, "sealed:v1:k:x", in.Credential.Secret.Reference())
	assert.Equal(t, "Ops <&> \u2028 \U0001F600", in.DefaultProject)
	assert.Equal(t, 2.5, in.Rate.PerSecond)
	assert.Equal(t, 8, in.Rate.Concurrency, "what is not said has its default")
	assert.Equal(t, 90*time.Second, in.Settling.Std())
	assert.Equal(t, []config.CustomFieldMapping{{Name: "due", ProjectID: "*", ProviderFieldPath: "Dates/due"}}, in.CustomFieldMappings)
}

func TestWhatIsWrongWithAnIntegrationOutsideOfTheFile(t *testing.T) {
	for text, want := range map[string]string{
		`[]`:                "want a JSON object",
		`null`:              "want a JSON object",
		`{"type":"x"`:       "want a JSON object",
		`{"name": "other"}`: "name: stands beside provider_config",
		`{"type": "jira"}`:  `type: unknown value "jira"`,
		`{"type": "ticketing_mock_ticketing", "urll": "x"}`:                                                                                             "urll: unknown key",
		`{"type": "ticketing_mock_ticketing", "rate": {"per_second": "fast"}}`:                                                                          "rate.per_second: want a number",
		`{"type": "ticketing_jira", "url": "https://x.example", "credential": {"type": "basic", "username": "u", "secret": "open"}}`:                    "credential.secret: a secret must not stand",
		`{"type": "ticketing_jira", "url": "https://x.example", "credential": {"type": "basic", "username": "u", "secret": "sealed:v1:k:y"}}`:           "credential.secret: damaged",
		`{"type": "ticketing_jira", "url": "https://x.example", "credential": {"type": "basic", "username": "u", "secret": "env:TEST_NOT_SET_AT_ALL"}}`: "TEST_NOT_SET_AT_ALL is not set",
	} {
		_, err := parseAPI(text)
		assert.ErrorContains(t, err, want, text)
		assert.NotContains(t, err.Error(), "integrations[0]", text)
	}
}

func TestAFileHasNoSealedSecrets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.yaml")
	require.NoError(t, os.WriteFile(path, []byte(`integrations:
  - {name: j, type: ticketing_jira, url: https://x.example, credential: {type: bearer, secret: "sealed:v1:k:x"}}
`), 0o600))
	_, err := config.Load(path, known())
	assert.ErrorContains(t, err, "kept by the integrations API")
}

func TestTheKeysOfAnIntegrationAreThoseOfTheFile(t *testing.T) {
	t.Setenv("SNOW", "secret-value-of-SNOW")
	cfg, err := config.Load(write(t, `integrations:
  - name: snow
    type: ticketing_servicenow
    url: https://snow.example
    credential: {type: token, secret: "env:SNOW"}
    create_mode: import_set
    import_table: u_import
    import_fields: {description: u_text}
    rate: {per_second: 2.5, concurrency: 1}
    custom_field_mappings: [{name: due, project_id: "*", provider_field_path: due_date}]
`), config.Known{IntegrationTypes: provider.Types()})
	require.NoError(t, err)
	keys, err := cfg.Integrations[0].Keys()
	require.NoError(t, err)
	assert.Equal(t, map[string]any{
		"type": config.TypeServiceNow, "url": "https://snow.example", "credential": map[string]any{"type": "token", "secret": "env:SNOW"},
		"settling": "1m15s", "memory": "168h", "create_mode": "import_set", "import_table": "u_import",
		"import_fields": map[string]any{"description": "u_text"}, "rate": map[string]any{"per_second": 2.5, "concurrency": int64(1)},
		"custom_field_mappings": []any{map[string]any{"name": "due", "project_id": "*", "provider_field_path": "due_date"}},
	}, keys)
}
