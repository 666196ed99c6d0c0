package servicenow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// createStaged makes a record through the staging table. A record of the operation
// is looked for before, as in RecoverTicket. What the answer says is believed no
// sooner than the records with our correlation_id were read: there must be one, the
// very one that was answered. It is then made whole.
func (t *turn) createStaged(ctx context.Context, k *create, n ticket.New) (ticket.Ticket, error) {
	switch project := t.c.config.DefaultProject; {
	case n.Marker.Operation == "":
		return ticket.Ticket{}, t.permanent("a ticket without an operation cannot go through a staging table: there would be nothing to coalesce on")
	case k.table != project:
		return ticket.Ticket{}, t.permanent("project: %s: integration %s makes tickets through staging table %s, which makes them in %s only", k.table, t.c.config.Name, t.c.config.Import.Table, project)
	}
	found, ok, err := t.stored(ctx, n.Marker)
	switch {
	case err != nil:
		return ticket.Ticket{}, err
	case ok:
		return t.resume(ctx, n, found)
	}
	if err := t.marksAreKept(); err != nil {
		return ticket.Ticket{}, err
	}
	if err := t.seesTicketsLately(ctx); err != nil { // what was made could not be proved
		return ticket.Ticket{}, err
	}
	made, err := t.stage(ctx, k)
	if err != nil {
		if namesTwin(err) {
			return t.stagedTwin(ctx, n, err)
		}
		return ticket.Ticket{}, err
	}
	in, err := t.proved(ctx, k, made)
	if err != nil {
		return ticket.Ticket{}, t.madeAlready(err)
	}
	out, err := t.complete(ctx, k, in, n, made.text("status") == inserted)
	return out, t.madeAlready(err)
}

// stagedTwin is the record that an index on correlation_id defended; without one the
// refusal stands.
func (t *turn) stagedTwin(ctx context.Context, n ticket.New, refusal error) (ticket.Ticket, error) {
	found, err := t.refusedTwin(ctx, n.Marker, refusal)
	if err != nil {
		return ticket.Ticket{}, err
	}
	return t.resume(ctx, n, found)
}

// madeAlready: what fails after the row was sent is looked for before it is tried
// again, unless somebody has to mend the staging table.
func (t *turn) madeAlready(err error) error {
	failed, ok := errors.AsType[*ticket.Error](err)
	if ok && failed.Kind != ticket.Permanent {
		failed.Kind, failed.RetryAfter = ticket.OutcomeUnknown, 0
	}
	return err
}

// States of a staged row that made or changed a record ("Import Set API").
const (
	inserted = "inserted"
	updated  = "updated"
	ignored  = "ignored" // the record holds what the row says

	pending = "pending" // the row is transformed later
)

// stage sends a row and reads what its transform maps made of it. That the row was
// taken (2xx) says nothing of that.
func (t *turn) stage(ctx context.Context, k *create) (record, error) {
	in := t.c.config.Import
	var results []record
	_, err := t.do(ctx, call{
		method: http.MethodPost, at: "import/" + url.PathEscape(in.Table), table: in.Table, setting: "import_table",
		body: in.staged(k.fields), creates: true,
	}, &results)
	if err != nil {
		return nil, err
	}
	made, others, wrong := outcome(results, in.Table, k.table)
	switch {
	case len(wrong) > 0 && len(others) > 0:
		return nil, t.permanent("staging table %s: %s; it made or changed %s all the same", in.Table, strings.Join(wrong, "; "), strings.Join(others, ", "))
	case len(wrong) > 0:
		return nil, t.permanent("staging table %s: %s", in.Table, strings.Join(wrong, "; "))
	case made == nil:
		return nil, t.permanent("staging table %s took the row and made no record of it: it needs an active transform map with the target %s, and must transform rows at once, not later (import set mode)", in.Table, k.table)
	}
	return made, nil
}

// outcome sorts the results of a row, one a transform map: the record of the ticket,
// that of the wanted table where there are several; the numbers of all that were made
// or changed; and what was refused, in the maps' words.
func outcome(results []record, staging, wanted string) (made record, others, wrong []string) {
	for _, r := range results {
		status, refused := strings.ToLower(r.text("status")), r.text("error_message") != ""
		taken := slices.Contains([]string{inserted, updated, ignored}, status) && !refused
		switch {
		case !taken && (refused || status != pending && status != ""):
			wrong = append(wrong, complaintOf(r))
		case taken && isID(r.text("sys_id")) && r.text("table") != staging:
			others = append(others, r.text("display_value"))
			if made == nil || r.text("table") == wanted {
				made = r
			}
		}
	}
	return made, others, wrong
}

// complaintOf is what a transform map says of a row that it refused.
func complaintOf(r record) string {
	said := cmp.Or(r.text("error_message"), r.text("status_message"), "no reason is given")
	return fmt.Sprintf("transform map %q: %s: %s", r.text("transform_map"), cmp.Or(r.text("status"), "no status"), said)
}

