package acronis

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/acronis"
)

// replace puts a server with a topic of its own behind the same address.
func (r *rig) replace(opts sim.Options) {
	opts.Now = r.clock.now
	r.server = sim.New(opts)
	r.server.AddClient(sim.Client{ID: "bridge", Secret: "the-secret"})
	r.wire.handler = r.server
}

func TestATopicMadeAnew(t *testing.T) {
	for _, how := range []string{"quiet", "refused"} {
		for _, consumer := range []Consumer{Stateful, Stateless, AutoCommit} {
			r := newRig(t, sim.Options{}, by(consumer))
			r.publish(1, 150)
			r.drain()
			r.drain()
			sure := r.clock.now()
			r.clock.pass(2 * time.Hour)
			r.replace(sim.Options{})
			r.clock.pass(time.Second)
			want := r.publish(1001, 1030)
			if how == "refused" {
				r.wire.instead = func(req *http.Request) (int, string) {
					if strings.HasSuffix(req.URL.Path, "/events") && req.URL.Query().Get("offset") == "150" {
						return 400, `{"error":{"code":"offsetOutOfRange"}}`
					}
					return 0, ""
				}
			} else {
				require.Empty(t, r.drain(), "one look is no proof")
				require.Empty(t, r.gaps)
			}
			r.clock.pass(2 * time.Minute)
			require.Equal(t, want, ids(r.drain()), "%s %s", how, consumer)
			if consumer == Stateless {
				require.Equal(t, int64(30), r.server.Committed(r.id()))
			}
			require.Len(t, r.gaps, 1)
			require.Equal(t, sure, r.gaps[0].From)
			require.Equal(t, r.clock.now(), r.gaps[0].To)
			require.Contains(t, r.gaps[0].Reason, "went back from 150 to 30")
			require.Zero(t, marks(r.got))
			r.clock.pass(time.Hour)
			require.Equal(t, r.publish(1031, 1200), ids(r.drain()))
			require.Len(t, r.gaps, 1)
			require.Zero(t, marks(r.got))
			if consumer == Stateless {
				r.step()
				require.Equal(t, int64(200), r.server.Committed(r.id()))
			}
		}
	}
}

// An answer that goes back is looked into at once.
func TestATopicMadeAnewThatSaysSo(t *testing.T) {
	r := newRig(t, sim.Options{})
	r.publish(1, 150)
	r.drain()
	checked := r.clock.now()
	r.clock.pass(30 * time.Minute)
	r.drain()
	r.replace(sim.Options{})
	want := r.publish(1001, 1030)
	r.wire.instead = on(http.MethodGet, "/events", 200, `{"events":[],"offset":30}`)
	r.step()
	require.Equal(t, int64(150), r.state().Offset)
	r.wire.instead = nil
	r.clock.pass(10 * time.Second)
	r.step()
	require.Empty(t, r.gaps)
	r.clock.pass(51 * time.Second)
	require.Equal(t, want, ids(r.drain()))
	require.Len(t, r.gaps, 1)
	require.Equal(t, checked, r.gaps[0].From, "that its end was beyond our offset was known then, no later")
}

// It may be a backup that was restored: what was handed over comes as replayed.
func TestATopicSetBack(t *testing.T) {
	r := newRig(t, sim.Options{})
	r.publish(1, 20)
	backup, err := r.server.Snapshot()
	require.NoError(t, err)
	r.clock.pass(time.Second)
	r.publish(21, 40)
	r.drain()
	require.NoError(t, r.server.Restore(backup))
	r.clock.pass(2 * time.Hour)
	want := r.publish(41, 45)
	r.drain()
	r.clock.pass(time.Minute)
	got := r.drain()
	require.Equal(t, append(numbered(1, 20), want...), ids(got))
	require.Equal(t, 20, marks(got))
	require.Len(t, r.gaps, 1)
}

func numbered(from, to int) (list []string) {
	for i := from; i <= to; i++ {
		list = append(list, fmt.Sprint(disabledType, i))
	}
	return list
}

func TestAnOffsetThatSlipsBackOnce(t *testing.T) {
	for _, body := range []string{`{"events":[],"offset":3}`, `{"events":[` + raw("1", 1) + `],"offset":1}`, `{"events":[],"offset":0}`} {
		r := newRig(t, sim.Options{})
		r.publish(1, 20)
		r.drain()
		r.wire.instead = on(http.MethodGet, "/events", 200, body)
		for _, e := range r.step().Entries { // one that nobody knows
			require.True(t, e.Replayed && e.Create)
		}
		require.Equal(t, int64(20), r.state().Offset)
		r.wire.instead = nil
		require.Equal(t, r.publish(21, 22), ids(r.drain()))
		require.Empty(t, r.gaps)
	}
}

