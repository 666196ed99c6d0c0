package matching

import (
	"cmp"
	"encoding/json"
	"strconv"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/event"
)

// Line tells one field of a request that has no place of its own at a ticket.
type Line struct {
	// Field is the parameter's name, "custom_fields.<id>" for a custom field.
	Field string
	// Label is the field's name for people.
	Label string
	Value string
}

// Text is the line as a ticket shows it.
func (l Line) Text() string { return l.Label + ": " + l.Value }

// Describe tells the fields of a request that have no place of their own at a ticket.
func Describe(f event.Fields) []Line {
	var l lines
	l.ref("ci", "Configuration item", f.CI)
	l.ref("service_instance", "Service instance", f.ServiceInstance)
	l.text("source", "Source", f.Source)
	l.text("sourceID", "Source ID", f.SourceID)
	l.text("account", "Account", f.Account)
	l.text("category", "Category", f.Category)
	l.ref("team", "Team", f.Team)
	l.unassignable(f.Member)
	l.ref("requested_by", "Requested by", f.RequestedBy)
	if !sameRecord(f.RequestedFor, f.RequestedBy) {
		l.ref("requested_for", "Requested for", f.RequestedFor)
	}
	l.ref("supplier", "Supplier", f.Supplier)
	l.text("supplier_requestID", "Supplier's request", f.SupplierRequestID)
	l.ref("problem", "Problem", f.Problem)
	l.ref("workflow", "Workflow", f.Workflow)
	l.ref("template", "Template", f.Template)
	l.time("waiting_until", "Waiting until", f.WaitingUntil)
	l.time("downtime_start_at", "Downtime start", f.DowntimeStartAt)
	l.time("downtime_end_at", "Downtime end", f.DowntimeEndAt)
	if fields, err := parseCustomFields(f.CustomFields); err == nil {
		for _, field := range fields {
			id := oneLine(valueText(field.ID))
			l.text("custom_fields."+id, id, valueText(field.Value))
		}
	}
	return l
}

// DescribeChanges tells the changes that have no place of their own at a ticket.
func DescribeChanges(c event.Changes) []Line {
	var l lines
	if c.Team != nil {
		l.ref("team", "Team", *c.Team)
	}
	if c.Member != nil {
		l.unassignable(*c.Member)
	}
	if c.WaitingUntil != nil {
		l.time("waiting_until", "Waiting until", *c.WaitingUntil)
	}
	if c.DowntimeStartAt != nil {
		l.time("downtime_start_at", "Downtime start", *c.DowntimeStartAt)
	}
	if c.DowntimeEndAt != nil {
		l.time("downtime_end_at", "Downtime end", *c.DowntimeEndAt)
	}
	return l
}

type lines []Line

func (l *lines) text(field, label, text string) {
	if text != "" {
		*l = append(*l, Line{Field: field, Label: label, Value: oneLine(text)})
	}
}

func (l *lines) time(field, label string, at time.Time) {
	if !at.IsZero() {
		l.text(field, label, at.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
}

func (l *lines) ref(field, label string, ref event.Ref) {
	text := cmp.Or(ref.Name, ref.Email)
	if text == "" && ref.ID != 0 {
		text = strconv.FormatInt(ref.ID, 10)
	}
	l.text(field, label, text)
}

// unassignable is a member without an e-mail address, by which a ticket would
// be assigned.
func (l *lines) unassignable(member event.Ref) {
	if member.Email == "" {
		l.ref("member", "Member", member)
	}
}

// FieldValues are all fields of a request by parameter name, references as ids
// (as e-mail address or name where there is no id), empty ones nil.
func FieldValues(f event.Fields) map[string]any {
	return map[string]any{
		"subject": orNil(f.Subject), "category": orNil(f.Category), "impact": orNil(f.Impact),
		"status": orNil(f.Status), "completion_reason": orNil(f.CompletionReason),
		"account": orNil(f.Account), "source": orNil(f.Source), "sourceID": orNil(f.SourceID),
		"ci": refValue(f.CI), "service_instance": refValue(f.ServiceInstance),
		"team": refValue(f.Team), "member": refValue(f.Member), "created_by": refValue(f.CreatedBy),
		"requested_by": refValue(f.RequestedBy), "requested_for": refValue(f.RequestedFor),
		"supplier": refValue(f.Supplier), "supplier_requestID": orNil(f.SupplierRequestID),
		"problem": refValue(f.Problem), "workflow": refValue(f.Workflow), "template": refValue(f.Template),
		"desired_completion_at": timeValue(f.DesiredCompletionAt), "waiting_until": timeValue(f.WaitingUntil),
		"downtime_start_at": timeValue(f.DowntimeStartAt), "downtime_end_at": timeValue(f.DowntimeEndAt),
		"custom_fields": customFieldsValue(f.CustomFields),
	}
}

// Changed are the fields that the event changes, as FieldValues has them.
func (d Decision) Changed() map[string]any {
	out := map[string]any{}
	for name, text := range map[string]*string{
		"subject": d.Changes.Subject, "status": d.Changes.Status, "completion_reason": d.Changes.CompletionReason,
	} {
		if text != nil {
			out[name] = orNil(*text)
		}
	}
	for name, ref := range map[string]*event.Ref{"team": d.Changes.Team, "member": d.Changes.Member} {
		if ref != nil {
			out[name] = refValue(*ref)
		}
	}
	for name, at := range map[string]*time.Time{
		"desired_completion_at": d.Changes.DesiredCompletionAt, "waiting_until": d.Changes.WaitingUntil,
		"downtime_start_at": d.Changes.DowntimeStartAt, "downtime_end_at": d.Changes.DowntimeEndAt,
	} {
		if at != nil {
			out[name] = timeValue(*at)
		}
	}
	return out
}

func orNil(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func refValue(ref event.Ref) any {
	if ref.ID != 0 {
		return ref.ID
	}
	return orNil(cmp.Or(ref.Email, ref.Name))
}

func timeValue(at time.Time) any {
	if at.IsZero() {
		return nil
	}
	return at.UTC().Format(time.RFC3339Nano)
}

func customFieldsValue(text string) any {
	if text == "" {
		return nil
	}
	return json.RawMessage(text)
}
