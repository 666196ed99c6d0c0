package scenario

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/catalog"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/matching"
)

func outcomes(r Results) []event.Outcome {
	var out []event.Outcome
	for _, e := range r.Events {
		out = append(out, e.Outcome)
	}
	return out
}

func TestForms(t *testing.T) {
	for name, text := range map[string]string{
		"a list":              `[{"at_s": 0, "params": {"subject": "s", "note": "n"}}, {"at_s": 60, "params": {"subject": "s", "note": "n"}}]`,
		"JSON Lines":          "{\"params\": {\"subject\": \"s\", \"note\": \"n\"}}\n{\"params\": {\"subject\": \"s\", \"note\": \"n\"}}\n",
		"bare parameters":     `{"at": "2026-05-01T10:00", "subject": "s", "note": "n"} {"received_at": "2026-05-01T10:00:01Z", "subject": "s", "note": "n"}`,
		"one case":            `{"events": [{"params": {"subject": "s", "note": "n"}}, {"params": {"subject": "s", "note": "n"}}]}`,
		"events of a feed":    `[{"foreign": {"ticket_id": "1", "comment": {"id": "c", "text": "x"}}}, {"foreign": {"ticket_id": "1", "comment": {"id": "c", "text": "x"}}}]`,
		"A26: query and body": `[{"query": {"subject": "q", "note": "n"}, "params": {"subject": "s"}}, {"params": {"subject": "s", "note": "n"}}]`,
	} {
		assert.Equal(t, []event.Outcome{event.Created, event.Unchanged}, outcomes(run(t, text)), name)
	}
	window := `[{"at": "2026-05-01T10:00Z", "params": {"subject": "s"}}, {"at": "2026-05-02T10:00:01Z", "params": {"subject": "s"}}]`
	assert.Equal(t, []event.Outcome{event.Created, event.Created}, outcomes(run(t, window)))
	assert.Equal(t, "events", run(t, window).Events[0].Case)
	feeds := `[{"feed": "a", "foreign": {"ticket_id": "1"}}, {"feed": "b", "foreign": {"ticket_id": "1"}}]`
	assert.Equal(t, []event.Outcome{event.Created, event.Created}, outcomes(run(t, feeds)))
}

func TestBadFiles(t *testing.T) {
	for text, want := range map[string]string{
		"":                                     "no events",
		"[]":                                   "no events",
		"[\n 1]":                               "line 2: want an object",
		"{\n\"cases\": [\n{\"id\": }]}":        "line 3: not valid JSON",
		"[{\"params\": {}},\n\n{\"at_s\": 5}]": "line 3: the event has neither params nor foreign",
		"[\n{\"at_s\": \"soon\"}]":             "at_s: line 2",
		`[{"at": "soon", "params": {}}]`:       `"soon" is not a date and time`,
		`[{"at_s": 1e300, "params": {}}]`:      "more than a century",
		`[{"params": []}]`:                     "want one JSON object",
		`[{"foreign": {}}]`:                    "foreign.ticket_id: missing",
		`{"cases": {}}`:                        "want an array",
		"{\"cases\": [\n{\"id\": \"C\", \"events\": [], \"expect\": [{}]}]}":                         "line 2: case C: 0 events but 1 entries in expect",
		"{\"cases\": [],\n\"fixture\": {\"cis\": [{\"id\": 1, \"service_instances\": [7]}]}}":        "line 2: fixture: cis[0].service_instances[0]: there is no service instance 7",
		"{\"cases\": [],\n\"fixture\": {\n\"teams\": [{\"id\": \"x\"}]}}":                            "line 3",
		"{\"cases\": [], \"fixture\": {\"t0\": \"x\"}}":                                              "fixture.t0 is not a date",
		"{\"events\": [{\"params\": {}}],\n\"given\": {\"requests\": [\n{\"ci\": [1]}]}}":            "line 3: [1] is not a reference",
		"{\"events\": [{\"params\": {}}],\n\"given\": {\"requests\": [{\"waiting_until\": \"x\"}]}}": `"x" is not a date`,
		"{\"events\": [{\"params\": {}}], \"given\": {\"current_user\": []}}":                        "given.current_user",
		"{\"events\": [{\"params\": {}}], \"expect\": [1]}":                                          "want an object",
	} {
		_, err := Run([]byte(text), Options{})
		require.Error(t, err, text)
		assert.Contains(t, err.Error(), want, text)
	}
}

func TestWhatNobodyReadsIsTold(t *testing.T) {
	r := run(t, "{\"events\": [{\"params\": {\"subject\": \"s\"}}],\n\"expect\": [{\"outcom\": \"created\"}], \"given\": {\"people\": []}}")
	assert.ElementsMatch(t, []string{
		`line 2: "outcom" is not known and was ignored`, `line 2: "people" is not known and was ignored`,
	}, r.Ignored)
}

