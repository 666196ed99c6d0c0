package main

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/simulator/cloudfeeds"
)

func TestTheRecordedFeedIsAStory(t *testing.T) {
	story, err := readStory(recorded)
	require.NoError(t, err)
	require.Len(t, story, 27)
	kinds, last := map[string]string{}, map[string]string{}
	comments := map[string]bool{}
	for _, e := range story {
		if _, known := kinds[e.TicketID]; !known {
			assert.Equal(t, "CREATE", e.Type, "%s begins with its creation", e.TicketID)
		}
		assert.NotEqual(t, "Closed", last[e.TicketID], "%s is not changed after its end", e.TicketID)
		kinds[e.TicketID], last[e.TicketID] = e.Type, e.Status
		for _, c := range e.Comments {
			assert.False(t, comments[c.ID], "comment %s stands twice", c.ID)
			comments[c.ID] = true
			assert.NotEmpty(t, c.Text)
		}
		assert.NotEmpty(t, e.Subject)
	}
	assert.Len(t, kinds, 8)
	assert.Equal(t, "berth-db-1 refuses connections", story[0].Subject, "the oldest comes first")
	assert.Contains(t, story[4].Comments[0].Text, "closes it.\nRestarted", "line breaks stay")
}

func TestBrokenRecording(t *testing.T) {
	_, err := readStory([]byte("<feed><entry>"))
	assert.ErrorContains(t, err, "read the recorded feed")
}

func TestMadeUpTicketsAreOpenedWorkedOnAndClosed(t *testing.T) {
	states := map[string][]string{}
	comments := map[string]bool{}
	for n := range 60 {
		e := invent(n)
		assert.Equal(t, e, invent(n), "the same each time")
		states[e.TicketID] = append(states[e.TicketID], e.Status)
		comments[e.Comments[0].ID] = true
	}
	assert.Len(t, states, 20)
	assert.Len(t, comments, 60)
	for id, s := range states {
		assert.Equal(t, []string{"New", "In Progress", "Closed"}, s, id)
	}
}

func TestThePlayerGoesOnWhereItStopped(t *testing.T) {
	w := newWorld("http://x", time.Now)
	w.told = 1
	waits := []time.Duration{}
	p := &player{
		world: w, story: []cloudfeeds.Entry{{TicketID: "A"}, {TicketID: "B"}}, pace: time.Second,
		wait: func(_ context.Context, d time.Duration) bool { waits = append(waits, d); return len(waits) <= 2 },
	}
	p.play(t.Context())
	assert.Equal(t, 3, w.position())
	lines := w.log.since(0)
	require.Len(t, lines, 2)
	assert.Equal(t, "B", lines[0].Ticket)
	assert.Equal(t, invent(0).TicketID, lines[1].Ticket)
	assert.Less(t, waits[0], 2*time.Second)
	assert.Greater(t, waits[1], 5*time.Second, "after the story it is quieter")
}
