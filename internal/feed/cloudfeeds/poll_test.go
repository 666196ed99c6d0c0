package cloudfeeds

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/event"
	sim "github.com/ticketbridge/ticketbridge/internal/simulator/cloudfeeds"
)

var allModes = []sim.Mode{sim.JDBC, sim.DDB, sim.DDBBrokenForward}

func inEachMode(t *testing.T, test func(t *testing.T, r *rig)) {
	for _, mode := range allModes {
		t.Run(string(mode), func(t *testing.T) { test(t, newRig(t, sim.Options{Mode: mode})) })
	}
}

func TestOldestFirst(t *testing.T) {
	inEachMode(t, func(t *testing.T, r *rig) {
		ids := r.publish(5)
		r.clock.pass(3 * time.Second)
		require.Equal(t, ids, idsOf(r.drain()), "pages come newest first, hand-over is oldest first")
		reading := r.step()
		require.Empty(t, reading.Entries)
		require.Equal(t, ids[4], reading.Marker)
		require.Equal(t, r.clock.now().Add(-3*time.Second), reading.Newest)
		require.Empty(t, r.gaps)
	})
}

func TestTiesKeepPageOrder(t *testing.T) {
	r := newRig(t, sim.Options{})
	at := r.clock.now()
	var ids []string
	for range 4 {
		ids = append(ids, r.server.Publish(sim.Entry{Account: account, TicketID: "T", Updated: at})...)
	}
	r.clock.pass(5 * time.Second)
	require.Equal(t, ids, idsOf(r.drain()))
}

func TestExactlyFullPage(t *testing.T) {
	inEachMode(t, func(t *testing.T, r *rig) {
		r.publish(3)
		r.clock.pass(10 * time.Minute)
		r.drain()
		ids := r.publish(r.cfg.Limit)
		r.clock.pass(5 * time.Second)
		got := r.drain()
		if r.server.Stats().Walks > 0 && len(r.gaps) > 0 {
			require.Equal(t, ids, idsOf(got), "a gap may be noted, but the page is handed over")
			return
		}
		got = append(got, r.settle()...)
		require.Equal(t, ids, idsOf(got))
	})
}

func TestMoreThanAPageIsHandedOverInOrder(t *testing.T) {
	for _, mode := range []sim.Mode{sim.JDBC, sim.DDB} {
		t.Run(string(mode), func(t *testing.T) {
			r := newRig(t, sim.Options{Mode: mode})
			first := r.publish(3)
			r.clock.pass(10 * time.Minute)
			require.Equal(t, first, idsOf(r.drain()))
			ids := r.publish(47)
			r.clock.pass(5 * time.Second)
			require.Equal(t, ids, idsOf(r.drain()))
			require.Empty(t, r.gaps)
			require.Empty(t, r.settle())
		})
	}
}

func TestWalkSurvivesCrashes(t *testing.T) {
	r := newRig(t, sim.Options{Mode: sim.JDBC})
	r.publish(3)
	r.clock.pass(10 * time.Minute)
	r.drain()
	ids := r.publish(47)
	r.clock.pass(5 * time.Second)
	handed := map[string]int{}
	for more := true; more; {
		again, err := r.client.Read(t.Context(), event.Step{Position: r.pos}) // handed over, then killed
		require.NoError(t, err)
		reading := r.step()
		require.Equal(t, idsOf(again.Entries), idsOf(reading.Entries), "a position used twice brings the same")
		for _, e := range reading.Entries {
			handed[e.ID]++
		}
		more = reading.More
	}
	for _, id := range ids {
		require.Equal(t, 1, handed[id])
	}
}

func TestBrokenForwardIsAGapOnce(t *testing.T) {
	r := newRig(t, sim.Options{Mode: sim.DDBBrokenForward})
	r.publish(3)
	r.clock.pass(10 * time.Minute)
	r.drain()
	settled := r.clock.now().Add(-DefaultOverlap)
	ids := r.publish(25)
	r.clock.pass(5 * time.Second)
	got := r.drain()
	require.Equal(t, ids[15:], idsOf(got))
	require.Len(t, r.gaps, 1)
	require.Equal(t, settled, r.gaps[0].From)
	require.Equal(t, got[0].StoredAt, r.gaps[0].To)
	require.Contains(t, r.gaps[0].Reason, "head holds newer entries")
	require.Empty(t, r.settle())
	require.Len(t, r.gaps, 1, "a window is reported once")
}

