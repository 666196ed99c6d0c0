// Package app puts together what the worker and the starter have in common:
// settings, configuration, the Temporal client, and the rules that resolve
// events.
package app

import (
	"context"
	"fmt"

	"go.temporal.io/sdk/client"

	"github.com/ticketbridge/ticketbridge/internal/catalog"
	"github.com/ticketbridge/ticketbridge/internal/config"
	"github.com/ticketbridge/ticketbridge/internal/delivery"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/feed"
	"github.com/ticketbridge/ticketbridge/internal/matching"
	"github.com/ticketbridge/ticketbridge/internal/operate"
	"github.com/ticketbridge/ticketbridge/internal/provider"
)

// Known are the types that this version implements.
func Known() config.Known {
	return config.Known{FeedTypes: feed.Types(), IntegrationTypes: provider.Types()}
}

// Rules make the resolver of a configuration.
func Rules(c *config.Config) *delivery.Resolver {
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
		CallerRoute: func(name string) (delivery.Route, error) {
			for _, caller := range c.Callers {
				if caller.Name == name {
					return CallerRoute(caller), nil
				}
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

// Delivery hands events over to the integrations of a configuration.
func Delivery(c *config.Config, temporal delivery.Temporal) *delivery.Delivery {
	return &delivery.Delivery{Temporal: temporal, Target: func(name string) (delivery.Target, error) {
		in, err := c.Integration(name)
		return delivery.Target{Provider: provider.Short(in.Type), Memory: in.Memory.Std()}, err
	}}
}

// Prepare registers our search attributes with the server.
func Prepare(ctx context.Context, c client.Client, namespace string) error {
	return operate.Register(ctx, c, namespace)
}
