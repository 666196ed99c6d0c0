package servicenow

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// position is where a page of a query ended. A cursor is nothing else: no process
// remembers anything.
type position struct {
	// Query tells the query that it is of.
	Query string `json:"q"`
	// Part is the stretch of the order, Keys are the values of the last record
	// that was looked at; the list goes on behind them, Offset rows later where
	// those were all hidden.
	Part   int      `json:"p,omitempty"`
	Keys   []string `json:"k,omitempty"`
	Offset int      `json:"o,omitempty"`
	// Counted: the list goes on at Offset, behind the records of Seen (6 bytes of
	// the hash of each sys_id), which were looked at last.
	Counted bool   `json:"c,omitempty"`
	Seen    []byte `json:"s,omitempty"`
	// End: there is nothing more.
	End bool `json:"-"`
}

const (
	seenBytes = 6
	maxSeen   = 60
	maxOffset = 1 << 30
)

func (p position) cursor() string {
	if p.End {
		return ""
	}
	text, err := json.Marshal(p)
	if err != nil {
		return "" // texts, numbers and flags can be written
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// position reads the query's cursor.
func (t *turn) position(q ticket.Query) (position, error) {
	at := position{Query: t.c.digestOf(q)}
	if q.Cursor == "" {
		return at, nil
	}
	var read position
	text, err := base64.RawURLEncoding.DecodeString(q.Cursor)
	if err == nil {
		err = json.Unmarshal(text, &read)
	}
	switch {
	case err != nil || !read.isSound():
		return at, t.notOurs()
	case read.Query != at.Query:
		return at, t.permanent("cursor: of another query: filters and orders must stay the same from page to page")
	}
	return read, nil
}

func (t *turn) notOurs() error {
	return t.permanent("cursor: not one of this query's pages: give it back as it was answered")
}

func (p position) isSound() bool {
	return p.Part >= 0 && p.Part <= 1 && p.Offset >= 0 && p.Offset <= maxOffset && len(p.Keys) <= maxKeys &&
		len(p.Seen)%seenBytes == 0 && len(p.Seen) <= maxSeen*seenBytes &&
		(!p.Counted || len(p.Keys) == 0 && p.Part == 0) && (p.Counted || len(p.Seen) == 0) &&
		!slices.ContainsFunc(p.Keys, func(k string) bool { return !isKey(k) })
}

// isKey: a time, a number or a sys_id.
func isKey(text string) bool {
	_, err := strconv.ParseInt(text, 10, 32)
	return err == nil || isID(text) || timePattern.MatchString(text)
}

// fits: the cursor is of this order.
func (p position) fits(o ordering) bool {
	if p.Counted {
		return true
	}
	parts := o.parts()
	if slices.ContainsFunc(o.keys, func(k sortKey) bool { return !k.keyed }) {
		return false
	}
	return p.Part < len(parts) && (len(p.Keys) == 0 || len(p.Keys) == len(parts[p.Part].keys) && isID(p.Keys[len(p.Keys)-1]))
}

// see notes a record that was looked at.
func (p *position) see(id string) {
	p.Seen = append(p.Seen, mark(id)...)
	p.Seen = p.Seen[max(0, len(p.Seen)-maxSeen*seenBytes):]
}

func (p position) saw(id string) bool {
	for old := range slices.Chunk(p.Seen, seenBytes) {
		if string(old) == string(mark(id)) {
			return true
		}
	}
	return false
}

func mark(id string) []byte {
	sum := sha256.Sum256([]byte(id))
	return sum[:seenBytes]
}

func (c *Client) digestOf(q ticket.Query) string {
	text, err := json.Marshal([]any{c.app.table, c.config.DefaultProject, q.Filters, q.Orders})
	if err != nil {
		return "" // texts and flags can be written
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}
