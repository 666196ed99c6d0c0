// Package provider makes the clients of the configured integrations. It is the
// one place that knows all providers.
package provider

import (
	"fmt"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/provider/jira"
)

// Types are the integration types of this version, as the configuration names them.
func Types() []string { return []string{config.TypeJira} }

// Short is the name that a type's task queue bears.
func Short(integrationType string) string {
	if integrationType == config.TypeJira {
		return "jira"
	}
	return integrationType
}

// Set holds the client of every configured integration.
type Set struct {
	integrations map[string]activities.Integration
	unknown      func(name string) error
}

// New makes the clients; the error names the integration and the key that is wrong.
func New(c *config.Config) (*Set, error) {
	s := &Set{integrations: map[string]activities.Integration{}, unknown: func(name string) error {
		_, err := c.Integration(name)
		return err
	}}
	for _, in := range c.Integrations {
		client, err := newClient(in)
		if err != nil {
			return nil, err // names the integration
		}
		s.integrations[in.Name] = activities.Integration{
			Name: in.Name, Provider: Short(in.Type), Client: client, FieldMap: in.FieldMap,
		}
	}
	return s, nil
}

// Integration finds an integration by name.
func (s *Set) Integration(name string) (activities.Integration, error) {
	if in, ok := s.integrations[name]; ok {
		return in, nil
	}
	return activities.Integration{}, s.unknown(name)
}

// Providers are the short names of the providers that are configured.
func (s *Set) Providers() []string {
	seen := map[string]bool{}
	var names []string
	for _, in := range s.integrations {
		if !seen[in.Provider] {
			seen[in.Provider] = true
			names = append(names, in.Provider)
		}
	}
	return names
}

func newClient(in config.Integration) (any, error) {
	if in.Type != config.TypeJira {
		return nil, fmt.Errorf("type %s is not available in this version", in.Type)
	}
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
