package jira

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// maxFound bounds what FindTicket reads: 100 is what one bulk fetch gives.
const maxFound = 100

// FindTicket finds tickets by the marker's labels in the search index, newest
// first, and keeps those whose property has every member that m has. The index
// lags behind without a stated bound: what it does not find may exist. Any
// failure is an error, never "nothing found".
func (c *Client) FindTicket(ctx context.Context, m ticket.Marker) ([]ticket.Ticket, error) {
	t, err := c.begin("find issue by its marker", endSearch, "")
	if err != nil {
		return nil, err
	}
	defer t.end()
	labels := labelsOf(m)
	if len(labels) == 0 {
		return nil, t.permanent("the marker has neither key nor request")
	}
	var clauses []string
	for _, l := range labels {
		clauses = append(clauses, "labels = "+quoteJQL(l))
	}
	ids, err := t.search(ctx, strings.Join(clauses, " AND ")+" ORDER BY created DESC", maxFound)
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return nil, t.presentLately(ctx)
	}
	return t.verified(ctx, ids, m)
}

// verified reads the issues by id, as they are now, and keeps the marker's.
func (t *turn) verified(ctx context.Context, hits []issue, m ticket.Marker) ([]ticket.Ticket, error) {
	var ids []string
	for _, hit := range hits {
		ids = append(ids, hit.ID)
	}
	issues, err := t.bulk(ctx, ids, []string{"*all"})
	if err != nil {
		return nil, err
	}
	var out []ticket.Ticket
	for _, i := range issues {
		if mark := stampFrom(i.Properties); mark.matches(m) {
			found := t.model(ctx, i)
			found.Operation = mark.Operation
			out = append(out, found)
		}
	}
	slices.SortStableFunc(out, func(a, b ticket.Ticket) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), compareIDs(b.ID, a.ID))
	})
	return out, nil
}

// search asks the index for one page of ids and keys.
func (t *turn) search(ctx context.Context, jql string, limit int) ([]issue, error) {
	var answer struct {
		Issues *[]issue `json:"issues"`
	}
	body := map[string]any{"jql": jql, "maxResults": limit, "fields": []string{"created"}}
	if err := t.do(ctx, call{endpoint: endSearch, path: "/search/jql", body: body}, &answer); err != nil {
		return nil, err
	}
	if answer.Issues == nil {
		return nil, t.nonsense("a search without issues")
	}
	return *answer.Issues, nil
}

// presentLately is present, remembered for a while: whoever makes an issue after
// a search that found nothing is told by that call if Jira forgot us meanwhile.
func (t *turn) presentLately(ctx context.Context) error {
	_, err := t.c.presence.Get("me", func() (struct{}, error) { return struct{}{}, t.present(ctx) })
	return err
}

// present confirms that Jira knows who asks: it answers anonymous callers with
// empty lists, which must not pass for "nothing there".
func (t *turn) present(ctx context.Context) error {
	var me named
	if err := t.do(ctx, call{endpoint: endMyself, path: "/myself"}, &me); err != nil {
		return err
	}
	if me.AccountID == "" {
		return t.nonsense("no account of ours")
	}
	return nil
}

// compareIDs orders ids as the numbers they are.
func compareIDs(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}
