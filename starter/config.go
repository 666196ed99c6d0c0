package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/ticketbridge/ticketbridge/internal/app"
	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/feed"
	"github.com/ticketbridge/ticketbridge/internal/provider"
)

func configCommand() *cobra.Command {
	return group("config", "Look at the configuration", configCheck())
}

// checked is what `config check` prints.
type checked struct {
	File         string   `json:"file"`
	OK           bool     `json:"ok"`
	Problems     []string `json:"problems"`
	Warnings     []string `json:"warnings"`
	Feeds        int      `json:"feeds"`
	Integrations int      `json:"integrations"`
	Callers      int      `json:"callers"`
}

func configCheck() *cobra.Command {
	var online bool
	cmd := &cobra.Command{
		Use: "check [FILE]", Short: "Check the configuration and name everything that is wrong, with line numbers",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := newPrinter(cmd)
			if err != nil {
				return err
			}
			settings, err := config.LoadSettings()
			if err != nil {
				return usageError{err}
			}
			file := settings.Config
			if len(args) == 1 {
				file = args[0]
			}
			result, err := check(cmd.Context(), file, online)
			if err != nil {
				return err
			}
			if err := p.print(result, func(w io.Writer) { writeChecked(w, result) }); err != nil {
				return err
			}
			if !result.OK {
				return exitError{exitUsage}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&online, "online", false, "also ask every integration whether its credential and project are good")
	return cmd
}

func check(ctx context.Context, file string, online bool) (checked, error) {
	result := checked{File: file, Problems: []string{}, Warnings: []string{}}
	c, err := config.Load(file, app.Known())
	if problems, ok := errors.AsType[config.Problems](err); ok {
		for _, problem := range problems {
			result.Problems = append(result.Problems, problem.String())
		}
		return result, nil
	}
	if err != nil {
		return result, err
	}
	for _, warning := range c.Warnings {
		result.Warnings = append(result.Warnings, warning.String())
	}
	result.Feeds, result.Integrations, result.Callers = len(c.Feeds), len(c.Integrations), len(c.Callers)
	if _, err := feed.New(c); err != nil {
		result.Problems = append(result.Problems, file+": "+err.Error())
	}
	if _, err := provider.New(c, app.FileOnly(c)); err != nil {
		result.Problems = append(result.Problems, file+": "+err.Error())
	} else if online {
		result.Problems = append(result.Problems, ask(ctx, c)...)
	}
	result.OK = len(result.Problems) == 0
	return result, nil
}

const checkTimeout = 20 * time.Second

func ask(ctx context.Context, c *config.Config) []string {
	var problems []string
	for _, in := range c.Integrations {
		ctx, cancel := context.WithTimeout(ctx, checkTimeout)
		if err := provider.Check(ctx, in); err != nil {
			problems = append(problems, fmt.Sprintf("integration %s: %v", in.Name, err))
		}
		cancel()
	}
	return problems
}

func writeChecked(w io.Writer, r checked) {
	for _, problem := range r.Problems {
		fmt.Fprintln(w, problem)
	}
	for _, warning := range r.Warnings {
		fmt.Fprintln(w, "warning:", warning)
	}
	if r.OK {
		fmt.Fprintf(w, "%s is good: %d feeds, %d integrations, %d callers\n", r.File, r.Feeds, r.Integrations, r.Callers)
		return
	}
	fmt.Fprintf(w, "%s has %d problems\n", r.File, len(r.Problems))
}
