package cloudfeeds

import (
	"compress/gzip"
	"crypto/md5"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	jsonType = "application/vnd.rackspace.atom+json"
	xmlType  = "application/atom+xml"
)

// target is what a path names: FEED/events/ACCOUNT[/entries/ID].
type target struct {
	feed, account, entry string
}

func parsePath(path string) (target, bool) {
	path = strings.Trim(path, "/")
	name, rest, ok := strings.Cut(path, "/events")
	if !ok || name == "" || rest != "" && rest[0] != '/' {
		return target{}, false
	}
	t := target{feed: name + "/events"}
	rest = strings.Trim(rest, "/")
	if before, entry, found := strings.Cut("/"+rest, "/entries/"); found {
		rest, t.entry = strings.Trim(before, "/"), entry
	}
	t.account = rest
	return t, !strings.Contains(rest, "/")
}

func (s *Server) feeds(w *recorder, r *http.Request) {
	asJSON, ok := negotiate(r.Header.Get("Accept"))
	if !ok {
		w.WriteHeader(http.StatusNotAcceptable)
		return
	}
	if r.Method != http.MethodGet {
		writeError(w, asJSON, fault{http.StatusMethodNotAllowed, "Method Not Allowed"})
		return
	}
	t, ok := parsePath(r.URL.Path)
	if !ok {
		writeError(w, asJSON, fault{http.StatusNotFound, "Not Found"})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.opts.Now()
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	if !s.authorised(w, r, now) || !s.withinRate(w, now) {
		return
	}
	s.purge(now)
	entries := s.present(t.feed, t.account, now)
	if t.entry != "" {
		s.stats.Entries++
		s.entry(w, t, entries, asJSON)
		return
	}
	q, bad := parseQuery(r.URL.Query())
	if bad != nil {
		writeError(w, asJSON, *bad)
		return
	}
	if q.marker == "" {
		s.stats.Heads++
	} else {
		s.stats.Walks++
	}
	shown, bad := s.page(q, entries, s.present(t.feed, "", now), t.account != "", now)
	if bad != nil {
		writeError(w, asJSON, *bad)
		return
	}
	if tag := etag(shown); tag != "" {
		w.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			s.stats.NotModified++
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	body := feedXML(r, t, q, shown, s.links(q, shown, entries), now)
	if asJSON {
		body = feedJSON(r, t, q, shown, s.links(q, shown, entries), now)
	}
	send(w, r, asJSON, body)
}

func (s *Server) entry(w *recorder, t target, entries []stored, asJSON bool) {
	for _, e := range entries {
		if e.ID == t.entry {
			body, kind := entryXML(e), xmlType
			if asJSON {
				body, kind = `{"entry" : `+entryJSON(e)+`}`, jsonType
			}
			w.Header().Set("Content-Type", kind)
			_, _ = w.Write([]byte(body))
			return
		}
	}
	writeError(w, asJSON, fault{http.StatusNotFound, "Entry not found"})
}

// negotiate takes the first type that it knows. Other JSON types are refused.
func negotiate(accept string) (asJSON, ok bool) {
	if accept == "" {
		return false, true
	}
	for part := range strings.SplitSeq(accept, ",") {
		kind, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		switch kind {
		case jsonType:
			return true, true
		case xmlType, "application/xml", "text/xml", "*/*", "application/*":
			return false, true
		}
	}
	return false, false
}

// etag covers the first and the last entry only, and there is none for an empty page.
func etag(shown []stored) string {
	if len(shown) == 0 {
		return ""
	}
	return fmt.Sprintf(`W/"%x"`, md5.Sum([]byte(shown[0].ID+shown[len(shown)-1].ID+"observer")))
}

type link struct{ rel, query string }

// links are the page's; DynamoDB's "next" points at the newest entry, and is
// there when something newer exists.
func (s *Server) links(q query, shown, entries []stored) []link {
	var out []link
	if len(shown) == 0 {
		return out
	}
	form := func(marker, direction string) string {
		return fmt.Sprintf("?marker=%s&limit=%d&search=%s&direction=%s", marker, q.limit, q.search, direction)
	}
	out = append(out, link{"previous", form(shown[0].ID, "forward")})
	last := shown[len(shown)-1]
	for i, e := range entries {
		if e.ID != last.ID {
			continue
		}
		switch {
		case s.opts.Mode == JDBC && i > 0:
			out = append(out, link{"next", form(entries[i-1].ID, "backward")})
		case s.opts.Mode != JDBC && i < len(entries)-1:
			out = append(out, link{"next", form(entries[len(entries)-1].ID, "backward")})
		}
	}
	if q.marker == "" {
		out = append(out, link{"last", form("last", "backward")})
	}
	return out
}

func send(w http.ResponseWriter, r *http.Request, asJSON bool, body string) {
	kind := xmlType
	if asJSON {
		kind = jsonType
	}
	w.Header().Set("Content-Type", kind+";charset=UTF-8")
	if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		_, _ = w.Write([]byte(body))
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	_, _ = z.Write([]byte(body))
	_ = z.Close()
}

func writeError(w http.ResponseWriter, asJSON bool, f fault) {
	if asJSON {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(f.status)
		fmt.Fprintf(w, `{"error" : {"@type": "http://abdera.apache.org", "code" : "%d", "message" : "%s"}}`, f.status, f.message)
		return
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(f.status)
	fmt.Fprintf(w, `<?xml version='1.0' encoding='UTF-8'?><error xmlns="http://abdera.apache.org"><code>%d</code><message>%s</message></error>`, f.status, escapeXML(f.message))
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
