package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os/user"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/operate"
	"github.com/ticketbridge/ticketbridge/internal/registry"
)

func integrationCommand() *cobra.Command {
	return group("integration", "Look at integrations, and at those made by the API: their changes and tokens",
		integrationList(), integrationGet(), integrationLog(), integrationVerify(), integrationDelete(),
		group("token", "Tokens of an integration made by the API", tokenCreate(), tokenRevoke()))
}

// me is who the log of changes says did it.
func me() string {
	if u, err := user.Current(); err == nil {
		return "starter:" + u.Username
	}
	return "starter"
}

// managing is a command that works with the registry and prints an answer.
func managing(use, short string, args cobra.PositionalArgs, run func(cmd *cobra.Command, p printer, r *registry.Registry, args []string) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: args, RunE: func(cmd *cobra.Command, args []string) error {
		p, s, err := begin(cmd)
		if err != nil {
			return err
		}
		defer s.client.Close()
		return run(cmd, p, s.registry, args)
	}}
}

// shownIntegration is an integration in -o json.
type shownIntegration struct {
	Name           string                      `json:"name"`
	Fullname       string                      `json:"fullname,omitempty"`
	Account        string                      `json:"account_id"`
	CatalogAccount string                      `json:"catalog_account,omitempty"`
	Person         string                      `json:"person,omitempty"`
	ProviderConfig json.RawMessage             `json:"provider_config"`
	ReadOnly       bool                        `json:"read_only"`
	Version        int64                       `json:"version,omitempty"`
	CreatedAt      time.Time                   `json:"created_at,omitzero"`
	CreatedBy      string                      `json:"created_by,omitempty"`
	UpdatedAt      time.Time                   `json:"updated_at,omitzero"`
	UpdatedBy      string                      `json:"updated_by,omitempty"`
	Tokens         []contract.IntegrationToken `json:"tokens,omitempty"`
}

func shownOf(in registry.Integration) shownIntegration {
	return shownIntegration{
		Name: in.Name, Fullname: in.Fullname, Account: in.Account, CatalogAccount: in.CatalogAccount, Person: in.Person,
		ProviderConfig: in.ProviderConfig, ReadOnly: in.ReadOnly, Version: in.Version,
		CreatedAt: in.CreatedAt, CreatedBy: in.CreatedBy, UpdatedAt: in.UpdatedAt, UpdatedBy: in.UpdatedBy, Tokens: in.Tokens,
	}
}

// typeAndURL are the two keys that tell integrations apart.
func (i shownIntegration) typeAndURL() (string, string) {
	var keys struct {
		Type string `json:"type"`
		URL  string `json:"url"`
	}
	_ = json.Unmarshal(i.ProviderConfig, &keys) // it was written by us
	return keys.Type, keys.URL
}

func integrationList() *cobra.Command {
	return managing("list", "List integrations: those of the configuration file, and those made by the API", cobra.NoArgs,
		func(cmd *cobra.Command, p printer, r *registry.Registry, _ []string) error {
			all, err := r.List(cmd.Context())
			if err != nil {
				return err
			}
			shown := make([]shownIntegration, len(all))
			for i, in := range all {
				shown[i] = shownOf(in)
			}
			return p.print(shown, func(w io.Writer) {
				table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
				fmt.Fprintln(table, "NAME\tTYPE\tURL\tFROM\tCHANGED\tBY")
				for _, in := range shown {
					kind, url := in.typeAndURL()
					from := "the API"
					if in.ReadOnly {
						from = "the file"
					}
					fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", in.Name, kind, url, from, clock(in.UpdatedAt), in.UpdatedBy)
				}
				_ = table.Flush() // errors of standard output are nobody's to handle
			})
		})
}

func integrationGet() *cobra.Command {
	return managing("get NAME", "Show an integration, without its secrets", cobra.ExactArgs(1),
		func(cmd *cobra.Command, p printer, r *registry.Registry, args []string) error {
			in, err := r.Get(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			p.json = true // a table could not hold it
			return p.print(shownOf(in), nil)
		})
}

func integrationLog() *cobra.Command {
	return managing("log NAME", "Show who changed which keys of an integration, newest first", cobra.ExactArgs(1),
		func(cmd *cobra.Command, p printer, r *registry.Registry, args []string) error {
			in, err := r.Get(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if in.Partial {
				return fmt.Errorf("%w: its changes can be read while a worker runs", operate.ErrUnavailable)
			}
			return p.print(append([]contract.IntegrationChanged{}, in.Changes...), func(w io.Writer) {
				table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
				fmt.Fprintln(table, "WHEN\tWHO\tWHAT\tWHICH")
				for _, c := range in.Changes {
					fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", clock(c.At), c.By, c.What, strings.Join(c.Fields, ", "))
				}
				_ = table.Flush() // errors of standard output are nobody's to handle
			})
		})
}

func integrationVerify() *cobra.Command {
	return managing("verify NAME", "Ask the provider whether credential and project are good", cobra.ExactArgs(1),
		func(cmd *cobra.Command, p printer, r *registry.Registry, args []string) error {
			if err := r.Check(cmd.Context(), args[0], nil); err != nil {
				return err
			}
			return p.print(done{Done: "verify"}, func(w io.Writer) { fmt.Fprintln(w, args[0], "works") })
		})
}

func integrationDelete() *cobra.Command {
	var force bool
	cmd := managing("delete NAME", "Delete an integration made by the API, and its tokens", cobra.ExactArgs(1),
		func(cmd *cobra.Command, p printer, r *registry.Registry, args []string) error {
			if err := r.Delete(cmd.Context(), me(), args[0], "", force); err != nil {
				return err
			}
			return p.print(done{Done: "delete"}, func(w io.Writer) { fmt.Fprintln(w, args[0], "is deleted") })
		})
	cmd.Flags().BoolVar(&force, "force", false, "also while requests and writes of it are open; they are left waiting")
	return cmd
}

// shownToken is a token that was just made.
type shownToken struct {
	ID      string    `json:"id"`
	Token   string    `json:"token"`
	Expires time.Time `json:"expires,omitzero"`
}

func tokenCreate() *cobra.Command {
	var label string
	var ttl time.Duration
	cmd := managing("create NAME", "Make a token; it is shown this once", cobra.ExactArgs(1),
		func(cmd *cobra.Command, p printer, r *registry.Registry, args []string) error {
			var expires time.Time
			if ttl > 0 {
				expires = time.Now().UTC().Add(ttl)
			}
			token, kept, err := r.AddToken(cmd.Context(), me(), args[0], label, expires)
			if err != nil {
				return err
			}
			return p.print(shownToken{ID: kept.ID, Token: token, Expires: expires}, func(w io.Writer) { fmt.Fprintln(w, token) })
		})
	cmd.Flags().StringVar(&label, "label", "", "what it is for")
	cmd.Flags().DurationVar(&ttl, "ttl", 0, "how long it is good, e.g. 720h; without it, until it is revoked")
	return cmd
}

func tokenRevoke() *cobra.Command {
	return managing("revoke NAME ID", "Revoke a token; it ends to be good within 30 seconds", cobra.ExactArgs(2),
		func(cmd *cobra.Command, p printer, r *registry.Registry, args []string) error {
			if err := r.RevokeToken(cmd.Context(), me(), args[0], args[1]); err != nil {
				return err
			}
			return p.print(done{Done: "revoke", Item: args[1]}, func(w io.Writer) { fmt.Fprintln(w, args[1], "is revoked") })
		})
}
