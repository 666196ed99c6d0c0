package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/feed"
	"github.com/ticketbridge/ticketbridge/internal/feed/acronis"
	"github.com/ticketbridge/ticketbridge/internal/operate"
)

// account is whose topics are listed: that of a configured feed, or, before
// there is one, that of the flags.
type account struct{ url, clientID, secret string }

func (a *account) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.url, "url", "", "the data center, instead of a feed's: https://eu2-cloud.acronis.com")
	cmd.Flags().StringVar(&a.clientID, "client-id", "", "the API client, with --url")
	cmd.Flags().StringVar(&a.secret, "secret", "", "where the client's secret is, with --url: env:NAME or file:/path")
}

// open makes the Event Manager's calls for the account.
func (a *account) open(names []string) (*acronis.API, error) {
	credential := acronis.Credential{URL: a.url, ClientID: a.clientID}
	switch {
	case a.url == "" && len(names) == 1:
		f, err := acronisFeed(names[0])
		if err != nil {
			return nil, err
		}
		credential = feed.AcronisCredential(f)
	case a.url == "" || len(names) > 0:
		return nil, usageError{errors.New("name a feed, or give --url, --client-id and --secret")}
	default:
		secret, err := config.ReadSecret(a.secret)
		if err != nil {
			return nil, usageError{fmt.Errorf("--secret: %w", err)}
		}
		credential.Secret = secret.Reveal()
	}
	tokens, err := acronis.NewTokenSource(credential, nil, nil)
	if err != nil {
		return nil, usageError{err}
	}
	return acronis.NewAPI(credential.URL, tokens, nil, nil)
}

func acronisFeed(name string) (config.Feed, error) {
	_, c, err := loadConfig()
	if err != nil {
		return config.Feed{}, err
	}
	f, err := c.Feed(name)
	switch {
	case err != nil:
		return f, fmt.Errorf("%w: %w", operate.ErrNotFound, err)
	case f.Type != config.TypeAcronis:
		return f, usageError{fmt.Errorf("feed %s is of type %s, which has no topics", name, f.Type)}
	}
	return f, nil
}

func feedTopics() *cobra.Command {
	var from account
	cmd := &cobra.Command{
		Use: "topics [NAME]", Short: "List the topics that an Acronis account can read", Args: cobra.MaximumNArgs(1),
		Example: `  starter feed topics tenants
  starter feed topics --url https://eu2-cloud.acronis.com --client-id ID --secret env:ACRONIS_SECRET`,
		RunE: func(cmd *cobra.Command, names []string) error {
			return list(cmd, from, names, (*acronis.API).Topics, writeTopics)
		},
	}
	from.flags(cmd)
	return cmd
}

func feedTypes() *cobra.Command {
	var from account
	var topic string
	var schemas bool
	cmd := &cobra.Command{
		Use: "types [NAME]", Short: "List the types of events that an Acronis account can read", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, names []string) error {
			return list(cmd, from, names, func(api *acronis.API, ctx context.Context) ([]acronis.Type, error) {
				return api.Types(ctx, topic, schemas)
			}, writeTypes)
		},
	}
	from.flags(cmd)
	cmd.Flags().StringVar(&topic, "topic", "", "only those of this topic")
	cmd.Flags().BoolVar(&schemas, "schemas", false, "with the JSON schema of each type's data")
	return cmd
}

// list asks an account and prints what it answers.
func list[T any](cmd *cobra.Command, from account, names []string, ask func(*acronis.API, context.Context) ([]T, error), write func(io.Writer, []T)) error {
	p, err := newPrinter(cmd)
	if err != nil {
		return err
	}
	api, err := from.open(names)
	if err != nil {
		return err
	}
	found, err := ask(api, cmd.Context())
	if err != nil {
		return err
	}
	return p.print(found, func(w io.Writer) { write(w, found) })
}

func writeTopics(w io.Writer, topics []acronis.Topic) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "TOPIC\tKEPT FOR\tORDER\tDESCRIPTION")
	for _, t := range topics {
		kept := t.Retention
		if !t.Persistency {
			kept = "not kept: events may be lost"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", t.ID, kept, t.Ordering, t.Description)
	}
	_ = table.Flush() // errors of standard output are nobody's to handle
}

func writeTypes(w io.Writer, types []acronis.Type) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "TYPE\tTOPIC\tDESCRIPTION")
	for _, t := range types {
		fmt.Fprintf(table, "%s\t%s\t%s\n", t.ID, t.TopicID, t.Description)
	}
	_ = table.Flush()
	for _, t := range types {
		if len(t.DataSchema) > 0 {
			fmt.Fprintf(w, "\n%s\n%s\n", t.ID, schemaText(t.DataSchema))
		}
	}
}

// schemaText is a schema as JSON; the Event Manager sends it as a text.
func schemaText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}
