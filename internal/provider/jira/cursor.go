package jira

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// position is where a page of a query ended. A cursor is nothing else: no process
// remembers anything.
type position struct {
	// Query tells the query that it is of.
	Query string `json:"q"`
	// Token is Jira's; it is good for seven days. Size is its pages'.
	Token string `json:"t,omitempty"`
	Size  int    `json:"n,omitempty"`
	// Left are the ids that found no place on the page before. End: there is
	// nothing after them.
	Left []string `json:"l,omitempty"`
	End  bool     `json:"e,omitempty"`
	// Broad: Jira refused the narrow question, so all is asked for.
	Broad bool `json:"b,omitempty"`
	// Zone is the caller's time zone, by which the question was worded.
	Zone string `json:"z,omitempty"`
}

func (p position) cursor() string {
	if p.Token == "" && len(p.Left) == 0 {
		return ""
	}
	text, err := json.Marshal(p)
	if err != nil {
		return "" // strings, numbers and flags can be written
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// position reads the query's cursor.
func (t *turn) position(q ticket.Query) (position, error) {
	at := position{Query: digestOf(q)}
	if q.Cursor == "" {
		return at, nil
	}
	var read position
	text, err := base64.RawURLEncoding.DecodeString(q.Cursor)
	if err == nil {
		err = json.Unmarshal(text, &read)
	}
	switch {
	case err != nil || read.Token == "" && len(read.Left) == 0 || read.Size < 0 || read.Size > pageSize || len(read.Left) > pageSize:
		return at, t.permanent("cursor: not one of this query's pages: give it back as it was answered")
	case read.Query != at.Query:
		return at, t.permanent("cursor: of another query: filters and orders must stay the same from page to page")
	}
	for _, id := range read.Left {
		if id == "" || leadingDigits(id) != len(id) {
			return at, t.permanent("cursor: not one of this query's pages: give it back as it was answered")
		}
	}
	return read, nil
}

func digestOf(q ticket.Query) string {
	text, err := json.Marshal([]any{q.Filters, q.Orders})
	if err != nil {
		return "" // strings and flags can be written
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}
