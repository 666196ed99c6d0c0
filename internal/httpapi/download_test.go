package httpapi

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

const downloadPath = "/v1/ticketing/attachments/T1/7/download"

// zeros is a file of any size that takes no memory.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func downloadOf(size int64, body io.Reader) func() ticket.Download {
	return func() ticket.Download {
		return ticket.Download{Attachment: ticket.Attachment{FileName: "a", Size: size}, Body: io.NopCloser(body)}
	}
}

// discarding forgets the body.
type discarding struct {
	*plainWriter
	written int64
}

func (d *discarding) Write(p []byte) (int, error) { d.written += int64(len(p)); return len(p), nil }

func authorized(t *testing.T, url string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+downloadPath, nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

// Files in base64 pass through: no answer is ever whole in memory. All that is
// allocated bounds what is held at any time.
func TestDownloadsInJSONHoldNoFile(t *testing.T) {
	const size, parallel = 3 << 20, 8
	e := newEnv(t)
	e.ticketing.file = func() ticket.Download { return downloadOf(size, io.LimitReader(zeros{}, size))() }
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var group sync.WaitGroup
	for range parallel {
		r, w := authorized(t, ""), &discarding{plainWriter: newPlainWriter()}
		group.Go(func() {
			e.handler.ServeHTTP(w, r)
			assert.Greater(t, w.written, int64(size/3*4))
		})
	}
	group.Wait()
	runtime.ReadMemStats(&after)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(parallel<<20))
}

func TestADownloadInJSONIsWhatTheEncoderMakesOfIt(t *testing.T) {
	for _, name := range []string{"a.txt", "räum \"x\"\\\n\u2028<b>&", "\xff\xfe", ""} {
		for _, content := range []string{"", "h", "he", "hel", strings.Repeat("hello", 20_000)} {
			for _, size := range []int64{-1, int64(len(content))} {
				e := newEnv(t)
				e.ticketing.file = func() ticket.Download {
					d := downloadOf(size, iotest.HalfReader(strings.NewReader(content)))()
					d.FileName, d.FileType = name, name
					return d
				}
				server := httptest.NewServer(e.handler)
				answer, err := server.Client().Do(authorized(t, server.URL))
				require.NoError(t, err)
				body, err := io.ReadAll(answer.Body)
				require.NoError(t, err)
				require.NoError(t, answer.Body.Close())
				server.Close()
				want, err := encode(attachmentAnswer{attachmentContent{name, name, base64.StdEncoding.EncodeToString([]byte(content))}})
				require.NoError(t, err)
				assert.Equal(t, string(want), string(body))
				assert.True(t, json.Valid(body))
				assert.Equal(t, "application/json; charset=utf-8", answer.Header.Get("Content-Type"))
				if size >= 0 {
					assert.EqualValues(t, len(want), answer.ContentLength)
				}
			}
		}
	}
}

// What is known before the answer is refused, what shows later cuts it.
func TestADownloadInJSONThatIsNotWhole(t *testing.T) {
	broken := iotest.ErrReader(errors.New("the provider is gone"))
	for name, c := range map[string]struct {
		size   int64
		body   io.Reader
		status int
		cut    bool
	}{
		"said to be too large":  {maxBase64 + 1, zeros{}, http.StatusBadRequest, false},
		"breaks off at once":    {-1, broken, http.StatusServiceUnavailable, false},
		"largest":               {-1, io.LimitReader(zeros{}, maxBase64), http.StatusOK, false},
		"found to be too large": {-1, io.LimitReader(zeros{}, maxBase64+1), http.StatusOK, true},
		"breaks off":            {-1, io.MultiReader(strings.NewReader(strings.Repeat("x", 1<<20)), broken), http.StatusOK, true},
		"shorter than said":     {9, strings.NewReader("hello"), http.StatusOK, true},
		"longer than said":      {6, strings.NewReader(strings.Repeat("hello", 4)), http.StatusOK, true},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			e.ticketing.file = downloadOf(c.size, c.body)
			server := httptest.NewServer(e.handler)
			defer server.Close()
			answer, err := server.Client().Do(authorized(t, server.URL))
			if c.cut && err != nil {
				return // before anything was flushed
			}
			require.NoError(t, err)
			defer answer.Body.Close()
			assert.Equal(t, c.status, answer.StatusCode)
			body, err := io.ReadAll(answer.Body)
			assert.Equal(t, c.cut, err != nil)
			assert.Equal(t, !c.cut, strings.HasSuffix(string(body), "}\n"))
			if c.size > maxBase64 {
				assert.Contains(t, string(body), "octet-stream")
			}
		})
	}
}
