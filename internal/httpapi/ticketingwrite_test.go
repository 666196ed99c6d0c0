package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

// fakeWrites end as they are told to, and remember what they were asked.
type fakeWrites struct {
	asked    TicketWrite
	startErr error
	// joins: an equal write is under way.
	joins   bool
	outcome contract.WriteOutcome
	ended   bool
	// endsAfterAll: it ends between the wait and the 202.
	endsAfterAll bool
	answered     int
	async        int
	closed       int
	waited       time.Duration
}

func (f *fakeWrites) Start(ctx context.Context, w TicketWrite) (StartedWrite, error) {
	if w.Derive != nil && !f.joins {
		var err error
		if w.Body, err = w.Derive(ctx); err != nil {
			return nil, err
		}
	}
	w.Derive = nil // functions are not compared
	f.asked = w
	if f.startErr != nil {
		return nil, f.startErr
	}
	return f, nil
}

func (f *fakeWrites) Outcome(_ context.Context, integration, id string) (contract.WriteOutcome, error) {
	if id != "write:jira-ops:abc/run" || integration != "jira-ops" {
		return contract.WriteOutcome{}, ErrNotFound
	}
	return f.outcome, nil
}

func (f *fakeWrites) OperationID() string { return "write:jira-ops:abc/run" }

func (f *fakeWrites) Wait(_ context.Context, wait time.Duration) (contract.WriteOutcome, bool, error) {
	f.waited += wait
	return f.outcome, f.ended, nil
}

func (f *fakeWrites) Answered(context.Context) error { f.answered++; return nil }

func (f *fakeWrites) Async(context.Context) (contract.WriteOutcome, bool, error) {
	f.async++
	return f.outcome, f.endsAfterAll, nil
}

func (f *fakeWrites) Trouble(context.Context) string { return "503 from the provider" }
func (f *fakeWrites) Close()                         { f.closed++ }

func made(t *testing.T, v any) contract.WriteOutcome {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return contract.WriteOutcome{Done: true, Status: contract.WriteOK, Result: data}
}

func ptr[T any](v T) *T { return &v }