func TestAServerThatLagsBehindForAMoment(t *testing.T) {
	r := newRig(t, sim.Options{})
	r.publish(1, 20)
	r.drain()
	r.clock.pass(2 * time.Hour)
	r.wire.edit = func(req *http.Request, body string) string {
		if strings.HasSuffix(req.URL.Path, "/offsets") {
			return strings.Replace(body, `"offset":20`, `"offset":18`, 1)
		}
		return body
	}
	r.drain()
	require.False(t, r.state().Doubted.IsZero())
	r.wire.edit = nil
	r.clock.pass(2 * time.Minute)
	r.drain()
	require.True(t, r.state().Doubted.IsZero())
	require.Empty(t, r.gaps)
	require.Equal(t, r.publish(21, 22), ids(r.drain()))
}

// elsewhere points the feed at another data center.
func (r *rig) elsewhere() {
	r.cfg.URL = "https://us5.example"
	r.open()
}

func TestAnotherDataCenterGoesOnByTheTime(t *testing.T) {
	for _, consumer := range []Consumer{Stateful, Stateless, AutoCommit} {
		r := newRig(t, sim.Options{Base: 5000}, by(consumer), from(StartCurrent))
		r.step()
		r.publish(1, 5)
		r.clock.pass(20 * time.Minute)
		r.publish(6, 10)
		require.Len(t, r.drain(), 10)
		r.replace(sim.Options{})
		r.clock.pass(-2 * time.Minute)
		r.server.Publish(disabled("old"), disabled("10"))
		r.clock.pass(6 * time.Minute)
		want := r.publish(11, 13)
		r.elsewhere()
		got := ids(r.drain())
		require.Equal(t, append([]string{disabledType + "old"}, want...), got, "10 was handed over")
		require.Zero(t, marks(r.got))
		require.Empty(t, r.gaps)
		require.Equal(t, r.publish(14, 15), ids(r.drain()))
	}
}

func TestAMoveAfterALongDowntime(t *testing.T) {
	r := newRig(t, sim.Options{Base: 5000})
	r.publish(1, 5)
	r.drain()
	r.drain()
	read := r.clock.now()
	r.clock.pass(9 * 24 * time.Hour)
	r.replace(sim.Options{})
	want := r.publish(11, 13)
	r.elsewhere()
	require.Equal(t, want, ids(r.drain()))
	require.Len(t, r.gaps, 1)
	require.Equal(t, read, r.gaps[0].From)
	require.Equal(t, r.clock.now(), r.gaps[0].To)
}

func TestAMoveOfAQuietFeed(t *testing.T) {
	for start, want := range map[string]int{StartCurrent: 1, StartEarliest: 2} {
		r := newRig(t, sim.Options{}, from(start))
		r.drain()
		r.clock.pass(10 * time.Hour)
		r.drain()
		r.replace(sim.Options{})
		r.clock.pass(-time.Hour)
		r.publish(1, 1)
		r.clock.pass(time.Hour + time.Minute)
		r.publish(2, 2)
		r.elsewhere()
		require.Len(t, r.drain(), want, "%s: nothing since it was read last is left out", start)
		require.Empty(t, r.gaps)
	}
}

func TestAMoveForgetsNoRewindSilently(t *testing.T) {
	r := newRig(t, sim.Options{}, from(StartCurrent))
	r.step()
	r.publish(1, 5)
	r.drain()
	pos, err := r.client.Rewind(r.pos, "2")
	require.NoError(t, err)
	r.pos = pos
	want := r.publish(6, 7)
	r.elsewhere()
	require.Equal(t, want, ids(r.drain()), "an offset of another data center means nothing; what is new comes")
}

func TestAnotherTopicBeginsAnew(t *testing.T) {
	r := newRig(t, sim.Options{})
	r.publish(1, 5)
	r.drain()
	before := r.id()
	r.cfg.Topic, r.cfg.Types = sim.TopicTask, []string{"cti.*"}
	r.open()
	r.server.Publish(sim.Event{ID: "x", Topic: sim.TopicTask, Type: "cti.t"})
	require.Equal(t, []string{"cti.t/x"}, ids(r.drain()))
	require.NotEqual(t, before, r.id())
	require.Equal(t, sim.TopicTask, r.state().Topic)
	require.Zero(t, marks(r.got))
}

func TestOtherTypesGoOnWhereTheyWere(t *testing.T) {
	r := newRig(t, sim.Options{}, by(Stateless))
	r.publish(1, 5)
	r.drain()
	r.cfg.Types = []string{"cti.*"}
	r.open()
	r.server.Publish(sim.Event{ID: "x", Type: "cti.t"})
	require.Equal(t, []string{"cti.t/x"}, ids(r.drain()))
	require.Equal(t, 2, r.server.Stats().Subscriptions)
	r.step()
	require.Equal(t, int64(6), r.server.Committed(r.id()))
}
