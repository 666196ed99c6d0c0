package servicenow

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// columnsRead are those that a ticket is made of. All of a record is never asked
// for: its journals would come with it.
func (c *Client) columnsRead() []string {
	columns := []string{
		"sys_id", "number", "sys_class_name", "short_description", "description", "state", "impact", "urgency", "priority",
		"active", "category", "assigned_to", "assigned_to.email", "opened_by", "opened_by.email", c.app.contact,
		c.app.contact + ".email", c.app.parent, c.app.parent + ".number", "due_date", "closed_at", "close_code", "close_notes",
		"sys_created_on", "sys_updated_on", "correlation_id", "subcategory", "assignment_group", "cmdb_ci", "contact_type",
		"location", "business_service", "opened_at",
	}
	if c.app.holds {
		columns = append(columns, "hold_reason")
	}
	for _, column := range c.app.completed {
		if !slices.Contains(columns, column) {
			columns = append(columns, column)
		}
	}
	for _, m := range c.config.CustomFieldMappings {
		if path := c.config.path(m); !slices.Contains(columns, path) {
			columns = append(columns, path)
		}
	}
	for _, name := range c.ownColumns(c.config.DefaultProject) {
		if !slices.Contains(columns, name) {
			columns = append(columns, name)
		}
	}
	return columns
}

// answered are the parameters that make an answer hold what a ticket is made of.
func (c *Client) answered(more ...string) url.Values {
	return url.Values{
		"sysparm_display_value": {"all"}, "sysparm_exclude_reference_link": {"true"},
		"sysparm_fields": {strings.Join(append(c.columnsRead(), more...), ",")},
	}
}

// GetTicket reads a ticket by its sys_id or number.
func (c *Client) GetTicket(ctx context.Context, id string) (ticket.Ticket, error) {
	t, err := c.begin("get " + c.app.table + " " + id)
	if err != nil {
		return ticket.Ticket{}, err
	}
	defer t.end()
	if err := t.learn(ctx, c.config.DefaultProject); err != nil {
		return ticket.Ticket{}, err
	}
	found, err := t.record(ctx, id)
	if err == nil && c.hasOwn(found.text("sys_class_name")) {
		found, err = t.own(ctx, found)
	}
	if err != nil {
		return ticket.Ticket{}, err
	}
	return c.model(found.record), nil
}

// row is a record with the table under which it was found: its own columns are
// seen there only.
type row struct {
	record
	table string
}

// record reads a ticket from the integration's table, else from the application's.
func (t *turn) record(ctx context.Context, id string) (row, error) {
	if id == "" {
		return row{}, t.permanent("no ticket id was given")
	}
	var err error
	for _, table := range slices.Compact([]string{t.c.config.DefaultProject, t.c.app.table}) {
		var found record
		if found, err = t.recordOf(ctx, table, id); err == nil {
			return row{found, table}, nil
		}
		if ticket.KindOf(err) != ticket.NotFound {
			return row{}, err
		}
	}
	return row{}, err
}

func (t *turn) recordOf(ctx context.Context, table, id string) (record, error) {
	if !isID(id) {
		return t.recordByNumber(ctx, table, id)
	}
	var found record
	_, err := t.do(ctx, call{method: http.MethodGet, table: table, id: id, query: t.c.answered()}, &found)
	if err == nil && found.text("sys_id") != id {
		err = t.nonsense("another record than the one that was asked for")
	}
	return found, err
}

func (t *turn) recordByNumber(ctx context.Context, table, number string) (record, error) {
	rows, _, err := t.list(ctx, table, query{}.where("number", "=", number), t.c.columnsRead(), 2)
	if err != nil {
		return nil, err
	}
	rows = slices.DeleteFunc(rows, func(r record) bool { return r.text("number") != number })
	switch len(rows) {
	case 0:
		return nil, &ticket.Error{Kind: ticket.NotFound, Op: t.op, Message: fmt.Sprintf("%s has no record %s that the account may see", table, number)}
	case 1:
		return rows[0], nil
	default:
		return nil, t.permanent("%s has more than one record with the number %s: give the sys_id", table, number)
	}
}

