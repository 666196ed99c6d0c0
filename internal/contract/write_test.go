package contract

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func writeHash(t *testing.T, operator, ticketID, partID, body string) string {
	t.Helper()
	hash, err := WriteHash(operator, ticketID, partID, json.RawMessage(body))
	require.NoError(t, err)
	return hash
}

// These ids are promises: a write that is posted again by a caller of today must
// be found by the program of tomorrow.
func TestIDsOfWritesNeverChange(t *testing.T) {
	for want, hash := range map[string]string{
		"write:jira-ops:p4alqqwxhekqnah5rnid4hy7w2": writeHash(t, WriteCreateTicket, "", "", `{"name":"Server \"down\": ÄÖ <b>","due_date":"2026-05-06T07:08:09Z","custom_fields":{"n":12345678901234567890,"f":1.50}}`),
		"write:jira-ops:etvq52ouhynq2uxnrgyagijcbj": writeHash(t, WriteDeleteComment, "10001", "7", ""),
		"write:jira-ops:5abes2c3eifp473icwgwadg3nw": KeyedHash("order-17"),
	} {
		assert.Equal(t, want, WriteID("jira-ops", hash))
	}
}

// Spaces and the order of members are no difference; everything else is.
func TestEveryPartOfAWriteCounts(t *testing.T) {
	same := writeHash(t, WriteCreateTicket, "", "", `{"name":"a","tags":["x","y"]}`)
	assert.Equal(t, same, writeHash(t, WriteCreateTicket, "", "", " {\"tags\" : [\"x\", \"y\"],\n\"name\":\"\\u0061\"}"))
	seen := map[string]string{}
	for name, hash := range map[string]string{
		"as it is": same, "other order of tags": writeHash(t, WriteCreateTicket, "", "", `{"name":"a","tags":["y","x"]}`),
		"other name": writeHash(t, WriteCreateTicket, "", "", `{"name":"b","tags":["x","y"]}`),
		"number":     writeHash(t, WriteCreateTicket, "", "", `{"name":1}`), "text": writeHash(t, WriteCreateTicket, "", "", `{"name":"1"}`),
		"comment": writeHash(t, WriteCreateComment, "1", "", `{"content":"a"}`), "note": writeHash(t, WriteCreateNote, "1", "", `{"content":"a"}`),
		"other ticket": writeHash(t, WriteCreateComment, "2", "", `{"content":"a"}`),
		"delete":       writeHash(t, WriteDeleteNote, "1", "23", ""), "shifted": writeHash(t, WriteDeleteNote, "12", "3", ""),
		"key": KeyedHash("a"), "other key": KeyedHash("b"),
	} {
		assert.Len(t, hash, hashLength)
		assert.Empty(t, seen[hash], "%s and %s", name, seen[hash])
		seen[hash] = name
	}
	_, err := WriteHash(WriteCreateTicket, "", "", json.RawMessage(`{`))
	assert.ErrorContains(t, err, "body")
}

func TestAWriteIDNamesItsIntegration(t *testing.T) {
	integration, ok := WriteIntegration(WriteID("jira-ops", KeyedHash("k")))
	assert.True(t, ok)
	assert.Equal(t, "jira-ops", integration)
	for _, id := range []string{"match:jira-ops:x:y", "write:jira-ops", "feed:lon", ""} {
		_, ok := WriteIntegration(id)
		assert.False(t, ok, id)
	}
}

