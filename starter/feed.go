package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/ticketbridge/ticketbridge/internal/app"
	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/operate"
)

func feedCommand() *cobra.Command {
	return group("feed", "Start and steer feeds",
		feedStart(), feedList(), feedState(),
		feedTry(),
		feedSignal(contract.SignalPause, "Stop reading a feed for now"),
		feedSignal(contract.SignalResume, "Go on reading a feed that is paused or blocked"),
		feedSignal(contract.SignalPollNow, "Read a feed at once"),
		feedRewind(), feedTopics(), feedTypes())
}

func feedStart() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "start NAME...", Short: "Start reading feeds; those that run already go on",
		RunE: func(cmd *cobra.Command, names []string) error {
			p, s, err := begin(cmd)
			if err != nil {
				return err
			}
			defer s.client.Close()
			chosen, err := chooseFeeds(s.config, names, all)
			if err != nil {
				return err
			}
			// In case no worker ever did.
			if err := app.Prepare(cmd.Context(), s.client, s.namespace); err != nil {
				return err
			}
			feeds := operate.Feeds{Temporal: s.client}
			for _, f := range chosen {
				if err := feeds.Start(cmd.Context(), f.Name, f.Integration); err != nil {
					return err
				}
				if err := p.print(done{Done: "start", Feed: f.Name, Workflow: contract.FeedID(f.Name)}, func(w io.Writer) {
					fmt.Fprintf(w, "feed %s runs as workflow %s\n", f.Name, contract.FeedID(f.Name))
				}); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "all feeds of the configuration")
	return cmd
}

func chooseFeeds(c *config.Config, names []string, all bool) ([]config.Feed, error) {
	switch {
	case all && len(names) > 0:
		return nil, usageError{errors.New("name feeds or give --all, not both")}
	case all:
		return c.Feeds, nil
	case len(names) == 0:
		return nil, usageError{errors.New("name a feed, or give --all")}
	}
	var chosen []config.Feed
	for _, name := range names {
		f, err := c.Feed(name)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", operate.ErrNotFound, err)
		}
		chosen = append(chosen, f)
	}
	return chosen, nil
}

const (
	// queryTimeout bounds waiting for a worker that may not run, or has much to do.
	queryTimeout = 20 * time.Second
	// askAtOnce is how many feeds are asked at a time.
	askAtOnce = 8
)

func feedList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the feeds of the configuration and how they stand", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, s, err := begin(cmd)
			if err != nil {
				return err
			}
			defer s.client.Close()
			feeds := operate.Feeds{Temporal: s.client}
			views := make([]contract.FeedView, len(s.config.Feeds))
			var group errgroup.Group
			group.SetLimit(askAtOnce)
			for i, f := range s.config.Feeds {
				group.Go(func() error {
					views[i] = viewOf(cmd.Context(), feeds, f.Name)
					return nil
				})
			}
			_ = group.Wait() // a feed that does not answer is a row, no error
			return p.print(views, func(w io.Writer) { writeFeeds(w, views) })
		},
	}
}

// viewOf is how a feed stands, as far as that can be found out.
func viewOf(ctx context.Context, feeds operate.Feeds, name string) contract.FeedView {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	view, err := feeds.State(ctx, name)
	if err != nil {
		return contract.FeedView{Feed: name, State: stateOf(err), LastError: err.Error()}
	}
	return view
}

// stateOf is what is known of a feed that did not answer.
func stateOf(err error) string {
	if errors.Is(err, operate.ErrNotFound) {
		return "not started"
	}
	return "no answer"
}

func writeFeeds(w io.Writer, views []contract.FeedView) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "FEED\tSTATE\tEVENTS\tLAST POLL\tNEWEST\tGAPS\tPARKED\tLAST ERROR OR NOTE")
	for _, v := range views {
		fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%s\t%d\t%d\t%s\n", v.Feed, v.State, v.Events, clock(v.LastPoll), clock(v.Newest), v.GapCount, len(v.Parked), cmp.Or(v.LastError, v.Note))
	}
	_ = table.Flush() // errors of standard output are nobody's to handle
}

func clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

func feedState() *cobra.Command {
	return &cobra.Command{
		Use: "state NAME", Short: "Show how a feed stands", Args: oneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, s, err := begin(cmd)
			if err != nil {
				return err
			}
			defer s.client.Close()
			ctx, cancel := context.WithTimeout(cmd.Context(), queryTimeout)
			defer cancel()
			view, err := (&operate.Feeds{Temporal: s.client}).State(ctx, args[0])
			if err != nil {
				return knownFeed(s.config, args[0], err)
			}
			return p.print(view, func(w io.Writer) { writeFeed(w, view) })
		},
	}
}

// knownFeed prefers to say that the configuration has no such feed.
func knownFeed(c *config.Config, name string, err error) error {
	if _, unknown := c.Feed(name); unknown != nil {
		return fmt.Errorf("%w: %w", operate.ErrNotFound, unknown)
	}
	return err
}

func writeFeed(w io.Writer, v contract.FeedView) {
	writeFeeds(w, []contract.FeedView{v})
	if v.Note != "" {
		fmt.Fprintf(w, "note %s\n", v.Note)
	}
	for _, gap := range v.Gaps {
		fmt.Fprintf(w, "gap %s to %s: %s\n", clock(gap.From), clock(gap.To), gap.Reason)
	}
	for _, parked := range v.Parked {
		fmt.Fprintf(w, "parked %s since %s: %s\n", parked.Item, clock(parked.Since), parked.Reason)
	}
	for _, sample := range v.Samples {
		fmt.Fprintf(w, "event %s\n", sample)
	}
	if v.Dropped > 0 {
		fmt.Fprintf(w, "left out by the transform %d\n", v.Dropped)
	}
	if v.Holes > 0 {
		fmt.Fprintf(w, "holes in the feed's numbering %d (normal where the feed is filtered)\n", v.Holes)
	}
	if v.Rejected > 0 {
		fmt.Fprintf(w, "refused signals %d, last: %s\n", v.Rejected, v.LastRejection)
	}
}

func oneName(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usageError{fmt.Errorf("want one NAME, got %d", len(args))}
	}
	return nil
}

func feedSignal(signal, short string) *cobra.Command {
	return &cobra.Command{
		Use: signal + " NAME", Short: short, Args: oneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			return signalFeed(cmd, args[0], signal, nil)
		},
	}
}

func feedRewind() *cobra.Command {
	var to contract.RewindSignal
	cmd := &cobra.Command{
		Use: "rewind NAME --to POSITION", Short: "Read a feed again from an earlier position; nothing is made twice", Args: oneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := to.Validate(); err != nil {
				return usageError{err}
			}
			return signalFeed(cmd, args[0], contract.SignalRewind, to)
		},
	}
	cmd.Flags().StringVar(&to.To, "to", "", `a marker or an offset, whichever the feed has; a time like 2026-01-15T12:00:00Z; or "oldest"`)
	cmd.Flags().BoolVar(&to.Create, "create", false, "let events whose ticket is not found make one")
	return cmd
}

func signalFeed(cmd *cobra.Command, feed, signal string, payload any) error {
	p, s, err := begin(cmd)
	if err != nil {
		return err
	}
	defer s.client.Close()
	if err := (&operate.Feeds{Temporal: s.client}).Signal(cmd.Context(), feed, signal, payload); err != nil {
		return knownFeed(s.config, feed, err)
	}
	return p.print(done{Done: signal, Feed: feed}, func(w io.Writer) { fmt.Fprintf(w, "%s: passed on to feed %s\n", signal, feed) })
}
