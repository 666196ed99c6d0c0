// Package provider makes the clients of the configured integrations. It is the
// one place that knows all providers.
package provider

import (
	"context"
	"fmt"
	"slices"

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

func newClient(in config.Integration) (any, error) {
	r, ok := registered(in.Type)
	if !ok {
		return nil, fmt.Errorf("type %s is not available in this version", in.Type)
	}
	return r.make(in)
}

// checker is what a provider's client may have to look at its own account.
type checker interface {
	Check(ctx context.Context) error
}

// Check asks an integration's provider whether its credential and project are
// good; nil for a provider that has nothing to ask.
func Check(ctx context.Context, in config.Integration) error {
	client, err := newClient(in)
	if err != nil {
		return err
	}
	if c, ok := client.(checker); ok {
		return c.Check(ctx)
	}
	return nil
}
