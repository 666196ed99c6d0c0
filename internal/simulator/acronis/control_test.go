package acronis

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFaults(t *testing.T) {
	b := newBench(t, Options{})
	b.created(subA, nil)
	b.enter("any", "any")
	poll := eventsURL(subA, first, 0)

	b.s.SetFaults(Fault{Kind: FaultStatus, Next: 1, Path: PlaceEvents, RetryAfter: 9})
	assert.Equal(t, 200, b.get("/topics").Code, "limited to its path")
	w := b.get(poll)
	assert.Equal(t, 503, w.Code)
	assert.Equal(t, "9", w.Header().Get("Retry-After"))
	assert.Equal(t, 202, b.get(poll).Code, "once")

	b.s.SetFaults(Fault{Kind: FaultStatus, Status: 429, Share: 1, RetryAfter: 60, AsDate: true})
	at, err := http.ParseTime(b.get(poll).Header().Get("Retry-After"))
	require.NoError(t, err)
	assert.Equal(t, b.now.Add(time.Minute), at)
	assert.Equal(t, 429, b.login("any", "any", "grant_type=client_credentials").Code)

	b.s.SetFaults(Fault{Kind: FaultHTML, Next: 1})
	w = b.get(poll)
	assert.Equal(t, 200, w.Code)
	assert.Contains(t, w.Body.String(), "<html>")

	b.s.SetFaults(Fault{Kind: FaultExpired, Next: 1})
	assert.Equal(t, 401, b.get(poll).Code)
	assert.Equal(t, 401, b.get(poll).Code, "the token is gone for good")
	assert.Equal(t, map[string]int{FaultStatus: 3, FaultHTML: 1, FaultExpired: 1}, b.s.Stats().ByFault)
}

func TestEachPlaceHasItsFaults(t *testing.T) {
	for place, ask := range map[string]func(b *bench) int{
		PlaceToken:         func(b *bench) int { return b.login("a", "b", "grant_type=client_credentials").Code },
		PlaceTopics:        func(b *bench) int { return b.get("/topics").Code },
		PlaceTypes:         func(b *bench) int { return b.get("/types").Code },
		PlaceOffsets:       func(b *bench) int { return b.get(current(TopicTenant)).Code },
		PlaceSubscriptions: func(b *bench) int { return b.subscribe(subA, nil).Code },
		PlaceCommit:        func(b *bench) int { return b.post(base+"/subscriptions/offset", "{}").Code },
		PlaceEvents:        func(b *bench) int { return b.get("/events").Code },
	} {
		b := newBench(t, Options{})
		b.s.SetFaults(Fault{Kind: FaultStatus, Status: 418, Share: 1, Path: place})
		assert.Equal(t, 418, ask(b), place)
		b.s.SetFaults(Fault{Kind: FaultStatus, Status: 418, Share: 1, Path: "other"})
		assert.NotEqual(t, 418, ask(b), place)
	}
}

func TestASlowAnswer(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, b *bench) {
		b.s.SetFaults(Fault{Kind: FaultSlow, Share: 1, Delay: 3 * time.Second})
		began := time.Now()
		assert.Equal(t, 200, b.get("/topics").Code)
		assert.Equal(t, 3*time.Second, time.Since(began))
		p := b.polling("/topics")
		synctest.Wait()
		p.cancel()
		<-p.done
		assert.Equal(t, statusGone, p.w.Code)
	})
}

// What a connection shows can be seen on a real one only.
func TestBrokenConnections(t *testing.T) {
	b := newBench(t, Options{})
	server := httptest.NewServer(b.s)
	t.Cleanup(server.Close)
	create := func() (*http.Response, error) {
		r, err := http.NewRequestWithContext(t.Context(), "POST", server.URL+base+"/subscriptions", strings.NewReader(
			`{"subscription_id":"`+subA+`","topic_id":"`+TopicTenant+`","types":["`+allTenantTypes+`"],"tenant_depth":"ALL"}`))
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer x")
		r.Header.Set("Content-Type", "application/json")
		return server.Client().Do(r)
	}
	b.s.SetFaults(Fault{Kind: FaultDrop, Next: 1})
	response, err := create()
	if err == nil {
		response.Body.Close()
	}
	require.Error(t, err)
	assert.Equal(t, 0, b.s.Stats().Subscriptions)
	assert.Equal(t, 0, b.s.Log()[0].Status)

	b.s.SetFaults(Fault{Kind: FaultCut, Next: 1})
	response, err = create()
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.Contains(t, string(body), `{"subscription_id"`)
	assert.Equal(t, 1, b.s.Stats().Subscriptions, "done, but the answer is lost")

	response, err = create()
	require.NoError(t, err)
	response.Body.Close()
	assert.Equal(t, 409, response.StatusCode)
}

