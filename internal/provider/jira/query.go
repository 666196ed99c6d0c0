package jira

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

const (
	// pageSize is how many issues are asked for at once.
	pageSize = 100
	// maxLimit is the largest page that QueryTickets answers.
	maxLimit = 1000
	// maxScan is how many of Jira's pages one call reads: a filter that Jira
	// cannot evaluate may fit few of them.
	maxScan = 10
)

// wholeIssue are the fields of an issue that is read with others. Its comments
// and work log are asked for by themselves.
func wholeIssue() []string { return []string{"*all", "-comment", "-worklog"} }

// QueryTickets lists tickets. Jira's index is asked for what the filters may fit
// (its enhanced search, POST /rest/api/3/search/jql), and each filter is held
// against every issue, so that what is answered fits exactly. The index itself
// lags: a ticket made just now may be missing, one that was just changed may be
// listed by what it was.
//
// Without a filter on project, id or key the default project is searched, or all
// where there is none. A page may hold fewer tickets than Limit (0 takes 100, the
// most is 1,000), even none, while Cursor says that there are more: one call
// reads at most 1,000 issues. Without an order the newest come first. Tickets
// that change place while pages are read may be listed twice or not at all.
//
// FilterFields and OrderFields name what can be filtered and ordered by.
func (c *Client) QueryTickets(ctx context.Context, q ticket.Query) (ticket.Page[ticket.Ticket], error) {
	t, err := c.begin("query issues", endSearch, "")
	if err != nil {
		return ticket.Page[ticket.Ticket]{}, err
	}
	defer t.end()
	at, err := t.position(q)
	if err != nil {
		return ticket.Page[ticket.Ticket]{}, ticket.RefusedFor("cursor", q.Cursor, err)
	}
	s, err := t.selection(ctx, q, &at)
	if err != nil || s.never {
		return ticket.Page[ticket.Ticket]{}, err
	}
	limit := min(cmp.Or(max(q.Limit, 0), pageSize), maxLimit)
	at.Size = cmp.Or(at.Size, s.size(limit))
	r := &listing{t: t, selection: s, at: at, limit: limit, seen: map[string]bool{}}
	if err := r.read(ctx); err != nil {
		return ticket.Page[ticket.Ticket]{}, err
	}
	return ticket.Page[ticket.Ticket]{Items: r.items, Cursor: r.at.cursor()}, nil
}

// selection is a query that was understood.
type selection struct {
	conditions []condition
	// narrow is the question for Jira, broad the one that it cannot refuse.
	narrow, broad string
	// never: no ticket can fit.
	never bool
}

// condition is a filter.
type condition struct {
	// jql selects at least what fits; empty where JQL cannot say it.
	jql string
	// sure: Jira knows all that jql names.
	sure bool
	// never: no ticket can fit.
	never bool
	fits  func(i issue, m ticket.Ticket) bool
}

// size is that of Jira's pages: where many issues will not fit, large ones.
func (s selection) size(limit int) int {
	if slices.ContainsFunc(s.conditions, func(c condition) bool { return c.jql == "" }) {
		return pageSize
	}
	return min(limit, pageSize)
}

func (s selection) fits(i issue, m ticket.Ticket) bool {
	return !slices.ContainsFunc(s.conditions, func(c condition) bool { return !c.fits(i, m) })
}

// anything bounds a question that has no other restriction, which Jira refuses.
const anything = `created >= "1970-01-02"`

func (s *selection) word(order string) {
	var narrow, broad []string
	for _, c := range s.conditions {
		s.never = s.never || c.never
		if c.jql != "" {
			narrow = append(narrow, c.jql)
		}
		if c.jql != "" && c.sure {
			broad = append(broad, c.jql)
		}
	}
	s.narrow = strings.Join(orAnything(narrow), " AND ") + order
	s.broad = strings.Join(orAnything(broad), " AND ") + order
}

func orAnything(clauses []string) []string {
	if len(clauses) == 0 {
		return []string{anything}
	}
	return clauses
}

// listing is one page under way.
type listing struct {
	t *turn
	selection
	at    position
	limit int
	seen  map[string]bool
	items []ticket.Ticket
}

