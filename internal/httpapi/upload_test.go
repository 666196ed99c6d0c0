package httpapi

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

// fakeSpool keeps what it is given in memory.
type fakeSpool struct {
	err       error
	files     []*fakeFile
	announced int64
	most      int64
}

func (s *fakeSpool) Receive(content io.Reader, size, most int64) (SpooledFile, error) {
	s.announced, s.most = size, most
	data, err := io.ReadAll(io.LimitReader(content, most+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(data)) > most:
		return nil, fmt.Errorf("%w: disk", ErrTooLarge)
	case s.err != nil:
		return nil, s.err
	}
	f := &fakeFile{data: data}
	s.files = append(s.files, f)
	return f, nil
}

type fakeFile struct {
	data      []byte
	discarded bool
}

func (f *fakeFile) Size() int64    { return int64(len(f.data)) }
func (f *fakeFile) SHA256() string { sum := sha256.Sum256(f.data); return hex.EncodeToString(sum[:]) }
func (f *fakeFile) Discard()       { f.discarded = true }

const filePath = "/v1/ticketing/attachments/T1"

func uploadEnv(t *testing.T) (*env, *fakeSpool) {
	t.Helper()
	files := &fakeSpool{}
	e := newEnv(t, func(o *Options) { o.Spool, o.MaxUpload = files, 3<<20 })
	e.writes.outcome, e.writes.ended = made(t, ticket.Attachment{ID: "f", FileName: "a.txt", Size: 5}), true
	return e, files
}

func inBase64(name, content string) string {
	return fmt.Sprintf(`{"file_name":%q,"content":%q}`, name, base64.StdEncoding.EncodeToString([]byte(content)))
}

// However a small file comes, it is the same write.
func TestASmallFileIsInTheWrite(t *testing.T) {
	for _, c := range []struct {
		name, query, body, kind string
		headers                 []string
		want                    contract.NewAttachment
	}{
		{name: "bytes", query: "?file_name=a.txt", body: "hello", kind: "application/octet-stream"},
		{name: "curl's own type", query: "?file_name=a.txt", body: "hello", kind: "application/x-www-form-urlencoded"},
		{name: "no type", query: "?file_name=a.txt", body: "hello"},
		{name: "named by header", body: "hello", kind: "application/octet-stream", headers: []string{"Content-Disposition", `attachment; filename*=UTF-8''a.txt`}},
		{name: "named twice", query: "?file_name=a.txt", body: "hello", headers: []string{"Content-Disposition", `attachment; filename="b.txt"`}},
		{name: "JSON", body: inBase64("a.txt", "hello"), kind: "application/json"},
		{name: "JSON of no type", body: inBase64("a.txt", "hello")},
		{name: "JSON as a form", body: inBase64("a.txt", "hello"), kind: "application/x-www-form-urlencoded"},
		{name: "typed", query: "?file_name=a.txt", body: "hello", kind: "text/plain; charset=utf-8",
			want: contract.NewAttachment{FileName: "a.txt", FileType: "text/plain; charset=utf-8", Content: []byte("hello")}},
		{name: "empty", query: "?file_name=a.txt", kind: "image/png", want: contract.NewAttachment{FileName: "a.txt", FileType: "image/png", Content: []byte{}}},
		{name: "JSON of an empty file", body: `{"file_name":"a.txt","content":"","newer_member":[{"content":"x"}]}`, want: contract.NewAttachment{FileName: "a.txt", Content: []byte{}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, files := uploadEnv(t)
			w := e.call("POST", filePath+c.query, c.body, append(c.headers, "Content-Type", c.kind)...)
			require.Equal(t, http.StatusCreated, w.Code, w.Body.String())
			if c.want.FileName == "" {
				c.want = contract.NewAttachment{FileName: "a.txt", Content: []byte("hello")}
			}
			assert.Equal(t, TicketWrite{Integration: "jira-ops", Operator: ticketing.CreateAttachment, TicketID: "T1", Body: c.want}, e.writes.asked)
			assert.Empty(t, files.files)
			assert.Equal(t, 1, e.writes.answered)
		})
	}
}

