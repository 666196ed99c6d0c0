package httpapi

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
)

// request is a request in R-Service's shape: the fields of the Events API
// page's example and those of recorded answers. Fields that ticketbridge has no
// value for are null, or the value that a new request has where clients read
// into a type without null. There is no member "message": clients take it for
// an error.
type request struct {
	Addressed                   bool                 `json:"addressed"`
	AgileBoard                  any                  `json:"agile_board"`
	AgileBoardColumn            any                  `json:"agile_board_column"`
	AgileBoardColumnPosition    any                  `json:"agile_board_column_position"`
	AssignmentCount             int                  `json:"assignment_count"`
	Attachments                 []any                `json:"attachments"`
	Category                    *string              `json:"category"`
	Change                      *subjectReference    `json:"change" doc:"Older name of workflow."`
	CI                          *reference           `json:"ci"`
	CIID                        *int64               `json:"ci_id"`
	ClosureCode                 any                  `json:"closure_code"`
	CompletedAt                 *time.Time           `json:"completed_at"`
	CompletionReason            *string              `json:"completion_reason"`
	CreatedAt                   time.Time            `json:"created_at"`
	CreatedBy                   *reference           `json:"created_by"`
	CustomData                  any                  `json:"custom_data"`
	CustomFields                json.RawMessage      `json:"custom_fields" doc:"Array of {id, value}."`
	DesiredCompletionAt         *time.Time           `json:"desired_completion_at"`
	DowntimeEndAt               *time.Time           `json:"downtime_end_at"`
	DowntimeStartAt             *time.Time           `json:"downtime_start_at"`
	Feedback                    any                  `json:"feedback"`
	GroupedInto                 any                  `json:"grouped_into"`
	Grouping                    string               `json:"grouping"`
	ID                          int64                `json:"id"`
	Impact                      *string              `json:"impact"`
	KnowledgeArticle            any                  `json:"knowledge_article"`
	MajorIncidentStatus         any                  `json:"major_incident_status"`
	Member                      *reference           `json:"member"`
	NewAssignment               bool                 `json:"new_assignment"`
	NextTargetAt                string               `json:"next_target_at"`
	NodeID                      string               `json:"nodeID"`
	Organization                any                  `json:"organization"`
	PlannedEffort               any                  `json:"planned_effort"`
	Problem                     *subjectReference    `json:"problem"`
	ProductBacklog              any                  `json:"product_backlog"`
	ProductBacklogEstimate      any                  `json:"product_backlog_estimate"`
	ProductBacklogPosition      any                  `json:"product_backlog_position"`
	Project                     any                  `json:"project"`
	ProviderNotAccountable      bool                 `json:"provider_not_accountable"`
	ProviderWasNotAccountable   bool                 `json:"provider_was_not_accountable"`
	ReopenCount                 int                  `json:"reopen_count"`
	RequestedBy                 *reference           `json:"requested_by"`
	RequestedFor                *reference           `json:"requested_for"`
	RequesterResolutionTargetAt *time.Time           `json:"requester_resolution_target_at"`
	Reservation                 any                  `json:"reservation"`
	ResolutionDuration          any                  `json:"resolution_duration"`
	ResolutionTargetAt          *time.Time           `json:"resolution_target_at"`
	ResponseTargetAt            *time.Time           `json:"response_target_at"`
	Reviewed                    bool                 `json:"reviewed"`
	RFCType                     any                  `json:"rfc_type"`
	Satisfaction                any                  `json:"satisfaction"`
	ServiceInstance             *reference           `json:"service_instance"`
	Source                      *string              `json:"source"`
	SourceID                    *string              `json:"sourceID"`
	Status                      *string              `json:"status"`
	Subject                     *string              `json:"subject"`
	Supplier                    *reference           `json:"supplier"`
	SupplierRequestID           *string              `json:"supplier_requestID"`
	Task                        any                  `json:"task"`
	Team                        *reference           `json:"team"`
	Template                    *subjectReference    `json:"template"`
	Ticket                      *contract.TicketView `json:"ticket" doc:"The request's ticket at the provider; null until it exists. Not part of R-Service."`
	UpdatedAt                   time.Time            `json:"updated_at"`
	Urgent                      bool                 `json:"urgent"`
	WaitingUntil                *time.Time           `json:"waiting_until"`
	Workflow                    *subjectReference    `json:"workflow"`
}

// reference names a record by id and name.
type reference struct {
	ID     int64   `json:"id"`
	Name   *string `json:"name"`
	NodeID string  `json:"nodeID"`
}

