package jira

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// create is a create that is ready to be sent.
type create struct {
	Fields     map[string]any `json:"fields"`
	Properties []property     `json:"properties,omitempty"`
	project    string
	in         project
	warnings   []string
	notes      []string // lines that end the description
}

// CreateTicket makes an issue with one POST and never looks for an earlier one;
// the marker goes with it. Kind OutcomeUnknown asks for RecoverTicket, any other
// kind means that nothing was made. The answer has ID, Key, URL and what was
// asked for; the status is Jira's own first one: New.Status, where it is given,
// is for a PatchTicket after it, because Jira sets a status by transitions only.
//
// What Jira can do without never fails a create: an assignee that it does not
// know, a field that is not on the project's create screen. They become
// warnings (Unmapped["warnings"]), the latter also a line of the description.
func (c *Client) CreateTicket(ctx context.Context, n ticket.New) (ticket.Ticket, error) {
	t, err := c.begin("create issue in "+c.projectOf(n), endCreate, "")
	if err != nil {
		return ticket.Ticket{}, err
	}
	defer t.end()
	k, err := t.newIssue(ctx, n)
	if err != nil {
		return ticket.Ticket{}, err
	}
	var made issue
	err = t.do(ctx, call{endpoint: endCreate, path: "/issue", body: k, creates: true, project: k.project}, &made)
	if err != nil {
		return ticket.Ticket{}, t.explain(ctx, err, n.CustomFields, k.in, c.issueTypeOf(n))
	}
	if made.ID == "" || made.Key == "" {
		return ticket.Ticket{}, &ticket.Error{
			Kind: ticket.OutcomeUnknown, Op: t.op, Status: 201, Message: "Jira answered an issue without id and key",
		}
	}
	out := ticket.Ticket{
		ID: made.ID, Key: made.Key, URL: t.browse(ctx, made.Key),
		Name: oneLine(cmp.Or(n.Name, n.Summary)), Summary: oneLine(cmp.Or(n.Name, n.Summary)), Description: n.Description,
		Priority: n.Priority, Assignee: n.Assignee, Contact: n.Contact, DueDate: n.DueDate,
		Project: k.project, IssueType: c.issueTypeOf(n), Parent: n.Parent, Tags: tagLabels(n.Tags),
	}
	addWarnings(&out, k.warnings)
	return out, nil
}

// RequiredFields are those of a new ticket that CreateTicket refuses to do without:
// project and issue type only where the integration has no default for them.
func RequiredFields() []string { return []string{"name", "project", "issue_type"} }

func (c *Client) projectOf(n ticket.New) string { return cmp.Or(n.Project, c.config.DefaultProject) }
func (c *Client) issueTypeOf(n ticket.New) string {
	return cmp.Or(n.IssueType, c.config.DefaultIssueType)
}

func (t *turn) newIssue(ctx context.Context, n ticket.New) (*create, error) {
	name, kind := t.c.projectOf(n), t.c.issueTypeOf(n)
	switch {
	case name == "":
		return nil, t.permanent("no project: give one, or default_project of integration %s", t.c.config.Name)
	case kind == "":
		return nil, t.permanent("no issue type: give one, or default_issue_type of integration %s", t.c.config.Name)
	case oneLine(cmp.Or(n.Name, n.Summary)) == "":
		return nil, t.permanent("name: empty: a ticket needs one")
	}
	in, err := t.project(ctx, name)
	if err != nil {
		return nil, err
	}
	on, err := t.createScreen(ctx, in.Key, kind)
	if err != nil {
		return nil, err
	}
	k := &create{project: in.Key, in: in, Fields: map[string]any{
		"project":   map[string]any{"key": in.Key},
		"issuetype": byNameOrID(kind),
		"summary":   oneLine(cmp.Or(n.Name, n.Summary)),
	}}
	if err := t.fill(ctx, k, n, in, on); err != nil {
		return nil, err
	}
	labels := append(labelsOf(n.Marker), tagLabels(n.Tags)...)
	if len(labels) > 0 {
		k.Fields["labels"] = labels
	}
	if n.Marker != (ticket.Marker{}) {
		k.Properties = []property{{Key: propertyKey, Value: stampOf(n.Marker)}}
	}
	return k, nil
}

