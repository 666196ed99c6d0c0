package acronis

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/acronis"
)

func disabled(id string) sim.Event {
	return sim.Event{ID: id, Topic: sim.TopicTenant, Type: sim.TypePrefix + "a.p.tenant.disabled.v1.0", Source: "account-server", Subject: "s-" + id, TenantID: "t"}
}

const disabledType = sim.TypePrefix + "a.p.tenant.disabled.v1.0/"

func TestEventsComeOnceAndInOrder(t *testing.T) {
	for _, opts := range []sim.Options{{}, {Dialect: sim.Tutorial}, {Dialect: sim.OpenAPI}, {Inclusive: true}, {Base: 1 << 60}} {
		for _, consumer := range []Consumer{Stateful, Stateless, AutoCommit} {
			if consumer == Stateless && opts.Dialect == sim.OpenAPI {
				continue
			}
			t.Run(fmt.Sprintf("%+v %s", opts, consumer), func(t *testing.T) {
				r := newRig(t, opts, func(c *Config) { c.Consumer = consumer })
				var want []string
				for i := range 250 {
					id := fmt.Sprintf("e%03d", i)
					r.server.Publish(disabled(id))
					want = append(want, disabledType+id)
				}
				require.Equal(t, want, ids(r.drain()))
				require.Empty(t, r.drain())
				r.server.Publish(disabled("late"))
				require.Equal(t, []string{disabledType + "late"}, ids(r.drain()))
				require.Empty(t, r.gaps)
				if consumer == Stateless {
					require.Equal(t, r.state().Offset, r.server.Committed(r.client.subscription.ID))
				}
			})
		}
	}
}
