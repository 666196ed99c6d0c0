package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Secrets of the demonstration that anybody may know: they open nothing but the
// simulators, and the tickets there and at the test provider.
const (
	demoFeedKey       = "demo-feed-key"
	demoAcronisSecret = "demo-acronis-secret"
	demoJiraToken     = "demo-jira-token"
	demoSnowSecret    = "demo-servicenow-secret"
	demoToken         = "demo-token-of-monitoring"
	tryToken          = "demo-token-of-the-test-provider"
)

// stopCalls is how long the worker lets running calls end, unless the user says
// otherwise; an interrupted run shall be over in half a minute.
const stopCalls = "10s"

// variables are what our programs and a shell beside them need.
func (s settings) variables(configFile string) [][2]string {
	vars := [][2]string{
		{"TICKETBRIDGE_CONFIG", configFile},
		{"TICKETBRIDGE_HTTP_ADDR", s.httpAddr},
		{"TICKETBRIDGE_METRICS_ADDR", s.metricsAddr},
	}
	if s.embedded() {
		vars = append(vars, [2]string{"TEMPORAL_ADDRESS", s.temporalAt()}, [2]string{"TEMPORAL_NAMESPACE", s.namespace},
			[2]string{"TEMPORAL_CONFIG_FILE", os.DevNull}) // no profile of other servers
	}
	if s.demo() {
		vars = append(vars, [2]string{"DEMO_FEED_KEY", demoFeedKey}, [2]string{"DEMO_ACRONIS_SECRET", demoAcronisSecret},
			[2]string{"DEMO_JIRA_TOKEN", demoJiraToken}, [2]string{"DEMO_SNOW_SECRET", demoSnowSecret},
			[2]string{"DEMO_TOKEN", demoToken}, [2]string{"TRY_TOKEN", tryToken},
			[2]string{"ADMIN_TOKEN", s.adminToken}, [2]string{"TICKETBRIDGE_SECRET_KEYS", s.secretKey})
	}
	return vars
}

// environ is the environment of our programs.
func (s settings) environ(inherited []string, configFile string) []string {
	var env []string
	logFormat, stopTimeout := "TICKETBRIDGE_LOG_FORMAT=text", "TICKETBRIDGE_STOP_TIMEOUT="+stopCalls
	for _, variable := range inherited {
		switch {
		case s.embedded() && strings.HasPrefix(variable, "TEMPORAL_"):
			// Meant for another server.
		case strings.HasPrefix(variable, "TICKETBRIDGE_LOG_FORMAT="):
			logFormat = variable
		case strings.HasPrefix(variable, "TICKETBRIDGE_STOP_TIMEOUT="):
			stopTimeout = variable
		default:
			env = append(env, variable)
		}
	}
	env = append(env, logFormat, stopTimeout)
	for _, v := range s.variables(configFile) {
		env = append(env, v[0]+"="+v[1])
	}
	return env
}

// writeEnv leaves a file that a shell can read to use starter, temporal, tctl
// (which has variables of its own) and curl.
func (s settings) writeEnv(configFile string) error {
	var b strings.Builder
	absolute, err := filepath.Abs(configFile)
	if err != nil {
		return err
	}
	forShell := [][2]string{
		{"HTTP", s.httpURL()}, {"TEMPORAL_CLI_ADDRESS", s.temporalAt()}, {"TEMPORAL_CLI_NAMESPACE", s.namespace},
	}
	for _, v := range append(s.variables(absolute), forShell...) {
		fmt.Fprintf(&b, "export %s=%s\n", v[0], quote(v[1]))
	}
	bin, err := filepath.Abs(s.in("bin"))
	if err != nil {
		return err
	}
	fmt.Fprintf(&b, "export PATH=%s:\"$PATH\"\n", quote(bin))
	return os.WriteFile(s.in("env"), []byte(b.String()), 0o600)
}

// quote protects text from a shell.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

