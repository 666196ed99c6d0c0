package httpapi

import (
	"time"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// The envelopes of the unified ticketing API. A cursor that is empty is the end.
type (
	ticketList struct {
		Result []ticket.Ticket `json:"result"`
		Cursor string          `json:"cursor" doc:"Where the next page begins; empty at the end."`
	}
	ticketAnswer struct {
		Result ticket.Ticket `json:"result"`
		warned
	}
	commentList struct {
		Result []ticket.Comment `json:"result"`
	}
	noteList struct {
		Result []ticket.Note `json:"result"`
	}
	projectList struct {
		Result []ticket.Project `json:"result"`
		Cursor string           `json:"cursor" doc:"Where the next page begins; empty at the end."`
	}
	attachmentList struct {
		Result []attachmentMetadata `json:"result"`
	}
	attachmentAnswer struct {
		Result attachmentContent `json:"result"`
	}
	remoteFieldList struct {
		Result []remoteField `json:"result"`
	}
	policyList struct {
		Result []escalationPolicy `json:"result"`
		Cursor string             `json:"cursor" doc:"Where the next page begins; empty at the end."`
	}
	onCallList struct {
		Result []ticket.Agent `json:"result"`
	}
)

// attachmentMetadata is a file of a ticket.
type attachmentMetadata struct {
	ID          string         `json:"id"`
	TicketID    string         `json:"ticket_id"`
	FileName    string         `json:"file_name"`
	FileType    string         `json:"file_type"`
	FileSize    *int64         `json:"file_size,omitempty" doc:"In bytes."`
	CreatedDate time.Time      `json:"created_date"`
	Creator     string         `json:"creator"`
	Unmapped    map[string]any `json:"unmapped,omitempty"`
}

func metadataOf(a ticket.Attachment) attachmentMetadata {
	m := attachmentMetadata{
		ID: a.ID, TicketID: a.TicketID, FileName: a.FileName, FileType: a.FileType,
		CreatedDate: a.CreatedAt, Creator: a.Creator, Unmapped: a.Unmapped,
	}
	if a.Size >= 0 {
		m.FileSize = &a.Size
	}
	return m
}

// attachmentContent is a file with its content.
type attachmentContent struct {
	FileName string `json:"file_name"`
	FileType string `json:"file_type"`
	Content  string `json:"content" doc:"The bytes in base64."`
}

// remoteField is a field that tickets have at the provider.
type remoteField struct {
	FieldID           string            `json:"field_id"`
	FieldScope        string            `json:"field_scope"`
	ProviderFieldName string            `json:"provider_field_name"`
	ProviderFieldPath string            `json:"provider_field_path,omitempty"`
	ProjectID         string            `json:"project_id,omitempty"`
	Schema            remoteFieldSchema `json:"schema"`
}

// remoteFieldSchema has a member with a capital letter because the connector has.
type remoteFieldSchema struct {
	FieldTypeID      string              `json:"field_type_id" doc:"string, number, enum or other"`
	FieldType        string              `json:"field_Type,omitempty" doc:"The provider's own word."`
	EnumValues       []string            `json:"enum_values,omitempty"`
	EnumOptionValues []remoteFieldOption `json:"enum_option_values,omitempty"`
}

type remoteFieldOption struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func remoteFieldOf(f ticket.RemoteField) remoteField {
	out := remoteField{
		FieldID: f.ID, FieldScope: f.Scope, ProviderFieldName: f.Name, ProviderFieldPath: f.Path, ProjectID: f.Project,
		Schema: remoteFieldSchema{FieldTypeID: f.Type, FieldType: f.NativeType},
	}
	for _, o := range f.Options {
		out.Schema.EnumValues = append(out.Schema.EnumValues, o.Name)
		out.Schema.EnumOptionValues = append(out.Schema.EnumOptionValues, remoteFieldOption{o.ID, o.Name})
	}
	return out
}

// escalationPolicy says who is told, and who next.
type escalationPolicy struct {
	ID          string           `json:"id"`
	Name        string           `json:"name,omitempty"`
	Description string           `json:"description,omitempty"`
	Rules       []escalationRule `json:"rules"`
	Unmapped    map[string]any   `json:"unmapped,omitempty"`
}

type escalationRule struct {
	ID           string            `json:"id,omitempty"`
	DelaySeconds int               `json:"delay_seconds"`
	Actors       []escalationActor `json:"actors"`
}

// escalationActor is one of the connector's union; type says which members count.
type escalationActor struct {
	Type                 string `json:"type" doc:"agent, agent_summary, group_summary or schedule_summary"`
	ID                   string `json:"id,omitempty"`
	UID                  string `json:"uid,omitempty"`
	Name                 string `json:"name,omitempty"`
	FullName             string `json:"full_name,omitempty"`
	EmailAddr            string `json:"email_addr,omitempty"`
	PhoneNumber          string `json:"phone_number,omitempty"`
	TimeZone             string `json:"time_zone,omitempty"`
	JobTitle             string `json:"job_title,omitempty"`
	AdditionalProperties bool   `json:"additional_properties" doc:"The provider could tell more."`
}

func policyOf(p ticket.EscalationPolicy) escalationPolicy {
	out := escalationPolicy{ID: p.ID, Name: p.Name, Description: p.Description, Rules: []escalationRule{}, Unmapped: p.Unmapped}
	for _, rule := range p.Rules {
		r := escalationRule{ID: rule.ID, DelaySeconds: int(rule.Delay.Seconds()), Actors: []escalationActor{}}
		for _, actor := range rule.Actors {
			r.Actors = append(r.Actors, actorOf(actor))
		}
		out.Rules = append(out.Rules, r)
	}
	return out
}

func actorOf(a ticket.Actor) escalationActor {
	switch {
	case a.Agent != nil:
		g := a.Agent
		return escalationActor{
			Type: ticket.ActorAgent, UID: g.ID, FullName: g.FullName, EmailAddr: g.Email,
			PhoneNumber: g.Phone, TimeZone: g.TimeZone, JobTitle: g.JobTitle,
		}
	case a.Kind == ticket.ActorAgent:
		return escalationActor{Type: "agent_summary", ID: a.ID, Name: a.Name}
	default:
		return escalationActor{Type: a.Kind, ID: a.ID, Name: a.Name}
	}
}
