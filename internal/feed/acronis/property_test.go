package acronis

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/acronis"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// runs is small for every day; thousands took part in making this.
var runs = flag.Int("runs", 0, "random runs of each kind; 0: 5, with the race detector 1")

func wantedRuns() int {
	switch {
	case *runs > 0:
		return *runs
	case raceDetector:
		return 1
	default:
		return 5
	}
}

// world is one random run: what was published, and what came first when.
type world struct {
	*rig
	rng   *rand.Rand
	seed  uint64
	feeds []*rig

	published []string
	arrived   []string
	times     map[string]int // of arrival
	used      map[*rig]map[string]bool
	crashes   bool
	failures  int
}

func newWorld(t *testing.T, consumer Consumer, consumers int, seed uint64) *world {
	rng := rand.New(rand.NewPCG(seed, 11))
	pick := func(list ...int64) int64 { return list[rng.IntN(len(list))] }
	opts := sim.Options{
		Seed: seed, Dialect: []sim.Dialect{sim.Both, sim.Tutorial, sim.OpenAPI}[rng.IntN(3)], Inclusive: rng.IntN(2) == 0,
		Base: pick(0, 7, 1<<53, 1<<62), UnknownStatus: int(pick(400, 403, 404, 410)), RetryAfter: int(pick(-1, 1, 5)),
		EvictAfter: time.Duration(pick(0, 20)) * time.Minute, TokenLife: time.Duration(pick(1, 40, 120)) * time.Minute, JSON401: rng.IntN(2) == 0,
	}
	if consumer == Stateless && opts.Dialect == sim.OpenAPI {
		opts.Dialect = sim.Both
	}
	r := newRig(t, opts, by(consumer), func(c *Config) {
		c.AutoCommitInterval = time.Duration(1+rng.IntN(300)) * time.Second
		c.SessionTimeout = 30 * time.Second
	})
	w := &world{rig: r, rng: rng, seed: seed, feeds: []*rig{r}, times: map[string]int{}, used: map[*rig]map[string]bool{}, crashes: rng.IntN(3) > 0}
	if consumers == 2 {
		w.feeds = append(w.feeds, r.beside())
	}
	for _, f := range w.feeds {
		w.used[f] = map[string]bool{}
	}
	return w
}

// faults are all that heal by themselves.
func (w *world) faults() {
	places := []string{"", sim.PlaceToken, sim.PlaceOffsets, sim.PlaceSubscriptions, sim.PlaceCommit, sim.PlaceEvents}
	kinds := []sim.Fault{
		{Kind: sim.FaultDrop}, {Kind: sim.FaultCut}, {Kind: sim.FaultHTML}, {Kind: sim.FaultExpired}, {Kind: sim.FaultStatus},
		{Kind: sim.FaultStatus, Status: 500}, {Kind: sim.FaultStatus, Status: 429, RetryAfter: 3}, {Kind: sim.FaultStatus, Status: 503, RetryAfter: 3, AsDate: true},
	}
	var list []sim.Fault
	for range w.rng.IntN(5) {
		f := kinds[w.rng.IntN(len(kinds))]
		f.Path, f.Share = places[w.rng.IntN(len(places))], w.rng.Float64()*0.4
		list = append(list, f)
	}
	w.server.SetFaults(list...)
}

func (w *world) burst(n int) {
	for range n {
		if w.rng.IntN(3) == 0 {
			w.server.Publish(sim.Event{Type: "cti.not.ours"})
		}
		if w.rng.IntN(40) == 0 { // one that is malformed has only its place
			w.server.Publish(sim.Event{Type: "cti.a.p.em.event.v1.0~a.p.tenant.x", Raw: fmt.Sprintf(`{"odd":%d}`, len(w.published))})
			w.published = append(w.published, fmt.Sprintf("malformed:%016x", hashOf(fmt.Sprintf(`{"odd":%d}`, len(w.published)))))
		} else {
			id := fmt.Sprint(len(w.published))
			w.server.Publish(disabled(id))
			w.published = append(w.published, disabledType+id)
		}
	}
}