// A large one is in the spool, and what tells it from others in the write.
func TestALargeFileIsInTheSpool(t *testing.T) {
	content := strings.Repeat("0123456789abcdef", contract.MaxAttachment/16) + "!"
	sum := sha256.Sum256([]byte(content))
	want := contract.NewAttachment{FileName: "a.bin", Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:])}
	for name, c := range map[string]struct{ path, body, kind string }{
		"bytes":  {filePath + "?file_name=a.bin", content, "application/octet-stream"},
		"base64": {filePath, inBase64("a.bin", content), "application/json"},
	} {
		t.Run(name, func(t *testing.T) {
			e, files := uploadEnv(t)
			w := e.call("POST", c.path, c.body, "Content-Type", c.kind)
			require.Equal(t, http.StatusCreated, w.Code, w.Body.String())
			require.Len(t, files.files, 1)
			assert.Equal(t, content, string(files.files[0].data))
			assert.Equal(t, want, e.writes.asked.Body)
			assert.Same(t, files.files[0], e.writes.asked.File)
			assert.True(t, files.files[0].discarded, "no write was started with it")
		})
	}
}

// A 202 could not be forgotten, so there is none for a large file. It is waited for
// as for any other write, and need not be sent again.
func TestALargeFileIsAnsweredInTime(t *testing.T) {
	large := strings.Repeat("x", contract.MaxAttachment+1)
	for _, c := range []struct {
		name, query, body, kind, prefer string
		status                          int
		waited                          time.Duration
	}{
		{"bytes", "?file_name=a", large, "application/octet-stream", "respond-async", 503, DecideWithin},
		{"bytes, hurried", "?file_name=a", large, "application/octet-stream", "wait=3", 503, 3 * time.Second},
		{"small bytes", "?file_name=a", large[1:], "application/octet-stream", "respond-async", 202, DecideWithin},
		{"JSON", "", inBase64("a", large), "application/json", "", 503, DecideWithin},
		{"JSON, async", "", inBase64("a", large), "application/json", "respond-async", 503, DecideWithin},
		{"small JSON", "", inBase64("a", large[1:]), "application/json", "", 503, DecideWithin},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, _ := uploadEnv(t)
			e.writes.ended = false
			w := e.call("POST", filePath+c.query, c.body, "Content-Type", c.kind, "Prefer", c.prefer)
			assert.Equal(t, c.status, w.Code)
			assert.InDelta(t, c.waited, e.writes.waited, float64(time.Second))
			assert.Equal(t, c.status == 202, e.writes.async == 1)
			if c.status == 503 {
				assert.Equal(t, "1", w.Header().Get("Retry-After"))
				assert.Contains(t, w.Body.String(), e.writes.OperationID())
				assert.Equal(t, e.writes.asked.File != nil, strings.Contains(w.Body.String(), "the file need not be sent again"))
			}
		})
	}
}

// A body may take long to arrive; it is answered as soon after that as any other.
func TestAWriteIsWaitedForFromTheEndOfItsBody(t *testing.T) {
	large := strings.Repeat("x", contract.MaxAttachment)
	for _, c := range []struct {
		path, body string
		silent     time.Duration
		end        string
	}{
		{filePath + "?file_name=a", large, 10 * time.Minute, "x"},
		{filePath, `{"file_name":"a",`, 10 * time.Minute, `"content":""}`},
		{"/v1/ticketing/tickets", `{"name":`, readTimeout - time.Second, `"x"}`},
	} {
		synctest.Test(t, func(t *testing.T) {
			e, _ := uploadEnv(t)
			e.writes.ended = false
			r := httptest.NewRequest("POST", c.path, io.MultiReader(strings.NewReader(c.body), &pause{c.silent}, strings.NewReader(c.end)))
			r.Header.Set("Authorization", "Bearer "+token)
			if strings.Contains(c.path, "?") {
				r.Header.Set("Content-Type", "image/png")
			}
			w := httptest.NewRecorder()
			e.handler.ServeHTTP(w, r)
			assert.Equal(t, http.StatusServiceUnavailable, w.Code, w.Body.String())
			assert.Equal(t, DecideWithin, e.writes.waited, c.path)
		})
	}
}

