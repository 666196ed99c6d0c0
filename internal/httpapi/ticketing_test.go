package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

// fakeTicketing answers what it is told to, and remembers what it was asked.
type fakeTicketing struct {
	notes       []ticket.Note
	err         error
	lacks       ticketing.Operator
	integration string
	id, part    string
	query       ticket.Query
	tickets     ticket.Page[ticket.Ticket]
	download    string
	size        int64
	// file is what is downloaded in place of download.
	file func() ticket.Download
}

func (f *fakeTicketing) asked(integration, id, part string) error {
	f.integration, f.id, f.part = integration, id, part
	return f.err
}

func (f *fakeTicketing) Supports(_ context.Context, in string, op ticketing.Operator) error {
	if op == f.lacks {
		return &ticket.Error{Kind: ticket.NotSupported, Op: string(op), Message: in + " cannot do this"}
	}
	return nil
}

func (f *fakeTicketing) QueryTickets(_ context.Context, in string, q ticket.Query) (ticket.Page[ticket.Ticket], error) {
	f.query = q
	return f.tickets, f.asked(in, "", "")
}

func (f *fakeTicketing) GetTicket(_ context.Context, in, id string) (ticket.Ticket, error) {
	return ticket.Ticket{ID: "10012", Name: "Disk full", Key: "OPS-12", CreatedAt: time.Unix(1, 0), UpdatedAt: time.Unix(2, 0)}, f.asked(in, id, "")
}

func (f *fakeTicketing) ListComments(_ context.Context, in, id string) ([]ticket.Comment, error) {
	return []ticket.Comment{{ID: "1", TicketID: id, Content: "hello", Internal: true}}, f.asked(in, id, "")
}

func (f *fakeTicketing) ListNotes(_ context.Context, in, id string) ([]ticket.Note, error) {
	return f.notes, f.asked(in, id, "")
}

func (f *fakeTicketing) ListAttachments(_ context.Context, in, id string) ([]ticket.Attachment, error) {
	return []ticket.Attachment{{ID: "7", FileName: "a.txt", Size: 0}, {ID: "8", FileName: "b", Size: -1}}, f.asked(in, id, "")
}

func (f *fakeTicketing) DownloadAttachment(_ context.Context, in, id, part string) (ticket.Download, error) {
	if f.file != nil {
		return f.file(), f.err
	}
	return ticket.Download{
		Attachment: ticket.Attachment{FileName: "räum.txt", FileType: "text/plain", Size: f.size},
		Body:       io.NopCloser(strings.NewReader(f.download)),
	}, f.asked(in, id, part)
}

func (f *fakeTicketing) ListProjects(_ context.Context, in, cursor string, limit int) (ticket.Page[ticket.Project], error) {
	f.query = ticket.Query{Cursor: cursor, Limit: limit}
	return ticket.Page[ticket.Project]{Items: []ticket.Project{{ID: "OPS", Name: "Operations"}}, Cursor: "next"}, f.asked(in, "", "")
}

func (f *fakeTicketing) ListRemoteFields(_ context.Context, in string) ([]ticket.RemoteField, error) {
	return []ticket.RemoteField{{
		ID: "customfield_1", Name: "Colour", Scope: ticket.ScopeProjectCustom, Type: ticket.FieldEnum, NativeType: "option",
		Options: []ticket.FieldOption{{ID: "1", Name: "Red"}},
	}}, f.asked(in, "", "")
}

func (f *fakeTicketing) QueryEscalationPolicies(_ context.Context, in string, q ticket.Query) (ticket.Page[ticket.EscalationPolicy], error) {
	f.query = q
	return ticket.Page[ticket.EscalationPolicy]{Items: []ticket.EscalationPolicy{{ID: "P1", Rules: []ticket.EscalationRule{{
		Delay:  time.Minute,
		Actors: []ticket.Actor{{Kind: ticket.ActorSchedule, ID: "S1"}, {Kind: ticket.ActorAgent, Agent: &ticket.Agent{ID: "U1", FullName: "Ines"}}},
	}}}}}, f.asked(in, "", "")
}

func (f *fakeTicketing) ListOnCall(_ context.Context, in, id string) ([]ticket.Agent, error) {
	return []ticket.Agent{{ID: "U1", FullName: "Ines Krohn"}}, f.asked(in, id, "")
}

func result[T any](t *testing.T, body []byte) T {
	t.Helper()
	var out struct {
		Result T `json:"result"`
	}
	require.NoError(t, json.Unmarshal(body, &out))
	return out.Result
}

