package provider

import (
	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/provider/mock"
	"github.com/ticketbridge/ticketbridge/internal/rest"
	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

func testProvider() registration {
	return registration{
		kind: config.IntegrationType{
			Name: config.TypeMock, Address: config.AddressNone,
			// There is no vendor to spare, and nothing there comes late.
			Defaults: config.Integration{
				Rate:     config.Rate{PerSecond: mock.DefaultPerSecond, Concurrency: mock.DefaultConcurrency},
				Settling: config.Duration(mock.DefaultSettling),
			},
			Own: func() any { return noMockKeys() }, Keys: aboutMockKeys(), Check: checkMock,
		},
		queue: "mock", make: newMock, inServe: true,
		about: ticketing.Provider{
			FullName: "Test Provider", Vendor: "ticketbridge", Description: "Tickets in the memory of `starter serve`, to try things out.",
			Client: (*mock.Client)(nil), RequiredFields: mock.RequiredFields(), Test: true,
			Lists: map[ticketing.Operator]ticketing.List{
				ticketing.QueryTickets:            listed(mock.FilterFields(), mock.OrderFields()),
				ticketing.QueryEscalationPolicies: listed(mock.PolicyFilterFields(), mock.PolicyOrderFields()),
			},
		},
	}
}

func newMock(in config.Integration) (any, error) {
	own := config.Own(in, noMockKeys).Mock
	faults := make([]mock.Fault, len(own.Faults))
	for i, f := range own.Faults {
		faults[i] = mock.Fault{
			Kind: f.Kind, Share: f.Share, Operators: f.Operators, Delay: f.Delay.Std(), RetryAfter: f.RetryAfter.Std(),
		}
	}
	return mock.New(mock.Config{
		Name: in.Name, DefaultProject: in.DefaultProject, DefaultIssueType: in.DefaultIssueType,
		CustomFieldMappings: mappings[mock.CustomFieldMapping](in), StatusMap: in.StatusMap,
		Rate:     rest.Rate{PerSecond: in.Rate.PerSecond, Concurrency: in.Rate.Concurrency},
		Settling: in.Settling.Std(), Latency: own.Latency.Std(), Faults: faults, Seed: uint64(own.Seed),
	})
}
