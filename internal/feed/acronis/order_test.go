package acronis

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/event"
	sim "github.com/ticketbridge/ticketbridge/internal/simulator/acronis"
)

// raw is an event as the Event Manager sends it; sequence -1: without.
func raw(id string, sequence int64) string {
	place := ""
	if sequence >= 0 {
		place = fmt.Sprintf(`,"sequence":%d`, sequence)
	}
	return fmt.Sprintf(`{"id":%q,"type":"t","source":"s","tenant_id":"x","time":"2026-03-01T11:00:00Z","ingest_time":"2026-03-01T11:00:00Z"%s}`, id, place)
}

// pages answers the polls one after the other, then with nothing.
func (r *rig) pages(bodies ...string) {
	r.step()
	r.wire.instead = func(req *http.Request) (int, string) {
		switch {
		case strings.HasSuffix(req.URL.Path, "/topics/offsets"):
			return 200, `{"offset":9007199254740999}`
		case !strings.HasSuffix(req.URL.Path, "/events"):
			return 0, ""
		case len(bodies) == 0:
			return 202, ""
		}
		body := bodies[0]
		bodies = bodies[1:]
		return 200, body
	}
}

func pageOf(offset string, events ...string) string {
	if offset != "" {
		offset = `,"offset":` + offset
	}
	return `{"events":[` + strings.Join(events, ",") + `]` + offset + `}`
}

// What stands where something was read already, or before it, and is not known,
// may be new: it is handed over with leave to create, and its ticket looked for first.
func TestWhatMayBeNewIsNotDropped(t *testing.T) {
	other := `{"id":"o","type":"other","sequence":2,"ingest_time":"2026-03-01T11:00:00Z"}`
	for name, page := range map[string]string{
		"another type at the same place": pageOf("2", raw("a", 1), raw("b", 2), other),
		"another type at the last place": pageOf("4", other, raw("c", 4)),
		"late, below what was read":      pageOf("8", `{"id":"o","type":"other","sequence":3}`, raw("c", 8)),
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, sim.Options{})
			r.pages(pageOf("2", raw("a", 1), raw("b", 2)), pageOf("4", raw("x", 4)), page, page)
			r.got = nil
			for range 6 {
				r.step()
			}
			var found []event.Entry
			for _, e := range r.got {
				if e.ID == "other/o" {
					found = append(found, e)
				}
			}
			require.Len(t, found, 1, "once")
			require.True(t, found[0].Replayed && found[0].Create)
		})
	}
}

func TestOrderAndDuplicates(t *testing.T) {
	for name, c := range map[string]struct {
		pages []string
		want  string
		end   int64
	}{
		"in disorder":            {[]string{pageOf("9", raw("c", 9), raw("a", 3), raw("b", 7))}, "a b c", 9},
		"a page again":           {[]string{pageOf("2", raw("a", 1), raw("b", 2)), pageOf("3", raw("a", 1), raw("b", 2), raw("c", 3))}, "a b c", 3},
		"twice in a page":        {[]string{pageOf("2", raw("a", 1), raw("a", 1), raw("b", 2))}, "a b", 2},
		"same place, other type": {[]string{pageOf("2", raw("a", 1), raw("b", 2), `{"id":"c","type":"t","sequence":2}`)}, "a b", 2},
		"same place, new id":     {[]string{pageOf("2", raw("a", 1), raw("b", 2), raw("x", 2))}, "a b", 2},
		"same id, new place":     {[]string{pageOf("2", raw("a", 1)), pageOf("5", raw("a", 4), raw("b", 5))}, "a b", 5},
		"exact":                  {[]string{pageOf("9007199254740993", raw("b", 9007199254740993), raw("a", 9007199254740992))}, "a b", 9007199254740993},
		"moves alone":            {[]string{pageOf("50"), pageOf("60", raw("a", 55))}, "a", 60},
		"lags behind":            {[]string{pageOf("1", raw("a", 1), raw("b", 2)), pageOf("2", raw("b", 2), raw("c", 3)), pageOf("3", raw("c", 3))}, "a b c", 3},
		"stands still":           {[]string{pageOf("0", raw("a", 1), raw("b", 2)), pageOf("2", raw("c", 3))}, "a b c", 3},
		"no offset":              {[]string{pageOf("", raw("a", 1), raw("b", 2)), pageOf(""), pageOf("null", raw("b", 2), raw("c", 4))}, "a b c", 4},
		"no sequences":           {[]string{pageOf("2", raw("b", -1), raw("a", -1)), pageOf("3", raw("a", -1), raw("c", -1))}, "b a c", 3},
		"nothing of both":        {[]string{pageOf("", raw("b", -1), raw("a", -1)), pageOf("", raw("a", -1), raw("c", -1))}, "b a c", 0},
		"some without":           {[]string{pageOf("9", raw("c", 5), raw("x", -1), raw("a", 3), raw("y", -1))}, "a y c x", 9},
		"a liar ahead":           {[]string{pageOf("2", raw("a", 1), raw("z", 9e15)), pageOf("4", raw("b", 3), raw("c", 4))}, "a z b c", 4},
		"text for a number":      {[]string{pageOf("4", `{"id":"b","type":"t","sequence":"4"}`, `{"id":"a","type":"t","sequence":"3"}`)}, "a b", 4},
		"a fraction, a minus":    {[]string{pageOf("4", `{"id":"b","type":"t","sequence":4.5}`, `{"id":"a","type":"t","sequence":-3}`)}, "b a", 4},
		"events null":            {[]string{`{"offset":4,"events":null}`, pageOf("5", raw("a", 5))}, "a", 5},
		"below zero":             {[]string{pageOf("-4"), pageOf("5", raw("a", 5))}, "a", 5},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, sim.Options{})
			r.pages(c.pages...)
			r.got = nil
			for range len(c.pages) + 2 {
				r.step()
			}
			require.Equal(t, "t/"+strings.ReplaceAll(c.want, " ", " t/"), strings.Join(ids(r.got), " "))
			require.Equal(t, c.end, r.state().Offset)
			require.Equal(t, c.end, r.state().Highest)
			require.Empty(t, r.gaps)
			require.Zero(t, marks(r.got))
		})
	}
}

