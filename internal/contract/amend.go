package contract

import (
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/matching"
)

// What amend may set of an entry that tells of a ticket elsewhere.
const (
	SetTicketID = "ticket_id"
	SetSubject  = "subject"
	SetStatus   = "status"
	SetNote     = "note"
)

// AmendableEntry lists what amend may set of a feed's parked entry: under the
// event policy every parameter of the Events API, else what an entry says of the
// foreign ticket.
func AmendableEntry(policy event.Policy) []string {
	if policy == event.PolicyEvent {
		return matching.Parameters()
	}
	return []string{SetTicketID, SetSubject, SetStatus, SetNote}
}
