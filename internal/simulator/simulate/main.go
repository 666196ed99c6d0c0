// Command simulate serves stand-ins for Rackspace Cloud Feeds (with its
// identity service), for the Acronis Event Manager (with its token endpoint), for
// Jira and for ServiceNow at one address, plays a recorded ticketing feed with events of
// Acronis in between, and keeps its state in a file, so that a second run goes on.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], nil)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "simulate:", err)
		os.Exit(1)
	}
}

const (
	saveEvery   = 200 * time.Millisecond
	stopTimeout = 3 * time.Second
)

// options are the program's flags.
type options struct {
	addr  string
	state string
	pace  time.Duration
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("simulate", flag.ContinueOnError)
	flags.StringVar(&o.addr, "addr", "127.0.0.1:8090", "where to listen")
	flags.StringVar(&o.state, "state", "", "the file to keep the state in; empty for none")
	flags.DurationVar(&o.pace, "pace", 3*time.Second, "mean time between two recorded entries; 0 publishes nothing")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q; see simulate -help", flags.Arg(0))
	}
	if o.pace < 0 {
		return o, errors.New("-pace must not be negative")
	}
	return o, nil
}

// run serves until ctx ends; listening, where given, is told the address.
func run(ctx context.Context, args []string, listening chan<- string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	story, err := readStory(recorded)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", o.addr)
	if err != nil {
		return fmt.Errorf("listen on %s (-addr sets another place): %w", o.addr, err)
	}
	address := listener.Addr().String()
	w := newWorld("http://"+address, time.Now)
	if o.state != "" {
		if err := w.load(o.state); err != nil {
			return errors.Join(err, listener.Close())
		}
	}
	if listening != nil {
		listening <- address
	}
	fmt.Fprintf(os.Stderr, "simulate: serving http://%s/jira/, /servicenow/, /cloudfeeds/ and /acronis/\n", address)

	playing, stopPlaying := context.WithCancel(ctx)
	defer stopPlaying()
	played := make(chan struct{})
	go func() { // ends with playing
		defer close(played)
		if o.pace > 0 {
			(&player{world: w, story: story, pace: o.pace, wait: sleep}).play(playing)
		}
	}()
	err = serve(ctx, listener, w, o.state)
	stopPlaying()
	<-played
	if o.state != "" {
		err = errors.Join(err, w.save(o.state))
	}
	return err
}

// serve answers until ctx ends, and saves now and then.
func serve(ctx context.Context, listener net.Listener, w *world, state string) error {
	server := &http.Server{Handler: w.routes(), ReadHeaderTimeout: 10 * time.Second}
	server.RegisterOnShutdown(w.acronis.Close) // its polls may wait for half a minute
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }() // ends with Shutdown or Close below
	ticker := time.NewTicker(saveEvery)
	defer ticker.Stop()
	for {
		select {
		case err := <-failed:
			return fmt.Errorf("serve: %w", err)
		case <-ticker.C:
			if state == "" {
				continue
			}
			if err := w.save(state); err != nil {
				fmt.Fprintln(os.Stderr, "simulate:", err)
			}
		case <-ctx.Done():
			return shutdown(ctx, server, failed)
		}
	}
}

func shutdown(ctx context.Context, server *http.Server, failed <-chan error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close() // a slow answer is worth no more waiting
	}
	<-failed
	return err
}

// routes is everything at its place.
func (w *world) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/jira/", http.StripPrefix("/jira", w.jira))
	mux.Handle("/servicenow/", http.StripPrefix("/servicenow", w.servicenow))
	mux.Handle("/cloudfeeds/", http.StripPrefix("/cloudfeeds", w.feeds))
	mux.Handle("/acronis/", http.StripPrefix("/acronis", w.acronis))
	mux.Handle("GET /activity", w.log)
	mux.HandleFunc("GET /healthz", func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprintln(rw, "ok") })
	// The pages of the simulated Jira link to each other from the root.
	mux.HandleFunc("GET /{$}", func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, "/jira/", http.StatusFound)
	})
	mux.HandleFunc("GET /browse/{key}", func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, "/jira/browse/"+r.PathValue("key"), http.StatusFound)
	})
	return w.watch(mux)
}
