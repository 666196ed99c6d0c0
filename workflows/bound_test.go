package workflows

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/matching"
)

var boundTime = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// full is a state with everything at its limit, and these notes undelivered.
func full(requests int, notes ...string) *matchState {
	s := &matchState{Seen: newHashSet(keptEvents)}
	for n := range keptEvents + 100 {
		s.Seen.add(fmt.Sprint(n))
	}
	for n := range keptOutcomes + 10 {
		s.record(recorded{Event: hashOf(fmt.Sprint(n)), Outcome: event.Rejected, Errors: [][2]string{{"subject", "can't be blank"}}})
	}
	for n := range requests {
		r := matching.Request{ID: int64(n) << 40, Policy: event.PolicyEvent, CreatedAt: boundTime.Add(-time.Hour), NoteHashes: make([]byte, 16*matching.MaxNotes)}
		r.Fields = event.Fields{Subject: strings.Repeat("s", 1000), CustomFields: strings.Repeat("c", keptCustomFields)}
		if n < requests-1 {
			r.Close(boundTime, "x")
		}
		s.Requests, s.Tracks = append(s.Requests, r), append(s.Tracks, &track{})
	}
	last := s.Tracks[requests-1]
	for n, note := range notes {
		kind := opComment
		if n == 0 {
			kind = opCreate
		}
		op := (&operation{Item: fmt.Sprint(n), Kind: kind, EventID: fmt.Sprint("event ", n)}).keep(event.Event{ID: fmt.Sprint(n), Resolved: &event.Resolved{Note: note}}, note)
		last.Pending = append(last.Pending, op)
	}
	return s
}

func TestTheWholeStateIsAtMost512KB(t *testing.T) {
	many := func(n int, text string) []string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprint(i, " ", text)
		}
		return list
	}
	for name, s := range map[string]*matchState{
		"nothing pending":    full(30),
		"many short notes":   full(30, many(3000, "x")...),
		"long notes":         full(30, many(50, strings.Repeat("x", 64<<10))...),
		"notes that escape":  full(3, many(10, strings.Repeat("\x01", 64<<10))...),
		"one note, escaping": full(1, strings.Repeat("<", 64<<10)),
	} {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			s.bound(boundTime)
			assert.Less(t, time.Since(begin), 10*time.Second)
			data, err := json.Marshal(s)
			require.NoError(t, err)
			assert.LessOrEqual(t, len(data), 512<<10)
			assert.LessOrEqual(t, s.pendingBytes(), maxPending)
		})
	}
}

func TestNotesBelowTheLimitStayOneByOne(t *testing.T) {
	s := full(1, "a", "b", "c")
	s.bound(boundTime)
	assert.Len(t, s.Tracks[0].Pending, 3)
}

func TestMergedNotesTellTheirCountAndTheNewest(t *testing.T) {
	text := strings.Repeat("x", 6<<10)
	var notes []string
	for n := range 60 {
		notes = append(notes, fmt.Sprintf("note %d. %s", n, text))
	}
	s := full(1, notes...)
	busy := s.Tracks[0].Pending[1]
	busy.busy = true
	unknown := s.Tracks[0].Pending[2]
	unknown.Unknown = &unknownSince
	parked := s.Tracks[0].Pending[3]
	parked.Parked = "refused"
	s.bound(boundTime)
	p := s.Tracks[0].Pending
	require.Len(t, p, 5, "create, busy, unknown, parked, merged")
	assert.Same(t, busy, p[1], "what is being done stays as it is")
	assert.Same(t, unknown, p[2], "what is searched for stays as it is")
	assert.Same(t, parked, p[3], "what a person looks at stays as it is")
	assert.Equal(t, 56, p[4].Merged)
	assert.Contains(t, p[4].Text, "56 notes came")
	assert.Contains(t, p[4].Text, "note 59.")
	assert.NotContains(t, p[4].Text, "note 30.")
	assert.Less(t, strings.Index(p[4].Text, "note 58."), strings.Index(p[4].Text, "note 59."), "in their order")
}

var unknownSince = unknown{EndedAt: boundTime}

// New events that were merged cannot be decided anew, so their ticket is made,
// also where it was only to be found again.
func TestMergedNewNotesMakeTheTicket(t *testing.T) {
	s := full(1, "a", "b", "c")
	s.Tracks[0].Pending[0].OnlyAdopt = true
	s.Tracks[0].merge()
	assert.False(t, s.Tracks[0].Pending[0].OnlyAdopt)

	s = full(1, "a", "b", "c")
	s.Tracks[0].Pending[0].OnlyAdopt = true
	for _, op := range s.Tracks[0].Pending {
		op.Event.Replayed = true
	}
	s.Tracks[0].merge()
	assert.True(t, s.Tracks[0].Pending[0].OnlyAdopt)
}

func TestTheLatestOfMergedUpdatesHolds(t *testing.T) {
	text := func(s string) *string { return &s }
	tr := &track{Pending: []*operation{
		{Kind: opPatch, Changes: event.Changes{Status: text("in_progress"), Subject: text("a")}},
		{Kind: opPatch, Changes: event.Changes{Status: text("completed")}},
	}}
	require.True(t, tr.merge())
	assert.Equal(t, "completed", *tr.Pending[0].Changes.Status)
	assert.Equal(t, "a", *tr.Pending[0].Changes.Subject)
	assert.False(t, tr.merge(), "nothing more to merge")
}

// An event comes back from an operation as it was.
func TestAnOperationKeepsItsEventOnce(t *testing.T) {
	key := event.Key{Policy: event.PolicyEvent, Account: "widget", Subject: "s", Note: "n"}
	e := event.Event{ID: "1", Raw: "raw", Params: event.Params{"note": "n"}, Resolved: &event.Resolved{Key: key, Note: "n", InternalNote: "i"}}
	for kind, text := range map[string]string{opCreate: "n", opComment: "n", opPatch: ""} {
		op := (&operation{Kind: kind, EventID: "1"}).keep(e, text)
		tr := &track{Pending: []*operation{op, {Kind: opNote, EventID: "1", Text: "i"}}}
		if kind != opPatch {
			assert.Empty(t, op.Event.Resolved.Note, kind)
		}
		assert.Empty(t, op.Event.Resolved.Key, kind)
		got := tr.original(op, key)
		assert.Equal(t, *e.Resolved, *got.Resolved, kind)
	}
	assert.Equal(t, "n", e.Resolved.Note, "the event itself is left alone")
}

func TestAHashSetForgetsTheOldest(t *testing.T) {
	s := newHashSet(3)
	for _, id := range []string{"a", "b", "a", "c", "d"} {
		s.add(id)
	}
	assert.False(t, s.has("a"))
	for _, id := range []string{"b", "c", "d"} {
		assert.True(t, s.has(id), id)
	}
	data, err := json.Marshal(s)
	require.NoError(t, err)
	again := newHashSet(3)
	require.NoError(t, json.Unmarshal(data, again))
	assert.True(t, again.has("d"))
	assert.False(t, again.has("a"))
	again.add("e")
	assert.False(t, again.has("b"))
}

// Notes of requests that take no more events are forgotten, and of the requests
// themselves only the newest are kept.
func TestRequestsThatAreOverWeighLittle(t *testing.T) {
	s := full(40)
	s.prune(boundTime)
	assert.LessOrEqual(t, len(s.Requests), keptRequests+1)
	for _, r := range s.Requests[:len(s.Requests)-1] {
		assert.Empty(t, r.NoteHashes)
	}
	assert.NotEmpty(t, s.Requests[len(s.Requests)-1].NoteHashes)
}