// poll makes one step of a feed; it may crash before the position is recorded.
func (w *world) poll(f *rig) (more bool) {
	reading, err := f.read()
	if err != nil {
		w.healing(err)
		return true
	}
	require.LessOrEqual(w.t, len(reading.Position), 4<<10)
	require.Empty(w.t, reading.Gaps, "seed %d", w.seed)
	for _, e := range reading.Entries {
		require.False(w.t, e.Replayed && !e.Create, "seed %d: %s", w.seed, e.ID)
		if w.times[e.ID]++; w.times[e.ID] == 1 {
			w.arrived = append(w.arrived, e.ID)
		}
	}
	if w.crashes && w.rng.IntN(6) == 0 {
		return true
	}
	for _, e := range reading.Entries {
		require.False(w.t, w.used[f][e.ID], "seed %d: %s came again though its position was used", w.seed, e.ID)
		w.used[f][e.ID] = true
	}
	f.pos = reading.Position
	return reading.More || len(reading.Entries) > 0 || reading.Note != ""
}

func (w *world) healing(err error) {
	w.failures++
	require.Less(w.t, w.failures, 5000)
	if e, ok := errors.AsType[*ConfigurationError](err); ok {
		require.Contains(w.t, e.Message, "just issued", "seed %d", w.seed) // forgotten twice in a row
		return
	}
	require.Contains(w.t, []ticket.Kind{ticket.Retry, ticket.RateLimited}, ticket.KindOf(err), "seed %d: %v", w.seed, err)
}

func (w *world) act() {
	f := w.feeds[w.rng.IntN(len(w.feeds))]
	switch w.rng.IntN(12) {
	case 0:
		w.burst(w.rng.IntN(300))
	case 1, 2:
		w.burst(1 + w.rng.IntN(5))
	case 3:
		w.server.Evict(f.id())
	case 4:
		w.server.RevokeTokens()
	case 5:
		f.open() // another worker
	case 6:
		w.clock.pass(time.Duration(w.rng.IntN(240)) * time.Minute)
	case 7:
		w.faults()
	case 8:
		if pos, err := json.Marshal(json.RawMessage(f.pos)); err == nil && f.pos != nil {
			f.pos = pos // as Temporal keeps it
		}
	default:
		w.clock.pass(time.Duration(w.rng.IntN(40)) * time.Second)
	}
	for range 1 + w.rng.IntN(4) {
		w.poll(f)
	}
}

func (w *world) run() {
	for range 120 {
		w.act()
	}
	w.server.SetFaults()
	w.crashes = false
	for _, f := range w.feeds {
		w.clock.pass(time.Minute) // the other one's session ends
		for i := 0; w.poll(f); i++ {
			require.Less(w.t, i, 1000, "seed %d: it never ends", w.seed)
			w.clock.pass(time.Second)
		}
		w.poll(f)
	}
	require.Equal(w.t, w.published, w.arrived, "seed %d", w.seed)
}

func TestNothingIsLostAndOrderIsKept(t *testing.T) {
	for _, consumer := range []Consumer{Stateful, Stateless, AutoCommit} {
		for _, consumers := range []int{1, 2} {
			t.Run(fmt.Sprint(consumer, " ", consumers), func(t *testing.T) {
				t.Parallel()
				faults := 0
				for seed := range uint64(wantedRuns()) {
					w := newWorld(t, consumer, consumers, seed)
					w.run()
					for _, n := range w.server.Stats().ByFault {
						faults += n
					}
					if consumer == Stateful {
						for _, f := range w.feeds {
							require.Len(t, w.used[f], len(w.published), "each has its own position")
						}
					}
				}
				t.Logf("%d faults", faults)
			})
		}
	}
}
