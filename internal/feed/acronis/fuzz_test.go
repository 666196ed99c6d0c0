package acronis

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/rest"
	sim "github.com/ticketbridge/ticketbridge/internal/simulator/acronis"
)

func FuzzPage(f *testing.F) {
	f.Add([]byte(pageOf("9", raw("c", 9), raw("a", -1), raw("b", 7), "null", "5", `{"type":"t"}`)), int64(3))
	f.Add([]byte(`{"offset":-5,"events":null}`), int64(0))
	f.Add([]byte(`{"events":[{"type":"t","id":"x","sequence":9223372036854775807,"previous":"1","ingest_time":"9999-12-31T23:59:59Z"}]}`), int64(1)<<62)
	f.Fuzz(func(t *testing.T, body []byte, asked int64) {
		page, err := readPage("read", &rest.Response{Status: 200, Body: body})
		if err != nil {
			require.True(t, utf8.ValidString(err.Error()))
			return
		}
		asked = max(asked, 0)
		page.settle(asked)
		require.GreaterOrEqual(t, page.offset, asked, "it never goes back")
		rank := int64(none)
		for _, it := range page.items {
			require.GreaterOrEqual(t, it.rank, rank)
			rank = it.rank
		}
		p := position{Offset: asked, Last: none, Top: none}
		reading := p.take(page, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))
		require.Equal(t, page.offset, p.Offset)
		seen := map[string]bool{}
		for _, e := range reading.Entries {
			require.False(t, seen[e.ID] || e.ID == "", e.ID)
			seen[e.ID] = true
		}
		out, err := p.reading(reading)
		require.NoError(t, err)
		require.LessOrEqual(t, len(out.Position), 4<<10)
	})
}

// Whatever stands beside it, a good event is handed over.
func FuzzEvent(f *testing.F) {
	f.Add(`{"type":"t","id":"x","sequence":5}`)
	f.Add(`{"type":5,"id":"x@7","sequence":"5","time":"2026-03-01T12:00:00+99:99"}`)
	f.Add("\"\x00\xff\"")
	f.Fuzz(func(t *testing.T, text string) {
		it := readEvent(json.RawMessage(text))
		require.NotEmpty(t, it.entry.ID)
		require.True(t, utf8.ValidString(it.entry.ID))
		require.LessOrEqual(t, len(it.entry.Raw), maxRaw)
		require.True(t, it.entry.Malformed != "" || it.entry.Data != nil)
		require.Equal(t, it.sequence != none, it.entry.Place != "")
		if !json.Valid([]byte(text)) {
			return
		}
		page, err := readPage("read", &rest.Response{Status: 200, Body: []byte(pageOf("9", raw("good", 8), text, raw("better", 9)))})
		require.NoError(t, err)
		page.settle(1)
		p := position{Offset: 1, Last: none, Top: none}
		got := strings.Join(ids(p.take(page, time.Now()).Entries), " ")
		require.True(t, strings.Contains(got, "t/good") || it.sequence == 8 || it.sequence == 9, got)
		require.True(t, strings.Contains(got, "t/better") || it.sequence == 9, got)
	})
}

func FuzzPosition(f *testing.F) {
	r := &rig{clock: newClock()}
	tokens, err := NewTokenSource(Credential{URL: "https://eu2.example", ClientID: "c", Secret: "s"}, nil, nil)
	require.NoError(f, err)
	client, err := New(Config{Name: "n", URL: "https://eu2.example", Tokens: tokens, Topic: "t", Types: []string{"x"}, Now: r.clock.now})
	require.NoError(f, err)
	f.Add([]byte(`{"server":"eu2.example","topic":"t","offset":"5","highest":"5","top":"5","last":"5","committed":"-1","seen":"AAAAAAAAAAE"}`), "oldest")
	f.Add([]byte(`{"server":"us5.example","topic":"t","newest":"2026-03-01T12:00:00Z","as_of":"0001-01-01T00:00:00Z"}`), "5")
	f.Add([]byte(`{"server":"","topic":"t","aim":"never"}`), "2026-03-01T12:00:00Z")
	f.Add([]byte(`null`), "stored")
	f.Fuzz(func(t *testing.T, data []byte, to string) {
		p, err := client.load(data)
		if err != nil {
			return
		}
		require.Equal(t, "eu2.example", p.Server)
		require.Equal(t, "t", p.Topic)
		reading, err := p.reading(event.Reading{})
		if err == nil && p.Aim == "" { // what was written can be read, and is the same
			again, err := client.load(reading.Position)
			require.NoError(t, err)
			twice, err := again.reading(event.Reading{})
			require.NoError(t, err)
			require.Equal(t, string(reading.Position), string(twice.Position))
		}
		if pos, err := client.Rewind(data, to); err == nil {
			p, err := client.load(pos)
			require.NoError(t, err)
			_, err = parseStart(p.Aim)
			require.NoError(t, err)
		}
	})
}

func FuzzStart(f *testing.F) {
	for _, text := range []string{"earliest", "0", "9223372036854775807", "2026-01-15T12:00:00.123+02:00", "0000-01-01T00:00:00Z", "-0"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseStart(text)
		if err != nil {
			return
		}
		require.GreaterOrEqual(t, got.offset, int64(0))
		set := 0
		for _, is := range []bool{got.word != "", !got.at.IsZero(), got.offset != 0} {
			if is {
				set++
			}
		}
		require.LessOrEqual(t, set, 1)
	})
}

// The simulator's reader of durations was written apart from our writer.
func FuzzDuration(f *testing.F) {
	for _, ms := range []int64{1, 1000, 1500, 30000, 3600000, 86399999} {
		f.Add(ms)
	}
	f.Fuzz(func(t *testing.T, ms int64) {
		d := time.Duration(1+(ms&math.MaxInt64)%86400000) * time.Millisecond
		text := isoDuration(d)
		require.Equal(t, text, sessionUnder(t, text, d+time.Millisecond))
		if d > time.Millisecond {
			require.NotEqual(t, text, sessionUnder(t, text, d-time.Millisecond), "the limit is lower, so it is cut")
		}
	})
}

// sessionUnder is what a server makes of a session timeout that knows a limit.
func sessionUnder(t *testing.T, text string, limit time.Duration) string {
	server := sim.New(sim.Options{MaxSession: limit})
	body := fmt.Sprintf(`{"subscription_id":%q,"topic_id":%q,"types":["cti.*"],"tenant_depth":"ALL","auto_commit":false,"session_timeout":%q}`, reader, sim.TopicTenant, text)
	req := httptest.NewRequest(http.MethodPost, "/api/event_manager/v1/subscriptions", strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer x")
	req.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	server.ServeHTTP(w, req)
	require.Equal(t, 201, w.Code, w.Body.String())
	var echo struct {
		SessionTimeout string `json:"session_timeout"`
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &echo))
	return echo.SessionTimeout
}
