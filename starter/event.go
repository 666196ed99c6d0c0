package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/ticketbridge/ticketbridge/internal/app"
	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/delivery"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/operate"
)

func eventCommand() *cobra.Command {
	return group("event", "Send events and see which request they belong to", eventSend(), eventID())
}

// eventFlags name an event's sender and parameters.
type eventFlags struct {
	caller string
	id     string
	file   string
}

func (f *eventFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.caller, "caller", "", "as which caller of the configuration; needed when there are several")
	cmd.Flags().StringVar(&f.id, "id", "", "the event's identity; the same id takes effect once")
	cmd.Flags().StringVarP(&f.file, "file", "f", "", "read the parameters, a JSON object, from this file (- for standard input)")
}

// event builds the event from NAME=VALUE arguments and the file.
func (f *eventFlags) event(cmd *cobra.Command, args []string) (event.Event, error) {
	e := event.Event{ID: f.id, ReceivedAt: time.Now().UTC(), Params: event.Params{}}
	if e.ID == "" {
		e.ID, e.Unkeyed = uuid.NewString(), true
	}
	if f.file != "" {
		data, err := readInput(cmd.InOrStdin(), f.file)
		if err != nil {
			return e, err
		}
		if err := json.Unmarshal(data, &e.Params); err != nil {
			return e, usageError{fmt.Errorf("%s: %w", f.file, err)}
		}
	}
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		if !ok || name == "" {
			return e, usageError{fmt.Errorf("%q: want NAME=VALUE, e.g. subject=\"Server down\"", arg)}
		}
		e.Params[name] = value
	}
	if len(e.Params) == 0 {
		return e, usageError{errors.New("the event has no parameters; give NAME=VALUE or --file")}
	}
	return e, nil
}

func (f *eventFlags) route(c *config.Config) (config.Caller, delivery.Route, error) {
	var names []string
	for _, caller := range c.Callers {
		if caller.Name == f.caller || f.caller == "" && len(c.Callers) == 1 {
			return caller, app.CallerRoute(caller), nil
		}
		names = append(names, caller.Name)
	}
	return config.Caller{}, delivery.Route{}, usageError{fmt.Errorf("--caller %q: want one of: %s", f.caller, strings.Join(names, ", "))}
}

func eventSend() *cobra.Command {
	var flags eventFlags
	var wait time.Duration
	cmd := &cobra.Command{
		Use: "send [NAME=VALUE...]", Short: "Send one event and print what became of it",
		Example: `  starter event send subject="Server down" source=Nagios ci=srv-001 note="not reachable"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := newPrinter(cmd)
			if err != nil {
				return err
			}
			e, err := flags.event(cmd, args)
			if err != nil {
				return err
			}
			s, err := connect(cmd)
			if err != nil {
				return err
			}
			defer s.client.Close()
			caller, route, err := flags.route(s.config)
			if err != nil {
				return err
			}
			e.Caller = caller.Name
			return s.send(cmd, p, route, e, wait)
		},
	}
	flags.add(cmd)
	cmd.Flags().DurationVar(&wait, "wait", 20*time.Second, "how long to wait for the decision")
	return cmd
}

// sent is what `event send` prints.
type sent struct {
	Event    string                  `json:"event"`
	Workflow string                  `json:"workflow"`
	Decided  bool                    `json:"decided"`
	Answer   *contract.OutcomeAnswer `json:"answer,omitempty"`
}

func (s *setup) send(cmd *cobra.Command, p printer, route delivery.Route, e event.Event, wait time.Duration) error {
	events := operate.Events{Temporal: s.client, Resolver: app.Rules(s.config, s.registry), Delivery: app.Delivery(s.registry, s.client)}
	workflowID, err := events.Submit(cmd.Context(), route, e)
	if err != nil {
		return err
	}
	answer, decided, err := events.Outcome(cmd.Context(), workflowID, e.ID, wait)
	if err != nil {
		return err
	}
	result := sent{Event: e.ID, Workflow: workflowID, Decided: decided}
	if decided {
		result.Answer = &answer
	}
	if err := p.print(result, func(w io.Writer) { writeSent(w, result) }); err != nil {
		return err
	}
	if decided && answer.Outcome == event.Rejected {
		return exitError{exitFailed}
	}
	return nil
}

func writeSent(w io.Writer, r sent) {
	if !r.Decided {
		fmt.Fprintf(w, "taken in, not decided yet (does a worker run?)\nworkflow %s\n", r.Workflow)
		return
	}
	fmt.Fprintf(w, "%s", r.Answer.Outcome)
	if r.Answer.Request != nil {
		fmt.Fprintf(w, " request %d: %s", r.Answer.Request.ID, r.Answer.Request.Fields.Subject)
		if t := r.Answer.Request.Ticket; t != nil {
			fmt.Fprintf(w, ", ticket %s %s", t.Key, t.URL)
		}
	}
	for _, pair := range r.Answer.Errors {
		fmt.Fprintf(w, "\n%s %s", pair[0], pair[1])
	}
	fmt.Fprintf(w, "\nworkflow %s\n", r.Workflow)
}

// identity is what `event id` prints: all that is needed to start the event's
// workflow and signal it by hand.
type identity struct {
	Workflow string                    `json:"workflow"`
	Request  int64                     `json:"request"`
	Input    contract.MatchEventsInput `json:"input"`
	Signal   contract.EventsSignal     `json:"signal"`
}

func eventID() *cobra.Command {
	var flags eventFlags
	cmd := &cobra.Command{
		Use: "id [NAME=VALUE...]", Short: "Print the workflow an event belongs to, and how to start and signal it by hand",
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := newPrinter(cmd)
			if err != nil {
				return err
			}
			e, err := flags.event(cmd, args)
			if err != nil {
				return err
			}
			_, c, err := loadConfig()
			if err != nil {
				return err
			}
			caller, route, err := flags.route(c)
			if err != nil {
				return err
			}
			e.Caller = caller.Name
			resolved, err := app.Rules(c, app.FileOnly(c)).Resolve(route, e)
			if err != nil {
				return err
			}
			workflowID := contract.MatchID(route.Integration, resolved.Resolved.Key)
			id := identity{
				Workflow: workflowID, Request: contract.RequestID(workflowID, e.ID),
				Input:  contract.MatchEventsInput{Integration: route.Integration, Key: resolved.Resolved.Key},
				Signal: contract.EventsSignal{Events: []event.Event{e}},
			}
			return p.print(id, func(w io.Writer) { writeIdentity(w, id) })
		},
	}
	flags.add(cmd)
	return cmd
}

func writeIdentity(w io.Writer, id identity) {
	input, inputErr := json.Marshal(id.Input)
	signal, signalErr := json.Marshal(id.Signal)
	if inputErr != nil || signalErr != nil {
		fmt.Fprintln(w, id.Workflow)
		return
	}
	fmt.Fprintf(w, "workflow %s\ninput    %s\nsignal   %s\n", id.Workflow, input, signal)
}
