package cloudfeeds

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/event"
	sim "github.com/ticketbridge/ticketbridge/internal/simulator/cloudfeeds"
)

func TestPositionStaysSmall(t *testing.T) {
	r := newRig(t, sim.Options{}, func(c *Config) { c.Limit = DefaultLimit })
	r.askForJSON()
	for range 1300 {
		r.clock.pass(3 * time.Millisecond)
		r.server.Publish(sim.Entry{Account: account, TicketID: "T"})
	}
	r.clock.pass(3 * time.Second)
	largest := 0
	for r.step().More {
		largest = max(largest, len(r.pos))
	}
	r.rewind("oldest")
	r.step()
	largest = max(largest, len(r.pos))
	require.LessOrEqual(t, largest, 12<<10)
	require.Greater(t, largest, 10<<10, "the memory is used")
}

func TestLargestPosition(t *testing.T) {
	at := time.Date(2026, 11, 12, 13, 14, 15, 123456789, time.UTC)
	id := strings.Repeat("u", 80)
	m := mark{id, at}
	p := position{
		Host: strings.Repeat("h", 80), Marker: id, Newest: at, Highest: at, Settled: at, Floor: at, Anchor: m,
		Aim: &aim{Marker: id, From: at, After: id, Until: at, Fresh: true, None: true}, Walk: &walk{m, at, true, true},
		Lost: &lost{at, (&position{Aim: &aim{Marker: id}}).lostReason(), true}, Look: &look{at, at, m},
		NoForward: at, Asked: at, Full: at, ETag: `W/"` + strings.Repeat("e", 80) + `"`,
	}
	for i := range 3 * maxRemember {
		p.Seen.add(hashID(fmt.Sprint(i)), at)
	}
	data, err := json.Marshal(p)
	require.NoError(t, err)
	require.LessOrEqual(t, len(data), 12<<10)

	var back position
	require.NoError(t, json.Unmarshal(data, &back))
	require.Len(t, back.Seen.hashes, len(p.Seen.hashes))
	require.True(t, back.Seen.has(hashID(fmt.Sprint(3*maxRemember-1))))
	require.False(t, back.Seen.has(hashID("0")))
	require.False(t, back.Seen.upTo[0].Before(at), "rounded up, never down")
}

// lostReason is the longest reason that a position holds.
func (p *position) lostReason() string {
	p.markerGone("is unknown to the feed (404)")
	return p.Lost.Reason
}

func TestLongIDsAreNoMarkers(t *testing.T) {
	r := newRig(t, sim.Options{})
	long := "urn:uuid:" + strings.Repeat("x", 5000)
	for i := range 5 {
		r.clock.pass(time.Second)
		r.server.Publish(sim.Entry{ID: fmt.Sprint(long, i), Account: account, TicketID: "T"})
	}
	ids := r.publish(1)
	r.clock.pass(time.Second * 3)
	require.Len(t, r.drain(), 6)
	require.Equal(t, ids[0], r.step().Marker)
	require.Less(t, len(r.pos), 1000)
}

func TestUnreadablePosition(t *testing.T) {
	r := newRig(t, sim.Options{})
	for _, bad := range []string{`[]`, `{"seen":{"hashes":"AAA","up_to":[1]}}`, `{"seen":{"hashes":"!"}}`} {
		_, err := r.client.Read(t.Context(), event.Step{Position: json.RawMessage(bad)})
		require.ErrorContains(t, err, "position of feed test")
	}
	for _, none := range []string{"", "null"} {
		_, err := r.client.Read(t.Context(), event.Step{Position: json.RawMessage(none)})
		require.NoError(t, err)
	}
}