func TestGiven(t *testing.T) {
	const fixture = `"fixture": {"t0": "2026-01-01T00:00:00Z", "account": "a", "current_user": {"id": 1, "email": "me@a.example", "account": "a", "teams": [5]},
	 "people": [{"id": 1, "email": "me@a.example", "account": "a", "teams": [5]}, {"id": 2, "email": "you@a.example", "account": "a", "teams": [6]}],
	 "teams": [{"id": 5, "name": "Five"}, {"id": 6, "name": "Six"}, {"id": 7, "name": "Seven"}],
	 "cis": [{"id": 9, "label": "srv", "service_instances": [3]}], "service_instances": [{"id": 3, "name": "S", "first_line_team": 6, "support_team": 7}]}`
	created := func(user string) map[string]any {
		r := run(t, `{`+fixture+`, "given": {"current_user": `+user+`}, "events": [{"params": {"subject": "s", "ci": "srv"}}]}`)
		return r.Events[0].Fields
	}
	for user, want := range map[string][2]int64{
		`null`: {1, 6}, `{}`: {1, 6}, `{"teams": [7]}`: {1, 7}, `{"id": 2}`: {2, 7}, `{"email": "you@a.example"}`: {2, 7},
		`2`: {2, 7}, `"you@a.example"`: {2, 7}, `{"id": 2, "teams": []}`: {2, 6}, `{"id": 44, "teams": [6]}`: {44, 7},
	} {
		got := created(user)
		assert.Equal(t, want[0], got["created_by"], user)
		assert.Equal(t, want[1], got["team"], user)
	}

	twice := run(t, `{`+fixture+`, "cases": [
	 {"given": {"current_user": {"teams": [6]}}, "events": [{"params": {"subject": "s", "ci": "srv"}}]},
	 {"events": [{"params": {"subject": "s", "ci": "srv"}}]}]}`)
	assert.Equal(t, int64(7), twice.Events[0].Fields["team"])
	assert.Equal(t, int64(6), twice.Events[1].Fields["team"], "a case does not change the next one's user")

	given := func(request, params string) Result {
		r := run(t, `{`+fixture+`, "given": {"requests": [`+request+`]}, "events": [{"at_s": 0, "params": `+params+`}]}`)
		return r.Events[0]
	}
	onCI, plain := `{"ci": "srv", "note": "n"}`, `{"subject": "s", "note": "b", "requested_for_id": 2}`
	for name, row := range map[string]struct {
		request, params string
		want            event.Outcome
		label           string
	}{
		"hit":                       {`{"ref": "r1", "ci": 9, "service_instance": 3, "source": "event"}`, onCI, event.Updated, "r1"},
		"A5 public":                 {`{"ref": "x", "ci": 9, "service_instance": 3, "source": "Event", "notes": [{"text": " n"}]}`, onCI, event.Unchanged, "x"},
		"A5 internal":               {`{"ci": {"id": 9}, "service_instance": 3, "source": "Event", "notes": [{"text": "n", "internal": true}]}`, onCI, event.Updated, "r1"},
		"A28 archived":              {`{"ci": 9, "service_instance": 3, "source": "Event", "archived": true}`, `{"subject": "s", "ci": "srv"}`, event.Created, "r2"},
		"A28 trashed":               {`{"ci": 9, "service_instance": 3, "source": "Event", "trashed": true}`, `{"subject": "s", "ci": "srv"}`, event.Created, "r2"},
		"M6 too old":                {`{"ci": 9, "service_instance": 3, "source": "Event", "created_s": -86401}`, `{"subject": "s", "ci": "srv"}`, event.Created, "r2"},
		"A3 just in time":           {`{"ci": 9, "service_instance": 3, "source": "Event", "created_s": -86400}`, onCI, event.Updated, "r1"},
		"M3":                        {`{"ci": 9, "source": "Event"}`, `{"subject": "s", "ci": "srv"}`, event.Created, "r2"},
		"X1 under any of its notes": {`{"subject": "s", "source": "Event", "requested_for": 2, "notes": ["a", "b", "b"]}`, plain, event.Unchanged, "r1"},
		"X1 person by e-mail":       {`{"subject": "s", "source": "Event", "requested_for": {"id": 2}, "notes": ["b"]}`, plain, event.Unchanged, "r1"},
		"X6":                        {`{"subject": "s", "source": "Event", "notes": ["b"]}`, plain, event.Created, "r2"},
		"X3 A5":                     {`{"subject": "s", "source": "Event", "requested_for": 2, "notes": [{"text": "b", "internal": true}]}`, plain, event.Created, "r2"},
		"A20":                       {`{"subject": "s", "source": "Event", "requested_for": 2, "ci": 9, "notes": ["b"]}`, plain, event.Created, "r2"},
		"A19 both without a note":   {`{"subject": "s", "source": "Event"}`, `{"subject": "s"}`, event.Unchanged, "r1"},
		"A9":                        {`{"subject": "s", "source": "Event", "account": "b"}`, `{"subject": "s"}`, event.Created, "r2"},
	} {
		got := given(row.request, row.params)
		assert.Equal(t, row.want, got.Outcome, name)
		assert.Equal(t, row.label, got.Request, name)
	}
}

