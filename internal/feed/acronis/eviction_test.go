package acronis

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/acronis"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func TestAnEvictedSubscriptionIsMadeAgain(t *testing.T) {
	for _, status := range []int{400, 403, 404, 410} {
		eachWay(t, func(t *testing.T, dialect sim.Dialect, consumer Consumer) {
			t.Run(fmt.Sprint(status), func(t *testing.T) {
				r := newRig(t, sim.Options{UnknownStatus: status, Dialect: dialect}, by(consumer))
				want := r.publish(1, 230)
				r.step()
				got := ids(r.step().Entries)
				r.server.Evict(r.id())
				got = append(got, ids(r.drain())...)
				r.server.Evict(r.id())
				require.Empty(t, r.drain())
				want = append(want, r.publish(231, 240)...)
				r.server.Evict(r.id())
				got = append(got, ids(r.drain())...)
				require.Equal(t, want, got)
				require.Empty(t, r.gaps)
				require.Zero(t, marks(r.got))
				require.Equal(t, 4, r.server.Stats().Subscriptions)
				if consumer == Stateless {
					require.Equal(t, r.state().Offset, r.server.Committed(r.id()))
				}
				require.NotEmpty(t, r.notes)
			})
		})
	}
}

// What a subscription that is made again remembers is not documented; here it is
// the topic's end.
func TestASubscriptionMadeAgainIsToldWhereWeAre(t *testing.T) {
	for _, found := range []Consumer{Stateless, AutoCommit, "found"} {
		consumer := found
		if found == "found" { // a subscription that was there before us
			consumer = AutoCommit
		}
		r := newRig(t, sim.Options{}, by(consumer))
		if found == "found" {
			_, err := r.client.api.subscribe(t.Context(), r.client.subscription)
			require.NoError(t, err)
		}
		r.publish(1, 100)
		r.step()
		r.step()
		want := r.publish(101, 150)
		r.server.Evict(r.id())
		r.server.SetCommitted(r.id(), 150)
		r.server.SetFaults(sim.Fault{Kind: sim.FaultCut, Path: sim.PlaceSubscriptions, Next: 3}, sim.Fault{Kind: sim.FaultCut, Path: sim.PlaceCommit, Next: 2})
		failures := 0
		for got := r.got[:0]; len(got) == 0; {
			reading, err := r.read()
			if err != nil {
				require.Equal(t, ticket.Retry, ticket.KindOf(err))
				failures++
				require.LessOrEqual(t, failures, 5)
				continue
			}
			r.pos, got = reading.Position, reading.Entries
			require.True(t, len(got) == 0 || assert.Equal(t, want, ids(got)))
		}
		require.GreaterOrEqual(t, failures, 3)
		require.Equal(t, int64(100), r.server.Committed(r.id()))
	}
}

func TestARealRefusalIsNoEviction(t *testing.T) {
	r := newRig(t, sim.Options{})
	r.drain()
	r.server.AddClient(sim.Client{ID: "bridge", Secret: "the-secret", NoScope: true})
	r.step() // perhaps it is gone
	r.configurationError("credential", "lacks the scope")
	r.server.AddClient(sim.Client{ID: "bridge", Secret: "the-secret"})
	want := r.publish(1, 2)
	require.Equal(t, want, ids(r.drain()), "it heals by itself")

	r.wire.instead = on(http.MethodGet, "/events", 400, `{"error":{"code":"invalidRequest","message":"limit: too low"}}`)
	r.step()
	r.configurationError("url", "limit: too low")
	r.configurationError("url", "limit: too low")
	r.wire.instead = nil
	want = r.publish(3, 4)
	require.Equal(t, want, ids(r.drain()))
	require.Empty(t, r.gaps)
}

func TestAnUnusedSubscriptionVanishes(t *testing.T) {
	eachWay(t, func(t *testing.T, dialect sim.Dialect, consumer Consumer) {
		r := newRig(t, sim.Options{Dialect: dialect, EvictAfter: time.Hour}, by(consumer))
		want := r.publish(1, 5)
		require.Equal(t, want, ids(r.drain()))
		want = r.publish(6, 9)
		r.clock.pass(3 * time.Hour)
		require.Equal(t, want, ids(r.drain()))
		require.Empty(t, r.gaps)
		require.Equal(t, 1, r.server.Stats().Evictions)
	})
}
