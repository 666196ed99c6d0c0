package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/ticketbridge/ticketbridge/internal/contract"
)

func ticketCommand() *cobra.Command {
	flags := &deskFlags{}
	cmd := group("ticket", "Read and write tickets at a provider",
		ticketCreate(flags), ticketGet(flags), ticketPatch(flags), ticketList(flags),
		group("comment", "Comments of a ticket, which customers see",
			commentAdd(flags), commentList(flags), partDelete(flags, "comment", "comments")),
		group("note", "Notes on a ticket, which customers do not see",
			noteAdd(flags), noteList(flags), notePatch(flags), partDelete(flags, "note", "notes")),
		attachmentCommand(flags),
		ticketProjects(flags), ticketFields(flags), ticketPolicies(flags), ticketOnCall(flags), ticketOperation(flags))
	cmd.Long = `ticket does what the unified ticketing API does, by the same code. Reads go straight
to the provider. A write is durable: it goes on when this command, a worker or the
provider fails, and the same command made again joins it.

A TICKET is named by its id or by its key, like OPS-12. With -o json answers are
those of the API.`
	flags.add(cmd)
	return cmd
}

// at is a path of the API: words and ids by turns.
func at(parts ...string) string {
	path := ""
	for i, part := range parts {
		if i > 0 {
			path += "/"
		}
		path += url.PathEscape(part)
	}
	return path
}

// wantArgs refuses other arguments than those named.
func wantArgs(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == len(names) {
			return nil
		}
		return usageError{fmt.Errorf("%s: want %d arguments, got %d; usage: %s", cmd.CommandPath(), len(names), len(args), cmd.UseLine())}
	}
}

// asking is a command that reads and prints.
func asking(flags *deskFlags, cmd *cobra.Command, ask func(cmd *cobra.Command, p printer, d *desk, args []string) error) *cobra.Command {
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		p, err := newPrinter(cmd)
		if err != nil {
			return err
		}
		d, err := flags.open(cmd)
		if err != nil {
			return err
		}
		defer d.close()
		return ask(cmd, p, d, args)
	}
	return cmd
}

// reads is a command that prints what is at a path.
func reads[T any](flags *deskFlags, cmd *cobra.Command, path func(args []string) string, show func(io.Writer, T)) *cobra.Command {
	return asking(flags, cmd, func(cmd *cobra.Command, p printer, d *desk, args []string) error {
		resp, err := d.call(cmd.Context(), asked{method: http.MethodGet, path: path(args)})
		if err != nil {
			return err
		}
		return printAnswer(p, resp.Body, show)
	})
}

// printAnswer prints an answer of the API: as it is, or its result for people.
func printAnswer[T any](p printer, body []byte, show func(io.Writer, T)) error {
	var answer struct {
		Result T `json:"result"`
	}
	if err := decodeAnswer(body, &answer); err != nil {
		return err
	}
	return p.print(rawJSON(body), func(w io.Writer) { show(w, answer.Result) })
}

// showWarnings tells people what a write did otherwise than it was asked.
func showWarnings(w io.Writer, body []byte) error {
	var answer struct {
		Messages struct {
			Problems []struct{ Detail string }
		}
	}
	if err := decodeAnswer(body, &answer); err != nil {
		return err
	}
	for _, problem := range answer.Messages.Problems {
		fmt.Fprintln(w, "warning:", line(problem.Detail, 2*shownRaw))
	}
	return nil
}

// ticketWrite is a call that a command makes.
type ticketWrite struct {
	method, path string
	body         any // absent: none
	// file is attached in place of a body.
	file *upload
}

// call is what is asked of a desk for the write.
func (w ticketWrite) call(d *desk) (asked, error) {
	if w.file != nil {
		return w.file.call(d, w.path)
	}
	body, err := encodeBody(w.body)
	return asked{method: w.method, path: w.path, body: body}, err
}

// make makes the write at a desk.
func (w ticketWrite) make(cmd *cobra.Command, d *desk, how writing) (written, error) {
	call, err := w.call(d)
	switch {
	case err != nil:
		return written{}, err
	case call.file != nil:
		return d.send(cmd.Context(), cmd.Name(), call, how)
	default:
		return d.write(cmd.Context(), cmd.Name(), call, how)
	}
}

const defaultWait = time.Minute

// writesTicket is a command that makes a write, and prints what came of it.
func writesTicket[T any](flags *deskFlags, cmd *cobra.Command, of func(cmd *cobra.Command, args []string) (ticketWrite, error), show func(io.Writer, T)) *cobra.Command {
	var how writing
	cmd.Flags().StringVar(&how.key, "key", "", "the write's Idempotency-Key: with the same one it is the same write, also later")
	cmd.Flags().BoolVar(&how.async, "async", false, "do not wait; starter ticket operation tells what came of it")
	cmd.Flags().DurationVar(&how.wait, "wait", defaultWait, "how long to wait; the write goes on all the same")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		p, err := newPrinter(cmd)
		if err != nil {
			return err
		}
		if how.wait < 0 {
			return usageError{errors.New("--wait: is negative")}
		}
		w, err := of(cmd, args)
		if err != nil {
			return err
		}
		if w.file != nil {
			defer w.file.remove()
		}
		d, err := flags.open(cmd)
		if err != nil {
			return err
		}
		defer d.close()
		made, err := w.make(cmd, d, how)
		switch {
		case err != nil:
			return err
		case made.pending != nil:
			return p.print(rawJSON(made.answer), func(w io.Writer) { showPending(w, *made.pending) })
		default:
			if err := printAnswer(p, made.answer, show); err != nil || p.json {
				return err
			}
			return showWarnings(cmd.ErrOrStderr(), made.answer)
		}
	}
	return cmd
}

func partDelete(flags *deskFlags, part, parts string) *cobra.Command {
	cmd := &cobra.Command{
		Use: "delete TICKET ID", Short: "Delete a " + part, Args: wantArgs("TICKET", "ID"),
	}
	return writesTicket(flags, cmd, func(_ *cobra.Command, args []string) (ticketWrite, error) {
		path := at("tickets", args[0], parts, args[1])
		if parts == "attachments" {
			path = at(parts, args[0], args[1])
		}
		return ticketWrite{method: http.MethodDelete, path: path}, nil
	}, func(w io.Writer, _ any) { fmt.Fprintln(w, "deleted") })
}

func ticketOperation(flags *deskFlags) *cobra.Command {
	cmd := &cobra.Command{Use: "operation ID", Short: "Show how a write stands", Args: wantArgs("ID"), PreRun: func(_ *cobra.Command, args []string) {
		if flags.url == "" && flags.integration == "" {
			flags.integration, _ = contract.WriteIntegration(args[0])
		}
	}}
	return asking(flags, cmd, func(cmd *cobra.Command, p printer, d *desk, args []string) error {
		if err := d.ready(cmd.Context()); err != nil {
			return err
		}
		resp, err := d.call(cmd.Context(), asked{method: http.MethodGet, path: operationPath(args[0])})
		if err != nil {
			return err
		}
		var stands standing
		if err := decodeAnswer(resp.Body, &stands); err != nil {
			return err
		}
		return p.print(rawJSON(resp.Body), func(w io.Writer) { showStanding(w, stands) })
	})
}
