package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/scenario"
)

// exitError ends the program with a status and without a further message.
type exitError struct{ code int }

func (e exitError) Error() string { return fmt.Sprintf("exit status %d", e.code) }

func simulateCommand() *cobra.Command {
	var fields bool
	var catalogFile string
	cmd := &cobra.Command{
		Use:   "simulate FILE",
		Short: "Show what events would do, without Temporal and without a provider",
		Long: `Runs events through the matching rules and prints one JSON line per event:
case, status, outcome, request, note_added and changed.

FILE (- for standard input) is a scenario with fixture, cases and expectations,
a JSON list of events, or one event a line. An event looks like
  {"at": "2026-01-15T12:00:00Z", "params": {"subject": "Server down", "ci": "srv-001"}}
("at_s" for seconds also works). Where the file has expectations that do not
hold, a table of them follows on standard error and the exit status is 1.`,
		Example: `  starter simulate examples/scenario.json
  starter simulate --catalog catalog.yaml --fields examples/events.jsonl`,
		// Flags are parsed in RunE, so that -fields works like --fields.
		DisableFlagParsing: true,
		SilenceUsage:       true,
		RunE: func(cmd *cobra.Command, args []string) error {
			cmd.DisableFlagParsing = false
			if err := cmd.ParseFlags(longFlags(args)); err != nil {
				return err
			}
			if help, err := cmd.Flags().GetBool("help"); err == nil && help {
				return cmd.Help()
			}
			if cmd.Flags().NArg() != 1 {
				return fmt.Errorf("want one FILE to simulate, or - for standard input; got %d", cmd.Flags().NArg())
			}
			return simulate(cmd, cmd.Flags().Arg(0), catalogFile, fields)
		},
	}
	cmd.Flags().BoolVar(&fields, "fields", false, "print all fields of the request after each event")
	cmd.Flags().StringVar(&catalogFile, "catalog", "", "catalog for files without a fixture (YAML or JSON)")
	return cmd
}

// longFlags lets this command's flags start with one dash.
func longFlags(args []string) []string {
	out := make([]string, len(args))
	for i, arg := range args {
		name, _, _ := strings.Cut(arg, "=")
		if name == "-fields" || name == "-catalog" {
			arg = "-" + arg
		}
		out[i] = arg
	}
	return out
}

func simulate(cmd *cobra.Command, path, catalogFile string, fields bool) error {
	var options scenario.Options
	if catalogFile != "" {
		records, err := config.LoadCatalog(catalogFile)
		if err != nil {
			return err
		}
		options.Catalog = records
	}
	data, err := readInput(cmd.InOrStdin(), path)
	if err != nil {
		return err
	}
	results, err := scenario.Run(data, options)
	if err != nil {
		return fmt.Errorf("simulate %s: %w", path, err)
	}
	if err := scenario.Write(cmd.OutOrStdout(), results, fields); err != nil {
		return err
	}
	for _, text := range results.Ignored {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s\n", path, text)
	}
	if len(results.Differences) == 0 {
		return nil
	}
	if err := scenario.WriteTable(cmd.ErrOrStderr(), results); err != nil {
		return err
	}
	return exitError{code: 1}
}

func readInput(stdin io.Reader, path string) ([]byte, error) {
	if path == "-" {
		data, err := io.ReadAll(stdin)
		if err != nil {
			return nil, fmt.Errorf("reading standard input: %w", err)
		}
		return data, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the scenario: %w", err)
	}
	return data, nil
}
