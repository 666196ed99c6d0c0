package mock

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// initialStatus is what a ticket has that was given none.
const initialStatus = "Open"

// closedWords are the statuses that mean that nobody works on a ticket any more.
func closedWords() []string {
	return []string{
		"done", "closed", "close", "resolved", "confirmedresolved", "solved", "confirmedsolved", "fixed",
		"completed", "complete", "finished", "cancelled", "canceled", "declined", "rejected", "duplicate",
		"invalid", "obsolete", "wontdo", "wontfix",
	}
}

// closes: "Won't Do" and "closed - duplicate" do, too.
func closes(status string) bool {
	if slices.Contains(closedWords(), plainWord(status)) {
		return true
	}
	first, _, more := strings.Cut(status, " - ")
	return more && slices.Contains(closedWords(), plainWord(first))
}

// statusOf is what status_map says of a status, else itself.
func (c *Client) statusOf(status string) string {
	for _, asked := range slices.Sorted(maps.Keys(c.config.StatusMap)) {
		if plainWord(asked) == plainWord(status) {
			return c.config.StatusMap[asked]
		}
	}
	if status = strings.TrimSpace(status); status != "" {
		return status
	}
	return initialStatus
}

// setStatus also sets when the ticket was closed, and when it was completed.
func (f *fields) setStatus(status string, now time.Time) {
	f.status = status
	switch {
	case closes(status) == !f.closedAt.IsZero(): // it stays open, or closed
	case f.closedAt.IsZero():
		f.closedAt, f.completionDate = now, cmp.Or(f.completionDate, now)
	default:
		f.closedAt, f.completionDate = time.Time{}, time.Time{}
	}
}

func plainWord(text string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" _-'’", r) {
			return -1
		}
		return r
	}, strings.ToLower(text))
}