func TestAWrongStartOfWriteTicketNamesWhatIsWrong(t *testing.T) {
	good := WriteTicketInput{Integration: "ops", Operator: WriteCreateComment, TicketID: "T1", Body: json.RawMessage(`{"content":"hello"}`)}
	id := WriteID("ops", writeHash(t, WriteCreateComment, "T1", "", `{"content":"hello"}`))
	keyed := WriteID("ops", KeyedHash("k"))
	for name, c := range map[string]struct {
		change func(*WriteTicketInput)
		id     string
		want   string
	}{
		"nothing wrong":     {func(*WriteTicketInput) {}, id, ""},
		"keyed":             {func(in *WriteTicketInput) { in.Keyed = true }, keyed, ""},
		"no integration":    {func(in *WriteTicketInput) { in.Integration = "" }, id, "integration: missing"},
		"a colon":           {func(in *WriteTicketInput) { in.Integration = "a:b" }, id, "colon"},
		"no operator":       {func(in *WriteTicketInput) { in.Operator = "" }, id, `operator: "" is none of create_ticket`},
		"a read":            {func(in *WriteTicketInput) { in.Operator = "get_ticket" }, id, `operator: "get_ticket"`},
		"no ticket":         {func(in *WriteTicketInput) { in.TicketID = "" }, id, "ticket_id: missing"},
		"a part of nothing": {func(in *WriteTicketInput) { in.PartID = "7" }, id, "part_id: create_comment has none"},
		"no part": {func(in *WriteTicketInput) { in.Operator, in.Body = WriteDeleteComment, nil }, id,
			"part_id: missing: the id of the comment"},
		"new with an id": {func(in *WriteTicketInput) { in.Operator = WriteCreateTicket }, id, "ticket_id: a new ticket has none"},
		"no body":        {func(in *WriteTicketInput) { in.Body = nil }, id, "body: missing"},
		"misspelt":       {func(in *WriteTicketInput) { in.Body = json.RawMessage(`{"contnet":"hello"}`) }, id, `unknown field "contnet"`},
		"empty":          {func(in *WriteTicketInput) { in.Body = json.RawMessage(`{"content":""}`) }, id, "body.content: missing"},
		"wrong hash":     {func(in *WriteTicketInput) { in.BodyHash = "x" }, id, "body_hash"},
		"derived": {func(in *WriteTicketInput) {
			in.Derived, in.BodyHash = true, strings.Repeat("x", hashLength)
		}, WriteID("ops", strings.Repeat("x", hashLength)), ""},
		"derived of nothing": {func(in *WriteTicketInput) { in.Derived = true }, id, "body_hash: want the WriteHash"},
		"derived, wrong id":  {func(in *WriteTicketInput) { in.Derived, in.BodyHash = true, strings.Repeat("x", hashLength) }, id, "not \"" + id},
		"wrong id":           {func(*WriteTicketInput) {}, "my-write", `"` + id + `", not "my-write"`},
		"other's id":         {func(*WriteTicketInput) {}, keyed, `"` + id + `", not`},
		"keyed, wrong id":    {func(in *WriteTicketInput) { in.Keyed = true }, "write:ops:ORDER-17", "Idempotency-Key"},
		"amended": {func(in *WriteTicketInput) {
			in.State, in.BodyHash, in.Body = json.RawMessage(`{}`), strings.TrimPrefix(id, "write:ops:"), json.RawMessage(`{"content":"amended"}`)
		}, id, ""},
	} {
		in := good
		c.change(&in)
		t.Run(name, func(t *testing.T) { wants(t, c.want, in.Validate(c.id)) })
	}
}

func TestBodiesOfWritesAreChecked(t *testing.T) {
	long, err := json.Marshal(NewAttachment{FileName: "a.log", Content: make([]byte, MaxAttachment+1)})
	require.NoError(t, err)
	longest, err := json.Marshal(NewAttachment{FileName: "a.log", Content: make([]byte, MaxAttachment)})
	require.NoError(t, err)
	assert.Less(t, len(longest), 3<<19, "goes into one payload of Temporal")
	for _, c := range []struct{ operator, ticketID, partID, body, want string }{
		{WriteCreateTicket, "", "", `{"name":"a","due_date":"2026-01-02T03:04:05Z"}`, ""},
		{WriteCreateTicket, "", "", `{"summary":"a"}`, "body.name: missing"},
		{WriteCreateTicket, "", "", `{"name":"a","due_date":"tomorrow"}`, "body: "},
		{WritePatchTicket, "T1", "", `{"status":"Done","custom_fields":{"a":null}}`, ""},
		{WritePatchTicket, "T1", "", `{}`, "body: names nothing to change"},
		{WriteCreateNote, "T1", "", `{"title":"t","content":"c"}`, ""},
		{WriteCreateNote, "T1", "", `{"title":"t"}`, "body.content: missing"},
		{WritePatchNote, "T1", "9", `{"title":"t"}`, ""},
		{WritePatchNote, "T1", "", `{"title":"t"}`, "part_id: missing: the id of the note"},
		{WriteDeleteAttachment, "T1", "9", "", ""},
		{WriteDeleteAttachment, "T1", "9", `{}`, "body: delete_attachment has none"},
		{WriteCreateAttachment, "T1", "", string(longest), ""},
		{WriteCreateAttachment, "T1", "", string(long), "body.content: 1048577 bytes"},
		{WriteCreateAttachment, "T1", "", `{"content":"aGk="}`, "body.file_name: missing"},
		{WriteCreateAttachment, "T1", "", `{"file_name":"a","content":"not base64"}`, "body: "},
	} {
		wants(t, c.want, CheckWrite(c.operator, c.ticketID, c.partID, json.RawMessage(c.body)))
	}
}

func TestAWaitIsADurationUpToTwentySeconds(t *testing.T) {
	for wait, want := range map[string]string{"": "", "0s": "", "20s": "", "21s": "wait", "-1s": "wait", "soon": "wait"} {
		wants(t, want, WriteOutcomeRequest{Wait: wait}.Validate())
	}
}

func FuzzWriteHash(f *testing.F) {
	f.Add([]byte(`{"name":"a","n":1e400}`))
	f.Add([]byte(` [ ] `))
	f.Fuzz(func(t *testing.T, body []byte) {
		hash, err := WriteHash(WriteCreateTicket, "", "", body)
		if err != nil || len(body) == 0 {
			return
		}
		text, err := canonicalJSON(body)
		require.NoError(t, err)
		again, err := WriteHash(WriteCreateTicket, "", "", json.RawMessage(text))
		require.NoError(t, err)
		assert.Equal(t, hash, again, "the canonical form is its own")
		_ = CheckWrite(WriteCreateTicket, "", "", body)
	})
}
