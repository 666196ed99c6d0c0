// Package provider makes the clients of the configured integrations. It is the
// one place that knows all providers.
package provider

import (
	"context"
	"fmt"
	"slices"

	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

// registration is all that this program knows of a provider.
type registration struct {
	// kind is the integration's type, with the keys of its configuration.
	kind config.IntegrationType
	// queue is the short name that its task queue bears.
	queue string
	// make makes the client of an integration; its error names the key that is wrong.
	make func(config.Integration) (any, error)
	// about says what it is and can do; ID and Config are filled in.
	about ticketing.Provider
	// inServe: the tickets are in the memory of `starter serve`, which therefore
	// makes the calls that workers make to other providers. All of a queue live in
	// the same program.
	inServe bool
}

// providers are those of a program.
type providers []registration

// all are the providers of this version, a line each.
func all() providers {
	return providers{
		jiraCloud(),
		serviceNowITSM(),
		serviceNowSIR(),
		testProvider(),
	}
}

// Types are the integration types of this version.
func Types() []config.IntegrationType { return all().types() }

// Short is the name that a type's task queue bears.
func Short(integrationType string) string { return all().short(integrationType) }

// Check asks an integration's provider whether its credential and project are
// good; nil for a provider that has nothing to ask.
func Check(ctx context.Context, in config.Integration) error { return all().check(ctx, in) }

func (p providers) types() []config.IntegrationType {
	types := make([]config.IntegrationType, len(p))
	for i, r := range p {
		types[i] = r.kind
	}
	return types
}

func (p providers) short(integrationType string) string {
	if r, ok := p.registered(integrationType); ok {
		return r.queue
	}
	return integrationType
}

func (p providers) registered(integrationType string) (registration, bool) {
	i := slices.IndexFunc(p, func(r registration) bool { return r.kind.Name == integrationType })
	if i < 0 {
		return registration{}, false
	}
	return p[i], true
}

func (p providers) newClient(in config.Integration) (any, error) {
	r, ok := p.registered(in.Type)
	if !ok {
		return nil, fmt.Errorf("type %s is not available in this version", in.Type)
	}
	return r.make(in)
}

// checker is what a provider's client may have to look at its own account.
type checker interface {
	Check(ctx context.Context) error
}

func (p providers) check(ctx context.Context, in config.Integration) error {
	client, err := p.newClient(in)
	if err != nil {
		return err
	}
	if c, ok := client.(checker); ok {
		return c.Check(ctx)
	}
	return nil
}
