package servicenow

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// applyRules does to a record what business rules and data policies do before it
// is saved; a refusal says why. before is nil for an insert.
func (s *Simulator) applyRules(r, before *Record, now time.Time) *answer {
	f := r.Fields
	if strings.TrimSpace(f["short_description"]) == "" {
		return policy("Short description is mandatory")
	}
	if s.is(r.Class, "incident") {
		return incidentRules(f, now)
	}
	return s.securityRules(f, before, now)
}

// policy is the refusal of a data policy.
func policy(text string) *answer {
	a := refuse(http.StatusForbidden, "Operation Failed", "Data Policy Exception: "+text)
	return &a
}

func incidentRules(f map[string]string, now time.Time) *answer {
	setDefault(f, "state", "1")
	setDefault(f, "impact", "3")
	setDefault(f, "urgency", "3")
	f["priority"] = priority(f["impact"], f["urgency"])
	f["incident_state"] = f["state"]
	closing := f["state"] == "6" || f["state"] == "7"
	switch {
	case closing && f["close_code"] == "" && f["close_notes"] == "":
		return policy("The following fields are mandatory: Resolution code, Resolution notes (close_code, close_notes)")
	case closing && (f["close_code"] == "" || f["close_notes"] == ""):
		return policy("The following fields are mandatory: close_code, close_notes")
	case f["state"] == "3" && f["hold_reason"] == "":
		return policy("The following fields are mandatory: On hold reason (hold_reason)")
	}
	f["active"] = "true"
	if f["state"] == "7" || f["state"] == "8" {
		f["active"] = "false"
		setDefault(f, "closed_at", stamp(now))
	} else {
		f["closed_at"] = ""
	}
	if closing {
		setDefault(f, "resolved_at", stamp(now))
		setDefault(f, "resolved_by", UserBridge)
	} else {
		f["resolved_at"], f["resolved_by"] = "", ""
	}
	if f["state"] != "3" {
		f["hold_reason"] = ""
	}
	return nil
}

// priority is the baseline's look-up by impact and urgency.
func priority(impact, urgency string) string {
	switch impact + urgency {
	case "11":
		return "1"
	case "12", "21":
		return "2"
	case "13", "22", "31":
		return "3"
	case "23", "32":
		return "4"
	default:
		return "5"
	}
}

func (s *Simulator) securityRules(f map[string]string, before *Record, now time.Time) *answer {
	setDefault(f, "state", "10")
	setDefault(f, "priority", "4")
	if before != nil && s.options.StatefulProcess && !nextState(before.Fields["state"], f["state"]) {
		a := refuse(http.StatusForbidden, "Operation Failed",
			"Operation against file 'sn_si_incident' was aborted by Business Rule 'Validate state transition'. Business Rule Stack:Validate state transition")
		return &a
	}
	if f["state"] == "3" && (f["close_code"] == "" || f["close_notes"] == "") {
		return policy("The following fields are mandatory: Close code, Close notes (close_code, close_notes)")
	}
	f["active"] = "true"
	if f["state"] == "3" || f["state"] == "7" {
		f["active"] = "false"
		setDefault(f, "closed_at", stamp(now))
	}
	return nil
}

// nextState: NIST Stateful goes forward, and skips nothing; cancelling is always
// possible.
func nextState(from, to string) bool {
	states := securityStates()
	at := func(value string) int {
		return slices.IndexFunc(states, func(pair [2]string) bool { return pair[0] == value })
	}
	return from == to || to == "7" || at(to) == at(from)+1
}

func setDefault(f map[string]string, name, value string) {
	if f[name] == "" {
		f[name] = value
	}
}
