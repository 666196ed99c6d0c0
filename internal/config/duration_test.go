package config_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/config"
)

func TestDurationForms(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"10s": 10 * time.Second, "0s": 0, "0": 0, "1h30m": 90 * time.Minute, "250ms": 250 * time.Millisecond,
		"7d": 168 * time.Hour, "1d12h": 36 * time.Hour, "-5s": -5 * time.Second, "0d": 0,
	} {
		var d config.Duration
		require.NoError(t, d.UnmarshalText([]byte(text)), text)
		assert.Equal(t, want, d.Std(), text)
	}
	for _, text := range []string{"", "10", "ten seconds", "d", "-1d", "1d2", "1d2d", "99999d"} {
		var d config.Duration
		assert.Error(t, d.UnmarshalText([]byte(text)), text)
	}
}

func TestDurationIsPrintedShort(t *testing.T) {
	for _, text := range []string{"72h", "1h30m", "1h0m5s", "10m", "1m5s", "20s", "1.5s", "0s", "1ms", "-10m"} {
		var d config.Duration
		require.NoError(t, d.UnmarshalText([]byte(text)))
		assert.Equal(t, text, d.String())
	}
}

func TestDurationInJSON(t *testing.T) {
	var in struct{ D config.Duration }
	require.NoError(t, json.Unmarshal([]byte(`{"D":"90s"}`), &in))
	assert.Equal(t, 90*time.Second, in.D.Std())
	text, err := json.Marshal(in)
	require.NoError(t, err)
	assert.JSONEq(t, `{"D":"1m30s"}`, string(text))
	assert.Error(t, json.Unmarshal([]byte(`{"D":5}`), &in), "a bare number has no unit")
}
