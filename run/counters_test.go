package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const metricsText = `# HELP ticketbridge_events_total Events.
# TYPE ticketbridge_events_total counter
ticketbridge_events_total{outcome="handed_over",source="lon"} 12
ticketbridge_events_total{outcome="rejected",source="lon"} 2
ticketbridge_tickets_created_total{integration="jira"} 3
ticketbridge_parked_total{kind="create"} 1
go_goroutines 40
`

func TestParseMetrics(t *testing.T) {
	r, err := parseMetrics(strings.NewReader(metricsText))
	require.NoError(t, err)
	assert.Len(t, r, 4, "other programs' series are left out")
	assert.InDelta(t, 12, r.sum("ticketbridge_events_total", `outcome="handed_over"`), 0)
	assert.InDelta(t, 14, r.sum("ticketbridge_events_total"), 0)

	_, err = parseMetrics(strings.NewReader("ticketbridge_x twelve\n"))
	assert.ErrorContains(t, err, "twelve")
}

func FuzzParseMetrics(f *testing.F) {
	f.Add(metricsText)
	f.Add(`ticketbridge_x{a="\" 1`)
	f.Fuzz(func(_ *testing.T, text string) {
		r, err := parseMetrics(strings.NewReader(text))
		if err == nil {
			tell(r, true)
		}
	})
}

func TestCountersGoOnWhenTheWorkerBeginsAgain(t *testing.T) {
	var c counters
	c.add(reading{"a": 5})
	assert.Equal(t, reading{"a": 2}, c.add(reading{"a": 7}))
	assert.Equal(t, reading{"a": 3}, c.add(reading{"a": 3}), "it was started again and has counted 3 since")
	assert.InDelta(t, 10, c.total["a"], 0)
}

func TestTell(t *testing.T) {
	r, err := parseMetrics(strings.NewReader(metricsText))
	require.NoError(t, err)
	all := tell(r, true)
	require.Len(t, all, 3)
	assert.Equal(t, told{blue, "event", "lon", "12 events read"}, all[0])
	assert.Equal(t, told{red, "parked", "", "1 item (create) waits for you: starter parked list"}, all[1])
	assert.Equal(t, told{green, "ticket", "jira", "3 tickets created"}, all[2])
	assert.Len(t, tell(r, false), 1, "beside the simulators only trouble is worth a line")
}
