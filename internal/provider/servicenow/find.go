package servicenow

import (
	"cmp"
	"context"
	"slices"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// maxFound bounds what FindTicket reads.
const maxFound = 500

// FindTicket finds tickets by the marker in correlation_id, newest first. Any
// failure is an error, never "nothing found".
func (c *Client) FindTicket(ctx context.Context, m ticket.Marker) ([]ticket.Ticket, error) {
	t, err := c.begin("find " + c.app.table + " by its marker")
	if err != nil {
		return nil, err
	}
	defer t.end()
	q := query{}
	switch {
	case m.Key != "" && m.Request != 0:
		q = q.where("correlation_id", "STARTSWITH", markerPrefix+m.Key+":"+requestText(m.Request)+":")
	case m.Key != "":
		q = q.where("correlation_id", "STARTSWITH", markerPrefix+m.Key+":")
	case m.Request != 0:
		q = q.where("correlation_id", "STARTSWITH", markerPrefix).where("correlation_id", "LIKE", ":"+requestText(m.Request)+":")
	default:
		return nil, t.permanent("the marker has neither key nor request")
	}
	rows, hidden, err := t.list(ctx, c.app.table, q.newest("sys_created_on"), c.columnsRead(), maxFound)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		if hidden > 0 {
			return nil, t.permanent("records of this ticket exist, and the account of integration %s may not see them: give it the right to read %s", c.config.Name, c.app.table)
		}
		return nil, t.seesTicketsLately(ctx)
	}
	return t.verified(rows, m)
}

// verified keeps the marker's records.
func (t *turn) verified(rows []record, m ticket.Marker) ([]ticket.Ticket, error) {
	var out []ticket.Ticket
	for _, r := range rows {
		mark, ours := readStamp(r.text("correlation_id"))
		switch {
		case !ours:
			return nil, t.ignored()
		case mark.matches(m):
			out = append(out, t.c.model(r))
		case !mark.matches(ticket.Marker{Key: m.Key, Request: m.Request}):
			return nil, t.ignored()
		}
	}
	slices.SortStableFunc(out, func(a, b ticket.Ticket) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.Key, a.Key))
	})
	return out, nil
}
