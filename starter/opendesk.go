package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/ticketbridge/ticketbridge/internal/app"
	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/httpapi"
	"github.com/ticketbridge/ticketbridge/internal/provider"
	"github.com/ticketbridge/ticketbridge/internal/registry"
	"github.com/ticketbridge/ticketbridge/internal/rest"
)

// deskFlags say which integration a command is about, and where it is reached.
type deskFlags struct {
	integration string
	url, token  string
}

func (f *deskFlags) add(cmd *cobra.Command) {
	flags := cmd.PersistentFlags()
	flags.StringVar(&f.integration, "integration", "", "the integration of the configuration; needed when there are several")
	flags.StringVar(&f.url, "url", "", "ask the starter serve at this `ADDRESS`, without a configuration; --token selects the integration")
	flags.StringVar(&f.token, "token", "", "the caller's token for --url, as `env:NAME` or file:PATH")
}

// open finds the integration. The caller closes the desk.
func (f *deskFlags) open(cmd *cobra.Command) (*desk, error) {
	d, err := f.find(cmd)
	if err != nil {
		return nil, err
	}
	if d.close == nil {
		d.close = func() {}
	}
	d.rest.Timeout, d.rest.MaxBytes, d.rest.Secrets = answerWithin, mostAnswer, []string{d.token}
	d.showProgress(cmd.ErrOrStderr())
	return d, nil
}

func (f *deskFlags) find(cmd *cobra.Command) (*desk, error) {
	switch {
	case (f.url == "") != (f.token == ""):
		return nil, usageError{errors.New("--url and --token belong together")}
	case f.url != "" && f.integration != "":
		return nil, usageError{errors.New("--integration: with --url the token selects the integration")}
	case f.url != "":
		return remoteDesk(f.url, f.token)
	}
	settings, c, err := loadConfig()
	if err != nil {
		return nil, err
	}
	name, err := f.choose(c)
	if err != nil {
		return nil, err
	}
	known, release, err := lookup(cmd, c, name)
	if err != nil {
		return nil, err
	}
	d, err := f.local(cmd, settings, c, known, name)
	if err != nil {
		release()
		return nil, err
	}
	if closeDesk := d.close; closeDesk != nil {
		d.close = func() { closeDesk(); release() }
	} else {
		d.close = release
	}
	return d, nil
}

// lookup finds integrations: in the file alone, or, where it does not have the one
// that is wanted, in Temporal as well.
func lookup(cmd *cobra.Command, c *config.Config, name string) (known *registry.Registry, release func(), err error) {
	if _, err := c.Integration(name); err == nil {
		return app.FileOnly(c), func() {}, nil
	}
	s, err := connect(cmd)
	if err != nil {
		return nil, nil, err
	}
	return s.registry, s.client.Close, nil
}

// local is the desk of an integration of this configuration.
func (f *deskFlags) local(cmd *cobra.Command, settings config.Settings, c *config.Config, known *registry.Registry, name string) (*desk, error) {
	integrations, err := provider.New(c, known)
	if err != nil {
		return nil, err
	}
	in, err := integrations.Integration(cmd.Context(), name)
	if err != nil {
		return nil, err
	}
	if slices.Contains(integrations.ProvidersInServe(), in.Provider) {
		return serveDesk(settings, c, name)
	}
	return directDesk(cmd, integrations, name), nil
}

// choose is the integration named, or the only one.
func (f *deskFlags) choose(c *config.Config) (string, error) {
	var names []string
	for _, in := range c.Integrations {
		if in.Name == f.integration || f.integration == "" && len(c.Integrations) == 1 {
			return in.Name, nil
		}
		names = append(names, in.Name)
	}
	if c.Managed() && f.integration != "" {
		return f.integration, nil // perhaps the API made it
	}
	return "", usageError{fmt.Errorf("--integration %q: want one of: %s", f.integration, strings.Join(names, ", "))}
}

// remoteDesk is that of a server somewhere.
func remoteDesk(address, token string) (*desk, error) {
	if !strings.HasPrefix(token, "env:") && !strings.HasPrefix(token, "file:") {
		return nil, usageError{errors.New("--token: want env:NAME or file:PATH, where the token is; itself it would be seen in the list of processes")}
	}
	secret, err := config.ReadSecret(token)
	if err != nil {
		return nil, usageError{fmt.Errorf("--token: %w", err)}
	}
	if !strings.HasPrefix(address, "http://") && !strings.HasPrefix(address, "https://") {
		return nil, usageError{fmt.Errorf("--url %s: want an address like https://bridge.example", address)}
	}
	return &desk{
		url: strings.TrimRight(address, "/"), token: secret.Reveal(), rest: rest.Client{HTTP: rest.WithoutRedirects(nil)},
		streams: true, unreachable: "does a starter serve run there?",
	}, nil
}

