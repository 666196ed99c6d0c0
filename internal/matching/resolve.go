package matching

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/catalog"
	"github.com/ticketbridge/ticketbridge/internal/event"
)

// values are parameters after cleaning: only known names, no empty text.
type values map[string]string

// resolver holds one event while the rules are applied to it.
type resolver struct {
	ix      *catalog.Index
	options Options
	me      catalog.Person
	account string

	given    values // what the event says
	template values // what its template says; given wins
	out      event.Resolved
	errs     [][2]string
}

// Resolve applies the catalog and the defaults to an event's parameters. What
// is merely not found costs a warning and the default, so that no alert is lost
// for it; a value that no default can stand in for is an *Invalid. Errors that
// only matter if the event creates a request are in the answer's CreateErrors.
func (o Options) Resolve(ix *catalog.Index, as Caller, p event.Params) (event.Resolved, error) {
	r := &resolver{ix: ix, options: o, given: clean(p)}
	r.me = currentUser(ix, as)
	r.account = cmp.Or(r.given["support_domain"], as.Account, ix.Account())
	r.cutLongTexts()

	template := r.findTemplate()
	r.people()
	r.texts()
	ci := r.findCI()
	instance := r.findServiceInstance(ci)
	r.classify(template, instance)
	r.assign(template, instance)
	r.related()
	r.checkCreate()
	if len(r.errs) > 0 {
		return event.Resolved{}, &Invalid{Errors: r.errs}
	}
	r.out.Key = EventKey(r.out.Fields, r.out.Note)
	return r.out, nil
}

// clean keeps the known parameters, without outer blanks. The texts of notes
// stay as given; a blank one is absent.
func clean(p event.Params) values {
	out := values{}
	for _, name := range parameterNames() {
		text := valid(p[name])
		trimmed := strings.TrimSpace(text)
		switch {
		case trimmed == "":
		case name == "note" || name == "internal_note":
			out[name] = text
		default:
			out[name] = trimmed
		}
	}
	if out["sourceID"] == "" && out["source_id"] != "" {
		out["sourceID"] = out["source_id"]
	}
	delete(out, "source_id")
	return out
}

// Parameters are the names of the Events API's parameters.
func Parameters() []string { return parameterNames() }

func parameterNames() []string {
	return []string{
		"category", "ci", "ci_id", "ci_source", "ci_sourceID", "completion_reason", "custom_fields",
		"desired_completion_at", "downtime_end_at", "downtime_start_at", "impact", "internal_note",
		"member", "member_id", "note", "problem_id", "requested_by", "requested_by_id",
		"requested_for", "requested_for_id", "service_instance", "service_instance_id", "source",
		"sourceID", "source_id", "status", "subject", "supplier", "supplier_id", "supplier_requestID",
		"support_domain", "team", "team_id", "template_id", "waiting_until", "workflow_id",
	}
}

func (r *resolver) cutLongTexts() {
	for _, limit := range []struct {
		name       string
		characters int
	}{{"source", maxSource}, {"sourceID", maxSourceID}, {"subject", maxSubject}, {"supplier_requestID", maxSourceID}} {
		text, cut := cutCharacters(r.given[limit.name], limit.characters)
		if cut {
			r.warn("%s: cut at %d characters", limit.name, limit.characters)
			r.given[limit.name] = strings.TrimSpace(text)
		}
	}
	for _, name := range []string{"note", "internal_note"} {
		text, cut := cutNote(r.given[name])
		if cut {
			r.warn("%s: cut at 64 KB", name)
			r.given[name] = text
		}
	}
}

// texts sets the fields that are only stored.
func (r *resolver) texts() {
	f := &r.out.Fields
	f.Account = r.account
	f.Subject = r.value("subject")
	f.Source = cmp.Or(r.value("source"), "Event")
	f.SourceID = r.value("sourceID")
	f.SupplierRequestID = r.value("supplier_requestID")
	r.out.Note = r.given["note"]
	r.out.InternalNote = r.given["internal_note"]

	f.DesiredCompletionAt, r.out.Changes.DesiredCompletionAt = r.time("desired_completion_at")
	f.WaitingUntil, r.out.Changes.WaitingUntil = r.time("waiting_until")
	f.DowntimeStartAt, r.out.Changes.DowntimeStartAt = r.time("downtime_start_at")
	f.DowntimeEndAt, r.out.Changes.DowntimeEndAt = r.time("downtime_end_at")

	if text := r.value("custom_fields"); text != "" {
		if err := checkCustomFields(text); err != nil {
			r.warn("custom_fields: %v; left out", err)
		} else {
			f.CustomFields = text
		}
	}
}

// classify settles category, impact, status and completion reason.
func (r *resolver) classify(template *catalog.Template, instance *catalog.ServiceInstance) {
	f := &r.out.Fields
	f.Category, _ = r.enum("category")
	if f.Category == "" {
		f.Category = "other"
		if instance != nil {
			f.Category = "incident"
		}
	}
	f.Impact, _ = r.enum("impact")
	if f.Impact == "" && f.Category == "incident" {
		f.Impact = "top"
	}
	f.Status, r.out.Changes.Status = r.enum("status")
	if f.Status == "" {
		f.Status = statusAssigned
		if template != nil && template.WorkflowTemplate != nil {
			f.Status = statusWorkflowPending
		}
	}
	f.CompletionReason, r.out.Changes.CompletionReason = r.enum("completion_reason")
}

// checkCreate finds what stands in the way of a new request only.
func (r *resolver) checkCreate() {
	if r.out.Fields.Subject == "" {
		r.out.CreateErrors = append(r.out.CreateErrors, blank("subject"))
	}
	r.out.CreateErrors = append(r.out.CreateErrors, incomplete(r.out.Changes, r.out.Fields)...)
}

// incomplete finds the companion that a status given by an event lacks, on a
// request whose fields hold the event's values already.
func incomplete(c event.Changes, f event.Fields) [][2]string {
	switch {
	case c.Status == nil:
	case *c.Status == statusCompleted && f.CompletionReason == "":
		return [][2]string{blank("completion_reason")}
	case *c.Status == statusWaitingFor && f.WaitingUntil.IsZero():
		return [][2]string{blank("waiting_until")}
	}
	return nil
}

func blank(parameter string) [2]string { return [2]string{parameter, "can't be blank"} }

// value is what the event says, else what its template says.
func (r *resolver) value(name string) string { return cmp.Or(r.given[name], r.template[name]) }

// enum reads a parameter of listed values. The pointer is set where the event
// itself gave the value.
func (r *resolver) enum(name string) (string, *string) {
	return parsed(r, name, func(text string) (string, error) { return parseEnum(name, text) })
}

// time reads a date-time, as enum does.
func (r *resolver) time(name string) (time.Time, *time.Time) { return parsed(r, name, ParseTime) }

func parsed[T any](r *resolver, name string, parse func(string) (T, error)) (T, *T) {
	var none T
	if text := r.given[name]; text != "" {
		value, err := parse(text)
		if err != nil {
			r.errs = append(r.errs, [2]string{name, err.Error()})
			return none, nil
		}
		return value, &value
	}
	if text := r.template[name]; text != "" {
		value, err := parse(text)
		if err == nil {
			return value, nil
		}
		r.warn("template: %s %v; left out", name, err)
	}
	return none, nil
}

func (r *resolver) warn(format string, args ...any) {
	r.out.Warnings = append(r.out.Warnings, fmt.Sprintf(format, args...))
}
