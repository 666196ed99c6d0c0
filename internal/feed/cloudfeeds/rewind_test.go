package cloudfeeds

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/cloudfeeds"
)

func (r *rig) rewind(to string) {
	r.t.Helper()
	pos, err := r.client.Rewind(r.pos, to)
	require.NoError(r.t, err)
	r.pos = pos
}

func TestStarts(t *testing.T) {
	for _, mode := range allModes {
		for _, n := range []int{6, 10, 34} {
			start := func(how func(ids []string) string) (*rig, []string, []string) {
				r := newRig(t, sim.Options{Mode: mode})
				ids := r.publish(n)
				r.clock.pass(10 * time.Minute)
				r.cfg.Start = how(ids)
				client, err := New(r.cfg)
				require.NoError(t, err)
				r.client = client
				return r, ids, idsOf(r.drain())
			}

			r, _, got := start(func([]string) string { return "now" })
			require.Empty(t, got, "now")
			require.Empty(t, r.gaps)
			next := r.publish(2)
			r.clock.pass(3 * time.Second)
			require.Equal(t, next, idsOf(r.drain()))

			r, ids, got := start(func([]string) string { return "oldest" })
			require.Subset(t, ids, got)
			if n < 10 || mode != sim.DDBBrokenForward {
				require.Equal(t, ids, got, "oldest %s %d", mode, n)
				require.Empty(t, r.gaps)
			} else {
				require.Equal(t, ids[n-10:], got)
				require.Len(t, r.gaps, 1)
			}
			require.Empty(t, r.settle())

			r, ids, got = start(func(ids []string) string { return ids[n-4] })
			require.Equal(t, ids[n-3:], got, "a marker on the head, %s %d", mode, n)
			require.Empty(t, r.gaps)
			require.Empty(t, r.settle())

			r, ids, got = start(func(ids []string) string { return ids[1] })
			if n > 10 && mode == sim.DDBBrokenForward {
				require.Equal(t, ids[n-10:], got)
				require.Len(t, r.gaps, 1)
			} else {
				require.Equal(t, ids[2:], got, "a marker behind the head, %s %d", mode, n)
				require.Empty(t, r.gaps)
			}
			require.Empty(t, r.settle())
			eachReplayed(t, r.got, false)
		}
	}
}

func TestStartAtAnUnknownMarker(t *testing.T) {
	for _, n := range []int{5, 34} {
		r := newRig(t, sim.Options{}, func(c *Config) { c.Start = "urn:uuid:00000000-0000-0000-0000-000000000000" })
		ids := r.publish(n)
		r.clock.pass(time.Minute)
		require.Equal(t, ids, idsOf(r.drain()))
		require.Len(t, r.gaps, 1)
		require.True(t, r.gaps[0].From.IsZero())
		require.Equal(t, r.got[0].StoredAt, r.gaps[0].To)
		require.Contains(t, r.gaps[0].Reason, "urn:uuid:00000000-0000-0000-0000-000000000000")
	}
}

func TestRewind(t *testing.T) {
	for _, mode := range []sim.Mode{sim.JDBC, sim.DDB} {
		for _, n := range []int{6, 34} {
			r := newRig(t, sim.Options{Mode: mode})
			ids := r.publish(n)
			r.clock.pass(10 * time.Minute)
			require.Equal(t, ids, idsOf(r.drain()))
			times := map[string]time.Time{}
			for _, e := range r.got {
				times[e.ID] = e.StoredAt
			}
			for name, c := range map[string]struct {
				to   string
				want []string
			}{
				"oldest":             {"oldest", ids},
				"a marker at head":   {ids[n-3], ids[n-2:]},
				"a marker far back":  {ids[1], ids[2:]},
				"a time at head":     {times[ids[n-3]].Format(time.RFC3339Nano), ids[n-3:]},
				"a time far back":    {times[ids[2]].Format(time.RFC3339Nano), ids[2:]},
				"the newest":         {ids[n-1], nil},
				"a time in a second": {r.clock.now().Add(time.Second).Format(time.RFC3339), nil},
			} {
				r.rewind(c.to)
				got := r.drain()
				require.ElementsMatch(t, c.want, idsOf(got), "%s, %s, %d entries", name, mode, n)
				eachReplayed(t, got, true)
				require.Empty(t, r.settle(), name)
				require.Empty(t, r.gaps, name)
			}
		}
	}
}

func TestRewindBringsLateEntriesAsNew(t *testing.T) {
	r := newRig(t, sim.Options{})
	ids := r.publish(3)
	late := r.server.Publish(sim.Entry{Account: account, TicketID: "T", VisibleAt: r.clock.now().Add(time.Minute)})
	r.publish(2)
	r.clock.pass(3 * time.Second)
	r.drain()
	r.clock.pass(2 * time.Minute)
	r.rewind(ids[0])
	for _, e := range r.drain() {
		require.Equal(t, e.ID != late[0], e.Replayed, e.ID)
	}
}

func TestRewindInTheMiddleOfAWalkLosesNothing(t *testing.T) {
	for _, to := range []string{"oldest", "marker", "newest", "time"} {
		r := newRig(t, sim.Options{})
		first := r.publish(3)
		r.clock.pass(10 * time.Minute)
		r.drain()
		ids := r.publish(45)
		r.clock.pass(10 * time.Minute) // too old for the overlap to make up for a mistake
		for range 3 {
			require.True(t, r.step().More)
		}
		switch to {
		case "marker":
			to = first[1]
		case "newest":
			to = ids[30] // newer than what was read: must not skip what lies between
		case "time":
			to = r.clock.now().Add(-10*time.Minute - 20*time.Second).Format(time.RFC3339)
		}
		r.rewind(to)
		r.drain()
		r.settle()
		seen := map[string]bool{}
		for _, e := range r.got {
			require.Equal(t, seen[e.ID], e.Replayed, "%s rewinding to %s", e.ID, to)
			seen[e.ID] = true
		}
		for _, id := range ids {
			require.True(t, seen[id], "%s was lost by rewinding to %s", id, to)
		}
	}
}

func TestRewindOnABrokenServerIsAGap(t *testing.T) {
	r := newRig(t, sim.Options{Mode: sim.DDBBrokenForward})
	for range 34 {
		r.publish(1)
		r.clock.pass(5 * time.Second)
		r.drain()
	}
	r.gaps = nil
	to := r.clock.now().Add(-2 * time.Minute)
	r.rewind(to.Format(time.RFC3339))
	got := r.drain()
	require.Len(t, got, 10, "what the head holds")
	eachReplayed(t, got, true)
	require.Len(t, r.gaps, 1)
	require.Equal(t, to.UTC(), r.gaps[0].From)
	require.Equal(t, got[0].StoredAt, r.gaps[0].To)
}

func TestRewindRefusesNonsense(t *testing.T) {
	r := newRig(t, sim.Options{})
	for _, to := range []string{"", "now", "last", "yesterday noon", "urn:uuid:<x>"} {
		_, err := r.client.Rewind(nil, to)
		require.ErrorContains(t, err, "to:", to)
	}
	_, err := r.client.Rewind([]byte(`{"host":1}`), "oldest")
	require.ErrorContains(t, err, "position of feed test")
}

func TestRewindBeforeTheFirstRead(t *testing.T) {
	r := newRig(t, sim.Options{}, func(c *Config) { c.Start = "now" })
	ids := r.publish(4)
	r.clock.pass(3 * time.Second)
	r.rewind("oldest")
	require.Equal(t, ids, idsOf(r.drain()))
	eachReplayed(t, r.got, false)
}
