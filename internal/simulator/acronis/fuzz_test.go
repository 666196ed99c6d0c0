package acronis

import (
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"PT30S": 30 * time.Second, "PT5M": 5 * time.Minute, "P7D": 7 * day, "P2W": 14 * day, "PT0S": 0,
		"P1DT2H3M4.5S": day + 2*time.Hour + 3*time.Minute + 4500*time.Millisecond,
	} {
		got, err := parseDuration(text)
		assert.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "P", "PT", "P1DT", "30S", "P1M", "P1Y", "PTS", "PT5", "PT1S1M", "PT-1S", "PT1e3S", "PTInfS", "P1H", "pt1s", "P999999999D", "PT1.1.1S"} {
		_, err := parseDuration(text)
		assert.Error(t, err, text)
	}
	assert.Equal(t, "P7D", formatDuration(7*day))
	assert.Equal(t, "PT1.5S", formatDuration(1500*time.Millisecond))
	assert.Equal(t, "PT0S", formatDuration(0))
}

func FuzzDuration(f *testing.F) {
	for _, seed := range []string{"PT30S", "P1DT2H3M4.5S", "P2W", "P"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := parseDuration(text)
		if err != nil {
			return
		}
		assert.GreaterOrEqual(t, d, time.Duration(0))
		again, err := parseDuration(formatDuration(d))
		assert.NoError(t, err)
		assert.InDelta(t, d.Seconds(), again.Seconds(), 1e-6*(1+d.Seconds()))
	})
}

func FuzzQuery(f *testing.F) {
	f.Add("subscription_id=" + subA + "&consumer_id=" + first + "&offset=1&limit=5&timeout=PT1S")
	f.Fuzz(func(t *testing.T, raw string) {
		v, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		if q, err := parseQuery(v); err == nil {
			assert.True(t, q.limit >= 1 && q.limit <= maxPage && q.offset >= 0 && q.timeout >= 0)
		}
	})
}

// Whatever is posted is refused, or is there afterwards.
func FuzzSubscription(f *testing.F) {
	f.Add(`{"subscription_id":"` + subA + `","topic_id":"` + TopicTenant + `","types":["cti.*"],"tenant_depth":"ALL"}`)
	f.Add(`{"types":null}`)
	f.Fuzz(func(t *testing.T, body string) {
		b := newBench(t, Options{})
		status := b.post(base+"/subscriptions", body).Code
		assert.Contains(t, []int{201, 400}, status)
		assert.Equal(t, status == 201, b.s.Stats().Subscriptions == 1)
	})
}

func FuzzRestore(f *testing.F) {
	f.Add(`{"topics":{"a":{"next":3,"events":[{"id":"x"}]}},"subscriptions":{"s":{"topic_id":"a"}}}`)
	f.Fuzz(func(t *testing.T, state string) {
		b := newBench(t, Options{})
		if b.s.Restore([]byte(state)) == nil {
			b.s.Publish(Event{})
			b.get("/topics")
		}
	})
}
