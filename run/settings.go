package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// settings are what the launcher was told.
type settings struct {
	// config is the user's own configuration; empty runs the demonstration.
	config string
	// tools, where given, are built, and nothing is run.
	tools []string

	dir string // where everything of a run is kept

	temporalAddress string // of a server that runs already; empty starts one
	temporalPort    int
	uiPort          int
	simulatorPort   int
	httpAddr        string
	metricsAddr     string
	namespace       string

	// temporal and tctl are ready-made programs; empty builds them.
	temporal, tctl string
	// pace is the mean time between two entries of the recorded feed.
	pace time.Duration

	// drawn is empty with a configuration of the user's own.
	drawn
}

const usage = `run starts everything of ticketbridge on this machine until it is interrupted:
an embedded Temporal server, the worker, starter serve, and, without -config,
simulated vendors with a recorded feed. It is what "make run" runs.

  -config FILE   your own feeds and integrations, and no simulators
  -tools LIST    only build these tools (temporal,tctl) and print where they are

Variables of the environment (make run NAME=VALUE sets them, too):
  TB_RUN_DIR                where state, logs and programs are kept (.run)
  TB_TEMPORAL_PORT          the embedded Temporal server (7233)
  TB_UI_PORT                its web UI (8233)
  TB_SIMULATOR_PORT         the simulated vendors (8090)
  TICKETBRIDGE_HTTP_ADDR    the HTTP interfaces (127.0.0.1:8080)
  TICKETBRIDGE_METRICS_ADDR the worker's metrics (127.0.0.1:9090)
  TEMPORAL_ADDRESS          a Temporal server that runs already; none is started then
  TB_TEMPORAL, TB_TCTL      ready-made programs, which are not built then
  TB_PACE                   mean time between two recorded events (3s)
`

// readSettings reads flags and environment; getenv is os.Getenv.
func readSettings(args []string, getenv func(string) string, help io.Writer) (settings, error) {
	var s settings
	var tools string
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	flags.SetOutput(help)
	flags.Usage = func() { fmt.Fprint(help, usage) }
	flags.StringVar(&s.config, "config", "", "")
	flags.StringVar(&tools, "tools", "", "")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("unexpected argument %q; see run -help", flags.Arg(0))
	}
	if tools != "" {
		s.tools = strings.Split(tools, ",")
	}
	e := environment{get: getenv}
	s.dir = e.text("TB_RUN_DIR", ".run")
	s.temporalAddress = e.text("TEMPORAL_ADDRESS", "")
	s.namespace = e.text("TEMPORAL_NAMESPACE", "default")
	s.temporalPort = e.port("TB_TEMPORAL_PORT", 7233)
	s.uiPort = e.port("TB_UI_PORT", 8233)
	s.simulatorPort = e.port("TB_SIMULATOR_PORT", 8090)
	s.httpAddr = e.address("TICKETBRIDGE_HTTP_ADDR", "127.0.0.1:8080")
	s.metricsAddr = e.address("TICKETBRIDGE_METRICS_ADDR", "127.0.0.1:9090")
	s.temporal = e.text("TB_TEMPORAL", "")
	s.tctl = e.text("TB_TCTL", "")
	s.pace = e.duration("TB_PACE", 3*time.Second)
	return s, errors.Join(e.errs...)
}

// embedded: we bring the Temporal server.
func (s settings) embedded() bool { return s.temporalAddress == "" }

// demo: we bring the vendors.
func (s settings) demo() bool { return s.config == "" }

func (s settings) in(parts ...string) string {
	return filepath.Join(append([]string{s.dir}, parts...)...)
}

// temporalAt is the Temporal server's address.
func (s settings) temporalAt() string {
	if s.embedded() {
		return local(s.temporalPort)
	}
	return s.temporalAddress
}

func (s settings) uiURL() string        { return "http://" + local(s.uiPort) }
func (s settings) simulatorURL() string { return "http://" + local(s.simulatorPort) }
func (s settings) httpURL() string      { return "http://" + reachable(s.httpAddr) }
func (s settings) metricsURL() string   { return "http://" + reachable(s.metricsAddr) }

func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// reachable is where this machine reaches a listening address: one without a
// host means all interfaces.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || host != "" && host != "0.0.0.0" && host != "::" {
		return addr
	}
	return net.JoinHostPort("127.0.0.1", port)
}

// environment reads variables and gathers what is wrong with them.
type environment struct {
	get  func(string) string
	errs []error
}

func (e *environment) text(name, absent string) string {
	if v := e.get(name); v != "" {
		return v
	}
	return absent
}

func (e *environment) port(name string, absent int) int {
	text := e.text(name, strconv.Itoa(absent))
	port, err := strconv.Atoi(text)
	if err != nil || port < 1 || port > 65535 {
		e.errs = append(e.errs, fmt.Errorf("%s=%s: want a port, e.g. %d", name, text, absent))
	}
	return port
}

func (e *environment) address(name, absent string) string {
	text := e.text(name, absent)
	if _, _, err := net.SplitHostPort(text); err != nil {
		e.errs = append(e.errs, fmt.Errorf("%s=%s: want host:port, e.g. %s", name, text, absent))
	}
	return text
}

func (e *environment) duration(name string, absent time.Duration) time.Duration {
	text := e.text(name, absent.String())
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		e.errs = append(e.errs, fmt.Errorf("%s=%s: want a duration, e.g. %s", name, text, absent))
	}
	return d
}