// proved reads the records that hold our correlation_id. Anything but the one that
// was answered means that the transform map does not coalesce on it. No more is made
// then until somebody saw to it.
func (t *turn) proved(ctx context.Context, k *create, made record) (row, error) {
	rows, hidden, err := t.bearing(ctx, k.fields["correlation_id"])
	if err != nil && ticket.KindOf(err) != ticket.Permanent {
		return row{}, err
	}
	if len(rows) == 1 && rows[0].text("sys_id") == made.text("sys_id") && hidden == 0 {
		t.c.marksLost.Store(0)
		return row{rows[0], cmp.Or(rows[0].text("sys_class_name"), made.text("table"), k.table)}, nil
	}
	t.c.marksLost.Store(t.c.now().Add(markless).UnixNano())
	in, number := t.c.config.Import, cmp.Or(made.text("display_value"), made.text("sys_id"))
	switch {
	case err != nil:
		return row{}, err
	case len(rows)+hidden > 1:
		var numbers []string
		for _, r := range rows {
			numbers = append(numbers, r.text("number"))
		}
		return row{}, t.permanent("staging table %s made more than one record of this ticket (%s), so it does not coalesce: %s; keep one, delete the others, then try again", in.Table, strings.Join(numbers, ", "), in.remedy())
	case hidden > 0:
		return row{}, t.unseen()
	default:
		return row{}, t.permanent("staging table %s answered %s, which does not hold our correlation_id as we sent it: %s; delete %s if it was made now, then try again", in.Table, number, in.remedy(), number)
	}
}

// resume makes a record whole whose making was broken off.
func (t *turn) resume(ctx context.Context, n ticket.New, found ticket.Ticket) (ticket.Ticket, error) {
	in := row{table: cmp.Or(found.Project, t.c.app.table)}
	_, err := t.do(ctx, call{
		method: http.MethodGet, table: in.table, id: found.ID, query: t.c.answered("correlation_display"),
	}, &in.record)
	switch {
	case err != nil:
		return ticket.Ticket{}, err
	case in.text("correlation_display") == product:
		return found, nil
	}
	k, err := t.newRecord(ctx, t.c.tableOf(n), n)
	if err != nil {
		return ticket.Ticket{}, err
	}
	out, err := t.complete(ctx, k, in, n, false)
	if failed, ok := errors.AsType[*ticket.Error](err); ok && failed.Kind == ticket.OutcomeUnknown {
		// The text may still come: nothing is looked for before.
		failed.Kind, failed.RetryAfter = ticket.Retry, t.c.config.Settling
	}
	if others := found.Unmapped["duplicates"]; err == nil && others != nil {
		out.Unmapped["duplicates"] = others
	}
	return out, err
}

// complete sets what the staged row could not carry, or what its transform map made
// something else of: first the comment with the whole text, which cannot be sent
// twice without being there twice, then all columns in one PATCH, last among them
// correlation_display. What the instance refuses of that is a warning: the ticket is
// there. fresh: nobody else can have written the comment.
func (t *turn) complete(ctx context.Context, k *create, in row, n ticket.New, fresh bool) (ticket.Ticket, error) {
	warnings := k.warnings
	if in.table != k.table {
		warnings = append(warnings, fmt.Sprintf("project: the transform map makes records of %s, default_project is %s", in.table, k.table))
	}
	if text := k.fields["comments"]; text != "" {
		if err := t.wholeText(ctx, in, text, n, fresh); err != nil && ticket.KindOf(err) != ticket.Permanent {
			return ticket.Ticket{}, err
		} else if err != nil {
			warnings = append(warnings, "the whole text is not in the comments: "+err.Error())
		}
	}
	fields := maps.Clone(k.fields)
	for _, column := range []string{"sys_id", "correlation_id", "comments"} {
		delete(fields, column)
	}
	after, err := t.patch(ctx, in, fields)
	for try := 1; try < readTries && t.again(ctx, err, try); try++ { // harmless to repeat
		after, err = t.patch(ctx, in, fields)
	}
	switch {
	case err == nil:
		warnings = append(warnings, kept(fields, after)...)
	case ticket.KindOf(err) == ticket.Permanent:
		after, warnings = in.record, append(warnings, "what the staging table did not carry was not set: "+err.Error())
	default:
		return ticket.Ticket{}, err
	}
	out := t.c.model(after)
	addWarnings(&out, warnings)
	return out, nil
}

// wholeText writes the comment that holds a long text, once.
func (t *turn) wholeText(ctx context.Context, in row, text string, n ticket.New, fresh bool) error {
	comment := ticket.NewComment{Operation: n.Marker.Operation + " text"}
	if !fresh {
		if _, there, err := t.entry(ctx, in, comment); err != nil || there {
			return err
		}
	}
	return t.append(ctx, in, text, comment)
}
