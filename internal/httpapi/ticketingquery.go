package httpapi

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// maxConditions bounds filters and orders of one call.
const maxConditions = 50

// queryOf reads cursor, limit, filters and orders of a call.
func queryOf(r *http.Request, page int) (ticket.Query, error) {
	values := r.URL.Query()
	q := ticket.Query{Cursor: values.Get("cursor")}
	var err error
	if q.Limit, err = limitOf(values.Get("limit"), page); err != nil {
		return q, err
	}
	if n := len(values["filter"]) + len(values["order"]); n > maxConditions {
		return q, badParameter("query", "filter", "", fmt.Errorf("%d filters and orders; want at most %d", n, maxConditions))
	}
	for _, text := range values["filter"] {
		f, err := ticket.ParseFilter(text)
		if err != nil {
			return q, badParameter("query", "filter", text, err)
		}
		q.Filters = append(q.Filters, f)
	}
	for _, text := range values["order"] {
		o, err := ticket.ParseOrder(text)
		if err != nil {
			return q, badParameter("query", "order", text, err)
		}
		q.Orders = append(q.Orders, o)
	}
	return q, nil
}

func limitOf(text string, page int) (int, error) {
	if text == "" {
		return page, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > mostOfAPage {
		return 0, badParameter("query", "limit", text, fmt.Errorf("limit: want a whole number from 1 to %d", mostOfAPage))
	}
	return n, nil
}
