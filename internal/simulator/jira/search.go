package jira

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// search answers from an index that sees an issue IndexLag after it was made. A
// page's token is the place in the order after which the next one begins, so
// that issues that come and go before it move nothing.
func (s *Simulator) search(x *exchange) answer {
	var body struct {
		JQL        string   `json:"jql"`
		MaxResults *int     `json:"maxResults"`
		Fields     []string `json:"fields"`
		Properties []string `json:"properties"`
		Token      string   `json:"nextPageToken"`
	}
	if x.decode(&body) != nil {
		return refuse(http.StatusBadRequest, nil, "There was an error parsing JSON. Check that your request body is valid.")
	}
	q, err := s.parseJQL(body.JQL)
	if err != nil {
		return refuse(http.StatusBadRequest, nil, err.Error())
	}
	after, valid := readPlace(body.Token)
	if !valid {
		return refuse(http.StatusBadRequest, nil, "The nextPageToken is invalid.")
	}
	var hits []*Issue
	for _, i := range s.sorted() {
		if s.issue(i.ID) != nil && !i.IndexedAt.After(x.now) && q.matches(i) && (after == nil || q.compare(s.place(q, i), after) > 0) {
			hits = append(hits, i)
		}
	}
	slices.SortStableFunc(hits, func(a, b *Issue) int { return q.compare(s.place(q, a), s.place(q, b)) })
	size := 50
	if body.MaxResults != nil {
		size = *body.MaxResults
	}
	last := size >= len(hits)
	hits = hits[:min(size, len(hits))]
	issues := []any{}
	for _, i := range hits {
		if len(body.Fields) == 0 {
			issues = append(issues, map[string]any{"id": i.ID})
			continue
		}
		issues = append(issues, s.view(i, body.Fields, body.Properties))
	}
	out := map[string]any{"issues": issues, "isLast": last}
	if !last && len(hits) > 0 {
		out["nextPageToken"] = writePlace(s.place(q, hits[len(hits)-1]))
	}
	return ok(out)
}

// place is where an issue stands in an order.
func (s *Simulator) place(q jql, i *Issue) []string {
	var out []string
	for _, o := range q.orders {
		key, _ := s.sortable(o.field) // the parser saw to it
		out = append(out, key(i))
	}
	return append(out, strings.Repeat("0", max(0, 12-len(i.ID)))+i.ID)
}

func (q jql) compare(a, b []string) int {
	for n, o := range q.orders {
		if order := strings.Compare(a[n], b[n]); order != 0 && o.down {
			return -order
		} else if order != 0 {
			return order
		}
	}
	if q.orders[len(q.orders)-1].down {
		a, b = b, a
	}
	return strings.Compare(a[len(a)-1], b[len(b)-1])
}

func writePlace(place []string) string {
	text, err := json.Marshal(place)
	if err != nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(text)
}

func readPlace(token string) ([]string, bool) {
	if token == "" {
		return nil, true
	}
	text, err := base64.StdEncoding.DecodeString(token)
	var place []string
	if err != nil || json.Unmarshal(text, &place) != nil || len(place) == 0 {
		return nil, false
	}
	return place, true
}