// A write that ended while its file was arriving once more is joined, whatever the
// file's size; of one that came at once nothing needs to be known.
func TestAFileThatArrivesSlowlyTellsWhenItBegan(t *testing.T) {
	for _, size := range []int{5, contract.MaxAttachment + 1} {
		for _, silent := range []time.Duration{0, 3 * time.Minute} {
			synctest.Test(t, func(t *testing.T) {
				e, _ := uploadEnv(t)
				e.options.Now = time.Now
				began := time.Now()
				r := httptest.NewRequest("POST", filePath+"?file_name=a", io.MultiReader(&pause{silent}, strings.NewReader(strings.Repeat("x", size))))
				r.Header.Set("Authorization", "Bearer "+token)
				r.Header.Set("Content-Type", "image/png")
				New(e.options).ServeHTTP(httptest.NewRecorder(), r)
				if silent == 0 {
					began = time.Time{}
				}
				assert.Equal(t, began, e.writes.asked.Came)
				assert.Len(t, e.writes.asked.Body.(contract.NewAttachment).Content, size%(contract.MaxAttachment+1))
			})
		}
	}
}

// pause is a body that is silent, and then ends.
type pause struct{ time.Duration }

func (p *pause) Read([]byte) (int, error) {
	time.Sleep(p.Duration) // within synctest
	return 0, io.EOF
}

// net/http ends the call's context as well; it is the sender who was too slow all
// the same.
func TestAStalledSenderIsTold(t *testing.T) {
	for name, c := range map[string]struct{ query, kind, begins string }{
		"small bytes": {"?file_name=a", "application/octet-stream", "hello"},
		"large bytes": {"?file_name=a", "application/octet-stream", strings.Repeat("x", 2<<20)},
		"JSON":        {"", "application/json", `{"file_name":"a",`},
		"base64":      {"", "application/json", `{"file_name":"a","content":"aGVs`},
		"much base64": {"", "application/json", strings.TrimSuffix(inBase64("a", strings.Repeat("x", 3<<19)), `"}`)},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t, func(o *Options) { o.Spool, o.MaxUpload, o.patience = &fakeSpool{}, 3<<20, 100*time.Millisecond })
			server := httptest.NewServer(e.handler)
			defer server.Close()
			connection, err := net.Dial("tcp", server.Listener.Addr().String())
			require.NoError(t, err)
			defer connection.Close()
			_, err = fmt.Fprintf(connection, "POST %s%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
				filePath, c.query, token, c.kind, len(c.begins)+1, c.begins)
			require.NoError(t, err)
			answer, err := http.ReadResponse(bufio.NewReader(connection), nil)
			require.NoError(t, err)
			defer answer.Body.Close()
			body, err := io.ReadAll(answer.Body)
			require.NoError(t, err)
			assert.Equal(t, http.StatusRequestTimeout, answer.StatusCode, string(body))
			assert.Contains(t, string(body), "did not arrive in time")
		})
	}
}

