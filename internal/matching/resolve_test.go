package matching

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/catalog"
	"github.com/ticketbridge/ticketbridge/internal/event"
)

type fields = map[string]any

// Each row names the rules it shows.
func TestResolveFields(t *testing.T) {
	me := func(teams ...int64) Caller {
		return Caller{CurrentUser: &catalog.Person{ID: 1, Email: "robot@acme.example", Account: "acme", Teams: teams}}
	}
	rows := []struct {
		rules  string
		as     Caller
		params event.Params
		want   fields
	}{
		{"D13 D1 D2 D3 D4 D6 D7 D11e", Caller{}, params("subject", "s"), fields{
			"category": "other", "impact": nil, "source": "Event", "status": "assigned", "created_by": int64(1),
			"requested_by": int64(1), "requested_for": int64(1), "team": int64(20), "member": nil, "account": "acme", "ci": nil,
		}},
		{"D1 D2 P4: an instance makes an incident", Caller{}, params("subject", "s", "service_instance", "web"), fields{"category": "incident", "impact": "top", "service_instance": int64(31)}},
		{"D2: a given category incident, no instance", Caller{}, params("subject", "s", "category", "incident"), fields{"impact": "top"}},
		{"D2: another category", Caller{}, alert("category", "rfi"), fields{"category": "rfi", "impact": nil}},
		{"D2: a given impact", Caller{}, alert("impact", "medium"), fields{"impact": "medium"}},
		{"D3 P1", Caller{}, params("subject", "s", "source", "Probe", "sourceID", "7"), fields{"source": "Probe", "sourceID": "7"}},
		{"D5 D10", Caller{}, params("subject", "s", "template_id", "90"), fields{"status": "workflow_pending", "member": int64(5), "template": int64(90), "team": int64(20)}},
		{"D5 D14: a given status", Caller{}, params("subject", "s", "template_id", "90", "status", "on_backlog"), fields{"status": "on_backlog", "member": int64(5)}},
		{"D10 D14 D11a: a given member", Caller{}, params("subject", "s", "template_id", "90", "member_id", "2"), fields{"member": int64(2), "team": int64(21)}},
		{"D10: an unknown member", Caller{}, params("subject", "s", "template_id", "90", "member_id", "999"), fields{"member": int64(5)}},
		{"D6 P3: requested_by by e-mail", Caller{}, params("subject", "s", "requested_by", "BOB@acme.example"), fields{"requested_by": int64(3), "requested_for": int64(3), "created_by": int64(1)}},
		{"D7 P3: requested_for by id", Caller{}, params("subject", "s", "requested_by_id", "2", "requested_for_id", "3"), fields{"requested_by": int64(2), "requested_for": int64(3)}},
		{"unknown persons: the defaults", Caller{}, params("subject", "s", "requested_by", "x@y.example", "requested_for_id", "999"), fields{"requested_by": int64(1), "requested_for": int64(1)}},
		{"D8 A17", Caller{}, alert(), fields{"ci": int64(50), "service_instance": int64(30)}},
		{"D8 P4: a given instance by id", Caller{}, alert("service_instance_id", "31"), fields{"service_instance": int64(31)}},
		{"D9: the status needs a member", Caller{}, alert("status", "accepted"), fields{"member": int64(1)}},
		{"D9: a member that is unknown", Caller{}, alert("status", "in_progress", "member", "x@y.example"), fields{"member": int64(1)}},
		{"D9: a member that is known", Caller{}, alert("status", "in_progress", "member", "bob@acme.example"), fields{"member": int64(3)}},
		{"D9: other statuses need none", Caller{}, alert("status", "on_backlog"), fields{"member": nil}},
		{"D11a A33", Caller{}, alert("member", "ann@acme.example"), fields{"member": int64(2), "team": int64(21)}},
		{"D11a: a member without a team", Caller{}, alert("member", "bob@acme.example"), fields{"team": int64(22)}},
		{"D11b", Caller{}, alert(), fields{"team": int64(22)}},
		{"D11c", Caller{}, alert("ci", "web-1"), fields{"team": int64(21)}},
		{"D11d: I am in the first line", me(22), alert(), fields{"team": int64(21)}},
		{"D11d: I am in the support team", me(21), alert(), fields{"team": int64(21)}},
		{"D11d: I am elsewhere", me(23), alert(), fields{"team": int64(22)}},
		{"D11e: an instance without teams", Caller{}, params("subject", "s", "service_instance", "Bare"), fields{"team": int64(20)}},
		{"D11e: another account", Caller{}, params("subject", "s", "requested_for_id", "4"), fields{"team": int64(24)}},
		{"D12", Caller{}, alert("team", "nobody"), fields{"team": int64(22)}},
		{"D12: by id", Caller{}, alert("team_id", "x"), fields{"team": int64(22)}},
		{"P5", Caller{}, alert("team", "change"), fields{"team": int64(23)}},
		{"P5: by id", Caller{}, alert("team_id", "23"), fields{"team": int64(23)}},
		{"D14: the template alone", Caller{}, params("template_id", "91"), fields{"subject": "From the template", "category": "rfc", "impact": "low", "team": int64(23), "status": "assigned"}},
		{"D14", Caller{}, params("template_id", "91", "subject", "Mine", "category", "incident", "impact", "high", "team", "Linux"), fields{"subject": "Mine", "category": "incident", "impact": "high", "team": int64(21)}},
		{"an unknown template", Caller{}, params("template_id", "999", "subject", "s"), fields{"template": nil, "subject": "s"}},
		{"C1 A11: a label", Caller{}, alert("ci", "MX-1"), fields{"ci": int64(50)}},
		{"C1: a software's name", Caller{}, alert("ci", "editor 9"), fields{"ci": int64(53)}},
		{"C1: not a server's name", Caller{}, alert("ci", "Server"), fields{"ci": nil}},
		{"C2", Caller{}, params("subject", "s", "ci_id", "51"), fields{"ci": int64(51)}},
		{"C2: an id that is a label", Caller{}, params("subject", "s", "ci_id", "web-1"), fields{"ci": int64(51)}},
		{"C3", Caller{}, params("subject", "s", "ci_source", "OTHER", "ci_sourceID", "a1"), fields{"ci": int64(51)}},
		{"C3: another source", Caller{}, params("subject", "s", "ci_source", "Third", "ci_sourceID", "a1"), fields{"ci": nil}},
		{"C4", Caller{}, params("subject", "s", "ci_sourceID", "a1"), fields{"ci": int64(50)}},
		{"A12 A1", Caller{}, alert("ci", "nope"), fields{"ci": nil, "service_instance": nil, "category": "other", "team": int64(20)}},
		{"A13: id first", Caller{}, alert("ci_id", "51", "ci_sourceID", "a1"), fields{"ci": int64(51)}},
		{"A13: source pair second", Caller{}, alert("ci", "lonely", "ci_source", "Other", "ci_sourceID", "a1"), fields{"ci": int64(51)}},
		{"A13: an unknown id falls through", Caller{}, alert("ci_id", "999"), fields{"ci": int64(50)}},
		{"A14: id wins", Caller{}, alert("team_id", "23", "team", "Linux", "member_id", "3", "member", "ann@acme.example", "service_instance_id", "31", "service_instance", "Mail"), fields{"team": int64(23), "member": int64(3), "service_instance": int64(31)}},
		{"A14: else the name", Caller{}, alert("team_id", "999", "team", "Linux", "supplier_id", "1", "supplier", "cable co"), fields{"team": int64(21), "supplier": int64(70)}},
		{"A15: either spelling", Caller{}, params("subject", "s", "source_id", "7"), fields{"sourceID": "7"}},
		{"A15: sourceID wins", Caller{}, params("subject", "s", "source_id", "7", "sourceID", "8"), fields{"sourceID": "8"}},
		{"A16", Caller{}, alert("ci", "lonely"), fields{"ci": int64(52), "service_instance": nil, "category": "other"}},
		{"A18", Caller{}, params("subject", "s", "source", "", "team", " ", "status", "", "waiting_until", ""), fields{"source": "Event", "status": "assigned", "team": int64(20)}},
		{"A23", Caller{}, params("subject", "s", "colour", "red"), fields{"subject": "s"}},
		{"A32", Caller{}, alert("service_instance", "nope"), fields{"service_instance": int64(30)}},
		{"A32: without a CI", Caller{}, params("subject", "s", "service_instance", "nope"), fields{"service_instance": nil, "category": "other"}},
		{"P6", Caller{}, params("subject", "s", "supplier", "CABLE CO", "supplier_requestID", "C-1"), fields{"supplier": int64(70), "supplier_requestID": "C-1"}},
		{"P6 P7: by id", Caller{}, params("subject", "s", "supplier_id", "70", "problem_id", "80", "workflow_id", "81"), fields{"supplier": int64(70), "problem": int64(80), "workflow": int64(81)}},
		{"P7: unknown ids", Caller{}, params("subject", "s", "problem_id", "81", "workflow_id", "80"), fields{"problem": nil, "workflow": nil}},
		{"P7: times", Caller{}, params("subject", "s", "downtime_start_at", "2026-03-01T10:00", "downtime_end_at", "2026-03-01T10:30:15+02:00", "desired_completion_at", "2026-03-02T00:00:00", "waiting_until", "2026-03-03T09:00:00.5Z"), fields{
			"downtime_start_at": "2026-03-01T10:00:00Z", "downtime_end_at": "2026-03-01T08:30:15Z",
			"desired_completion_at": "2026-03-02T00:00:00Z", "waiting_until": "2026-03-03T09:00:00.5Z",
		}},
		{"support_domain", Caller{Account: "acme"}, params("subject", "s", "support_domain", "branch"), fields{"account": "branch"}},
		{"the caller's account", Caller{Account: "branch"}, params("subject", "s"), fields{"account": "branch"}},
		{"the caller's person", Caller{Person: "ann@acme.example"}, params("subject", "s"), fields{"created_by": int64(2), "requested_for": int64(2)}},
		{"enums: letter case, the older name", Caller{}, params("subject", "s", "status", "Change_Pending"), fields{"status": "workflow_pending"}},
	}
	for _, row := range rows {
		t.Run(row.rules, func(t *testing.T) {
			r, err := Resolve(catalog.New(office()), row.as, row.params)
			require.NoError(t, err)
			got := FieldValues(r.Fields)
			for name, want := range row.want {
				assert.Equal(t, want, got[name], name)
			}
		})
	}
}