func TestEveryWriteReachesItsOperator(t *testing.T) {
	for _, c := range []struct {
		method, path, body string
		result             any
		status             int
		want               TicketWrite
		answers            string
	}{
		{"POST", "tickets", `{"name":"Disk full","priority":"HIGH","due_date":"2026-05-06T07:08:09.5+02:00","newer_member":1,"custom_fields":{"size":3}}`,
			ticket.Ticket{ID: "1", Name: "Disk full"}, 201,
			TicketWrite{Operator: ticketing.CreateTicket, Body: ticket.New{
				Name: "Disk full", Priority: ticket.High, CustomFields: map[string]any{"size": 3.0},
				DueDate: time.Date(2026, 5, 6, 7, 8, 9, 500_000_000, time.FixedZone("", 7200)),
			}}, `"id":"1"`},
		{"PATCH", "tickets/T%2F1", `[{"op":"replace","path":"/status","value":"Done"}]`, ticket.Ticket{ID: "1", Status: "Done"}, 200,
			TicketWrite{Operator: ticketing.PatchTicket, TicketID: "T/1", Body: ticket.Patch{Status: ptr("Done")}}, `"status":"Done"`},
		{"POST", "tickets/T1/comments", `{"content":"hello","creator":"a@b.example"}`, ticket.Comment{ID: "c"}, 201,
			TicketWrite{Operator: ticketing.CreateComment, TicketID: "T1", Body: ticket.NewComment{Content: "hello", Creator: "a@b.example"}}, `"id":"c"`},
		{"DELETE", "tickets/T1/comments/c1", "", nil, 200, TicketWrite{Operator: ticketing.DeleteComment, TicketID: "T1", PartID: "c1"}, "{}"},
		{"POST", "tickets/T1/notes", `{"title":"t","content":"c"}`, ticket.Note{ID: "n", Title: "t"}, 201,
			TicketWrite{Operator: ticketing.CreateNote, TicketID: "T1", Body: ticket.NewNote{Title: "t", Content: "c"}}, `"title":"t"`},
		{"PATCH", "tickets/T1/notes/n1", `[{"op":"replace","path":"/title","value":"new"}]`, ticket.Note{ID: "n", Title: "new"}, 200,
			TicketWrite{Operator: ticketing.PatchNote, TicketID: "T1", PartID: "n1", Body: ticket.NotePatch{Title: ptr("new")}}, `"title":"new"`},
		{"DELETE", "tickets/T1/notes/n1", "", nil, 200, TicketWrite{Operator: ticketing.DeleteNote, TicketID: "T1", PartID: "n1"}, "{}"},
		{"POST", "attachments/T1", `{"file_name":"a.txt","content":"aGVsbG8="}`, ticket.Attachment{ID: "f", FileName: "a.txt", Size: 5}, 201,
			TicketWrite{Operator: ticketing.CreateAttachment, TicketID: "T1", Body: contract.NewAttachment{FileName: "a.txt", Content: []byte("hello")}}, `"file_size":5`},
		{"DELETE", "attachments/T1/f1", "", nil, 200, TicketWrite{Operator: ticketing.DeleteAttachment, TicketID: "T1", PartID: "f1"}, "{}"},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			e := newEnv(t)
			e.writes.outcome, e.writes.ended = made(t, c.result), true
			w := e.call(c.method, "/v1/ticketing/"+c.path, c.body, "Content-Type", "application/json", "Idempotency-Key", "k")
			require.Equal(t, c.status, w.Code, w.Body.String())
			c.want.Integration, c.want.Key = "jira-ops", "k"
			if asked, ok := e.writes.asked.Body.(ticket.New); ok { // times are equal, not the same
				want := c.want.Body.(ticket.New)
				assert.True(t, want.DueDate.Equal(asked.DueDate))
				asked.DueDate, want.DueDate = time.Time{}, time.Time{}
				e.writes.asked.Body, c.want.Body = asked, want
			}
			assert.Equal(t, c.want, e.writes.asked)
			assert.Contains(t, w.Body.String(), c.answers)
			assert.Equal(t, 1, e.writes.answered, "the write is told that its caller has the answer")
			assert.Positive(t, e.writes.closed)
		})
	}
}

func TestWritesThatTakeLonger(t *testing.T) {
	const body = `{"name":"x"}`
	e := newEnv(t)
	w := e.call("POST", "/v1/ticketing/tickets", body)
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	assert.Equal(t, "1", w.Header().Get("Retry-After"))
	var p problem
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p))
	assert.Equal(t, "write:jira-ops:abc/run", p.Context.Operation)
	assert.Contains(t, p.Detail, "503 from the provider")
	assert.Equal(t, "write:jira-ops:abc/run", w.Header().Get("X-Operation-Id"))
	assert.Zero(t, e.writes.async+e.writes.answered)
	assert.InDelta(t, DecideWithin, e.writes.waited, float64(time.Second))

	e.writes.waited = 0
	w = e.call("POST", "/v1/ticketing/tickets", body, "Prefer", "wait=5, respond-async")
	require.Equal(t, http.StatusAccepted, w.Code)
	assert.Equal(t, "/v1/ticketing/operations/write:jira-ops:abc%2Frun", w.Header().Get("Location"))
	assert.Equal(t, "write:jira-ops:abc/run", w.Header().Get("X-Operation-Id"))
	assert.Equal(t, 1, e.writes.async)
	assert.Equal(t, 5*time.Second, e.writes.waited)
	assert.Zero(t, e.writes.answered, "a 202 is no result")

	e.writes.outcome, e.writes.endsAfterAll = made(t, ticket.Ticket{ID: "1"}), true
	w = e.call("POST", "/v1/ticketing/tickets", body, "Prefer", "respond-async")
	assert.Equal(t, http.StatusCreated, w.Code, "it ended just now")

	e.writes.outcome, e.writes.ended = contract.WriteOutcome{Status: contract.WriteParked, Error: &contract.WriteError{Message: "no such user"}}, true
	w = e.call("POST", "/v1/ticketing/tickets", body)
	assert.Equal(t, http.StatusServiceUnavailable, w.Code, "a person may still have it made")
	assert.Contains(t, w.Body.String(), "no such user")

	w = e.call("GET", "/v1/ticketing/operations/write:jira-ops:abc%2Frun", "")
	assert.JSONEq(t, `{"id":"write:jira-ops:abc/run","status":"parked","reason":"no such user"}`, w.Body.String())
	assert.Equal(t, http.StatusNotFound, e.call("GET", "/v1/ticketing/operations/other", "").Code)
}

