package httpapi

// eventParameter is one parameter of the Events API.
type eventParameter struct {
	name, about string
}

// eventParameters are those of the vendor's Events API page, plus custom_fields,
// which its clients send, and both spellings of the event's own id. Every other
// parameter is ignored and not kept: it may hold anything, a secret too.
func eventParameters() []eventParameter {
	return []eventParameter{
		{"subject", "Subject of the request. The only one that is needed, and only to create."},
		{"note", "Note to add. An event whose note the request already has changes nothing."},
		{"internal_note", "Note that only specialists see."},
		{"source", "Name of the monitoring tool; part of what events are matched by. Default: Event."},
		{"sourceID", "The event's id in the monitoring tool."},
		{"source_id", "Another spelling of sourceID, which wins over it."},
		{"ci", "Configuration item by label, or a software CI by name."},
		{"ci_id", "Configuration item by id."},
		{"ci_source", "With ci_sourceID: the configuration item's source."},
		{"ci_sourceID", "Configuration item by its source id."},
		{"service_instance", "Service instance by name. Default: the first one of the CI."},
		{"service_instance_id", "Service instance by id."},
		{"category", "incident, rfc, rfi, reservation, order, fulfillment, complaint, compliment or other."},
		{"impact", "low, medium, high or top."},
		{"status", "declined, on_backlog, assigned, accepted, in_progress, waiting_for, waiting_for_customer, reservation_pending, workflow_pending, project_pending or completed."},
		{"completion_reason", "Why the request is completed: solved, workaround, gone, duplicate, withdrawn, no_reply, rejected, conflict, declined or unsolvable."},
		{"team", "Team by name."},
		{"team_id", "Team by id."},
		{"member", "Person it is assigned to, by primary e-mail address."},
		{"member_id", "Person it is assigned to, by id."},
		{"requested_by", "Person by primary e-mail address. Default: the current user."},
		{"requested_by_id", "Person by id."},
		{"requested_for", "Person by primary e-mail address. Default: requested_by."},
		{"requested_for_id", "Person by id."},
		{"supplier", "Supplier organization by name."},
		{"supplier_id", "Supplier organization by id."},
		{"supplier_requestID", "The supplier's own id of the request."},
		{"problem_id", "Problem to relate."},
		{"workflow_id", "Workflow to relate."},
		{"template_id", "Request template to apply; parameters win over its values."},
		{"desired_completion_at", "Date and time agreed for completion."},
		{"waiting_until", "When waiting_for goes back to assigned."},
		{"downtime_start_at", "Start of the outage."},
		{"downtime_end_at", "End of the outage."},
		{"support_domain", "Account id in which the request is registered."},
		{"custom_fields", "Array of {id, value}."},
	}
}

// knownParameters are the names alone.
func knownParameters() map[string]bool {
	known := map[string]bool{}
	for _, p := range eventParameters() {
		known[p.name] = true
	}
	return known
}
