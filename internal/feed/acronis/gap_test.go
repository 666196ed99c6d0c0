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

const retention = 6 * time.Hour

func TestALongDowntimeIsAGapOnce(t *testing.T) {
	eachWay(t, func(t *testing.T, dialect sim.Dialect, consumer Consumer) {
		for _, inclusive := range []bool{false, true} {
			r := newRig(t, sim.Options{Dialect: dialect, Retention: retention, Inclusive: inclusive}, by(consumer))
			r.publish(1, 5)
			r.drain()
			r.clock.pass(time.Minute)
			r.drain()
			read := r.clock.now()
			r.clock.pass(time.Minute)
			r.publish(6, 7) // nobody reads these
			r.clock.pass(4 * time.Hour)
			first := r.clock.now()
			want := r.publish(8, 9)
			r.clock.pass(3 * time.Hour)
			require.Equal(t, want, ids(r.drain()))
			require.Len(t, r.gaps, 1)
			require.Equal(t, read, r.gaps[0].From)
			require.Equal(t, first, r.gaps[0].To)
			require.Contains(t, r.gaps[0].Reason, "may have expired unread")
			r.clock.pass(2 * time.Hour)
			r.drain()
			require.Len(t, r.gaps, 1)
			require.Zero(t, marks(r.got))
		}
	})
}

func TestALongDowntimeThatLeftNothing(t *testing.T) {
	for _, dialect := range []sim.Dialect{sim.Both, sim.Tutorial, sim.OpenAPI} {
		for _, how := range []string{"as it is", "202", "empty"} {
			r := newRig(t, sim.Options{Dialect: dialect, Retention: retention})
			r.publish(1, 5)
			r.drain()
			r.drain()
			read := r.clock.now()
			r.publish(6, 7)
			r.clock.pass(7 * time.Hour)
			switch how { // servers may say that nothing is new, and leave the offset alone
			case "202":
				r.wire.instead = on(http.MethodGet, "/events", 202, "")
			case "empty":
				r.wire.instead = on(http.MethodGet, "/events", 200, `{"events":[],"offset":5}`)
			}
			r.step()
			r.wire.instead = nil
			require.Len(t, r.gaps, 1, how)
			require.Equal(t, read, r.gaps[0].From)
			require.Equal(t, r.clock.now(), r.gaps[0].To)
			require.Equal(t, int64(7), r.state().Offset)
			require.Empty(t, r.drain())
			r.clock.pass(7 * time.Hour)
			r.drain()
			require.Equal(t, r.publish(8, 8), ids(r.drain()))
			require.Len(t, r.gaps, 1)
		}
	}
}

func TestNoGapWhereNoneIs(t *testing.T) {
	eachWay(t, func(t *testing.T, dialect sim.Dialect, consumer Consumer) {
		for _, start := range []string{StartEarliest, StartCurrent, "2026-03-01T11:00:00Z", "0"} {
			r := newRig(t, sim.Options{Dialect: dialect, Retention: retention}, by(consumer), from(start))
			r.publish(1, 3)
			r.clock.pass(time.Hour)
			for i := range 12 { // old ones expire after they were read
				r.drain()
				r.clock.pass(2 * time.Hour)
				r.publish(10+i, 10+i)
				r.server.Publish(sim.Event{Type: "cti.not.ours"})
			}
			r.clock.pass(5 * time.Hour) // less than it is kept
			require.Len(t, r.drain(), 1)
			r.clock.pass(48 * time.Hour) // and nothing new
			r.drain()
			require.Empty(t, r.gaps, start)
		}
	})
}

