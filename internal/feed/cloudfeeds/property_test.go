package cloudfeeds

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/event"
	sim "github.com/ticketbridge/ticketbridge/internal/simulator/cloudfeeds"
)

// runs is small for every day; some hundreds took part in making this.
var runs = flag.Int("runs", 0, "random runs for each server mode, with and without crashes; 0: 6, with the race detector 2")

func wantedRuns() int {
	switch {
	case *runs > 0:
		return *runs
	case raceDetector:
		return 2
	default:
		return 6
	}
}

// world is one random run: what was published, and what was handed over.
type world struct {
	*rig
	rng     *rand.Rand
	crashes bool

	published []sim.Entry
	late      map[string]bool
	crashed   int
	handed    map[string]int
	order     []event.Entry
}

func newWorld(t *testing.T, mode sim.Mode, seed uint64, crashes bool) *world {
	rng := rand.New(rand.NewPCG(seed, 7))
	limit := 2 + rng.IntN(12)
	if rng.IntN(8) == 0 {
		limit = 30
	}
	r := newRig(t, sim.Options{Mode: mode, Seed: seed}, func(c *Config) {
		c.Limit = limit
		c.Overlap = time.Duration(20+rng.IntN(100)) * time.Second
	})
	if seed%4 > 0 {
		r.askForJSON()
	}
	return &world{rig: r, rng: rng, crashes: crashes, late: map[string]bool{}, handed: map[string]int{}}
}

// burst publishes at the present, some of it late, back-dated or at one time.
func (w *world) burst(n int) {
	for range n {
		if w.rng.IntN(3) > 0 {
			w.clock.pass(time.Duration(w.rng.IntN(400)) * time.Millisecond)
		}
		e := sim.Entry{Account: account, TicketID: fmt.Sprint("T", w.rng.IntN(4)), Updated: w.clock.now().Truncate(time.Millisecond)}
		late := w.rng.IntN(8) == 0
		if late && w.rng.IntN(2) == 0 {
			e.VisibleAt = w.clock.now().Add(time.Duration(w.rng.IntN(12000)) * time.Millisecond)
		} else if late {
			e.Updated = e.Updated.Add(-time.Duration(w.rng.IntN(9000)) * time.Millisecond)
		}
		id := w.server.Publish(e)[0]
		e.ID = id
		w.published = append(w.published, e)
		w.late[id] = late
	}
}

// poll reads until there is no more, and crashes between hand-over and the
// use of the position now and then.
func (w *world) poll() {
	for i := 0; ; i++ {
		require.Less(w.t, i, 3000, "reading does not come to an end")
		reading, err := w.client.Read(w.t.Context(), event.Step{Position: w.pos})
		require.NoError(w.t, err)
		require.LessOrEqual(w.t, len(reading.Position), 12<<10)
		for _, e := range reading.Entries {
			w.handed[e.ID]++
			w.order = append(w.order, e)
		}
		w.gaps = append(w.gaps, reading.Gaps...)
		if w.crashes && w.rng.IntN(12) == 0 {
			w.crashed++
			continue
		}
		w.pos = reading.Position
		if !reading.More {
			return
		}
		w.clock.pass(time.Duration(w.rng.IntN(3000)) * time.Millisecond)
	}
}

func (w *world) run() {
	for range 25 {
		switch w.rng.IntN(8) {
		case 0:
			w.burst(10 + w.rng.IntN(20))
		case 1, 2, 3:
			w.burst(1 + w.rng.IntN(4))
		case 4:
			w.clock.pass(time.Duration(w.rng.IntN(600)) * time.Second)
		}
		w.clock.pass(6 * time.Second)
		w.poll()
	}
	for range 8 {
		w.clock.pass(time.Minute)
		w.poll()
	}
}

func (w *world) covered(at time.Time) bool {
	return slices.ContainsFunc(w.gaps, func(g event.Gap) bool { return !at.Before(g.From) && !at.After(g.To) })
}

func (w *world) check() {
	t := w.t
	for _, e := range w.published {
		if w.handed[e.ID] == 0 {
			require.True(t, w.covered(e.Updated), "%s of %s (late %t) was lost without a gap; gaps %v", e.ID, e.Updated, w.late[e.ID], w.gaps)
		}
		if w.crashed == 0 {
			require.LessOrEqual(t, w.handed[e.ID], 1, "%s was handed over twice", e.ID)
		}
	}
	if w.crashed == 0 {
		slices.SortFunc(w.gaps, func(a, b event.Gap) int { return a.From.Compare(b.From) })
		for i := 1; i < len(w.gaps); i++ {
			require.NotEqual(t, w.gaps[i-1], w.gaps[i], "a gap was reported twice")
		}
	}
	last := map[string]time.Time{}
	done := map[string]bool{}
	for _, e := range w.order {
		require.False(t, e.Replayed, "nothing is a replay here")
		if w.late[e.ID] || done[e.ID] {
			continue
		}
		done[e.ID] = true
		ticket := e.Foreign.TicketID
		require.False(t, e.StoredAt.Before(last[ticket]), "%s is out of order", e.ID)
		last[ticket] = e.StoredAt
	}
}

func (w *world) checkIdleCost() {
	before := len(w.server.Log())
	const polls = 8
	for range polls {
		w.clock.pass(10 * time.Second)
		w.pos = w.mustRead().Position
	}
	require.Equal(w.t, polls, len(w.server.Log())-before, "an idle poll costs one request")
}

func (w *world) mustRead() event.Reading {
	r, err := w.client.Read(w.t.Context(), event.Step{Position: w.pos})
	require.NoError(w.t, err)
	require.False(w.t, r.More)
	require.Empty(w.t, r.Entries)
	require.Empty(w.t, r.Gaps)
	return r
}

func TestNothingLostNothingTwice(t *testing.T) {
	for _, mode := range []sim.Mode{sim.JDBC, sim.DDB, sim.DDBBrokenForward} {
		for _, crashes := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s crashes=%t", mode, crashes), func(t *testing.T) {
				t.Parallel()
				withGap := 0
				for seed := range uint64(wantedRuns()) {
					w := newWorld(t, mode, seed, crashes)
					w.run()
					w.check()
					w.checkIdleCost()
					if len(w.gaps) > 0 {
						withGap++
					}
					if mode == sim.JDBC {
						require.Empty(t, w.gaps, "seed %d: this server can always be walked", seed)
					}
				}
				t.Logf("%d of %d runs had a gap", withGap, wantedRuns())
			})
		}
	}
}
