// Command run starts everything of ticketbridge on this machine and shows what
// happens, until it is interrupted. It is what `make run` runs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Exit statuses, beside 0 for success.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

func main() { os.Exit(command()) }

func command() int {
	out := newScreen(os.Stdout, os.Getenv)
	s, err := readSettings(os.Args[1:], os.Getenv, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "run:", err)
		return exitUsage
	}
	l := &launcher{settings: s, out: out, byName: map[string]*child{}}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go obey(cancel, l) // lives as long as the process
	err = l.run(ctx)
	switch {
	case errors.Is(err, context.Canceled):
		out.note("interrupted; `make run` goes on where it stopped")
		return exitInterrupted
	case errors.As(err, new(configurationError)):
		out.line(err.Error())
		return exitUsage
	case err != nil:
		out.trouble("%v", err)
		return exitFailed
	}
	return 0
}

// obey stops the launcher at the first signal and kills everything at the next.
// A closed pipe or terminal counts too: nobody watches any more.
func obey(cancel context.CancelFunc, l *launcher) {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	<-signals
	cancel()
	for s := range signals {
		if s == os.Interrupt || s == syscall.SIGTERM {
			l.killAll()
			os.Exit(exitInterrupted)
		}
	}
}
