package provider

import (
	"time"

	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/provider/servicenow"
	"github.com/ticketbridge/ticketbridge/internal/rest"
	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

func serviceNowITSM() registration {
	return serviceNow(config.TypeServiceNow, servicenow.ITSM(),
		"ServiceNow IT Service Management (ITSM)", "Incidents of IT Service Management, by the Table API.")
}

func serviceNowSIR() registration {
	return serviceNow(config.TypeServiceNowSIR, servicenow.SecurityResponse(),
		"ServiceNow Security Incident Response (SIR)", "Security incidents, by the Table API.")
}

// serviceNow is one of ServiceNow's applications. They share a queue: they share the
// instance's threads, and rates are held by each integration's client, not by the
// queue.
func serviceNow(name string, application servicenow.Application, fullName, description string) registration {
	return registration{
		kind: config.IntegrationType{
			Name:        name,
			Credentials: []string{config.CredentialBasic, config.CredentialToken, config.CredentialOAuthClient},
			// An instance has four threads a node for the API calls of everybody, and
			// works on a call for up to 60 seconds ("Default transaction quota rules").
			Defaults: config.Integration{Rate: config.Rate{Concurrency: 2}, Settling: config.Duration(75 * time.Second)},
			Own:      func() any { return serviceNowDefaults() }, Keys: aboutServiceNowKeys(), Check: checkServiceNow,
		},
		queue: "servicenow", make: newServiceNow(application),
		about: ticketing.Provider{
			FullName: fullName, Vendor: "ServiceNow", Description: description,
			Client: (*servicenow.Client)(nil), RequiredFields: servicenow.RequiredFields(),
			Lists: map[ticketing.Operator]ticketing.List{ticketing.QueryTickets: listed(servicenow.FilterFields(), servicenow.OrderFields())},
		},
	}
}

// newServiceNow makes clients of one of ServiceNow's applications.
func newServiceNow(application servicenow.Application) func(config.Integration) (any, error) {
	return func(in config.Integration) (any, error) {
		own := config.Own(in, serviceNowDefaults)
		return servicenow.New(servicenow.Config{
			Name: in.Name, URL: in.URL, Application: application,
			Credential: servicenow.Credential{
				Type: in.Credential.Type, Username: in.Credential.Username, ClientID: in.Credential.ClientID,
				Secret: in.Credential.Secret.Reveal(), TokenURL: in.Credential.TokenURL,
			},
			DefaultProject: in.DefaultProject, DefaultIssueType: in.DefaultIssueType, DefaultCreator: own.DefaultCreator,
			Import:              importOf(own),
			CustomFieldMappings: mappings[servicenow.CustomFieldMapping](in), PriorityMap: in.PriorityMap, StatusMap: in.StatusMap,
			Rate:     rest.Rate{PerSecond: in.Rate.PerSecond, Concurrency: in.Rate.Concurrency},
			Settling: in.Settling.Std(),
		})
	}
}

// importOf is the staging table of an integration; none in the other mode.
func importOf(own serviceNowKeys) servicenow.Import {
	if own.CreateMode != createByImport {
		return servicenow.Import{}
	}
	return servicenow.Import{Table: own.ImportTable, Fields: own.ImportFields}
}
