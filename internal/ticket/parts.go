package ticket

import (
	"io"
	"time"
)

// Note on a ticket: with a title, and for agents only where the provider can.
type Note struct {
	ID        string    `json:"id"`
	TicketID  string    `json:"ticket_id"`
	Title     string    `json:"title"`
	Content   string    `json:"content"`
	Creator   string    `json:"creator"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at,omitzero"`
	// Unmapped are provider attributes that have no place in the model.
	Unmapped map[string]any `json:"unmapped,omitempty"`
}

// NewNote asks for a note.
type NewNote struct {
	Title   string `json:"title,omitempty"`
	Content string `json:"content"` // Markdown
	// Operation identifies the note across retries.
	Operation string `json:"-"`
}

// NotePatch sets members of a note; nil leaves one as it is.
type NotePatch struct {
	Title   *string `json:"title,omitempty"`
	Content *string `json:"content,omitempty"`
}

// Attachment describes a file of a ticket. Size is -1 where the provider does
// not say.
type Attachment struct {
	// The names are those under which outcomes of writes are kept.
	ID        string         `json:"ID"`
	TicketID  string         `json:"TicketID"`
	FileName  string         `json:"FileName"`
	FileType  string         `json:"FileType"`
	Creator   string         `json:"Creator"`
	CreatedAt time.Time      `json:"CreatedAt"`
	Size      int64          `json:"Size"`
	Unmapped  map[string]any `json:"Unmapped"`
}

// NewAttachment asks for a file of a ticket.
type NewAttachment struct {
	FileName string
	// FileType is a media type; empty lets the name decide.
	FileType string
	// Open gives the content from its beginning, for every attempt anew; Size is
	// its length in bytes.
	Open func() (io.ReadCloser, error)
	Size int64
	// Operation identifies the attachment across retries.
	Operation string
}

// Download is a file as it comes from the provider; who asked closes Body.
type Download struct {
	Attachment
	Body io.ReadCloser
}

// Project is where tickets are: a Jira project, a ServiceNow table, a service.
type Project struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Unmapped are provider attributes that have no place in the model.
	Unmapped map[string]any `json:"unmapped,omitempty"`
}

// Scopes of a RemoteField.
const (
	ScopeStandard          = "standard"
	ScopeIntegrationCustom = "integration_custom"
	ScopeProjectCustom     = "project_custom"
	ScopeTicketCustom      = "ticket_custom"
	ScopeUnknown           = "unknown"
)

// Types of a RemoteField's values.
const (
	FieldString = "string"
	FieldNumber = "number"
	FieldEnum   = "enum"
	FieldOther  = "other"
)

// RemoteField is a field that tickets have at the provider.
type RemoteField struct {
	ID   string
	Name string
	// Scope is one of the Scope constants, Project the one that it belongs to.
	Scope   string
	Project string
	// Path is where a custom field mapping finds it.
	Path string
	// Type is one of the Field constants, NativeType the provider's own word.
	Type       string
	NativeType string
	Required   bool
	Options    []FieldOption
}

// FieldOption is a value that an enum field can have.
type FieldOption struct {
	ID   string
	Name string
}

// EscalationPolicy says who is told, and who next when nobody answers.
type EscalationPolicy struct {
	ID          string
	Name        string
	Description string
	Rules       []EscalationRule
	Unmapped    map[string]any
}

// EscalationRule tells Actors after Delay.
type EscalationRule struct {
	ID     string
	Delay  time.Duration
	Actors []Actor
}

// Kinds of an Actor.
const (
	ActorAgent    = "agent"
	ActorGroup    = "group_summary"
	ActorSchedule = "schedule_summary"
)

// Actor is who a rule tells.
type Actor struct {
	Kind string
	ID   string
	Name string
	// Agent is set where the provider tells more than a name.
	Agent *Agent
}

// Agent is a person on call.
type Agent struct {
	ID       string         `json:"uid"`
	FullName string         `json:"full_name"`
	Email    string         `json:"email_addr,omitempty"`
	Phone    string         `json:"phone_number,omitempty"`
	TimeZone string         `json:"time_zone,omitempty"`
	JobTitle string         `json:"job_title,omitempty"`
	Unmapped map[string]any `json:"unmapped,omitempty"`
}
