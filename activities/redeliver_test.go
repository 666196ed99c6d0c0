package activities

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/matching"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func TestAParkedEntryIsReadAgainAndAmended(t *testing.T) {
	r := &reader{entry: event.Entry{ID: "1", Malformed: "names no ticket"}}
	a, h, _ := feeds(r)
	got, err := call[RedeliverResult](t, a, "Redeliver", RedeliverInput{Feed: "lon", Item: "1"})
	require.NoError(t, err)
	assert.Equal(t, "names no ticket", got.Malformed)

	got, err = call[RedeliverResult](t, a, "Redeliver", RedeliverInput{Feed: "lon", Item: "1", Set: map[string]string{"ticket_id": "7", "note": "n"}})
	require.NoError(t, err)
	assert.Empty(t, got.Malformed)
	require.Len(t, h.entries, 1)
	assert.Equal(t, "7", h.entries[0].Foreign.TicketID)
	assert.Equal(t, "1", h.entries[0].Foreign.Comment.ID)

	got, err = call[RedeliverResult](t, a, "Redeliver", RedeliverInput{Feed: "lon", Item: "1", Set: map[string]string{"colour": "red"}})
	require.NoError(t, err)
	assert.Contains(t, got.Malformed, "set.colour: want")

	// The feed does not answer just now: what it holds must not be lost for what
	// a person typed.
	r.entryErr = &ticket.Error{Kind: ticket.Retry, Op: "read entry", Status: 503}
	_, err = call[RedeliverResult](t, a, "Redeliver", RedeliverInput{Feed: "lon", Item: "1", Set: map[string]string{"ticket_id": "8"}})
	assert.Equal(t, contract.ErrorRetry, appError(t, err).Type())
	assert.Len(t, h.entries, 1)

	// The feed no longer has it: what a person typed is enough.
	r.entry, r.entryErr = event.Entry{}, &ticket.Error{Kind: ticket.NotFound, Op: "read entry"}
	_, err = call[RedeliverResult](t, a, "Redeliver", RedeliverInput{Feed: "lon", Item: "2"})
	assert.Equal(t, contract.ErrorNotFound, appError(t, err).Type())
	_, err = call[RedeliverResult](t, a, "Redeliver", RedeliverInput{Feed: "lon", Item: "2", Set: map[string]string{"ticket_id": "8"}})
	require.NoError(t, err)
	assert.Equal(t, "2", h.entries[1].ID)
}

// Under the event policy whatever the Events API takes may be put right.
func TestAnyParameterOfAnEventIsAmended(t *testing.T) {
	given := event.Params{"subject": "Disk full", "impact": "enormous", "note": "n"}
	r := &reader{entry: event.Entry{ID: "1", Params: given, Malformed: "impact is wrong"}}
	a, h, _ := feeds(r)
	a.Source = source{Feed{Name: "lon", Match: event.PolicyEvent, Reader: r}}
	amended := func(set map[string]string) RedeliverResult {
		t.Helper()
		got, err := call[RedeliverResult](t, a, "Redeliver", RedeliverInput{Feed: "lon", Item: "1", Set: set})
		require.NoError(t, err)
		return got
	}
	assert.Empty(t, amended(map[string]string{"impact": "high", "ci": "srv-1"}).Malformed)
	require.Len(t, h.entries, 1)
	assert.Equal(t, event.Params{"subject": "Disk full", "impact": "high", "note": "n", "ci": "srv-1"}, h.entries[0].Params)
	assert.Nil(t, h.entries[0].Foreign)
	assert.Equal(t, "enormous", given["impact"], "the reader's own entry stays as it is")

	for _, name := range matching.Parameters() {
		assert.Empty(t, amended(map[string]string{name: "x"}).Malformed, name)
	}
	before := len(h.entries)
	for _, name := range []string{"ticket_id", "colour", ""} {
		got := amended(map[string]string{"subject": "x", name: "y"})
		assert.Contains(t, got.Malformed, "set."+name+": want "+strings.Join(matching.Parameters(), ", "))
	}
	assert.Len(t, h.entries, before, "nothing of a wrong amendment is handed over")

	// The feed no longer has it: what a person typed is the event.
	r.entry, r.entryErr = event.Entry{}, &ticket.Error{Kind: ticket.NotFound, Op: "read entry"}
	assert.Empty(t, amended(map[string]string{"subject": "typed"}).Malformed)
	last := h.entries[len(h.entries)-1]
	assert.Equal(t, "1", last.ID)
	assert.Equal(t, event.Params{"subject": "typed"}, last.Params)
}

func TestAnAmendmentOfATicketElsewhereSetsWhatAnEntryTells(t *testing.T) {
	foreign := &event.Foreign{TicketID: "", Subject: "s", Status: "odd"}
	r := &reader{entry: event.Entry{ID: "1", Foreign: foreign, Malformed: "names no ticket"}}
	a, h, _ := feeds(r)
	_, err := call[RedeliverResult](t, a, "Redeliver", RedeliverInput{Feed: "lon", Item: "1", Set: map[string]string{"ticket_id": "7", "status": "closed"}})
	require.NoError(t, err)
	require.Len(t, h.entries, 1)
	assert.Equal(t, event.Foreign{TicketID: "7", Subject: "s", Status: "closed"}, *h.entries[0].Foreign)
	assert.Equal(t, "odd", foreign.Status)

	got, err := call[RedeliverResult](t, a, "Redeliver", RedeliverInput{Feed: "lon", Item: "1", Set: map[string]string{"impact": "high"}})
	require.NoError(t, err)
	assert.Equal(t, "set.impact: want ticket_id, subject, status, note", got.Malformed)
}
