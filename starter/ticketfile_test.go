package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/rest"
)

func TestDownloads(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	f := newFakeServe(t, fakeAnswer{status: 200, body: "/dev 99%", header: map[string]string{"Content-Disposition": `attachment; filename="../../etc/df.txt"`}})
	out, _, err := f.run("", "attachment", "download", "OPS-12", "7")
	require.NoError(t, err)
	assert.Equal(t, "df.txt: 8 B\n", out, "no folder of a foreign name counts")
	assert.Equal(t, "/v1/ticketing/attachments/OPS-12/7/download", f.last().path)
	assert.Equal(t, "application/octet-stream", f.last().header.Get("Accept"))

	calls := len(f.calls)
	_, status, err := f.run("", "attachment", "download", "OPS-12", "7", "-O", "df.txt")
	assert.ErrorContains(t, err, "df.txt is there already; give --force")
	assert.Equal(t, exitUsage, status)
	assert.Len(t, f.calls, calls, "nothing is asked for")
	_, _, err = f.run("", "attachment", "download", "OPS-12", "7")
	assert.ErrorContains(t, err, "is there already")

	require.NoError(t, os.WriteFile("df.txt", []byte("old"), 0o644))
	out, _, err = f.run("", "attachment", "download", "OPS-12", "7", "-O", "df.txt", "--force", "-o", "json")
	require.NoError(t, err)
	assert.JSONEq(t, `{"file":"df.txt","size":8}`, out)
	data, err := os.ReadFile("df.txt")
	require.NoError(t, err)
	assert.Equal(t, "/dev 99%", string(data))
	out, _, err = f.run("", "attachment", "download", "OPS-12", "7", "-O", "-")
	require.NoError(t, err)
	assert.Equal(t, "/dev 99%", out)

	f = newFakeServe(t, fakeAnswer{status: 404, body: `{"message":"Not Found"}`})
	_, status, err = f.run("", "attachment", "download", "OPS-12", "9", "-O", "none")
	require.Error(t, err)
	assert.Equal(t, exitNotFound, status)
	assertOnly(t, dir, "df.txt")
}

// A download that breaks off leaves nothing, and what was there as it was.
func TestABrokenDownload(t *testing.T) {
	dir := t.TempDir()
	to := filepath.Join(dir, "df.txt")
	broken := io.MultiReader(strings.NewReader("/dev"), &failing{})
	_, err := download{to: to}.save(t.Context(), broken)
	assert.ErrorContains(t, err, "the line is cut")
	assertOnly(t, dir)
	require.NoError(t, os.WriteFile(to, []byte("old"), 0o644))
	_, err = download{to: to, force: true}.save(t.Context(), &failing{})
	require.Error(t, err)
	data, err := os.ReadFile(to)
	require.NoError(t, err)
	assert.Equal(t, "old", string(data))
	assertOnly(t, dir, "df.txt")
}

type failing struct{}

func (*failing) Read([]byte) (int, error) { return 0, errors.New("the line is cut") }

func assertOnly(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var there []string
	for _, e := range entries {
		there = append(there, e.Name())
	}
	assert.Equal(t, names, there)
}

func TestNamesOfDownloads(t *testing.T) {
	for disposition, want := range map[string]string{
		`attachment; filename="a b.txt"`: "a b.txt", `attachment; filename="/etc/passwd"`: "passwd", `attachment; filename=".bashrc"`: "attachment-7",
		`attachment; filename=".."`: "attachment-7", "": "attachment-7", `attachment; filename*=utf-8''r%C3%A4um.txt`: "räum.txt",
	} {
		d := &rest.Download{Header: http.Header{"Content-Disposition": {disposition}}}
		assert.Equal(t, want, nameOf(d, "../7"), disposition)
	}
}

func TestFilesThatCannotBeSent(t *testing.T) {
	f := newFakeServe(t, fakeAnswer{status: 201, body: `{"result":{}}`})
	_, status, err := f.run("", "attachment", "add", "1", "/nowhere")
	require.Error(t, err)
	assert.Equal(t, exitUsage, status)
	_, _, err = f.run("", "attachment", "add", "1", "-")
	assert.ErrorContains(t, err, "--name: missing")
	assert.Empty(t, f.calls)
}

// deskOf is a desk whose API is a handler of this process.
func deskOf(handler http.HandlerFunc) *desk {
	return &desk{url: "http://starter", rest: rest.Client{HTTP: &http.Client{Transport: inProcess{handler}}}}
}

func TestCallsWithinTheProcess(t *testing.T) {
	ended := make(chan struct{})
	d := deskOf(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusAccepted)
		w.Header().Set("Late", "yes")
		_, err = io.WriteString(w, r.Method+" "+r.URL.EscapedPath()+" "+string(body))
		assert.NoError(t, err)
		assert.NoError(t, http.NewResponseController(w).Flush(), "what was written is read")
	})
	resp, err := d.call(t.Context(), asked{method: http.MethodPost, path: at("tickets", "T/1"), body: []byte("{}")})
	require.NoError(t, err)
	assert.Equal(t, "POST /v1/ticketing/tickets/T%2F1 {}", string(resp.Body))
	assert.Equal(t, http.StatusAccepted, resp.Status)
	assert.EqualValues(t, 7, resp.RetryAfter.Seconds())
	assert.Empty(t, resp.Header.Get("Late"))
	select {
	case <-ended:
	default:
		assert.Fail(t, "an answer is whole when the handler has ended")
	}

	resp, err = deskOf(func(http.ResponseWriter, *http.Request) {}).call(t.Context(), asked{method: http.MethodGet})
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, resp.Status, "as a server answers for who says nothing")
}

func TestCallsWithinTheProcessThatBreak(t *testing.T) {
	d := deskOf(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half of it")
		panic(http.ErrAbortHandler)
	})
	found, err := d.open(t.Context(), "x")
	require.NoError(t, err)
	data, err := io.ReadAll(found.Body)
	assert.Equal(t, "half of it", string(data))
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)

	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan struct{})
	d = deskOf(func(w http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
		_, err := io.WriteString(w, "too late")
		assert.Error(t, err, "nobody reads it")
		close(gone)
	})
	d.showProgress(io.Discard)
	_, err = d.write(ctx, "create", asked{method: http.MethodPost}, writing{wait: time.Minute})
	assert.ErrorIs(t, err, context.Canceled)
	assert.ErrorContains(t, err, "the same command joins it")
	<-gone
}

// A wait is shown from its first second on, and leaves no trace.
func TestAWaitIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		stop := showElapsed(&out, "create")
		time.Sleep(2500 * time.Millisecond) // the test's own clock
		stop()
		assert.Equal(t, "\r\x1b[Kcreate: waiting, 1 s\r\x1b[Kcreate: waiting, 2 s\r\x1b[K", out.String())
	})
}
