package servicenow

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// window is a stretch of a list. It may hold fewer rows than were asked for, even
// none, before the end: the limit counts rows that the account may not see.
type window struct {
	rows []record
	// more rows come after it, as far as the instance says.
	more bool
	// hidden is how many of its rows the account may not see, where that is known.
	hidden int
}

// window reads one, with one call; no columns are all.
func (t *turn) window(ctx context.Context, table, encoded string, columns []string, size, offset int) (window, error) {
	parameters := url.Values{
		"sysparm_query": {encoded}, "sysparm_limit": {strconv.Itoa(size)}, "sysparm_offset": {strconv.Itoa(offset)},
		"sysparm_display_value": {"all"}, "sysparm_exclude_reference_link": {"true"},
	}
	if len(columns) > 0 {
		parameters.Set("sysparm_fields", strings.Join(columns, ","))
	}
	var rows []record
	response, err := t.do(ctx, call{method: http.MethodGet, table: table, query: parameters}, &rows)
	if err != nil {
		return window{}, err
	}
	w := window{rows: rows}
	switch total, told := totalOf(response); {
	case told:
		w.more = offset+size < total
		w.hidden = max(0, min(total-offset, size)-len(rows))
	case response.Header.Get("Link") != "":
		w.more = strings.Contains(response.Header.Get("Link"), `rel="next"`)
	default:
		w.more = len(rows) > 0
	}
	return w, nil
}