func TestResolveRefusesWhatNoDefaultCanReplace(t *testing.T) { // A22
	for name, bad := range map[string]string{
		"category": "nonsense", "impact": "huge", "status": "closed", "completion_reason": "because",
		"waiting_until": "tomorrow", "downtime_start_at": "0000-01-01T00:00", "downtime_end_at": "12:00", "desired_completion_at": "2026-13-01T00:00",
	} {
		_, err := Resolve(catalog.New(office()), Caller{}, alert(name, bad))
		var invalid *Invalid
		require.ErrorAs(t, err, &invalid, name)
		require.Len(t, invalid.Errors, 1)
		assert.Equal(t, name, invalid.Errors[0][0])
		assert.Contains(t, err.Error(), name)
	}
}

func TestResolveCreateErrors(t *testing.T) {
	for _, row := range []struct {
		rules  string
		params event.Params
		want   string
	}{
		{"A22", params("source", "Probe"), "subject"},
		{"A22 A18", params("subject", "  "), "subject"},
		{"A30", alert("status", "completed"), "completion_reason"},
		{"A30: waiting", alert("status", "waiting_for"), "waiting_until"},
	} {
		r := resolve(t, row.params)
		require.Len(t, r.CreateErrors, 1, row.rules)
		assert.Equal(t, row.want, r.CreateErrors[0][0], row.rules)
	}
	complete := alert("status", "completed", "completion_reason", "gone")
	assert.Empty(t, resolve(t, complete).CreateErrors)
	assert.Empty(t, resolve(t, alert("status", "waiting_for_customer")).CreateErrors)
}

