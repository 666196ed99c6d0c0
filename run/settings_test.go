package main

import (
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func from(vars map[string]string) func(string) string {
	return func(name string) string { return vars[name] }
}

func TestSettingsHaveDefaults(t *testing.T) {
	s, err := readSettings(nil, from(nil), io.Discard)
	require.NoError(t, err)
	assert.True(t, s.demo())
	assert.True(t, s.embedded())
	assert.Equal(t, "127.0.0.1:7233", s.temporalAt())
	assert.Equal(t, "http://127.0.0.1:8233", s.uiURL())
	assert.Equal(t, "http://127.0.0.1:8080", s.httpURL())
	assert.Equal(t, "http://127.0.0.1:9090", s.metricsURL())
	assert.Equal(t, "http://127.0.0.1:8090", s.simulatorURL())
	assert.Equal(t, ".run/logs/worker.log", s.in("logs", "worker.log"))
	assert.Equal(t, 3*time.Second, s.pace)
}

func TestSettingsFromFlagsAndEnvironment(t *testing.T) {
	s, err := readSettings([]string{"-config", "my.yaml", "-tools", "temporal,tctl"}, from(map[string]string{
		"TB_RUN_DIR": "/tmp/x", "TEMPORAL_ADDRESS": "cluster:7233", "TICKETBRIDGE_HTTP_ADDR": ":8081", "TB_PACE": "1s",
	}), io.Discard)
	require.NoError(t, err)
	assert.False(t, s.demo())
	assert.False(t, s.embedded())
	assert.Equal(t, "cluster:7233", s.temporalAt())
	assert.Equal(t, "http://127.0.0.1:8081", s.httpURL(), "an address without a host is reached on this machine")
	assert.Equal(t, []string{"temporal", "tctl"}, s.tools)
}

func TestSettingsNameAllThatIsWrong(t *testing.T) {
	_, err := readSettings(nil, from(map[string]string{
		"TB_UI_PORT": "many", "TB_TEMPORAL_PORT": "70000", "TICKETBRIDGE_HTTP_ADDR": "8080", "TB_PACE": "fast",
	}), io.Discard)
	assert.ErrorContains(t, err, "TB_UI_PORT=many: want a port, e.g. 8233")
	assert.ErrorContains(t, err, "TB_TEMPORAL_PORT=70000: want a port")
	assert.ErrorContains(t, err, "TICKETBRIDGE_HTTP_ADDR=8080: want host:port")
	assert.ErrorContains(t, err, "TB_PACE=fast: want a duration")

	_, err = readSettings([]string{"now"}, from(nil), io.Discard)
	assert.ErrorContains(t, err, `unexpected argument "now"`)
}
