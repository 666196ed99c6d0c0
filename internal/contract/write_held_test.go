package contract

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const sum = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

func heldInput(t *testing.T) (WriteTicketInput, string) {
	t.Helper()
	body := `{"file_name":"a.bin","file_type":"image/png","size":5,"sha256":"` + sum + `"}`
	in := WriteTicketInput{Integration: "jira-ops", Operator: WriteCreateAttachment, TicketID: "10001", Body: json.RawMessage(body), HeldBy: UploadQueue("a")}
	return in, WriteID("jira-ops", writeHash(t, in.Operator, in.TicketID, "", body))
}

// Who holds a file is no part of what is written: sent again, to another process,
// it is the same write. The id is a promise.
func TestWhoHoldsAFileIsNoPartOfTheWrite(t *testing.T) {
	in, id := heldInput(t)
	assert.Equal(t, "write:jira-ops:gpcwds65at5wpap5mtwl4ffu6u", id)
	require.NoError(t, in.Validate(id))
	in.HeldBy = UploadQueue("b")
	require.NoError(t, in.Validate(id))
	assert.Equal(t, NewAttachment{FileName: "a.bin", FileType: "image/png", Size: 5, SHA256: sum}, in.File())
	in.HeldBy = "ticketbridge-jira"
	wants(t, "held_by", in.Validate(id))
	in.HeldBy = ""
	wants(t, "held_by", in.Validate(id))
	small := WriteTicketInput{Integration: "ops", Operator: WriteCreateComment, TicketID: "T1", Body: json.RawMessage(`{"content":"hello"}`), HeldBy: UploadQueue("a")}
	wants(t, "held_by", small.Validate(WriteID("ops", writeHash(t, WriteCreateComment, "T1", "", `{"content":"hello"}`))))
	assert.False(t, small.File().Held())
}

func TestBodiesOfHeldFilesAreChecked(t *testing.T) {
	for body, want := range map[string]string{
		`{"file_name":"a","size":5,"sha256":"` + sum + `"}`:                      "",
		`{"file_name":"a","size":5,"sha256":"abc"}`:                              "body.sha256",
		`{"file_name":"a","size":5,"sha256":"` + strings.ToUpper(sum) + `"}`:     "body.sha256",
		`{"file_name":"a","size":-1,"sha256":"` + sum + `"}`:                     "body.size",
		`{"file_name":"a","size":5}`:                                             "body.size",
		`{"file_name":"a","size":5,"sha256":"` + sum + `","content":"aGVsbG8="}`: "body.content",
		`{"size":5,"sha256":"` + sum + `"}`:                                      "body.file_name",
	} {
		wants(t, want, CheckWrite(WriteCreateAttachment, "T1", "", json.RawMessage(body)))
	}
}

func TestASignalOfAHolderNamesItsQueue(t *testing.T) {
	require.NoError(t, HeldSignal{By: UploadQueue("a")}.Validate())
	for _, by := range []string{"", "ticketbridge", "ticketbridge-jira", UploadQueue("")} {
		wants(t, "by", HeldSignal{By: by}.Validate())
	}
}

// A small file's body is what it always was, an empty one's, too: ids depend on it.
func TestTheBodyOfASmallFileIsAsItWas(t *testing.T) {
	for want, file := range map[string]NewAttachment{
		`{"file_name":"a","content":"aGVsbG8="}`: {FileName: "a", Content: []byte("hello")},
		`{"file_name":"a","content":""}`:         {FileName: "a", Content: []byte{}},
	} {
		body, err := json.Marshal(file)
		require.NoError(t, err)
		assert.Equal(t, want, string(body))
		asked := file.Asked("op", nil)
		content, err := asked.Open()
		require.NoError(t, err)
		text, err := io.ReadAll(content)
		require.NoError(t, err)
		assert.Equal(t, string(file.Content), string(text))
		assert.EqualValues(t, len(text), asked.Size)
	}
}

func TestAnAmendedBodyKeepsTheRest(t *testing.T) {
	for want, c := range map[string]struct {
		body string
		set  map[string]string
	}{
		`{ "name":"a"}`:                {`{ "name":"a"}`, nil},
		`{"n":1.50,"name":"b \"c\""}`:  {`{"name":"a","n":1.50}`, map[string]string{"name": `b "c"`}},
		`{"name":"a","status":"open"}`: {`{"name":"a"}`, map[string]string{"status": "open"}},
	} {
		body, err := AmendBody(json.RawMessage(c.body), c.set)
		require.NoError(t, err)
		assert.Equal(t, want, string(body))
	}
	_, err := AmendBody(json.RawMessage(`[]`), map[string]string{"name": "b"})
	assert.ErrorContains(t, err, "body")
}