func TestWaitingRequestsWake(t *testing.T) {
	r := run(t, `{"given": {"requests": [{"subject": "s", "source": "Event", "status": "waiting_for", "waiting_until": "2026-01-01T01:00"}]},
	 "events": [{"at_s": 3599, "params": {"subject": "s"}}, {"at_s": 3600, "params": {"subject": "s"}}], "after": {"r1": {"fields": {"status": "assigned"}}}}`)
	assert.Empty(t, r.Differences)
	assert.Equal(t, "waiting_for", r.Events[0].Fields["status"])
	assert.Equal(t, "assigned", r.Events[1].Fields["status"])
}

func TestOptions(t *testing.T) {
	text := []byte(`[{"params": {"subject": "s", "ci": "srv"}}, {"params": {"subject": "t", "ci": "none"}}]`)
	records := &catalog.Catalog{CIs: []catalog.CI{{ID: 9, Label: "SRV"}}}
	r, err := Run(text, Options{Catalog: records, Matching: matching.Options{StrictCI: true}})
	require.NoError(t, err)
	assert.Equal(t, []event.Outcome{event.Created, event.Rejected}, outcomes(r))
	assert.Equal(t, int64(9), r.Events[0].Fields["ci"])
	assert.Equal(t, [][2]string{{"ci", "is not in the catalog"}}, r.Events[1].Errors)
}

func TestWrite(t *testing.T) {
	r := run(t, `[{"params": {"subject": "a < b", "note": "n", "custom_fields": [{"id": "x", "value": 1}]}}, {"params": {"note": "x"}}]`)
	var out bytes.Buffer
	require.NoError(t, Write(&out, r, false))
	assert.Equal(t, `{"case":"events","status":201,"outcome":"created","request":"r1","note_added":true,"changed":{}}
{"case":"events","status":422,"outcome":"rejected","request":null,"note_added":false,"changed":{},"errors":[["subject","can't be blank"]]}
`, out.String())

	out.Reset()
	require.NoError(t, Write(&out, r, true))
	assert.Contains(t, out.String(), `"subject":"a < b"`)
	assert.Contains(t, out.String(), `"custom_fields":[{"id":"x","value":1}]`)
	assert.Contains(t, out.String(), `"notes":[{"text":"n","internal":false}]`)
	assert.Contains(t, out.String(), `"team":null`)
	assert.Contains(t, out.String(), `"fields":null`)
}

func TestManyEventsOfOneRequest(t *testing.T) {
	var text bytes.Buffer
	for i := range 4000 {
		fmt.Fprintf(&text, `{"foreign": {"ticket_id": "1", "comment": {"id": "c%d", "text": "x"}}}`+"\n", i)
	}
	events := run(t, text.String()).Events
	assert.Len(t, events, 4000)
	assert.Len(t, events[9].Fields["notes"], 10, "the notes that there were then")
}

func FuzzScenario(f *testing.F) {
	f.Add([]byte(`{"cases": [{"id": "C", "given": {"current_user": {"teams": [1]}, "requests": [{"ci": 1, "notes": ["n"]}]}, "events": [{"at_s": 0, "params": {"subject": "s"}}], "expect": [{"fields": {"notes_set": []}}], "after": {"r1": {"fields": {}}}}]}`))
	f.Add([]byte("{\"params\": {\"subject\": 1}}\n{\"at\": \"2026-01-01T00:00\", \"foreign\": {\"ticket_id\": \"1\"}}"))
	f.Add([]byte(`[{"events": [], "fixture": {"teams": [{"id": 1}]}}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := Run(data, Options{})
		again, errAgain := Run(data, Options{})
		assert.Equal(t, err, errAgain)
		var a, b bytes.Buffer
		require.NoError(t, Write(&a, first, true))
		require.NoError(t, Write(&b, again, true))
		assert.Equal(t, a.String(), b.String())
		require.NoError(t, WriteTable(&a, first))
	})
}
