package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/matching"
	"github.com/ticketbridge/ticketbridge/internal/rest"
)

// would says in a sentence what a decision would do.
func would(e *effect, d matching.Decision) string {
	at := e.Request.String()
	switch {
	case d.Outcome == event.Created:
		return fmt.Sprintf("would create request %d and its ticket: %q", e.Request.ID, e.Request.Fields["subject"])
	case d.Outcome == event.Rejected:
		return "would be refused: " + (&matching.Invalid{Errors: d.Errors}).Error()
	case e.Request == nil:
		return "would change nothing: there is no open request"
	case d.Outcome == event.Unchanged:
		return "would change nothing at " + at
	case d.CountOnly:
		return "would be counted as a note of " + at + changes("; changes ", e.Changed)
	case d.NoteAdded:
		return "would be a note on " + at + changes("; changes ", e.Changed)
	case len(d.Tell) > 0:
		return "would be a comment on " + at + changes("; changes ", e.Changed)
	default:
		return "would change " + at + changes(": ", e.Changed)
	}
}

func changes(before string, changed map[string]any) string {
	if len(changed) == 0 {
		return ""
	}
	texts := make([]string, 0, len(changed))
	for _, name := range slices.Sorted(maps.Keys(changed)) {
		texts = append(texts, fmt.Sprintf("%s to %v", name, changed[name]))
	}
	return before + strings.Join(texts, ", ")
}

// String names a request by its ticket, where it has one.
func (r *triedRequest) String() string {
	switch {
	case r == nil:
		return ""
	case r.Ticket != nil:
		return fmt.Sprintf("%s (request %d)", cmp.Or(r.Ticket.Key, r.Ticket.ID), r.ID)
	case r.Exists:
		return fmt.Sprintf("request %d, which has no ticket yet", r.ID)
	default:
		return fmt.Sprintf("request %d, which an event above would create", r.ID)
	}
}

func (r *triedRequest) suffix(before string) string {
	if r == nil {
		return ""
	}
	return before + r.String()
}

const (
	shownRaw   = 240 // bytes
	shownValue = 160
)

func writeTry(w io.Writer, a tryAnswer) {
	if !a.Temporal.Asked {
		fmt.Fprintf(w, "not compared with what Temporal keeps: %s\n", line(a.Temporal.Reason, 2*shownRaw))
	}
	if len(a.Events) == 0 {
		fmt.Fprintf(w, "feed %s has no events to try\n", a.Feed)
	}
	for _, e := range a.Events {
		fmt.Fprintf(w, "\nevent %s", line(e.ID, shownValue))
		if !e.StoredAt.IsZero() {
			fmt.Fprintf(w, ", stored %s", clock(e.StoredAt))
		}
		fmt.Fprintln(w)
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, row := range e.rows() {
			fmt.Fprintf(table, "  %s\t%s\n", row[0], row[1])
		}
		_ = table.Flush() // errors of standard output are nobody's to handle
	}
}

// rows are pairs of label and text.
func (e tried) rows() [][2]string {
	rows := [][2]string{{"came", line(e.Raw, shownRaw)}}
	for _, name := range slices.Sorted(maps.Keys(e.Params)) {
		rows = append(rows, [2]string{name, line(e.Params[name], shownValue)})
	}
	if f := e.Foreign; f != nil {
		rows = append(rows, [2]string{"ticket", line(strings.Join(strings.Fields(f.TicketID+" "+f.Type+" "+f.Status), " "), shownValue)}, [2]string{"subject", line(f.Subject, shownValue)})
		if c := f.Comment; c != nil {
			rows = append(rows, [2]string{"comment", line(strings.TrimSpace(c.ID+" "+c.Author+": "+c.Text), shownValue)})
		}
	}
	for _, warning := range e.Warnings {
		rows = append(rows, [2]string{"warning", line(warning, shownValue)})
	}
	switch {
	case e.Dropped:
		rows = append(rows, [2]string{"does", "left out by the transform"})
	case e.Parked != "":
		rows = append(rows, [2]string{"does", "would be parked: " + line(e.Parked, 2*shownRaw)})
	case e.Effect != nil:
		does := line(e.Effect.Would, 2*shownRaw)
		if e.Effect.Unless != "" {
			does += ", unless " + e.Effect.Unless
		}
		rows = append(rows, [2]string{"key", e.Effect.Workflow}, [2]string{"does", does})
	}
	return rows
}

// line is a foreign text on one line of a terminal, cut at n bytes.
func line(text string, n int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && !unicode.IsSpace(r) {
			return -1
		}
		return r
	}, text)
	return rest.Truncate(strings.Join(strings.Fields(text), " "), n)
}
