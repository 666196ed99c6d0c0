package jira

import (
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// priorityNames are those of a new Jira site, by level; no name where there is none.
func priorityNames() [6]string {
	return [6]string{"", "Lowest", "Low", "Medium", "High", "Highest"}
}

// allPriorities, the likelier word first where two share a Jira priority.
func allPriorities() []ticket.Priority {
	return []ticket.Priority{
		ticket.Critical, ticket.High, ticket.Medium, ticket.Low, ticket.Planning, ticket.Urgent, ticket.Moderate,
	}
}

// jiraPriority is the name that the site has for p; p itself where p is no
// priority of the model, so that a site's own name passes.
func (c *Client) jiraPriority(p ticket.Priority) string {
	if name := c.config.PriorityMap[p]; name != "" {
		return name
	}
	if name := priorityNames()[p.Level()]; name != "" {
		return name
	}
	return string(p)
}

// modelPriority is the way back; empty for a name that no priority maps to.
func (c *Client) modelPriority(name string) ticket.Priority {
	if name == "" {
		return ""
	}
	for _, p := range allPriorities() {
		if strings.EqualFold(c.jiraPriority(p), name) {
			return p
		}
	}
	return ""
}
