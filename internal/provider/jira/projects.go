package jira

import (
	"context"
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

const (
	// defaultProjects and maxProjects are the sizes of a page of projects; the
	// latter is Jira's.
	defaultProjects = 50
	maxProjects     = 100
)

// listedProject is a project of a list.
type listedProject struct {
	project
	Style    string `json:"style"`
	Archived bool   `json:"archived"`
}

// ListProjects lists the projects that the account sees, by name (GET
// /rest/api/3/project/search). Limit is 50 where it is 0, at most 100. A
// project's ID is its key, as in Ticket.Project. A project that is made or taken
// away while pages are read may move another one over the page's edge.
func (c *Client) ListProjects(ctx context.Context, cursor string, limit int) (ticket.Page[ticket.Project], error) {
	t, err := c.begin("list projects", endProjects, "")
	if err != nil {
		return ticket.Page[ticket.Project]{}, err
	}
	defer t.end()
	start, ok := parseStart(cursor)
	if !ok {
		return ticket.Page[ticket.Project]{}, ticket.RefusedFor("cursor", cursor, t.permanent("cursor: not one of this list's pages: give it back as it was answered"))
	}
	if limit <= 0 {
		limit = defaultProjects
	}
	found, last, err := t.projectPage(ctx, start, min(limit, maxProjects), "name")
	if err != nil {
		return ticket.Page[ticket.Project]{}, err
	}
	var page ticket.Page[ticket.Project]
	for _, p := range found {
		page.Items = append(page.Items, p.model())
	}
	if !last {
		page.Cursor = startCursor(start + len(found))
	}
	return page, nil
}

func (p listedProject) model() ticket.Project {
	out := ticket.Project{ID: p.Key, Name: p.Name, Unmapped: map[string]any{"id": p.ID}}
	for name, value := range map[string]string{"type": p.Type, "style": p.Style} {
		if value != "" {
			out.Unmapped[name] = value
		}
	}
	return out
}

// projectPage reads a page. Jira answers 404 where nothing matches, and an empty
// list to whom it does not know.
func (t *turn) projectPage(ctx context.Context, start, size int, order string) (found []listedProject, last bool, err error) {
	var answer struct {
		Values *[]listedProject `json:"values"`
		Total  int              `json:"total"`
		Last   *bool            `json:"isLast"`
	}
	err = t.do(ctx, call{endpoint: endProjects, path: "/project/search", query: url.Values{
		"startAt": {strconv.Itoa(start)}, "maxResults": {strconv.Itoa(size)}, "orderBy": {order},
	}}, &answer)
	switch {
	case err != nil && ticket.KindOf(err) == ticket.NotFound:
		return nil, true, t.presentLately(ctx)
	case err != nil:
		return nil, false, err
	case answer.Values == nil:
		return nil, false, t.nonsense("a list of projects without values")
	case len(*answer.Values) == 0:
		return nil, true, t.presentLately(ctx)
	}
	last = start+len(*answer.Values) >= answer.Total
	if answer.Last != nil {
		last = *answer.Last
	}
	return *answer.Values, last, nil
}

const startPrefix = "at:"

func startCursor(start int) string {
	return base64.RawURLEncoding.EncodeToString([]byte(startPrefix + strconv.Itoa(start)))
}

func parseStart(cursor string) (int, bool) {
	if cursor == "" {
		return 0, true
	}
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return 0, false
	}
	digits, ok := strings.CutPrefix(string(text), startPrefix)
	start, err := strconv.Atoi(digits)
	return start, ok && err == nil && start > 0
}
