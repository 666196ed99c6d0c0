package servicenow

import (
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
