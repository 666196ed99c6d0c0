package acronis

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/acronis"
)

const otherReader = "9a1bd0d2-2b9c-4c2f-9a38-0b1b7f0a7a11"

// beside is a second feed with the same subscription and its own position.
func (r *rig) beside() *rig {
	other := *r
	other.reader, other.pos, other.got, other.gaps, other.notes = otherReader, nil, nil, nil, nil
	other.open()
	return &other
}

func TestOnlyOneOfTwoConsumersReads(t *testing.T) {
	for _, seconds := range []int{7, -1} {
		r := newRig(t, sim.Options{RetryAfter: seconds})
		r.publish(1, 5)
		r.drain()
		other := r.beside()
		other.step()
		reading := other.step()
		require.Empty(t, reading.Entries)
		require.Contains(t, reading.Note, "standing by")
		require.Contains(t, reading.Note, r.id())
		require.False(t, reading.More)
		want := standby
		if seconds > 0 {
			want = 7 * time.Second
		}
		require.Equal(t, want, reading.Wait)
		require.Equal(t, 1, r.server.Stats().NotLeader)
	}
}

func TestTakeover(t *testing.T) {
	eachWay(t, func(t *testing.T, dialect sim.Dialect, consumer Consumer) {
		for _, inclusive := range []bool{false, true} {
			r := newRig(t, sim.Options{Dialect: dialect, Inclusive: inclusive}, by(consumer), func(c *Config) { c.AutoCommitInterval = time.Second })
			before := r.publish(1, 50)
			other := r.beside()
			require.Equal(t, before, ids(r.drain()))
			other.step()
			other.step()
			require.NotEmpty(t, other.notes)
			r.clock.pass(5 * time.Second)
			r.step()
			other.step()

			r.clock.pass(DefaultSession + time.Second) // the first one died
			after := r.publish(51, 60)
			got := ids(other.drain())
			if consumer == Stateful {
				require.Equal(t, append(before, after...), got, "each has its own position")
			} else {
				require.Equal(t, after, got, "it goes on where the other was")
				for _, e := range other.got {
					require.True(t, e.Replayed && e.Create, "whether the other one delivered it is looked into")
				}
				late := other.publish(61, 62)
				require.Equal(t, late, ids(other.drain()))
				require.LessOrEqual(t, marks(other.got), 1, "what came after the takeover is new; whether the one at the offset is, is not told")
				pos, err := other.client.Rewind(other.pos, StartOldest)
				require.NoError(t, err)
				other.pos = pos
				other.drain()
				require.Len(t, other.got, 62)
				require.GreaterOrEqual(t, marks(other.got), 59, "one may seem new: who reads it first is not told")
			}
			require.Empty(t, other.gaps)
			reading := r.step()
			require.Contains(t, reading.Note, "standing by", "and the first one waits now")
		}
	})
}

func TestTheSameConsumerOnAnotherWorkerGoesOnAtOnce(t *testing.T) {
	eachWay(t, func(t *testing.T, dialect sim.Dialect, consumer Consumer) {
		r := newRig(t, sim.Options{Dialect: dialect}, by(consumer))
		want := r.publish(1, 250)
		var got []string
		for range 6 {
			r.open()
			got = append(got, ids(r.step().Entries)...)
		}
		require.Equal(t, want, got)
		require.Empty(t, r.notes)
		require.Zero(t, r.server.Stats().NotLeader)
		require.Equal(t, 1, r.server.Stats().Subscriptions)
	})
}

func TestAStepWithoutAReaderIsKnownByTheFeed(t *testing.T) {
	r := newRig(t, sim.Options{})
	r.reader = ""
	want := r.publish(1, 3)
	require.Equal(t, want, ids(r.drain()))
	r.open()
	r.step()
	require.Zero(t, r.server.Stats().NotLeader)
}

func TestATakeoverIsLookedIntoOnce(t *testing.T) {
	for _, inclusive := range []bool{false, true} {
		r := newRig(t, sim.Options{Inclusive: inclusive}, by(Stateless))
		r.publish(1, 5)
		r.drain()
		other := r.beside()
		other.step()
		r.publish(6, 20)
		r.drain()
		other.step()
		r.clock.pass(DefaultSession + time.Second)
		require.Empty(t, other.drain())
		looks := len(r.asked("GET", "/subscriptions/offset"))
		other.rewind(StartOldest)
		require.Len(t, other.drain(), 20)
		require.Equal(t, 20, marks(other.got), "handed over by the other one")
		require.Len(t, r.asked("GET", "/subscriptions/offset"), looks)
	}
}

// Who stands by while it reads again must not skip what it was told to replay.
func TestStandingByDuringAReplay(t *testing.T) {
	r := newRig(t, sim.Options{}, by(Stateless))
	r.publish(1, 150)
	r.drain()
	pos, err := r.client.Rewind(r.pos, StartOldest)
	require.NoError(t, err)
	r.pos = pos
	r.step()
	r.wire.instead = on("GET", "/events", 429, "")
	r.step()
	r.wire.instead = nil
	require.Len(t, r.drain(), 150)
	require.Equal(t, 150, marks(r.got))
}

// What a subscription that could not be told our offset remembers means nothing.
func TestAnUntoldSubscriptionIsNotBelieved(t *testing.T) {
	r := newRig(t, sim.Options{Dialect: sim.OpenAPI}, by(AutoCommit))
	want := r.publish(1, 5)
	r.step()
	r.wire.instead = on("GET", "/events", 429, "")
	r.step()
	r.server.SetCommitted(r.id(), 5)
	r.wire.instead = nil
	require.Equal(t, want, ids(r.drain()))
}

func TestManyTakeovers(t *testing.T) {
	for _, consumer := range []Consumer{Stateless, AutoCommit} {
		r := newRig(t, sim.Options{}, by(consumer), func(c *Config) { c.AutoCommitInterval = time.Second })
		feeds := []*rig{r, r.beside()}
		var want, got []string
		for round := range 10 {
			want = append(want, r.publish(round*10, round*10+9)...)
			leads := feeds[round%2]
			got = append(got, ids(leads.drain())...)
			feeds[(round+1)%2].step()
			r.clock.pass(2 * time.Second)
			got = append(got, ids(leads.drain())...)
			r.clock.pass(DefaultSession + time.Second)
		}
		require.Equal(t, want, got, fmt.Sprint(consumer))
	}
}
