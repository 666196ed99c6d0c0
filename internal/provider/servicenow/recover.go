package servicenow

import (
	"cmp"
	"context"
	"slices"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// RecoverTicket looks for the record of a create that had no answer: by the sys_id
// that it was given, then by correlation_id, in the table itself. Neither lags.
// Callers look no sooner than Settling after the connection ended: until then the
// instance may still be at it.
//
// "Not found" is answered only where it is proved: the account sees records of
// the table with their correlation_id, and the instance did what the query said.
// Of several records the oldest is answered, the others are named in
// Unmapped["duplicates"].
func (c *Client) RecoverTicket(ctx context.Context, n ticket.New, _ ticket.Attempt) (ticket.Ticket, bool, error) {
	t, err := c.begin("look for a lost " + c.app.table)
	if err != nil {
		return ticket.Ticket{}, false, err
	}
	defer t.end()
	if n.Marker.Operation == "" {
		return ticket.Ticket{}, false, t.permanent("the ticket bears no operation to find it by")
	}
	found, ok, err := t.stored(ctx, n.Marker)
	switch {
	case err != nil:
		return ticket.Ticket{}, false, err
	case ok && c.config.Import.on():
		found, err = t.resume(ctx, n, found)
		return found, err == nil, err
	case ok:
		return found, true, nil
	}
	return ticket.Ticket{}, false, t.seesTickets(ctx)
}

// stored looks for the records of an operation.
func (t *turn) stored(ctx context.Context, m ticket.Marker) (ticket.Ticket, bool, error) {
	var hits []record
	id := ticket.OperationHash(m.Operation)
	first, err := t.recordOf(ctx, t.c.app.table, id)
	switch {
	case err == nil:
		hits = append(hits, first)
	case ticket.KindOf(err) != ticket.NotFound:
		return ticket.Ticket{}, false, err
	}
	rows, hidden, err := t.bearing(ctx, correlationOf(m))
	if err != nil {
		return ticket.Ticket{}, false, err
	}
	for _, r := range rows {
		if r.text("sys_id") != id {
			hits = append(hits, r)
		}
	}
	if len(hits) == 0 && hidden > 0 {
		return ticket.Ticket{}, false, t.unseen()
	}
	out, ok := t.oldest(hits)
	return out, ok, nil
}

// bearing are the records with a correlation_id; hidden is how many of them the
// account may not see.
func (t *turn) bearing(ctx context.Context, correlation string) (rows []record, hidden int, err error) {
	rows, hidden, err = t.list(ctx, t.c.app.table, query{}.where("correlation_id", "=", correlation), t.c.columnsRead(), 10)
	if slices.ContainsFunc(rows, func(r record) bool { return r.text("correlation_id") != correlation }) {
		return nil, 0, t.ignored()
	}
	return rows, hidden, err
}

func (t *turn) unseen() error {
	return t.permanent("a record of this ticket exists, and the account of integration %s may not see it: give it the right to read %s", t.c.config.Name, t.c.app.table)
}

func (t *turn) oldest(hits []record) (ticket.Ticket, bool) {
	if len(hits) == 0 {
		return ticket.Ticket{}, false
	}
	slices.SortStableFunc(hits, func(a, b record) int {
		return cmp.Or(a.time("sys_created_on").Compare(b.time("sys_created_on")), cmp.Compare(a.text("number"), b.text("number")))
	})
	out := t.c.model(hits[0])
	var others []string
	for _, r := range hits[1:] {
		others = append(others, r.text("number"))
	}
	if len(others) > 0 {
		out.Unmapped["duplicates"] = others
	}
	return out, true
}

// ignored: the instance leaves out conditions that it finds invalid and answers
// what the rest selects, so that nothing is proved.
func (t *turn) ignored() error {
	return t.permanent("the instance ignored the query for correlation_id: the account of integration %s must be able to read that column of %s", t.c.config.Name, t.c.app.table)
}

// seesTickets confirms that an empty answer means that there is nothing: the
// account sees a ticket with its correlation_id, or there is no ticket at all.
func (t *turn) seesTickets(ctx context.Context) error {
	rows, hidden, err := t.list(ctx, t.c.app.table, query{}, []string{"sys_id", "correlation_id"}, 1)
	if err != nil {
		return err
	}
	switch {
	case len(rows) > 0 && !rows[0].has("correlation_id"):
		return t.permanent("the account of integration %s may not read correlation_id of %s: tickets are found again by it", t.c.config.Name, t.c.app.table)
	case len(rows) == 0 && hidden > 0:
		return t.permanent("the account of integration %s sees no record of %s, though there are some: give it a role that reads them", t.c.config.Name, t.c.app.table)
	default:
		return nil
	}
}

// seesTicketsLately is seesTickets, remembered for a while: whoever makes a ticket
// after a search that found nothing is told by that call what is wrong meanwhile.
func (t *turn) seesTicketsLately(ctx context.Context) error {
	_, err := t.c.presence.Get("", func() (struct{}, error) { return struct{}{}, t.seesTickets(ctx) })
	return err
}