const (
	demoFile        = "examples/demo.yaml"
	demoCatalog     = "examples/catalog.yaml"
	demoSimulatorAt = "127.0.0.1:8090" // as it stands in demoFile
)

// configFile is the configuration to run. With another port for the simulators
// the demonstration's is copied and changed.
func (s settings) configFile() (string, error) {
	if !s.demo() {
		return s.config, nil
	}
	if local(s.simulatorPort) == demoSimulatorAt {
		return demoFile, nil
	}
	data, err := os.ReadFile(demoFile)
	if err != nil {
		return "", err
	}
	catalog, err := os.ReadFile(demoCatalog)
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(s.in(filepath.Base(demoCatalog)), catalog, 0o644); err != nil {
		return "", err
	}
	file := s.in(filepath.Base(demoFile))
	text := strings.ReplaceAll(string(data), demoSimulatorAt, local(s.simulatorPort))
	return file, os.WriteFile(file, []byte(text), 0o644)
}

// serverArgs start the embedded Temporal server. Its database survives kill -9;
// with a configuration of the user's own it also survives a power failure,
// which costs an fsync for each write.
func (s settings) serverArgs() []string {
	synchronous := "normal"
	if !s.demo() {
		synchronous = "full"
	}
	args := []string{
		"server", "start-dev", "--ip", "127.0.0.1", "--port", strconv.Itoa(s.temporalPort), "--ui-port", strconv.Itoa(s.uiPort),
		"--db-filename", s.in("temporal.db"), "--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=" + synchronous,
		// Callers of the Events API who wait for a decision are updates in
		// flight; the usual limit of 10 for one workflow is soon met.
		"--dynamic-config-value", "history.maxInFlightUpdates=1000",
		"--log-level", "warn",
	}
	if s.namespace != "default" {
		args = append(args, "--namespace", s.namespace)
	}
	return args
}

func (l *launcher) server() program {
	return program{
		name: "Temporal server", path: l.temporal, args: l.serverArgs(), env: l.env, logFile: l.log("temporal"),
		// It answers this only when it works, and keeps closed workflows as long
		// as a person may want to look at them.
		ready: func(ctx context.Context) error {
			_, err := l.output(ctx, l.temporal, "operator", "namespace", "update", "--namespace", l.namespace, "--retention", "30d")
			return err
		},
	}
}

func (l *launcher) simulators() program {
	return program{
		name: "simulated vendors", path: l.in("bin", "simulate"), env: l.env, logFile: l.log("simulate"),
		args: []string{"-addr", local(l.simulatorPort), "-state", l.in("vendors.json"), "-pace", l.pace.String()},
		ready: func(ctx context.Context) error {
			body, err := get(ctx, l.simulatorURL()+"/healthz")
			if err != nil {
				return err
			}
			return body.Close()
		},
	}
}

func (l *launcher) worker() program {
	return program{
		name: "worker", path: l.in("bin", "worker"), env: l.env, logFile: l.log("worker"),
		ready: func(ctx context.Context) error {
			body, err := get(ctx, l.metricsURL()+"/healthz")
			if err != nil {
				return err
			}
			return body.Close()
		},
		again: l.pollNow,
	}
}

// pollNow has every feed read at once, after its reader died with the worker:
// by itself a feed waits until the reader's silence has lasted a minute.
func (l *launcher) pollNow() {
	for _, f := range l.startedFeeds() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		_, err := l.output(ctx, l.in("bin", "starter"), "feed", "poll-now", f.Feed)
		cancel()
		if err != nil {
			l.out.note("feed %s goes on by itself in about a minute", f.Feed)
		}
	}
}

func (l *launcher) serve() program {
	return program{
		name: "HTTP interfaces", path: l.in("bin", "starter"), args: []string{"serve"}, env: l.env, logFile: l.log("serve"),
		ready: func(ctx context.Context) error { return answers(ctx, reachable(l.httpAddr)) },
	}
}

func (l *launcher) log(name string) string { return l.in("logs", name+".log") }
