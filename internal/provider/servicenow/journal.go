package servicenow

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// The journals of a ticket.
const (
	journalComments = "comments"   // customers see it
	journalNotes    = "work_notes" // they do not
)

func journalOf(n ticket.NewComment) string {
	if n.Internal {
		return journalNotes
	}
	return journalComments
}

// refOf is the mark that ends an entry of ours: a journal appends whatever is sent,
// and its entries have no column of their own for it.
func refOf(operation string) string {
	if operation == "" {
		return ""
	}
	return "[ref:" + ticket.OperationHash(operation)[:16] + "]"
}

// creatorTitle begins the line that tells who wrote a comment, as in descriptions:
// the entry itself is always our account's.
const creatorTitle = "Creator: "

// withCreator is a comment's text under the line that tells who wrote it.
func withCreator(n ticket.NewComment) string {
	creator := strings.Join(strings.Fields(n.Creator), " ")
	if creator == "" {
		return n.Content
	}
	return creatorTitle + cut(creator, widthTitle, "…") + "\n\n" + n.Content
}

// entryText is a comment as the journal holds it, without its mark: it is what a
// list answers, too.
func entryText(n ticket.NewComment) string {
	text := journalText(withCreator(n))
	if ref := refOf(n.Operation); ref != "" {
		return cut(text, maxJournal-len(ref)-2, cutNotice)
	}
	return cut(text, maxJournal, cutNotice)
}

// CreateComment adds an entry to a ticket's journal with one PATCH: to the
// comments, or, where it is internal, to the work notes, never to both. Who wrote it
// is its first line, where the comment says so; the mark of its operation ends the text. Kind OutcomeUnknown asks for RecoverComment.
func (c *Client) CreateComment(ctx context.Context, ticketID string, n ticket.NewComment) (ticket.Comment, error) {
	t, err := c.begin("comment on " + c.app.table + " " + ticketID)
	if err != nil {
		return ticket.Comment{}, err
	}
	defer t.end()
	if strings.TrimSpace(journalText(n.Content)) == "" {
		return ticket.Comment{}, t.permanent("content: empty: ServiceNow takes no empty comment")
	}
	in, err := t.record(ctx, ticketID)
	if err != nil {
		return ticket.Comment{}, err
	}
	if err := t.refuseClosed(in.record, n.UnlessClosedBefore); err != nil {
		return ticket.Comment{}, err
	}
	if err := t.append(ctx, in, entryText(n), n); err != nil {
		return ticket.Comment{}, err
	}
	return t.written(ctx, in, n)
}

// append adds text to a journal, with the mark of its operation.
func (t *turn) append(ctx context.Context, in row, text string, n ticket.NewComment) error {
	if ref := refOf(n.Operation); ref != "" {
		text = cut(text, maxJournal-len(ref)-2, cutNotice) + "\n\n" + ref
	}
	var echo record
	_, err := t.do(ctx, call{
		method: http.MethodPatch, table: in.table, id: in.text("sys_id"), creates: true, body: map[string]string{journalOf(n): cut(text, maxJournal, cutNotice)},
		query: url.Values{"sysparm_fields": {"sys_id"}, "sysparm_exclude_reference_link": {"true"}},
	}, &echo)
	return err
}

// written finds the entry that was just made: the answer to the PATCH does not
// name it, and an account that may not write the journal is told nothing.
func (t *turn) written(ctx context.Context, in row, n ticket.NewComment) (ticket.Comment, error) {
	out := ticket.Comment{TicketID: in.text("sys_id"), Content: entryText(n), CreatedAt: t.c.now().UTC(), Internal: n.Internal}
	if n.Operation == "" {
		return out, nil
	}
	found, ok, err := t.entry(ctx, in, n)
	switch {
	case err != nil: // it was taken; that it cannot be read now changes nothing
		return out, nil
	case !ok:
		return ticket.Comment{}, t.permanent("ServiceNow dropped it: the account of integration %s may not write %s of %s", t.c.config.Name, journalOf(n), in.table)
	}
	out.ID, out.Creator, out.CreatedAt = found.ID, found.Creator, found.CreatedAt
	return out, nil
}

