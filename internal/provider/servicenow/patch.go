package servicenow

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// edit collects what a patch changes of a record as it is.
type edit struct {
	now      record
	fields   map[string]string
	warnings []string
	// description is nil where neither it nor the tags are given.
	description *describing
}

// set gives a column a value unless it has it.
func (e *edit) set(name, text string) {
	if !sameText(e.now.text(name), text) {
		e.fields[name] = text
	}
}

// PatchTicket sets columns of a ticket. It reads the
// ticket first and sends what differs, so that making the same patch again changes
// nothing. The answer is the ticket as it is afterwards; what the instance did not
// keep as it was asked is a warning.
//
// ServiceNow has one title: Name sets it, and Summary where Name is nil. What
// cannot be changed here (the creator, the table) is an error where it differs;
// the completion date is only a warning. Tags are a line of the description, which
// holds them besides the model's Description. Texts that are too long are cut, with a
// warning; the whole of a description becomes a comment.
func (c *Client) PatchTicket(ctx context.Context, id string, p ticket.Patch) (ticket.Ticket, error) {
	t, err := c.begin("patch " + c.app.table + " " + id)
	if err != nil {
		return ticket.Ticket{}, err
	}
	defer t.end()
	in, err := t.record(ctx, id)
	if err != nil {
		return ticket.Ticket{}, err
	}
	if err := t.refuseClosed(in.record, p.UnlessClosedBefore); err != nil {
		return ticket.Ticket{}, err
	}
	if len(p.CustomFields) > 0 {
		if in, err = t.own(ctx, in); err != nil {
			return ticket.Ticket{}, err
		}
	}
	if p.KeepClosed && c.closing(in.record).Closed {
		p.Status, p.Resolution = nil, nil
	}
	after, warnings, err := t.apply(ctx, in, p)
	if err != nil {
		return ticket.Ticket{}, err
	}
	out := c.model(after)
	addWarnings(&out, warnings)
	return out, nil
}

// apply edits, then moves: a closed record may be closed for edits too.
func (t *turn) apply(ctx context.Context, in row, p ticket.Patch) (record, []string, error) {
	e, err := t.edit(ctx, in, p)
	if err != nil {
		return nil, nil, err
	}
	var to change
	if p.Status != nil && *p.Status != "" {
		if to, err = t.change(ctx, in.table, in.record, *p.Status, p.Resolution); err != nil {
			return nil, nil, err
		}
	}
	if to.fields == nil && p.Resolution != nil && *p.Resolution != "" && in.text("close_code") == "" {
		closing, warning, err := t.closeFields(ctx, in.table, in.record, p.Resolution)
		if err != nil {
			return nil, nil, err
		}
		maps.Copy(e.fields, closing)
		if warning != "" {
			e.warnings = append(e.warnings, warning)
		}
	}
	if err := t.describe(ctx, in, e); err != nil {
		return nil, nil, err
	}
	after := in.record
	if len(e.fields) > 0 {
		if after, err = t.patch(ctx, in, e.fields); err != nil {
			return nil, nil, err
		}
		e.warnings = append(e.warnings, kept(e.fields, after)...)
	}
	if to.fields != nil {
		if after, err = t.move(ctx, in, to); err != nil {
			return nil, nil, err
		}
		e.warnings = append(append(e.warnings, to.warnings...), kept(to.fields, after)...)
	}
	return after, e.warnings, nil
}

// patch sends columns and answers the record as it is then.
func (t *turn) patch(ctx context.Context, in row, fields map[string]string) (record, error) {
	var after record
	_, err := t.do(ctx, call{
		method: http.MethodPatch, table: in.table, id: in.text("sys_id"), body: fields,
		query: t.c.answered(slices.Sorted(maps.Keys(fields))...),
	}, &after)
	if failed, ok := errors.AsType[*ticket.Error](err); ok && failed.Status == http.StatusForbidden && strings.Contains(failed.Message, "comments") {
		failed.Message += " (map the status to another on-hold reason under status_map, such as On Hold/Awaiting Vendor)"
	}
	return after, err
}

