package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/operate"
)

// usageError is a call that was not understood.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func exitStatus(err error) int {
	var problems config.Problems
	switch {
	case errors.As(err, new(usageError)), errors.As(err, &problems):
		return exitUsage
	case errors.Is(err, operate.ErrUnavailable):
		return exitNoServer
	case errors.Is(err, operate.ErrNotFound):
		return exitNotFound
	default:
		return exitFailed
	}
}

// printer writes answers the way the user asked for.
type printer struct {
	out  io.Writer
	json bool
}

func newPrinter(cmd *cobra.Command) (printer, error) {
	format, err := cmd.Flags().GetString("output")
	if err != nil {
		return printer{}, err
	}
	if format != "text" && format != "json" {
		return printer{}, usageError{fmt.Errorf("--output %s: want text or json", format)}
	}
	return printer{out: cmd.OutOrStdout(), json: format == "json"}, nil
}

// print writes value as indented JSON, or calls text.
func (p printer) print(value any, text func(io.Writer)) error {
	if !p.json {
		text(p.out)
		return nil
	}
	encoder := json.NewEncoder(p.out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

// done is the answer of commands that only pass something on.
type done struct {
	Done     string `json:"done"`
	Feed     string `json:"feed,omitempty"`
	Workflow string `json:"workflow,omitempty"`
	Item     string `json:"item,omitempty"`
	Count    int    `json:"count,omitempty"`
}
