package acronis

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/acronis"
)

func TestTheConfigurationIsChecked(t *testing.T) {
	good := newRig(t, sim.Options{}).cfg
	for name, c := range map[string]struct {
		field  string
		change func(*Config)
	}{
		"no url":         {"url", func(c *Config) { c.URL = "" }},
		"no scheme":      {"url", func(c *Config) { c.URL = "eu2-cloud.acronis.com" }},
		"ftp":            {"url", func(c *Config) { c.URL = "ftp://eu2-cloud.acronis.com" }},
		"password":       {"url", func(c *Config) { c.URL = "https://a:b@h" }},
		"query":          {"url", func(c *Config) { c.URL = "https://h/?a=b" }},
		"no tokens":      {"credential", func(c *Config) { c.Tokens = nil }},
		"no topic":       {"topic", func(c *Config) { c.Topic = "" }},
		"no types":       {"types", func(c *Config) { c.Types = nil }},
		"start":          {"start", func(c *Config) { c.Start = "yesterday" }},
		"consumer":       {"consumer", func(c *Config) { c.Consumer = "nobody" }},
		"short session":  {"session_timeout", func(c *Config) { c.SessionTimeout = time.Millisecond }},
		"long long poll": {"long_poll", func(c *Config) { c.LongPoll = time.Hour }},
		"negative poll":  {"long_poll", func(c *Config) { c.LongPoll = -1 }},
	} {
		cfg := good
		c.change(&cfg)
		_, err := New(cfg)
		var e *ConfigurationError
		require.ErrorAs(t, err, &e, name)
		require.Equal(t, c.field, e.Field, name)
		require.Contains(t, err.Error(), c.field+": ")
	}
	good.SessionTimeout = 10 * time.Second
	client, err := New(good)
	require.NoError(t, err)
	require.Equal(t, 10*time.Second, client.cfg.LongPoll, "a poll is no longer than a session")
}

func TestStarts(t *testing.T) {
	for text, want := range map[string]start{
		"earliest": {word: StartEarliest}, "current": {word: StartCurrent}, "stored": {word: StartStored},
		"0": {}, "9007199254740993": {offset: 9007199254740993}, "9223372036854775807": {offset: 1<<63 - 1},
		"2026-01-15T12:00:00.5Z":    {at: time.Date(2026, 1, 15, 12, 0, 0, 5e8, time.UTC)},
		"2026-01-15T14:00:00+02:00": {at: time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)},
	} {
		got, err := parseStart(text)
		require.NoError(t, err)
		require.True(t, want.at.Equal(got.at), text)
		got.at = want.at
		require.Equal(t, want, got)
	}
	for _, text := range []string{"", "-1", "9223372036854775808", "oldest", "2026-01-15", "1e3", "0x10", " 1"} {
		_, err := parseStart(text)
		require.ErrorContains(t, err, "is neither")
	}
}

func TestDurationsInTheVendorsForm(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "PT0S", -time.Second: "PT0S", 30 * time.Second: "PT30S", time.Hour: "PT3600S", 1500 * time.Millisecond: "PT1.5S",
	} {
		require.Equal(t, want, isoDuration(d))
	}
}
