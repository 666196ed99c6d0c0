package matching

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/event"
)

// entry is one of ticket T-1's, minute minutes after noon; an empty comment is none.
func entry(minute int, subject, status, comment string) event.Resolved {
	f := event.Foreign{TicketID: "T-1", Subject: subject, Status: status, UpdatedAt: noon().Add(time.Duration(minute) * time.Minute)}
	if comment != "" {
		f.Comment = &event.ForeignComment{ID: "id-" + comment, Text: comment}
	}
	return ResolveForeign("feed-1", f)
}

func TestResolveForeign(t *testing.T) {
	created := time.Date(2018, 7, 27, 3, 47, 6, 0, time.UTC)
	r := ResolveForeign("lon", event.Foreign{
		TicketID: "180717-iad-1", Subject: "Request\nfor help", Status: "Confirmed Solved",
		Comment: &event.ForeignComment{ID: "c1", Author: "Racker", AuthorType: "Rackspace", CreatedAt: created, Text: "On it."},
	})
	assert.Equal(t, event.Key{Policy: event.PolicyTicket, Feed: "lon", ForeignTicket: "180717-iad-1"}, r.Key)
	assert.Equal(t, "Request for help", r.Fields.Subject)
	assert.Equal(t, "completed", r.Fields.Status)
	assert.Equal(t, "solved", r.Fields.CompletionReason)
	assert.Equal(t, "lon", r.Fields.Source)
	assert.Equal(t, "180717-iad-1", r.Fields.SourceID)
	assert.Equal(t, "**Racker** (Rackspace) wrote at 2018-07-27 03:47 UTC:\n\nOn it.", r.Note)
	assert.Empty(t, r.Foreign.Comment.Text, "the text travels once")

	bare := ResolveForeign("lon", event.Foreign{TicketID: "9", Comment: &event.ForeignComment{Text: "hi"}})
	assert.Equal(t, "Ticket 9", bare.Fields.Subject)
	assert.Equal(t, "assigned", bare.Fields.Status)
	assert.True(t, bare.Changes.Empty())
	assert.Equal(t, "hi", bare.Note)
}

func TestCommentText(t *testing.T) {
	at := time.Date(2018, 7, 27, 3, 47, 0, 0, time.UTC)
	for want, c := range map[string]*event.ForeignComment{
		"":                                      {ID: "c", Text: " \n"},
		"x":                                     {Text: "x"},
		"**Ann** wrote:\n\nx":                   {Author: " Ann\n", Text: "x"},
		"**customer** wrote:\n\nx":              {AuthorType: "customer", Text: "x"},
		"Written at 2018-07-27 03:47 UTC:\n\nx": {CreatedAt: at, Text: "x"},
	} {
		assert.Equal(t, want, commentText(c))
	}
}

func TestForeignStatus(t *testing.T) {
	for want, texts := range map[string][]string{
		"assigned":             {"New", "OPEN", "reopened", "assigned"},
		"in_progress":          {"In Progress", "IN_PROGRESS", "in-progress", "active"},
		"waiting_for_customer": {"Pending Customer", "pending", "Pending: vendor"},
		"completed":            {"closed", "SOLVED", "Confirmed Solved", "resolved", "cancelled", "Canceled", "Closed - duplicate"},
		"":                     {"", "  ", "-", "Quux", "not resolved"},
	} {
		for _, text := range texts {
			assert.Equal(t, want, foreignStatus(text), text)
		}
	}
}

