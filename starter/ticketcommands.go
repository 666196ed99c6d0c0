package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/spf13/cobra"
)

func ticketCreate(flags *deskFlags) *cobra.Command {
	var file string
	var members memberFlags
	cmd := &cobra.Command{
		Use: "create", Short: "Create a ticket", Args: cobra.NoArgs,
		Example: `  starter ticket create --name "Quay lights are out" --priority high --field berth=7
  starter ticket create -f ticket.json --key order-17`,
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "read the ticket, a JSON object, from this file (- for standard input)")
	members.add(cmd)
	return writesTicket(flags, cmd, func(cmd *cobra.Command, _ []string) (ticketWrite, error) {
		body, err := newTicket(cmd, file, &members)
		return ticketWrite{method: http.MethodPost, path: "tickets", body: body}, err
	}, showTicket)
}

func ticketGet(flags *deskFlags) *cobra.Command {
	cmd := &cobra.Command{Use: "get TICKET", Short: "Show a ticket", Args: wantArgs("TICKET")}
	return reads(flags, cmd, func(args []string) string { return at("tickets", args[0]) }, showTicket)
}

func ticketPatch(flags *deskFlags) *cobra.Command {
	var members memberFlags
	patch := patchFlags{members: members.members}
	cmd := &cobra.Command{
		Use: "patch TICKET", Short: "Change a ticket", Args: wantArgs("TICKET"),
		Example: `  starter ticket patch OPS-12 --status Done
  starter ticket patch OPS-12 --set custom_fields/berth=8 --unset due_date
  starter ticket patch OPS-12 -f patch.json`,
	}
	members.add(cmd)
	patch.add(cmd)
	return writesTicket(flags, cmd, func(cmd *cobra.Command, args []string) (ticketWrite, error) {
		body, err := patch.patch(cmd)
		return ticketWrite{method: http.MethodPatch, path: at("tickets", args[0]), body: body}, err
	}, showTicket)
}

// text is a text that was given as an argument; - reads it from standard input.
func text(cmd *cobra.Command, arg string) (string, error) {
	if arg != "-" {
		return arg, nil
	}
	data, err := readInput(cmd.InOrStdin(), "-")
	return strings.TrimRight(string(data), "\n"), err
}

// textBody is a body with a text: from a file, or the second argument.
func textBody(cmd *cobra.Command, file string, args []string) (map[string]any, error) {
	body := map[string]any{}
	switch {
	case file != "" && len(args) == 1:
		return body, jsonFile(cmd, file, &body)
	case file != "" || len(args) != 2:
		return nil, usageError{errors.New("want TICKET and a TEXT (- for standard input), or TICKET and --file")}
	}
	content, err := text(cmd, args[1])
	body["content"] = content
	return body, err
}

func commentAdd(flags *deskFlags) *cobra.Command {
	var file, creator string
	cmd := &cobra.Command{
		Use: "add TICKET [TEXT]", Short: "Comment on a ticket; TEXT is Markdown, - reads it from standard input",
		Example: `  starter ticket comment add OPS-12 "We look at it."`,
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "read the comment, a JSON object, from this file (- for standard input)")
	cmd.Flags().StringVar(&creator, "creator", "", "who wrote it, where the provider takes that")
	return writesTicket(flags, cmd, func(cmd *cobra.Command, args []string) (ticketWrite, error) {
		body, err := textBody(cmd, file, args)
		if err != nil {
			return ticketWrite{}, err
		}
		if creator != "" {
			body["creator"] = creator
		}
		return ticketWrite{method: http.MethodPost, path: at("tickets", args[0], "comments"), body: body}, nil
	}, showComment)
}

func commentList(flags *deskFlags) *cobra.Command {
	cmd := &cobra.Command{Use: "list TICKET", Short: "List a ticket's comments, oldest first", Args: wantArgs("TICKET")}
	return reads(flags, cmd, func(args []string) string { return at("tickets", args[0], "comments") }, each(showComment))
}