func TestLateEntryIsNewNotReplayed(t *testing.T) {
	inEachMode(t, func(t *testing.T, r *rig) {
		r.publish(2)
		late := r.server.Publish(sim.Entry{Account: account, TicketID: "T", VisibleAt: r.clock.now().Add(time.Minute)})
		r.publish(2)
		r.clock.pass(5 * time.Second)
		require.NotContains(t, idsOf(r.drain()), late[0])
		r.clock.pass(time.Minute)
		got := r.drain()
		require.Equal(t, late, idsOf(got))
		require.False(t, got[0].Replayed, "below the highest position, but never seen")
		require.Empty(t, r.settle())
	})
}

func TestLateEntryBelowAFullPage(t *testing.T) {
	for _, mode := range []sim.Mode{sim.JDBC, sim.DDB} {
		r := newRig(t, sim.Options{Mode: mode})
		r.publish(3)
		r.clock.pass(10 * time.Minute)
		r.drain()
		late := r.server.Publish(sim.Entry{Account: account, TicketID: "T", VisibleAt: r.clock.now().Add(time.Minute)})
		r.publish(25)
		r.clock.pass(3 * time.Second)
		r.drain()
		r.clock.pass(time.Minute)
		require.Equal(t, late, idsOf(r.settle()), "found by the walk over the overlap (%s)", mode)
		require.Empty(t, r.gaps)
	}
}

func TestQuietWeek(t *testing.T) {
	inEachMode(t, func(t *testing.T, r *rig) {
		r.publish(3)
		r.clock.pass(time.Minute)
		r.drain()
		for range 7 * 6 {
			r.clock.pass(4 * time.Hour)
			require.Empty(t, r.drain())
		}
		require.Empty(t, r.gaps)
		ids := r.publish(4)
		r.clock.pass(3 * time.Second)
		require.Equal(t, ids, idsOf(r.drain()))
		require.Empty(t, r.gaps, "the marker is dead, the head is not")
	})
}

func TestHostChange(t *testing.T) {
	inEachMode(t, func(t *testing.T, r *rig) {
		r.publish(5)
		r.clock.pass(10 * time.Minute)
		r.drain()
		r.cfg.URL = "https://other.example/consolidated_ticketing/events/" + account + "/"
		client, err := New(r.cfg)
		require.NoError(t, err)
		r.client = client
		ids := r.publish(4)
		r.clock.pass(3 * time.Second)
		require.Equal(t, ids, idsOf(r.drain()))
		require.Empty(t, r.gaps)
	})
}

func TestHostChangeMakesMarkersInvalid(t *testing.T) {
	r := newRig(t, sim.Options{})
	r.publish(5)
	r.clock.pass(10 * time.Minute)
	r.drain()
	other := newRig(t, sim.Options{Seed: 2})
	other.clock.pass(r.clock.now().Sub(other.clock.now()))
	ids := other.publish(33)
	other.clock.pass(3 * time.Second)
	other.cfg.URL = "https://other.example/consolidated_ticketing/events/" + account
	client, err := New(other.cfg)
	require.NoError(t, err)
	other.client, other.pos = client, r.pos
	require.Equal(t, ids, idsOf(other.drain()))
	for _, line := range other.server.Log() {
		require.NotEqual(t, 404, line.Status, "a marker of the old host is not asked for")
	}
}

func TestMoreTiesThanAPage(t *testing.T) {
	for _, mode := range []sim.Mode{sim.JDBC, sim.DDB} {
		r := newRig(t, sim.Options{Mode: mode})
		r.publish(3)
		r.clock.pass(10 * time.Minute)
		r.drain()
		at := r.clock.now()
		var ids []string
		for range 25 {
			ids = append(ids, r.server.Publish(sim.Entry{Account: account, TicketID: "T", Updated: at})...)
		}
		r.clock.pass(time.Minute)
		ids = append(ids, r.publish(4)...)
		r.clock.pass(3 * time.Second)
		got := idsOf(append(r.drain(), r.settle()...))
		if mode == sim.JDBC {
			require.Equal(t, ids, got)
			require.Empty(t, r.gaps)
			continue
		}
		require.Len(t, r.gaps, 1, "this server cannot page through one time")
		require.False(t, at.Before(r.gaps[0].From) || at.After(r.gaps[0].To), "%v covers %s", r.gaps[0], at)
		require.Equal(t, len(got), len(slices.Compact(slices.Sorted(slices.Values(got)))))
	}
}