// fill sets the fields that a ticket can do without.
func (t *turn) fill(ctx context.Context, k *create, n ticket.New, in project, on screen) error {
	custom, err := t.customFields(ctx, t.c.onScreen(k, n.CustomFields, in, on), in)
	if err != nil {
		return err
	}
	if n.Priority != "" {
		name := t.c.jiraPriority(n.Priority)
		k.set(on, "priority", map[string]any{"name": name}, "Priority", name)
	}
	if !n.DueDate.IsZero() {
		day := n.DueDate.Format(time.DateOnly)
		k.set(on, "duedate", day, "Due", day)
	}
	if n.Parent != "" {
		k.set(on, "parent", byKeyOrID(n.Parent), "Parent", n.Parent)
	}
	if err := t.fillPeople(ctx, k, n, on); err != nil {
		return err
	}
	if n.Status != "" {
		k.warnings = append(k.warnings, "status: Jira sets it by a transition, after the issue is made")
	}
	if n.Creator != "" {
		k.note(creatorTitle, n.Creator)
	}
	if !n.CompletionDate.IsZero() {
		k.warnings = append(k.warnings, "completion_date: Jira sets it itself")
	}
	for field, value := range custom {
		k.Fields[field] = value
	}
	if _, given := k.Fields["description"]; !given {
		if doc := toADF(describe(n, k.notes)); len(doc.Content) > 0 {
			k.Fields["description"] = doc
		}
	}
	return nil
}

func (t *turn) fillPeople(ctx context.Context, k *create, n ticket.New, on screen) error {
	for _, p := range []struct{ field, name, person, title string }{
		{"assignee", "assignee", n.Assignee, "Assignee"},
		{"reporter", "contact", n.Contact, "Contact"},
	} {
		if p.person == "" {
			continue
		}
		id, warning, err := t.accountOrWarning(ctx, p.name, p.person)
		if err != nil {
			return err
		}
		if id == "" {
			k.warnings = append(k.warnings, warning)
			k.note(p.title, p.person)
			continue
		}
		k.set(on, p.field, map[string]any{"id": id}, p.title, p.person)
	}
	return nil
}

// set gives a field if the create screen has it, else a line of the description.
// The reporter is never given on a guess: most accounts may not set it.
func (k *create) set(on screen, field string, value any, title, text string) {
	if on.takes(field) && (field != "reporter" || on.known) {
		k.Fields[field] = value
		return
	}
	k.leave(field, title, text)
}

// onScreen are the custom fields that the create screen has; the others become
// lines of the description.
func (c *Client) onScreen(k *create, values map[string]any, in project, on screen) map[string]any {
	kept := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		path, known := c.mapping(name, in)
		if !known || on.takes(path.field) {
			kept[name] = values[name]
		} else if values[name] != nil {
			k.leave(path.field, name, plainValue(values[name]))
		}
	}
	return kept
}

// plainValue is a field's value as text, without the object that names it.
func plainValue(value any) string {
	if word, ok := scalar(value); ok {
		return word
	}
	switch v := value.(type) {
	case document:
		return toMarkdown(node{Content: v.Content})
	case map[string]any:
		if len(v) == 1 {
			return plainValue(slices.Collect(maps.Values(v))[0])
		}
	}
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(data)
}

// leave writes into the description what the create screen has no field for.
func (k *create) leave(field, title, text string) {
	k.warnings = append(k.warnings, fmt.Sprintf("%s: not on the create screen of project %s: written into the description", field, k.project))
	k.note(title, text)
}

func (k *create) note(title, text string) {
	k.notes = append(k.notes, title+": "+cutUTF16(clean(text), maxSummary, "…"))
}

// describe is the description: the summary, where it says other than the name,
// goes before it; what found no field goes after it.
func describe(n ticket.New, notes []string) string {
	parts := []string{}
	if n.Name != "" && n.Summary != "" && n.Summary != n.Name && !strings.Contains(n.Description, n.Summary) {
		parts = append(parts, n.Summary)
	}
	// What oneLine cut off is kept.
	if name := strings.TrimSpace(cmp.Or(n.Name, n.Summary)); len(strings.Fields(name)) > 0 && units(strings.Join(strings.Fields(name), " ")) > maxSummary {
		parts = append(parts, name)
	}
	if n.Description != "" {
		parts = append(parts, n.Description)
	}
	tail := ""
	if len(notes) > 0 {
		tail = "\n\n" + strings.Join(notes, "\n")
	}
	body := strings.Join(parts, "\n\n")
	return cutUTF16(body, maxText-units(tail), cutNotice) + tail
}

func byNameOrID(text string) map[string]any {
	if leadingDigits(text) == len(text) {
		return map[string]any{"id": text}
	}
	return map[string]any{"name": text}
}

func byKeyOrID(text string) map[string]any {
	if leadingDigits(text) == len(text) {
		return map[string]any{"id": text}
	}
	return map[string]any{"key": text}
}
