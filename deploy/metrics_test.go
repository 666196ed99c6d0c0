// Package deploy_test holds the files of this folder against the program that
// they are for.
package deploy_test

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/telemetry"
)

const dashboardFile = "grafana/dashboards/ticketbridge.json"

// expression is PromQL with the place it stands at.
type expression struct{ where, text string }

type panel struct {
	ID         int        `json:"id"`
	Type       string     `json:"type"`
	Title      string     `json:"title"`
	Datasource datasource `json:"datasource"`
	Targets    []struct {
		RefID      string     `json:"refId"`
		Expr       string     `json:"expr"`
		Legend     string     `json:"legendFormat"`
		Datasource datasource `json:"datasource"`
	} `json:"targets"`
}

type datasource struct {
	UID string `json:"uid"`
}

func readDashboard(t *testing.T) []panel {
	t.Helper()
	data, err := os.ReadFile(dashboardFile)
	require.NoError(t, err)
	var dashboard struct {
		UID    string  `json:"uid"`
		Title  string  `json:"title"`
		Panels []panel `json:"panels"`
	}
	require.NoError(t, json.Unmarshal(data, &dashboard))
	require.NotEmpty(t, dashboard.UID)
	require.Equal(t, "ticketbridge", dashboard.Title)
	require.NotEmpty(t, dashboard.Panels)
	return dashboard.Panels
}

func dashboardExpressions(t *testing.T) []expression {
	t.Helper()
	var all []expression
	for _, p := range readDashboard(t) {
		for _, target := range p.Targets {
			all = append(all, expression{"dashboard, " + p.Title, target.Expr})
		}
	}
	return all
}

type rule struct {
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

func readRules(t *testing.T) []rule {
	t.Helper()
	var file struct {
		Groups []struct {
			Rules []rule `yaml:"rules"`
		} `yaml:"groups"`
	}
	readYAML(t, "alerts.yml", &file)
	var all []rule
	for _, group := range file.Groups {
		all = append(all, group.Rules...)
	}
	require.NotEmpty(t, all)
	return all
}

func readYAML(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(data, into), name)
}

func expressions(t *testing.T) []expression {
	t.Helper()
	all := dashboardExpressions(t)
	for _, r := range readRules(t) {
		all = append(all, expression{"alert " + r.Alert, r.Expr})
	}
	return all
}

// exported are the metrics that the program really shows, with their labels:
// everything that can be recorded is recorded once, and read like Prometheus does.
func exported(t *testing.T) map[string][]string {
	t.Helper()
	m, err := telemetry.NewMetrics("v0", "r0")
	require.NoError(t, err)
	recordEverything(m)
	for _, name := range []string{contract.MetricParked, contract.MetricUnparked} { // as workflows do
		m.SDKMetricsHandler().WithTags(map[string]string{"kind": "create"}).Counter(name).Inc(1)
	}
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	require.Equal(t, 200, w.Code)
	labelName := regexp.MustCompile(`(\w+)="`)
	found := map[string][]string{}
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		name, rest, _ := strings.Cut(line, "{")
		name, _, _ = strings.Cut(name, " ")
		for _, match := range labelName.FindAllStringSubmatch(rest, -1) {
			found[name] = append(found[name], match[1])
		}
		found[name] = append(found[name], "job", "instance") // Prometheus adds them
	}
	return found
}

// recordEverything calls each method of Metrics that takes values and returns
// nothing, so that a new one needs no mention here.
func recordEverything(m *telemetry.Metrics) {
	v := reflect.ValueOf(m)
	for i := range v.NumMethod() {
		kind := v.Method(i).Type()
		if kind.NumOut() > 0 {
			continue
		}
		args := make([]reflect.Value, kind.NumIn())
		for j := range args {
			args[j] = sample(kind.In(j))
		}
		v.Method(i).Call(args)
	}
}

func sample(kind reflect.Type) reflect.Value {
	switch kind {
	case reflect.TypeFor[string]():
		return reflect.ValueOf("x")
	case reflect.TypeFor[int]():
		return reflect.ValueOf(1)
	case reflect.TypeFor[time.Time]():
		return reflect.ValueOf(time.Unix(1_700_000_000, 0))
	default:
		return reflect.Zero(kind)
	}
}

var (
	metricName  = regexp.MustCompile(`\b(?:ticketbridge|temporal|process|go)_[a-z_]+\b`)
	grouping    = regexp.MustCompile(`\b(?:by|on) \(([^)]*)\)`)
	matcher     = regexp.MustCompile(`(\w+)\s*=~?`)
	selector    = regexp.MustCompile(`\{([^}]*)\}`)
	renamed     = regexp.MustCompile(`label_replace\([^"]*(?:"[^"]*"[^"]*)*?, "(\w+)",`)
	legendLabel = regexp.MustCompile(`\{\{(\w+)\}\}`)
)

func TestEveryMetricExists(t *testing.T) {
	ours, sdk := exported(t), sdkNames(t)
	for _, e := range expressions(t) {
		names := metricName.FindAllString(e.text, -1)
		if !strings.Contains(e.text, "up{") {
			assert.NotEmpty(t, names, "%s: names no metric: %s", e.where, e.text)
		}
		for _, name := range names {
			if base, ok := strings.CutPrefix(name, "temporal_"); ok {
				assert.Contains(t, sdk, withoutUnit(base), "%s: the Temporal SDK has no metric %s", e.where, name)
				continue
			}
			assert.Contains(t, ours, name, "%s: the program shows no metric %s", e.where, name)
		}
	}
}

