package matching

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/catalog"
	"github.com/ticketbridge/ticketbridge/internal/event"
)

func TestTheWindow(t *testing.T) {
	for _, row := range []struct {
		rules string
		after time.Duration
		want  event.Outcome
	}{
		{"M1", time.Minute, event.Updated},
		{"A7: the same moment", 0, event.Updated},
		{"A3: exactly 24 hours", 24 * time.Hour, event.Updated},
		{"M6", 24*time.Hour + time.Second, event.Created},
		{"A27: received before, handled after", -time.Minute, event.Updated},
	} {
		d := &desk{t: t}
		assert.Equal(t, event.Created, d.receive(noon(), alert("note", "a")).Outcome, row.rules)
		assert.Equal(t, row.want, d.receive(noon().Add(row.after), alert("note", "b")).Outcome, row.rules)
	}
}

func TestTheWindowDoesNotSlide(t *testing.T) { // M7
	d := &desk{t: t}
	d.receive(noon(), alert("note", "a"))
	assert.Equal(t, event.Updated, d.receive(noon().Add(20*time.Hour), alert("note", "b")).Outcome)
	assert.Equal(t, noon().Add(20*time.Hour), d.requests[0].UpdatedAt)
	assert.Equal(t, event.Created, d.receive(noon().Add(25*time.Hour), alert("note", "c")).Outcome)
	assert.Len(t, d.requests, 2)
}

func TestTheClockIsTheTimeOfReceipt(t *testing.T) { // A27
	d := &desk{t: t}
	d.receive(noon(), alert("note", "a"))
	old := alert("note", "b", "downtime_start_at", "2020-01-01T00:00")
	assert.Equal(t, event.Updated, d.receive(noon().Add(time.Hour), old).Outcome)
}

func TestOpenStatuses(t *testing.T) { // A8, M5, X7
	for _, status := range enum("status") {
		for _, p := range []event.Params{alert("note", "n"), params("subject", "Backup", "note", "n")} {
			d := &desk{t: t}
			d.receive(noon(), p)
			d.requests[0].Fields.Status = status
			want := event.Unchanged
			if status == "completed" {
				want = event.Created
			}
			assert.Equal(t, want, d.receive(noon().Add(time.Hour), p).Outcome, status)
		}
	}
}

func TestArchivedRequestsNeverMatch(t *testing.T) { // A28
	d := &desk{t: t}
	d.receive(noon(), alert("note", "a"))
	d.requests[0].Archived = true
	assert.Equal(t, event.Created, d.receive(noon(), alert("note", "b")).Outcome)
}

func TestSeveralOpenRequests(t *testing.T) { // A6
	made := func(id int64, age time.Duration) Request {
		return Request{ID: id, CreatedAt: noon().Add(-age), Fields: event.Fields{Status: "assigned"}}
	}
	r := resolve(t, alert("note", "n"))
	assert.Equal(t, 1, Decide([]Request{made(9, 2*time.Hour), made(1, time.Hour)}, r, noon()).Index)
	assert.Equal(t, 0, Decide([]Request{made(1, time.Hour), made(9, 2*time.Hour)}, r, noon()).Index)
	assert.Equal(t, 1, Decide([]Request{made(3, time.Hour), made(5, time.Hour)}, r, noon()).Index)
	assert.Equal(t, 0, Decide([]Request{made(5, time.Hour), made(3, time.Hour)}, r, noon()).Index)
}

func TestNotes(t *testing.T) {
	for _, row := range []struct {
		rules string
		note  string
		want  event.Outcome
	}{
		{"N1", "other", event.Updated},
		{"N2", "first", event.Unchanged},
		{"N2: any previous one", "second", event.Unchanged},
		{"N3", "", event.Unchanged},
		{"A18", " \r\n", event.Unchanged},
		{"A4", "\r\n first ", event.Unchanged},
		{"A4: line ends", "a\r\nb", event.Unchanged},
		{"A4: letter case", "First", event.Updated},
		{"A4: inner blanks", "a \nb", event.Updated},
		{"A5: an agent's", "by hand", event.Unchanged},
		{"A5: an internal one", "secret", event.Updated},
	} {
		d := &desk{t: t}
		created := d.receive(noon(), alert("note", "first", "internal_note", "secret"))
		assert.True(t, created.NoteAdded)
		assert.True(t, created.InternalNoteAdded)
		d.receive(noon(), alert("note", "second"))
		d.receive(noon(), alert("note", "a\nb"))
		d.requests[0].AddAgentNote(" by hand\r\n")
		before := d.requests[0].UpdatedAt

		got := d.receive(noon().Add(time.Hour), alert("note", row.note))
		assert.Equal(t, row.want, got.Outcome, row.rules)
		assert.Equal(t, row.want == event.Updated, got.NoteAdded, row.rules)
		assert.Equal(t, 0, got.Index, row.rules)
		assert.Equal(t, 200, got.Outcome.Status(), row.rules)
		if row.want == event.Unchanged {
			assert.Equal(t, before, d.requests[0].UpdatedAt, "A1")
		}
	}
}