func TestFilesThatAreNotTaken(t *testing.T) {
	large := strings.Repeat("x", 3<<20+1)
	for _, c := range []struct {
		name, query, body string
		headers           []string
		status            int
		says              string
	}{
		{"no name", "", "hello", []string{"Content-Type", "application/octet-stream"}, 400, "file_name: missing"},
		{"no name, and curl's type", "", "hello", []string{"Content-Type", "application/x-www-form-urlencoded"}, 400, `"detail":"file_name: missing: the body is no JSON`},
		{"no name of a text", "", "hello", []string{"Content-Type", "text/plain"}, 400, `"id":"file_name","location":"query"`},
		{"no name of a large text", "", large, []string{"Content-Type", "text/plain"}, 400, "?file_name="},
		{"no name of a text that begins like JSON", "", "{hello}", []string{"Content-Type", "text/plain"}, 400, `not valid JSON: invalid character 'h'`},
		{"no name of what begins like JSON", "", "{hello}", nil, 400, `"remediation":"A file that comes as it is needs its name: ?file_name="`},
		{"no JSON, and said to be", "", "hello", []string{"Content-Type", "application/json"}, 400, `"detail":"the body is not valid JSON`},
		{"blank name", "?file_name=%20", "hello", []string{"Content-Type", "image/png"}, 400, "file_name"},
		{"blank name in JSON", "", `{"file_name":" "}`, nil, 400, "missing"},
		{"name of no UTF-8", "?file_name=a%FF", "hello", []string{"Content-Type", "image/png"}, 400, "not valid UTF-8"},
		{"name of no UTF-8 in a header", "", "hello", []string{"Content-Type", "image/png", "Content-Disposition", "attachment; filename*=UTF-8''a%FF"}, 400, "not valid UTF-8"},
		{"name of no UTF-8 in JSON", "", "{\"file_name\":\"a\xff\",\"content\":\"aGVs\"}", nil, 400, "not valid UTF-8"},
		{"name with a line break", "?file_name=a%0Ab", "hello", []string{"Content-Type", "image/png"}, 400, "control character U+000A"},
		{"name with a C1 control", "", `{"file_name":"a\u0085b"}`, nil, 400, "control character U+0085"},
		{"name that turns around", "?file_name=a%E2%80%AEgpj.exe", "hello", []string{"Content-Type", "image/png"}, 400, "direction of text, U+202E"},
		{"name that turns around in JSON", "", `{"file_name":"a\u2066gpj.exe","content":"aGVs"}`, nil, 400, "direction of text, U+2066"},
		{"a form", "?file_name=a", "hello", []string{"Content-Type", "multipart/form-data; boundary=x"}, 415, "application/octet-stream"},
		{"packed", "?file_name=a", "hello", []string{"Content-Type", "image/png", "Content-Encoding", "gzip"}, 415, "Content-Encoding"},
		{"too large", "?file_name=a", large, []string{"Content-Type", "image/png"}, 413, "larger than 3 MB"},
		{"not base64", "", `{"file_name":"a","content":"****"}`, nil, 400, `"content: is not base64"`},
		{"base64 in part", "", `{"file_name":"a","content":"aGVsb"}`, nil, 400, `"content: is not base64: it ends too early"`},
		{"escapes", "", `{"file_name":"a","content":"aGk\t="}`, nil, 400, "is not base64"},
		{"cut", "", `{"file_name":"a","content":"aGVs`, nil, 400, `"the body is not valid JSON: it ends within the content"`},
		{"a number", "", `{"file_name":"a","content":7}`, nil, 400, `"content: is of the wrong type: want a text"`},
		{"twice", "", `{"file_name":"a","content":"aGVs","content":"aGVs"}`, nil, 400, "twice"},
		{"no content", "", `{"file_name":"a","newer_member":[{"content":"x"}]}`, nil, 400, `"content: missing"`},
		{"null", "", `{"file_name":"a","content":null}`, nil, 400, `"content: missing"`},
		{"much else", "", `{"file_name":"` + strings.Repeat("x", maxMembers) + `"}`, nil, 413, "64 KB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, _ := uploadEnv(t)
			w := e.call("POST", filePath+c.query, c.body, c.headers...)
			assert.Equal(t, c.status, w.Code, w.Body.String())
			assert.Contains(t, w.Body.String(), c.says)
			assert.Empty(t, e.writes.asked, "nothing starts")
		})
	}
	e := newEnv(t)
	assert.Equal(t, http.StatusRequestEntityTooLarge, e.call("POST", filePath+"?file_name=a", large, "Content-Type", "image/png").Code, "there is no spool")
}

// In base64 a file may be as large as where it comes as it is, but no larger than
// one that is answered in base64.
func TestAFileInBase64HasALimit(t *testing.T) {
	e, files := uploadEnv(t)
	for over, status := range map[int]int{0: 201, 1: 413} {
		w := e.call("POST", filePath, inBase64("a", strings.Repeat("x", 3<<20+over)))
		assert.Equal(t, status, w.Code, w.Body.String())
		assert.NotContains(t, w.Body.String(), "remediation", "as bytes it is too large, too")
	}
	require.Len(t, files.files, 1)
	e.options.MaxUpload = 100 << 20
	e.handler = New(e.options)
	require.Equal(t, 201, e.call("POST", filePath, inBase64("a", strings.Repeat("x", 2<<20))).Code)
	assert.EqualValues(t, maxBase64, files.most)
	files.err = fmt.Errorf("%w: disk", ErrTooLarge) // as of more than that, which takes long to read here
	w := e.call("POST", filePath, inBase64("a", strings.Repeat("x", 2<<20)))
	require.Equal(t, 413, w.Code)
	assert.Contains(t, w.Body.String(), `"detail":"The file is larger than 32 MB.","remediation":"Send the bytes of the file as the body (application/octet-stream, ?file_name=): so it may have 100 MB."`)
}

