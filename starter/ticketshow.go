package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// ticketKey is the name that people know a ticket by.
func ticketKey(t ticket.Ticket) string {
	for _, name := range []string{"key", "number"} {
		if key, _ := t.Unmapped[name].(string); key != "" {
			return key
		}
	}
	return t.ID
}

func ticketLink(t ticket.Ticket) string {
	link, _ := t.Unmapped["url"].(string)
	return link
}

// table writes rows in columns.
func table(w io.Writer, head string, rows int, row func(i int) []string) {
	if rows == 0 {
		fmt.Fprintln(w, "none")
		return
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, strings.ReplaceAll(head, " | ", "\t"))
	for i := range rows {
		cells := row(i)
		for j, cell := range cells {
			cells[j] = cmp.Or(line(cell, shownValue), "-")
		}
		fmt.Fprintln(t, strings.Join(cells, "\t"))
	}
	_ = t.Flush() // errors of standard output are nobody's to handle
}

func showTickets(w io.Writer, tickets []ticket.Ticket) {
	table(w, "TICKET | STATUS | PRIORITY | ASSIGNEE | UPDATED | NAME | LINK", len(tickets), func(i int) []string {
		t := tickets[i]
		return []string{ticketKey(t), t.Status, string(t.Priority), t.Assignee, clock(t.UpdatedAt), t.Name, ticketLink(t)}
	})
}

// showTicket shows all that a ticket has, and its description as it is.
func showTicket(w io.Writer, t ticket.Ticket) {
	fmt.Fprintf(w, "%s  %s\n", ticketKey(t), line(t.Name, 2*shownRaw))
	rows := [][2]string{
		{"link", ticketLink(t)}, {"id", t.ID}, {"status", t.Status}, {"priority", string(t.Priority)}, {"project", t.Project}, {"type", t.IssueType},
		{"parent", t.Parent}, {"assignee", t.Assignee}, {"creator", t.Creator}, {"contact", t.Contact}, {"tags", strings.Join(t.Tags, ", ")},
		{"created", when(t.CreatedAt)}, {"updated", when(t.UpdatedAt)}, {"due", when(t.DueDate)}, {"completed", when(t.CompletionDate)},
	}
	if t.Summary != t.Name {
		rows = append(rows, [2]string{"summary", t.Summary})
	}
	for _, name := range slices.Sorted(maps.Keys(t.CustomFields)) {
		rows = append(rows, [2]string{name, fmt.Sprint(t.CustomFields[name])})
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		if row[1] != "" {
			fmt.Fprintf(table, "  %s\t%s\n", row[0], line(row[1], shownRaw))
		}
	}
	_ = table.Flush() // errors of standard output are nobody's to handle
	if t.Description != "" {
		fmt.Fprintf(w, "\n%s\n", printable(t.Description))
	}
}

// when is a time, or nothing.
func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return clock(t)
}

