package provider

import (
	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/provider/jira"
	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

func aboutJira() ticketing.Provider {
	return ticketing.Provider{
		FullName: "Atlassian Jira", Vendor: "Atlassian", Description: "Jira Cloud, by version 3 of its REST API.",
		Client: (*jira.Client)(nil), RequiredFields: jira.RequiredFields(),
		Lists: map[ticketing.Operator]ticketing.List{ticketing.QueryTickets: listed(jira.FilterFields(), jira.OrderFields())},
	}
}

func newJira(in config.Integration) (any, error) {
	mappings := make([]jira.CustomFieldMapping, len(in.CustomFieldMappings))
	for i, m := range in.CustomFieldMappings {
		mappings[i] = jira.CustomFieldMapping{Name: m.Name, ProjectID: m.ProjectID, ProviderFieldPath: m.ProviderFieldPath}
	}
	return jira.New(jira.Config{
		Name: in.Name, URL: in.URL,
		Credential:     jira.Credential{Type: in.Credential.Type, Username: in.Credential.Username, Secret: in.Credential.Secret.Reveal()},
		DefaultProject: in.DefaultProject, DefaultIssueType: in.DefaultIssueType,
		CustomFieldMappings: mappings, PriorityMap: in.PriorityMap, StatusMap: in.StatusMap,
		InternalRole: in.InternalRole,
		Rate:         jira.Rate{PerSecond: in.Rate.PerSecond, Concurrency: in.Rate.Concurrency},
		Settling:     in.Settling.Std(),
	})
}
