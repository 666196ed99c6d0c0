package jira

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/rest"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// endless is n bytes that are nowhere.
type endless struct{ left int64 }

func (e *endless) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), e.left)
	e.left -= n
	return int(n), nil
}

func (e *endless) Close() error { return nil }

// A file is never held in memory: not ours, nor the server's, which is in this
// process too and holds none.
func TestALargeFileIsNotHeldInMemory(t *testing.T) {
	const size = 100 << 20
	var received int64
	c := answering(t, func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost:
			n, err := io.Copy(io.Discard, r.Body)
			assert.NoError(t, err)
			assert.Equal(t, r.ContentLength, n)
			received = n
			fmt.Fprintf(rw, `[{"id":"7","filename":"a.bin","size":%d}]`, size)
		case strings.Contains(r.URL.Path, "/content/"):
			rw.Header().Set("Content-Length", fmt.Sprint(size))
			_, _ = io.Copy(rw, &endless{size})
		case strings.HasSuffix(r.URL.Path, "/meta"):
			_, _ = io.WriteString(rw, `{"enabled":true,"uploadLimit":2000000000}`)
		default:
			fmt.Fprintf(rw, `{"id":"1","key":"OPS-1","fields":{"attachment":[{"id":"7","filename":"a.bin","size":%d,"created":"2026-03-04T12:00:00.000+0000"}]}}`, size)
		}
	})
	c.pace = rest.NewPace(Rate{PerSecond: 1e6, Concurrency: 8})
	upload := ticket.NewAttachment{FileName: "a.bin", Size: size, Open: func() (io.ReadCloser, error) { return &endless{size}, nil }}
	for name, do := range map[string]func() error{
		"up": func() error {
			_, err := c.CreateAttachment(context.Background(), "1", upload)
			return err
		},
		"down": func() error {
			got, err := c.DownloadAttachment(context.Background(), "1", "7")
			if err != nil {
				return err
			}
			defer got.Body.Close()
			n, err := io.Copy(io.Discard, got.Body)
			assert.EqualValues(t, size, n)
			return err
		},
		"compared": func() error {
			_, found, err := c.RecoverAttachment(context.Background(), "1", upload, ticket.Attempt{FirstScheduledAt: parseTime("2026-03-04")})
			assert.True(t, found)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			require.NoError(t, do())
			runtime.ReadMemStats(&after)
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4<<20), "bytes allocated for %d", size)
		})
	}
	assert.Greater(t, received, int64(size))
}
