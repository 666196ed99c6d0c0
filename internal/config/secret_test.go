package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/config"
)

func TestSecretIsNeverShown(t *testing.T) {
	const value = "hunter2hunter2"
	secret := config.NewSecret(value)
	type hidden struct{ secret config.Secret }
	holders := []any{
		secret, &secret, []config.Secret{secret}, map[string]config.Secret{"a": secret},
		config.Caller{Name: "a", Token: secret}, &config.Caller{Token: secret},
		config.Config{Callers: []config.Caller{{Token: secret}}, Feeds: []config.Feed{{Credential: config.Credential{Secret: secret}}}},
		hidden{secret}, &hidden{secret},
	}
	for i, holder := range holders {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			assert.NotContains(t, fmt.Sprintf(verb, holder), value, "%d %s", i, verb)
			assert.NotContains(t, fmt.Sprintf(verb, holder), fmt.Sprintf("%x", value), "%d %s", i, verb)
		}
		text, err := json.Marshal(holder)
		require.NoError(t, err)
		assert.NotContains(t, string(text), value)
		text, err = yaml.Marshal(holder)
		require.NoError(t, err)
		assert.NotContains(t, string(text), value)
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "holder", holder)
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "holder", holder)
		assert.NotContains(t, log.String(), value)
	}
	assert.Equal(t, "[redacted]", secret.String())
	assert.Equal(t, value, secret.Reveal())
	assert.True(t, secret.Equal(value))
	assert.False(t, secret.Equal("another"))
	assert.True(t, config.Secret{}.Empty())
	assert.Empty(t, config.Secret{}.Reveal())
}
