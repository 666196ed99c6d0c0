package cloudfeeds

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const eventNamespace = "http://docs.rackspace.com/event/consolidatedticketing/ticket/update"

// attr is a name and a value, in the order shown.
type attr struct{ name, value string }

func eventAttrs(e stored) []attr {
	return present(attr{"AtType", eventNamespace}, attr{"dataCenter", "iad"}, attr{"eventTime", nano(e.EventTime)},
		attr{"id", "event-" + strings.TrimPrefix(e.ID, "urn:uuid:")}, attr{"region", "iad"}, attr{"resourceId", e.TicketID},
		attr{"tenantId", e.Tenant}, attr{"type", e.Type}, attr{"version", "1"})
}

func productAttrs(e stored) []attr {
	attrs := present(attr{"accountId", e.Tenant}, attr{"lastUpdated", nano(e.LastUpdated)}, attr{"resourceType", "TICKET"},
		attr{"serviceCode", "ConsolidatedTicketing"}, attr{"status", e.Status}, attr{"subject", e.Subject},
		attr{"ticketId", e.TicketID}, attr{"version", "1"})
	if len(e.Resources) == 0 {
		attrs = append(attrs, attr{"resources", ""}) // an empty list arrives as empty text
	}
	return attrs
}

func commentAttrs(c Comment) []attr {
	return present(attr{"author", c.Author}, attr{"authorType", c.AuthorType}, attr{"created", nano(c.Created)}, attr{"id", c.ID}, attr{"text", c.Text})
}

// terms are the categories of an entry.
func terms(e stored) []string {
	event := "consolidatedticketing." + strings.ToLower(e.Type) + ".ticket." + strings.ToLower(e.Type) + ".cloud"
	out := []string{"type:" + event, event}
	if e.TicketID != "" {
		out = append([]string{"rid:" + e.TicketID}, out...)
	}
	if e.Tenant != "" {
		out = append([]string{"tid:" + e.Tenant}, out...)
	}
	return out
}

func present(attrs ...attr) []attr {
	var out []attr
	for _, a := range attrs {
		if a.value != "" {
			out = append(out, a)
		}
	}
	return out
}

func nano(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000000Z")
}

func escapeXML(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}

func xmlAttrs(attrs []attr) string {
	var b strings.Builder
	for _, a := range attrs {
		fmt.Fprintf(&b, ` %s="%s"`, a.name, escapeXML(a.value))
	}
	return b.String()
}

func entryXML(e stored) string {
	if e.BrokenXML != "" {
		return e.BrokenXML
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<atom:entry xmlns:atom="http://www.w3.org/2005/Atom"><atom:id>%s</atom:id>`, escapeXML(e.ID))
	for _, term := range terms(e) {
		fmt.Fprintf(&b, `<atom:category term="%s"/>`, escapeXML(term))
	}
	if e.PlainTitle {
		b.WriteString(`<atom:title>ConsolidatedTicketing</atom:title>`)
	} else {
		b.WriteString(`<atom:title type="text">ConsolidatedTicketing</atom:title>`)
	}
	if e.JSONContent {
		fmt.Fprintf(&b, `<atom:content type="application/json">%s</atom:content>`, escapeXML(validJSON(e)))
	} else {
		fmt.Fprintf(&b, `<atom:content type="application/xml"><event xmlns="%s"%s><product%s>`, eventNamespace, xmlAttrs(eventAttrs(e)), xmlAttrs(productAttrs(e)))
		for _, c := range e.Comments {
			fmt.Fprintf(&b, `<comment%s/>`, xmlAttrs(commentAttrs(c)))
		}
		for _, r := range e.Resources {
			fmt.Fprintf(&b, `<resources>%s</resources>`, escapeXML(r))
		}
		b.WriteString(`</product></event></atom:content>`)
	}
	fmt.Fprintf(&b, `<atom:link href="https://atom.internal.example/%s/entries/%s" rel="self"/><atom:updated>%s</atom:updated><atom:published>%s</atom:published></atom:entry>`,
		e.Feed, escapeXML(e.ID), stamp(e.Updated), stamp(e.Updated))
	return b.String()
}

// feedXML leaves out id, title and updated on an empty page.
func feedXML(r *http.Request, t target, q query, shown []stored, links []link, now time.Time) string {
	var b strings.Builder
	base := baseURL(r, t)
	fmt.Fprintf(&b, `<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom"><link href="%s" rel="current"/><link href="%s" rel="self"/>`, base, base)
	if len(shown) > 0 {
		fmt.Fprintf(&b, `<id>urn:uuid:%d</id><title type="text">%s</title>`, now.UnixNano(), t.feed)
	}
	for _, l := range links {
		fmt.Fprintf(&b, `<link href="%s%s" rel="%s"/>`, base, escapeXML(l.query), l.rel)
	}
	if len(shown) > 0 {
		fmt.Fprintf(&b, `<updated>%s</updated>`, stamp(now))
	}
	for _, e := range shown {
		b.WriteString(entryXML(e))
	}
	b.WriteString(`</feed>`)
	return b.String()
}

func baseURL(r *http.Request, t target) string {
	return "http://" + r.Host + "/" + t.feed + "/" + t.account
}

// quote escapes as the server's stylesheet does: backslash and quote only, so
// that a line break makes invalid JSON.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func jsonMembers(attrs []attr) string {
	var parts []string
	for _, a := range attrs {
		parts = append(parts, quote(a.name)+" : "+quote(a.value))
	}
	return strings.Join(parts, ",")
}

