package config_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/config"
)

// withoutSettings clears the settings that the developer's shell may have.
func withoutSettings(t *testing.T) {
	t.Helper()
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "TICKETBRIDGE_") {
			t.Setenv(name, "") // remembers the value for the end of the test
			require.NoError(t, os.Unsetenv(name))
		}
	}
}

func TestSettingsHaveDefaults(t *testing.T) {
	withoutSettings(t)
	t.Setenv("HTTP_ADDR", "0.0.0.0:1") // not ours: it has no prefix
	s, err := config.LoadSettings()
	require.NoError(t, err)
	assert.Equal(t, "ticketbridge.yaml", s.Config)
	assert.Equal(t, "127.0.0.1:8080", s.HTTP.Addr)
	assert.Equal(t, "127.0.0.1:9090", s.MetricsAddr)
	assert.Equal(t, "info", s.LogLevel)
	assert.Equal(t, "auto", s.LogFormat)
	assert.Equal(t, 25*time.Second, s.StopTimeout.Std())
	assert.Equal(t, 70*time.Second, s.FeedWindow.Std())
	assert.EqualValues(t, 256<<20, s.MaxUpload)
	assert.EqualValues(t, 2<<30, s.Spool.Limit)
	assert.Empty(t, s.Spool.Dir)
}

func TestSettingsComeFromTheEnvironment(t *testing.T) {
	withoutSettings(t)
	for name, value := range map[string]string{
		"CONFIG": "my.yaml", "HTTP_ADDR": ":80", "HTTP_TLS_CERT": "c.pem", "HTTP_TLS_KEY": "k.pem",
		"METRICS_ADDR": "", "LOG_LEVEL": "debug", "LOG_FORMAT": "json", "STOP_TIMEOUT": "1m", "FEED_WINDOW": "5s",
		"MAX_UPLOAD": "100MB", "SPOOL_DIR": "/var/spool/x", "SPOOL_LIMIT": "1GB",
	} {
		t.Setenv("TICKETBRIDGE_"+name, value)
	}
	s, err := config.LoadSettings()
	require.NoError(t, err)
	assert.Equal(t, "my.yaml", s.Config)
	assert.Equal(t, ":80", s.HTTP.Addr)
	assert.Equal(t, "c.pem", s.HTTP.TLS.Cert)
	assert.Equal(t, "k.pem", s.HTTP.TLS.Key)
	assert.Empty(t, s.MetricsAddr, "empty turns the worker's metrics off")
	assert.Equal(t, "debug", s.LogLevel)
	assert.Equal(t, "json", s.LogFormat)
	assert.Equal(t, time.Minute, s.StopTimeout.Std())
	assert.Equal(t, 5*time.Second, s.FeedWindow.Std())
	assert.EqualValues(t, 100<<20, s.MaxUpload)
	assert.EqualValues(t, 1<<30, s.Spool.Limit)
	assert.Equal(t, "/var/spool/x", s.Spool.Dir)
}

func TestSettingsSayWhatIsWrongWithoutTheValue(t *testing.T) {
	const secret = "hunter2hunter2"
	for name, tc := range map[string]struct {
		env  map[string]string
		want string
	}{
		"misspelt": {
			map[string]string{"HTPP_ADDR": secret, "ZZZZZZ": secret},
			`TICKETBRIDGE_HTPP_ADDR: unknown setting; did you mean "HTTP_ADDR"? (all begin with TICKETBRIDGE_, so a secret of the configuration needs another name)
TICKETBRIDGE_ZZZZZZ: unknown setting; known are CONFIG, HTTP_ADDR, HTTP_TLS_CERT, HTTP_TLS_KEY, METRICS_ADDR, LOG_LEVEL, LOG_FORMAT, STOP_TIMEOUT, FEED_WINDOW, SECRET_KEYS, SECRET_DIR, MAX_UPLOAD, SPOOL_DIR, SPOOL_LIMIT (all begin with TICKETBRIDGE_, so a secret of the configuration needs another name)`,
		},
		"duration":  {map[string]string{"STOP_TIMEOUT": secret}, `TICKETBRIDGE_STOP_TIMEOUT: want a duration like "10s", "5m", "1h30m" or "7d"`},
		"size":      {map[string]string{"MAX_UPLOAD": secret}, `TICKETBRIDGE_MAX_UPLOAD: want a size like "256MB" or "2GB"`},
		"no unit":   {map[string]string{"SPOOL_LIMIT": "1000"}, `TICKETBRIDGE_SPOOL_LIMIT: want a size like "256MB" or "2GB"`},
		"too large": {map[string]string{"SPOOL_LIMIT": "9999999999999GB"}, `TICKETBRIDGE_SPOOL_LIMIT: want a size like "256MB" or "2GB"`},
		"no room":   {map[string]string{"SPOOL_LIMIT": "200MB"}, `TICKETBRIDGE_SPOOL_LIMIT: want at least as much as TICKETBRIDGE_MAX_UPLOAD`},
		"nothing":   {map[string]string{"MAX_UPLOAD": "0MB"}, `TICKETBRIDGE_MAX_UPLOAD: want at least 1MB`},
		"several": {map[string]string{"HTTP_ADDR": secret, "METRICS_ADDR": secret, "LOG_LEVEL": secret, "LOG_FORMAT": secret, "CONFIG": "", "FEED_WINDOW": "1h", "STOP_TIMEOUT": "0s", "HTTP_TLS_KEY": secret},
			`TICKETBRIDGE_CONFIG: is empty; unset it for ticketbridge.yaml, or name a file
TICKETBRIDGE_HTTP_ADDR: want host:port, e.g. 127.0.0.1:8080 or :8080 for all interfaces
TICKETBRIDGE_METRICS_ADDR: want host:port, or nothing to serve no metrics
TICKETBRIDGE_HTTP_TLS_CERT: give both this and TICKETBRIDGE_HTTP_TLS_KEY, or neither
TICKETBRIDGE_LOG_LEVEL: want debug, info, warn or error
TICKETBRIDGE_LOG_FORMAT: want auto, text or json
TICKETBRIDGE_STOP_TIMEOUT: want more than 0 and at most 1h
TICKETBRIDGE_FEED_WINDOW: want 1s to 140s: the feed's activity says only in the middle of its window that it lives`},
	} {
		t.Run(name, func(t *testing.T) {
			withoutSettings(t)
			for name, value := range tc.env {
				t.Setenv("TICKETBRIDGE_"+name, value)
			}
			_, err := config.LoadSettings()
			require.Error(t, err)
			assert.Equal(t, tc.want, err.Error())
			assert.NotContains(t, err.Error(), secret)
		})
	}
}

func TestUsageNamesEverySetting(t *testing.T) {
	text := config.Usage()
	for _, line := range []string{
		"TICKETBRIDGE_CONFIG         the configuration file (default ticketbridge.yaml)\n",
		"TICKETBRIDGE_HTTP_TLS_CERT  PEM file",
		"TICKETBRIDGE_METRICS_ADDR   where",
		"TICKETBRIDGE_STOP_TIMEOUT   how long running calls may take to end when the process is stopped (default 25s)\n",
	} {
		assert.Contains(t, text, line)
	}
}
