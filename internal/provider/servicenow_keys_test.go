package provider

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/config"
)

func TestTheServiceNowExampleLoads(t *testing.T) {
	for _, name := range []string{"SNOW_OAUTH_SECRET", "SNOW_PASSWORD", "MONITORING_TOKEN", "SIEM_TOKEN"} {
		t.Setenv(name, "secret-value-of-"+name)
	}
	cfg, err := config.Load(filepath.Join(examples, "servicenow.yaml"), known())
	require.NoError(t, err)
	assert.Empty(t, cfg.Warnings)
	ops, err := cfg.Integration("snow-ops")
	require.NoError(t, err)
	assert.Equal(t, "On Hold/Awaiting Vendor", ops.StatusMap["waiting_for"])
	assert.Equal(t, createInTable, config.Own(ops, serviceNowDefaults).CreateMode)
	staged, err := cfg.Integration("snow-staged")
	require.NoError(t, err)
	assert.Equal(t, &serviceNowKeys{
		CreateMode: createByImport, ImportTable: "u_ticketbridge_import",
		ImportFields: map[string]string{"correlation_id": "u_correlation_id", "short_description": "u_short_description", "description": "u_description"},
	}, staged.Own)
	security, err := cfg.Integration("snow-security")
	require.NoError(t, err)
	assert.Equal(t, "soc@harbour.example", config.Own(security, serviceNowDefaults).DefaultCreator)
	for _, in := range []config.Integration{ops, security} {
		assert.Equal(t, config.Rate{PerSecond: 10, Concurrency: 2}, in.Rate, "an instance has few threads")
		assert.Equal(t, 75*time.Second, in.Settling.Std(), "longer than the instance works on a call")
		assert.Empty(t, in.DefaultIssueType, "Task is Jira's")
	}
}

func TestServiceNowProblems(t *testing.T) {
	t.Setenv("SNOW", "secret-value-of-SNOW")
	load := func(more string) (*config.Config, error) {
		return config.Load(write(t, `integrations:
  - name: snow
    type: ticketing_servicenow
    url: https://snow.example
    credential: {type: oauth_client, client_id: a, secret: "env:SNOW"}
    `+more+`
callers:
  - {name: monitoring, token: "env:SNOW", integration: snow}
`), known())
	}
	_, err := load("default_project: Incident Table")
	assert.ErrorContains(t, err, `integrations[0].default_project: "Incident Table": want the name of a table`)
	cfg, err := load("settling: 10s")
	require.NoError(t, err)
	require.Len(t, cfg.Warnings, 1)
	assert.Contains(t, cfg.Warnings[0].String(), "settling")
	cfg, err = load("default_project: u_ops_incident")
	require.NoError(t, err)
	assert.Empty(t, cfg.Warnings)
}

func TestProblemsOfStagingTables(t *testing.T) {
	t.Setenv("SNOW", "secret-value-of-SNOW")
	load := func(kind, more string) error {
		_, err := config.Load(write(t, `integrations:
  - name: snow
    type: `+kind+`
    url: https://snow.example
    credential: {type: basic, username: a, secret: "env:SNOW"}
    default_project: incident
    `+more+`
callers:
  - {name: monitoring, token: "env:SNOW", integration: snow}
`), known())
		return err
	}
	const snow = config.TypeServiceNow
	for want, more := range map[string]string{
		`integrations[0].create_mode: unknown value "import"`:                               "create_mode: import",
		"integrations[0].import_table: missing":                                             "create_mode: import_set",
		"integrations[0].import_table: only with create_mode: import_set":                   "import_table: u_import",
		`integrations[0].import_table: "Our Import": want the name of a staging table`:      "{create_mode: import_set, import_table: Our Import}",
		`integrations[0].import_fields.description: "a b": want the names of two columns`:   `{create_mode: import_set, import_table: u_i, import_fields: {description: "a b"}}`,
		"integrations[0].import_fields.short_description: u_a is the column of description": `{create_mode: import_set, import_table: u_i, import_fields: {description: u_a, short_description: u_a}}`,
	} {
		more = strings.NewReplacer("{create_mode: import_set, ", "create_mode: import_set\n    ", "u_i, ", "u_i\n    ", "}}", "}", "Import}", "Import").Replace(more)
		assert.ErrorContains(t, load(snow, more), want)
	}
	assert.NoError(t, load(config.TypeServiceNowSIR, "create_mode: import_set\n    import_table: sn_si_incident_import"))
	assert.ErrorContains(t, load(config.TypeJira, "import_table: u_import"), "integrations[0].import_table: only a ticketing_servicenow or ticketing_servicenow_sir has this key")
}
