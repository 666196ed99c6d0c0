package jira

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// search answers from an index that sees an issue IndexLag after it was made.
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
	q, err := parseJQL(body.JQL)
	if err != nil {
		return refuse(http.StatusBadRequest, nil, err.Error())
	}
	var hits []*Issue
	for _, i := range s.sorted() {
		if s.issue(i.ID) != nil && !i.IndexedAt.After(x.now) && q.matches(i) {
			hits = append(hits, i)
		}
	}
	q.sort(hits)
	size := 50
	if body.MaxResults != nil {
		size = *body.MaxResults
	}
	start := atoi(body.Token, 0)
	issues := []any{}
	for n := start; n < len(hits) && n < start+size; n++ {
		if len(body.Fields) == 0 {
			issues = append(issues, map[string]any{"id": hits[n].ID})
			continue
		}
		issues = append(issues, s.view(hits[n], body.Fields, body.Properties))
	}
	out := map[string]any{"issues": issues, "isLast": start+size >= len(hits)}
	if start+size < len(hits) {
		out["nextPageToken"] = strconv.Itoa(start + size)
	}
	return ok(out)
}

// jql is as much of the language as is needed: comparisons joined by AND, and
// an order.
type jql struct {
	clauses []clause
	order   string
	down    bool
}

type clause struct {
	field  string
	not    bool
	values []string
}

func parseJQL(text string) (jql, error) {
	order := regexp.MustCompile(`(?i)\s*\bORDER BY\b\s*`).Split(text, 2)
	q := jql{order: "created", down: true}
	if len(order) == 2 {
		fields := strings.Fields(order[1])
		if len(fields) == 0 || len(fields) > 2 || !slices.Contains([]string{"created", "key", "id", "updated"}, strings.ToLower(fields[0])) {
			return q, fmt.Errorf("Error in the JQL Query: cannot order by '%s'", order[1])
		}
		q.order, q.down = strings.ToLower(fields[0]), len(fields) == 2 && strings.EqualFold(fields[1], "DESC")
	}
	if strings.TrimSpace(order[0]) == "" {
		return q, fmt.Errorf("Unbounded JQL queries are not allowed here. Please add a search restriction to your query.")
	}
	comparison := regexp.MustCompile(`(?i)^\s*([a-z]+)\s*(!=|=|\bin\b)\s*(\(.*\)|"(?:[^"\\]|\\.)*"|[^\s"()]+)\s*$`)
	for _, part := range regexp.MustCompile(`(?i)\s+AND\s+`).Split(order[0], -1) {
		m := comparison.FindStringSubmatch(part)
		if m == nil {
			return q, fmt.Errorf("Error in the JQL Query: cannot read '%s'", part)
		}
		c := clause{field: strings.ToLower(m[1]), not: m[2] == "!="}
		if !slices.Contains([]string{"project", "labels", "key", "id", "status", "statuscategory"}, c.field) {
			return q, fmt.Errorf("Field '%s' does not exist or you do not have permission to view it.", m[1])
		}
		for _, v := range strings.Split(strings.Trim(m[3], "()"), ",") {
			c.values = append(c.values, unquote(strings.TrimSpace(v)))
		}
		q.clauses = append(q.clauses, c)
	}
	return q, nil
}

func unquote(text string) string {
	if plain, err := strconv.Unquote(text); err == nil {
		return plain
	}
	return text
}

func (q jql) matches(i *Issue) bool {
	for _, c := range q.clauses {
		if c.holds(i) == c.not {
			return false
		}
	}
	return true
}

func (c clause) holds(i *Issue) bool {
	return slices.ContainsFunc(c.values, func(v string) bool {
		switch c.field {
		case "project":
			return strings.EqualFold(i.Project, v)
		case "labels":
			return slices.ContainsFunc(i.Labels, func(l string) bool { return strings.EqualFold(l, v) })
		case "key", "id":
			return i.Key == v || i.ID == v
		case "status":
			return strings.EqualFold(i.Status, v)
		default:
			return strings.EqualFold(categoryOf(i.Status), v)
		}
	})
}

func (q jql) sort(hits []*Issue) {
	slices.SortStableFunc(hits, func(a, b *Issue) int {
		order := 0
		switch q.order {
		case "created":
			order = a.Created.Compare(b.Created)
		case "updated":
			order = a.Updated.Compare(b.Updated)
		}
		if order == 0 {
			order = number(a.ID) - number(b.ID)
		}
		if q.down {
			return -order
		}
		return order
	})
}
