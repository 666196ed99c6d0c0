package jira

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// edit collects what a patch changes of an issue as it is.
type edit struct {
	fields   map[string]any
	update   map[string]any
	warnings []string
}

// PatchTicket sets fields of a ticket, the status by a transition. It reads the
// ticket first and sends what differs, so that making the same patch again
// changes nothing. The answer is the ticket as it is afterwards.
//
// A title that is too long for Jira is cut, with a warning; a description that is
// too long is refused.
//
// Jira has one title: Name sets it, and Summary where Name is nil. What Jira
// cannot change (the creator, the project) is an error where it differs; a
// completion date is Jira's own and only a warning.
func (c *Client) PatchTicket(ctx context.Context, id string, p ticket.Patch) (ticket.Ticket, error) {
	t, err := c.begin("patch issue "+id, endEdit, id)
	if err != nil {
		return ticket.Ticket{}, err
	}
	defer t.end()
	now, err := t.issue(ctx, id)
	if err != nil {
		return ticket.Ticket{}, err
	}
	if err := t.refuseClosed(now, p.UnlessClosedBefore); err != nil {
		return ticket.Ticket{}, err
	}
	if p.KeepClosed && closing(now).Closed {
		p.Status, p.Resolution = nil, nil
	}
	custom, err := t.customFields(ctx, p.CustomFields, now.project())
	if err != nil {
		return ticket.Ticket{}, err
	}
	warnings, err := t.apply(ctx, now, p, custom)
	if err != nil {
		return ticket.Ticket{}, t.explain(ctx, namingPriorities(err, p.Priority), p.CustomFields, now.project(), now.value("issuetype").Name)
	}
	out, err := t.ticket(ctx, now.ID)
	addWarnings(&out, warnings)
	return out, err
}

// apply edits, then moves: a transition may close the issue for edits. A custom
// field that the transition's screen has goes with the transition.
func (t *turn) apply(ctx context.Context, now issue, p ticket.Patch, custom map[string]any) ([]string, error) {
	e, err := t.edit(ctx, now, p)
	if err != nil {
		return nil, err
	}
	step, moving, err := t.step(ctx, now, p.Status)
	if err != nil {
		return nil, err
	}
	for field, value := range custom {
		if _, onScreen := step.Fields[field]; !onScreen {
			e.set(now, field, value)
		}
	}
	if !moving {
		e.resolution(now, p.Resolution)
		err := t.send(ctx, now, e)
		return e.warnings, err
	}
	fields, warnings, err := t.screenFields(step, p, custom)
	if err != nil {
		return nil, err
	}
	if err := t.send(ctx, now, e); err != nil {
		return nil, err
	}
	return append(e.warnings, warnings...), t.take(ctx, now, step, fields)
}

// send makes the edit. Jira refuses all of it for one field that the edit screen
// lacks: such fields become warnings, and the others are sent again.
func (t *turn) send(ctx context.Context, now issue, e *edit) error {
	err := t.put(ctx, now, e)
	if lacking, ok := errors.AsType[*offScreenError](err); ok && e.leave(lacking.fields) {
		return t.put(ctx, now, e)
	}
	return err
}

// leave takes fields out of the edit and reports whether there were any.
func (e *edit) leave(fields []string) bool {
	before := len(e.warnings)
	for _, field := range fields {
		value, set := e.fields[field]
		_, updated := e.update[field]
		if !set && !updated {
			continue
		}
		delete(e.fields, field)
		delete(e.update, field)
		warning := field + ": not on the edit screen of the project"
		if set {
			warning += ": " + plainValue(value)
		}
		e.warnings = append(e.warnings, warning)
	}
	return len(e.warnings) > before
}

func (t *turn) put(ctx context.Context, now issue, e *edit) error {
	if len(e.fields) == 0 && len(e.update) == 0 {
		return nil
	}
	body := map[string]any{}
	if len(e.fields) > 0 {
		body["fields"] = e.fields
	}
	if len(e.update) > 0 {
		body["update"] = e.update
	}
	return t.do(ctx, call{endpoint: endEdit, path: "/issue/" + url.PathEscape(now.ID), body: body, issue: now.ID}, nil)
}

// edit works out the fields of the model that differ.
func (t *turn) edit(ctx context.Context, now issue, p ticket.Patch) (*edit, error) {
	e := &edit{fields: map[string]any{}, update: map[string]any{}}
	if err := t.fixed(now, p, e); err != nil {
		return nil, err
	}
	if title := firstSet(p.Name, p.Summary); title != nil {
		if oneLine(*title) == "" {
			return nil, t.permanent("name: empty: a ticket needs one")
		}
		if whole := strings.Join(strings.Fields(clean(*title)), " "); units(whole) > maxSummary {
			e.warnings = append(e.warnings, fmt.Sprintf("name: %d characters: cut at the %d that Jira takes", units(whole), maxSummary))
		}
		e.set(now, "summary", oneLine(*title))
	}
	if p.Description != nil {
		// A comment holds no more, so what is cut off would be lost.
		if long := units(*p.Description); long > maxText {
			return nil, t.permanent("description: %d characters: Jira takes %d: make it shorter", long, maxText)
		}
		doc := toADF(*p.Description)
		if toMarkdown(node{Content: doc.Content}) != richText(now.Fields["description"]) {
			e.fields["description"] = doc
		}
	}
	if p.Priority != nil && *p.Priority != "" {
		name := t.c.jiraPriority(modelWord(*p.Priority))
		if !strings.EqualFold(now.value("priority").Name, name) {
			e.fields["priority"] = map[string]any{"name": name}
		}
	}
	if p.DueDate != nil {
		e.setOrClear(now, "duedate", p.DueDate.Format(time.DateOnly), p.DueDate.IsZero())
	}
	if p.IssueType != nil && *p.IssueType != "" && !strings.EqualFold(now.value("issuetype").Name, *p.IssueType) {
		e.set(now, "issuetype", byNameOrID(*p.IssueType))
	}
	if p.Parent != nil {
		e.setOrClear(now, "parent", byKeyOrID(*p.Parent), *p.Parent == "")
	}
	if p.Tags != nil {
		e.labels(now, *p.Tags)
	}
	return e, t.people(ctx, now, p, e)
}

