package cloudfeeds

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// query is a validated request for a page.
type query struct {
	limit      int
	marker     string
	backward   bool
	startingAt time.Time
	search     string
}

type fault struct {
	status  int
	message string
}

func parseQuery(v url.Values) (query, *fault) {
	q := query{limit: 25, marker: v.Get("marker"), search: v.Get("search")}
	if text := v.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 1000 {
			return q, &fault{http.StatusBadRequest, "Limit parameter not valid, acceptable values are 1 to 1000"}
		}
		q.limit = n
	}
	if text := v.Get("startingAt"); text != "" {
		at, err := time.Parse("2006-01-02T15:04:05.000Z07:00", text)
		if err != nil {
			return q, &fault{http.StatusBadRequest, "Invalid 'startingAt' parameter"}
		}
		if q.marker != "" {
			return q, &fault{http.StatusBadRequest, "'marker' parameter can not be used together with the 'startingAt' parameter"}
		}
		q.startingAt = at
	}
	if direction := v.Get("direction"); direction != "" && (q.marker != "" || !q.startingAt.IsZero()) {
		switch strings.ToLower(direction) {
		case "forward":
		case "backward":
			q.backward = true
		default:
			return q, &fault{http.StatusBadRequest, "Invalid 'direction' parameter"}
		}
	}
	if s := q.search; s != "" && (s[0] != '(' && s[0] != '+' || strings.ContainsAny(s, `",`)) {
		return q, &fault{http.StatusBadRequest, "Invalid Search Parameter"}
	}
	return q, nil
}

// matches filters by a single term, "(cat=TERM)" or "+TERM": all that readers of
// this feed use.
func (q query) matches(e stored) bool {
	term := strings.TrimSuffix(strings.TrimPrefix(q.search, "(cat="), ")")
	term = strings.TrimPrefix(term, "+")
	return term == "" || slices.Contains(terms(e), term)
}

// page answers a query as the mode's server does. entries are all that exist in
// the feed, oldest first; the result is in the order shown.
func (s *Server) page(q query, entries []stored, all []stored, tenant bool, now time.Time) ([]stored, *fault) {
	entries = slices.DeleteFunc(slices.Clone(entries), func(e stored) bool { return !q.matches(e) })
	at := slices.IndexFunc(all, func(e stored) bool { return e.ID == q.marker }) // need not match the filter
	if q.marker != "" && q.marker != "last" && at < 0 {
		return nil, &fault{http.StatusNotFound, "No entry with specified marker found"}
	}
	visible := s.settled(entries, now)
	if q.marker == "" && q.startingAt.IsZero() {
		return newestFirst(visible[max(0, len(visible)-q.limit):]), nil
	}
	if s.opts.Mode == JDBC {
		return s.pageJDBC(q, entries, visible, all, at)
	}
	if s.opts.Mode == DDBBrokenForward && tenant && q.marker != "" {
		return nil, nil // "has the category and has not the category"
	}
	return pageDDB(q, entries, all, at)
}

func (s *Server) pageJDBC(q query, entries, visible, all []stored, at int) ([]stored, *fault) {
	if q.marker == "last" {
		return newestFirst(oldest(visible, q.limit)), nil
	}
	if !q.startingAt.IsZero() {
		at = slices.IndexFunc(visible, func(e stored) bool { return !e.Updated.Before(q.startingAt) })
		if at < 0 {
			return nil, &fault{http.StatusNotFound, "No entry with specified startingAt timestamp found"}
		}
		for at+1 < len(visible) && visible[at+1].Updated.Equal(visible[at].Updated) {
			at++
		}
		all = visible
	}
	marker := all[at]
	if q.backward {
		up := slices.DeleteFunc(slices.Clone(entries), func(e stored) bool { return after(e, marker) })
		return newestFirst(up[max(0, len(up)-q.limit):]), nil
	}
	newer := slices.DeleteFunc(slices.Clone(visible), func(e stored) bool { return !after(e, marker) })
	return newestFirst(oldest(newer, q.limit)), nil
}

func pageDDB(q query, entries, all []stored, at int) ([]stored, *fault) {
	switch {
	case q.marker == "last":
		return oldest(entries, q.limit), nil // oldest first
	case !q.startingAt.IsZero():
		newer := slices.DeleteFunc(slices.Clone(entries), func(e stored) bool { return !e.Updated.After(q.startingAt) })
		if len(newer) == 0 {
			return nil, &fault{http.StatusInternalServerError, "Internal Server Error"}
		}
		return newestFirst(oldest(newer, q.limit)), nil
	case q.backward: // the oldest of all, oldest first
		up := slices.DeleteFunc(slices.Clone(entries), func(e stored) bool { return e.Updated.After(all[at].Updated) })
		return oldest(up, q.limit), nil
	default: // the marker and its ties included
		newer := slices.DeleteFunc(slices.Clone(entries), func(e stored) bool { return e.Updated.Before(all[at].Updated) })
		return newestFirst(oldest(newer, q.limit)), nil
	}
}

func after(e, marker stored) bool {
	if e.Updated.Equal(marker.Updated) {
		return e.Seq > marker.Seq
	}
	return e.Updated.After(marker.Updated)
}

func oldest(entries []stored, n int) []stored { return entries[:min(n, len(entries))] }

func newestFirst(entries []stored) []stored {
	out := slices.Clone(entries)
	slices.Reverse(out)
	return out
}