func entryJSON(e stored) string {
	if e.BrokenJSON != "" {
		return e.BrokenJSON
	}
	var categories []string
	for _, term := range terms(e) {
		categories = append(categories, `{"term" : `+quote(term)+`}`)
	}
	title := `{"type" : "text", "@text" : "ConsolidatedTicketing"}`
	if e.PlainTitle {
		title = `"ConsolidatedTicketing"`
	}
	content := fmt.Sprintf(`{"event" : {"@type": %q, %s, "product" : {"@type": %q, %s%s}}}`, eventNamespace, jsonMembers(eventAttrs(e)), eventNamespace, jsonMembers(productAttrs(e)), jsonChildren(e))
	if e.JSONContent {
		content = `{"type" : "application/json", "@text" : ` + validJSON(e) + `}`
	}
	return fmt.Sprintf(`{"category" : [%s],"link" : [{"href" : "https://atom.internal.example/%s/entries/%s","rel" : "self"}],"id" :
                %s, "title" : %s, "content" : %s, "updated" :
                %q, "published" :
                %q}`, strings.Join(categories, ", "), e.Feed, e.ID, quote(e.ID), title, content, stamp(e.Updated), stamp(e.Updated))
}

// jsonChildren shows one child as an object and several as an array.
func jsonChildren(e stored) string {
	var comments, resources []string
	for _, c := range e.Comments {
		comments = append(comments, "{"+jsonMembers(commentAttrs(c))+"}")
	}
	for _, r := range e.Resources {
		resources = append(resources, quote(r))
	}
	return oneOrMany("comment", comments) + oneOrMany("resources", resources)
}

func oneOrMany(name string, parts []string) string {
	switch len(parts) {
	case 0:
		return ""
	case 1:
		return `, "` + name + `" : ` + parts[0]
	default:
		return `, "` + name + `" : [` + strings.Join(parts, ", ") + `]`
	}
}

// validJSON is the event of a publisher that sends JSON itself.
func validJSON(e stored) string {
	members := func(attrs []attr) map[string]any {
		out := map[string]any{}
		for _, a := range attrs {
			out[a.name] = a.value
		}
		return out
	}
	event, product := members(eventAttrs(e)), members(productAttrs(e))
	var comments []any
	for _, c := range e.Comments {
		comments = append(comments, members(commentAttrs(c)))
	}
	if len(comments) > 0 {
		product["comment"] = comments
	}
	event["product"] = product
	data, _ := json.Marshal(map[string]any{"event": event})
	return string(data)
}

func feedJSON(r *http.Request, t target, q query, shown []stored, links []link, now time.Time) string {
	var b strings.Builder
	base := baseURL(r, t)
	fmt.Fprintf(&b, `{"feed" : {"@type": "http://www.w3.org/2005/Atom", "link" : [{"href" : %q,"rel" : "current"}, {"href" : %q,"rel" : "self"}`, base, base)
	for _, l := range links {
		fmt.Fprintf(&b, `, {"href" : %s,"rel" : %q}`, quote(base+l.query), l.rel)
	}
	b.WriteString("]")
	if len(shown) > 0 {
		var entries []string
		for _, e := range shown {
			entries = append(entries, entryJSON(e))
		}
		fmt.Fprintf(&b, `,"entry" : [%s], "id" : "urn:uuid:%d", "title" : {"type" : "text", "@text" : %q}, "updated" : %q`,
			strings.Join(entries, ", "), now.UnixNano(), t.feed, stamp(now))
	}
	b.WriteString("}}")
	return b.String()
}
