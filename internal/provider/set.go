package provider

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/operate"
	"github.com/ticketbridge/ticketbridge/internal/registry"
)

// Source finds the integrations that are not in the configuration file.
type Source interface {
	Find(ctx context.Context, name string) (registry.Found, error)
}

// Set holds the client of every integration.
type Set struct {
	providers providers
	file      map[string]activities.Integration
	// managed: integrations of any type may come by the API.
	managed bool
	source  Source

	mu   sync.Mutex
	made map[string]madeClient
}

// madeClient is the client of an integration that the API made; print tells when
// it is outdated.
type madeClient struct {
	activities.Integration
	print string
}

// New makes the clients of the file's integrations; the error names the
// integration and the key that is wrong. Those of the source's integrations are
// made when they are asked for.
func New(c *config.Config, source Source) (*Set, error) { return all().set(c, source) }

func (p providers) set(c *config.Config, source Source) (*Set, error) {
	s := &Set{providers: p, file: map[string]activities.Integration{}, managed: c.Managed(), source: source, made: map[string]madeClient{}}
	for _, in := range c.Integrations {
		made, err := p.integration(in)
		if err != nil {
			return nil, err // names the integration
		}
		s.file[in.Name] = made
	}
	return s, nil
}

func (p providers) integration(in config.Integration) (activities.Integration, error) {
	client, err := p.newClient(in)
	return activities.Integration{Name: in.Name, Provider: p.short(in.Type), Client: client, FieldMap: in.FieldMap}, err
}

// Integration finds an integration by name.
func (s *Set) Integration(ctx context.Context, name string) (activities.Integration, error) {
	if in, ok := s.file[name]; ok {
		return in, nil
	}
	found, err := s.source.Find(ctx, name)
	if errors.Is(err, operate.ErrNotFound) {
		s.forget(name)
	}
	if err != nil {
		return activities.Integration{}, err
	}
	return s.client(found)
}

// heir is a client that goes on with what the one before it had in memory.
type heir interface {
	Inherit(before any)
}

// client is the one that there is, or a new one where something has changed.
func (s *Set) client(found registry.Found) (activities.Integration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, ok := s.made[found.Name]
	if ok && before.print == found.Print {
		return before.Integration, nil
	}
	made, err := s.providers.integration(found.Integration)
	if err != nil {
		return made, err
	}
	if next, is := made.Client.(heir); is && ok {
		next.Inherit(before.Client)
	}
	s.made[found.Name] = madeClient{Integration: made, print: found.Print}
	return made, nil
}

// forget lets the client of a deleted integration go.
func (s *Set) forget(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.made, name)
}

// Providers are the short names of the providers that workers call.
func (s *Set) Providers() []string { return s.queues(false) }

// ProvidersInServe are the short names of those that live in `starter serve`.
func (s *Set) ProvidersInServe() []string { return s.queues(true) }

func (s *Set) queues(inServe bool) []string {
	var names []string
	for _, r := range s.providers {
		if r.inServe == inServe && (s.managed || s.uses(r.queue)) && !slices.Contains(names, r.queue) {
			names = append(names, r.queue)
		}
	}
	return names
}

// uses: an integration of the file is at this provider.
func (s *Set) uses(queue string) bool {
	for _, in := range s.file {
		if in.Provider == queue {
			return true
		}
	}
	return false
}
