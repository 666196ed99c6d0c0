package servicenow

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// caller calls an instance as the API's user.
type caller struct {
	t *testing.T
	s *Simulator
}

func newCaller(t *testing.T, o Options) caller {
	o.Now = func() time.Time { return time.Date(2026, 3, 4, 20, 0, 0, 0, time.UTC) }
	return caller{t, New(o)}
}

func (c caller) do(method, target string, body any, headers ...string) *httptest.ResponseRecorder {
	c.t.Helper()
	data := []byte{}
	if body != nil {
		var err error
		data, err = json.Marshal(body)
		require.NoError(c.t, err)
	}
	r := httptest.NewRequest(method, target, bytes.NewReader(data))
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth("bridge", "x")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	c.s.ServeHTTP(w, r)
	return w
}

type fields = map[string]any

func (c caller) result(w *httptest.ResponseRecorder, want int, into any) {
	c.t.Helper()
	require.Equal(c.t, want, w.Code, w.Body.String())
	var answer struct{ Result json.RawMessage }
	require.NoError(c.t, json.Unmarshal(w.Body.Bytes(), &answer))
	require.NoError(c.t, json.Unmarshal(answer.Result, into))
}

func (c caller) create(table string, f fields) fields {
	c.t.Helper()
	var made fields
	c.result(c.do("POST", "/api/now/v2/table/"+table, f), 201, &made)
	return made
}

func (c caller) query(q string, more ...string) []fields {
	c.t.Helper()
	parameters := url.Values{"sysparm_query": {q}, "sysparm_fields": {"short_description"}}
	for i := 0; i+1 < len(more); i += 2 {
		parameters.Set(more[i], more[i+1])
	}
	var rows []fields
	c.result(c.do("GET", "/api/now/v2/table/incident?"+parameters.Encode(), nil), 200, &rows)
	return rows
}

func TestValuesAreShownInAllTheirForms(t *testing.T) {
	c := newCaller(t, Options{})
	made := c.create("incident", fields{"short_description": "x", "assigned_to": UserMia, "impact": 1, "urgency": "1", "bunk_field": "dropped", "comments": "first"})
	assert.NotContains(t, made, "bunk_field")
	assert.Equal(t, "1", made["priority"])
	assert.Equal(t, "", made["comments"], "a journal has no stored value")
	id, _ := made["sys_id"].(string)
	for parameters, want := range map[string]fields{
		"sysparm_fields=state,assigned_to,opened_at,caller_id": {
			"state": "1", "opened_at": "2026-03-04 20:00:00", "caller_id": "",
			"assigned_to": fields{"value": UserMia, "link": "http://example.com/api/now/table/sys_user/" + UserMia},
		},
		"sysparm_fields=state,assigned_to,opened_at,nothing&sysparm_display_value=true&sysparm_exclude_reference_link=true": {
			"state": "New", "assigned_to": "Mia Krystof", "opened_at": "04-03-2026 12:00:00",
		},
		"sysparm_fields=assigned_to,assigned_to.email&sysparm_display_value=all&sysparm_exclude_reference_link=true": {
			"assigned_to":       fields{"value": UserMia, "display_value": "Mia Krystof"},
			"assigned_to.email": fields{"value": "mia@acme.example", "display_value": "mia@acme.example"},
		},
		"sysparm_fields=comments&sysparm_display_value=true": {
			"comments": "04-03-2026 12:00:00 - bridge (Additional comments)\nfirst\n\n",
		},
	} {
		var got fields
		c.result(c.do("GET", "/api/now/v2/table/incident/"+id+"?"+parameters, nil), 200, &got)
		assert.Equal(t, want, got, parameters)
	}
}

