package activities

import (
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/matching"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// newTicket is the ticket that a request asks for: subject → name, note →
// description, impact → priority, member → assignee, desired completion → due
// date; the rest goes to the custom fields of the field map, else into lines
// under the note.
func newTicket(in Integration, f event.Fields, note string, marker ticket.Marker) ticket.New {
	custom, lines := mapRest(in.FieldMap, matching.Describe(f))
	return ticket.New{
		Name:         f.Subject,
		Description:  paragraphs(note, strings.Join(lines, "\n")),
		Priority:     priorityOf(f.Impact),
		Assignee:     f.Member.Email,
		DueDate:      f.DesiredCompletionAt,
		CustomFields: custom,
		Marker:       marker,
	}
}

// patchOf is what the changes set at the ticket itself; the other changes are
// told in the lines that commentText adds.
func patchOf(in Integration, c event.Changes) ticket.Patch {
	custom, _ := mapRest(in.FieldMap, matching.DescribeChanges(c))
	p := ticket.Patch{
		Name:       c.Subject,
		Status:     c.Status,
		Resolution: c.CompletionReason,
		DueDate:    c.DesiredCompletionAt,
	}
	if c.Member != nil && c.Member.Email != "" { // others are told in a line
		p.Assignee = &c.Member.Email
	}
	if len(custom) > 0 {
		p.CustomFields = custom
	}
	return p
}

// commentText is the note with a line for every change that the ticket has no
// field for.
func commentText(in Integration, note string, c event.Changes) string {
	_, lines := mapRest(in.FieldMap, matching.DescribeChanges(c))
	return paragraphs(note, strings.Join(lines, "\n"))
}

// mapRest splits the described fields into those that the integration has a
// custom field for and lines of text for the others.
func mapRest(fieldMap map[string]string, described []matching.Line) (map[string]any, []string) {
	custom := map[string]any{}
	var lines []string
	for _, line := range described {
		if name, ok := fieldMap[line.Field]; ok {
			custom[name] = line.Value
			continue
		}
		lines = append(lines, line.Text())
	}
	return custom, lines
}

func priorityOf(impact string) ticket.Priority {
	switch impact {
	case "top":
		return ticket.Critical
	case "high":
		return ticket.High
	case "medium":
		return ticket.Medium
	case "low":
		return ticket.Low
	default:
		return ""
	}
}

func paragraphs(parts ...string) string {
	var kept []string
	for _, part := range parts {
		if strings.TrimSpace(part) != "" {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, "\n\n")
}
