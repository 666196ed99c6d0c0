package config_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/config"
)

func withServiceNow() config.Known {
	return config.Known{IntegrationTypes: []string{config.TypeServiceNow, config.TypeServiceNowSIR}}
}

func TestTheServiceNowExampleLoads(t *testing.T) {
	for _, name := range []string{"SNOW_OAUTH_SECRET", "SNOW_PASSWORD", "MONITORING_TOKEN", "SIEM_TOKEN"} {
		t.Setenv(name, "secret-value-of-"+name)
	}
	cfg, err := config.Load(filepath.Join(examples, "servicenow.yaml"), withServiceNow())
	require.NoError(t, err)
	assert.Empty(t, cfg.Warnings)
	ops, err := cfg.Integration("snow-ops")
	require.NoError(t, err)
	assert.Equal(t, "On Hold/Awaiting Vendor", ops.StatusMap["waiting_for"])
	security, err := cfg.Integration("snow-security")
	require.NoError(t, err)
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
`), withServiceNow())
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
