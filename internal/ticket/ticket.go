// Package ticket holds the unified ticketing model, the one language that all
// providers are spoken to in, and the kinds of error a provider call can end with.
// The model's fields are those of the Synqly Ticketing Connector.
package ticket

import "time"

// Priority of a ticket.
type Priority string

const (
	Urgent   Priority = "URGENT"
	Critical Priority = "CRITICAL"
	High     Priority = "HIGH"
	Medium   Priority = "MEDIUM"
	Moderate Priority = "MODERATE"
	Low      Priority = "LOW"
	Planning Priority = "PLANNING"
)

// Priorities are all of them, the most urgent first.
func Priorities() []Priority {
	return []Priority{Urgent, Critical, High, Medium, Moderate, Low, Planning}
}

// Level is how urgent a priority is, on the scale of most providers: 5 for Urgent
// and Critical, 4 for High, 3 for Medium and Moderate, 2 for Low, 1 for Planning;
// 0 for what is no priority.
func (p Priority) Level() int {
	switch p {
	case Urgent, Critical:
		return 5
	case High:
		return 4
	case Medium, Moderate:
		return 3
	case Low:
		return 2
	case Planning:
		return 1
	default:
		return 0
	}
}

// Ticket is a ticket as a provider holds it.
type Ticket struct {
	ID             string         `json:"id"`
	Name           string         `json:"name"`
	Summary        string         `json:"summary"`
	Creator        string         `json:"creator,omitempty"`
	Assignee       string         `json:"assignee,omitempty"`
	Contact        string         `json:"contact,omitempty"`
	Description    string         `json:"description,omitempty"`
	Priority       Priority       `json:"priority,omitempty"`
	CreatedAt      time.Time      `json:"created_at"`
	UpdatedAt      time.Time      `json:"updated_at"`
	DueDate        time.Time      `json:"due_date,omitzero"`
	CompletionDate time.Time      `json:"completion_date,omitzero"`
	Status         string         `json:"status,omitempty"`
	Project        string         `json:"project,omitempty"`
	IssueType      string         `json:"issue_type,omitempty"`
	Parent         string         `json:"parent,omitempty"`
	Tags           []string       `json:"tags,omitempty"`
	CustomFields   map[string]any `json:"custom_fields,omitempty"`
	// Unmapped are provider attributes that have no place in the model.
	Unmapped map[string]any `json:"unmapped,omitempty"`

	// Key is the name people know the ticket by (Jira's OPS-12), URL where they
	// open it. Closed is the provider's own word on whether it is finished.
	// These are not part of the connector's model.
	Key    string `json:"-"`
	URL    string `json:"-"`
	Closed bool   `json:"-"`
	// Operation is the act that made the ticket, from our marker; its
	// OperationHash where the provider has no room for more.
	Operation string `json:"-"`
}

// MadeBy reports whether this act made the ticket.
func (t Ticket) MadeBy(operation string) bool {
	return t.Operation != "" && (t.Operation == operation || t.Operation == OperationHash(operation))
}

// WarningsKey is where Unmapped holds, as []string, what was asked for and could
// not be done as it was asked.
const WarningsKey = "warnings"

// Warnings are those of the call that answered this ticket.
func (t Ticket) Warnings() []string {
	warnings, _ := t.Unmapped[WarningsKey].([]string)
	return warnings
}

// ClosedSince is when the ticket was closed; its last change where the provider
// does not say. Zero for an open ticket.
func (t Ticket) ClosedSince() time.Time {
	switch {
	case !t.Closed:
		return time.Time{}
	case t.CompletionDate.IsZero():
		return t.UpdatedAt
	default:
		return t.CompletionDate
	}
}