func TestStrictCI(t *testing.T) { // A12
	r := resolve(t, alert("ci", "nope"))
	assert.Contains(t, r.Warnings, `ci: "nope" is not in the catalog`)
	_, err := Options{StrictCI: true}.Resolve(catalog.New(office()), Caller{}, alert("ci", "nope"))
	var invalid *Invalid
	require.ErrorAs(t, err, &invalid)
	assert.Equal(t, [][2]string{{"ci", "is not in the catalog"}}, invalid.Errors)
	_, err = Options{StrictCI: true}.Resolve(catalog.New(office()), Caller{}, params("subject", "s"))
	assert.NoError(t, err)
}

func TestLongTextsAreCutNotRefused(t *testing.T) {
	long := strings.Repeat("ä", 70000)
	r := resolve(t, params("subject", long, "source", long, "sourceID", long, "note", long, "internal_note", long))
	assert.Equal(t, strings.Repeat("ä", 30), r.Fields.Source)
	assert.Equal(t, strings.Repeat("ä", 128), r.Fields.SourceID)
	assert.LessOrEqual(t, len(r.Note), 64<<10)
	assert.True(t, strings.HasSuffix(r.Note, "[cut here: the note is longer than 64 KB]"))
	assert.NotContains(t, r.Note, "\uFFFD")
	assert.Equal(t, r.Note, r.InternalNote)
	assert.Len(t, r.Warnings, 5)

	exact := strings.Repeat("n", 64<<10)
	assert.Equal(t, exact, resolve(t, params("subject", "s", "note", exact)).Note)
}

