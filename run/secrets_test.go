package main

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/seal"
)

func TestDrawnSecretsStay(t *testing.T) {
	s := settings{dir: t.TempDir()}
	first, err := s.drawSecrets()
	require.NoError(t, err)
	again, err := s.drawSecrets()
	require.NoError(t, err)
	assert.Equal(t, first, again, "a second make run goes on where the first stopped")
	assert.NotEqual(t, first.adminToken, first.secretKey)
	for _, name := range []string{"admin.token", "secret.key"} {
		about, err := os.Stat(s.in(name))
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), about.Mode().Perm(), name)
	}

	other, err := settings{dir: t.TempDir()}.drawSecrets()
	require.NoError(t, err)
	assert.NotEqual(t, first.adminToken, other.adminToken)
	assert.NotEqual(t, first.secretKey, other.secretKey)
}

func TestADrawnKeySeals(t *testing.T) {
	d, err := settings{dir: t.TempDir()}.drawSecrets()
	require.NoError(t, err)
	keys, err := seal.NewKeys(d.secretKey)
	require.NoError(t, err)
	sealed, err := keys.Seal("quay", "hush")
	require.NoError(t, err)
	assert.NotContains(t, sealed, "hush")
}

func TestABrokenSecretIsNotReplaced(t *testing.T) {
	s := settings{dir: t.TempDir()}
	require.NoError(t, os.WriteFile(s.in("secret.key"), []byte("aGFsZg=="), 0o600))
	_, err := s.drawSecrets()
	assert.ErrorContains(t, err, "secret.key: want 32 random bytes in base64")
	assert.NotContains(t, err.Error(), "aGFsZg")
	data, err := os.ReadFile(s.in("secret.key"))
	require.NoError(t, err)
	assert.Equal(t, "aGFsZg==", string(data))
}

func TestProgramsAndShellKnowTheDrawnSecrets(t *testing.T) {
	s := settings{dir: t.TempDir(), temporalPort: 7233, namespace: "default", httpAddr: ":1", metricsAddr: ":2"}
	var err error
	s.drawn, err = s.drawSecrets()
	require.NoError(t, err)
	env := s.environ(nil, "my.yaml")
	assert.Contains(t, env, "ADMIN_TOKEN="+s.adminToken)
	assert.Contains(t, env, "TICKETBRIDGE_SECRET_KEYS="+s.secretKey)

	require.NoError(t, s.writeEnv("examples/demo.yaml"))
	out, err := exec.Command("sh", "-c", `. "$0" && printf '%s|%s' "$ADMIN_TOKEN" "$TICKETBRIDGE_SECRET_KEYS"`, s.in("env")).CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Equal(t, s.adminToken+"|"+s.secretKey, string(out))

	s.config = "my.yaml"
	assert.Equal(t, []string{"TICKETBRIDGE_SECRET_KEYS=mine"}, s.environ([]string{"TICKETBRIDGE_SECRET_KEYS=mine"}, "my.yaml")[:1])
	assert.NotContains(t, s.environ(nil, "my.yaml"), "TICKETBRIDGE_SECRET_KEYS="+s.secretKey, "one's own configuration has one's own key")
}
