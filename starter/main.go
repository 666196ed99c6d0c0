// Command starter starts and steers ticketbridge: it serves the HTTP
// interfaces, starts feeds, sends events, reads and writes tickets, settles what
// is parked, and checks a configuration.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/ticketbridge/ticketbridge/internal/config"
)

// version and revision are set by the linker.
var (
	version  = "dev"
	revision = "unknown"
)

// Exit statuses, beside 0 for success.
const (
	exitFailed   = 1
	exitUsage    = 2
	exitNotFound = 3
	exitNoServer = 4
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := rootCommand().ExecuteContext(ctx)
	stop()
	if err == nil {
		return
	}
	if exit, ok := errors.AsType[exitError](err); ok {
		os.Exit(exit.code)
	}
	fmt.Fprintln(os.Stderr, "starter:", err)
	os.Exit(exitStatus(err))
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "starter",
		Short: "Start and steer ticketbridge",
		Long: `starter serves the HTTP interfaces, starts and steers feeds, sends events, reads
and writes tickets, settles what is parked, and checks a configuration.

These variables of the environment set it:

` + config.Usage() + `
The Temporal server is set as for the temporal command: TEMPORAL_ADDRESS,
TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_... or a profile file.

Exit status: 0 done, 1 failed, 2 wrong usage or configuration, 3 not found,
4 no Temporal server, or no starter serve where one is needed.`,
		Version:       version + " (" + revision + ")",
		Args:          noSuchCommand,
		RunE:          help,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
	})
	root.PersistentFlags().StringP("output", "o", "text", "how answers are printed: text or json")
	root.AddCommand(serveCommand(), feedCommand(), eventCommand(), ticketCommand(), parkedCommand(), configCommand(), integrationCommand(), simulateCommand())
	return root
}

// group is a command that only has commands below it.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: noSuchCommand, RunE: help}
	cmd.AddCommand(commands...)
	return cmd
}

func help(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// noSuchCommand refuses a misspelt command; cobra by itself would print the help
// and call that a success.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	text := fmt.Sprintf("unknown command %q; see %s --help", args[0], cmd.CommandPath())
	cmd.SuggestionsMinimumDistance = 2 // letters that differ
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		text = fmt.Sprintf("unknown command %q: did you mean %s? See %s --help", args[0], near[0], cmd.CommandPath())
	}
	return usageError{errors.New(text)}
}