// Who asks for a write sees what the write itself would have answered.
func TestAnOperationHasTheResultOfItsWrite(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		path, body string
		made       any
	}{
		{"tickets", `{"name":"x"}`, ticket.Ticket{ID: "1", Name: "x", CreatedAt: at, CustomFields: map[string]any{"FileName": "y"}}},
		{"tickets/1/comments", `{"content":"x"}`, ticket.Comment{ID: "2", TicketID: "1", Content: "x", CreatedAt: at}},
		{"tickets/1/notes", `{"title":"x","content":"x"}`, ticket.Note{ID: "3", TicketID: "1", Title: "x", CreatedAt: at}},
		{"attachments/1", inBase64("a.txt", "hello"), ticket.Attachment{ID: "4", TicketID: "1", FileName: "a.txt", FileType: "text/plain", CreatedAt: at, Size: 5}},
	} {
		e := newEnv(t)
		e.writes.outcome, e.writes.ended = made(t, c.made), true
		var answered, asked struct{ Result json.RawMessage }
		require.NoError(t, json.Unmarshal(e.call("POST", "/v1/ticketing/"+c.path, c.body).Body.Bytes(), &answered))
		require.NoError(t, json.Unmarshal(e.call("GET", "/v1/ticketing/operations/write:jira-ops:abc%2Frun", "").Body.Bytes(), &asked))
		assert.JSONEq(t, string(answered.Result), string(asked.Result), c.path)
		assert.Contains(t, string(asked.Result), `"id":`)
	}
}

// An id is taken as X-Operation-Id has it, too.
func TestAnOperationIsFoundByItsPlainID(t *testing.T) {
	e := newEnv(t)
	e.writes.outcome = contract.WriteOutcome{Status: contract.WriteOK}
	for _, id := range []string{"write:jira-ops:abc/run", "write:jira-ops:abc%2Frun", "write%3Ajira-ops%3Aabc%2frun/"} {
		w := e.call("GET", "/v1/ticketing/operations/"+id, "")
		assert.Equal(t, http.StatusOK, w.Code, id)
		assert.Contains(t, w.Body.String(), `"id":"write:jira-ops:abc/run"`)
	}
	assert.Equal(t, http.StatusNotFound, e.call("GET", "/v1/ticketing/operations/write:jira-ops:abc/run/more", "").Code)
	assert.Equal(t, http.StatusMethodNotAllowed, e.call("DELETE", "/v1/ticketing/operations/write:jira-ops:abc/run", "").Code)
}