// edit works out the columns that differ.
func (t *turn) edit(ctx context.Context, in row, p ticket.Patch) (*edit, error) {
	e := &edit{now: in.record, fields: map[string]string{}}
	if err := t.fixed(in.record, p, e); err != nil {
		return nil, err
	}
	known, err := t.table(ctx, in.table)
	if err != nil {
		return nil, err
	}
	if title := firstSet(p.Name, p.Summary); title != nil {
		width := widthOf(known, "short_description", widthTitle)
		line := oneLine(*title, width)
		if line == "" {
			return nil, t.permanent("name: empty: a ticket needs one")
		}
		e.warnings = append(e.warnings, cutTitle(*title, width)...)
		e.set("short_description", line)
	}
	if err := t.editDescription(p, widthOf(known, "description", widthText), e); err != nil {
		return nil, err
	}
	if err := t.editPriority(p.Priority, e); err != nil {
		return nil, err
	}
	if p.DueDate != nil {
		e.set("due_date", formatTime(*p.DueDate))
	}
	if p.IssueType != nil && *p.IssueType != "" && !strings.EqualFold(in.record["category"].Display, *p.IssueType) {
		category, _, err := t.shape(ctx, in.table, "category", column{}, *p.IssueType)
		if err != nil {
			return nil, err
		}
		e.set("category", category)
	}
	if p.Parent != nil {
		parent, err := t.parent(ctx, *p.Parent)
		if err != nil {
			return nil, err
		}
		e.set(t.c.app.parent, parent)
	}
	if err := t.editCustom(ctx, in, p, e); err != nil {
		return nil, err
	}
	return e, t.editPeople(ctx, p, e)
}

// editPriority sets the columns of a priority that the record does not have. A word
// that is no priority of the model is refused: nothing could be made of it.
func (t *turn) editPriority(given *ticket.Priority, e *edit) error {
	if given == nil {
		return nil
	}
	p := ticket.Priority(strings.ToUpper(strings.TrimSpace(string(*given))))
	mapped := t.c.config.PriorityMap[p] != ""
	switch {
	case p == "":
		e.warnings = append(e.warnings, "priority: left as it was: a ticket of ServiceNow always has one")
	case p.Level() == 0:
		return t.permanent("priority: %q: want one of %v", cut(string(*given), widthTitle, "…"), ticket.Priorities())
	case mapped || modelPriority(e.now.text("priority")) != modelPriority(numberOf(p)):
		for name, text := range t.c.priorityFields(p) {
			e.set(name, text)
		}
	}
	return nil
}

func (t *turn) editCustom(ctx context.Context, in row, p ticket.Patch, e *edit) error {
	set, left, err := t.customFields(ctx, in.table, p.CustomFields)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		e.set(name, set[name])
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		text, _ := plainValue(p.CustomFields[name]) // customFields could read it
		e.warnings = append(e.warnings, "custom_fields."+name+": "+left[name]+": "+text)
	}
	return nil
}

func firstSet(values ...*string) *string {
	for _, v := range values {
		if v != nil {
			return v
		}
	}
	return nil
}

// fixed refuses what cannot be changed.
func (t *turn) fixed(now record, p ticket.Patch, e *edit) error {
	if p.Project != nil && *p.Project != "" && *p.Project != now.text("sys_class_name") {
		return t.permanent("project: a record cannot be moved from %s to %s", now.text("sys_class_name"), *p.Project)
	}
	if p.Creator != nil && *p.Creator != "" && !is(now, "opened_by", *p.Creator) {
		return t.permanent("creator: who opened a record is not changed")
	}
	if p.CompletionDate != nil {
		e.warnings = append(e.warnings, "completion_date: ServiceNow sets it itself when the ticket is closed")
	}
	return nil
}

// is reports whether a column holds a person, however that is named.
func is(r record, name, who string) bool {
	return who != "" && (r.text(name) == who || r[name].Display == who || strings.EqualFold(r.text(name+".email"), who))
}

// editPeople sets assignee and contact; one that ServiceNow does not know is a warning.
func (t *turn) editPeople(ctx context.Context, p ticket.Patch, e *edit) error {
	for _, x := range []struct {
		column, name string
		who          *string
	}{{"assigned_to", "assignee", p.Assignee}, {t.c.app.contact, "contact", p.Contact}} {
		if x.who == nil || is(e.now, x.column, *x.who) {
			continue
		}
		if *x.who == "" {
			e.set(x.column, "")
			continue
		}
		id, warning, err := t.personOrWarning(ctx, x.name, *x.who)
		switch {
		case err != nil:
			return err
		case id == "":
			e.warnings = append(e.warnings, warning+": left as it was")
		default:
			e.set(x.column, id)
		}
	}
	return nil
}
