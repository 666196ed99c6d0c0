package jira

import (
	"context"
	"slices"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// customPrefix may stand before the name of a custom field in a filter or order.
const customPrefix = "custom_fields."

// path is where a custom field of that name lives in what is searched.
func (s *scope) path(name string) (fieldPath, bool) {
	name = strings.TrimPrefix(name, customPrefix)
	if s.project.ID != "" {
		return s.t.c.mapping(name, s.project)
	}
	// Among several projects a name must mean the same in all.
	path, known := s.t.c.mapping(name, project{})
	for _, m := range s.t.c.config.CustomFieldMappings {
		if m.Name != name {
			continue
		}
		other := parsePath(m.ProviderFieldPath)
		if known && (other.field != path.field || !slices.Equal(other.within, path.within)) {
			return fieldPath{}, false
		}
		path, known = other, known || m.ProjectID == "*"
	}
	return path, known
}

func (s *scope) customCondition(ctx context.Context, f ticket.Filter) (condition, error) {
	name := strings.TrimPrefix(f.Field, customPrefix)
	client := s.t.c
	mapped := slices.ContainsFunc(client.config.CustomFieldMappings, func(m CustomFieldMapping) bool { return m.Name == name })
	if _, known := s.path(name); !mapped && !known {
		return condition{}, s.t.permanent("filter on %s: there is no such field: it is none of %s, no name of custom_field_mappings of integration %s, and no customfield_N",
			f.Field, strings.Join(fieldNames(), ", "), client.config.Name)
	}
	c := condition{fits: func(i issue, _ ticket.Ticket) bool {
		var have []string
		if path, ok := client.mapping(name, i.project()); ok {
			have = words(readValue(i.Fields[path.field], path.within))
		}
		return judge(f.Op, have, f.Values, alike, plainly)
	}}
	var err error
	c.jql, err = s.customJQL(ctx, f)
	return c, err
}

// customJQL asks for options, which JQL knows by their names.
func (s *scope) customJQL(ctx context.Context, f ticket.Filter) (string, error) {
	path, known := s.path(f.Field)
	whole := len(path.within) == 0 || len(path.within) == 1 && path.within[0] == "value"
	if !known || !whole || !names(f.Op) || customID(path.field) == "" {
		return "", nil
	}
	schemas, err := s.t.schemas(ctx)
	if err != nil {
		return "", err
	}
	schema := schemas[path.field]
	if schema.Type != "option" && (schema.Type != "array" || schema.Items != "option") {
		return "", nil
	}
	// Options by other spellings are known to us only.
	if negative(f.Op) && schema.Type == "array" {
		return "", nil
	}
	return amongJQL("cf["+customID(path.field)+"]", f.Values, negative(f.Op)), nil
}

// customID is the number of a custom field; empty for others.
func customID(field string) string {
	digits, ok := strings.CutPrefix(field, "customfield_")
	if !ok || digits == "" || leadingDigits(digits) != len(digits) {
		return ""
	}
	return digits
}

func fieldNames() []string {
	var out []string
	for _, f := range queryFields() {
		out = append(out, f.name)
	}
	return out
}