func TestCustomFields(t *testing.T) {
	r := resolve(t, params("subject", "s", "custom_fields", `[{"id":"rack","value":"B 7"}]`))
	assert.JSONEq(t, `[{"id":"rack","value":"B 7"}]`, r.Fields.CustomFields)
	r = resolve(t, params("subject", "s", "custom_fields", `{"rack":"B 7"}`))
	assert.Empty(t, r.Fields.CustomFields)
	assert.Len(t, r.Warnings, 1)
}

// A24: values of any JSON type arrive as text.
func TestLenientTypes(t *testing.T) {
	var p event.Params
	require.NoError(t, json.Unmarshal([]byte(`{"subject":true,"sourceID":882395,"team_id":21,"note":{"firing":"no"},"source":null}`), &p))
	r := resolve(t, p)
	assert.Equal(t, "true", r.Fields.Subject)
	assert.Equal(t, "882395", r.Fields.SourceID)
	assert.Equal(t, int64(21), r.Fields.Team.ID)
	assert.Equal(t, `{"firing":"no"}`, r.Note)
	assert.Equal(t, "Event", r.Fields.Source)
}

func TestAnEmptyCatalogKeepsWhatItCannotJudge(t *testing.T) {
	ix := catalog.New(catalog.Catalog{})
	r, err := Resolve(ix, Caller{Account: "acme", Person: "robot@acme.example"}, params(
		"subject", "s", "member", "ann@acme.example", "requested_for", "bob@acme.example", "team", "Linux",
		"supplier", "Cable Co", "problem_id", "80", "workflow_id", "81", "template_id", "90", "ci", "mx-1",
	))
	require.NoError(t, err)
	got := FieldValues(r.Fields)
	for name, want := range map[string]any{
		"created_by": "robot@acme.example", "member": "ann@acme.example", "requested_for": "bob@acme.example", "team": "Linux",
		"supplier": "Cable Co", "problem": int64(80), "workflow": int64(81), "template": int64(90), "ci": nil, "account": "acme",
	} {
		assert.Equal(t, want, got[name], name)
	}
	assert.Equal(t, "ann@acme.example", r.Changes.Member.Email)

	other, err := Resolve(ix, Caller{Account: "acme"}, params("subject", "s", "requested_for", "ann@acme.example"))
	require.NoError(t, err)
	assert.Negative(t, other.Key.RequestedFor)
	assert.NotEqual(t, r.Key.RequestedFor, other.Key.RequestedFor, "X6 holds for people known by e-mail only")
}