// New asks for a ticket. Only Name is required by the model; a provider may
// need more and takes it from its integration's defaults.
type New struct {
	Name           string    `json:"name"`
	Summary        string    `json:"summary,omitempty"`
	Description    string    `json:"description,omitempty"` // Markdown
	Priority       Priority  `json:"priority,omitempty"`
	Status         string    `json:"status,omitempty"`
	Assignee       string    `json:"assignee,omitempty"` // an e-mail address, or the provider's own id
	Creator        string    `json:"creator,omitempty"`
	Contact        string    `json:"contact,omitempty"`
	DueDate        time.Time `json:"due_date,omitzero"`
	CompletionDate time.Time `json:"completion_date,omitzero"`
	Project        string    `json:"project,omitempty"`
	IssueType      string    `json:"issue_type,omitempty"`
	Parent         string    `json:"parent,omitempty"`
	Tags           []string  `json:"tags,omitempty"`
	// CustomFields are by the names of the integration's custom_field_mappings,
	// or by the provider's own field id.
	CustomFields map[string]any `json:"custom_fields,omitempty"`
	Marker       Marker         `json:"-"`
}

// Patch sets fields of a ticket. Nil leaves a field as it is; an empty value
// clears it, and so does a nil value in CustomFields.
type Patch struct {
	Name           *string        `json:"name,omitempty"`
	Summary        *string        `json:"summary,omitempty"`
	Description    *string        `json:"description,omitempty"`
	Priority       *Priority      `json:"priority,omitempty"`
	Status         *string        `json:"status,omitempty"`
	Resolution     *string        `json:"resolution,omitempty"`
	Assignee       *string        `json:"assignee,omitempty"`
	Creator        *string        `json:"creator,omitempty"`
	Contact        *string        `json:"contact,omitempty"`
	DueDate        *time.Time     `json:"due_date,omitempty"`
	CompletionDate *time.Time     `json:"completion_date,omitempty"`
	Project        *string        `json:"project,omitempty"`
	IssueType      *string        `json:"issue_type,omitempty"`
	Parent         *string        `json:"parent,omitempty"`
	Tags           *[]string      `json:"tags,omitempty"`
	CustomFields   map[string]any `json:"custom_fields,omitempty"`

	// KeepClosed leaves the status of a ticket that is closed as it is.
	KeepClosed bool `json:"-"`
	// UnlessClosedBefore refuses, with kind Closed, to change a ticket that was
	// closed before this time. Zero: the ticket's state does not matter.
	UnlessClosedBefore time.Time `json:"-"`
}

// Comment on a ticket; Internal ones are notes that customers do not see.
type Comment struct {
	ID        string    `json:"id"`
	TicketID  string    `json:"ticket_id"`
	Creator   string    `json:"creator"`
	Content   string    `json:"content"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at,omitzero"`
	Internal  bool      `json:"-"`
}

// NewComment asks for a comment.
type NewComment struct {
	Content string `json:"content"` // Markdown
	// Internal ones are never shown to customers; an error where the provider
	// cannot.
	Internal bool `json:"internal,omitempty"`
	// Creator is who wrote it, an e-mail address; where the provider does not take
	// that, its client writes it into the text.
	Creator string `json:"creator,omitempty"`
	// Operation identifies the comment across retries (Marker.Operation's kin).
	Operation string `json:"-"`
	// UnlessClosedBefore refuses, with kind Closed, to comment on a ticket that
	// was closed before this time. Zero: the ticket's state does not matter.
	UnlessClosedBefore time.Time `json:"-"`
}

// Marker is what a ticket carries so that it is found again.
type Marker struct {
	// Key is the same for all tickets of one match key: the 26 characters that
	// end the id of its MatchEvents workflow.
	Key string
	// Request is the request's id; with it the marker names exactly one ticket.
	Request int64
	// Operation identifies the one act of creating, made from business facts
	// (integration, match key, creating event).
	Operation string
}

// Attempt tells a search for a lost create or comment how far to look back.
type Attempt struct {
	// FirstScheduledAt is when the operation was first given to the provider's
	// queue; nothing of it can be older.
	FirstScheduledAt time.Time
}
