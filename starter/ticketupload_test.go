package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/contract"
)

const attachmentAnswer = `{"result":{"id":"7","file_name":"large.bin","file_size":1048577}}`

func largeFile(t *testing.T) (path string, content []byte) {
	t.Helper()
	path, content = filepath.Join(t.TempDir(), "large.bin"), bytes.Repeat([]byte("x"), contract.MaxAttachment+1)
	require.NoError(t, os.WriteFile(path, content, 0o600))
	return path, content
}

func TestALargeFileIsStreamedToAServer(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	path, content := largeFile(t)
	f := newFakeServe(t, fakeAnswer{status: 201, body: attachmentAnswer})
	for _, c := range []struct {
		stdin string
		args  []string
	}{
		{"", []string{path}},
		{string(content), []string{"-", "--name", "large.bin"}},
	} {
		out, _, err := f.run(c.stdin, append([]string{"attachment", "add", "OPS-1", "--key", "k"}, c.args...)...)
		require.NoError(t, err)
		assert.Contains(t, out, "large.bin")
		call := f.last()
		assert.Equal(t, "/v1/ticketing/attachments/OPS-1", call.path)
		assert.Equal(t, "large.bin", call.query.Get("file_name"))
		assert.Equal(t, "application/octet-stream", call.header.Get("Content-Type"))
		assert.Equal(t, "k", call.header.Get("Idempotency-Key"))
		assert.Equal(t, string(content), call.body)
	}
	left, err := os.ReadDir(temporary)
	require.NoError(t, err)
	assert.Empty(t, left)

	// One that a write can carry is in it, wherever that is made.
	_, _, err = f.run("hello", "attachment", "add", "OPS-1", "-", "--name", "small.txt")
	require.NoError(t, err)
	assert.JSONEq(t, `{"file_name":"small.txt","content":"aGVsbG8="}`, f.last().body)
}

func TestALargeFileIsSentOnce(t *testing.T) {
	path, _ := largeFile(t)
	waits := fakeAnswer{status: 503, body: `{"message":"The write is still under way","context":{"operation":"write:ops:a/b"}}`}
	pending := fakeAnswer{status: 200, body: `{"id":"write:ops:a/b","status":"pending"}`}
	for _, c := range []struct {
		name, last string
		args       []string
		out        string
		failed     string
	}{
		{"made", `{"id":"write:ops:a/b","status":"ok","result":{"id":"7","file_name":"large.bin"},"warnings":["no type"]}`, nil, "warning: no type", ""},
		{"as JSON", `{"id":"write:ops:a/b","status":"ok","result":{"id":"7"}}`, []string{"-o", "json"}, `"result": {`, ""},
		{"refused", `{"id":"write:ops:a/b","status":"refused","reason":"no such ticket"}`, nil, "", "refused: no such ticket"},
		{"parked", `{"id":"write:ops:a/b","status":"parked","reason":"the file is no longer there: send it again"}`, nil, "", "send it again"},
		{"not waited for", `{"id":"write:ops:a/b","status":"pending"}`, []string{"--wait", "0s"}, "", "starter ticket operation write:ops:a/b"},
		{"async", `{"id":"write:ops:a/b","status":"pending"}`, []string{"--async"}, "write:ops:a/b", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			answers := []fakeAnswer{waits, pending, {status: 200, body: c.last}}
			if len(c.args) > 0 && c.args[0] != "-o" {
				answers = append(answers[:1], answers[2:]...)
			}
			f := newFakeServe(t, answers...)
			out, _, err := f.run("", append([]string{"attachment", "add", "OPS-1", path}, c.args...)...)
			if c.failed != "" {
				assert.ErrorContains(t, err, c.failed)
			} else {
				require.NoError(t, err)
				assert.Contains(t, out, c.out)
			}
			require.Len(t, f.calls, len(answers))
			for _, call := range f.calls[1:] {
				assert.Equal(t, "GET /v1/ticketing/operations/write:ops:a%2Fb", call.method+" "+call.path)
			}
		})
	}
}

// A file that no write can carry needs a server, which the command is told of.
func TestALargeFileNeedsAServer(t *testing.T) {
	path, _ := largeFile(t)
	u, err := uploadOf(strings.NewReader(""), path, "large.bin")
	require.NoError(t, err)
	_, err = u.call(&desk{}, "attachments/1")
	require.ErrorAs(t, err, &usageError{})
	assert.ErrorContains(t, err, "larger than 1024 KB")
	assert.ErrorContains(t, err, "--url")
	a, err := u.call(&desk{streams: true}, "attachments/1")
	require.NoError(t, err)
	assert.Nil(t, a.body)
	assert.EqualValues(t, contract.MaxAttachment+1, a.file.Size)

	require.NoError(t, os.Truncate(path, contract.MaxAttachment))
	u, err = uploadOf(strings.NewReader(""), path, "large.bin")
	require.NoError(t, err)
	a, err = u.call(&desk{}, "attachments/1")
	require.NoError(t, err)
	assert.True(t, json.Valid(a.body))
}
