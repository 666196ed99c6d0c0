package mock

import (
	"context"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// ListRemoteFields lists the fields of the model that can be set, the preset custom
// fields, and the paths that the integration maps.
func (c *Client) ListRemoteFields(ctx context.Context) ([]ticket.RemoteField, error) {
	a := reading(opListRemoteFields, "list fields")
	return call(ctx, c, a, func(*memory) ([]ticket.RemoteField, error) {
		out := standardFields()
		for _, f := range presetFields() {
			out = append(out, f.remote(ticket.ScopeIntegrationCustom, ""))
		}
		for _, m := range c.config.CustomFieldMappings {
			path := pathOf(m.ProviderFieldPath)
			f, preset := presetField(path)
			switch {
			case m.ProjectID != "*" && preset:
				out = append(out, f.remote(ticket.ScopeProjectCustom, m.ProjectID))
			case m.ProjectID != "*":
				out = append(out, anyField(path, m.Name, ticket.ScopeProjectCustom, m.ProjectID))
			case !preset:
				out = append(out, anyField(path, m.Name, ticket.ScopeIntegrationCustom, ""))
			}
		}
		return out, nil
	})
}

func (f customField) remote(scope, project string) ticket.RemoteField {
	out := anyField(f.path, f.name, scope, project)
	out.Type, out.NativeType = ticket.FieldString, "text"
	switch {
	case f.number:
		out.Type, out.NativeType = ticket.FieldNumber, "number"
	case len(f.options) > 0:
		out.Type, out.NativeType = ticket.FieldEnum, "choice"
	}
	for _, option := range f.options {
		out.Options = append(out.Options, ticket.FieldOption{ID: option, Name: option})
	}
	return out
}

// anyField holds whatever JSON can.
func anyField(path, name, scope, project string) ticket.RemoteField {
	return ticket.RemoteField{
		ID: path, Name: name, Path: path, Scope: scope, Project: project, Type: ticket.FieldOther, NativeType: "json",
	}
}

func standardFields() []ticket.RemoteField {
	standard := func(id, name, native string) ticket.RemoteField {
		kind := ticket.FieldString
		if native == "texts" {
			kind = ticket.FieldOther
		}
		return ticket.RemoteField{ID: id, Name: name, Path: id, Scope: ticket.ScopeStandard, Type: kind, NativeType: native}
	}
	priority := standard("priority", "Priority", "choice")
	priority.Type = ticket.FieldEnum
	for _, p := range ticket.Priorities() {
		priority.Options = append(priority.Options, ticket.FieldOption{ID: string(p), Name: string(p)})
	}
	name := standard("name", "Name", "text")
	name.Required = true
	return []ticket.RemoteField{
		name, standard("summary", "Summary", "text"), standard("description", "Description", "markdown"),
		standard("creator", "Creator", "text"), standard("assignee", "Assignee", "text"), standard("contact", "Contact", "text"),
		priority, standard("status", "Status", "text"), standard("project", "Project", "text"), standard("issue_type", "Issue type", "text"),
		standard("parent", "Parent", "ticket"), standard("due_date", "Due date", "time"), standard("completion_date", "Completion date", "time"),
		standard("tags", "Tags", "texts"),
	}
}