func TestTicketPolicy(t *testing.T) {
	type step struct {
		entry event.Resolved
		want  event.Outcome
		index int
		late  bool
	}
	created, updated, unchanged := event.Created, event.Updated, event.Unchanged
	for name, row := range map[string]struct {
		steps    []step
		statuses []string
		subjects []string
		notes    []int
	}{
		"one request, comments once": {[]step{
			{entry(0, "A", "New", "c0"), created, -1, false},
			{entry(1, "A", "New", "c1"), updated, 0, false},
			{entry(1, "A", "New", "c1"), unchanged, 0, false},
			{entry(0, "A", "New", "c0"), unchanged, 0, false},
		}, []string{"assigned"}, []string{"A"}, []int{2}},
		"no window": {[]step{
			{entry(0, "A", "", "c0"), created, -1, false},
			{entry(90*24*60, "A", "", "c1"), updated, 0, false},
		}, []string{"assigned"}, []string{"A"}, []int{2}},
		"subject and status carried over": {[]step{
			{entry(0, "", "", ""), created, -1, false},
			{entry(1, "B", "In Progress", ""), updated, 0, false},
			{entry(2, "", "Pending Customer", ""), updated, 0, false},
		}, []string{"waiting_for_customer"}, []string{"B"}, []int{0}},
		"a late entry brings its comment only": {[]step{
			{entry(5, "New name", "Pending", "c5"), created, -1, false},
			{entry(3, "Old name", "Open", "c3"), updated, 0, false},
			{entry(2, "Older name", "Open", ""), unchanged, 0, false},
		}, []string{"waiting_for_customer"}, []string{"New name"}, []int{2}},
		"a subject from before an entry without one": {[]step{
			{entry(5, "", "Pending", ""), created, -1, false},
			{entry(3, "Name", "Open", ""), updated, 0, false},
		}, []string{"waiting_for_customer"}, []string{"Name"}, []int{0}},
		"closed, late and repeated": {[]step{
			{entry(0, "A", "Open", "c0"), created, -1, false},
			{entry(9, "A", "Closed", "c9"), updated, 0, false},
			{entry(9, "A", "Closed", "c9"), unchanged, 0, true},
			{entry(4, "Z", "Open", "c4"), updated, 0, true},
			{entry(3, "Z", "Open", ""), unchanged, 0, true},
			{entry(0, "A", "Open", "c0"), unchanged, 0, true},
		}, []string{"completed"}, []string{"A"}, []int{3}},
		"still closed": {[]step{
			{entry(0, "A", "Closed", "c0"), created, -1, false},
			{entry(5, "A", "Solved", ""), unchanged, 0, true},
			{entry(4, "A", "Open", ""), unchanged, 0, true},
			{entry(6, "A", "Closed", "c6"), updated, 0, true},
			{entry(7, "A", "", "c7"), updated, 0, true},
			{entry(8, "B", "Closed", ""), updated, 0, true},
		}, []string{"completed"}, []string{"B"}, []int{3}},
		"reopened": {[]step{
			{entry(0, "A", "Open", "c0"), created, -1, false},
			{entry(5, "A", "Closed", ""), updated, 0, false},
			{entry(6, "", "Open", "c6"), created, -1, false},
			{entry(6, "", "Open", "c6"), unchanged, 1, false},
			{entry(4, "A", "Open", "c4"), updated, 0, true},
			{entry(0, "A", "Open", "c0"), unchanged, 0, true},
			{entry(7, "B", "In progress", "c7"), updated, 1, false},
		}, []string{"completed", "in_progress"}, []string{"A", "B"}, []int{2, 2}},
		"an unknown status opens the next": {[]step{
			{entry(0, "A", "Closed", ""), created, -1, false},
			{entry(1, "A", "Quux", ""), created, -1, false},
		}, []string{"completed", "assigned"}, []string{"A", "A"}, []int{0, 0}},
		"two statuses at one instant": {[]step{
			{entry(0, "A", "Closed", ""), created, -1, false},
			{entry(0, "A", "Open", ""), unchanged, 0, true},
		}, []string{"completed"}, []string{"A"}, []int{0}},
		"two statuses at one instant, the other way round": {[]step{
			{entry(0, "A", "Open", ""), created, -1, false},
			{entry(0, "A", "Closed", ""), updated, 0, false},
			{entry(0, "A", "Open", ""), unchanged, 0, true},
		}, []string{"completed"}, []string{"A"}, []int{0}},
	} {
		t.Run(name, func(t *testing.T) {
			d := &desk{t: t}
			for i, s := range row.steps {
				got := d.decide(noon(), s.entry)
				assert.Equal(t, s.want, got.Outcome, "step %d", i)
				assert.Equal(t, s.index, got.Index, "step %d", i)
				assert.Equal(t, s.late, got.Late, "step %d", i)
			}
			var statuses, subjects []string
			var notes []int
			for _, q := range d.requests {
				statuses, subjects, notes = append(statuses, q.Fields.Status), append(subjects, q.Fields.Subject), append(notes, q.Notes)
			}
			assert.Equal(t, row.statuses, statuses)
			assert.Equal(t, row.subjects, subjects)
			assert.Equal(t, row.notes, notes)
		})
	}
}

func TestAnAgentClosesTheTicket(t *testing.T) {
	d := &desk{t: t}
	d.decide(noon(), entry(0, "A", "Open", "c0"))
	d.decide(noon(), entry(5, "A", "", "c5"))
	d.requests[0].Close(noon().Add(6*time.Minute), "ann")

	assert.Equal(t, event.Unchanged, d.decide(noon(), entry(5, "A", "", "c5")).Outcome, "repeated")
	late := d.decide(noon(), entry(3, "A", "Open", "c3"))
	assert.Equal(t, event.Updated, late.Outcome)
	assert.True(t, late.Late)
	assert.Empty(t, late.Changed())
	assert.Equal(t, event.Unchanged, d.decide(noon(), entry(7, "A", "Solved", "")).Outcome, "the foreign ticket closes, too")
	assert.Equal(t, event.Created, d.decide(noon(), entry(8, "A", "Open", "")).Outcome)

	d = &desk{t: t}
	d.decide(noon(), entry(0, "A", "", ""))
	d.requests[0].Close(noon(), "ann")
	assert.Equal(t, event.Created, d.decide(noon(), entry(1, "A", "", "c1")).Outcome, "the foreign ticket never closed")
}

