package cloudfeeds

import (
	"fmt"
	"slices"
	"time"
)

// Entry is what a publisher sends. Empty members are left out of the answer,
// or get a default where the feed always has them.
type Entry struct {
	// ID is urn:uuid:...; made up when empty.
	ID string `json:"id,omitempty"`
	// Feed is the path before the account; consolidated_ticketing/events.
	Feed string `json:"feed,omitempty"`
	// Account is the account whose URL shows the entry.
	Account string `json:"account,omitempty"`
	// Tenant is the term of the tid: category; the account when empty.
	Tenant string `json:"tenant,omitempty"`
	// Updated is when the store stamps the entry: now when zero. Earlier than now
	// back-dates it; equal times are ties.
	Updated time.Time `json:"updated,omitzero"`
	// VisibleAt is when it is committed: at once when zero.
	VisibleAt time.Time `json:"visible_at,omitzero"`
	// Private entries are hidden from tenants.
	Private bool `json:"private,omitempty"`

	TicketID    string    `json:"ticket_id,omitempty"`
	Type        string    `json:"type,omitempty"` // CREATE, UPDATE
	Subject     string    `json:"subject,omitempty"`
	Status      string    `json:"status,omitempty"`
	EventTime   time.Time `json:"event_time,omitzero"`
	LastUpdated time.Time `json:"last_updated,omitzero"`
	Comments    []Comment `json:"comments,omitempty"`
	Resources   []string  `json:"resources,omitempty"`
	// PlainTitle gives the title without its type attribute.
	PlainTitle bool `json:"plain_title,omitempty"`
	// JSONContent is content of type application/json, as some publishers send.
	JSONContent bool `json:"json_content,omitempty"`
	// Broken replaces the entry's bytes in both forms: to test readers.
	BrokenXML  string `json:"broken_xml,omitempty"`
	BrokenJSON string `json:"broken_json,omitempty"`
}

// Comment of an entry.
type Comment struct {
	ID         string    `json:"id,omitempty"`
	Author     string    `json:"author,omitempty"`
	AuthorType string    `json:"author_type,omitempty"`
	Created    time.Time `json:"created,omitzero"`
	Text       string    `json:"text,omitempty"`
}

type stored struct {
	Entry
	Seq int64 `json:"seq"`
}

const defaultFeed = "consolidated_ticketing/events"

// Publish stores entries and returns their ids.
func (s *Server) Publish(entries ...Entry) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for _, e := range entries {
		s.nextSeq++
		now := s.opts.Now()
		if e.ID == "" {
			e.ID = fmt.Sprintf("urn:uuid:%08x-%04x-4%03x-8%03x-%012x", s.rng.Uint32(), s.rng.Uint32()>>16, s.rng.Uint32()>>20, s.rng.Uint32()>>20, s.nextSeq)
		}
		if e.Feed == "" {
			e.Feed = defaultFeed
		}
		if e.Updated.IsZero() {
			e.Updated = now
		}
		e.Updated = e.Updated.UTC().Truncate(time.Millisecond)
		if e.Tenant == "" {
			e.Tenant = e.Account
		}
		if e.Type == "" {
			e.Type = "UPDATE"
		}
		if e.EventTime.IsZero() {
			e.EventTime = e.Updated
		}
		if e.LastUpdated.IsZero() {
			e.LastUpdated = e.EventTime
		}
		s.entries = append(s.entries, stored{e, s.nextSeq})
		s.stats.Published++
		ids = append(ids, e.ID)
	}
	return ids
}

// Expire makes an entry unknown at once, as if its time had come.
func (s *Server) Expire(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone[id] = true
}

// present are the entries of one feed that exist now, oldest first. account ""
// means all accounts, as for an internal reader.
func (s *Server) present(feed, account string, now time.Time) []stored {
	var out []stored
	for _, e := range s.entries {
		switch {
		case e.Feed != feed, s.gone[e.ID], now.Before(e.VisibleAt), e.Updated.Before(now.Add(-s.opts.Retention)):
		case account != "" && (e.Account != account || e.Private):
		default:
			out = append(out, e)
		}
	}
	slices.SortStableFunc(out, func(a, b stored) int {
		if c := a.Updated.Compare(b.Updated); c != 0 {
			return c
		}
		return int(a.Seq - b.Seq)
	})
	return out
}

// settled leaves out what the head delay hides.
func (s *Server) settled(entries []stored, now time.Time) []stored {
	if s.opts.Mode != JDBC || s.opts.HeadDelay <= 0 {
		return entries
	}
	limit := now.Add(-s.opts.HeadDelay)
	return slices.DeleteFunc(slices.Clone(entries), func(e stored) bool { return e.Updated.After(limit) })
}

// purge drops what can never be shown again, so that a long run stays small.
func (s *Server) purge(now time.Time) {
	limit := now.Add(-s.opts.Retention)
	s.entries = slices.DeleteFunc(s.entries, func(e stored) bool {
		old := e.Updated.Before(limit)
		if old {
			delete(s.gone, e.ID)
		}
		return old
	})
}
