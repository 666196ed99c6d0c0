package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// line is a row of the table.
type line struct {
	figure   string
	measured string
	// bare is the bare engine's figure, where it has one.
	bare string
	// hold is what the design wants; empty: only shown.
	hold  string
	holds bool
}

func (l line) cells() []string {
	verdict := ""
	switch {
	case l.hold != "" && l.holds:
		verdict = "yes"
	case l.hold != "":
		verdict = "**no**"
	}
	return []string{l.figure, l.measured, l.bare, l.hold, verdict}
}

// writeTable prints lines as a Markdown table with aligned columns.
func writeTable(w io.Writer, lines []line) {
	rows := [][]string{{"figure", "measured", "bare engine", "to hold", "held"}}
	for _, l := range lines {
		rows = append(rows, l.cells())
	}
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for n, row := range rows {
		for i, cell := range row {
			fmt.Fprintf(w, "| %s%s ", cell, strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)))
		}
		fmt.Fprintln(w, "|")
		if n == 0 {
			for _, width := range widths {
				fmt.Fprintf(w, "|%s", strings.Repeat("-", width+2))
			}
			fmt.Fprintln(w, "|")
		}
	}
}