func TestEncodedQueries(t *testing.T) {
	c := newCaller(t, Options{})
	for n := range 5 {
		c.create("incident", fields{"short_description": "n" + strconv.Itoa(n), "impact": n%3 + 1, "correlation_id": "a^b" + strconv.Itoa(n), "caller_id": UserMia})
	}
	for q, want := range map[string]int{
		"": 5, "short_description=n1": 1, "short_description!=n1": 4, "short_descriptionSTARTSWITHn": 5, "short_descriptionLIKE3": 1,
		"short_descriptionINn1,n2,x": 2, "impact=1^ORimpact=2": 4, "impact=1^urgency=9": 0, "short_description=n1^NQshort_description=n2": 2,
		"correlation_id=a^^b3": 1, "caller_id.email=mia@acme.example": 5, "caller_idSTARTSWITHMia": 5, "assigned_toISEMPTY": 5,
		"caller_idISNOTEMPTY": 5, "impact>=2": 3, "impactBETWEEN1@2": 4, "sys_created_on>=2026-03-04 20:00:00": 5, "sys_created_on>2026-03-04 20:00:00": 0,
		"caller_id=javascript:gs.getUserID()": 0, "no_such_field=x": 5, "short_description=n1^no_such_field=x": 1,
	} {
		assert.Len(t, c.query(q), want, q)
	}
	assert.Equal(t, []fields{{"short_description": "n4"}, {"short_description": "n3"}}, c.query("ORDERBYDESCshort_description", "sysparm_limit", "2"))
	c.s.Change(func(o *Options) { o.InvalidQueryReturnsNothing = true })
	assert.Empty(t, c.query("no_such_field=x"))
}

func TestPagesAreCutBeforeRowsAreHidden(t *testing.T) {
	c := newCaller(t, Options{})
	for n := range 5 {
		made := c.create("incident", fields{"short_description": strconv.Itoa(n)})
		id, _ := made["sys_id"].(string)
		require.NoError(t, c.s.Hide(id, n < 2))
	}
	w := c.do("GET", "/api/now/v2/table/incident?sysparm_limit=2", nil)
	assert.Equal(t, "5", w.Header().Get("X-Total-Count"))
	assert.Contains(t, w.Header().Get("Link"), `rel="next"`)
	assert.JSONEq(t, `{"result":[]}`, w.Body.String())
	assert.Equal(t, 404, c.do("GET", "/api/now/v1/table/incident?sysparm_query=short_description=none", nil).Code)
	assert.Equal(t, 200, c.do("GET", "/api/now/table/incident?sysparm_query=short_description=none", nil).Code)
}

func TestRulesRefuseAndReckon(t *testing.T) {
	c := newCaller(t, Options{StatefulProcess: true})
	made := c.create("incident", fields{"short_description": "x"})
	path := "/api/now/v2/table/incident/" + text1(made, "sys_id")
	refused := c.do("PATCH", path, fields{"state": "6"})
	assert.Equal(t, 403, refused.Code)
	assert.Contains(t, refused.Body.String(), "close_code")
	assert.Equal(t, 403, c.do("PATCH", path, fields{"state": "3"}).Code)
	assert.Equal(t, 403, c.do("POST", "/api/now/v2/table/incident", fields{}).Code)
	var done fields
	c.result(c.do("PATCH", path, fields{"state": "6", "close_code": "x", "close_notes": "x", "priority": "1"}), 200, &done)
	assert.Equal(t, "5", done["priority"], "it is reckoned")
	assert.Equal(t, "true", done["active"])
	assert.NotEmpty(t, done["resolved_at"])
	sir := c.create("sn_si_incident", fields{"short_description": "x"})
	path = "/api/now/v2/table/sn_si_incident/" + text1(sir, "sys_id")
	assert.Equal(t, 403, c.do("PATCH", path, fields{"state": "18"}).Code)
	assert.Equal(t, 200, c.do("PATCH", path, fields{"state": "16"}).Code)
}

func text1(f fields, name string) string { text, _ := f[name].(string); return text }

func TestAnIDIsTakenOnce(t *testing.T) {
	id := strings.Repeat("a", 32)
	c := newCaller(t, Options{UniqueCorrelation: true})
	assert.Equal(t, id, c.create("incident", fields{"short_description": "x", "sys_id": id, "correlation_id": "c"})["sys_id"])
	for _, twin := range []fields{{"short_description": "x", "sys_id": id}, {"short_description": "x", "correlation_id": "c"}} {
		w := c.do("POST", "/api/now/v2/table/incident", twin)
		assert.Equal(t, 403, w.Code)
		assert.Contains(t, w.Body.String(), "Unique Key violation")
	}
	assert.Equal(t, 1, c.s.Stats().Commits["create"])
	c.s.Change(func(o *Options) { o.IgnoreSysID = true })
	assert.NotEqual(t, id, c.create("incident", fields{"short_description": "x", "sys_id": id})["sys_id"])
}

