package servicenow

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// Application is a kind of tickets: its table and what is its own about it.
type Application struct {
	table string
	// states are those of the baseline, in order, for instances whose list of
	// choices cannot be read; labels of a request's status are looked for in them.
	states []choice
	// flow are the labels of a process that may have to be gone through step by
	// step; empty where any state can follow any.
	flow []string
	// done are the labels of states in which nobody works on a ticket any more.
	done []string
	// codes are the baseline's close codes.
	codes []choice
	// contact, parent and completed are columns; requester is the one that says who
	// asked for a ticket, where that is another one than contact.
	contact, parent, requester string
	completed                  []string
	// computed: priority follows from impact and urgency.
	computed bool
	// holds: a ticket that waits needs an on-hold reason.
	holds bool
}

// choice is an option of a column: what is stored, and what people see.
type choice struct{ Value, Label string }

// ITSM are the incidents of IT service management.
func ITSM() Application {
	return Application{
		table: "incident", contact: "caller_id", parent: "parent_incident", completed: []string{"resolved_at", "closed_at"},
		computed: true, holds: true,
		states: []choice{{"1", "New"}, {"2", "In Progress"}, {"3", "On Hold"}, {"6", "Resolved"}, {"7", "Closed"}, {"8", "Canceled"}},
		done:   []string{"Resolved", "Closed", "Canceled", "Cancelled"},
		codes:  []choice{{"Solution provided", "Solution provided"}},
	}
}

// SecurityResponse are the incidents of Security Incident Response.
func SecurityResponse() Application {
	return Application{
		table: "sn_si_incident", contact: "affected_user", parent: "parent_security_incident", completed: []string{"closed_at"},
		requester: "caller", // "Requested by", in "Create a security incident from the Security Incident list"
		states: []choice{
			{"10", "Draft"}, {"16", "Analysis"}, {"18", "Contain"}, {"19", "Eradicate"}, {"20", "Recover"}, {"100", "Review"},
			{"3", "Closed"}, {"7", "Cancelled"},
		},
		flow:  []string{"Draft", "Analysis", "Contain", "Eradicate", "Recover", "Review", "Closed"},
		done:  []string{"Closed", "Cancelled", "Canceled"},
		codes: []choice{{"Investigation completed", "Investigation completed"}},
	}
}

// stateLabels are the labels that a status leads to where status_map does not say,
// the better one first.
func (a Application) stateLabels(status string) []string {
	fresh, working, waiting := []string{"New"}, []string{"In Progress"}, []string{"On Hold"}
	if len(a.flow) > 0 {
		fresh, working, waiting = []string{"Draft"}, []string{"Analysis"}, []string{"Analysis"}
	}
	switch plainWord(status) {
	case "new", "open", "opened", "todo", "reopened", "declined", "onbacklog", "assigned":
		return fresh
	case "accepted", "inprogress", "doing", "active", "feedbackreceived":
		return working
	case "waitingfor", "waitingforcustomer", "reservationpending", "workflowpending", "projectpending", "changepending",
		"pending", "pendingcustomer", "onhold":
		return waiting
	case "completed", "complete", "done", "resolved", "solved", "confirmedsolved":
		return []string{"Resolved", "Closed"}
	case "closed", "close":
		return []string{"Closed", "Resolved"}
	case "cancelled", "canceled":
		return []string{"Canceled", "Cancelled", "Closed"}
	default:
		return nil
	}
}

// holdReason is why a ticket waits, where status_map does not say.
func holdReason(status string) choice {
	switch plainWord(status) {
	case "waitingforcustomer", "pendingcustomer":
		return choice{"1", "Awaiting Caller"}
	case "changepending", "workflowpending", "projectpending":
		return choice{"5", "Awaiting Change"}
	default:
		return choice{"4", "Awaiting Vendor"}
	}
}

// closeLabels are the usual labels for a request's completion reason.
func closeLabels(reason string) []string {
	switch plainWord(reason) {
	case "workaround":
		return []string{"Workaround provided", "Solved (Work Around)", "Threat mitigated"}
	case "duplicate":
		return []string{"Duplicate", "Not resolved"}
	case "gone", "unsolvable", "conflict", "rejected", "declined":
		return []string{"No resolution provided", "Not Solved (Not Reproducible)", "Not resolved"}
	case "withdrawn", "noreply":
		return []string{"Resolved by caller", "Closed/Resolved by Caller", "Not resolved"}
	default:
		return []string{"Solution provided", "Solved (Permanently)", "Investigation completed"}
	}
}

// pairOf is the default impact and urgency of a priority: those that the
// baseline's look-up rules turn into it.
func pairOf(p ticket.Priority) string {
	return [6]string{"", "3/3", "2/3", "2/2", "1/2", "1/1"}[p.Level()]
}

// numberOf is a priority as the platform numbers it, 1 for the most urgent.
func numberOf(p ticket.Priority) string {
	return [6]string{"", "5", "4", "3", "2", "1"}[p.Level()]
}

// modelPriority is the way back, by the platform's own labels.
func modelPriority(number string) ticket.Priority {
	switch number {
	case "1":
		return ticket.Critical
	case "2":
		return ticket.High
	case "3":
		return ticket.Moderate
	case "4":
		return ticket.Low
	case "5":
		return ticket.Planning
	default:
		return ""
	}
}

// readPriority reads a target of priority_map into the columns that it sets.
func (a Application) readPriority(target string) (map[string]string, error) {
	digit := func(text string) bool { return len(text) == 1 && text >= "1" && text <= "9" }
	impact, urgency, pair := strings.Cut(strings.TrimSpace(target), "/")
	switch {
	case a.computed && pair && digit(impact) && digit(urgency):
		return map[string]string{"impact": impact, "urgency": urgency}, nil
	case a.computed:
		return nil, fmt.Errorf("%q: want impact and urgency, such as 1/2: the instance computes the priority from them", target)
	case !pair && digit(impact):
		return map[string]string{"priority": impact}, nil
	default:
		return nil, fmt.Errorf("%q: want a priority's number, 1 to 5", target)
	}
}

// priorityFields are the columns that a priority sets; none for a word that is no
// priority.
func (c *Client) priorityFields(p ticket.Priority) map[string]string {
	target := c.config.PriorityMap[p]
	switch {
	case target != "":
	case c.app.computed:
		target = pairOf(p)
	default:
		target = numberOf(p)
	}
	fields, err := c.app.readPriority(target)
	if err != nil {
		return nil
	}
	return fields
}

// isDone reports whether nobody works on a ticket in this state any more.
func (c *Client) isDone(state value) bool {
	if slices.ContainsFunc(c.app.done, func(label string) bool { return strings.EqualFold(label, state.Display) }) {
		return true
	}
	// An instance in another language: by the baseline's value.
	for _, known := range c.app.states {
		if known.Value == state.Value && slices.Contains(c.app.done, known.Label) && !c.renamed(state) {
			return true
		}
	}
	return false
}

// renamed: the state's label is one of the baseline's, for another value.
func (c *Client) renamed(state value) bool {
	return slices.ContainsFunc(c.app.states, func(known choice) bool {
		return known.Value != state.Value && strings.EqualFold(known.Label, state.Display)
	})
}

func plainWord(text string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '_' || r == '-' {
			return -1
		}
		return r
	}, strings.ToLower(text))
}