// subjectReference names a record that has a subject rather than a name.
type subjectReference struct {
	ID      int64   `json:"id"`
	Subject *string `json:"subject"`
	NodeID  string  `json:"nodeID"`
}

// requestOf puts a request into R-Service's shape.
func requestOf(v contract.RequestView) request {
	f := v.Fields
	workflow := subjectRef("Workflow", f.Workflow)
	return request{
		Attachments:         []any{},
		AssignmentCount:     assignments(f),
		Category:            orNull(f.Category),
		Change:              workflow,
		CI:                  ref("Ci", f.CI),
		CIID:                idOrNull(f.CI.ID),
		CompletedAt:         second(v.CompletedAt),
		CompletionReason:    orNull(f.CompletionReason),
		CreatedAt:           *secondOf(v.CreatedAt),
		CreatedBy:           ref("Person", f.CreatedBy),
		CustomFields:        rawOrNull(f.CustomFields),
		DesiredCompletionAt: second(f.DesiredCompletionAt),
		DowntimeEndAt:       second(f.DowntimeEndAt),
		DowntimeStartAt:     second(f.DowntimeStartAt),
		Grouping:            "none",
		ID:                  v.ID,
		Impact:              orNull(f.Impact),
		Member:              ref("Person", f.Member),
		NewAssignment:       f.Status == "assigned" || f.Status == "declined",
		NextTargetAt:        "no_target",
		NodeID:              nodeID("Req", v.ID),
		Problem:             subjectRef("Problem", f.Problem),
		RequestedBy:         ref("Person", f.RequestedBy),
		RequestedFor:        ref("Person", f.RequestedFor),
		ServiceInstance:     ref("ServiceInstance", f.ServiceInstance),
		Source:              orNull(f.Source),
		SourceID:            orNull(f.SourceID),
		Status:              orNull(f.Status),
		Subject:             orNull(f.Subject),
		Supplier:            ref("Organization", f.Supplier),
		SupplierRequestID:   orNull(f.SupplierRequestID),
		Team:                ref("Team", f.Team),
		Template:            subjectRef("RequestTemplate", f.Template),
		Ticket:              v.Ticket,
		UpdatedAt:           *secondOf(v.UpdatedAt),
		WaitingUntil:        second(f.WaitingUntil),
		Workflow:            workflow,
	}
}

func assignments(f event.Fields) int {
	if f.Team == (event.Ref{}) {
		return 0
	}
	return 1
}

// ref is a record of the catalog. A record that the catalog does not list is
// known by its name only and has the id 0, because clients read ids into numbers.
func ref(kind string, r event.Ref) *reference {
	name := cmp.Or(r.Name, r.Email)
	switch {
	case r.ID != 0:
		return &reference{ID: r.ID, Name: orNull(name), NodeID: nodeID(kind, r.ID)}
	case name != "":
		return &reference{Name: &name, NodeID: nodeIDOf(kind, name)}
	default:
		return nil
	}
}

func subjectRef(kind string, r event.Ref) *subjectReference {
	if r.ID == 0 {
		return nil
	}
	return &subjectReference{ID: r.ID, Subject: orNull(r.Name), NodeID: nodeID(kind, r.ID)}
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func idOrNull(id int64) *int64 {
	if id == 0 {
		return nil
	}
	return &id
}

// rawOrNull is a JSON text as it is; the vendor's clients expect an array.
func rawOrNull(text string) json.RawMessage {
	if !strings.HasPrefix(strings.TrimSpace(text), "[") || !json.Valid([]byte(text)) {
		return json.RawMessage("null")
	}
	return json.RawMessage(text)
}

// second is a time as R-Service tells it, without fractions; null for none.
func second(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return secondOf(t)
}

func secondOf(t time.Time) *time.Time {
	t = t.UTC().Truncate(time.Second)
	return &t
}

// nodePrefix stands where R-Service's node ids have the host.
const nodePrefix = "ticketbridge/"

// nodeID is an opaque second id, made like R-Service's: kind and id in base64url.
func nodeID(kind string, id int64) string {
	return nodeIDOf(kind, strconv.FormatInt(id, 10))
}

func nodeIDOf(kind, id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(nodePrefix + kind + "/" + id))
}

// requestID reads a request's number or its nodeID.
func requestID(text string) (int64, bool) {
	if id, err := strconv.ParseInt(text, 10, 64); err == nil && id > 0 {
		return id, true
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return 0, false
	}
	number, found := strings.CutPrefix(string(data), nodePrefix+"Req/")
	if !found {
		return 0, false
	}
	id, err := strconv.ParseInt(number, 10, 64)
	return id, err == nil && id > 0
}
