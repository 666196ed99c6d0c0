package acronis

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/acronis"
)

func TestEachStart(t *testing.T) {
	starts := map[string]int{ // what comes first
		StartEarliest: 1, StartCurrent: 11, "2026-03-01T12:00:30Z": 6, "2026-03-01T10:00:00Z": 1, "2026-03-02T00:00:00Z": 11,
		"0": 1, "7": 8, "10": 11,
	}
	eachWay(t, func(t *testing.T, dialect sim.Dialect, consumer Consumer) {
		for start, first := range starts {
			t.Run(start, func(t *testing.T) {
				r := newRig(t, sim.Options{Dialect: dialect}, by(consumer), from(start))
				r.publish(1, 5)
				r.clock.pass(time.Minute)
				r.publish(6, 10)
				r.clock.pass(time.Minute)
				reading := r.step() // pinned now; all that follows is read
				require.True(t, reading.More)
				require.Empty(t, reading.Entries)
				r.publish(11, 15)
				var want []string
				for i := first; i <= 15; i++ {
					want = append(want, fmt.Sprint(disabledType, i))
				}
				require.Equal(t, want, ids(r.drain()))
				require.Empty(t, r.gaps)
				require.Empty(t, r.notes)
				require.Zero(t, marks(r.got))
			})
		}
	})
}

func TestTheStartIsKeptBeforeAnythingIsRead(t *testing.T) {
	for _, consumer := range []Consumer{Stateful, Stateless, AutoCommit} {
		r := newRig(t, sim.Options{}, by(consumer), from(StartCurrent))
		r.publish(1, 3)
		r.step()
		want := r.publish(4, 6)
		for range 3 { // it crashes after reading, on one worker after the other
			r.open()
			reading, err := r.read()
			require.NoError(t, err)
			require.Equal(t, want, ids(reading.Entries))
		}
		require.Equal(t, want, ids(r.drain()))
		require.Empty(t, r.gaps)
	}
}

func TestAStartBeyondTheEndBeginsAtTheEnd(t *testing.T) {
	r := newRig(t, sim.Options{}, from("9223372036854775807"))
	r.publish(1, 3)
	r.step()
	require.Equal(t, []string{"the topic ends at offset 3: reading from there, not from 9223372036854775807"}, r.notes)
	require.Equal(t, r.publish(4, 5), ids(r.drain()))
	require.Empty(t, r.gaps)
}

func TestStored(t *testing.T) {
	eachWay(t, func(t *testing.T, dialect sim.Dialect, consumer Consumer) {
		t.Run("of a subscription in use", func(t *testing.T) {
			r := newRig(t, sim.Options{Dialect: dialect}, by(consumer), from(StartStored))
			r.publish(1, 5)
			_, err := r.client.api.subscribe(t.Context(), r.client.subscription)
			require.NoError(t, err)
			r.server.SetCommitted(r.id(), 3)
			require.Equal(t, []string{disabledType + "4", disabledType + "5"}, ids(r.drain()))
			require.Empty(t, r.gaps)
		})
		t.Run("of a new subscription", func(t *testing.T) {
			r := newRig(t, sim.Options{Dialect: dialect}, by(consumer), from(StartStored))
			want := r.publish(1, 5)
			require.Equal(t, want, ids(r.drain()))
			require.Empty(t, r.gaps)
		})
		t.Run("of one that was evicted", func(t *testing.T) {
			r := newRig(t, sim.Options{Dialect: dialect, UnknownStatus: 403}, by(consumer), from(StartStored))
			r.publish(1, 5)
			r.server.SetCommitted(r.id(), 4)
			require.Equal(t, []string{disabledType + "5"}, ids(r.drain()))
		})
	})
}

func TestStoredWhereNothingIsTold(t *testing.T) {
	r := newRig(t, sim.Options{}, from(StartStored))
	r.wire.instead = on("GET", "/subscriptions/offset", 404, "")
	r.configurationError("start", "tells no offset")
}

// A stateless consumer whose workflow was lost goes on where its subscription is.
func TestAStatelessFeedGoesOnWhereItsSubscriptionIs(t *testing.T) {
	for _, consumer := range []Consumer{Stateless, AutoCommit} {
		for _, start := range []string{StartEarliest, StartCurrent, "2", "2026-03-01T12:00:00Z"} {
			r := newRig(t, sim.Options{}, by(consumer), from(start), func(c *Config) { c.AutoCommitInterval = time.Second })
			r.step()
			r.publish(1, 5)
			require.NotEmpty(t, r.drain())
			r.clock.pass(2 * time.Second)
			r.step()
			require.Equal(t, int64(5), r.server.Committed(r.id()))
			want := r.publish(6, 8)
			r.pos = nil
			r.open()
			require.Equal(t, want, ids(r.drain()), "%s %s", consumer, start)
			require.Empty(t, r.gaps)
			for _, e := range r.got {
				require.True(t, e.Replayed && e.Create, "whoever read before may have handed it over")
			}
		}
	}
}

func TestAFoundOffsetIsNotToldAgain(t *testing.T) {
	r := newRig(t, sim.Options{}, by(Stateless))
	r.publish(1, 5)
	_, err := r.client.api.subscribe(t.Context(), r.client.subscription)
	require.NoError(t, err)
	r.server.SetCommitted(r.id(), 2)
	r.step()
	require.Len(t, r.step().Entries, 3)
	require.Zero(t, r.server.Stats().Commits)
}

// A new feed that found a subscription must not set it back while another reads.
func TestAFoundOffsetIsNotSetBack(t *testing.T) {
	r := newRig(t, sim.Options{}, by(Stateless))
	r.publish(1, 5)
	_, err := r.client.api.subscribe(t.Context(), r.client.subscription)
	require.NoError(t, err)
	r.server.SetCommitted(r.id(), 2)
	r.step()
	r.server.SetCommitted(r.id(), 4)
	r.wire.instead = on("GET", "/events", 429, "")
	r.step()
	require.Equal(t, int64(4), r.server.Committed(r.id()))
	require.Zero(t, r.server.Stats().Commits)
	r.wire.instead = nil
	require.Equal(t, []string{disabledType + "5"}, ids(r.drain()))
}
