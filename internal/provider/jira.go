package provider

import (
	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/provider/jira"
	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

func jiraCloud() registration {
	return registration{
		kind: config.IntegrationType{
			Name: config.TypeJira, Credentials: []string{config.CredentialBasic, config.CredentialBearer},
			EventsNeedProject: true, Defaults: config.Integration{DefaultIssueType: "Task"},
			Own: func() any { return noJiraKeys() },
			Keys: map[string]config.Key{
				"internal_role": {About: "Who may see internal notes where the provider has no other way to keep them internal."},
			},
		},
		queue: "jira", make: newJira,
		about: ticketing.Provider{
			FullName: "Atlassian Jira", Vendor: "Atlassian", Description: "Jira Cloud, by version 3 of its REST API.",
			Client: (*jira.Client)(nil), RequiredFields: jira.RequiredFields(),
			Lists: map[ticketing.Operator]ticketing.List{ticketing.QueryTickets: listed(jira.FilterFields(), jira.OrderFields())},
		},
	}
}

// jiraKeys are the keys that only Jira's integrations have.
type jiraKeys struct {
	// InternalRole is the project role that may see internal notes, where the
	// project has no internal comments.
	InternalRole string `yaml:"internal_role"`
}

func noJiraKeys() *jiraKeys { return &jiraKeys{} }

func newJira(in config.Integration) (any, error) {
	own := config.Own(in, noJiraKeys)
	return jira.New(jira.Config{
		Name: in.Name, URL: in.URL,
		Credential:     jira.Credential{Type: in.Credential.Type, Username: in.Credential.Username, Secret: in.Credential.Secret.Reveal()},
		DefaultProject: in.DefaultProject, DefaultIssueType: in.DefaultIssueType,
		CustomFieldMappings: mappings[jira.CustomFieldMapping](in), PriorityMap: in.PriorityMap, StatusMap: in.StatusMap,
		InternalRole: own.InternalRole,
		Rate:         jira.Rate{PerSecond: in.Rate.PerSecond, Concurrency: in.Rate.Concurrency},
		Settling:     in.Settling.Std(),
	})
}