// A write is made although not all of it could be: its caller hears of the rest.
func TestWarningsReachTheCaller(t *testing.T) {
	for _, c := range []struct {
		method, path, body string
		result             any
	}{
		{"POST", "tickets", `{"name":"x"}`, ticket.Ticket{ID: "1"}},
		{"PATCH", "tickets/1", `[{"op":"replace","path":"/status","value":"Done"}]`, ticket.Ticket{ID: "1"}},
		{"POST", "tickets/1/comments", `{"content":"x"}`, ticket.Comment{ID: "1"}},
		{"POST", "tickets/1/notes", `{"title":"t","content":"x"}`, ticket.Note{ID: "1"}},
		{"POST", "attachments/1", `{"file_name":"a","content":""}`, ticket.Attachment{ID: "1"}},
		{"DELETE", "tickets/1/notes/1", "", nil},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			e := newEnv(t)
			e.writes.outcome, e.writes.ended = made(t, c.result), true
			w := e.call(c.method, "/v1/ticketing/"+c.path, c.body, "Content-Type", "application/json")
			require.Less(t, w.Code, 300)
			assert.NotContains(t, w.Body.String(), "messages")
			assert.Equal(t, "write:jira-ops:abc/run", w.Header().Get("X-Operation-Id"))

			e.writes.outcome.Warnings = []string{"assignee: nobody is known", "due_date: has no place"}
			w = e.call(c.method, "/v1/ticketing/"+c.path, c.body, "Content-Type", "application/json", "X-Request-Id", "r1")
			require.Less(t, w.Code, 300)
			var answer struct{ Messages struct{ Problems []problem } }
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
			require.Len(t, answer.Messages.Problems, 2)
			assert.Equal(t, problem{
				Message: "Not done as it was asked", Status: 200, OccurredAt: time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC),
				Instance: "urn:request:r1", Detail: "assignee: nobody is known",
			}, answer.Messages.Problems[0])
			assert.Equal(t, "due_date: has no place", answer.Messages.Problems[1].Detail)
		})
	}
}

func TestRefusedWrites(t *testing.T) {
	e := newEnv(t)
	for kind, status := range map[ticket.Kind]int{"": 400, ticket.Permanent: 400, ticket.NotFound: 404, ticket.NotSupported: 501, ticket.Closed: 409} {
		e.writes.ended = true
		e.writes.outcome = contract.WriteOutcome{Done: true, Status: contract.WriteRefused, Error: &contract.WriteError{Kind: string(kind), Message: "because", Status: 422}}
		w := e.call("POST", "/v1/ticketing/tickets", `{"name":"x"}`)
		assert.Equal(t, status, w.Code, kind)
		assert.Contains(t, w.Body.String(), "because")
		assert.Equal(t, "write:jira-ops:abc/run", w.Header().Get("X-Operation-Id"))
		assert.Zero(t, e.writes.answered, "not a 2xx")
	}
	e.writes.startErr = ErrKeyReused
	assert.Equal(t, http.StatusConflict, e.call("POST", "/v1/ticketing/tickets", `{"name":"x"}`).Code)
	e.writes.startErr = ErrUnavailable
	w := e.call("POST", "/v1/ticketing/tickets", `{"name":"x"}`)
	assert.Equal(t, http.StatusServiceUnavailable, w.Code)
	assert.Empty(t, w.Header().Get("X-Operation-Id"), "nothing was started")
}

// What the provider said is told as it said it, and which member our own checks refuse.
func TestWhyAWriteWasRefused(t *testing.T) {
	for _, c := range []struct {
		said             contract.WriteError
		detail, raw      string
		pointer, locates string
	}{
		{contract.WriteError{Message: "create issue in OPS: 400: summary: too long: 300", Status: 400}, "create issue in OPS: summary: too long: 300", "400: summary: too long: 300", "", ""},
		{contract.WriteError{Message: "because", Status: 422}, "because", "422: because", "", ""},
		{contract.WriteError{Message: "create incident: custom_fields.u_a/b: no such column: u_a/b"}, "create incident: custom_fields.u_a/b: no such column: u_a/b", "", "/custom_fields/u_a~1b", "body"},
		{contract.WriteError{Message: "parent: there is no ticket \"9\""}, "parent: there is no ticket \"9\"", "", "/parent", "body"},
		{contract.WriteError{Message: "add note to 1: content: empty"}, "add note to 1: content: empty", "", "/content", "body"},
		{contract.WriteError{Message: "create issue: OPS: name: empty"}, "create issue: OPS: name: empty", "", "", ""},
		{contract.WriteError{Message: "name"}, "name", "", "", ""},
	} {
		e := newEnv(t)
		c.said.Kind = string(ticket.Permanent)
		e.writes.ended, e.writes.outcome = true, contract.WriteOutcome{Done: true, Status: contract.WriteRefused, Error: &c.said}
		var p problem
		require.NoError(t, json.Unmarshal(e.call("POST", "/v1/ticketing/tickets", `{"name":"x"}`).Body.Bytes(), &p))
		assert.Equal(t, c.detail, p.Detail)
		if p.Context == nil {
			p.Context = &problemContext{}
		}
		assert.Equal(t, c.raw, p.Context.RawError)
		if p.Context.Parameter == nil {
			p.Context.Parameter = &problemParameter{}
		}
		assert.Equal(t, problemParameter{ID: c.pointer, Location: c.locates}, *p.Context.Parameter, c.said.Message)
	}
}

