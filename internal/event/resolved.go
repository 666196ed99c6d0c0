package event

import "time"

// Policy says what makes two events belong to one ticket.
type Policy string

const (
	// PolicyEvent is the Events API's: same source, service instance and CI (or
	// same subject, note, source and requester) within 24 hours of creation.
	PolicyEvent Policy = "event"
	// PolicyTicket is for feeds whose events belong to a ticket elsewhere: one
	// request per foreign ticket for as long as it is open.
	PolicyTicket Policy = "ticket"
)

// Key is the canonical match key. Its members are normalised when it is made
// (source in lower case, note with its ends trimmed); equal keys are equal structs.
type Key struct {
	Policy Policy `json:"policy"`
	// Account, Source: both forms of the event policy.
	Account string `json:"account,omitempty"`
	Source  string `json:"source,omitempty"`
	// ServiceInstance, CI: ids, the event policy's form with a CI.
	ServiceInstance int64 `json:"service_instance,omitempty"`
	CI              int64 `json:"ci,omitempty"`
	// RequestedFor, Subject, Note: the event policy's form without a CI.
	RequestedFor int64  `json:"requested_for,omitempty"`
	Subject      string `json:"subject,omitempty"`
	Note         string `json:"note,omitempty"`
	// Feed, ForeignTicket: the ticket policy.
	Feed          string `json:"feed,omitempty"`
	ForeignTicket string `json:"foreign_ticket,omitempty"`
}

// Ref names a record of the catalog. A zero ID means none.
type Ref struct {
	ID    int64  `json:"id"`
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
}

// Fields are the fields of a request. Empty text, zero Refs and zero times mean empty.
type Fields struct {
	Subject             string    `json:"subject,omitempty"`
	Category            string    `json:"category,omitempty"`
	Impact              string    `json:"impact,omitempty"`
	Status              string    `json:"status,omitempty"`
	CompletionReason    string    `json:"completion_reason,omitempty"`
	Account             string    `json:"account,omitempty"`
	Source              string    `json:"source,omitempty"`
	SourceID            string    `json:"sourceID,omitempty"`
	CI                  Ref       `json:"ci,omitzero"`
	ServiceInstance     Ref       `json:"service_instance,omitzero"`
	Team                Ref       `json:"team,omitzero"`
	Member              Ref       `json:"member,omitzero"`
	CreatedBy           Ref       `json:"created_by,omitzero"`
	RequestedBy         Ref       `json:"requested_by,omitzero"`
	RequestedFor        Ref       `json:"requested_for,omitzero"`
	Supplier            Ref       `json:"supplier,omitzero"`
	SupplierRequestID   string    `json:"supplier_requestID,omitempty"`
	Problem             Ref       `json:"problem,omitzero"`
	Workflow            Ref       `json:"workflow,omitzero"`
	Template            Ref       `json:"template,omitzero"`
	DesiredCompletionAt time.Time `json:"desired_completion_at,omitzero"`
	WaitingUntil        time.Time `json:"waiting_until,omitzero"`
	DowntimeStartAt     time.Time `json:"downtime_start_at,omitzero"`
	DowntimeEndAt       time.Time `json:"downtime_end_at,omitzero"`
	// CustomFields is the parameter's JSON text, an array of {id, value}.
	CustomFields string `json:"custom_fields,omitempty"`
}

// Changes are new values for the fields that an event may change on a request
// that exists: the Events API's ten (member and team by name or id count as
// one), and the subject under the ticket policy. Nil means no change.
type Changes struct {
	Subject             *string    `json:"subject,omitempty"`
	Status              *string    `json:"status,omitempty"`
	CompletionReason    *string    `json:"completion_reason,omitempty"`
	Team                *Ref       `json:"team,omitempty"`
	Member              *Ref       `json:"member,omitempty"`
	DesiredCompletionAt *time.Time `json:"desired_completion_at,omitempty"`
	WaitingUntil        *time.Time `json:"waiting_until,omitempty"`
	DowntimeStartAt     *time.Time `json:"downtime_start_at,omitempty"`
	DowntimeEndAt       *time.Time `json:"downtime_end_at,omitempty"`
}

// Empty reports whether nothing changes.
func (c Changes) Empty() bool { return c == Changes{} }

// Resolved is an event after the catalog and the defaults were applied: all
// that deciding needs, so that deciding needs no catalog.
type Resolved struct {
	Key Key `json:"key"`
	// Fields are those of the request that the event would create.
	Fields Fields `json:"fields"`
	// Changes are the valid new values the event has for a request that exists.
	Changes Changes `json:"changes,omitzero"`
	// Note is the public note, InternalNote the internal one; as given.
	Note         string `json:"note,omitempty"`
	InternalNote string `json:"internal_note,omitempty"`
	// Foreign is set under the ticket policy.
	Foreign *Foreign `json:"foreign,omitempty"`
	// CreateErrors say why the event cannot create a request (it may still
	// match one): pairs of field and text, as R-Service's 422 answers have them.
	CreateErrors [][2]string `json:"create_errors,omitempty"`
	// ApplyOnRepeat and IgnoreOrphanRecovery are the options of the rules that
	// were in force when the event was resolved.
	ApplyOnRepeat        bool `json:"apply_on_repeat,omitempty"`
	IgnoreOrphanRecovery bool `json:"ignore_orphan_recovery,omitempty"`
	// Warnings tell what was given but not found, e.g. an unknown CI.
	Warnings []string `json:"warnings,omitempty"`
}

// Outcome is the recorded decision about an event.
type Outcome string

const (
	Created   Outcome = "created"
	Updated   Outcome = "updated"
	Unchanged Outcome = "unchanged"
	Rejected  Outcome = "rejected"
	// Decided: how is forgotten, after hundreds of further events.
	Decided Outcome = "decided"
)

// Status is the HTTP status that tells the outcome in the Events API.
func (o Outcome) Status() int {
	switch o {
	case Created:
		return 201
	case Rejected:
		return 422
	default:
		return 200
	}
}
