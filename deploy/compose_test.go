package deploy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/config"
)

const composeFile = "../docker-compose.yml"

// service is what the tests look at; merge keys are resolved.
type service struct {
	Image       string            `yaml:"image"`
	Build       any               `yaml:"build"`
	Restart     string            `yaml:"restart"`
	Ports       []string          `yaml:"ports"`
	Environment map[string]string `yaml:"environment"`
	Volumes     []any             `yaml:"volumes"`
	Healthcheck map[string]any    `yaml:"healthcheck"`
	DependsOn   map[string]struct {
		Condition string `yaml:"condition"`
	} `yaml:"depends_on"`
}

// once reports whether the service ends by itself.
func (s service) once() bool { return strings.HasPrefix(s.Restart, "on-failure") }

func readCompose(t *testing.T) map[string]service {
	t.Helper()
	var file struct {
		Services map[string]service `yaml:"services"`
		Volumes  map[string]any     `yaml:"volumes"`
	}
	data, err := os.ReadFile(composeFile)
	require.NoError(t, err)
	// A key beside a merged one counts as a duplicate to this parser.
	require.NoError(t, yaml.UnmarshalWithOptions(data, &file, yaml.AllowDuplicateMapKey()))
	require.NotEmpty(t, file.Services)
	for name, s := range file.Services {
		for _, v := range s.Volumes {
			text, short := v.(string)
			source, _, _ := strings.Cut(text, ":")
			if !short {
				continue
			}
			if strings.HasPrefix(source, "./") {
				assert.FileExists(t, readable(t, filepath.Join("..", source)), "%s: volume %s", name, text)
			} else {
				assert.Contains(t, file.Volumes, source, name)
			}
		}
	}
	return file.Services
}

// readable is the file itself, or any file of the folder.
func readable(t *testing.T, path string) string {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return path
	}
	entries, err := os.ReadDir(path)
	require.NoError(t, err)
	if len(entries) == 0 {
		return path
	}
	return readable(t, filepath.Join(path, entries[0].Name()))
}

func TestServicesWaitForWhatTheyNeed(t *testing.T) {
	services := readCompose(t)
	for _, name := range []string{"postgresql", "temporal-schema", "temporal", "temporal-namespace", "temporal-ui", "worker", "starter", "feeds", "prometheus", "grafana"} {
		assert.Contains(t, services, name)
	}
	assert.True(t, services["feeds"].once() && services["temporal-schema"].once())
	for name, s := range services {
		for dependency, on := range s.DependsOn {
			require.Contains(t, services, dependency, name)
			want := "service_healthy"
			if services[dependency].once() {
				want = "service_completed_successfully"
			}
			assert.Equal(t, want, on.Condition, "%s waits for %s", name, dependency)
		}
	}
}

func TestImagesArePinned(t *testing.T) {
	pinned := regexp.MustCompile(`:v?\d+\.\d+\.?\d*`)
	for name, s := range readCompose(t) {
		if strings.HasPrefix(s.Image, "ticketbridge-") {
			continue
		}
		assert.Regexp(t, pinned, s.Image, name)
	}
	data, err := os.ReadFile("../Dockerfile")
	require.NoError(t, err)
	for _, match := range regexp.MustCompile(`(?m)^FROM (?:--\S+ )?(\S+:\S+)`).FindAllStringSubmatch(string(data), -1) {
		assert.Regexp(t, `:\d+\.\d+\.\d+`, match[1])
	}
}

func TestServicesComeBackAndAreWatched(t *testing.T) {
	for name, s := range readCompose(t) {
		if s.once() {
			continue
		}
		assert.Equal(t, "unless-stopped", s.Restart, name)
		// Ours have theirs in the Dockerfile.
		assert.True(t, s.Build != nil || len(s.Healthcheck) > 0, "%s has no health check", name)
	}
}

func TestPortsAreOpenOnThisMachineOnly(t *testing.T) {
	for name, s := range readCompose(t) {
		for _, port := range s.Ports {
			assert.True(t, strings.HasPrefix(port, "127.0.0.1:"), "%s: %s", name, port)
		}
	}
}

// A password must be asked for, never be there.
func TestNoPasswordHasADefault(t *testing.T) {
	asked := 0
	for name, s := range readCompose(t) {
		for variable, value := range s.Environment {
			if regexp.MustCompile(`PASSWORD|PWD|SECRET|TOKEN`).MatchString(variable) {
				assert.Regexp(t, `^\$\{\w+:\?.+\}$`, value, "%s: %s", name, variable)
				asked++
			}
		}
	}
	assert.GreaterOrEqual(t, asked, 4)
	example, err := os.ReadFile("env.example")
	require.NoError(t, err)
	compose, err := os.ReadFile(composeFile)
	require.NoError(t, err)
	for _, match := range regexp.MustCompile(`[^$]\$\{(\w+)`).FindAllStringSubmatch(string(compose), -1) {
		assert.Regexp(t, `(?m)^#?`+match[1]+`=`, string(example), "env.example does not explain %s", match[1])
	}
	for _, match := range regexp.MustCompile(`(?m)^(\w+)=(.*)$`).FindAllStringSubmatch(string(example), -1) {
		assert.Empty(t, match[2], "%s has a value in env.example", match[1])
	}
}

func TestSettingsExist(t *testing.T) {
	files := []string{composeFile, "../Dockerfile"}
	for _, name := range files {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		used := regexp.MustCompile(`TICKETBRIDGE_[A-Z_]+`).FindAllString(string(data), -1)
		require.NotEmpty(t, used)
		for _, setting := range used {
			assert.Contains(t, config.Usage(), setting, name)
		}
	}
}

// Prometheus must find the programs at the ports where they are told to listen.
func TestPrometheusScrapesWhatListens(t *testing.T) {
	services := readCompose(t)
	var file struct {
		RuleFiles []string `yaml:"rule_files"`
		Scrape    []struct {
			Job    string `yaml:"job_name"`
			Static []struct {
				Targets []string `yaml:"targets"`
			} `yaml:"static_configs"`
			DNS []struct {
				Names []string `yaml:"names"`
				Port  string   `yaml:"port"`
			} `yaml:"dns_sd_configs"`
		} `yaml:"scrape_configs"`
	}
	readYAML(t, "prometheus.yml", &file)
	assert.Equal(t, []string{"alerts.yml"}, file.RuleFiles)
	found := map[string]string{}
	for _, job := range file.Scrape {
		for _, s := range job.Static {
			found[job.Job] = s.Targets[0]
		}
		for _, d := range job.DNS {
			found[job.Job] = d.Names[0] + ":" + d.Port
		}
	}
	assert.Equal(t, "worker"+services["worker"].Environment["TICKETBRIDGE_METRICS_ADDR"], found["worker"])
	assert.Equal(t, "starter"+services["starter"].Environment["TICKETBRIDGE_HTTP_ADDR"], found["starter"])
	_, port, ok := strings.Cut(services["temporal"].Environment["PROMETHEUS_ENDPOINT"], ":")
	require.True(t, ok)
	assert.Equal(t, "temporal:"+port, found["temporal"])
}
