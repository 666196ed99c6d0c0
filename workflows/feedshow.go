package workflows

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/rest"
)

// show brings what the web UI displays up to date.
func (f *feed) show(ctx workflow.Context) {
	workflow.SetCurrentDetails(ctx, f.state.details(f.name))
	upsert(ctx, []attribute{
		{name: contract.AttributeState, text: f.state.bridgeState()},
		{name: contract.AttributeFeed, text: f.name},
		{name: contract.AttributeIntegration, text: f.state.Integration},
	})
}

// details is the Markdown that a person sees at the top of the feed's workflow.
func (s *feedState) details(name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### Feed %s: %s\n\n", name, s.headline())
	b.WriteString("| | |\n|---|---|\n")
	row := func(label, value string) {
		if value != "" {
			fmt.Fprintf(&b, "| %s | %s |\n", label, cell(value))
		}
	}
	row("Tickets go to", s.Integration)
	row("Newest entry handed over", s.Marker)
	row("Stored by the feed at", timeText(s.Newest))
	row("Last poll", timeText(s.LastPoll))
	row("Next request not before", timeText(s.NotBefore))
	row("Polls / events / malformed", fmt.Sprintf("%d / %d / %d", s.Polls, s.Events, s.Malformed))
	row("Of a foreign tenant / left out by the transform", fmt.Sprintf("%d / %d", s.Refused, s.Dropped))
	row("Holes in the numbering", countText(s.Holes))
	row("Last error", s.LastError)
	row("Note", s.Note)
	row("Signals refused", refusedText(s.Rejected, s.LastRejection))
	if s.GapCount > 0 {
		fmt.Fprintf(&b, "\n**Events may be missing** (%d windows recorded; the newest %d):\n\n", s.GapCount, len(s.Gaps))
		for _, gap := range s.Gaps {
			fmt.Fprintf(&b, "- %s to %s: %s\n", timeText(gap.From), timeText(gap.To), gap.Reason)
		}
	}
	if len(s.Parked) > 0 {
		b.WriteString("\n**Parked entries** (signal `retry`, `amend` or `discard`):\n\n")
		for _, item := range s.Parked {
			fmt.Fprintf(&b, "- `%s` since %s: %s\n", item.Item, timeText(item.Since), item.Reason)
		}
	}
	if len(s.Samples) > 0 {
		b.WriteString("\nLast events:\n\n")
		for _, sample := range s.Samples {
			fmt.Fprintf(&b, "- %s\n", cell(sample))
		}
	}
	return rest.Truncate(b.String(), maxDetails)
}

func (s *feedState) headline() string {
	switch {
	case s.Blocked != "":
		return "blocked, tried again at most 5 minutes apart; signal `resume` once this is mended: " + cell(s.Blocked)
	case s.Paused:
		return "paused, signal `resume` to go on"
	case s.LastError != "":
		return "in trouble, retrying"
	case s.CatchingUp:
		return "catching up"
	default:
		return "polling"
	}
}

// maxDetails and maxSummary are the server's limits, in bytes.
const (
	maxDetails = 20_000
	maxSummary = 200
)

func summary(text string) string { return rest.Truncate(text, maxSummary) }

func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// countText leaves a row out where there is nothing to count.
func countText(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func refusedText(n int64, last string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d, last: %s", n, last)
}

func isLineEnd(r rune) bool { return r == '\n' || r == '\r' }

// cell keeps foreign text from breaking a Markdown table.
func cell(text string) string {
	return strings.ReplaceAll(strings.Join(strings.FieldsFunc(text, isLineEnd), " "), "|", "\\|")
}
