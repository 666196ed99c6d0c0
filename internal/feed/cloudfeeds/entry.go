package cloudfeeds

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/rest"
)

const maxRaw = 32 << 10

// idIn finds the id of an entry that could not be decoded.
var idIn = regexp.MustCompile(`"id"\s*:\s*"(urn:[^"\s]{1,100})"|<(?:\w+:)?id>\s*(urn:[^<\s]{1,100})\s*<`)

// readEntry makes an item of what the feed sent. It never fails: what cannot
// be used says why in Malformed.
func readEntry(raw rawEntry, tenant string) item {
	it := item{id: text(raw.tree["id"])}
	if found := idIn.FindSubmatch(raw.raw); raw.tree == nil && found != nil {
		it.id = string(found[1]) + string(found[2])
	}
	if it.id == "" {
		it.id, it.synthetic = fmt.Sprintf("malformed:%016x", hashID(string(raw.raw))), true
	}
	it.hash = hashID(it.id)
	entry := event.Entry{ID: it.id, Raw: rest.Truncate(string(raw.raw), maxRaw)}
	malformed := func(reason string) item {
		entry.Malformed = reason
		it.entries = []event.Entry{entry}
		return it
	}
	if raw.tree == nil {
		return malformed("the entry cannot be read: " + raw.err.Error())
	}
	stored, ok := parseTime(text(raw.tree["updated"]))
	if !ok {
		stored, ok = parseTime(text(raw.tree["published"]))
	}
	it.at, entry.StoredAt = stored, stored
	content, err := eventOf(raw.tree["content"])
	if tenant != "" {
		switch ours, named := tenantIs(raw.tree, content, tenant); {
		case !named:
			return malformed("the entry names no tenant, and the feed is restricted to " + tenant)
		case !ours:
			it.refused = true
			return it
		}
	}
	switch {
	case it.synthetic:
		return malformed("the entry has no id")
	case !ok:
		return malformed(fmt.Sprintf("updated: %q is not a time", text(raw.tree["updated"])))
	case err != nil:
		return malformed("content: " + err.Error())
	}
	foreign, comments := foreignOf(raw.tree, content, stored)
	if foreign.TicketID == "" {
		return malformed("names no ticket")
	}
	entry.Data = raw.tree
	it.entries = spread(entry, foreign, comments)
	return it
}

// spread makes one event.Entry a comment; an entry without one is one too.
func spread(entry event.Entry, foreign event.Foreign, comments []event.ForeignComment) []event.Entry {
	var out []event.Entry
	for i := range max(len(comments), 1) {
		e, f := entry, foreign
		if i < len(comments) {
			c := comments[i]
			if c.ID == "" {
				c.ID = fmt.Sprintf("%s#%d", entry.ID, i+1) // the entry's id is what makes it one comment
			}
			if i > 0 {
				e.ID = entry.ID + "#" + strings.TrimPrefix(c.ID, entry.ID+"#")
			}
			f.Comment = &c
		}
		e.Foreign, e.Data = &f, withTicket(entry.Data, f)
		out = append(out, e)
	}
	return out
}

func foreignOf(entry, content map[string]any, stored time.Time) (event.Foreign, []event.ForeignComment) {
	product, _ := first(content["product"]).(map[string]any)
	f := event.Foreign{
		TicketID:  text(product["ticketId"]),
		Subject:   text(product["subject"]),
		Status:    text(product["status"]),
		Type:      text(content["type"]),
		UpdatedAt: stored,
	}
	if f.TicketID == "" {
		f.TicketID = text(content["resourceId"])
	}
	if rids := categories(entry, "rid:"); f.TicketID == "" && len(rids) > 0 {
		f.TicketID = rids[0]
	}
	if at, ok := parseTime(text(product["lastUpdated"])); ok {
		f.UpdatedAt = at
	} else if at, ok := parseTime(text(content["eventTime"])); ok {
		f.UpdatedAt = at
	}
	var comments []event.ForeignComment
	for _, value := range list(product["comment"]) {
		c := event.ForeignComment{Text: text(value)}
		if members, ok := value.(map[string]any); ok {
			c = event.ForeignComment{ID: text(members["id"]), Author: text(members["author"]), AuthorType: text(members["authorType"])}
			if c.Text = text(members["text"]); c.Text == "" {
				c.Text = text(members["@text"])
			}
			c.CreatedAt, _ = parseTime(text(members["created"]))
		}
		if c.Text != "" {
			comments = append(comments, c)
		}
	}
	return f, comments
}

// eventOf finds the event in an entry's content: an element, or JSON in text.
func eventOf(value any) (map[string]any, error) {
	content, ok := first(value).(map[string]any)
	if !ok {
		content = map[string]any{"@text": first(value)}
	}
	if e, ok := first(content["event"]).(map[string]any); ok {
		return e, nil
	}
	inner, ok := content["@text"].(map[string]any)
	if s, isText := content["@text"].(string); isText && strings.HasPrefix(strings.TrimSpace(s), "{") {
		decoded, err := decodeJSON(repairJSON([]byte(s)))
		if err != nil {
			return nil, fmt.Errorf("neither an event nor JSON: %w", err)
		}
		inner, ok = decoded.(map[string]any)
	}
	if !ok {
		return nil, nil
	}
	if e, ok := first(inner["event"]).(map[string]any); ok {
		return e, nil
	}
	return inner, nil
}

// tenantIs compares the entry's tenant with ours; named is false where it has none.
func tenantIs(entry, content map[string]any, tenant string) (ours, named bool) {
	terms := categories(entry, "tid:")
	if id := text(content["tenantId"]); len(terms) == 0 && id != "" {
		terms = []string{id}
	}
	for _, term := range terms {
		if term == tenant {
			return true, true
		}
	}
	return false, len(terms) > 0
}

// categories are the terms with a prefix, without it.
func categories(entry map[string]any, prefix string) []string {
	var out []string
	for _, value := range list(entry["category"]) {
		members, _ := value.(map[string]any)
		if term, ok := strings.CutPrefix(text(members["term"]), prefix); ok && term != "" {
			out = append(out, term)
		}
	}
	return out
}

// text is a value as text: strings, numbers and booleans as they are, an object's "@text".
func text(value any) string {
	switch v := first(value).(type) {
	case string:
		return strings.TrimSpace(v)
	case json.Number:
		return v.String()
	case bool:
		return fmt.Sprint(v)
	case map[string]any:
		if inner, ok := v["@text"].(string); ok {
			return strings.TrimSpace(inner)
		}
	}
	return ""
}

// list is a value that may be one or many, or absent.
func list(value any) []any {
	switch v := value.(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

func first(value any) any {
	if many, ok := value.([]any); ok {
		if len(many) == 0 {
			return nil
		}
		return many[0]
	}
	return value
}

// parseTime reads the feed's times; one without a zone is UTC.
func parseTime(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 0 && t.Year() < 10000 {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