// U1, U3: each of the ten parameters changes its field, alone.
func TestUpdatableParameters(t *testing.T) {
	for _, row := range []struct {
		params event.Params
		want   map[string]any
	}{
		{params("status", "in_progress"), map[string]any{"status": "in_progress"}},
		{params("status", "completed", "completion_reason", "gone"), map[string]any{"status": "completed", "completion_reason": "gone"}},
		{params("completion_reason", "solved"), map[string]any{"completion_reason": "solved"}},
		{params("desired_completion_at", "2026-03-02T00:00"), map[string]any{"desired_completion_at": "2026-03-02T00:00:00Z"}},
		{params("downtime_start_at", "2026-03-02T00:00"), map[string]any{"downtime_start_at": "2026-03-02T00:00:00Z"}},
		{params("downtime_end_at", "2026-03-02T00:00"), map[string]any{"downtime_end_at": "2026-03-02T00:00:00Z"}},
		{params("waiting_until", "2026-03-02T00:00", "status", "waiting_for"), map[string]any{"waiting_until": "2026-03-02T00:00:00Z", "status": "waiting_for"}},
		{params("team", "Linux"), map[string]any{"team": int64(21)}},
		{params("team_id", "23"), map[string]any{"team": int64(23)}},
		{params("member", "ann@acme.example"), map[string]any{"member": int64(2)}},
		{params("member_id", "3"), map[string]any{"member": int64(3)}},
		{params("status", "assigned", "team_id", "22"), map[string]any{}}, // the values it has
	} {
		d := &desk{t: t}
		d.receive(noon(), alert("note", "a"))
		before := FieldValues(d.requests[0].Fields)
		p := alert("note", "b")
		for name, value := range row.params {
			p[name] = value
		}
		got := d.receive(noon().Add(time.Minute), p)
		assert.Equal(t, event.Updated, got.Outcome, row.params)
		assert.Equal(t, row.want, got.Changed(), row.params)
		for name, value := range row.want {
			before[name] = value
		}
		assert.Equal(t, before, FieldValues(d.requests[0].Fields), row.params)
	}
}

func TestOtherParametersChangeNothing(t *testing.T) { // U2
	d := &desk{t: t}
	d.receive(noon(), alert("note", "a"))
	before := d.requests[0].Fields
	got := d.receive(noon(), alert("note", "b", "internal_note", "i", "subject", "Else", "category", "rfc", "impact", "low",
		"sourceID", "9", "requested_for_id", "3", "requested_by_id", "3", "supplier_id", "70", "problem_id", "80",
		"workflow_id", "81", "template_id", "91", "supplier_requestID", "x", "custom_fields", `[{"id":"a","value":1}]`))
	assert.Equal(t, event.Updated, got.Outcome)
	assert.False(t, got.InternalNoteAdded)
	assert.Empty(t, got.Changed())
	assert.Equal(t, before, d.requests[0].Fields)
}

func TestInvalidTeamOrMemberLeavesTheField(t *testing.T) { // A25
	d := &desk{t: t}
	d.receive(noon(), alert("note", "a", "member_id", "2"))
	got := d.receive(noon(), alert("note", "b", "team", "nobody", "member_id", "999", "status", "on_backlog"))
	assert.Equal(t, map[string]any{"status": "on_backlog"}, got.Changed())
	assert.Equal(t, int64(2), d.requests[0].Fields.Member.ID)
}

func TestParametersOfARepeatedNote(t *testing.T) { // A2
	done := alert("note", "a", "status", "completed", "completion_reason", "gone")
	d := &desk{t: t}
	d.receive(noon(), alert("note", "a"))
	assert.Equal(t, event.Unchanged, d.receive(noon(), done).Outcome)
	assert.Equal(t, "assigned", d.requests[0].Fields.Status)

	d.options.ApplyOnRepeat = true
	assert.Equal(t, event.Unchanged, d.receive(noon(), alert()).Outcome, "nothing to apply")
	got := d.receive(noon(), done)
	assert.Equal(t, event.Updated, got.Outcome)
	assert.False(t, got.NoteAdded)
	assert.Equal(t, "completed", d.requests[0].Fields.Status)
	assert.Equal(t, noon(), d.requests[0].CompletedAt)
}