func noteAdd(flags *deskFlags) *cobra.Command {
	var file, title string
	cmd := &cobra.Command{
		Use: "add TICKET [TEXT]", Short: "Add a note to a ticket; TEXT is Markdown, - reads it from standard input",
		Example: `  starter ticket note add OPS-12 --title Cause "A log of 40 GB."`,
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "read the note, a JSON object, from this file (- for standard input)")
	cmd.Flags().StringVar(&title, "title", "Note", "its title")
	return writesTicket(flags, cmd, func(cmd *cobra.Command, args []string) (ticketWrite, error) {
		body, err := textBody(cmd, file, args)
		if err != nil {
			return ticketWrite{}, err
		}
		if body["title"] == nil || cmd.Flags().Changed("title") {
			body["title"] = title
		}
		return ticketWrite{method: http.MethodPost, path: at("tickets", args[0], "notes"), body: body}, nil
	}, showNote)
}

func noteList(flags *deskFlags) *cobra.Command {
	cmd := &cobra.Command{Use: "list TICKET", Short: "List the notes on a ticket, oldest first", Args: wantArgs("TICKET")}
	return reads(flags, cmd, func(args []string) string { return at("tickets", args[0], "notes") }, each(showNote))
}

func notePatch(flags *deskFlags) *cobra.Command {
	var title, content string
	patch := patchFlags{members: func(cmd *cobra.Command) (members, fields map[string]any, err error) {
		members = map[string]any{}
		for name, value := range map[string]string{"title": title, "content": content} {
			if cmd.Flags().Changed(name) {
				members[name] = value
			}
		}
		return members, nil, nil
	}}
	cmd := &cobra.Command{Use: "patch TICKET ID", Short: "Change a note", Args: wantArgs("TICKET", "ID")}
	cmd.Flags().StringVar(&title, "title", "", "its title")
	cmd.Flags().StringVar(&content, "content", "", "its text, in Markdown")
	patch.add(cmd)
	return writesTicket(flags, cmd, func(cmd *cobra.Command, args []string) (ticketWrite, error) {
		body, err := patch.patch(cmd)
		return ticketWrite{method: http.MethodPatch, path: at("tickets", args[0], "notes", args[1]), body: body}, err
	}, showNote)
}

func ticketFields(flags *deskFlags) *cobra.Command {
	cmd := &cobra.Command{Use: "fields", Short: "List the fields that tickets have at the provider", Args: cobra.NoArgs}
	return reads(flags, cmd, func([]string) string { return "remote-fields" }, showFields)
}

func ticketOnCall(flags *deskFlags) *cobra.Command {
	cmd := &cobra.Command{Use: "on-call POLICY", Short: "Show who is on call by an escalation policy", Args: wantArgs("POLICY")}
	return reads(flags, cmd, func(args []string) string { return at("escalation-policies", args[0], "on-call") }, showOnCall)
}

func ticketProjects(flags *deskFlags) *cobra.Command {
	var list listFlags
	cmd := &cobra.Command{Use: "projects", Short: "List projects", Args: cobra.NoArgs}
	list.addPages(cmd)
	return lists(flags, cmd, &list, "projects", showProjects)
}

func ticketPolicies(flags *deskFlags) *cobra.Command {
	var list listFlags
	cmd := &cobra.Command{Use: "policies", Short: "List escalation policies", Args: cobra.NoArgs}
	list.addPages(cmd)
	list.addFilters(cmd)
	return lists(flags, cmd, &list, "escalation-policies", showPolicies)
}

func ticketList(flags *deskFlags) *cobra.Command {
	var list listFlags
	cmd := &cobra.Command{
		Use: "list", Short: "List tickets", Args: cobra.NoArgs,
		Example: `  starter ticket list --filter 'status[ne]Done' --filter 'priority[in]HIGH,URGENT' --order 'created_at[desc]' --limit 20
  starter ticket list --filter tags=quay --all -o json`,
	}
	list.addPages(cmd)
	list.addFilters(cmd)
	cmd.Flags().StringArrayVar(&list.orders, "order", nil, "`FIELD`, FIELD[asc] or FIELD[desc]; may be repeated, the first decides")
	return lists(flags, cmd, &list, "tickets", showTickets)
}

// morePages tells that a list goes on.
func morePages(w io.Writer, cursor string) {
	if cursor != "" {
		fmt.Fprintf(w, "there are more: --all, or --cursor %s\n", quoted(cursor))
	}
}

// quoted is a word as a shell takes it.
func quoted(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }
