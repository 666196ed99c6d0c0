package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEnvironmentOfOurPrograms(t *testing.T) {
	s := settings{temporalPort: 7999, namespace: "default", httpAddr: ":1", metricsAddr: ":2"}
	inherited := []string{"HOME=/root", "TEMPORAL_API_KEY=of-another-server", "TICKETBRIDGE_LOG_FORMAT=json"}
	env := s.environ(inherited, "my.yaml")
	assert.Contains(t, env, "HOME=/root")
	assert.NotContains(t, env, "TEMPORAL_API_KEY=of-another-server")
	assert.Contains(t, env, "TEMPORAL_ADDRESS=127.0.0.1:7999")
	assert.Contains(t, env, "TICKETBRIDGE_LOG_FORMAT=json", "the user's word counts")
	assert.Contains(t, env, "TICKETBRIDGE_STOP_TIMEOUT=10s")
	assert.Contains(t, env, "TICKETBRIDGE_CONFIG=my.yaml")
	assert.Contains(t, env, "DEMO_TOKEN="+demoToken)

	s.config, s.temporalAddress = "my.yaml", "cluster:7233"
	env = s.environ(inherited, "my.yaml")
	assert.Contains(t, env, "TEMPORAL_API_KEY=of-another-server", "it is meant for the user's server")
	assert.NotContains(t, env, "DEMO_TOKEN="+demoToken)
}

func TestTheDatabaseIsSaferWithOnesOwnConfiguration(t *testing.T) {
	assert.Contains(t, settings{}.serverArgs(), "synchronous=normal")
	assert.Contains(t, settings{config: "my.yaml"}.serverArgs(), "synchronous=full")
	assert.Contains(t, settings{}.serverArgs(), "journal_mode=WAL")
}

func TestTheShellReadsTheEnvFile(t *testing.T) {
	s := settings{dir: t.TempDir(), temporalPort: 7233, namespace: "it's mine", httpAddr: ":1", metricsAddr: ":2"}
	require.NoError(t, s.writeEnv("examples/demo.yaml"))
	out, err := exec.Command("sh", "-c", `. "$0" && printf '%s|%s|%s|%s|%s' "$TEMPORAL_NAMESPACE" "$DEMO_TOKEN" "$PATH" "$HTTP" "$TEMPORAL_CLI_ADDRESS"`, s.in("env")).CombinedOutput()
	require.NoError(t, err, string(out))
	parts := strings.Split(string(out), "|")
	assert.Equal(t, "it's mine", parts[0])
	assert.Equal(t, demoToken, parts[1])
	assert.True(t, strings.HasPrefix(parts[2], s.in("bin")+":"))
	assert.Equal(t, []string{"http://127.0.0.1:1", "127.0.0.1:7233"}, parts[3:])
}

func TestTheDemonstrationFollowsItsPort(t *testing.T) {
	t.Chdir("..")
	s := settings{dir: t.TempDir(), simulatorPort: 8090}
	file, err := s.configFile()
	require.NoError(t, err)
	assert.Equal(t, demoFile, file, "the usual port needs no copy")

	s.simulatorPort = 4711
	file, err = s.configFile()
	require.NoError(t, err)
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Contains(t, string(data), "http://127.0.0.1:4711/jira")
	assert.NotContains(t, string(data), "8090/")
	assert.FileExists(t, s.in("catalog.yaml"))

	s.config = "my.yaml"
	file, err = s.configFile()
	require.NoError(t, err)
	assert.Equal(t, "my.yaml", file)
}

func TestOneLauncherForAFolder(t *testing.T) {
	s := settings{dir: t.TempDir()}
	first, err := takeLock(s)
	require.NoError(t, err)
	assert.False(t, first.killed)
	_, err = takeLock(s)
	assert.ErrorContains(t, err, "another `make run` (process ")
	require.NoError(t, first.release())
	second, err := takeLock(s)
	require.NoError(t, err)
	assert.False(t, second.killed, "the first came to its end")
	require.NoError(t, second.file.Close()) // as if it were killed
	third, err := takeLock(s)
	require.NoError(t, err)
	assert.True(t, third.killed)
	require.NoError(t, third.release())
}
