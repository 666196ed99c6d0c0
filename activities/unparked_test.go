package activities

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/event"
)

// A person sees at once that a feed stands by, and that it reads on.
func TestAWindowEndsWithTheFirstChangeOfTheNote(t *testing.T) {
	long := strings.Repeat("ä", maxNote)
	for name, c := range map[string]struct {
		known, note, want string
		ends              bool
	}{
		"a new note":            {"", "standing by", "standing by", true},
		"no note any more":      {"standing by", "", "", true},
		"another note":          {"standing by", "reading", "reading", true},
		"the same note":         {"standing by", "standing by", "standing by", false},
		"a note cut to its end": {long[:maxNote], long, long[:maxNote], false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, a, _ := pollsOf(takes(0, event.Reading{Note: c.note}))
				begin := time.Now()
				got, err := call[ReadFeedResult](t, a, "ReadFeed", ReadFeedInput{Feed: "lon", Note: c.known, AtOnce: true})
				require.NoError(t, err)
				assert.Equal(t, c.want, got.Note)
				if c.ends {
					assert.Len(t, r.asked, 1)
					return
				}
				assert.Equal(t, window, time.Since(begin))
			})
		})
	}
}

// What was parked and is handed over now is parked no longer. It may make a
// ticket: it was never handed over, however far the feed has come.
func TestParkedEntriesThatAreHandedOverAreNamed(t *testing.T) {
	entries := []event.Entry{
		{ID: "mended", Place: "mended@1", Replayed: true}, {ID: "refused", Place: "refused@2", Replayed: true},
		{ID: "malformed", Place: "malformed@3", Malformed: "still"}, {ID: "other", Place: "other@4", Replayed: true},
	}
	a, h, _ := feeds(&reader{script: []event.Reading{{Position: json.RawMessage(`"p1"`), Entries: entries}}})
	refused := entries[1]
	refused.Malformed = "too long"
	h.malformed = []event.Entry{refused}
	got, err := call[ReadFeedResult](t, a, "ReadFeed", ReadFeedInput{
		Feed: "lon", Parked: []string{"mended@1", "refused@2", "malformed@3", "elsewhere@9"},
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"mended@1"}, got.Unparked)
	assert.Len(t, got.Parked, 2)
	create := map[string]bool{}
	for _, e := range h.entries {
		create[e.ID] = e.Create
	}
	assert.Equal(t, map[string]bool{"mended": true, "refused": true, "other": false}, create)
}