// printable is a foreign text of several lines as a terminal can take it.
func printable(text string) string {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i := range lines {
		lines[i] = strings.Map(func(r rune) rune {
			if r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 {
				return -1
			}
			return r
		}, lines[i])
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

// said is a comment or note: who wrote it when, and what.
func said(w io.Writer, id, by string, at time.Time, title, text string) {
	fmt.Fprintf(w, "%s  %s  %s\n", id, clock(at), cmp.Or(line(by, shownValue), "-"))
	for part := range strings.SplitSeq(printable(strings.TrimLeft(title+"\n"+text, "\n")), "\n") {
		fmt.Fprintf(w, "    %s\n", part)
	}
}

func showComment(w io.Writer, c ticket.Comment) { said(w, c.ID, c.Creator, c.CreatedAt, "", c.Content) }
func showNote(w io.Writer, n ticket.Note)       { said(w, n.ID, n.Creator, n.CreatedAt, n.Title, n.Content) }

// each shows one thing after the other.
func each[T any](show func(io.Writer, T)) func(io.Writer, []T) {
	return func(w io.Writer, all []T) {
		if len(all) == 0 {
			fmt.Fprintln(w, "none")
		}
		for _, one := range all {
			show(w, one)
		}
	}
}

func showProjects(w io.Writer, all []ticket.Project) {
	table(w, "PROJECT | NAME", len(all), func(i int) []string { return []string{all[i].ID, all[i].Name} })
}

// remoteField is a field as the API shows it.
type remoteField struct {
	ID      string `json:"field_id"`
	Scope   string `json:"field_scope"`
	Name    string `json:"provider_field_name"`
	Path    string `json:"provider_field_path"`
	Project string `json:"project_id"`
	Schema  struct {
		Type    string   `json:"field_type_id"`
		Options []string `json:"enum_values"`
	} `json:"schema"`
}

func showFields(w io.Writer, all []remoteField) {
	table(w, "FIELD | NAME | TYPE | SCOPE | PROJECT | PATH | OPTIONS", len(all), func(i int) []string {
		f := all[i]
		return []string{f.ID, f.Name, f.Schema.Type, f.Scope, f.Project, f.Path, strings.Join(f.Schema.Options, ", ")}
	})
}

// policy is an escalation policy as the API shows it.
type policy struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	Rules       []struct {
		DelaySeconds int `json:"delay_seconds"`
		Actors       []struct {
			ID       string `json:"id"`
			UID      string `json:"uid"`
			Name     string `json:"name"`
			FullName string `json:"full_name"`
		} `json:"actors"`
	} `json:"rules"`
}

// tells is whom a policy tells, one rule after the other.
func (p policy) tells() string {
	var rules []string
	for _, rule := range p.Rules {
		var names []string
		for _, a := range rule.Actors {
			names = append(names, cmp.Or(a.FullName, a.Name, a.UID, a.ID))
		}
		rules = append(rules, fmt.Sprintf("%s (%s)", strings.Join(names, ", "), time.Duration(rule.DelaySeconds)*time.Second))
	}
	return strings.Join(rules, ", then ")
}

func showPolicies(w io.Writer, all []policy) {
	table(w, "POLICY | NAME | TELLS", len(all), func(i int) []string { return []string{all[i].ID, all[i].Name, all[i].tells()} })
}

func showOnCall(w io.Writer, all []ticket.Agent) {
	table(w, "PERSON | NAME | E-MAIL | PHONE", len(all), func(i int) []string {
		return []string{all[i].ID, all[i].FullName, all[i].Email, all[i].Phone}
	})
}

// attachment is a file as the API shows it.
type attachment struct {
	ID      string    `json:"id"`
	Name    string    `json:"file_name"`
	Type    string    `json:"file_type"`
	Size    *int64    `json:"file_size"`
	Created time.Time `json:"created_date"`
	Creator string    `json:"creator"`
}

func showAttachments(w io.Writer, all []attachment) {
	table(w, "FILE | NAME | SIZE | TYPE | CREATED | BY", len(all), func(i int) []string {
		a, size := all[i], ""
		if a.Size != nil {
			size = sizeText(*a.Size)
		}
		return []string{a.ID, a.Name, size, a.Type, when(a.Created), a.Creator}
	})
}

func sizeText(bytes int64) string {
	switch {
	case bytes < 10<<10:
		return fmt.Sprintf("%d B", bytes)
	case bytes < 10<<20:
		return fmt.Sprintf("%d KB", bytes>>10)
	default:
		return fmt.Sprintf("%d MB", bytes>>20)
	}
}

func showPending(w io.Writer, s standing) {
	fmt.Fprintf(w, "under way: operation %s\nstarter ticket operation %s tells how it stands\n", s.ID, s.ID)
}

func showStanding(w io.Writer, s standing) {
	words := map[string]string{
		contract.WritePending: "under way", contract.WriteOK: "made", contract.WriteRefused: "refused",
		contract.WriteParked: "waits for a person (starter parked list)", contract.WriteDiscarded: "given up by a person",
	}
	text := cmp.Or(words[s.Status], s.Status)
	if s.Reason != "" {
		text += ": " + line(s.Reason, 2*shownRaw)
	}
	fmt.Fprintln(w, text)
	for _, warning := range s.Warnings {
		fmt.Fprintln(w, "warning:", line(warning, 2*shownRaw))
	}
	if len(s.Result) > 0 {
		fmt.Fprintf(w, "%s\n", s.Result)
	}
}
