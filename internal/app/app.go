// Package app puts together what the worker and the starter have in common:
// settings, configuration, the Temporal client, and the rules that resolve
// events.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	temporalconfig "go.temporal.io/sdk/contrib/envconfig"
	sdklog "go.temporal.io/sdk/log"

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

// Dial connects to Temporal, as the environment says (TEMPORAL_ADDRESS and
// others), and returns the namespace too.
func Dial(ctx context.Context, logger *slog.Logger, metrics client.MetricsHandler) (client.Client, string, error) {
	options, err := temporalconfig.LoadDefaultClientOptions()
	if err != nil {
		return nil, "", fmt.Errorf("settings of the Temporal client: %w", err)
	}
	options.Logger = sdklog.NewStructuredLogger(logger)
	options.MetricsHandler = metrics
	address, namespace := options.HostPort, options.Namespace
	if address == "" {
		address = client.DefaultHostPort
	}
	if namespace == "" {
		namespace = client.DefaultNamespace
	}
	c, err := client.DialContext(ctx, options)
	if err != nil {
		return nil, "", unreachable(address, err)
	}
	return c, namespace, nil
}

// unreachable tells the person which address was tried and how to change it.
func unreachable(address string, err error) error {
	if errors.As(err, new(*serviceerror.PermissionDenied)) {
		return fmt.Errorf("the Temporal server at %s refused the credentials; check TEMPORAL_API_KEY and the TEMPORAL_TLS_ settings: %w", address, err)
	}
	return fmt.Errorf("no Temporal server answers at %s; start one (`make run` brings its own) or set TEMPORAL_ADDRESS: %w", address, err)
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
