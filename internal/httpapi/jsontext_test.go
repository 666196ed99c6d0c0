package httpapi

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// What is no text is refused: a ticket with other signs than were sent is no success.
func TestBodiesThatAreNoText(t *testing.T) {
	const utf8Wrong, halfWrong = "is not valid UTF-8: the byte 0xFF", "is not valid Unicode: "
	for _, c := range []struct{ method, path, body, pointer, says string }{
		{"POST", "/v1/ticketing/tickets", "{\"name\":\"a\xff\"}", "/name", "name: " + utf8Wrong},
		{"POST", "/v1/ticketing/tickets", "{\"name\":\"\uFFFDa\xff\"}", "/name", utf8Wrong},
		{"POST", "/v1/ticketing/tickets", "{\"name\":\"a\",\"tags\":[\"ok\",\"\xff\"]}", "/tags/1", utf8Wrong},
		{"POST", "/v1/ticketing/tickets", "{\"name\":\"a\",\"custom_fields\":{\"a/b\":{\"c\":\"\xff\"}}}", "/custom_fields/a~1b/c", utf8Wrong},
		{"POST", "/v1/ticketing/tickets", `{"name":"\ud800"}`, "/name", halfWrong + `\ud800 is half`},
		{"POST", "/v1/ticketing/tickets", `{"name":"\uD83D\uDE00 \uDE00"}`, "/name", halfWrong + `\uDE00`},
		{"POST", "/v1/ticketing/tickets", `{"name":"a","summary":"\ud83dx"}`, "/summary", halfWrong},
		{"POST", "/v1/ticketing/tickets", `{"name":"a","summary":"\\\ud83d\\ude00"}`, "/summary", halfWrong},
		{"PATCH", "/v1/ticketing/tickets/1", "[{\"op\":\"replace\",\"path\":\"/name\",\"value\":\"\xff\"}]", "/0/value", utf8Wrong},
		{"POST", "/v1/ticketing/tickets/1/comments", `{"content":"\udc00"}`, "/content", halfWrong},
		{"POST", "/v1/ticketing/attachments/1", `{"content":"aGk=","file_name":"\ud800"}`, "/file_name", halfWrong},
		{"PATCH", "/v1/integrations/default/i", `{"fullname":"\ud800"}`, "/fullname", halfWrong},
		{"POST", "/v1/integrations", "{\"name\":\"i\",\"fullname\":\"\xff\",\"provider_config\":{}}", "/fullname", utf8Wrong},
	} {
		e := newEnv(t)
		bearer := token
		if c.path[:5] == "/v1/i" {
			bearer = adminToken
		}
		w := e.call(c.method, c.path, c.body, "Content-Type", "application/json", "Authorization", "Bearer "+bearer)
		require.Equal(t, http.StatusBadRequest, w.Code, "%s %s", c.body, w.Body)
		var p problem
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p))
		assert.Contains(t, p.Detail, c.says, c.body)
		assert.Equal(t, c.pointer, p.Context.Parameter.ID, c.body)
		assert.Nil(t, e.writes.asked.Body, c.body)
	}
	e := newEnv(t)
	e.writes.outcome, e.writes.ended = made(t, ticket.Ticket{ID: "1"}), true
	w := e.call("POST", "/v1/ticketing/tickets", `{"name":"\ud83d\ude00 \\ud800 �"}`)
	require.Equal(t, http.StatusCreated, w.Code, w.Body.String())
	assert.Equal(t, `😀 \ud800 �`, e.writes.asked.Body.(ticket.New).Name)
}

// A deep body costs no more than a flat one.
func TestPointersAreNotDeep(t *testing.T) {
	body := strings.Repeat(`[`, 9000) + "\xff"
	assert.Empty(t, pointerAt([]byte(body), 9000), "it has no end")
	body = strings.Repeat(`[`, 9000) + "\"\xff\"" + strings.Repeat(`]`, 9000)
	assert.Equal(t, strings.Repeat("/0", deepestPointer), pointerAt([]byte(body), 9001))
}

// FuzzGoodText holds it against the decoder: of what passes nothing is replaced.
func FuzzGoodText(f *testing.F) {
	for _, seed := range []string{`"\ud83d\ude00"`, `{"a":["\ud800"]}`, "\"\xff\"", `"\\ud800"`, `"\ud800\u0041"`, `[1,{"b":"\uDC00`, `\u`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		err := goodText(body)
		var text string
		if json.Unmarshal(body, &text) != nil {
			return
		}
		again, _ := json.Marshal(text)
		assert.True(t, utf8.Valid(again))
		if err == nil {
			assert.Equal(t, replacements(text), written(body), "%q", body)
		}
	})
}

// replacements counts the signs that stand for what is no text.
func replacements(text string) (n int) {
	for _, r := range text {
		if r == utf8.RuneError {
			n++
		}
	}
	return n
}

// written counts those that a JSON text has itself, as a sign or as an escape.
func written(body []byte) (n int) {
	for i := 0; i < len(body); {
		if body[i] == '\\' {
			unit, size := escapedUnit(body[i:])
			if unit == utf8.RuneError {
				n++
			}
			i += size
			continue
		}
		r, size := utf8.DecodeRune(body[i:])
		if r == utf8.RuneError {
			n++
		}
		i += size
	}
	return n
}