func TestWhatARequestMustHave(t *testing.T) {
	c := newCaller(t, Options{Username: "bridge", Secret: "x", ClientID: "id", ClientSecret: "s"})
	const path = "/api/now/v2/table/incident"
	assert.Equal(t, 200, c.do("GET", path, nil).Code)
	assert.Equal(t, 400, c.do("GET", path, nil, "Accept", "text/html").Code)
	assert.Equal(t, 400, c.do("POST", path, fields{"short_description": "x"}, "Content-Type", "text/plain").Code)
	assert.Equal(t, 401, c.do("GET", path, nil, "Authorization", "Basic eDp5").Code)
	assert.Equal(t, 401, c.do("GET", path, nil, "Authorization", "Bearer nothing").Code)
	assert.Equal(t, 400, c.do("GET", "/api/now/v2/table/nothing", nil).Code)
	assert.Equal(t, 404, c.do("GET", path+"/nothing", nil).Code)
	assert.Contains(t, c.do("GET", path, nil).Header().Get("Set-Cookie"), "glide_session_store")
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"id"}, "client_secret": {"s"}}
	ask := func(body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", "/oauth_token.do", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		c.s.ServeHTTP(w, r)
		return w
	}
	var token struct {
		Token string `json:"access_token"`
	}
	require.NoError(t, json.Unmarshal(ask(form.Encode()).Body.Bytes(), &token))
	assert.Equal(t, 200, c.do("GET", path, nil, "Authorization", "Bearer "+token.Token).Code)
	form.Set("client_secret", "wrong")
	assert.Equal(t, 401, ask(form.Encode()).Code)
	c.s.ExpireTokens()
	assert.Equal(t, 401, c.do("GET", path, nil, "Authorization", "Bearer "+token.Token).Code)
}

func TestFaultsStrikeAsOftenAsTheyShould(t *testing.T) {
	c := newCaller(t, Options{})
	const path = "/api/now/v2/table/incident"
	for kind, want := range map[string]struct{ status, made int }{
		TooMany: {429, 0}, ErrorBefore: {503, 0}, Hibernating: {200, 0}, Queued: {202, 0},
		ErrorAfter: {500, 1}, Poisoned: {201, 1}, Broken: {201, 1}, HTML: {201, 1}, Slow: {201, 1},
	} {
		before := c.s.Stats().Commits["create"]
		require.NoError(t, c.s.SetFaults(Fault{Kind: kind, Op: "create", Times: 1}))
		assert.Equal(t, want.status, c.do("POST", path, fields{"short_description": kind}).Code, kind)
		assert.Equal(t, want.made, c.s.Stats().Commits["create"]-before, kind)
		assert.Empty(t, c.s.Faults(), kind)
	}
	assert.Error(t, c.s.SetFaults(Fault{Kind: "nothing"}))
	assert.Equal(t, 204, c.do("PUT", "/_control/faults", []Fault{{Kind: Slow}}).Code)
	assert.Len(t, c.s.Faults(), 1)
	assert.Equal(t, 204, c.do("DELETE", "/_control/faults", nil).Code)
	assert.Equal(t, http.StatusOK, c.do("GET", "/_control/tickets/incident", nil).Code)
}

func TestASnapshotGoesOn(t *testing.T) {
	c := newCaller(t, Options{})
	c.create("incident", fields{"short_description": "x", "comments": "said"})
	var saved bytes.Buffer
	require.NoError(t, c.s.Snapshot(&saved))
	again := newCaller(t, Options{})
	require.NoError(t, again.s.Restore(&saved))
	require.Len(t, again.s.Tickets("incident"), 1)
	assert.Len(t, again.s.Journal(again.s.Tickets("incident")[0].ID), 1)
	assert.Equal(t, "INC0010002", again.create("incident", fields{"short_description": "y"})["number"])
	assert.Equal(t, c.s.Tickets("incident")[0], again.s.Tickets("incident")[0])
}