func TestKey(t *testing.T) {
	same := func(rules string, a, b event.Params) {
		assert.Equal(t, resolve(t, a).Key, resolve(t, b).Key, rules)
	}
	other := func(rules string, a, b event.Params) {
		assert.NotEqual(t, resolve(t, a).Key, resolve(t, b).Key, rules)
	}
	same("M1 A10", alert("source", "PROBE"), alert())
	same("M8", alert("service_instance", "Mail"), alert())
	same("M9", alert("subject", "x", "sourceID", "1", "impact", "low", "note", "n", "requested_for_id", "3"), alert())
	same("M9: no subject is needed", params("source", "Probe", "ci_id", "50"), alert())
	same("D3", params("subject", "s"), params("subject", "s", "source", "event"))
	other("M2", alert("source", "Else"), alert())
	other("M3", alert("service_instance", "Web"), alert())
	other("M4", alert("ci", "web-1", "service_instance", "Mail"), alert())
	other("A9", alert("support_domain", "branch"), alert())
	other("A20", alert(), params("subject", "Down", "source", "Probe", "service_instance", "Mail"))

	plain := func(pairs ...string) event.Params {
		p := params("subject", "Backup", "note", "job 7", "source", "Cron")
		for name, value := range params(pairs...) {
			p[name] = value
		}
		return p
	}
	same("X1 A4", plain("note", " job 7\r\n"), plain())
	same("X1 A10", plain("source", "cron"), plain())
	same("X9", plain("service_instance", "Web"), plain("service_instance", "Mail"))
	same("X1 P3", plain("requested_for_id", "3"), plain("requested_for", "bob@acme.example"))
	same("A19 A18", plain("note", ""), plain("note", "  "))
	same("A12", plain("ci", "nope"), plain())
	other("X2", plain("subject", "backup"), plain())
	other("X3", plain("note", "job 8"), plain())
	other("X3 A19", plain("note", ""), plain())
	other("X4", plain("support_domain", "branch"), plain())
	other("X5", plain("source", "At"), plain())
	other("X6", plain("requested_for_id", "3"), plain())
}

func TestParseTime(t *testing.T) {
	for given, want := range map[string]string{
		"2026-03-01T10:00":               "2026-03-01T10:00:00Z",
		"2026-03-01T10:00Z":              "2026-03-01T10:00:00Z",
		"2026-03-01T10:00:05":            "2026-03-01T10:00:05Z",
		"2026-03-01T10:00:05Z":           "2026-03-01T10:00:05Z",
		"2026-03-01T10:00:05+00:00":      "2026-03-01T10:00:05Z",
		"2026-03-01T10:00:05-06:00":      "2026-03-01T16:00:05Z",
		"2026-03-01T10:00:05+0200":       "2026-03-01T08:00:05Z",
		"2026-03-01T10:00:05 02:00":      "2026-03-01T08:00:05Z",
		"2026-03-01T10:00:05.1234567Z":   "2026-03-01T10:00:05.1234567Z",
		"2026-03-01 10:00:05":            "2026-03-01T10:00:05Z",
		"2026-03-01 10:00:05 +0000":      "2026-03-01T10:00:05Z",
		"2026-03-01T10:00:05.1234+01:00": "2026-03-01T09:00:05.1234Z",
	} {
		at, err := ParseTime(given)
		require.NoError(t, err, given)
		assert.Equal(t, want, timeValue(at), given)
	}
	for _, bad := range []string{"", "2026-03-01", "10:00", "2026-02-30T10:00", "now", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-01:00"} {
		_, err := ParseTime(bad)
		assert.Error(t, err, bad)
	}
}

func FuzzResolve(f *testing.F) {
	f.Add("Down", "mx-1", "50", "note", "completed", "2026-03-01T10:00")
	f.Add("", "Editor 9", "web-1", "\r\n", "workflow_pending", "x")
	ix := catalog.New(office())
	f.Fuzz(func(t *testing.T, subject, ci, anyID, note, status, at string) {
		p := params("subject", subject, "ci", ci, "ci_id", anyID, "team_id", anyID, "member", ci, "member_id", anyID,
			"note", note, "internal_note", note, "status", status, "waiting_until", at, "source", subject,
			"template_id", anyID, "custom_fields", note, "support_domain", ci, "requested_for", ci)
		first, err := Resolve(ix, Caller{}, p)
		again, errAgain := Resolve(ix, Caller{}, p)
		assert.Equal(t, first, again)
		assert.Equal(t, err, errAgain)
		if err != nil {
			return
		}
		data, err := json.Marshal(first)
		require.NoError(t, err)
		var back event.Resolved
		require.NoError(t, json.Unmarshal(data, &back))
		assert.Equal(t, first.Key, back.Key, "the key survives JSON")

		now := noon()
		requests := Apply(nil, Decide(nil, first, now), first, now, 1, "")
		if len(requests) == 1 && requests[0].Open(now) {
			assert.Equal(t, event.Unchanged, Decide(requests, first, now).Outcome)
		}
	})
}
