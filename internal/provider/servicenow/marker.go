package servicenow

import (
	"strconv"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// markerPrefix begins every correlation_id of ours:
// tb:<match key>:<request>:<hash of the operation>, 79 characters at most where
// key and request are those of a match key's workflow. The hash is the record's
// sys_id too, where the instance lets us choose it.
const markerPrefix = "tb:"

// maxCorrelation is the width of correlation_id on table task.
const maxCorrelation = 100

// product is the correlation_display: people see it beside the id.
const product = "ticketbridge"

// correlationOf is the correlation_id of a marker, empty for one without an
// operation.
func correlationOf(m ticket.Marker) string {
	if m.Operation == "" {
		return ""
	}
	return markerPrefix + m.Key + ":" + requestText(m.Request) + ":" + ticket.OperationHash(m.Operation)
}

func requestText(request int64) string {
	if request == 0 {
		return ""
	}
	return strconv.FormatInt(request, 10)
}

// stamp is what a correlation_id of ours holds.
type stamp struct{ key, request, hash string }

// readStamp reads a correlation_id; anybody else's is no stamp.
func readStamp(correlation string) (stamp, bool) {
	text, ours := strings.CutPrefix(correlation, markerPrefix)
	parts := strings.Split(text, ":")
	if !ours || len(parts) != 3 || !isID(parts[2]) {
		return stamp{}, false
	}
	return stamp{parts[0], parts[1], parts[2]}, true
}

// matches: every member that m has is the stamp's.
func (s stamp) matches(m ticket.Marker) bool {
	return (m.Key == "" || m.Key == s.key) &&
		(m.Request == 0 || requestText(m.Request) == s.request) &&
		(m.Operation == "" || ticket.OperationHash(m.Operation) == s.hash)
}