func TestBadBodiesNameTheMember(t *testing.T) {
	e := newEnv(t)
	for _, c := range []struct{ method, path, body, pointer string }{
		{"POST", "tickets", `{}`, "/name"}, {"POST", "tickets", `{"name":" "}`, "/name"}, {"POST", "tickets", `{"name":7}`, "/name"},
		{"POST", "tickets", `{"name":"x","priority":"HUGE"}`, "/priority"}, {"POST", "tickets", `nonsense`, ""}, {"PATCH", "tickets/1", `{}`, ""},
		{"POST", "tickets/1/comments", `{"content":""}`, "/content"}, {"POST", "tickets/1/notes", `{"content":"x"}`, "/title"},
		{"POST", "attachments/1", `{"file_name":"a","content":"***"}`, "/content"}, {"POST", "attachments/1", `{"content":""}`, "/file_name"},
		{"POST", "tickets", `{"name":"x","tags":["a",1]}`, "/tags/1"}, {"POST", "tickets", `{"name":"x","tags":[[]]}`, "/tags/0"}, {"POST", "tickets", `[{"name":"x"}]`, ""},
		{"POST", "tickets", `{"name":"x","due_date":"2026-13-01"}`, "/due_date"}, {"POST", "tickets", `{"name":"x","due_date":5}`, "/due_date"}, {"POST", "tickets", `{"name":"x","completion_date":"2026-12-01"}`, "/completion_date"},
		{"PATCH", "tickets/1", `[{"op":"replace","path":"/priority","value":"SUPER"}]`, "/priority"}, {"PATCH", "tickets/1", `[{"op":"remove","path":"/tags/7"}]`, "/0/path"},
		{"PATCH", "tickets/1", `[{"op":"replace","path":"/id","value":"x"}]`, "/0/path"}, {"PATCH", "tickets/1/notes/1", `[{"op":"replace","path":"/status","value":"x"}]`, "/0/path"},
	} {
		w := e.call(c.method, "/v1/ticketing/"+c.path, c.body, "Content-Type", "application/json")
		require.Equal(t, http.StatusBadRequest, w.Code, c.body)
		var p problem
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p))
		require.NotNil(t, p.Context, c.body)
		assert.Equal(t, c.pointer, p.Context.Parameter.ID, c.body)
		assert.Equal(t, "body", p.Context.Parameter.Location)
	}
	w := e.call("PATCH", "/v1/ticketing/tickets/1", `[{"op":"test","path":"/name","value":"other"},{"op":"remove","path":"/parent"}]`)
	assert.Equal(t, http.StatusConflict, w.Code, "the ticket was read, and the test does not hold")
	assert.Equal(t, "1", e.ticketing.id)
}

// Whoever reads them writes JSON, and no Go.
func TestErrorsOfBodiesArePlain(t *testing.T) {
	e := newEnv(t)
	for _, c := range []struct{ path, body, want string }{
		{"tickets", `nonsense`, "the body is not valid JSON: invalid character"},
		{"tickets", ``, "the body is not valid JSON: it is empty"},
		{"tickets", `{"name":"x"}}`, "the body is not valid JSON: want one value and nothing after it"},
		{"tickets", `[]`, "the body is of the wrong type: want an object"},
		{"attachments/1", `[]`, "the body is of the wrong type: want an object"},
		{"attachments/1", `{"file_name":`, "the body is not valid JSON: it ends too early"},
		{"tickets", `{"name":"x","custom_fields":7}`, "custom_fields: is of the wrong type: want an object"},
		{"tickets", `{"name":"x","tags":"a"}`, "tags: is of the wrong type: want a list"},
		{"tickets", `{"name":7}`, "name: is of the wrong type: want a text"},
		{"tickets", `{"name":"x","due_date":"soon"}`, "due_date: is of the wrong type: want a time like"},
		{"tickets", `{"name":"x","completion_date":7}`, "completion_date: is of the wrong type: want a time like"},
	} {
		w := e.call("POST", "/v1/ticketing/"+c.path, c.body, "Content-Type", "application/json")
		require.Equal(t, http.StatusBadRequest, w.Code, c.body)
		var p problem
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p))
		assert.True(t, strings.HasPrefix(p.Detail, c.want), "%s: %s", c.body, p.Detail)
	}
}