// modelWord is a priority of the model however it is written. Any other word is left
// as it is: it may be the site's own, and Jira refuses what it does not know.
func modelWord(p ticket.Priority) ticket.Priority {
	if upper := ticket.Priority(strings.ToUpper(strings.TrimSpace(string(p)))); upper.Level() > 0 {
		return upper
	}
	return p
}

// namingPriorities adds to Jira's refusal of a priority the words that there are.
func namingPriorities(err error, p *ticket.Priority) error {
	failed, ok := errors.AsType[*ticket.Error](err)
	if !ok || p == nil || failed.Status != http.StatusBadRequest || !strings.Contains(failed.Message, "priority:") {
		return err
	}
	named := *failed
	named.Message = fmt.Sprintf("priority: %q: want one of %v, or a name of the site's own. %s", cutUTF16(string(*p), maxSummary, "…"), ticket.Priorities(), failed.Message)
	return &named
}

func firstSet(values ...*string) *string {
	for _, v := range values {
		if v != nil {
			return v
		}
	}
	return nil
}

// fixed refuses what Jira cannot change.
func (t *turn) fixed(now issue, p ticket.Patch, e *edit) error {
	in := now.value("project")
	if p.Project != nil && *p.Project != "" && *p.Project != in.ID && !strings.EqualFold(*p.Project, in.Key) {
		return t.permanent("project: Jira's interface cannot move an issue from %s to %s: move it in Jira", in.Key, *p.Project)
	}
	if p.Creator != nil && *p.Creator != "" && !now.value("creator").is(*p.Creator) {
		return t.permanent("creator: Jira does not let the creator of an issue be changed")
	}
	if p.CompletionDate != nil && !p.CompletionDate.Equal(now.time("resolutiondate")) {
		e.warnings = append(e.warnings, "completion_date: Jira sets it itself when the issue is resolved")
	}
	return nil
}

func (n named) is(person string) bool {
	return n.AccountID != "" && (strings.EqualFold(n.Email, person) || n.AccountID == person || n.DisplayName == person)
}

// people sets assignee and reporter; one that Jira does not know is a warning.
func (t *turn) people(ctx context.Context, now issue, p ticket.Patch, e *edit) error {
	for _, x := range []struct {
		field, name string
		person      *string
	}{{"assignee", "assignee", p.Assignee}, {"reporter", "contact", p.Contact}} {
		if x.person == nil || now.value(x.field).is(*x.person) {
			continue
		}
		if *x.person == "" {
			if now.value(x.field).AccountID != "" {
				e.fields[x.field] = map[string]any{"accountId": nil}
			}
			continue
		}
		id, warning, err := t.accountOrWarning(ctx, x.name, *x.person)
		if err != nil {
			return err
		}
		if id == "" {
			e.warnings = append(e.warnings, strings.Replace(warning, "left empty", "left as it was", 1))
		} else if now.value(x.field).AccountID != id {
			e.fields[x.field] = map[string]any{"id": id}
		}
	}
	return nil
}

// set gives a field a value unless it has it.
func (e *edit) set(now issue, field string, value any) {
	if value == nil {
		e.setOrClear(now, field, nil, true)
		return
	}
	if doc, ok := value.(document); ok {
		if toMarkdown(node{Content: doc.Content}) == richText(now.Fields[field]) {
			return
		}
	} else if equalJSON(value, now.Fields[field]) {
		return
	}
	e.fields[field] = value
}

func (e *edit) setOrClear(now issue, field string, value any, clear bool) {
	if !clear {
		e.set(now, field, value)
		return
	}
	if raw := now.Fields[field]; len(raw) > 0 && string(raw) != "null" {
		e.fields[field] = nil
	}
}

// labels makes tags the issue's, by adding and removing each: the marker stays,
// and so does a label that somebody adds meanwhile.
func (e *edit) labels(now issue, want []string) {
	labels := tagLabels(want)
	have := now.labels()
	var changes []map[string]any
	for _, l := range labels {
		if !slices.Contains(have, l) {
			changes = append(changes, map[string]any{"add": l})
		}
	}
	for _, l := range tags(have) {
		if !slices.Contains(labels, l) {
			changes = append(changes, map[string]any{"remove": l})
		}
	}
	if len(changes) > 0 {
		e.update["labels"] = changes
	}
}

// resolution without a transition: Jira takes one with a transition only, so an
// issue that is where it should be keeps its own.
func (e *edit) resolution(now issue, given *string) {
	if given == nil || *given == "" {
		return
	}
	has := now.value("resolution").Name
	if has != "" {
		return
	}
	e.warnings = append(e.warnings, fmt.Sprintf("resolution: %q was not set: Jira takes it with a change of status", *given))
}