func TestMissingSubject(t *testing.T) { // A22
	d := &desk{t: t}
	p := alert("note", "a")
	delete(p, "subject")
	got := d.receive(noon(), p)
	assert.Equal(t, event.Rejected, got.Outcome)
	assert.Equal(t, 422, got.Outcome.Status())
	assert.Equal(t, [][2]string{{"subject", "can't be blank"}}, got.Errors)
	assert.Empty(t, d.requests)

	d.receive(noon(), alert())
	assert.Equal(t, event.Updated, d.receive(noon(), p).Outcome, "not needed for a match")
}

func TestStatusWithoutItsCompanion(t *testing.T) { // A30
	for status, companion := range map[string][2]string{
		"completed": {"completion_reason", "gone"}, "waiting_for": {"waiting_until", "2026-03-02T00:00"},
	} {
		bare := alert("note", "b", "status", status)
		d := &desk{t: t}
		assert.Equal(t, event.Rejected, d.receive(noon(), bare).Outcome)
		d.receive(noon(), alert("note", "a"))
		got := d.receive(noon(), bare)
		assert.Equal(t, event.Rejected, got.Outcome)
		assert.Equal(t, companion[0], got.Errors[0][0])
		assert.Equal(t, "assigned", d.requests[0].Fields.Status)
		assert.Equal(t, 1, d.requests[0].Notes, "the note was not added either")
		assert.Equal(t, event.Unchanged, d.receive(noon(), alert("note", "a", "status", status)).Outcome, "a repeat changes nothing")

		d.receive(noon(), alert("note", "c", companion[0], companion[1]))
		assert.Equal(t, event.Updated, d.receive(noon(), bare).Outcome, "the request has the companion already")
	}
}

func TestARecoveryWithNothingOpen(t *testing.T) { // A29
	p := alert("note", "up", "status", "completed", "completion_reason", "gone")
	d := &desk{t: t}
	assert.Equal(t, event.Created, d.receive(noon(), p).Outcome)
	assert.Equal(t, noon(), d.requests[0].CompletedAt)
	assert.Equal(t, event.Created, d.receive(noon(), p).Outcome, "M5: the first one is completed")

	d = &desk{t: t, options: Options{IgnoreOrphanRecovery: true}}
	assert.Equal(t, event.Unchanged, d.receive(noon(), p).Outcome)
	assert.Empty(t, d.requests)
	assert.Equal(t, event.Created, d.receive(noon(), alert("note", "down")).Outcome)
	assert.Equal(t, event.Updated, d.receive(noon(), p).Outcome)
}

func TestRequestsNotMadeByAnEvent(t *testing.T) { // A21, A31
	r := resolve(t, alert("note", "n"))
	made := []Request{{ID: 7, CreatedAt: noon(), Fields: event.Fields{Status: "assigned", Subject: "by hand"}}}
	d := Decide(made, r, noon())
	assert.Equal(t, event.Updated, d.Outcome)
	assert.Equal(t, 0, d.Index)
}

func TestOnlyCountingAfterTooManyNotes(t *testing.T) {
	d := &desk{t: t}
	d.receive(noon(), alert("note", "0"))
	for i := 1; i < MaxNotes; i++ {
		d.requests[0].AddAgentNote(fmt.Sprint(i))
	}
	first := d.receive(noon(), alert("note", "one more", "status", "on_backlog"))
	assert.True(t, first.NoteAdded && first.CountOnly && first.SayCounting)
	assert.Equal(t, "on_backlog", d.requests[0].Fields.Status)
	second := d.receive(noon(), alert("note", "and one"))
	assert.True(t, second.NoteAdded && second.CountOnly)
	assert.False(t, second.SayCounting)
	assert.Equal(t, MaxNotes+2, d.requests[0].Notes)
	assert.Equal(t, event.Unchanged, d.receive(noon(), alert("note", "17")).Outcome)

	data, err := json.Marshal(d.requests)
	require.NoError(t, err)
	assert.Less(t, len(data), 110_000)
}