func TestForgottenEntriesOpenTheNextRequest(t *testing.T) {
	for _, order := range [][]int{{0, 1}, {1, 0}} {
		d := &desk{t: t}
		d.decide(noon(), entry(0, "A", "Open", "c0"))
		again := []event.Resolved{entry(1, "A", "Open", "c1"), entry(2, "A", "Open", "c2")}
		for _, r := range again {
			d.decide(noon(), r)
		}
		d.requests[0].Close(noon(), "ann")
		for _, i := range order {
			d.requests[0].Forget(again[i])
		}
		assert.Equal(t, event.Created, d.decide(noon(), again[0]).Outcome)
		assert.Equal(t, event.Updated, d.decide(noon(), again[1]).Outcome)
		assert.Equal(t, event.Unchanged, d.decide(noon(), entry(0, "A", "Open", "c0")).Outcome)
		require.Len(t, d.requests, 2)
		assert.Equal(t, []int{1, 2}, []int{d.requests[0].Notes, d.requests[1].Notes})
	}
}

func TestUnknownStatusIsToldOnce(t *testing.T) {
	d := &desk{t: t}
	line := []string{"Status of the foreign ticket: Quux 1"}
	assert.Equal(t, line, d.decide(noon(), entry(0, "A", "Quux\n1", "")).Tell)
	assert.Equal(t, event.Unchanged, d.decide(noon(), entry(1, "A", "Quux 1", "")).Outcome)
	assert.Empty(t, d.decide(noon(), entry(2, "A", "Open", "")).Tell)
	got := d.decide(noon(), entry(3, "A", "Quux 2", ""))
	assert.Equal(t, event.Updated, got.Outcome)
	assert.Equal(t, []string{"Status of the foreign ticket: Quux 2"}, got.Tell)
	assert.Equal(t, "assigned", d.requests[0].Fields.Status)
}

func TestCommentsAreCountedOnlyAfterTooMany(t *testing.T) {
	d := &desk{t: t}
	d.decide(noon(), entry(0, "A", "", "first"))
	d.requests[0].Notes = MaxNotes
	first, second := d.decide(noon(), entry(1, "A", "", "x")), d.decide(noon(), entry(2, "A", "", "y"))
	assert.True(t, first.CountOnly && first.SayCounting)
	assert.True(t, second.CountOnly && !second.SayCounting)
	assert.Len(t, d.requests[0].Foreign.CommentHashes, commentHashSize)
}

// Any order and any repetition of a foreign ticket's entries delivers each
// comment exactly once, and ends with the newest subject and status.
func TestAnyOrderEndsTheSame(t *testing.T) {
	statuses := []string{"New", "In Progress", "Pending Customer", "Solved", "Closed", ""}
	for seed := range uint64(1500) {
		random := rand.New(rand.NewPCG(seed, 1))
		var entries []event.Resolved
		comments := map[string]bool{}
		subject, status := "", "assigned"
		for i := range 1 + random.IntN(7) {
			comment := ""
			if random.IntN(3) > 0 {
				comment = string(rune('a' + i))
				comments[comment] = true
			}
			subject = "subject " + string(rune('A'+random.IntN(3)))
			given := statuses[random.IntN(len(statuses))]
			if translated := foreignStatus(given); translated != "" {
				status = translated
			}
			entries = append(entries, entry(i, subject, given, comment))
		}
		arriving := slices.Concat(entries, entries, entries[:random.IntN(len(entries)+1)])
		random.Shuffle(len(arriving), func(i, j int) { arriving[i], arriving[j] = arriving[j], arriving[i] })

		d := &desk{t: t}
		delivered := map[string]int{}
		for _, r := range arriving {
			if d.decide(noon(), r).NoteAdded {
				delivered[r.Note]++
			}
		}
		for comment := range comments {
			require.Equal(t, 1, delivered[comment], "seed %d: comment %s", seed, comment)
		}
		require.Len(t, delivered, len(comments), "seed %d", seed)
		last := d.requests[len(d.requests)-1].Fields
		require.Equal(t, subject, last.Subject, "seed %d", seed)
		require.Equal(t, status, last.Status, "seed %d", seed)
		for _, q := range d.requests[:len(d.requests)-1] {
			require.Equal(t, "completed", q.Fields.Status, "seed %d: only the last request is open", seed)
		}

		before := len(d.requests)
		for _, r := range entries { // a rewind, long after
			require.Equal(t, event.Unchanged, d.decide(noon().AddDate(1, 0, 0), r).Outcome, "seed %d", seed)
		}
		require.Len(t, d.requests, before)
	}
}

func FuzzResolveForeign(f *testing.F) {
	f.Add("T-1", "subject", "Open", "c1", "text", int64(5))
	f.Fuzz(func(t *testing.T, ticket, subject, status, comment, text string, minutes int64) {
		r := ResolveForeign("feed", event.Foreign{
			TicketID: ticket, Subject: subject, Status: status, UpdatedAt: noon().Add(time.Duration(minutes)),
			Comment: &event.ForeignComment{ID: comment, Author: subject, Text: text},
		})
		assert.NotContains(t, r.Fields.Subject, "\n\n")
		requests := Apply(nil, Decide(nil, r, noon()), r, noon(), 1, "")
		require.Len(t, requests, 1)
		assert.Equal(t, event.Unchanged, Decide(requests, r, noon()).Outcome)
		assert.LessOrEqual(t, len(r.Note), 64<<10)
		assert.Equal(t, strings.ToValidUTF8(r.Note, "?"), r.Note)
	})
}