func TestNewEventsAreNoReplays(t *testing.T) {
	for _, inclusive := range []bool{false, true} {
		r := newRig(t, sim.Options{Inclusive: inclusive})
		for i := range 20 {
			r.server.Publish(sim.Event{Type: "cti.not.ours"}) // moves the offset alone
			want := r.publish(2*i, 2*i+1)
			require.Equal(t, want, ids(r.drain()))
			require.Zero(t, marks(r.got), inclusive)
		}
		require.Equal(t, 19, r.holes)
	}
}

func TestATopicWithoutOrder(t *testing.T) {
	r := newRig(t, sim.Options{}, func(c *Config) { c.Topic, c.Types = sim.TopicSecurity, []string{"cti.*"} })
	var want []string
	for i := range 250 {
		r.server.Publish(sim.Event{ID: fmt.Sprint(i), Topic: sim.TopicSecurity, Type: "cti.t"})
		want = append(want, fmt.Sprint("cti.t/", i))
	}
	require.Equal(t, want, ids(r.drain()))
	require.Empty(t, r.got[0].Place)
	require.Equal(t, "cti.t/0", r.got[0].Item())
	require.Empty(t, r.drain())

	pos, err := r.client.Rewind(r.pos, "100")
	require.NoError(t, err)
	r.pos = pos
	r.server.Publish(sim.Event{ID: "new", Topic: sim.TopicSecurity, Type: "cti.t"})
	require.Equal(t, append(want[100:], "cti.t/new"), ids(r.drain()))
	require.Equal(t, 150, marks(r.got), "the new one alone is new")
	require.False(t, r.got[150].Replayed)
}

func TestHolesAreCounted(t *testing.T) {
	r := newRig(t, sim.Options{})
	for i := range 10 {
		r.publish(i, i)
		if i%3 == 0 {
			r.server.Publish(sim.Event{Type: "cti.not.ours"})
		}
	}
	require.Len(t, r.drain(), 10)
	require.Equal(t, 3, r.holes)
	require.Empty(t, r.gaps)
	r.publish(10, 10)
	r.drain()
	require.Equal(t, 4, r.holes, "the one after the last page")
	r.server.Consolidate(sim.TopicTenant)
	r.publish(11, 11)
	r.drain()
	require.Equal(t, 4, r.holes)
}

func TestFilteredEventsMoveTheOffset(t *testing.T) {
	eachWay(t, func(t *testing.T, dialect sim.Dialect, consumer Consumer) {
		r := newRig(t, sim.Options{Dialect: dialect}, by(consumer))
		r.drain()
		for range 5 {
			r.server.Publish(sim.Event{Type: "cti.not.ours"})
		}
		require.Empty(t, r.drain())
		require.Equal(t, int64(5), r.state().Offset)
		if consumer == Stateless {
			r.step()
			require.Equal(t, int64(5), r.server.Committed(r.id()))
		}
	})
}

func TestCatchingUp(t *testing.T) {
	r := newRig(t, sim.Options{})
	r.publish(1, 250)
	r.step()
	for _, want := range []struct {
		events int
		more   bool
	}{{100, true}, {100, true}, {50, false}, {0, false}} {
		reading := r.step()
		require.Len(t, reading.Entries, want.events)
		require.Equal(t, want.more, reading.More)
	}
	require.Equal(t, "offset 250", r.step().Marker)

	short := newRig(t, sim.Options{})
	short.pages(pageOf("4", raw("a", 1), raw("b", 4)))
	short.step()
	short.wire.instead = nil
	short.rewind("0")
	short.pages(pageOf("1", raw("a", 1)), pageOf("4", raw("b", 4)))
	require.True(t, short.step().More, "a replay is not interrupted")
	require.False(t, short.step().More)

	hundred := make([]string, pageLimit)
	for i := range hundred {
		hundred[i] = raw(fmt.Sprint(i), -1)
	}
	stuck := newRig(t, sim.Options{})
	stuck.pages(pageOf("", hundred...), pageOf("", hundred...))
	require.Len(t, stuck.step().Entries, 100)
	require.False(t, stuck.step().More, "a server that turns in a circle is not hurried")
}
