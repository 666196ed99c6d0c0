package provider

import (
	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/provider/mock"
	"github.com/ticketbridge/ticketbridge/internal/rest"
	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

func aboutMock() ticketing.Provider {
	return ticketing.Provider{
		FullName: "Test Provider", Vendor: "ticketbridge", Description: "Tickets in the memory of `starter serve`, to try things out.",
		Client: (*mock.Client)(nil), RequiredFields: mock.RequiredFields(), Test: true,
		Lists: map[ticketing.Operator]ticketing.List{
			ticketing.QueryTickets:            listed(mock.FilterFields(), mock.OrderFields()),
			ticketing.QueryEscalationPolicies: listed(mock.PolicyFilterFields(), mock.PolicyOrderFields()),
		},
	}
}

func newMock(in config.Integration) (any, error) {
	mappings := make([]mock.CustomFieldMapping, len(in.CustomFieldMappings))
	for i, m := range in.CustomFieldMappings {
		mappings[i] = mock.CustomFieldMapping{Name: m.Name, ProjectID: m.ProjectID, ProviderFieldPath: m.ProviderFieldPath}
	}
	faults := make([]mock.Fault, len(in.Mock.Faults))
	for i, f := range in.Mock.Faults {
		faults[i] = mock.Fault{
			Kind: f.Kind, Share: f.Share, Operators: f.Operators, Delay: f.Delay.Std(), RetryAfter: f.RetryAfter.Std(),
		}
	}
	return mock.New(mock.Config{
		Name: in.Name, DefaultProject: in.DefaultProject, DefaultIssueType: in.DefaultIssueType,
		CustomFieldMappings: mappings, StatusMap: in.StatusMap,
		Rate:     rest.Rate{PerSecond: in.Rate.PerSecond, Concurrency: in.Rate.Concurrency},
		Settling: in.Settling.Std(), Latency: in.Mock.Latency.Std(), Faults: faults, Seed: uint64(in.Mock.Seed),
	})
}
