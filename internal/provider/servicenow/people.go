package servicenow

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// person finds the sys_id of somebody given by e-mail address, user name or
// sys_id. Empty with no error: nobody, or more than one.
func (t *turn) person(ctx context.Context, who string) (string, error) {
	if isID(who) {
		return who, nil
	}
	column := "user_name"
	if strings.Contains(who, "@") {
		column = "email"
	}
	return t.idOf(ctx, "sys_user", column, who, query{}.where("active", "=", "true"))
}

// idOf finds the one record of a table that holds this text in a column.
func (t *turn) idOf(ctx context.Context, table, column, text string, q query) (string, error) {
	return t.c.people.Get(table+"."+column+"="+strings.ToLower(text), func() (string, error) {
		rows, _, err := t.list(ctx, table, anyCase(q, column, text), []string{"sys_id", column}, 3)
		if err != nil {
			return "", err
		}
		// An invalid condition is ignored: what comes back may be anything.
		rows = slices.DeleteFunc(rows, func(r record) bool { return !strings.EqualFold(r.text(column), text) })
		if len(rows) != 1 {
			return "", nil
		}
		return rows[0].text("sys_id"), nil
	})
}

// anyCase looks for an e-mail address as it is written, and as addresses are
// usually stored: whether the instance tells them apart depends on its database.
func anyCase(q query, column, text string) query {
	if lower := strings.ToLower(text); column == "email" && lower != text && !strings.Contains(text, ",") {
		return q.among(column, []string{text, lower})
	}
	return q.where(column, "=", text)
}

// personOrWarning finds a person for a column that a ticket can do without; a
// search that is not allowed or fails is a warning, a wish to wait an error.
func (t *turn) personOrWarning(ctx context.Context, field, who string) (id, warning string, err error) {
	id, err = t.person(ctx, who)
	switch {
	case err == nil && id != "":
		return id, "", nil
	case err == nil:
		return "", field + ": ServiceNow knows nobody, or more than one, by " + who, nil
	case closedToUs(err) || ticket.KindOf(err) == ticket.NotSupported:
		return "", field + ": " + who + " could not be looked up: " + err.Error(), nil
	default:
		return "", "", err
	}
}

// fillPeople sets the people of a new ticket; one that ServiceNow does not know is a
// line of the description.
func (t *turn) fillPeople(ctx context.Context, k *create, n ticket.New) error {
	for _, p := range []struct{ column, name, who, title string }{
		{"assigned_to", "assignee", n.Assignee, "Assignee"}, {t.c.app.contact, "contact", n.Contact, "Contact"},
		{"opened_by", "creator", cmp.Or(n.Creator, t.c.config.DefaultCreator), "Creator"},
	} {
		if p.who == "" {
			continue
		}
		id, warning, err := t.personOrWarning(ctx, p.name, p.who)
		if err != nil {
			return err
		}
		if id == "" {
			k.warnings = append(k.warnings, warning+": written into the description")
			k.note(p.title, p.who)
			continue
		}
		k.fields[p.column] = id
	}
	return t.fillRequester(ctx, k)
}

// fillRequester says who asked for a ticket, besides who opened it, where the
// application's table keeps that.
func (t *turn) fillRequester(ctx context.Context, k *create) error {
	column, creator := t.c.app.requester, k.fields["opened_by"]
	if column == "" || creator == "" {
		return nil
	}
	known, err := t.table(ctx, k.table)
	if _, there := known[column]; there {
		k.fields[column] = creator
	}
	return err
}

// checkCreator: ServiceNow knows the default creator.
func (t *turn) checkCreator(ctx context.Context) error {
	who := t.c.config.DefaultCreator
	if who == "" {
		return nil
	}
	known, err := t.knows(ctx, who)
	if err == nil && !known {
		err = t.permanent("default_creator: ServiceNow knows nobody, or more than one, by %s: give the e-mail address, user name or sys_id of one active user", who)
	}
	return err
}

// knows reports whether somebody is one active user. A sys_id does its work also
// where the account may not see users: it is then taken for known.
func (t *turn) knows(ctx context.Context, who string) (bool, error) {
	if !isID(who) {
		id, err := t.person(ctx, who)
		return id != "", err
	}
	rows, hidden, err := t.list(ctx, "sys_user", query{}.where("sys_id", "=", who).where("active", "=", "true"), []string{"sys_id"}, 1)
	if err != nil {
		return true, unlessClosed(err)
	}
	return hidden > 0 || slices.ContainsFunc(rows, func(r record) bool { return r.text("sys_id") == who }), nil
}
