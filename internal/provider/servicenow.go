package provider

import (
	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/provider/servicenow"
	"github.com/ticketbridge/ticketbridge/internal/rest"
	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

func aboutITSM() ticketing.Provider {
	return aboutServiceNow("ServiceNow IT Service Management (ITSM)", "Incidents of IT Service Management, by the Table API.")
}

func aboutSecurityResponse() ticketing.Provider {
	return aboutServiceNow("ServiceNow Security Incident Response (SIR)", "Security incidents, by the Table API.")
}

func aboutServiceNow(name, description string) ticketing.Provider {
	return ticketing.Provider{
		FullName: name, Vendor: "ServiceNow", Description: description,
		Client: (*servicenow.Client)(nil), RequiredFields: servicenow.RequiredFields(),
		Lists: map[ticketing.Operator]ticketing.List{ticketing.QueryTickets: listed(servicenow.FilterFields(), servicenow.OrderFields())},
	}
}

// newServiceNow makes clients of one of ServiceNow's applications.
func newServiceNow(application servicenow.Application) func(config.Integration) (any, error) {
	return func(in config.Integration) (any, error) {
		mappings := make([]servicenow.CustomFieldMapping, len(in.CustomFieldMappings))
		for i, m := range in.CustomFieldMappings {
			mappings[i] = servicenow.CustomFieldMapping{Name: m.Name, ProjectID: m.ProjectID, ProviderFieldPath: m.ProviderFieldPath}
		}
		return servicenow.New(servicenow.Config{
			Name: in.Name, URL: in.URL, Application: application,
			Credential: servicenow.Credential{
				Type: in.Credential.Type, Username: in.Credential.Username, ClientID: in.Credential.ClientID,
				Secret: in.Credential.Secret.Reveal(), TokenURL: in.Credential.TokenURL,
			},
			DefaultProject: in.DefaultProject, DefaultIssueType: in.DefaultIssueType, DefaultCreator: in.DefaultCreator,
			Import:              importOf(in),
			CustomFieldMappings: mappings, PriorityMap: in.PriorityMap, StatusMap: in.StatusMap,
			Rate:     rest.Rate{PerSecond: in.Rate.PerSecond, Concurrency: in.Rate.Concurrency},
			Settling: in.Settling.Std(),
		})
	}
}

// importOf is the staging table of an integration; none in the other mode.
func importOf(in config.Integration) servicenow.Import {
	if in.CreateMode != config.CreateByImport {
		return servicenow.Import{}
	}
	return servicenow.Import{Table: in.ImportTable, Fields: in.ImportFields}
}
