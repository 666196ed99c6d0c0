package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/operate"
)

func parkedCommand() *cobra.Command {
	return group("parked", "See and settle what waits for a person",
		parkedList(),
		parkedSettle(contract.SignalRetry, "Try parked items again", (*operate.Parked).Retry),
		parkedSettle(contract.SignalDiscard, "Give parked items up for good", (*operate.Parked).Discard),
		parkedAmend())
}

func addFilter(cmd *cobra.Command, f *operate.Filter) {
	cmd.Flags().StringVar(&f.Integration, "integration", "", "all of this integration")
	cmd.Flags().StringVar(&f.Feed, "feed", "", "all of this feed")
}

func parkedList() *cobra.Command {
	var filter operate.Filter
	cmd := &cobra.Command{
		Use: "list", Short: "List everything that waits for a person", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, s, err := begin(cmd)
			if err != nil {
				return err
			}
			defer s.client.Close()
			items, err := (&operate.Parked{Temporal: s.client}).List(cmd.Context(), filter)
			if err != nil {
				return err
			}
			return p.print(append([]operate.Item{}, items...), func(w io.Writer) { writeParked(w, items) })
		},
	}
	addFilter(cmd, &filter)
	return cmd
}

func writeParked(w io.Writer, items []operate.Item) {
	if len(items) == 0 {
		fmt.Fprintln(w, "nothing is parked")
		return
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "WORKFLOW\tITEM\tKIND\tSINCE\tAMEND\tREASON")
	for _, i := range items {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", i.Workflow, i.Item, i.Kind, clock(i.Since), amendable(i.Set), i.Reason)
	}
	_ = table.Flush() // errors of standard output are nobody's to handle
}

// amendable keeps the column narrow where any parameter of an event may be set.
func amendable(names []string) string {
	const shown = 8
	if len(names) <= shown {
		return strings.Join(names, ",")
	}
	return fmt.Sprintf("any parameter of an event (%d names in -o json)", len(names))
}

func parkedSettle(signal, short string, settle func(p *operate.Parked, ctx context.Context, workflowID, item string) error) *cobra.Command {
	var filter operate.Filter
	cmd := &cobra.Command{
		Use: signal + " [WORKFLOW [ITEM]]", Short: short + ": one item, all of a workflow, or all of an integration or feed",
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := newPrinter(cmd)
			if err != nil {
				return err
			}
			all := filter != operate.Filter{}
			if all == (len(args) > 0) || len(args) > 2 {
				return usageError{errors.New("name a WORKFLOW and perhaps an ITEM, or give --integration or --feed")}
			}
			s, err := connect(cmd)
			if err != nil {
				return err
			}
			defer s.client.Close()
			parked := operate.Parked{Temporal: s.client}
			if all {
				count, err := parked.SignalAll(cmd.Context(), filter, signal)
				if err != nil {
					return err
				}
				return p.print(done{Done: signal, Count: count}, func(w io.Writer) { fmt.Fprintf(w, "%s: passed on to %d workflows\n", signal, count) })
			}
			item := strings.Join(args[1:], "")
			if err := settle(&parked, cmd.Context(), args[0], item); err != nil {
				return err
			}
			return p.print(done{Done: signal, Workflow: args[0], Item: item}, func(w io.Writer) { fmt.Fprintf(w, "%s: passed on to %s\n", signal, args[0]) })
		},
	}
	addFilter(cmd, &filter)
	return cmd
}

func parkedAmend() *cobra.Command {
	return &cobra.Command{
		Use: "amend WORKFLOW ITEM NAME=VALUE...", Short: "Change a parked item and try it again; `parked list` names what can be changed",
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := newPrinter(cmd)
			if err != nil {
				return err
			}
			if len(args) < 3 {
				return usageError{errors.New("want WORKFLOW ITEM NAME=VALUE")}
			}
			change := contract.AmendSignal{Item: args[1], Set: map[string]string{}}
			for _, arg := range args[2:] {
				name, value, ok := strings.Cut(arg, "=")
				if !ok || name == "" {
					return usageError{fmt.Errorf("%q: want NAME=VALUE", arg)}
				}
				change.Set[name] = value
			}
			s, err := connect(cmd)
			if err != nil {
				return err
			}
			defer s.client.Close()
			if err := (&operate.Parked{Temporal: s.client}).Amend(cmd.Context(), args[0], change); err != nil {
				return err
			}
			return p.print(done{Done: contract.SignalAmend, Workflow: args[0], Item: args[1]}, func(w io.Writer) {
				fmt.Fprintf(w, "amend: passed on to %s\n", args[0])
			})
		},
	}
}