func TestAStartThatIsNotKeptAnyMore(t *testing.T) {
	for _, inclusive := range []bool{false, true} {
		r := newRig(t, sim.Options{Retention: retention, Inclusive: inclusive}, from("2"))
		r.publish(1, 5)
		r.clock.pass(7 * time.Hour)
		first := r.clock.now()
		want := r.publish(6, 8)
		require.Equal(t, want, ids(r.drain()))
		require.Len(t, r.gaps, 1)
		require.True(t, r.gaps[0].From.IsZero(), "since when is not known")
		require.Equal(t, first, r.gaps[0].To)
	}
	for _, consumer := range []Consumer{Stateful, Stateless, AutoCommit} {
		r := newRig(t, sim.Options{Retention: retention}, from(StartStored), by(consumer))
		_, err := r.client.api.subscribe(t.Context(), r.client.subscription)
		require.NoError(t, err)
		r.publish(1, 5)
		r.server.SetCommitted(r.id(), 2)
		r.clock.pass(7 * time.Hour)
		want := r.publish(6, 8)
		require.Equal(t, want, ids(r.drain()))
		require.Len(t, r.gaps, 1, consumer)
	}
}

// The topic forgets faster than we catch up.
func TestRetentionOvertakesUs(t *testing.T) {
	for _, consumer := range []Consumer{Stateful, Stateless, AutoCommit} {
		r := newRig(t, sim.Options{Retention: retention}, by(consumer))
		began := r.clock.now()
		for i := range 60 {
			r.publish(10*i, 10*i+9)
			r.clock.pass(5 * time.Minute)
		}
		r.step()                    // earliest
		r.step()                    // 0..99
		r.clock.pass(2 * time.Hour) // 11 of 60 lots are gone: 0..119
		got := ids(r.drain())
		require.Equal(t, fmt.Sprint(disabledType, 120), got[0])
		require.Len(t, got, 480)
		require.Len(t, r.gaps, 1, consumer)
		require.Equal(t, began.Add(45*time.Minute), r.gaps[0].From, "when the last one read was taken in")
		require.Equal(t, began.Add(60*time.Minute), r.gaps[0].To)
	}
}

func TestRetentionOvertakesUsInSmallSteps(t *testing.T) {
	r := newRig(t, sim.Options{Retention: retention})
	for i := range 60 {
		r.publish(10*i, 10*i+9)
		r.clock.pass(5 * time.Minute)
	}
	r.clock.pass(55 * time.Minute)
	r.step()
	r.step() // 0..99
	r.clock.pass(59 * time.Minute)
	require.Len(t, r.step().Entries, 100)
	require.Len(t, r.gaps, 1, "less than an hour after the last look, but what comes is old")
	require.Contains(t, r.gaps[0].Reason, "offset 100 is older than the earliest that the topic keeps, 110")
}

func TestWhatExpiresBeforeTheFirstPoll(t *testing.T) {
	r := newRig(t, sim.Options{Retention: retention}, from(StartCurrent))
	r.step()
	pinned := r.clock.now()
	r.publish(1, 3)
	r.clock.pass(7 * time.Hour)
	require.Empty(t, r.drain())
	require.Len(t, r.gaps, 1)
	require.Equal(t, pinned, r.gaps[0].From)
}

// A page that came before the topic forgot is complete; what is gone after it is
// told with the next one.
func TestRetentionMovesBetweenThePageAndTheQuestion(t *testing.T) {
	r := newRig(t, sim.Options{Retention: retention})
	r.publish(1, 150)
	r.clock.pass(5*time.Hour + 59*time.Minute)
	r.step()
	r.wire.edit = func(req *http.Request, body string) string {
		if strings.HasSuffix(req.URL.Path, "/events") {
			r.clock.pass(2 * time.Hour)
		}
		return body
	}
	want := r.publish(151, 152)
	require.Len(t, r.step().Entries, 100)
	r.wire.edit = nil
	require.Equal(t, want, ids(r.drain()))
	require.NotEmpty(t, r.gaps)
	last := r.gaps[len(r.gaps)-1]
	require.Contains(t, last.Reason, "offset 100 is older")
}

