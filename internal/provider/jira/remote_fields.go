package jira

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

const (
	// maxFieldProjects, maxFieldTypes bound the create screens that are read.
	maxFieldProjects = 10
	maxFieldTypes    = 20
)

// siteField is a field of the site.
type siteField struct {
	ID     string      `json:"id"`
	Name   string      `json:"name"`
	Custom bool        `json:"custom"`
	Schema fieldSchema `json:"schema"`
	Scope  *struct {
		Project project `json:"project"`
	} `json:"scope"`
}

// ListRemoteFields lists the fields that issues have (GET /rest/api/3/field),
// with the options, and whether they must be given, as the create screens say
// (the create metadata by project and issue type). The screens are those of the
// default project and of the projects that custom_field_mappings name, else of
// the first that the account sees: at most 10, and 20 issue types of each.
//
// A field is required where one of these screens will not do without it.
func (c *Client) ListRemoteFields(ctx context.Context) ([]ticket.RemoteField, error) {
	t, err := c.begin("list remote fields", endFields, "")
	if err != nil {
		return nil, err
	}
	defer t.end()
	var fields []siteField
	if err := t.do(ctx, call{endpoint: endFields, path: "/field"}, &fields); err != nil {
		return nil, err
	}
	if len(fields) == 0 {
		return nil, t.presentLately(ctx)
	}
	projects, err := t.fieldProjects(ctx)
	if err != nil {
		return nil, err
	}
	on := screens{}
	for _, p := range projects {
		if err := t.screensOf(ctx, p, on); err != nil {
			return nil, err
		}
	}
	return on.remoteFields(fields), nil
}

// fieldProjects are the projects whose screens are read.
func (t *turn) fieldProjects(ctx context.Context) ([]string, error) {
	var out []string
	add := func(p string) {
		if p != "" && p != "*" && !slices.Contains(out, p) && len(out) < maxFieldProjects {
			out = append(out, p)
		}
	}
	add(t.c.config.DefaultProject)
	for _, m := range t.c.config.CustomFieldMappings {
		add(m.ProjectID)
	}
	if len(out) > 0 {
		return out, nil
	}
	found, _, err := t.projectPage(ctx, 0, maxFieldProjects, "key")
	for _, p := range found {
		add(p.Key)
	}
	return out, err
}

// screens is what create screens say of fields, by field id.
type screens map[string]fieldMeta

func (t *turn) screensOf(ctx context.Context, project string, on screens) error {
	var types []issueType
	path := "/issue/createmeta/" + url.PathEscape(project) + "/issuetypes"
	err := t.pages(ctx, call{endpoint: endIssueTypes, path: path, project: project}, func(page metaPage) int {
		types = append(types, page.Types...)
		return len(page.Types)
	})
	for _, kind := range types[:min(len(types), maxFieldTypes)] {
		if err != nil {
			break
		}
		err = t.pages(ctx, call{endpoint: endScreen, path: path + "/" + url.PathEscape(kind.ID), project: project}, func(page metaPage) int {
			fields := append(page.Fields, page.Results...)
			for _, f := range fields {
				on.add(f)
			}
			return len(fields)
		})
	}
	switch ticket.KindOf(err) {
	case ticket.NotFound, ticket.Permanent, ticket.Credentials:
		return nil // the account may not create there: the fields are there all the same
	}
	return err
}

func (s screens) add(f fieldMeta) {
	id := cmp.Or(f.ID, f.Key)
	known := s[id]
	known.Name = cmp.Or(known.Name, f.Name)
	known.Required = known.Required || f.Required && !f.HasDefault
	known.Schema = f.Schema
	for _, v := range f.Allowed {
		if !slices.ContainsFunc(known.Allowed, func(k named) bool { return k.ID == v.ID && k.label() == v.label() }) {
			known.Allowed = append(known.Allowed, v)
		}
	}
	s[id] = known
}

// label is what people call a value.
func (n named) label() string { return cmp.Or(n.Value, n.Name, n.DisplayName, n.Key) }

// remoteFields are the site's, then those that only a screen knows.
func (s screens) remoteFields(fields []siteField) []ticket.RemoteField {
	var out []ticket.RemoteField
	listed := map[string]bool{}
	for _, f := range fields {
		listed[f.ID] = true
		out = append(out, f.model(s[f.ID]))
	}
	for id, meta := range s {
		if !listed[id] {
			f := siteField{ID: id, Name: meta.Name, Custom: strings.HasPrefix(id, "customfield_"), Schema: meta.Schema}
			out = append(out, f.model(meta))
		}
	}
	slices.SortFunc(out, func(a, b ticket.RemoteField) int {
		return cmp.Or(cmp.Compare(rank(a.Scope == ticket.ScopeStandard), rank(b.Scope == ticket.ScopeStandard)), cmp.Compare(a.ID, b.ID))
	})
	return out
}

func (f siteField) model(on fieldMeta) ticket.RemoteField {
	out := ticket.RemoteField{
		ID: f.ID, Name: cmp.Or(f.Name, f.ID), Scope: ticket.ScopeStandard, Path: f.ID,
		NativeType: f.Schema.native(), Required: on.Required,
	}
	for _, v := range on.Allowed {
		out.Options = append(out.Options, ticket.FieldOption{ID: v.ID, Name: v.label()})
	}
	if f.Custom {
		out.Scope = ticket.ScopeIntegrationCustom
	}
	if f.Scope != nil && cmp.Or(f.Scope.Project.Key, f.Scope.Project.ID) != "" {
		out.Scope, out.Project = ticket.ScopeProjectCustom, cmp.Or(f.Scope.Project.Key, f.Scope.Project.ID)
	}
	out.Type = f.Schema.fieldType(len(out.Options) > 0)
	return out
}

func (s fieldSchema) native() string {
	if s.Type == "array" && s.Items != "" {
		return "array<" + s.Items + ">"
	}
	return s.Type
}

// fieldType is the type in the model. Times are texts there.
func (s fieldSchema) fieldType(options bool) string {
	switch s.Type {
	case "number":
		return ticket.FieldNumber
	case "option", "priority", "resolution", "issuetype", "status":
		return ticket.FieldEnum
	case "string", "date", "datetime":
		return ticket.FieldString
	}
	if options {
		return ticket.FieldEnum
	}
	return ticket.FieldOther
}