// model is a record in the unified model. ServiceNow has one title: it is both
// Name and Summary.
func (c *Client) model(r record) ticket.Ticket {
	state := c.closing(r)
	description, tags := takeTags(r.text("description"))
	out := ticket.Ticket{
		ID: r.text("sys_id"), Key: r.text("number"), URL: c.browse(r),
		Name: r.text("short_description"), Summary: r.text("short_description"), Description: description,
		Creator: person(r, "opened_by"), Contact: person(r, c.app.contact), Assignee: person(r, "assigned_to"),
		Priority: modelPriority(r.text("priority")), Status: r["state"].Display, Closed: state.Closed,
		CreatedAt: r.time("sys_created_on"), UpdatedAt: state.UpdatedAt, CompletionDate: state.CompletionDate,
		DueDate: r.time("due_date"), Project: r.text("sys_class_name"), IssueType: r["category"].Display,
		Parent: r.text(c.app.parent + ".number"), Tags: tags, CustomFields: c.readCustomFields(r), Unmapped: map[string]any{},
	}
	if mark, ours := readStamp(r.text("correlation_id")); ours {
		out.Operation = mark.hash
	}
	for name, text := range map[string]string{
		"number": r.text("number"), "url": out.URL, "state": r.text("state"), "priority": r.text("priority"),
		"impact": r.text("impact"), "urgency": r.text("urgency"), "close_code": r["close_code"].Display,
		"close_notes": r.text("close_notes"), "hold_reason": r["hold_reason"].Display, "assigned_to": r.text("assigned_to"),
		"subcategory": r["subcategory"].Display, "assignment_group": r["assignment_group"].Display, "cmdb_ci": r["cmdb_ci"].Display,
		"contact_type": r["contact_type"].Display, "location": r["location"].Display,
		"business_service": r["business_service"].Display, "opened_at": isoTime(r.text("opened_at")),
	} {
		if text != "" {
			out.Unmapped[name] = text
		}
	}
	c.readOwn(r, out.Unmapped)
	return out
}

// person is what a person is known by: the address where the account sees it.
func person(r record, column string) string {
	return cmp.Or(r.text(column+".email"), r[column].Display, r.text(column))
}

// browse is where a person opens a record.
func (c *Client) browse(r record) string {
	table := cmp.Or(r.text("sys_class_name"), c.app.table)
	return c.base + "/nav_to.do?uri=" + url.QueryEscape(table+".do?sys_id="+r.text("sys_id"))
}

// closing is what of the model tells whether and when a record was closed.
func (c *Client) closing(r record) ticket.Ticket {
	out := ticket.Ticket{
		Closed: r.has("active") && r.text("active") == "false" || c.isDone(r["state"]), UpdatedAt: r.time("sys_updated_on"),
	}
	if !out.Closed {
		return out
	}
	for _, column := range c.app.completed {
		if at := r.time(column); out.CompletionDate.IsZero() {
			out.CompletionDate = at
		}
	}
	return out
}

// refuseClosed is an error of kind Closed where the record was closed before this
// time; a zero time means that it does not matter. The platform's times are whole
// seconds: what came within the second of the closing may have come before it.
func (t *turn) refuseClosed(r record, before time.Time) error {
	state := t.c.closing(r)
	at := state.ClosedSince()
	if before.IsZero() || !state.Closed || before.Before(at.Add(time.Second)) {
		return nil
	}
	return &ticket.Error{
		Kind: ticket.Closed, Op: t.op, ClosedAt: at,
		Message: fmt.Sprintf("%s is closed since %s", cmp.Or(r.text("number"), r.text("sys_id")), at.Format(time.RFC3339)),
	}
}

func addWarnings(t *ticket.Ticket, warnings []string) {
	if len(warnings) > 0 {
		t.Unmapped[ticket.WarningsKey] = append(slices.Clone(t.Warnings()), warnings...)
	}
}