func TestWaiting(t *testing.T) {
	d := &desk{t: t}
	d.receive(noon(), alert("note", "a", "status", "waiting_for", "waiting_until", "2026-03-01T13:00"))
	q := &d.requests[0]
	due := noon().Add(time.Hour)
	assert.Equal(t, due, q.WakeAt())
	assert.False(t, q.Wake(due.Add(-time.Second)))
	assert.True(t, q.Wake(due))
	assert.Equal(t, "assigned", q.Fields.Status)
	assert.Equal(t, due, q.UpdatedAt)
	assert.True(t, q.WakeAt().IsZero())
	assert.False(t, q.Wake(due))

	d.receive(due, alert("note", "b", "status", "waiting_for", "waiting_until", "2026-03-01T15:00"))
	assert.Equal(t, noon().Add(3*time.Hour), q.WakeAt())
	q.Close(due, "ann")
	assert.True(t, q.WakeAt().IsZero(), "a completed request does not wake")
	assert.Equal(t, "ann", q.ClosedBy)
	q.Close(due.Add(time.Hour), "bob")
	assert.Equal(t, due, q.CompletedAt)
	assert.Equal(t, event.Created, d.receive(due, alert("note", "c")).Outcome)
}

func TestForgetLetsAnEventBeDecidedAgain(t *testing.T) {
	d := &desk{t: t}
	d.receive(noon(), alert("note", "a"))
	p := alert("note", "b")
	d.receive(noon(), p)
	d.requests[0].Forget(resolve(t, p))
	assert.Equal(t, 1, d.requests[0].Notes)
	assert.Equal(t, event.Updated, d.receive(noon(), p).Outcome)
	assert.Equal(t, event.Unchanged, d.receive(noon(), alert("note", "a")).Outcome)
}

func TestStateSurvivesJSON(t *testing.T) {
	d := &desk{t: t}
	d.receive(noon(), alert("note", "a", "member_id", "2", "waiting_until", "2026-03-02T00:00"))
	data, err := json.Marshal(d.requests)
	require.NoError(t, err)
	var back []Request
	require.NoError(t, json.Unmarshal(data, &back))
	assert.Equal(t, d.requests, back)
	assert.NotContains(t, string(data), `"note":`)
}

func TestDescribe(t *testing.T) {
	r := resolve(t, alert("sourceID", "882395", "supplier_id", "70", "workflow_id", "81", "requested_for_id", "3",
		"waiting_until", "2026-03-02T00:00", "custom_fields", `[{"id":"rack","value":"B 7"},{"id":9,"value":[1]}]`))
	var got []string
	for _, line := range Describe(r.Fields) {
		got = append(got, line.Field+" | "+line.Text())
	}
	assert.Equal(t, []string{
		"ci | Configuration item: mx-1", "service_instance | Service instance: Mail", "source | Source: Probe",
		"sourceID | Source ID: 882395", "account | Account: acme", "category | Category: incident", "team | Team: Network",
		"requested_by | Requested by: robot@acme.example", "requested_for | Requested for: bob@acme.example",
		"supplier | Supplier: Cable Co", "workflow | Workflow: Move racks", "waiting_until | Waiting until: 2026-03-02 00:00:00 UTC",
		"custom_fields.rack | rack: B 7", "custom_fields.9 | 9: [1]",
	}, got)

	c := resolve(t, alert("team", "Linux", "member_id", "2", "status", "on_backlog", "downtime_start_at", "2026-03-02T00:00")).Changes
	assert.Equal(t, []Line{
		{Field: "team", Label: "Team", Value: "Linux"},
		{Field: "downtime_start_at", Label: "Downtime start", Value: "2026-03-02 00:00:00 UTC"},
	}, DescribeChanges(c))
	assert.Empty(t, DescribeChanges(event.Changes{}))
	assert.Equal(t, []Line{{Field: "member", Label: "Member", Value: "Carla"}}, DescribeChanges(event.Changes{Member: &event.Ref{ID: 1, Name: "Carla"}}))
}

func TestHashesAreComparedWhole(t *testing.T) {
	packed := []byte("abcdefgh")
	assert.Equal(t, 4, indexHash(packed, []byte("efgh")))
	assert.Equal(t, -1, indexHash(packed, []byte("cdef")))
	assert.Equal(t, 4, indexHash([]byte("xabcabcd"), []byte("abcd")))
	left, found := withoutHash(packed, []byte("abcd"))
	assert.True(t, found)
	assert.Equal(t, "efgh", string(left))
}

func BenchmarkMatchInAStorm(b *testing.B) {
	ix := catalog.New(office())
	requests := []Request{{ID: 1, CreatedAt: noon(), Fields: event.Fields{Status: "assigned"}}}
	for i := range MaxNotes {
		requests[0].AddAgentNote(fmt.Sprint(i))
	}
	for b.Loop() {
		r, _ := Resolve(ix, Caller{}, alert("note", "new"))
		Decide(requests, r, noon())
	}
}
