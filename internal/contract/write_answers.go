package contract

import (
	"encoding/json"
	"time"
)

// How a write stands; WriteOutcome.Status.
const (
	WritePending   = "pending"   // on its way
	WriteOK        = "ok"        // made
	WriteRefused   = "refused"   // ended: the provider, or we, refused it
	WriteParked    = "parked"    // waits for a person, who can still have it made
	WriteDiscarded = "discarded" // a person gave it up
)

// WriteOutcome is what became of a write; it is also the run's result.
type WriteOutcome struct {
	// Done: nothing more will come of it.
	Done   bool   `json:"done"`
	Status string `json:"status"`
	// Operator is what was asked for, which tells what Result is. Empty while the
	// write has not ended, and where an older worker ended it.
	Operator string `json:"operator,omitempty"`
	// Result is the model's object as JSON: a ticket.Ticket, ticket.Comment,
	// ticket.Note or ticket.Attachment; deletes have none.
	Result json.RawMessage `json:"result,omitempty"`
	// TicketID and PartID name what the write was about or what it made.
	TicketID string `json:"ticket_id,omitempty"`
	PartID   string `json:"part_id,omitempty"`
	// Warnings are what was asked for and could not be done as it was asked.
	Warnings []string `json:"warnings,omitempty"`
	// Error says why it was refused or is parked.
	Error *WriteError `json:"error,omitempty"`
}

// KindFileMissing is the kind of a parked write whose file nobody holds any more:
// sent again, it goes on.
const KindFileMissing = "file_missing"

// WriteError is why a write was not made.
type WriteError struct {
	// Kind is that of ticket.Error: permanent, not_found, not_supported, closed;
	// of a parked write any other as well, or empty.
	Kind    string `json:"kind,omitempty"`
	Message string `json:"message"`
	// Status is the provider's HTTP status, 0 where it did not answer.
	Status int `json:"status,omitempty"`
}

// WriteAnswer answers the "outcome" update and query of WriteTicket.
type WriteAnswer struct {
	// Again: the run is about to end or to continue as new; ask once more.
	Again   bool         `json:"again,omitempty"`
	Outcome WriteOutcome `json:"outcome"`
}

// WriteView answers the state query of WriteTicket.
type WriteView struct {
	Integration string `json:"integration"`
	Operator    string `json:"operator"`
	TicketID    string `json:"ticket_id,omitempty"`
	PartID      string `json:"part_id,omitempty"`
	Keyed       bool   `json:"keyed,omitempty"`
	// Async: the caller was told to ask later, so a refusal waits for a person.
	Async bool      `json:"async,omitempty"`
	Since time.Time `json:"since"`
	// Attempts counts what was given to the provider's queue: calls, and searches
	// for what an unanswered call may have done. What Temporal repeats of one by
	// itself is not counted.
	Attempts int `json:"attempts"`
	// Waiting says what for, where it is not simply on its way.
	Waiting string `json:"waiting,omitempty"`
	// Parked has one item while a person is needed.
	Parked        []PendingView `json:"parked,omitempty"`
	Outcome       WriteOutcome  `json:"outcome"`
	Rejected      int64         `json:"rejected"`
	LastRejection string        `json:"last_rejection,omitempty"`
}