func TestASpoolWithoutRoomSaysWhenToComeAgain(t *testing.T) {
	e, files := uploadEnv(t)
	files.err = fmt.Errorf("%w: %w", ErrNoRoom, errors.New("the spool is full"))
	w := e.call("POST", filePath+"?file_name=a", strings.Repeat("x", 2<<20), "Content-Type", "image/png")
	assert.Equal(t, http.StatusInsufficientStorage, w.Code)
	assert.Equal(t, "60", w.Header().Get("Retry-After"))
	assert.EqualValues(t, 2<<20, files.announced, "room is asked for before it comes")
	assert.Empty(t, e.writes.asked)
}

// A file that cannot be a write is not left behind.
func TestAFileWithoutANameIsDiscarded(t *testing.T) {
	e, files := uploadEnv(t)
	w := e.call("POST", filePath, inBase64(" ", strings.Repeat("x", 2<<20)))
	assert.Equal(t, http.StatusBadRequest, w.Code)
	require.Len(t, files.files, 1)
	assert.True(t, files.files[0].discarded)
}

func TestTheDocumentShowsBothFormsOfAFile(t *testing.T) {
	body := newEnv(t).doc.Paths.Find("/v1/ticketing/attachments/{ticketId}").Post.RequestBody.Value.Content
	assert.NotNil(t, body.Get("application/json"))
	require.NotNil(t, body.Get("application/octet-stream"))
	assert.Equal(t, "binary", body.Get("application/octet-stream").Schema.Value.Format)
}

// The content is what encoding/json would make of the whole body.
func FuzzContentSplitter(f *testing.F) {
	for _, seed := range []string{
		inBase64("a", "hello"), `{"content":"aGk=","file_name":"a"}`, `{"Content":"aGk=","file_name":"a"}`, `{"file_name":"a"}`, `[]`, `{`, ``, `{}{}`,
		`{"x":{"content":"no"},"content":"aGVs\nbG8=","file_name":"\"a\\"}`, `{"content":"\u0061Gk=","file_name":"a"}`, `{"content":"\/w==","file_name":"a"}`,
		`{"content":null,"file_name":"a"}`, `{"content":{"a":"b"},"file_name":"a"}`, `{"x":[{"content":"aGk="},"content"],"file_name":"a"}`, `{"file_name":"a","content":"aGk=aGk="}`,
		`{"cont\u0065nt":"aGk=","file_name":"a"}`, `{"file_name":"a","content":"aGk="} x`, `{"file_name":"a","":"content","b":"aGk="}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > maxMembers {
			return
		}
		split := &contentSplitter{body: bufio.NewReader(bytes.NewReader(body))}
		var content []byte
		err := split.split(func(r io.Reader) error {
			var err error
			content, err = io.ReadAll(r)
			return err
		})
		var name string
		if err == nil {
			name, err = split.fileName()
		}
		var want createAttachmentRequest
		wantErr := json.Unmarshal(body, &want)
		wanted, base64Err := base64.StdEncoding.DecodeString(want.Content)
		switch {
		case err == nil:
			require.NoError(t, wantErr)
			require.NoError(t, base64Err)
			assert.Equal(t, want.FileName, name)
			assert.Equal(t, string(wanted), string(content))
		case wantErr == nil && base64Err == nil && goodFileName(want.FileName) == nil && utf8.Valid(body):
			// It is stricter only where a member comes twice, or no content at all.
			var given struct{ Content *string }
			require.NoError(t, json.Unmarshal(body, &given))
			if given.Content == nil {
				assert.ErrorContains(t, err, "content: missing")
			} else {
				assert.ErrorContains(t, err, "twice")
			}
		}
	})
}