// serveDesk is that of the starter serve of this configuration, which has the
// integration's tickets in its memory.
func serveDesk(settings config.Settings, c *config.Config, name string) (*desk, error) {
	i := slices.IndexFunc(c.Callers, func(caller config.Caller) bool { return caller.Integration == name })
	if i < 0 {
		return nil, usageError{fmt.Errorf("the tickets of integration %s are in starter serve, which lets callers in only: add one with `integration: %s` to callers, and start serve again; or name serve with --url, and with --token a token of the integration", name, name)}
	}
	d := &desk{
		url: "http://" + reachable(settings.HTTP.Addr), token: c.Callers[i].Token.Reveal(), rest: rest.Client{HTTP: rest.WithoutRedirects(nil)},
		streams: true, unreachable: fmt.Sprintf("the tickets of integration %s are in the memory of starter serve: start it, or say with TICKETBRIDGE_HTTP_ADDR where it listens", name),
	}
	if settings.HTTP.TLS.Cert == "" {
		return d, nil
	}
	own, err := trusting(settings.HTTP.TLS.Cert)
	if err != nil {
		return nil, err
	}
	d.url, d.rest.HTTP = strings.Replace(d.url, "http://", "https://", 1), rest.WithoutRedirects(own)
	return d, nil
}

// trusting is a client for the server that has this very certificate, by whatever
// address it is reached.
func trusting(certFile string) (*http.Client, error) {
	data, err := os.ReadFile(certFile)
	if err != nil {
		return nil, usageError{fmt.Errorf("TICKETBRIDGE_HTTP_TLS_CERT: %w", err)}
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(data) {
		return nil, usageError{fmt.Errorf("TICKETBRIDGE_HTTP_TLS_CERT: %s holds no certificate", certFile)}
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{
		MinVersion: tls.VersionTLS12, RootCAs: roots, InsecureSkipVerify: true, // the name is not looked at, the certificate is:
		VerifyConnection: func(state tls.ConnectionState) error {
			_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: roots})
			return err
		},
	}}}, nil
}

// reachable is where this machine reaches a listening address: one without a host
// means all interfaces.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || host != "" && host != "0.0.0.0" && host != "::" {
		return addr
	}
	return net.JoinHostPort("127.0.0.1", port)
}

// directDesk is the API within this process: reads go straight to the provider,
// and only writes need Temporal.
func directDesk(cmd *cobra.Command, integrations *provider.Set, name string) *desk {
	var log bytes.Buffer
	made := &dialledWrites{cmd: cmd, integrations: integrations}
	handler := httpapi.NewTicketing(httpapi.Options{
		Callers:   onlyCaller{httpapi.Caller{Name: "starter", Integration: name}},
		Ticketing: readsOf(integrations), Writes: made,
		Limiter: httpapi.NewLimiter(httpapi.Rate{PerSecond: 1e6, Burst: 1e6}, time.Now),
		Logger:  slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelError})),
	})
	return &desk{
		url: "http://starter", token: "starter", rest: rest.Client{HTTP: &http.Client{Transport: inProcess{handler}}},
		begin: made.begin, close: made.close, log: log.String,
	}
}

// onlyCaller is who calls this process's own API.
type onlyCaller struct{ caller httpapi.Caller }

func (o onlyCaller) CallerByToken(context.Context, string) (httpapi.Caller, bool, error) {
	return o.caller, true, nil
}

// dialledWrites connect to Temporal when the first write is made.
type dialledWrites struct {
	writes
	cmd          *cobra.Command
	integrations *provider.Set
	done         func()
}

func (w *dialledWrites) begin(context.Context) error {
	if w.done != nil {
		return nil
	}
	s, err := connect(w.cmd)
	if err != nil {
		return err
	}
	w.writes, w.done = writes{writes: durableWrites(w.integrations, s.client)}, s.client.Close
	return nil
}

func (w *dialledWrites) close() {
	if w.done != nil {
		w.done()
	}
}

// tellEvery is how often a wait is shown anew.
const tellEvery = time.Second

// showProgress shows waits: on a terminal in one live line, which goes away.
func (d *desk) showProgress(out io.Writer) {
	file, ok := out.(*os.File)
	live := ok && isatty.IsTerminal(file.Fd())
	d.tell = func(line string) {
		if live {
			line = "\r\x1b[K" + line
		}
		fmt.Fprintln(out, line)
	}
	d.progress = func(what string) func() {
		if !live {
			return func() {}
		}
		return showElapsed(out, what)
	}
}

// showElapsed counts seconds behind a text, from the second one on, until stop.
func showElapsed(out io.Writer, what string) (stop func()) {
	var shown sync.WaitGroup
	ended := make(chan struct{})
	shown.Go(func() {
		ticker := time.NewTicker(tellEvery)
		defer ticker.Stop()
		defer fmt.Fprint(out, "\r\x1b[K")
		for seconds := 1; ; seconds++ {
			select {
			case <-ended:
				return
			case <-ticker.C:
				fmt.Fprintf(out, "\r\x1b[K%s: waiting, %d s", what, seconds)
			}
		}
	})
	return func() { close(ended); shown.Wait() }
}