func (r *listing) read(ctx context.Context) error {
	if err := r.leftOver(ctx); err != nil {
		return err
	}
	for n := 0; n < maxScan && len(r.items) < r.limit && !r.at.End; n++ {
		err := r.page(ctx)
		if err != nil && n > 0 && (ticket.KindOf(err) == ticket.Retry || ticket.KindOf(err) == ticket.RateLimited) {
			return nil // what was read is answered; the next page goes on from here
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// leftOver reads the issues that the page before had no place for.
func (r *listing) leftOver(ctx context.Context) error {
	left := r.at.Left
	if len(left) == 0 {
		return nil
	}
	found, err := r.t.bulk(ctx, left, wholeIssue())
	if err != nil {
		return err
	}
	r.at.Left = nil
	slices.SortStableFunc(found, func(a, b issue) int {
		return cmp.Compare(slices.Index(left, a.ID), slices.Index(left, b.ID))
	})
	r.take(ctx, found)
	return nil
}

func (r *listing) page(ctx context.Context) error {
	jql := r.narrow
	if r.at.Broad {
		jql = r.broad
	}
	found, next, err := r.t.searchPage(ctx, jql, r.at.Size, r.at.Token)
	if refused, ok := errors.AsType[*ticket.Error](err); ok && refused.Status == http.StatusBadRequest {
		return r.refused(ctx, refused)
	}
	if err != nil {
		return err
	}
	if len(found) == 0 && next == "" && r.at.Token == "" {
		if err := r.t.presentLately(ctx); err != nil {
			return err
		}
	}
	if next != "" && next == r.at.Token {
		return r.t.nonsense("the same page token again")
	}
	r.take(ctx, found)
	r.at.Token, r.at.End = next, next == ""
	return nil
}

// refused: Jira does not look for values that it does not know (a status that the
// site has not, a priority, an option): the filters are then held against all.
func (r *listing) refused(ctx context.Context, err *ticket.Error) error {
	switch {
	case r.at.Token != "":
		again := *err
		again.Message = "The cursor may be too old (Jira keeps a page for seven days): begin again without it. " + err.Message
		return &again
	case r.at.Broad || r.narrow == r.broad:
		return err
	}
	r.at.Broad, r.at.Size = true, pageSize
	return r.page(ctx)
}

// take keeps what fits; what has no place is left for the next page.
func (r *listing) take(ctx context.Context, found []issue) {
	for _, i := range found {
		if r.seen[i.ID] {
			continue
		}
		r.seen[i.ID] = true
		m := r.t.model(ctx, i)
		switch {
		case !r.fits(i, m):
		case len(r.items) < r.limit:
			r.items = append(r.items, m)
		default:
			r.at.Left = append(r.at.Left, i.ID)
		}
	}
}

// searchPage asks the index for a page of whole issues; next is empty at the end.
func (t *turn) searchPage(ctx context.Context, jql string, size int, token string) (found []issue, next string, err error) {
	var answer struct {
		Issues *[]issue `json:"issues"`
		Next   string   `json:"nextPageToken"`
		Last   *bool    `json:"isLast"`
	}
	body := map[string]any{"jql": jql, "maxResults": size, "fields": wholeIssue(), "properties": []string{propertyKey}}
	if token != "" {
		body["nextPageToken"] = token
	}
	if err := t.do(ctx, call{endpoint: endSearch, path: "/search/jql", body: body}, &answer); err != nil {
		return nil, "", err
	}
	if answer.Issues == nil {
		return nil, "", t.nonsense("a search without issues")
	}
	if answer.Last != nil && *answer.Last {
		answer.Next = ""
	}
	return *answer.Issues, answer.Next, nil
}

// unknownZone stands in a cursor for a time zone that this machine does not know.
const unknownZone = "?"

// zone is the time zone of the account's profile, by which JQL reads times; nil
// where it cannot be known. It is read with each query, not remembered: people
// travel.
func (t *turn) zone(ctx context.Context, at *position) (*time.Location, error) {
	if at.Zone == "" {
		var me struct {
			Zone string `json:"timeZone"`
		}
		err := t.do(ctx, call{endpoint: endMyself, path: "/myself"}, &me)
		if err != nil {
			return nil, err
		}
		at.Zone = cmp.Or(me.Zone, unknownZone)
	}
	zone, err := time.LoadLocation(at.Zone)
	if err != nil || at.Zone == unknownZone || at.Zone == "Local" {
		return nil, nil // all zones are allowed for then
	}
	return zone, nil
}
