package config

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/kelseyhightower/envconfig"

	"github.com/ticketbridge/ticketbridge/internal/config/strictyaml"
)

const settingsPrefix = "TICKETBRIDGE"

// Settings are what a process is told by its environment. Temporal's own
// settings (TEMPORAL_ADDRESS and others) are read by the Temporal SDK.
//
// Names come from fields and nesting, never from an envconfig tag: with a tag,
// the variable without our prefix would be read too.
type Settings struct {
	Config string `default:"ticketbridge.yaml" desc:"the configuration file"`
	HTTP   struct {
		Addr string `default:"127.0.0.1:8080" desc:"where starter serve listens"`
		TLS  struct {
			Cert string `desc:"PEM file with the certificate chain; with it and the key, starter serve speaks https"`
			Key  string `desc:"PEM file with the certificate's private key"`
		}
	}
	MetricsAddr string   `split_words:"true" default:"127.0.0.1:9090" desc:"where the worker serves /metrics and /healthz; empty for not at all"`
	LogLevel    string   `split_words:"true" default:"info" desc:"debug, info, warn or error"`
	LogFormat   string   `split_words:"true" default:"auto" desc:"text, json, or auto: text on a terminal"`
	StopTimeout Duration `split_words:"true" default:"25s" desc:"how long running calls may take to end when the process is stopped"`
	FeedWindow  Duration `split_words:"true" default:"70s" desc:"how long one activity waits for news of a feed"`
	// SecretKeys is not of type Secret: envconfig fills texts only. It is not shown.
	SecretKeys string `split_words:"true" desc:"keys that secrets of integrations made by the API are encrypted with: 32 random bytes each, in base64; separated by commas, the one in use first"`
	SecretDir  string `split_words:"true" desc:"the folder of the files that integrations made by the API may refer to; empty: they may refer to none"`
	MaxUpload  Size   `split_words:"true" default:"256MB" desc:"the largest file that starter serve takes for a ticket"`
	Spool      struct {
		Dir   string `desc:"where starter serve keeps files above 1 MB until they are at the provider; empty for ticketbridge-spool among the system's temporary files"`
		Limit Size   `default:"2GB" desc:"how much it keeps there at most"`
	}
}

// LoadSettings reads the environment and names everything that is wrong with
// it. No error quotes a value: a secret may have been put into the wrong variable.
func LoadSettings() (Settings, error) {
	var s Settings
	problems := unknownVariables()
	if err := envconfig.Process(settingsPrefix, &s); err != nil {
		problems = append(problems, withoutValue(err))
		return s, errors.Join(problems...)
	}
	return s, errors.Join(append(problems, s.validate()...)...)
}

// withoutValue is envconfig's error without the value that it quotes.
func withoutValue(err error) error {
	if parse, ok := errors.AsType[*envconfig.ParseError](err); ok {
		return fmt.Errorf("%s: %w", parse.KeyName, parse.Err)
	}
	return err
}

func (s Settings) validate() []error {
	var errs []error
	check := func(ok bool, name, message string) {
		if !ok {
			errs = append(errs, fmt.Errorf("%s_%s: %s", settingsPrefix, name, message))
		}
	}
	check(s.Config != "", "CONFIG", "is empty; unset it for ticketbridge.yaml, or name a file")
	check(isAddress(s.HTTP.Addr), "HTTP_ADDR", "want host:port, e.g. 127.0.0.1:8080 or :8080 for all interfaces")
	check(s.MetricsAddr == "" || isAddress(s.MetricsAddr), "METRICS_ADDR", "want host:port, or nothing to serve no metrics")
	check((s.HTTP.TLS.Cert == "") == (s.HTTP.TLS.Key == ""), "HTTP_TLS_CERT",
		"give both this and "+settingsPrefix+"_HTTP_TLS_KEY, or neither")
	check(slices.Contains([]string{"debug", "info", "warn", "error"}, s.LogLevel), "LOG_LEVEL", "want debug, info, warn or error")
	check(slices.Contains([]string{"auto", "text", "json"}, s.LogFormat), "LOG_FORMAT", "want auto, text or json")
	check(s.StopTimeout > 0 && s.StopTimeout <= Duration(time.Hour), "STOP_TIMEOUT", "want more than 0 and at most 1h")
	check(s.FeedWindow >= Duration(time.Second) && s.FeedWindow <= Duration(140*time.Second), "FEED_WINDOW", "want 1s to 140s: the feed's activity says only in the middle of its window that it lives")
	check(s.MaxUpload >= megabyte, "MAX_UPLOAD", "want at least 1MB")
	check(s.Spool.Limit >= s.MaxUpload, "SPOOL_LIMIT", "want at least as much as "+settingsPrefix+"_MAX_UPLOAD")
	return errs
}

func isAddress(text string) bool {
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return false
	}
	_, err = net.LookupPort("tcp", port)
	return err == nil
}

// unknownVariables finds misspelt names. envconfig.CheckDisallowed would stop
// at the first and not say which name is near.
func unknownVariables() []error {
	var errs []error
	known := settingNames()
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		short, ours := strings.CutPrefix(name, settingsPrefix+"_")
		if ours && !slices.Contains(known, short) {
			errs = append(errs, fmt.Errorf("%s: unknown setting%s (all begin with %s_, so a secret of the configuration needs another name)",
				name, strictyaml.Suggest(short, known), settingsPrefix))
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errs
}

// settingNames are without the prefix.
func settingNames() []string {
	names := strings.Fields(usage("{{range .}}{{usage_key .}}\n{{end}}"))
	for i, name := range names {
		names[i] = strings.TrimPrefix(name, settingsPrefix+"_")
	}
	return names
}

// Usage is the help text for the settings: one line each, with its default.
func Usage() string {
	var out bytes.Buffer
	table := tabwriter.NewWriter(&out, 1, 0, 2, ' ', 0)
	_, _ = table.Write([]byte(usage("{{range .}}{{usage_key .}}\t{{usage_description .}}{{if usage_default .}} (default {{usage_default .}}){{end}}\n{{end}}")))
	_ = table.Flush() // a bytes.Buffer takes everything
	return out.String()
}

func usage(format string) string {
	var out bytes.Buffer
	if err := envconfig.Usagef(settingsPrefix, &Settings{}, &out, format); err != nil {
		panic(err) // both the format and Settings are constants of this file
	}
	return out.String()
}
