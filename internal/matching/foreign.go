package matching

import (
	"fmt"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/event"
)

// ForeignState is what a request remembers of its foreign ticket. All times are
// the publisher's, so that the order of arrival does not matter.
type ForeignState struct {
	// LastAt is the newest entry that this request has seen.
	LastAt time.Time `json:"last_at"`
	// SubjectAt and StatusAt are those of the entries whose subject and status
	// were taken last.
	SubjectAt time.Time `json:"subject_at,omitzero"`
	StatusAt  time.Time `json:"status_at,omitzero"`
	// Status is the status taken last, in our words.
	Status string `json:"status,omitempty"`
	// Told is the last status without a counterpart here, ToldAt its entry's time.
	Told   string    `json:"told,omitempty"`
	ToldAt time.Time `json:"told_at,omitzero"`
	// CommentHashes are the first 8 bytes of the SHA-256 of each comment's id.
	CommentHashes []byte `json:"comment_hashes,omitempty"`
}

// ResolveForeign says what an entry of a feed means under the ticket policy.
func ResolveForeign(feed string, f event.Foreign) event.Resolved {
	out := event.Resolved{
		Key: event.Key{Policy: event.PolicyTicket, Feed: feed, ForeignTicket: f.TicketID},
		Fields: event.Fields{
			Subject:  "Ticket " + f.TicketID,
			Status:   statusAssigned,
			Source:   feed,
			SourceID: f.TicketID,
		},
		Foreign: withoutText(f),
	}
	if subject, _ := cutCharacters(oneLine(valid(f.Subject)), maxSubject); subject != "" {
		out.Fields.Subject = subject
		out.Changes.Subject = &subject
	}
	if status := foreignStatus(f.Status); status != "" {
		out.Fields.Status = status
		out.Changes.Status = &status
		if status == statusCompleted {
			reason := "solved"
			out.Fields.CompletionReason = reason
			out.Changes.CompletionReason = &reason
		}
	} else if f.Status != "" {
		out.Warnings = append(out.Warnings, fmt.Sprintf("status: %q has no counterpart here", f.Status))
	}
	note, cut := cutNote(valid(commentText(f.Comment)))
	out.Note = note
	if cut {
		out.Warnings = append(out.Warnings, "comment: cut at 64 KB")
	}
	return out
}

// withoutText leaves out the comment's text, which the resolved note holds.
func withoutText(f event.Foreign) *event.Foreign {
	if f.Comment != nil {
		comment := *f.Comment
		comment.Text = ""
		f.Comment = &comment
	}
	return &f
}

// commentText is a foreign comment with its author and time, where known, on
// the first line. A comment without text says nothing.
func commentText(c *event.ForeignComment) string {
	if c == nil || strings.TrimSpace(c.Text) == "" {
		return ""
	}
	author, kind := oneLine(c.Author), oneLine(c.AuthorType)
	who := ""
	switch {
	case author != "" && kind != "":
		who = fmt.Sprintf("**%s** (%s) wrote", author, kind)
	case author != "" || kind != "":
		who = fmt.Sprintf("**%s** wrote", author+kind)
	case !c.CreatedAt.IsZero():
		who = "Written"
	default:
		return c.Text
	}
	if !c.CreatedAt.IsZero() {
		who += " at " + c.CreatedAt.UTC().Format("2006-01-02 15:04 UTC")
	}
	return who + ":\n\n" + c.Text
}

// valid makes a text that every JSON reader takes.
func valid(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// foreignStatus puts a foreign ticket's status into our words; empty means
// absent or unknown. The whole text decides, else its first word, so that
// "Pending Customer" and "Closed - duplicate" are understood.
func foreignStatus(text string) string {
	words := strings.Fields(strings.ToLower(strings.NewReplacer("_", " ", "-", " ", ":", " ").Replace(text)))
	if len(words) == 0 {
		return ""
	}
	if status := foreignStatusWord(strings.Join(words, " ")); status != "" {
		return status
	}
	return foreignStatusWord(words[0])
}

func foreignStatusWord(word string) string {
	switch word {
	case "new", "open", "opened", "reopen", "reopened", "re opened", "assigned", "unassigned":
		return statusAssigned
	case "in progress", "in process", "active", "working", "work in progress", "accepted":
		return statusInProgress
	case "pending", "waiting", "awaiting", "requires feedback":
		return statusWaitingCustomer
	case "closed", "close", "solved", "confirmed solved", "resolved", "confirmed resolved",
		"complete", "completed", "done", "finished", "cancelled", "canceled":
		return statusCompleted
	}
	return ""
}