// What is promised of a file's size holds in base64, and for nothing else.
func TestTheLargestFileIsTaken(t *testing.T) {
	e := newEnv(t)
	e.writes.outcome, e.writes.ended = made(t, ticket.Attachment{ID: "f"}), true
	content := bytes.Repeat([]byte{'x'}, contract.MaxAttachment)
	body, err := json.Marshal(map[string]any{"file_name": strings.Repeat("n", 255), "content": content})
	require.NoError(t, err)
	w := e.call("POST", "/v1/ticketing/attachments/T1", string(body), "Content-Type", "application/json")
	require.Equal(t, http.StatusCreated, w.Code, w.Body.String())
	assert.Len(t, e.writes.asked.Body.(contract.NewAttachment).Content, contract.MaxAttachment)

	large := strings.Repeat("x", 2*contract.MaxAttachment)
	for path, member := range map[string]string{"attachments/T1": "file_name", "tickets": "name"} {
		w = e.call("POST", "/v1/ticketing/"+path, fmt.Sprintf(`{%q:%q}`, member, large))
		assert.Equal(t, http.StatusRequestEntityTooLarge, w.Code, path)
	}
	w = e.call("POST", "/v1/ticketing/tickets/T1/comments", fmt.Sprintf(`{"content":%q}`, large[:DefaultMaxBody+1]))
	assert.Equal(t, http.StatusRequestEntityTooLarge, w.Code, "other bodies have the usual limit")
}

// What a patch is made of is read only when no equal one is under way: that may have
// changed it.
func TestAPatchThatLooksJoinsBeforeItLooks(t *testing.T) {
	for _, c := range []struct {
		path, body, again string
		want              any
	}{
		{"tickets/1", `[{"op":"test","path":"/name","value":"Disk full"},{"op":"replace","path":"/name","value":"x"}]`, `[{"op":"test","path":"/name","value":"gone"}]`,
			ticket.Patch{Name: ptr("x")}},
		{"tickets/1/notes/n", `[{"op":"test","path":"/title","value":"Cause"},{"op":"copy","from":"/title","path":"/content"}]`, `[{"op":"test","path":"/title","value":"gone"}]`,
			ticket.NotePatch{Content: ptr("Cause")}},
	} {
		e := newEnv(t)
		e.ticketing.notes = []ticket.Note{{ID: "n", TicketID: "1", Title: "Cause", Content: "A log."}}
		e.writes.outcome, e.writes.ended = contract.WriteOutcome{Status: contract.WriteOK, Result: json.RawMessage(`{}`)}, true
		w := e.call("PATCH", "/v1/ticketing/"+c.path, c.body)
		require.Equal(t, http.StatusOK, w.Code, w.Body.String())
		assert.Equal(t, c.want, e.writes.asked.Body)
		assert.Equal(t, c.body, string(e.writes.asked.Said))
		assert.Equal(t, http.StatusConflict, e.call("PATCH", "/v1/ticketing/"+c.path, c.again).Code)
		e.writes.joins, e.ticketing.id = true, ""
		assert.Equal(t, http.StatusOK, e.call("PATCH", "/v1/ticketing/"+c.path, c.again).Code)
		assert.Empty(t, e.ticketing.id, "nothing is read")
	}
	e := newEnv(t)
	assert.Equal(t, http.StatusNotFound, e.call("PATCH", "/v1/ticketing/tickets/1/notes/other", `[{"op":"test","path":"/title","value":"x"}]`).Code)
}
