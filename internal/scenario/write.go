package scenario

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/ticketbridge/ticketbridge/internal/event"
)

// Write prints one JSON line per event, with the request's fields if asked.
func Write(w io.Writer, results Results, fields bool) error {
	type line struct {
		Case      string          `json:"case"`
		Status    int             `json:"status"`
		Outcome   event.Outcome   `json:"outcome"`
		Request   any             `json:"request"`
		NoteAdded bool            `json:"note_added"`
		Changed   map[string]any  `json:"changed"`
		Fields    *map[string]any `json:"fields,omitempty"`
		Errors    [][2]string     `json:"errors,omitempty"`
		Warnings  []string        `json:"warnings,omitempty"`
	}
	for _, r := range results.Events {
		out := line{
			Case: r.Case, Status: r.Status, Outcome: r.Outcome, Request: orNull(r.Request),
			NoteAdded: r.NoteAdded, Changed: r.Changed, Errors: r.Errors, Warnings: r.Warnings,
		}
		if fields {
			out.Fields = &r.Fields
		}
		if _, err := fmt.Fprintf(w, "%s\n", encode(out)); err != nil {
			return fmt.Errorf("writing results: %w", err)
		}
	}
	return nil
}

// WriteTable prints the differences for a person to read.
func WriteTable(w io.Writer, results Results) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "CASE\tEVENT\tLINE\tWHAT\tEXPECTED\tGOT")
	for _, d := range results.Differences {
		number := "after"
		if d.Event > 0 {
			number = fmt.Sprint(d.Event)
		}
		fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%s\t%s\n", d.Case, number, d.Line, d.What, shorten(d.Want), shorten(d.Got))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("writing the table of differences: %w", err)
	}
	return nil
}

// shorten keeps a table's cell readable.
func shorten(text string) string {
	const width = 60
	if runes := []rune(text); len(runes) > width {
		return string(runes[:width-1]) + "…"
	}
	return text
}
