package jira

import (
	"cmp"
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// timeLayout is Jira's: the site's zone, its offset without a colon.
const timeLayout = "2006-01-02T15:04:05.000-0700"

// issue is an issue as Jira answers it.
type issue struct {
	ID         string                     `json:"id"`
	Key        string                     `json:"key"`
	Fields     map[string]json.RawMessage `json:"fields"`
	Properties map[string]json.RawMessage `json:"properties"`
}

// named is what most values are: a status, priority, user, project.
type named struct {
	ID          string `json:"id"`
	Key         string `json:"key"`
	Name        string `json:"name"`
	Value       string `json:"value"`
	AccountID   string `json:"accountId"`
	DisplayName string `json:"displayName"`
	Email       string `json:"emailAddress"`
	Category    struct {
		Key string `json:"key"`
	} `json:"statusCategory"`
}

// person is what a person is known by: the address, which users may hide, else
// the name, else the id.
func (n named) person() string { return cmp.Or(n.Email, n.DisplayName, n.AccountID) }

func (i issue) value(field string) named {
	var v named
	if raw, ok := i.Fields[field]; !ok || json.Unmarshal(raw, &v) != nil {
		return named{}
	}
	return v
}

func (i issue) project() project {
	in := i.value("project")
	return project{ID: in.ID, Key: in.Key}
}

func (i issue) text(field string) string {
	var text string
	if raw, ok := i.Fields[field]; !ok || json.Unmarshal(raw, &text) != nil {
		return ""
	}
	return text
}

func (i issue) labels() []string {
	var labels []string
	if raw, ok := i.Fields["labels"]; !ok || json.Unmarshal(raw, &labels) != nil {
		return nil
	}
	return labels
}

func (i issue) time(field string) time.Time { return parseTime(i.text(field)) }

// parseTime is the zero time for text that is no time.
func parseTime(text string) time.Time {
	for _, layout := range []string{timeLayout, time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC()
		}
	}
	return time.Time{}
}

// date is the day of a timestamp in milliseconds, as documents have it.
func date(millis string) string {
	n, err := strconv.ParseInt(millis, 10, 64)
	if err != nil {
		return millis
	}
	return time.UnixMilli(n).UTC().Format(time.DateOnly)
}

// GetTicket reads a ticket by its id or key.
func (c *Client) GetTicket(ctx context.Context, id string) (ticket.Ticket, error) {
	t, err := c.begin("get issue "+id, endGet, "")
	if err != nil {
		return ticket.Ticket{}, err
	}
	defer t.end()
	return t.ticket(ctx, id)
}

func (t *turn) ticket(ctx context.Context, id string) (ticket.Ticket, error) {
	found, err := t.issue(ctx, id)
	if err != nil {
		return ticket.Ticket{}, err
	}
	return t.model(ctx, found), nil
}

func (t *turn) issue(ctx context.Context, id string) (issue, error) {
	var found issue
	if id == "" {
		return issue{}, t.permanent("no ticket id was given")
	}
	err := t.do(ctx, call{
		endpoint: endGet, path: "/issue/" + url.PathEscape(id),
		query: url.Values{"fields": wholeIssue(), "properties": {propertyKey}},
	}, &found)
	if err == nil && (found.ID == "" || found.Key == "") {
		err = t.nonsense("an issue without id and key")
	}
	return found, err
}

// nonsense is an answer to a harmless call that cannot be right.
func (t *turn) nonsense(what string) error {
	return &ticket.Error{Kind: ticket.Retry, Op: t.op, Status: 200, Message: "Jira answered " + what}
}

// model is an issue in the unified model. Jira has one title: it is both Name
// and Summary.
func (t *turn) model(ctx context.Context, i issue) ticket.Ticket {
	status := i.value("status")
	project := i.value("project")
	state := closing(i)
	out := ticket.Ticket{
		ID: i.ID, Key: i.Key, URL: t.browse(ctx, i.Key),
		Name: i.text("summary"), Summary: i.text("summary"),
		Description: richText(i.Fields["description"]),
		Creator:     i.value("creator").person(),
		Contact:     i.value("reporter").person(),
		Assignee:    i.value("assignee").person(),
		Priority:    t.c.modelPriority(i.value("priority").Name),
		Status:      status.Name, Closed: state.Closed,
		CreatedAt: i.time("created"), UpdatedAt: state.UpdatedAt,
		DueDate: i.time("duedate"), CompletionDate: state.CompletionDate,
		Project: cmp.Or(project.Key, project.ID), IssueType: i.value("issuetype").Name,
		Parent: i.value("parent").Key, Tags: tags(i.labels()),
		CustomFields: t.c.readCustomFields(i), Unmapped: unmapped(i),
		Operation: stampFrom(i.Properties).Operation,
	}
	for name, value := range map[string]string{
		"key": i.Key, "url": out.URL, "resolution": i.value("resolution").Name,
		"status_category": status.Category.Key, "priority": i.value("priority").Name,
		"assignee_account_id": i.value("assignee").AccountID,
	} {
		if value != "" {
			out.Unmapped[name] = value
		}
	}
	return out
}

// unmapped are the issue's own fields that the model has no place for, by their
// ids, and its files.
func unmapped(i issue) map[string]any {
	out := map[string]any{}
	for field, raw := range i.Fields {
		if strings.HasPrefix(field, "customfield_") || slices.Contains(mapped(), field) {
			continue
		}
		switch value := readValue(raw, nil).(type) {
		case nil:
		case []any:
			if len(value) > 0 {
				out[field] = value
			}
		default:
			out[field] = value
		}
	}
	var files []map[string]any
	for _, a := range i.attachments(i.ID) {
		files = append(files, map[string]any{
			"id": a.ID, "file_name": a.FileName, "file_type": a.FileType, "file_size": a.Size,
			"creator": a.Creator, "created_date": a.CreatedAt.Format(time.RFC3339Nano),
		})
	}
	if len(files) > 0 {
		out[attachmentsKey] = files
	}
	return out
}

// attachmentsKey is where Unmapped holds the metadata of a ticket's files.
const attachmentsKey = "attachments"

// mapped are the fields that are elsewhere in a ticket.
func mapped() []string {
	return []string{
		"summary", "description", "creator", "reporter", "assignee", "priority", "status", "created", "updated",
		"duedate", "resolutiondate", "project", "issuetype", "parent", "labels", "attachment", "comment", "worklog", "resolution",
	}
}

// scoped marks the address for tokens with scopes, where people cannot browse.
const scoped = "/ex/jira/"

// browse is where a person opens an issue.
func (t *turn) browse(ctx context.Context, key string) string {
	site := t.c.base
	if strings.Contains(site, scoped) {
		found, err := t.c.sites.Get("", func() (string, error) {
			var info struct {
				BaseURL string `json:"baseUrl"`
			}
			err := t.do(ctx, call{endpoint: endSite, path: "/serverInfo"}, &info)
			return info.BaseURL, err
		})
		if err != nil || found == "" {
			return "" // a link is not worth failing for
		}
		site = strings.TrimRight(found, "/")
	}
	return site + "/browse/" + url.PathEscape(key)
}

func addWarnings(t *ticket.Ticket, warnings []string) {
	if len(warnings) == 0 {
		return
	}
	if t.Unmapped == nil {
		t.Unmapped = map[string]any{}
	}
	t.Unmapped[ticket.WarningsKey] = append(slices.Clone(t.Warnings()), warnings...)
}
