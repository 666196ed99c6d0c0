package mock

import (
	"slices"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// presetProjects are there from the beginning; any other name will do as well.
func presetProjects() []ticket.Project {
	return []ticket.Project{
		{ID: DefaultProject, Name: "Demonstration"},
		{ID: "HELP", Name: "Service Desk"},
		{ID: "OPS", Name: "Operations"},
	}
}

// customField is a field that the test provider checks; others hold anything.
type customField struct {
	path, name string
	number     bool
	options    []string
}

func presetFields() []customField {
	return []customField{
		{path: "affected_site", name: "Affected site"},
		{path: "customer_impact", name: "Customer impact", options: []string{"None", "Minor", "Major"}},
		{path: "downtime_minutes", name: "Downtime in minutes", number: true},
	}
}

func presetField(path string) (customField, bool) {
	all := presetFields()
	i := slices.IndexFunc(all, func(f customField) bool { return f.path == path })
	if i < 0 {
		return customField{}, false
	}
	return all[i], true
}

func presetAgents() (ana, ben, chi ticket.Agent) {
	ana = ticket.Agent{ID: "agent-1", FullName: "Ana Torres", Email: "ana@mock.example", Phone: "+1 555 0100", TimeZone: "Europe/Lisbon", JobTitle: "Operator"}
	ben = ticket.Agent{ID: "agent-2", FullName: "Ben Okafor", Email: "ben@mock.example", Phone: "+1 555 0101", TimeZone: "Africa/Lagos", JobTitle: "Operator"}
	chi = ticket.Agent{ID: "agent-3", FullName: "Chi Nakamura", Email: "chi@mock.example", Phone: "+1 555 0102", TimeZone: "Asia/Tokyo", JobTitle: "Duty manager"}
	return ana, ben, chi
}

// policy is an escalation policy with who is on call by it, always the same.
type policy struct {
	ticket.EscalationPolicy
	onCall []ticket.Agent
}

func presetPolicies() []policy {
	ana, ben, chi := presetAgents()
	agent := func(a ticket.Agent) ticket.Actor {
		return ticket.Actor{Kind: ticket.ActorAgent, ID: a.ID, Name: a.FullName, Agent: &a}
	}
	return []policy{
		{
			EscalationPolicy: ticket.EscalationPolicy{
				ID: "policy-1", Name: "Operations", Description: "Day and night, for what is down",
				Rules: []ticket.EscalationRule{
					{ID: "policy-1-rule-1", Actors: []ticket.Actor{{Kind: ticket.ActorSchedule, ID: "schedule-1", Name: "Operators, weekly"}}},
					{ID: "policy-1-rule-2", Delay: 15 * time.Minute, Actors: []ticket.Actor{agent(ben), agent(chi)}},
				},
			},
			onCall: []ticket.Agent{ana, chi},
		},
		{
			EscalationPolicy: ticket.EscalationPolicy{
				ID: "policy-2", Name: "Service desk", Description: "In office hours",
				Rules: []ticket.EscalationRule{
					{ID: "policy-2-rule-1", Actors: []ticket.Actor{{Kind: ticket.ActorGroup, ID: "group-1", Name: "Service desk"}}},
					{ID: "policy-2-rule-2", Delay: time.Hour, Actors: []ticket.Actor{agent(chi)}},
				},
			},
			onCall: []ticket.Agent{ben},
		},
	}
}
