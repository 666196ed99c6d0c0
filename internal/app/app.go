// Package app puts together what the worker and the starter have in common:
// settings, configuration, the Temporal client, and the rules that resolve
// events.
package app

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/ticketbridge/ticketbridge/internal/catalog"
	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/delivery"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/feed"
	"github.com/ticketbridge/ticketbridge/internal/matching"
	"github.com/ticketbridge/ticketbridge/internal/operate"
	"github.com/ticketbridge/ticketbridge/internal/provider"
	"github.com/ticketbridge/ticketbridge/internal/registry"
	"github.com/ticketbridge/ticketbridge/internal/seal"
)

// Known are the types that this version implements.
func Known() config.Known {
	return config.Known{FeedTypes: feed.Types(), IntegrationTypes: provider.Types()}
}

// Registry finds the integrations of a configuration, and those that the API made
// where the configuration lets it.
func Registry(settings config.Settings, c *config.Config, temporal client.Client, namespace string) (*registry.Registry, error) {
	keys, err := seal.NewKeys(settings.SecretKeys)
	if err != nil {
		return nil, fmt.Errorf("TICKETBRIDGE_SECRET_KEYS: %w", err)
	}
	return registry.New(registry.Options{
		File: c, Store: &operate.Integrations{Temporal: temporal, Namespace: namespace}, Keys: keys, SecretDir: settings.SecretDir,
		Known: Known(), Verify: provider.Check, Now: time.Now,
	}), nil
}

// FileOnly finds the integrations of a configuration, without asking Temporal.
func FileOnly(c *config.Config) *registry.Registry { return registry.New(registry.Options{File: c}) }

// Rules make the resolver of a configuration.
func Rules(c *config.Config, integrations *registry.Registry) *delivery.Resolver {
	return &delivery.Resolver{
		Catalog: catalog.New(*c.Catalog),
		Options: matching.Options{
			ApplyOnRepeat: c.Matching.ApplyOnRepeat, StrictCI: c.Matching.StrictCI,
			IgnoreOrphanRecovery: c.Matching.IgnoreOrphanRecovery,
		},
		FeedRoute: func(name string) (delivery.Route, error) {
			f, err := c.Feed(name)
			return delivery.Route{
				Integration: f.Integration, Policy: f.Match,
				As: matching.Caller{Account: f.CatalogAccount, Person: f.Person},
			}, err
		},
		CallerRoute: func(ctx context.Context, name string) (delivery.Route, error) {
			for _, caller := range c.Callers {
				if caller.Name == name {
					return CallerRoute(caller), nil
				}
			}
			if b, ok, err := integrations.Caller(ctx, name); ok || err != nil {
				return CallerRoute(config.Caller{Integration: b.Integration, CatalogAccount: b.CatalogAccount, Person: b.Person}), err
			}
			return delivery.Route{}, fmt.Errorf("unknown caller %q: callers of the configuration are meant", name)
		},
	}
}

// CallerRoute is where and as whom a caller's events are matched.
func CallerRoute(caller config.Caller) delivery.Route {
	return delivery.Route{
		Integration: caller.Integration, Policy: event.PolicyEvent,
		As: matching.Caller{Account: caller.CatalogAccount, Person: caller.Person},
	}
}

// Delivery hands events over to integrations.
func Delivery(integrations *registry.Registry, temporal delivery.Temporal) *delivery.Delivery {
	return &delivery.Delivery{Temporal: temporal, Target: func(ctx context.Context, name string) (delivery.Target, error) {
		in, err := integrations.Find(ctx, name)
		return delivery.Target{Provider: provider.Short(in.Type), Memory: in.Memory.Std()}, err
	}}
}

// Prepare registers our search attributes with the server.
func Prepare(ctx context.Context, c client.Client, namespace string) error {
	return operate.Register(ctx, c, namespace)
}
