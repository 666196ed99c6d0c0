// Package provider makes the clients of the configured integrations. It is the
// one place that knows all providers.
package provider

import (
	"fmt"
	"slices"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/provider/servicenow"
)

// registration is all that this program knows of a provider.
type registration struct {
	// kind is the integration's type, as the configuration names it.
	kind string
	// queue is the short name that its task queue bears.
	queue string
	make  func(config.Integration) (any, error)
}

// registrations are the providers of this version, a line each. The applications
// of ServiceNow share a queue: they share the instance's threads, and rates are
// held by each integration's client, not by the queue.
func registrations() []registration {
	return []registration{
		{config.TypeJira, "jira", newJira},
		{config.TypeServiceNow, "servicenow", newServiceNow(servicenow.ITSM())},
		{config.TypeServiceNowSIR, "servicenow", newServiceNow(servicenow.SecurityResponse())},
	}
}

func registered(integrationType string) (registration, bool) {
	all := registrations()
	i := slices.IndexFunc(all, func(r registration) bool { return r.kind == integrationType })
	if i < 0 {
		return registration{}, false
	}
	return all[i], true
}

// Types are the integration types of this version, as the configuration names them.
func Types() []string {
	var types []string
	for _, r := range registrations() {
		types = append(types, r.kind)
	}
	return types
}

// Short is the name that a type's task queue bears.
func Short(integrationType string) string {
	if r, ok := registered(integrationType); ok {
		return r.queue
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
	r, ok := registered(in.Type)
	if !ok {
		return nil, fmt.Errorf("type %s is not available in this version", in.Type)
	}
	return r.make(in)
}
