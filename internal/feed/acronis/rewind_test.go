package acronis

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/acronis"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func (r *rig) rewind(to string) {
	r.t.Helper()
	pos, err := r.client.Rewind(r.pos, to)
	require.NoError(r.t, err)
	require.LessOrEqual(r.t, len(pos), 4<<10)
	r.pos = pos
}

func TestARewindHandsOverAgainWhatIsKnown(t *testing.T) {
	eachWay(t, func(t *testing.T, dialect sim.Dialect, consumer Consumer) {
		for _, inclusive := range []bool{false, true} {
			for to, first := range map[string]int{StartOldest: 1, "30": 31, "2026-03-01T12:01:00Z": 51} {
				r := newRig(t, sim.Options{Dialect: dialect, Inclusive: inclusive}, by(consumer))
				if inclusive && to == "30" {
					first = 30
				}
				r.publish(1, 50)
				r.clock.pass(2 * time.Minute)
				r.publish(51, 150)
				r.drain()
				asked := len(r.server.Log())
				r.rewind(to)
				r.publish(151, 160)
				require.Len(t, r.server.Log(), asked, "a rewind asks nobody")
				got := r.drain()
				require.Equal(t, numbered(first, 160), ids(got), to)
				require.Equal(t, 151-first, marks(got))
				require.False(t, got[len(got)-10].Replayed)
				require.Empty(t, r.gaps)
				require.Equal(t, r.publish(161, 162), ids(r.drain()))
				require.Zero(t, marks(r.got))
			}
		}
	})
}

func TestARewindDuringCatchingUp(t *testing.T) {
	for _, inclusive := range []bool{false, true} {
		r := newRig(t, sim.Options{Inclusive: inclusive})
		r.publish(1, 500)
		r.step()
		r.step()
		r.step() // 200
		r.rewind(StartOldest)
		r.step()
		r.step() // 100 again
		r.rewind(StartOldest)
		got := r.drain()
		require.Equal(t, numbered(1, 500), ids(got))
		require.Equal(t, 200, marks(got))
		require.Empty(t, r.gaps)
	}
}

func TestARewindBeforeAnythingWasRead(t *testing.T) {
	for _, consumer := range []Consumer{Stateful, Stateless, AutoCommit} {
		r := newRig(t, sim.Options{}, by(consumer), from(StartCurrent))
		r.publish(1, 5)
		r.rewind(StartOldest)
		require.Equal(t, numbered(1, 5), ids(r.drain()), consumer)
		require.Zero(t, marks(r.got), "nothing was handed over before")

		r = newRig(t, sim.Options{}, by(consumer), from(StartCurrent))
		r.publish(1, 5)
		require.Empty(t, r.drain())
		r.rewind(StartOldest)
		require.Equal(t, numbered(1, 5), ids(r.drain()), "what the subscription remembers does not decide: %s", consumer)
		require.Zero(t, marks(r.got))
	}
}

func TestARewindToWhatIsStored(t *testing.T) {
	for _, consumer := range []Consumer{Stateful, Stateless, AutoCommit} {
		r := newRig(t, sim.Options{}, by(consumer))
		r.publish(1, 20)
		r.drain()
		r.server.SetCommitted(r.id(), 12)
		r.rewind(StartStored)
		require.Equal(t, numbered(13, 20), ids(r.drain()), consumer)
		require.Equal(t, 8, marks(r.got))
		require.Empty(t, r.gaps)
	}
}

func TestARewindTooFarIsAGap(t *testing.T) {
	r := newRig(t, sim.Options{Retention: retention})
	r.publish(1, 20)
	r.drain()
	r.clock.pass(7 * time.Hour)
	r.publish(21, 30)
	r.drain()
	require.Empty(t, r.gaps, "all that expired was read")
	r.rewind(StartOldest)
	require.Len(t, r.drain(), 10)
	require.Empty(t, r.gaps, "the oldest there is was meant")
	r.rewind("3")
	require.Len(t, r.drain(), 10)
	require.Len(t, r.gaps, 1)
}

func TestRewindsThatAreRefused(t *testing.T) {
	r := newRig(t, sim.Options{})
	r.publish(1, 3)
	r.drain()
	for _, to := range []string{"", "current", "now", "-5", "yesterday", "urn:uuid:5", "99999999999999999999"} {
		_, err := r.client.Rewind(r.pos, to)
		require.ErrorContains(t, err, `rewind: to: "`+to+`" is neither "oldest", "stored" nor an offset nor an RFC 3339 time`)
	}
	_, err := r.client.Rewind([]byte(`{"offset":5}`), StartOldest)
	require.ErrorContains(t, err, "rewind: position of feed tenants")
}

func TestARewindCommitsNothingLower(t *testing.T) {
	r := newRig(t, sim.Options{}, by(Stateless))
	r.publish(1, 250)
	r.drain()
	require.Equal(t, int64(250), r.server.Committed(r.id()))
	r.rewind(StartOldest)
	r.publish(251, 251)
	for range 4 {
		r.step()
		require.Equal(t, int64(250), r.server.Committed(r.id()))
	}
	r.drain()
	require.Equal(t, int64(251), r.server.Committed(r.id()))
}

func TestARewindThatCannotBeMadeYet(t *testing.T) {
	r := newRig(t, sim.Options{})
	r.publish(1, 5)
	r.drain()
	r.rewind(StartOldest)
	r.server.SetFaults(sim.Fault{Kind: sim.FaultDrop, Path: sim.PlaceOffsets, Next: 2})
	r.temporary(ticket.Retry)
	r.temporary(ticket.Retry)
	require.Len(t, r.drain(), 5)
	require.Len(t, r.asked(http.MethodPost, "/subscriptions"), 1)
}