// sdkNames reads the names from the SDK's source, without their prefix: most of
// them appear only when something happened.
func sdkNames(t *testing.T) []string {
	t.Helper()
	dir, err := exec.Command("go", "list", "-f", "{{.Dir}}", "go.temporal.io/sdk/internal/common/metrics").Output()
	require.NoError(t, err)
	source, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "constants.go"))
	require.NoError(t, err)
	var names []string
	for _, match := range regexp.MustCompile(`TemporalMetricsPrefix \+ "(\w+)"`).FindAllStringSubmatch(string(source), -1) {
		names = append(names, match[1])
	}
	for _, match := range regexp.MustCompile(`= Temporal(Request|LongRequest)\s+\+ "(\w+)"`).FindAllStringSubmatch(string(source), -1) {
		names = append(names, map[string]string{"Request": "request", "LongRequest": "long_request"}[match[1]]+match[2])
	}
	require.Greater(t, len(names), 30)
	return names
}

// withoutUnit takes off what the exporter adds to counters and timers.
func withoutUnit(name string) string {
	for _, suffix := range []string{"_total", "_seconds_bucket", "_seconds_sum", "_seconds_count"} {
		name = strings.TrimSuffix(name, suffix)
	}
	return name
}

func TestEveryLabelExists(t *testing.T) {
	ours := exported(t)
	for _, e := range expressions(t) {
		known := []string{"job", "instance"}
		for _, name := range metricName.FindAllString(e.text, -1) {
			if strings.HasPrefix(name, "temporal_") {
				known = append(known, "namespace", "task_queue", "worker_type", "workflow_type", "activity_type", "failure_reason", "operation", "le")
			}
			known = append(known, ours[name]...)
		}
		for _, match := range renamed.FindAllStringSubmatch(e.text, -1) {
			known = append(known, match[1])
		}
		for _, label := range labelsOf(e.text) {
			assert.Contains(t, known, label, "%s: its metrics have no label %s: %s", e.where, label, e.text)
		}
	}
}

func labelsOf(text string) []string {
	var labels []string
	for _, match := range grouping.FindAllStringSubmatch(text, -1) {
		for label := range strings.SplitSeq(match[1], ",") {
			labels = append(labels, strings.TrimSpace(label))
		}
	}
	for _, match := range selector.FindAllStringSubmatch(text, -1) {
		for _, label := range matcher.FindAllStringSubmatch(match[1], -1) {
			labels = append(labels, label[1])
		}
	}
	return labels
}

func TestDashboardShowsEveryMetricOfOurs(t *testing.T) {
	var shown []string
	for _, e := range dashboardExpressions(t) {
		shown = append(shown, metricName.FindAllString(e.text, -1)...)
	}
	for name := range exported(t) {
		if strings.HasPrefix(name, "ticketbridge_") && !strings.HasSuffix(name, "_sum") && !strings.HasSuffix(name, "_count") {
			assert.Contains(t, shown, name)
		}
	}
}

func TestDashboardIsWhole(t *testing.T) {
	var sources struct {
		Datasources []struct {
			UID string `yaml:"uid"`
		} `yaml:"datasources"`
	}
	readYAML(t, "grafana/provisioning/datasources/prometheus.yml", &sources)
	require.Len(t, sources.Datasources, 1)
	var ids []int
	for _, p := range readDashboard(t) {
		assert.NotContains(t, ids, p.ID, "%s: its id is used twice", p.Title)
		ids = append(ids, p.ID)
		if p.Type == "row" {
			continue
		}
		assert.NotEmpty(t, p.Title)
		assert.NotEmpty(t, p.Targets, p.Title)
		for _, target := range p.Targets {
			assert.Equal(t, sources.Datasources[0].UID, target.Datasource.UID, p.Title)
			for _, label := range legendLabel.FindAllStringSubmatch(target.Legend, -1) {
				bare := !strings.Contains(target.Expr, "by (") // all labels are there
				assert.True(t, bare || slices.Contains(labelsOf(target.Expr), label[1]), "%s: legend names %s, which %s takes away", p.Title, label[1], target.Expr)
			}
		}
	}
}

func TestAlertsLeadToTheRunbook(t *testing.T) {
	anchors := anchorsOf(t, "../docs/operations.md")
	for _, r := range readRules(t) {
		assert.True(t, strings.HasPrefix(r.Alert, "Ticketbridge"), r.Alert)
		assert.NotEmpty(t, r.Annotations["summary"], r.Alert)
		assert.Contains(t, []string{"warning", "critical"}, r.Labels["severity"], r.Alert)
		anchor, ok := strings.CutPrefix(r.Annotations["runbook"], "docs/operations.md#")
		require.True(t, ok, "%s: runbook", r.Alert)
		assert.Contains(t, anchors, anchor, "%s: docs/operations.md has no such section", r.Alert)
	}
}

// anchorsOf are the section links of a Markdown page, as GitHub makes them.
func anchorsOf(t *testing.T, name string) []string {
	t.Helper()
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	unlinked := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	var anchors []string
	for line := range strings.Lines(string(data)) {
		if title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			plain := unlinked.ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), "")
			anchors = append(anchors, strings.ReplaceAll(plain, " ", "-"))
		}
	}
	return anchors
}
