package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/ticketbridge/ticketbridge/internal/app"
	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/feed"
	"github.com/ticketbridge/ticketbridge/internal/operate"
	"github.com/ticketbridge/ticketbridge/internal/transform"
)

const (
	defaultTried = 5
	mostTried    = 100
	// dialTimeout bounds finding out that there is no Temporal server.
	dialTimeout = 10 * time.Second
)

// tryOptions are the flags of feed try.
type tryOptions struct {
	count     int
	offline   bool
	transform string
}

func feedTry() *cobra.Command {
	var o tryOptions
	cmd := &cobra.Command{
		Use:   "try NAME",
		Short: "Show what a feed's newest events would become and do; nothing is handed over",
		Long: `Reads the newest events of a feed and shows for each what came, what becomes of
it (by the feed's transform, or as a ticket elsewhere), which match key it belongs
to, and what it would do there. The feed need not be started. Nothing is handed
over, no ticket is made or changed, and the feed's position stays.

It costs requests of the feed's budget: one for Cloud Feeds; a handful for Acronis
(a token, two offsets, a second subscription of its own for looking, the events).

Where a Temporal server and a worker answer, the requests and tickets that are
there are taken into account. Otherwise every event counts as the first of its key.`,
		Example: `  starter feed try tenants
  starter feed try tenants -n 20 --transform my.jq --offline`,
		Args: oneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := newPrinter(cmd)
			if err != nil {
				return err
			}
			answer, err := o.try(cmd, args[0])
			if err != nil {
				return err
			}
			return p.print(answer, func(w io.Writer) { writeTry(w, answer) })
		},
	}
	cmd.Flags().IntVarP(&o.count, "count", "n", defaultTried, fmt.Sprintf("how many events, at most %d", mostTried))
	cmd.Flags().BoolVar(&o.offline, "offline", false, "do not ask Temporal what is there")
	cmd.Flags().StringVar(&o.transform, "transform", "", "a `FILE` with another jq program than the configured one")
	return cmd
}

// tryAnswer is what feed try prints.
type tryAnswer struct {
	Feed        string       `json:"feed"`
	Match       event.Policy `json:"match"`
	Integration string       `json:"integration"`
	// Temporal was asked what is there, or why not.
	Temporal temporalAsked `json:"temporal"`
	Events   []tried       `json:"events"`
}

type temporalAsked struct {
	Asked  bool   `json:"asked"`
	Reason string `json:"reason,omitempty"`
}

func (o tryOptions) try(cmd *cobra.Command, name string) (tryAnswer, error) {
	if o.count < 1 || o.count > mostTried {
		return tryAnswer{}, usageError{fmt.Errorf("-n %d: want 1 to %d", o.count, mostTried)}
	}
	_, c, err := loadConfig()
	if err != nil {
		return tryAnswer{}, err
	}
	f, err := c.Feed(name)
	if err != nil {
		return tryAnswer{}, fmt.Errorf("%w: %w", operate.ErrNotFound, err)
	}
	if err := o.otherTransform(c, f); err != nil {
		return tryAnswer{}, err
	}
	entries, err := newest(cmd.Context(), c, name, o.count)
	if err != nil {
		return tryAnswer{}, fmt.Errorf("feed %s: %w", name, err)
	}
	answer := tryAnswer{Feed: name, Match: f.Match, Integration: f.Integration, Events: []tried{}}
	t, err := newTrial(app.Rules(c, app.FileOnly(c)), name, time.Now().UTC())
	if err != nil {
		return answer, err
	}
	var done func()
	t.there, answer.Temporal, done = o.temporal(cmd.Context(), len(entries))
	defer done()
	for _, entry := range entries {
		answer.Events = append(answer.Events, t.take(cmd.Context(), entry))
	}
	if t.silent != nil {
		answer.Temporal = temporalAsked{Reason: t.silent.Error()}
	}
	return answer, nil
}

// otherTransform puts the program of --transform in the place of the feed's own.
func (o tryOptions) otherTransform(c *config.Config, f config.Feed) error {
	if o.transform == "" {
		return nil
	}
	if f.Match != event.PolicyEvent {
		return usageError{fmt.Errorf("--transform: feed %s has match: %s, which mirrors an entry as it is", f.Name, f.Match)}
	}
	program, err := os.ReadFile(o.transform)
	if err != nil {
		return usageError{fmt.Errorf("--transform: %w", err)}
	}
	if len(program) == 0 {
		return usageError{fmt.Errorf("--transform: %s is empty", o.transform)}
	}
	if _, err := transform.Compile(string(program)); err != nil {
		return usageError{inFile(o.transform, err)}
	}
	for i := range c.Feeds {
		if c.Feeds[i].Name == f.Name {
			c.Feeds[i].Transform = string(program)
		}
	}
	return nil
}

// inFile names file and line of an error in a program, as compilers do.
func inFile(file string, err error) error {
	if wrong, ok := errors.AsType[*transform.SyntaxError](err); ok && wrong.Line > 0 {
		return fmt.Errorf("%s:%d: %s", file, wrong.Line, wrong.Message)
	}
	return fmt.Errorf("%s: %w", file, err)
}

func newest(ctx context.Context, c *config.Config, name string, n int) ([]event.Entry, error) {
	feeds, err := feed.New(c)
	if err != nil {
		return nil, err
	}
	reader, err := feeds.Reader(name)
	if err != nil {
		return nil, err
	}
	return reader.Newest(ctx, n)
}

// temporal connects to the Temporal server, where there is one and something to
// ask it; done ends the connection.
func (o tryOptions) temporal(ctx context.Context, events int) (there requestsThere, asked temporalAsked, done func()) {
	nothing := func() {}
	switch {
	case o.offline:
		return nil, temporalAsked{Reason: "--offline"}, nothing
	case events == 0:
		return nil, temporalAsked{Reason: "there are no events"}, nothing
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	// Trouble is part of the answer, not of a log.
	client, _, err := app.Dial(ctx, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		return nil, temporalAsked{Reason: err.Error()}, nothing
	}
	return &operate.Requests{Temporal: client}, temporalAsked{Asked: true}, client.Close
}