func TestTicketsAreListed(t *testing.T) {
	e := newEnv(t)
	e.ticketing.tickets = ticket.Page[ticket.Ticket]{Items: []ticket.Ticket{{ID: "1", Name: "one"}}, Cursor: "more"}
	query := url.Values{
		"cursor": {"c=="}, "limit": {"2"}, "order": {"created_at[desc]"},
		"filter": {"project[eq]TST", `status[in]To Do,"Done, really"`},
	}
	w := e.call("GET", "/v1/ticketing/tickets?"+query.Encode(), "")
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	assert.Equal(t, ticket.Query{
		Cursor: "c==", Limit: 2, Orders: []ticket.Order{{Field: "created_at", Descending: true}},
		Filters: []ticket.Filter{
			{Field: "project", Op: ticket.Equal, Values: []string{"TST"}},
			{Field: "status", Op: ticket.In, Values: []string{"To Do", "Done, really"}},
		},
	}, e.ticketing.query)
	assert.Equal(t, "jira-ops", e.ticketing.integration, "the token selects the integration")
	assert.Contains(t, w.Body.String(), `"cursor":"more"`)
	assert.Len(t, result[[]map[string]any](t, w.Body.Bytes()), 1)

	e.call("GET", "/v1/ticketing/tickets", "")
	assert.Equal(t, 100, e.ticketing.query.Limit)
	e.ticketing.tickets = ticket.Page[ticket.Ticket]{}
	w = e.call("GET", "/v1/ticketing/tickets", "")
	assert.JSONEq(t, `{"result":[],"cursor":""}`, w.Body.String(), "an empty list, and an empty cursor at the end")
	e.call("GET", "/v1/ticketing/projects", "")
	assert.Equal(t, 50, e.ticketing.query.Limit)
	e.call("GET", "/v1/ticketing/escalation-policies", "")
	assert.Equal(t, 50, e.ticketing.query.Limit)
}

func TestBadQueriesNameTheParameter(t *testing.T) {
	e := newEnv(t)
	for _, c := range []struct{ query, parameter, says string }{
		{"limit=0", "limit", "1 to 500"}, {"limit=501", "limit", "1 to 500"}, {"limit=x", "limit", "whole number"},
		{"filter=status", "filter", "field[operator]value"}, {"filter=status%5Bis%5DDone", "filter", "none of"},
		{"filter=status%5Beq%5D%22Done", "filter", "not closed"}, {"order=a%5Bup%5D", "order", "neither asc nor desc"},
	} {
		w := e.call("GET", "/v1/ticketing/tickets?"+c.query, "")
		require.Equal(t, http.StatusBadRequest, w.Code, c.query)
		var p problem
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p))
		assert.Contains(t, p.Detail, c.says, c.query)
		require.NotNil(t, p.Context, c.query)
		assert.Equal(t, c.parameter, p.Context.Parameter.ID)
		assert.Equal(t, "query", p.Context.Parameter.Location)
	}
}

func TestIdsMayHoldAnything(t *testing.T) {
	e := newEnv(t)
	w := e.call("GET", "/v1/ticketing/tickets/T%2F1%20x", "")
	require.Equal(t, http.StatusOK, w.Code)
	assert.Equal(t, "T/1 x", e.ticketing.id)
	got := result[map[string]any](t, w.Body.Bytes())
	assert.Equal(t, "10012", got["id"])
	assert.Equal(t, "1970-01-01T00:00:01Z", got["created_at"])
	assert.NotContains(t, got, "Key", "what is not of the model stays inside")
	e.call("GET", "/v1/ticketing/attachments/a%2Fb/c%3Fd/download", "")
	assert.Equal(t, []string{"a/b", "c?d"}, []string{e.ticketing.id, e.ticketing.part})
}

func TestPartsOfATicket(t *testing.T) {
	e := newEnv(t)
	for path, want := range map[string]string{
		"tickets/T1/comments":            `{"result":[{"id":"1","ticket_id":"T1","creator":"","content":"hello","created_at":"0001-01-01T00:00:00Z"}]}`,
		"tickets/T1/notes":               `{"result":[]}`,
		"attachments/T1":                 `{"result":[{"id":"7","ticket_id":"","file_name":"a.txt","file_type":"","file_size":0,"created_date":"0001-01-01T00:00:00Z","creator":""},{"id":"8","ticket_id":"","file_name":"b","file_type":"","created_date":"0001-01-01T00:00:00Z","creator":""}]}`,
		"projects?limit=7":               `{"result":[{"id":"OPS","name":"Operations"}],"cursor":"next"}`,
		"remote-fields":                  `{"result":[{"field_id":"customfield_1","field_scope":"project_custom","provider_field_name":"Colour","schema":{"field_type_id":"enum","field_Type":"option","enum_values":["Red"],"enum_option_values":[{"id":"1","name":"Red"}]}}]}`,
		"escalation-policies":            `{"result":[{"id":"P1","rules":[{"delay_seconds":60,"actors":[{"type":"schedule_summary","id":"S1","additional_properties":false},{"type":"agent","uid":"U1","full_name":"Ines","additional_properties":false}]}]}],"cursor":""}`,
		"escalation-policies/P1/on-call": `{"result":[{"uid":"U1","full_name":"Ines Krohn"}]}`,
	} {
		w := e.call("GET", "/v1/ticketing/"+path, "")
		require.Equal(t, http.StatusOK, w.Code, path)
		assert.JSONEq(t, want, w.Body.String(), path)
	}
}

