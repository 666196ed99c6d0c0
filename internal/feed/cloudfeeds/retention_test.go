package cloudfeeds

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/event"
	sim "github.com/ticketbridge/ticketbridge/internal/simulator/cloudfeeds"
)

func TestExpiredMarkerUnderAFullHead(t *testing.T) {
	for _, mode := range []sim.Mode{sim.JDBC, sim.DDB} {
		r := newRig(t, sim.Options{Mode: mode})
		r.publish(3)
		for range 4 * 6 {
			r.clock.pass(4 * time.Hour)
			r.drain()
		}
		ids := r.publish(35)
		r.clock.pass(3 * time.Second)
		require.Equal(t, ids, idsOf(r.drain()), "the walk begins at the oldest entry instead (%s)", mode)
		require.Empty(t, r.gaps, "what is read every four hours does not expire unread")
	}
}

// stopTooLong reads nothing for so long that five entries expire: what comes after
// them is read, and they are one gap.
func stopTooLong(t *testing.T, r *rig, stop time.Duration, n int) {
	t.Helper()
	settled := r.clock.now().Add(-DefaultOverlap)
	r.publish(5)
	r.clock.pass(stop)
	ids := r.publish(n)
	r.clock.pass(3 * time.Second)
	got := r.drain()
	require.Equal(t, ids, idsOf(got))
	require.Len(t, r.gaps, 1)
	require.Equal(t, event.Gap{From: settled, To: got[0].StoredAt, Reason: r.gaps[0].Reason}, r.gaps[0])
	require.Empty(t, r.settle())
	require.Len(t, r.gaps, 1)
}

func TestStopLongerThanRetention(t *testing.T) {
	for _, n := range []int{4, 35} {
		r := newRig(t, sim.Options{})
		r.publish(3)
		r.clock.pass(time.Hour)
		r.drain()
		stopTooLong(t, r, 80*time.Hour, n)
	}
}

// A server may keep entries for less than the documented three days.
func TestStopLongerThanTheServerKeeps(t *testing.T) {
	for _, n := range []int{4, 35} {
		r := newRig(t, sim.Options{Retention: 24 * time.Hour})
		r.publish(3)
		for range 3 {
			r.clock.pass(10 * time.Minute)
			r.drain()
		}
		stopTooLong(t, r, 30*time.Hour, n)
		require.Contains(t, r.gaps[0].Reason, "shorter")
	}
}

// That the last entry expired is no gap where the feed was read meanwhile.
func TestQuietForLongerThanTheServerKeeps(t *testing.T) {
	for _, n := range []int{4, 35} {
		r := newRig(t, sim.Options{Retention: 24 * time.Hour})
		r.publish(3)
		for range 12 {
			r.clock.pass(4 * time.Hour)
			r.drain()
		}
		for range 3 {
			ids := r.publish(n)
			r.clock.pass(3 * time.Second)
			require.Equal(t, ids, idsOf(r.drain()))
			r.settle()
			for range 8 {
				r.clock.pass(4 * time.Hour)
				r.drain()
			}
		}
		require.Empty(t, r.gaps)
	}
}
