// Command bench measures what ticketbridge promises to hold, beside what the
// Temporal server alone achieves in the same run, and prints one table.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/testbed"
)

// bench is one run.
type bench struct {
	cli string
	// dir holds everything that the run writes; bin the programs.
	dir, bin string
	// rounds and perRound are how often, and how many, new requests are made.
	rounds, perRound int
}

// part measures one or more rows of the table.
type part struct {
	name string
	what string
	run  func(*bench, context.Context) ([]line, error)
}

func parts() []part {
	return []part{
		{"requests", "new requests, beside the bare engine", (*bench).requests},
		{"reads", "reads of the unified ticketing API, beside the provider itself", (*bench).reads},
		{"writes", "durable writes of the unified ticketing API, beside the bare engine", (*bench).writes},
		{"job", "1,000 events over 250 keys by HTTP", (*bench).job},
		{"storm", "a storm of duplicates", (*bench).storm},
		{"limit", "a limit of 20 creates a second", (*bench).limit},
		{"latency", "an event's way to its ticket", (*bench).latency},
		{"idle", "1,000 idle feeds", (*bench).idle},
	}
}

// bareMode is the first argument of the child that is the bare engine's worker.
const bareMode = "bare-worker"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	run := runBench
	if len(os.Args) == 2 && os.Args[1] == bareMode {
		run = func(context.Context, []string) error { return runBareWorker() }
	}
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func runBench(ctx context.Context, args []string) error {
	b := &bench{}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	only := flags.String("only", "", "parts to measure, separated by commas; empty: all ("+names()+")")
	flags.IntVar(&b.rounds, "rounds", 5, "how often the bare engine and ours take turns")
	flags.IntVar(&b.perRound, "requests", 250, "new requests in one turn")
	if err := flags.Parse(args); err != nil {
		return err
	}
	selected, err := choose(*only)
	if err != nil {
		return err
	}
	cleanUp, err := b.prepare()
	if err != nil {
		return err
	}
	defer cleanUp()
	lines, err := b.measure(ctx, selected)
	fmt.Printf("\n%s, %s; client, server, worker and the simulated providers share the machine\n\n", machine(), time.Now().Format(time.DateOnly))
	writeTable(os.Stdout, lines)
	return err
}

// measure runs the parts one after the other. One that fails does not keep the
// others from being shown.
func (b *bench) measure(ctx context.Context, selected []part) ([]line, error) {
	var all []line
	var errs []error
	for _, p := range selected {
		begin := time.Now()
		fmt.Fprintf(os.Stderr, "measuring %s: %s ...", p.name, p.what)
		lines, err := p.run(b, ctx)
		fmt.Fprintf(os.Stderr, " %s\n", time.Since(begin).Round(time.Second))
		all = append(all, lines...)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.name, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return all, errors.Join(errs...)
}

func (b *bench) prepare() (cleanUp func(), err error) {
	if b.cli, err = cliPath(); err != nil {
		return nil, err
	}
	if b.dir, err = os.MkdirTemp("", "ticketbridge-bench-"); err != nil {
		return nil, err
	}
	cleanUp = func() { _ = os.RemoveAll(b.dir) } // a rest in the temporary folder does no harm
	b.bin = filepath.Join(b.dir, "bin")
	if err := testbed.Build(b.bin); err != nil {
		cleanUp()
		return nil, err
	}
	return cleanUp, nil
}

func names() string {
	var all []string
	for _, p := range parts() {
		all = append(all, p.name)
	}
	return strings.Join(all, ", ")
}

func choose(only string) ([]part, error) {
	if only == "" {
		return parts(), nil
	}
	var selected []part
	for name := range strings.SplitSeq(only, ",") {
		i := slices.IndexFunc(parts(), func(p part) bool { return p.name == name })
		if i < 0 {
			return nil, fmt.Errorf("-only: no part %q; there are %s", name, names())
		}
		selected = append(selected, parts()[i])
	}
	return selected, nil
}