func (b *bench) control(what, body string) string {
	b.t.Helper()
	w := b.post("/_control/"+what, body)
	require.Equal(b.t, 200, w.Code, w.Body.String())
	return w.Body.String()
}

func TestControl(t *testing.T) {
	b := newBench(t, Options{})
	b.created(subA, nil)
	assert.JSONEq(t, `{"sequences":[1]}`, b.control("publish", `{"id":"a"}`))
	assert.JSONEq(t, `{"sequences":[2,3]}`, b.control("publish", `[{"id":"b","data":{"n":1}},{"id":"c"}]`))
	b.control("committed", `{"subscription_id":"`+subA+`","offset":2}`)
	assert.EqualValues(t, 2, b.committed(subA))
	b.control("tenants", `{"id":"root"}`)
	b.control("topics", `{"id":"cti.new"}`)
	b.control("consolidate", `{"topic_id":"`+TopicTenant+`"}`)
	ids, _ := b.read(subA, 0)
	assert.Equal(t, "c", ids, "consolidated")
	assert.Contains(t, b.s.kept.Tenants, "root")
	assert.Contains(t, b.get("/topics").Body.String(), "cti.new")
	b.control("evict", `{"subscription_id":"`+subA+`"}`)
	assert.Equal(t, 404, b.get(eventsURL(subA, first, 0)).Code)
	b.control("faults", `[{"kind":"status","status":500,"next":1}]`)
	assert.Equal(t, 500, b.get("/topics").Code)
	b.control("clients", `{"id":"c","secret":"s"}`)
	b.enter("c", "s")
	b.control("revoke", "")
	assert.Equal(t, 401, b.get("/topics").Code)
	for _, path := range []string{"publish", "faults", "clients", "topics", "tenants", "restore"} {
		assert.Equal(t, 400, b.post("/_control/"+path, "no JSON").Code, path)
	}
	assert.Equal(t, 404, b.post("/_control/nothing", "").Code)

	var stats Stats
	require.NoError(t, json.Unmarshal(b.do(httptest.NewRequest("GET", "/_control/stats", nil)).Body.Bytes(), &stats))
	assert.Equal(t, 3, stats.Published)
	var log []Request
	require.NoError(t, json.Unmarshal(b.do(httptest.NewRequest("GET", "/_control/log", nil)).Body.Bytes(), &log))
	assert.Contains(t, log, Request{
		At: b.now, Method: "GET", Path: base + "/events", Query: strings.TrimPrefix(eventsURL(subA, first, 0), "/events?"),
		SubscriptionID: subA, ConsumerID: first, Offset: "0", Status: 200,
	})
	for range maxLog + 5 {
		b.get("/nothing")
	}
	assert.Len(t, b.s.Log(), maxLog)
}

func TestASnapshotGoesOn(t *testing.T) {
	b := newBench(t, Options{Base: 1 << 60})
	b.created(subA, map[string]any{"session_timeout": "PT1M"})
	b.enter("any", "any")
	b.publish("ab")
	b.read(subA, 1<<60)
	state := b.do(httptest.NewRequest("GET", "/_control/snapshot", nil)).Body.String()

	again := newBench(t, Options{Base: 1 << 60})
	again.control("restore", state)
	again.token = b.token
	ids, next := again.read(subA, 1<<60+1)
	assert.Equal(t, "b", ids)
	assert.EqualValues(t, 1<<60+2, next)
	assert.Equal(t, 429, again.get(eventsURL(subA, second, 0)).Code, "the leader is still known")
	assert.Equal(t, 2, again.s.Delivered(subA, "b"))
	assert.Equal(t, []int64{1<<60 + 3}, again.s.Publish(Event{}))
	assert.Equal(t, 409, again.subscribe(subA, nil).Code)

	require.NoError(t, again.s.Restore([]byte(`{"topics":null,"tokens":null}`)))
	again.s.Publish(Event{Topic: "cti.x"})
	assert.ErrorContains(t, again.s.Restore([]byte(`{"topics":{"a":null}}`)), `"a" is null`)
	assert.ErrorContains(t, again.s.Restore([]byte(`{"subscriptions":{"s":{}}}`)), "no topic")
}
