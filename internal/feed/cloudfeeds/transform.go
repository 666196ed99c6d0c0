package cloudfeeds

import (
	"maps"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/event"
)

// DefaultTransform is the jq program from an entry to the parameters of the
// Events API. Its input is the entry as the feed sent it (both forms of the feed
// in the shape of the JSON one), and in .ticket what was understood of it.
const DefaultTransform = `{
  source: "Cloud Feeds",
  sourceID: .ticket.id,
  subject: .ticket.subject,
  note: .ticket.comment.text
}`

// withTicket adds to an entry's data what was understood of it.
func withTicket(data map[string]any, f event.Foreign) map[string]any {
	ticket := map[string]any{
		"id": f.TicketID, "subject": f.Subject, "status": f.Status, "type": f.Type,
		"updated_at": f.UpdatedAt.UTC().Format(time.RFC3339Nano), "comment": nil,
	}
	if c := f.Comment; c != nil {
		comment := map[string]any{"id": c.ID, "author": c.Author, "author_type": c.AuthorType, "text": c.Text}
		if !c.CreatedAt.IsZero() {
			comment["created_at"] = c.CreatedAt.UTC().Format(time.RFC3339Nano)
		}
		ticket["comment"] = comment
	}
	out := maps.Clone(data)
	out["ticket"] = ticket
	return out
}
