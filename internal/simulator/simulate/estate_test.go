package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/simulator/cloudfeeds"
)

func TestAcronisSpeaksUpNowAndThen(t *testing.T) {
	var at, numbers []int
	for n := range 21 {
		if number, due := estateEvent(n); due {
			at, numbers = append(at, n), append(numbers, number)
		}
	}
	assert.Equal(t, []int{3, 6, 10, 13, 17, 20}, at)
	assert.Equal(t, []int{0, 1, 2, 3, 4, 5}, numbers)
}

func TestWhatHappensIsOverInTheEnd(t *testing.T) {
	types := map[string][]string{}
	for n := range 48 {
		h := happen(n)
		assert.Equal(t, h, happen(n), "the same each time")
		assert.True(t, json.Valid(h.event.Data))
		assert.NotEmpty(t, h.about)
		assert.NotEmpty(t, h.text)
		key := h.event.Subject + " " + h.event.Source
		types[key] = append(types[key], strings.TrimSuffix(h.event.Type, ".v1.0"))
	}
	assert.Greater(t, len(types), 12)
	for key, list := range types {
		require.Zero(t, len(list)%2, key)
		for i := 0; i < len(list); i += 2 {
			assert.NotEqual(t, list[i], list[i+1], key)
			assert.Equal(t, list[0], list[i], "%s: each mishap begins anew", key)
		}
	}
}

// toldWorld plays n entries into a new world.
func toldWorld(t *testing.T, n int) *world {
	w := newWorld("http://x", time.Now)
	played := 0
	p := &player{world: w, pace: time.Second, story: []cloudfeeds.Entry{{TicketID: "A"}}, wait: func(context.Context, time.Duration) bool {
		played++
		return played <= n
	}}
	p.play(t.Context())
	return w
}

func TestTheEventsOfAcronisAreKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state")
	w := toldWorld(t, 7)
	assert.Equal(t, 2, w.acronis.Stats().Published)
	lines := w.log.since(0)
	require.Len(t, lines, 9)
	assert.Equal(t, "entry", lines[4].Kind)
	assert.Equal(t, happen(0).about, lines[4].Ticket)
	require.NoError(t, w.save(file))
	again := newWorld("http://x", time.Now)
	require.NoError(t, again.load(file))
	assert.Equal(t, 2, again.acronis.Stats().Published)
	assert.Equal(t, 7, again.position())
}

func TestAStateOfFewerVendorsStillLoads(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state")
	require.NoError(t, toldWorld(t, 7).save(file))
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	var members map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(data, &members))
	delete(members, "acronis")
	delete(members, "servicenow")
	data, err = json.Marshal(members)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, data, 0o644))
	w := newWorld("http://x", time.Now)
	require.NoError(t, w.load(file))
	assert.Equal(t, 7, w.position())
	assert.Zero(t, w.acronis.Stats().Published)
	w.publish(func(int) cloudfeeds.Entry { return cloudfeeds.Entry{TicketID: "A"} })
	require.NoError(t, w.save(file))
}

// The program stops while a reader waits for events.
func TestAWaitingPollDoesNotHoldUpTheEnd(t *testing.T) {
	address, stop := program(t, "-pace", "0")
	const id = "4b1c7d20-5a3e-4f61-8c92-0e7d6a5b4c31"
	status, body := askAcronis(t, "POST", address+"/acronis/api/event_manager/v1/subscriptions",
		`{"subscription_id":"`+id+`","topic_id":"cti.a.p.em.topic.v1.0~a.p.tenant.v1.0","types":["cti.*"],"tenant_depth":"ALL"}`)
	require.Equal(t, http.StatusCreated, status, body)
	ended := make(chan int, 1)
	go func() { // ends with the program
		status, _ := askAcronis(t, "GET", address+"/acronis/api/event_manager/v1/events?"+url.Values{
			"subscription_id": {id}, "consumer_id": {id}, "offset": {"0"}, "timeout": {"PT30S"},
		}.Encode(), "")
		ended <- status
	}()
	require.Eventually(t, func() bool {
		_, stats := ask(t, "GET", address+"/acronis/_control/stats", "")
		return strings.Contains(stats, `"polls":1`)
	}, 20*time.Second, 5*time.Millisecond)
	stop()
	assert.Equal(t, http.StatusAccepted, <-ended, "answered, not cut off")
}

func askAcronis(t *testing.T, method, url, body string) (int, string) {
	request, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, url, strings.NewReader(body))
	if !assert.NoError(t, err) {
		return 0, ""
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer any")
	return send(t, request)
}
