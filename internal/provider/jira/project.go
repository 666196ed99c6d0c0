package jira

import (
	"cmp"
	"context"
	"net/url"
	"strconv"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// serviceDesk is the type of projects whose customers see public comments.
const serviceDesk = "service_desk"

type project struct {
	ID   string `json:"id"`
	Key  string `json:"key"`
	Name string `json:"name"`
	Type string `json:"projectTypeKey"`
}

// project reads a project; it is asked for once in a while.
func (t *turn) project(ctx context.Context, idOrKey string) (project, error) {
	return t.c.projects.Get(idOrKey, func() (project, error) { return t.projectNow(ctx, idOrKey) })
}

// projectNow reads a project in any case: it tells that the user still sees it.
func (t *turn) projectNow(ctx context.Context, idOrKey string) (project, error) {
	var found project
	err := t.do(ctx, call{endpoint: endProject, path: "/project/" + url.PathEscape(idOrKey), project: idOrKey}, &found)
	if ticket.KindOf(err) == ticket.NotFound && err != nil {
		return project{}, t.permanent("%s Correct the project's name, or give the user access.", missingProject(idOrKey))
	}
	if err == nil && (found.ID == "" || found.Key == "") {
		err = t.nonsense("a project without id and key")
	}
	return found, err
}

// screen is what may be given when an issue is made: Jira refuses the whole
// issue for one field that is not on the project's create screen.
type screen struct {
	known  bool
	fields map[string]fieldMeta
}

type fieldMeta struct {
	ID         string      `json:"fieldId"`
	Key        string      `json:"key"`
	Name       string      `json:"name"`
	Required   bool        `json:"required"`
	HasDefault bool        `json:"hasDefaultValue"`
	Schema     fieldSchema `json:"schema"`
	Allowed    []named     `json:"allowedValues"`
}

// takes reports whether field may be given; where the screen could not be read,
// Jira's own answer decides.
func (s screen) takes(field string) bool {
	_, ok := s.fields[field]
	return ok || !s.known
}

type issueType struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// createScreen reads the create screen of a project's issue type, once in a while.
// Only the wish to wait is an error: without the screen, Jira's answer to the
// create tells the same.
func (t *turn) createScreen(ctx context.Context, projectKey, typeName string) (screen, error) {
	found, err := t.c.screens.Get(projectKey+"/"+typeName, func() (screen, error) {
		return t.createScreenNow(ctx, projectKey, typeName)
	})
	if err != nil && ticket.KindOf(err) == ticket.RateLimited {
		return screen{}, err
	}
	if err != nil {
		return screen{}, nil
	}
	return found, nil
}

func (t *turn) createScreenNow(ctx context.Context, projectKey, typeName string) (screen, error) {
	kind, _, err := t.issueType(ctx, projectKey, typeName)
	if err != nil || kind.ID == "" {
		return screen{}, err
	}
	out := screen{known: true, fields: map[string]fieldMeta{}}
	path := "/issue/createmeta/" + url.PathEscape(projectKey) + "/issuetypes/" + url.PathEscape(kind.ID)
	err = t.pages(ctx, call{endpoint: endScreen, path: path, project: projectKey}, func(page metaPage) int {
		fields := append(page.Fields, page.Results...)
		for _, f := range fields {
			out.fields[cmp.Or(f.ID, f.Key)] = f
		}
		return len(fields)
	})
	return out, err
}

// issueType finds a project's issue type by name or id; names are all it has.
func (t *turn) issueType(ctx context.Context, projectKey, typeName string) (found issueType, names []string, err error) {
	path := "/issue/createmeta/" + url.PathEscape(projectKey) + "/issuetypes"
	err = t.pages(ctx, call{endpoint: endIssueTypes, path: path, project: projectKey}, func(page metaPage) int {
		for _, kind := range page.Types {
			names = append(names, kind.Name)
			if kind.ID == typeName || found.ID == "" && strings.EqualFold(kind.Name, typeName) {
				found = kind
			}
		}
		return len(page.Types)
	})
	return found, names, err
}

// metaPage is a page of the create metadata. Jira's examples and its answers
// name the list of fields differently.
type metaPage struct {
	Types   []issueType `json:"issueTypes"`
	Fields  []fieldMeta `json:"fields"`
	Results []fieldMeta `json:"results"`
	Total   int         `json:"total"`
}

const (
	metaPageSize = 200
	maxMetaPages = 10
)

func (t *turn) pages(ctx context.Context, k call, take func(metaPage) int) error {
	for seen, n := 0, 0; n < maxMetaPages; n++ {
		k.query = url.Values{"startAt": {strconv.Itoa(seen)}, "maxResults": {strconv.Itoa(metaPageSize)}}
		var page metaPage
		if err := t.do(ctx, k, &page); err != nil {
			return err
		}
		got := take(page)
		seen += got
		if got == 0 || seen >= page.Total {
			return nil
		}
	}
	return nil
}