func TestNotModified(t *testing.T) {
	r := newRig(t, sim.Options{})
	r.publish(3)
	r.clock.pass(10 * time.Minute)
	r.drain()
	r.drain() // the first one after everything settled carries no tag yet
	before := r.server.Stats()
	const polls = 90
	for range polls {
		r.clock.pass(10 * time.Second)
		require.Empty(t, r.drain())
	}
	now := r.server.Stats()
	require.Equal(t, polls, now.Heads-before.Heads)
	require.InDelta(t, polls-3, now.NotModified-before.NotModified, 1, "one full page in five minutes, else 304")
}

func TestMiddleOfThePageIsSeenInTime(t *testing.T) {
	r := newRig(t, sim.Options{})
	r.publish(2)
	late := r.server.Publish(sim.Entry{Account: account, TicketID: "T", VisibleAt: r.clock.now().Add(time.Hour)})
	r.publish(2)
	r.clock.pass(10 * time.Minute)
	r.drain()
	r.clock.pass(50 * time.Minute)
	start := r.clock.now()
	for len(r.drain()) == 0 {
		r.clock.pass(10 * time.Second)
		require.Less(t, r.clock.now().Sub(start), DefaultFullEvery+20*time.Second, "the tag hides %s for ever", late)
	}
}

func TestForeignTenantIsRefusedOnce(t *testing.T) {
	r := newRig(t, sim.Options{}, func(c *Config) { c.Tenant = "tid:hybrid:7" })
	r.server.Publish(
		sim.Entry{Account: account, Tenant: "hybrid:7", TicketID: "ours"},
		sim.Entry{Account: account, Tenant: "7", TicketID: "theirs"},
		sim.Entry{Account: account, Tenant: "hybrid:77", TicketID: "theirs"},
	)
	r.clock.pass(3 * time.Second)
	reading := r.step()
	require.Len(t, reading.Entries, 1)
	require.Equal(t, "ours", reading.Entries[0].Foreign.TicketID)
	require.Equal(t, 2, reading.Refused)
	r.clock.pass(time.Minute)
	require.Zero(t, r.step().Refused)
}

func TestSecondLookAfterAStorm(t *testing.T) {
	r := newRig(t, sim.Options{}, func(c *Config) { c.Limit = 100 })
	r.askForJSON()
	r.publish(3)
	r.clock.pass(10 * time.Minute)
	r.drain()
	var ids, late []string
	for i := range 1500 {
		r.clock.pass(10 * time.Millisecond)
		e := sim.Entry{Account: account, TicketID: "T"}
		if i == 200 {
			e.VisibleAt = r.clock.now().Add(time.Minute)
			late = r.server.Publish(e)
			continue
		}
		ids = append(ids, r.server.Publish(e)...)
	}
	r.clock.pass(3 * time.Second)
	require.Equal(t, ids, idsOf(r.drain()))
	r.clock.pass(time.Minute)
	again := r.settle()
	require.Contains(t, idsOf(again), late[0], "more came than is remembered: the window is read again")
	eachReplayed(t, again, false)
	require.Empty(t, r.settle())
	require.Empty(t, r.gaps)
}

func TestLateEntryBehindASlowWalk(t *testing.T) {
	r := newRig(t, sim.Options{}, func(c *Config) { c.Overlap = 20 * time.Second })
	r.publish(3)
	r.clock.pass(10 * time.Minute)
	r.drain()
	late := r.server.Publish(sim.Entry{Account: account, TicketID: "T", VisibleAt: r.clock.now().Add(19 * time.Second)})
	for range 45 {
		r.clock.pass(50 * time.Millisecond)
		r.server.Publish(sim.Entry{Account: account, TicketID: "T"})
	}
	r.clock.pass(3 * time.Second)
	for r.step().More {
		r.clock.pass(10 * time.Second) // the walk takes longer than the overlap
	}
	require.NotContains(t, idsOf(r.got), late[0], "it became visible behind the walk")
	require.Equal(t, late, idsOf(r.settle()))
}
