package acronis

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/acronis"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func TestACommitFollowsTheHandOver(t *testing.T) {
	r := newRig(t, sim.Options{}, by(Stateless))
	r.publish(1, 450)
	var told []int64
	for range 12 {
		var before position
		if r.pos != nil {
			before = r.state()
		}
		for range 2 { // the first time it crashes
			_, err := r.read()
			require.NoError(t, err)
			require.LessOrEqual(t, r.server.Committed(r.id()), before.Offset)
		}
		r.step()
		require.Equal(t, before.Offset, r.server.Committed(r.id()))
		told = append(told, before.Offset)
	}
	require.Equal(t, []int64{0, 0, 100, 200, 300, 400, 450, 450, 450, 450, 450, 450}, told)
	require.Len(t, r.asked(http.MethodPost, "/subscriptions/offset"), 3+5*3, "none where nothing moved")
}

func TestNothingMovesWhenACommitFails(t *testing.T) {
	for _, fault := range []sim.Fault{{Kind: sim.FaultStatus, Status: 500}, {Kind: sim.FaultDrop}, {Kind: sim.FaultCut}, {Kind: sim.FaultHTML}, {Kind: sim.FaultStatus, Status: 429, RetryAfter: 3}} {
		r := newRig(t, sim.Options{}, by(Stateless))
		want := r.publish(1, 150)
		r.step()
		got := ids(r.step().Entries)
		fault.Path, fault.Next = sim.PlaceCommit, 1
		r.server.SetFaults(fault)
		require.NotEmpty(t, ticket.KindOf(r.fail()))
		require.Equal(t, want, append(got, ids(r.drain())...))
		require.Equal(t, int64(150), r.server.Committed(r.id()))
	}
}

func TestACenterWithoutCommits(t *testing.T) {
	r := newRig(t, sim.Options{Dialect: sim.OpenAPI}, by(Stateless))
	r.step()
	r.configurationError("consumer", "use stateful or auto_commit")
	for status, field := range map[int]string{405: "consumer", 501: "consumer", 404: "consumer", 400: "consumer", 410: "consumer", 415: "url"} {
		r := newRig(t, sim.Options{}, by(Stateless))
		r.publish(1, 5)
		r.step()
		r.wire.instead = on(http.MethodPost, "/subscriptions/offset", status, `{"error":{"code":"no"}}`)
		r.configurationError(field, "")
		r.wire.instead = nil
		r.drain()
		r.publish(6, 7)
		r.drain()
	}
}

func TestReadingOnIsTheAcknowledgement(t *testing.T) {
	for _, dialect := range []sim.Dialect{sim.Both, sim.OpenAPI} {
		r := newRig(t, sim.Options{Dialect: dialect}, by(AutoCommit), func(c *Config) { c.AutoCommitInterval = time.Second })
		r.publish(1, 250)
		for range 8 {
			var before position
			if r.pos != nil {
				before = r.state()
			}
			for range 2 {
				r.clock.pass(2 * time.Second)
				_, err := r.read()
				require.NoError(t, err)
				require.LessOrEqual(t, r.server.Committed(r.id()), before.Offset)
			}
			r.step()
		}
		require.Equal(t, int64(250), r.server.Committed(r.id()))
		require.Equal(t, dialect == sim.OpenAPI, r.state().Untold)
		require.LessOrEqual(t, r.server.Stats().Commits, 3, "told where it begins, no more")
	}
}

func TestOffsetsStayExactInPositionsAndCommits(t *testing.T) {
	r := newRig(t, sim.Options{Base: 1<<62 + 1}, by(Stateless))
	want := r.publish(1, 3)
	entries := r.drain()
	require.Equal(t, want, ids(entries))
	require.Equal(t, disabledType+"3@4611686018427387908", entries[2].Place)
	r.step()
	require.Equal(t, int64(1<<62+4), r.state().Offset)
	require.Equal(t, int64(1<<62+4), r.server.Committed(r.id()))
	var loose map[string]any
	require.NoError(t, json.Unmarshal(r.pos, &loose))
	for _, member := range []string{"offset", "highest", "top", "last", "committed"} {
		require.IsType(t, "", loose[member], member)
	}
	rounded, err := json.Marshal(loose)
	require.NoError(t, err)
	require.JSONEq(t, string(r.pos), string(rounded))
}
