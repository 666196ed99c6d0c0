// Package provider makes the clients of the configured integrations. It is the
// one place that knows all providers.
package provider

import (
	"fmt"
	"maps"
	"slices"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/provider/servicenow"
	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

// registration is all that this program knows of a provider.
type registration struct {
	// kind is the integration's type, as the configuration names it.
	kind string
	// queue is the short name that its task queue bears.
	queue string
	make  func(config.Integration) (any, error)
	// about says what it is and can do; its ID and Config are filled in.
	about func() ticketing.Provider
	// inServe: the tickets are in the memory of `starter serve`, which therefore
	// makes the calls that workers make to other providers.
	inServe bool
}

// registrations are the providers of this version, a line each. All of a queue live
// in the same program. The applications
// of ServiceNow share a queue: they share the instance's threads, and rates are
// held by each integration's client, not by the queue.
func registrations() []registration {
	return []registration{
		{kind: config.TypeJira, queue: "jira", make: newJira, about: aboutJira},
		{kind: config.TypeServiceNow, queue: "servicenow", make: newServiceNow(servicenow.ITSM()), about: aboutITSM},
		{kind: config.TypeServiceNowSIR, queue: "servicenow", make: newServiceNow(servicenow.SecurityResponse()), about: aboutSecurityResponse},
		{kind: config.TypeMock, queue: "mock", make: newMock, about: aboutMock, inServe: true},
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

// Providers are the short names of the configured providers that workers call.
func (s *Set) Providers() []string { return s.queues(false) }

// ProvidersInServe are the short names of those that live in `starter serve`.
func (s *Set) ProvidersInServe() []string { return s.queues(true) }

func (s *Set) queues(inServe bool) []string {
	var names []string
	for _, r := range registrations() {
		configured := slices.ContainsFunc(slices.Collect(maps.Values(s.integrations)), func(in activities.Integration) bool {
			return in.Provider == r.queue
		})
		if configured && r.inServe == inServe && !slices.Contains(names, r.queue) {
			names = append(names, r.queue)
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