// RecoverComment looks for an entry whose create had no answer, by its mark in the
// journal of the ticket. Call it no sooner than Settling after the connection ended.
// "Not found" is answered only where the account sees the journal.
func (c *Client) RecoverComment(ctx context.Context, ticketID string, n ticket.NewComment, _ ticket.Attempt) (ticket.Comment, bool, error) {
	t, err := c.begin("look for a comment on " + c.app.table + " " + ticketID)
	if err != nil {
		return ticket.Comment{}, false, err
	}
	defer t.end()
	if n.Operation == "" {
		return ticket.Comment{}, false, t.permanent("the comment bears no operation to find it by")
	}
	in, err := t.record(ctx, ticketID)
	if err != nil {
		return ticket.Comment{}, false, err
	}
	return t.entry(ctx, in, n)
}

// entry looks for an entry by its mark: in the table of entries, which few accounts
// may read, then in the text of the whole journal, which those have who work on
// tickets.
func (t *turn) entry(ctx context.Context, in row, n ticket.NewComment) (ticket.Comment, bool, error) {
	ref, journal, id := refOf(n.Operation), journalOf(n), in.text("sys_id")
	rows, _, err := t.list(ctx, journalTable,
		query{}.where("element_id", "=", id).where("element", "=", journal).where("value", "LIKE", ref),
		journalColumns(), 10)
	if err != nil && !closedToUs(err) {
		return ticket.Comment{}, false, err
	}
	for _, r := range rows {
		if r.text("element_id") == id && r.text("element") == journal && strings.Contains(r.text("value"), ref) {
			return commentOf(r), true, nil
		}
	}
	var whole record
	_, err = t.do(ctx, call{
		method: http.MethodGet, table: in.table, id: id,
		query: url.Values{"sysparm_display_value": {"true"}, "sysparm_fields": {"sys_id," + journal}},
	}, &whole)
	if err != nil {
		return ticket.Comment{}, false, err
	}
	if !whole.has(journal) {
		return ticket.Comment{}, false, t.permanent("the account of integration %s may read neither sys_journal_field nor %s of %s, so that a lost comment cannot be looked for: give it the right", t.c.config.Name, journal, in.table)
	}
	// The entry has no id then; its mark stands for it.
	out := ticket.Comment{ID: ref, TicketID: id, Content: entryText(n), CreatedAt: t.c.now().UTC(), Internal: n.Internal}
	return out, strings.Contains(whole[journal].Display, ref), nil
}

func journalColumns() []string {
	return []string{"sys_id", "element_id", "element", "value", "sys_created_on", "sys_created_by"}
}

// commentOf is an entry in the unified model, without its mark.
func commentOf(r record) ticket.Comment {
	text := r.text("value")
	if body, mark, ok := strings.Cut(text, "\n\n[ref:"); ok && strings.HasSuffix(mark, "]") && !strings.Contains(mark, "\n") {
		text = body
	}
	return ticket.Comment{
		ID: r.text("sys_id"), TicketID: r.text("element_id"), Creator: r.text("sys_created_by"), Content: text,
		CreatedAt: r.time("sys_created_on"), Internal: r.text("element") == journalNotes,
	}
}

// maxEntries bounds a listing.
const maxEntries = 2000

// ListComments lists a ticket's comments, oldest first.
func (c *Client) ListComments(ctx context.Context, ticketID string) ([]ticket.Comment, error) {
	return c.entries(ctx, ticketID, journalComments)
}

func (c *Client) entries(ctx context.Context, ticketID, journal string) ([]ticket.Comment, error) {
	t, err := c.begin("list " + journal + " of " + c.app.table + " " + ticketID)
	if err != nil {
		return nil, err
	}
	defer t.end()
	in, err := t.record(ctx, ticketID)
	if err != nil {
		return nil, err
	}
	id := in.text("sys_id")
	rows, hidden, err := t.list(ctx, journalTable, query{}.where("element_id", "=", id).where("element", "=", journal), journalColumns(), maxEntries)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 && hidden > 0 {
		return nil, t.permanent("the account of integration %s may not read sys_journal_field: give it a role that may (audit_viewer)", c.config.Name)
	}
	out := []ticket.Comment{}
	for _, r := range rows {
		if r.text("element_id") == id && r.text("element") == journal {
			out = append(out, commentOf(r))
		}
	}
	slices.SortStableFunc(out, func(a, b ticket.Comment) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return out, nil
}
