package matching

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/event"
)

// Describe tells the fields of a request that have no place of their own at a
// ticket, one line each.
func Describe(f event.Fields) []string {
	var l lines
	l.ref("Configuration item", f.CI)
	l.ref("Service instance", f.ServiceInstance)
	source := f.Source
	if f.SourceID != "" {
		source = strings.TrimSpace(fmt.Sprintf("%s (%s)", f.Source, f.SourceID))
	}
	l.text("Source", source)
	l.text("Account", f.Account)
	l.text("Category", f.Category)
	l.ref("Team", f.Team)
	l.ref("Requested by", f.RequestedBy)
	if !sameRecord(f.RequestedFor, f.RequestedBy) {
		l.ref("Requested for", f.RequestedFor)
	}
	l.ref("Supplier", f.Supplier)
	l.text("Supplier's request", f.SupplierRequestID)
	l.ref("Problem", f.Problem)
	l.ref("Workflow", f.Workflow)
	l.ref("Template", f.Template)
	l.time("Waiting until", f.WaitingUntil)
	l.time("Downtime start", f.DowntimeStartAt)
	l.time("Downtime end", f.DowntimeEndAt)
	if fields, err := parseCustomFields(f.CustomFields); err == nil {
		for _, field := range fields {
			l.text(valueText(field.ID), valueText(field.Value))
		}
	}
	return l
}

// DescribeChanges tells the changes that have no place of their own at a
// ticket, one line each.
func DescribeChanges(c event.Changes) []string {
	var l lines
	if c.Team != nil {
		l.ref("Team", *c.Team)
	}
	for _, moment := range []struct {
		name string
		at   *time.Time
	}{
		{"Waiting until", c.WaitingUntil}, {"Downtime start", c.DowntimeStartAt}, {"Downtime end", c.DowntimeEndAt},
	} {
		if moment.at != nil {
			l.time(moment.name, *moment.at)
		}
	}
	return l
}

type lines []string

func (l *lines) text(name, text string) {
	if text != "" {
		*l = append(*l, oneLine(name)+": "+oneLine(text))
	}
}

func (l *lines) time(name string, at time.Time) {
	if !at.IsZero() {
		l.text(name, at.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
}

func (l *lines) ref(name string, ref event.Ref) {
	text := firstText(ref.Name, ref.Email)
	if text == "" && ref.ID != 0 {
		text = fmt.Sprintf("%d", ref.ID)
	}
	l.text(name, text)
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
	return orNil(firstText(ref.Email, ref.Name))
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