func TestAFileComesInBase64OrAsItIs(t *testing.T) {
	e := newEnv(t)
	e.ticketing.download, e.ticketing.size = "hello", 5
	w := e.call("GET", "/v1/ticketing/attachments/T1/7/download", "")
	assert.JSONEq(t, `{"result":{"file_name":"räum.txt","file_type":"text/plain","content":"aGVsbG8="}}`, w.Body.String())

	r, err := http.NewRequest("GET", "/v1/ticketing/attachments/T1/7/download", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Accept", "application/octet-stream")
	plain := newPlainWriter()
	e.handler.ServeHTTP(plain, r)
	assert.Equal(t, "hello", plain.body.String())
	assert.Equal(t, "text/plain", plain.header.Get("Content-Type"))
	assert.Equal(t, "5", plain.header.Get("Content-Length"))
	assert.Equal(t, "attachment; filename*=utf-8''r%C3%A4um.txt", plain.header.Get("Content-Disposition"))
}

// plainWriter is a ResponseWriter and nothing else.
type plainWriter struct {
	header http.Header
	body   strings.Builder
	status int
}

func newPlainWriter() *plainWriter                    { return &plainWriter{header: http.Header{}} }
func (p *plainWriter) Header() http.Header            { return p.header }
func (p *plainWriter) Write(data []byte) (int, error) { return p.body.Write(data) }
func (p *plainWriter) WriteHeader(status int)         { p.status = status }

func TestProvidersErrorsAreProblems(t *testing.T) {
	e := newEnv(t)
	for _, c := range []struct {
		err    error
		status int
		after  string
	}{
		{&ticket.Error{Kind: ticket.NotFound, Op: "get", Status: 404, Message: "no such issue"}, 404, ""},
		{&ticket.Error{Kind: ticket.Permanent, Op: "query", Message: "no such filter"}, 400, ""},
		{&ticket.Error{Kind: ticket.NotSupported, Op: "query", Message: "cannot"}, 501, ""},
		{&ticket.Error{Kind: ticket.Credentials, Op: "query", Status: 401, Message: "who?"}, 502, ""},
		{&ticket.Error{Kind: ticket.RateLimited, Op: "query", RetryAfter: 7 * time.Second}, 429, "7"},
		{&ticket.Error{Kind: ticket.RateLimited, Op: "query"}, 429, "1"},
		{&ticket.Error{Kind: ticket.Retry, Op: "query"}, 503, "1"},
		{&ticket.Error{Kind: ticket.OutcomeUnknown, Op: "query"}, 503, "1"},
		{errors.New("a bug"), 500, ""},
	} {
		e.ticketing.err = c.err
		w := e.call("GET", "/v1/ticketing/tickets/T1", "")
		require.Equal(t, c.status, w.Code, c.err)
		assert.Equal(t, c.after, w.Header().Get("Retry-After"), c.err)
		var p problem
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p))
		assert.Equal(t, c.status, p.Status)
		assert.NotEmpty(t, p.Message)
		assert.NotEmpty(t, p.Instance)
		assert.False(t, p.OccurredAt.IsZero())
	}
	e.ticketing.err = nil
	w := e.call("GET", "/v1/ticketing/tickets/T1", "", "Authorization", "Bearer nobody")
	assert.Equal(t, http.StatusUnauthorized, w.Code)
	assert.Contains(t, w.Body.String(), `"occurred_at"`, "so are our own")
	w = e.call("DELETE", "/v1/ticketing/projects", "")
	assert.Equal(t, http.StatusMethodNotAllowed, w.Code)
	assert.Contains(t, w.Body.String(), `"occurred_at"`)
	w = e.call("GET", "/v1/ticketing/nothing", "")
	assert.Equal(t, http.StatusNotFound, w.Code)
	assert.Contains(t, w.Body.String(), `"occurred_at"`)
}
