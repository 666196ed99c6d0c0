package acronis

import (
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/acronis"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// undisturbed makes sure that a look changes nothing for the feed.
func (r *rig) undisturbed(look func()) {
	r.t.Helper()
	committed := r.server.Committed(r.id())
	own := func() (n int) {
		for _, line := range r.server.Log() {
			if line.SubscriptionID == r.id() {
				n++
			}
		}
		return n
	}
	polls := own()
	look()
	require.Equal(r.t, polls, own(), "the feed's own subscription is not touched")
	require.Equal(r.t, committed, r.server.Committed(r.id()))
	before := len(r.notes)
	r.step()
	require.Len(r.t, r.notes, before)
}

func TestAnEventIsReadAgain(t *testing.T) {
	eachWay(t, func(t *testing.T, dialect sim.Dialect, consumer Consumer) {
		for _, inclusive := range []bool{false, true} {
			r := newRig(t, sim.Options{Dialect: dialect, Inclusive: inclusive, Base: 1 << 60}, by(consumer))
			r.publish(1, 300)
			r.server.Publish(sim.Event{Type: "cti.not.ours"})
			r.publish(301, 303)
			entries := r.drain()
			r.undisturbed(func() {
				for _, i := range []int{0, 1, 98, 99, 100, 299, 300, 302} {
					got, err := r.client.Entry(t.Context(), entries[i].Item())
					require.NoError(t, err)
					require.Equal(t, entries[i], got)
				}
			})
		}
	})
}

func TestAMalformedEventIsReadAgain(t *testing.T) {
	r := newRig(t, sim.Options{})
	r.server.Publish(sim.Event{Type: "cti.a.p.em.event.v1.0~a.p.tenant.x", Raw: `{"id":"x","sequence":1}`})
	got := r.drain()
	again, err := r.client.Entry(t.Context(), got[0].Item())
	require.NoError(t, err)
	require.Equal(t, got[0], again)
}

func TestEventsThatCannotBeReadAgain(t *testing.T) {
	r := newRig(t, sim.Options{Retention: retention})
	r.publish(1, 3)
	r.drain()
	for item, id := range map[string]string{
		disabledType + "9@9": disabledType + "9", disabledType + "9@2": disabledType + "9", // another one stands there
		"t/x": "t/x", "": "", "@": "@", "t/x@": "t/x@", "t/x@y": "t/x@y", "t/x@-5": "t/x@-5", "5": "5", "@5": "",
		"t/x@9223372036854775807": "t/x", "t/x@0": "t/x", "t/x@9223372036854775808": "t/x@9223372036854775808",
	} {
		got, err := r.client.Entry(t.Context(), item)
		require.Equal(t, ticket.NotFound, ticket.KindOf(err), item)
		require.Equal(t, id, got.ID)
	}
	r.clock.pass(7 * time.Hour)
	_, err := r.client.Entry(t.Context(), disabledType+"2@2")
	require.ErrorContains(t, err, "does not have the event any more")
	r.publish(4, 5)
	_, err = r.client.Entry(t.Context(), disabledType+"2@2")
	require.Equal(t, ticket.NotFound, ticket.KindOf(err))
	r.server.SetFaults(sim.Fault{Kind: sim.FaultStatus, Share: 1})
	_, err = r.client.Entry(t.Context(), disabledType+"5@5")
	require.Equal(t, ticket.Retry, ticket.KindOf(err))
	_, err = r.client.Newest(t.Context(), 3)
	require.Equal(t, ticket.Retry, ticket.KindOf(err))
}

func TestTheNewestOfADenseTopic(t *testing.T) {
	for _, opts := range []sim.Options{{Dialect: sim.Tutorial}, {Dialect: sim.OpenAPI, Base: 1 << 60}, {Inclusive: true}} {
		r := newRig(t, opts, by(AutoCommit))
		r.publish(1, 720)
		r.step()
		r.step()
		r.undisturbed(func() {
			for _, n := range []int{0, 1, 5, 99, 100, 101, 650, 5000} {
				got, err := r.client.Newest(t.Context(), n)
				require.NoError(t, err)
				require.Equal(t, numbered(max(721-n, 1), 720), append([]string(nil), ids(got)...), n)
			}
		})
	}
}

func TestTheNewestOfASparseTopic(t *testing.T) {
	r := newRig(t, sim.Options{})
	for i := range 6000 {
		r.server.Publish(sim.Event{Type: "cti.not.ours"})
		if i%1000 == 0 {
			r.publish(i/1000, i/1000)
		}
	}
	before := len(r.asked(http.MethodGet, "/events"))
	got, err := r.client.Newest(t.Context(), 3)
	require.NoError(t, err)
	require.Equal(t, numbered(3, 5), ids(got))
	require.LessOrEqual(t, len(r.asked(http.MethodGet, "/events"))-before, 12)
	got, err = r.client.Newest(t.Context(), 50)
	require.NoError(t, err)
	require.Equal(t, numbered(0, 5), ids(got), "fewer than wanted")
}

// A burst long ago must not pass for the newest.
func TestTheNewestAfterABurst(t *testing.T) {
	r := newRig(t, sim.Options{})
	r.publish(1, 3000)
	for range 400 {
		r.server.Publish(sim.Event{Type: "cti.not.ours"})
	}
	r.publish(3001, 3002)
	got, err := r.client.Newest(t.Context(), 5)
	require.NoError(t, err)
	require.Equal(t, numbered(2998, 3002), ids(got))
	require.LessOrEqual(t, len(r.asked(http.MethodGet, "/events")), 60)
}

func TestTheNewestOfNothing(t *testing.T) {
	for _, base := range []int64{0, math.MaxInt64 - 10} {
		r := newRig(t, sim.Options{Base: base, Retention: retention})
		got, err := r.client.Newest(t.Context(), 3)
		require.NoError(t, err)
		require.Empty(t, got)
		r.server.Publish(sim.Event{Type: "cti.not.ours"})
		got, err = r.client.Newest(t.Context(), 3)
		require.NoError(t, err)
		require.Empty(t, got)
		r.publish(1, 2)
		r.clock.pass(7 * time.Hour)
		got, err = r.client.Newest(t.Context(), 3)
		require.NoError(t, err)
		require.Empty(t, got, "all gone by retention")
	}
}

func TestTheNewestWhereAnswersSayNoOffset(t *testing.T) {
	r := newRig(t, sim.Options{})
	r.publish(1, 250)
	r.wire.edit = func(req *http.Request, body string) string {
		if strings.HasSuffix(req.URL.Path, "/events") {
			return body[:strings.LastIndex(body, `,"offset"`)] + "}"
		}
		return body
	}
	got, err := r.client.Newest(t.Context(), 220)
	require.NoError(t, err)
	require.Equal(t, numbered(31, 250), ids(got))
}

func TestTheNewestWithoutSequences(t *testing.T) {
	r := newRig(t, sim.Options{}, func(c *Config) { c.Topic, c.Types = sim.TopicSecurity, []string{"cti.*"} })
	for i := range 30 {
		r.server.Publish(sim.Event{ID: fmt.Sprint(i), Topic: sim.TopicSecurity, Type: "cti.t"})
	}
	got, err := r.client.Newest(t.Context(), 2)
	require.NoError(t, err)
	require.Equal(t, []string{"cti.t/28", "cti.t/29"}, ids(got))
}