// Times that producers invent must not hide that others expire.
func TestTimesInTheFutureHideNoGap(t *testing.T) {
	future := `{"id":"f","type":"t","sequence":6,"previous":5,"time":"2031-01-01T00:00:00Z","ingest_time":"2031-01-01T00:00:00Z"}`
	r := newRig(t, sim.Options{Retention: retention})
	r.publish(1, 5)
	r.server.Publish(sim.Event{Type: "cti.a.p.em.event.v1.0~a.p.tenant.x", Raw: future})
	require.Len(t, r.drain(), 6)
	require.False(t, r.state().Newest.After(r.clock.now()))
	r.publish(7, 8)
	r.clock.pass(7 * time.Hour)
	r.publish(9, 9)
	r.drain()
	require.Len(t, r.gaps, 1)
}

func TestAnOffsetTooOldToBeReadFrom(t *testing.T) {
	for _, consumer := range []Consumer{Stateful, Stateless, AutoCommit} {
		r := newRig(t, sim.Options{Retention: retention}, by(consumer))
		r.publish(1, 5)
		r.drain()
		r.publish(6, 7)
		r.clock.pass(7 * time.Hour)
		want := r.publish(8, 9)
		r.wire.instead = func(req *http.Request) (int, string) {
			if strings.HasSuffix(req.URL.Path, "/events") && req.URL.Query().Get("offset") < "7" {
				return 400, `{"error":{"code":"offsetOutOfRange"}}`
			}
			return 0, ""
		}
		require.Equal(t, want, ids(r.drain()))
		require.Len(t, r.gaps, 1)
		require.Empty(t, r.drain())
		require.Len(t, r.gaps, 1)
	}
}

func TestTheTopicIsAskedWhatItKeepsOnlyNowAndThen(t *testing.T) {
	r := newRig(t, sim.Options{Dialect: sim.OpenAPI})
	r.publish(1, 3)
	r.drain()
	before := len(r.asked(http.MethodGet, "/topics/offsets"))
	for range 120 {
		r.clock.pass(time.Minute)
		r.step()
	}
	require.Len(t, r.asked(http.MethodGet, "/topics/offsets"), before+2*1, "its beginning and its end, once in more than an hour")
}

func TestAGapIsNotForgottenWhenTheQuestionFails(t *testing.T) {
	r := newRig(t, sim.Options{Retention: retention})
	r.publish(1, 5)
	r.drain()
	r.publish(6, 7)
	r.clock.pass(7 * time.Hour)
	want := r.publish(8, 9)
	r.got = nil
	for _, status := range []int{503, 403, 404} {
		r.server.SetFaults(sim.Fault{Kind: sim.FaultStatus, Status: status, Path: sim.PlaceOffsets, Share: 1})
		require.Contains(t, r.step().Note, "cannot be asked what it still keeps")
		require.Empty(t, r.gaps)
	}
	require.Equal(t, want, ids(r.got), "what came is handed over")
	r.server.SetFaults()
	require.Empty(t, r.drain())
	require.Len(t, r.gaps, 1)
	require.Contains(t, r.gaps[0].Reason, "offset 5 is older")
	r.clock.pass(2 * time.Hour)
	r.drain()
	require.Len(t, r.gaps, 1, "it is told once")
}

// A server whose offset does not move past what the filter hides: retention
// passes it though nothing was missed.
func TestAnOffsetThatStaysBehindTheFilterIsNoGap(t *testing.T) {
	r := newRig(t, sim.Options{})
	r.publish(1, 5)
	r.drain()
	r.wire.instead = func(request *http.Request) (int, string) {
		switch query := request.URL.Query(); {
		case strings.HasSuffix(request.URL.Path, "/events"):
			return http.StatusOK, `{"events":[],"offset":` + query.Get("offset") + `}`
		case query.Get("position") != "":
			return http.StatusOK, `{"offset":5000}`
		}
		return 0, ""
	}
	for range 300 {
		r.clock.pass(30 * time.Second)
		r.step()
	}
	require.Empty(t, r.gaps)
	require.EqualValues(t, 5000, r.state().Offset)
}
