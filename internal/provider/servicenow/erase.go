package servicenow

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// journalTable holds the entries of all journals.
const journalTable = "sys_journal_field"

// DeleteComment deletes an entry of a ticket's comments, as far as the instance
// lets the account: deleting from sys_journal_field takes a right that no ordinary
// role has. A missing right is a Permanent error that names it. One that is gone,
// or is of another ticket or of its work notes, is NotFound.
//
// The activity stream of the form is made from the record's history too, so it may
// go on showing the text ("History sets", in ServiceNow's documents).
func (c *Client) DeleteComment(ctx context.Context, ticketID, commentID string) error {
	return c.erase(ctx, ticketID, commentID, journalComments)
}

// DeleteNote deletes an entry of a ticket's work notes, as DeleteComment does.
func (c *Client) DeleteNote(ctx context.Context, ticketID, noteID string) error {
	return c.erase(ctx, ticketID, noteID, journalNotes)
}

func (c *Client) erase(ctx context.Context, ticketID, entryID, journal string) error {
	t, err := c.begin("delete " + journal + " " + entryID + " of " + c.app.table + " " + ticketID)
	if err != nil {
		return err
	}
	defer t.end()
	in, err := t.record(ctx, ticketID)
	if err != nil {
		return err
	}
	if !isID(entryID) {
		if strings.HasPrefix(entryID, "[ref:") {
			return t.permanent("the entry has no id of its own: %s", t.blind())
		}
		return t.absent("%s has no entry %s in its %s", ticketID, entryID, journal)
	}
	there, err := t.holds(ctx, in, entryID, journal)
	switch {
	case err != nil:
		return err
	case !there:
		return t.absentEntry(ctx, in, entryID, journal)
	}
	_, err = t.do(ctx, call{method: http.MethodDelete, table: journalTable, id: entryID}, nil)
	if err != nil && ticket.KindOf(err) != ticket.NotFound {
		return t.deletion(err, "delete records of "+journalTable+", which administrators have, or an access control (ACL) made for the account")
	}
	// A rule may have kept what was answered as deleted, and a 404 may mean a right.
	there, err = t.holds(ctx, in, entryID, journal)
	if err == nil && there {
		err = t.permanent("the instance keeps the entry: a rule, or a missing right to delete records of %s, is against it", journalTable)
	}
	return err
}

// holds reports whether the account sees this entry in this ticket's journal.
func (t *turn) holds(ctx context.Context, in row, entryID, journal string) (bool, error) {
	rows, hidden, err := t.list(ctx, journalTable, query{}.where("sys_id", "=", entryID), journalColumns(), 2)
	if err != nil {
		return false, t.deletion(err, "read "+journalTable)
	}
	for _, r := range rows {
		if r.text("sys_id") == entryID {
			return r.text("element_id") == in.text("sys_id") && r.text("element") == journal, nil
		}
	}
	switch {
	case len(rows) > 0:
		return false, t.permanent("the instance ignored the query for sys_id of %s", journalTable)
	case hidden > 0:
		return false, t.permanent("the entry cannot be seen: %s", t.blind())
	default:
		return false, nil
	}
}

// absentEntry is NotFound where that is proved: an account that sees no journal
// would else take every entry for deleted.
func (t *turn) absentEntry(ctx context.Context, in row, entryID, journal string) error {
	id := in.text("sys_id")
	rows, hidden, err := t.list(ctx, journalTable, query{}.where("element_id", "=", id).where("element", "=", journal), journalColumns(), 1)
	if err != nil {
		return err
	}
	gone := t.absent("%s has no entry %s in its %s", in.text("number"), entryID, journal)
	switch {
	case len(rows) > 0 && rows[0].text("element_id") != id:
		return t.permanent("the instance ignored the query for element_id of %s", journalTable)
	case len(rows) > 0:
		return gone
	case hidden > 0:
		return t.permanent("the entry cannot be seen: %s", t.blind())
	}
	var whole record
	_, err = t.do(ctx, call{
		method: http.MethodGet, table: in.table, id: id,
		query: url.Values{"sysparm_display_value": {"true"}, "sysparm_fields": {"sys_id," + journal}},
	}, &whole)
	switch {
	case err != nil:
		return err
	case strings.TrimSpace(whole[journal].Display) != "":
		return t.permanent("the entry cannot be seen: %s", t.blind())
	default:
		return gone
	}
}

func (t *turn) blind() string {
	return "the account of integration " + t.c.config.Name + " may not read " + journalTable + ": give it a role that may (audit_viewer)"
}

// deletion takes the error of a deletion. A right that is missing for it alone is no
// trouble of the whole integration, which would be waited for: it is a refusal.
func (t *turn) deletion(err error, right string) error {
	failed, ok := errors.AsType[*ticket.Error](err)
	if ok && failed.Kind == ticket.Credentials && failed.Status == http.StatusForbidden {
		failed.Kind = ticket.Permanent
		failed.Message = "The account of integration " + t.c.config.Name + " lacks the right to " + right + ". " + failed.Message
	}
	return err
}
