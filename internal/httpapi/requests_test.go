package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/event"
)

func TestGetRequest(t *testing.T) {
	e := newEnv(t)
	e.requests.view = fullView()
	for _, id := range []string{"12345", nodeID("Req", 12345)} {
		e.requests.asked = 0
		w := e.call("GET", "/v1/requests/"+id, "")
		require.Equal(t, 200, w.Code)
		assert.EqualValues(t, 12345, e.requests.asked)
		assert.Contains(t, w.Body.String(), `"key":"OPS-1"`)
		assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	}
	tag := e.call("GET", "/v1/requests/1", "").Header().Get("ETag")
	w := e.call("GET", "/v1/requests/1", "", "If-None-Match", tag)
	assert.Equal(t, 304, w.Code)
	assert.Empty(t, w.Body.String())
	e.requests.view.Fields.Status = "assigned"
	assert.Equal(t, 200, e.call("GET", "/v1/requests/1", "", "If-None-Match", tag).Code)
}

func TestRequestsThatAreNotThere(t *testing.T) {
	for name, c := range map[string]struct {
		id     string
		err    error
		status int
	}{
		"unknown":     {"1", fmt.Errorf("request 1: %w", ErrNotFound), 404},
		"no number":   {"abc", nil, 404},
		"unreachable": {"1", ErrUnavailable, 503},
		"a bug":       {"1", errors.New("boom"), 500},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			e.requests.err = c.err
			for _, path := range []string{"/v1/requests/" + c.id, "/v1/requests/" + c.id + "/notes"} {
				w := e.call("GET", path, "")
				assert.Equal(t, c.status, w.Code)
				if c.status == 404 {
					assert.JSONEq(t, `{"message":"Not Found"}`, w.Body.String())
				}
			}
		})
	}
}

func TestNotes(t *testing.T) {
	e := newEnv(t)
	w := e.call("GET", "/v1/requests/7/notes", "")
	assert.JSONEq(t, `[]`, w.Body.String())

	at := time.Date(2026, 1, 15, 12, 0, 0, 9, time.UTC)
	e.requests.notes = []Note{
		{ID: "10042", Person: event.Ref{ID: 100, Name: "Monitor"}, CreatedAt: at, Text: "Не отвечает <1>", Account: "widget"},
		{ID: "pending-1", CreatedAt: at, Text: "x", Internal: true},
	}
	w = e.call("GET", "/v1/requests/7/notes", "")
	require.Equal(t, 200, w.Code)
	var got []map[string]any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
	assert.Equal(t, map[string]any{
		"id": 10042.0, "person": map[string]any{"id": 100.0, "name": "Monitor", "nodeID": nodeID("Person", 100)},
		"created_at": "2026-01-15T12:00:00Z", "text": "Не отвечает <1>", "internal": false, "medium": "default",
		"attachments": []any{}, "account": map[string]any{"id": "widget", "name": "widget"},
	}, got[0])
	assert.EqualValues(t, noteID(7, "pending-1"), got[1]["id"])
	assert.NotEqual(t, noteID(7, "pending-1"), noteID(8, "pending-1"))
	assert.Equal(t, true, got[1]["internal"])
	assert.Nil(t, got[1]["account"])
}
