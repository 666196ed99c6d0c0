package acronis

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/event"
	sim "github.com/ticketbridge/ticketbridge/internal/simulator/acronis"
)

func TestAMalformedEventIsParkedAlone(t *testing.T) {
	for name, c := range map[string]struct{ raw, reason, item string }{
		"null":             {`null`, "no JSON object", ""},
		"number":           {`5`, "no JSON object", ""},
		"text":             {`"x"`, "no JSON object", ""},
		"list":             {`[{"id":"x"}]`, "no JSON object", ""},
		"empty":            {`{}`, "type: missing", ""},
		"no type":          {`{"id":"x","sequence":2}`, "type: missing", "@2"},
		"null type":        {`{"id":"x","type":null,"sequence":2}`, "type: missing", "@2"},
		"object as type":   {`{"id":"x","type":{},"sequence":2}`, "type: missing", "@2"},
		"blank type":       {`{"id":"x","type":"  ","sequence":2}`, "type: missing", "@2"},
		"nothing to go by": {`{"type":"cti.t"}`, "id: missing", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, sim.Options{})
			first := r.publish(1, 1)
			r.server.Publish(sim.Event{Type: "cti.a.p.em.event.v1.0~a.p.tenant.x", Raw: c.raw})
			last := r.publish(3, 3)
			got := r.drain()
			require.Len(t, got, 3)
			require.Equal(t, []string{first[0], last[0]}, []string{got[0].ID, got[2].ID})
			bad := got[1]
			require.Contains(t, bad.Malformed, c.reason)
			require.Empty(t, got[0].Malformed+got[2].Malformed)
			require.True(t, strings.HasPrefix(bad.ID, "malformed:"), bad.ID)
			require.True(t, strings.HasSuffix(bad.Item(), c.item), bad.Item())
			require.Equal(t, c.raw, bad.Raw)
			require.Empty(t, r.drain())
		})
	}
}

func TestOddButGoodEvents(t *testing.T) {
	for text, want := range map[string]event.Entry{
		`{"type":"t","sequence":7}`:                                      {ID: "t/7", Place: "t/7@7"},
		`{"type":" t ","id":" x "}`:                                      {ID: "t/x"},
		`{"type":"t","id":9007199254740993,"sequence":1}`:                {ID: "t/9007199254740993", Place: "t/9007199254740993@1"},
		`{"type":"t","id":"a@5","sequence":6}`:                           {ID: "t/a@5", Place: "t/a@5@6"},
		`{"type":"t","id":"x","time":"no","ingest_time":5,"sequence":0}`: {ID: "t/x", Place: "t/x@0"},
	} {
		got := readEvent([]byte(text)).entry
		require.Empty(t, got.Malformed, text)
		require.Equal(t, want.ID, got.ID)
		require.Equal(t, want.Place, got.Place)
		require.True(t, got.StoredAt.IsZero())
		require.NotNil(t, got.Data)
	}
}

func TestTimesOfEvents(t *testing.T) {
	both := readEvent([]byte(`{"type":"t","id":"x","time":"2026-03-01T10:00:00Z","ingest_time":"2026-03-01T13:00:01.123456789+02:00"}`))
	require.Equal(t, "2026-03-01 11:00:01.123456789 +0000 UTC", both.entry.StoredAt.String())
	require.Equal(t, both.entry.StoredAt, both.taken)
	one := readEvent([]byte(`{"type":"t","id":"x","time":"2026-03-01T10:00:00Z"}`))
	require.Equal(t, "2026-03-01 10:00:00 +0000 UTC", one.entry.StoredAt.String())
	require.True(t, one.taken.IsZero(), "a producer's word is no proof of what was read")
}

func TestLargeEventsAreCutForPeopleOnly(t *testing.T) {
	text := fmt.Sprintf(`{"type":"t","id":"x","data":{"a":%q}}`, strings.Repeat("ä", 40<<10))
	got := readEvent([]byte(text)).entry
	require.LessOrEqual(t, len(got.Raw), 32<<10)
	require.Len(t, got.Data["data"].(map[string]any)["a"], 80<<10)
}
