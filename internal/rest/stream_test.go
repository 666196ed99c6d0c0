package rest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func content(text string) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
}

// whole counts the requests whose body came whole.
func whole(t *testing.T) (url string, got *[]string) {
	got = &[]string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			*got = append(*got, fmt.Sprintf("%s %d", body, r.ContentLength))
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, got
}

func TestAStreamIsSentWithItsSize(t *testing.T) {
	url, got := whole(t)
	_, err := fresh().Do(t.Context(), Request{Method: "POST", URL: url, Stream: &Stream{Open: content("hello"), Size: 5}})
	require.NoError(t, err)
	assert.Equal(t, []string{"hello 5"}, *got)
}

// Content that is not what it said never makes a whole request, so that nothing
// can have come of it.
func TestAStreamOfAnotherSizeMakesNoRequest(t *testing.T) {
	broken := errors.New("the disk is gone")
	for name, s := range map[string]struct {
		stream Stream
		want   error
	}{
		"shorter":           {Stream{Open: content("hell"), Size: 5}, ErrSize},
		"longer, and large": {Stream{Open: content(strings.Repeat("x", 1<<20+1)), Size: 1 << 20}, ErrSize},
		"longer":            {Stream{Open: content("hello!"), Size: 5}, ErrSize},
		"unopened":          {Stream{Open: func() (io.ReadCloser, error) { return nil, broken }, Size: 5}, broken},
		"unreadable": {Stream{Open: func() (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(strings.NewReader("he"), failing{broken})), nil
		}, Size: 5}, broken},
	} {
		t.Run(name, func(t *testing.T) {
			url, got := whole(t)
			_, err := fresh().Do(t.Context(), Request{Method: "POST", URL: url, Stream: &s.stream})
			_, ok := errors.AsType[*StreamError](err)
			assert.True(t, ok, "%v", err)
			assert.ErrorIs(t, err, s.want)
			assert.Empty(t, *got)
		})
	}
}

// Whoever reads no further than the size, as net/http does first, learns in time.
func TestTheLastPartIsHeldBackUntilItIsTheLast(t *testing.T) {
	req, err := Request{Method: "POST", URL: "http://x", Stream: &Stream{Open: content("hello!"), Size: 5}}.http(t.Context(), watch(t.Context(), time.Minute))
	require.NoError(t, err)
	sent, err := io.ReadAll(io.LimitReader(req.Body, req.ContentLength))
	assert.ErrorIs(t, err, ErrSize)
	assert.Less(t, len(sent), 5)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestADownloadIsLimited(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(bytes.Repeat([]byte("x"), 1000))
	}))
	defer server.Close()
	for limit, want := range map[int64]int{1000: 1000, 999: 999, 0: 0, 5000: 1000} {
		d, err := fresh().Open(t.Context(), Request{Method: "GET", URL: server.URL}, limit)
		require.NoError(t, err)
		assert.Equal(t, 200, d.Status)
		body, err := io.ReadAll(d.Body)
		assert.Len(t, body, want)
		assert.Equal(t, limit < 1000, err != nil, "%d: %v", limit, err)
		assert.NoError(t, d.Body.Close())
	}
}

// What stalls is ended, on the way up and on the way down.
func TestAStreamThatStallsIsEnded(t *testing.T) {
	block := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "GET" {
			_, _ = io.WriteString(w, "begin")
			_ = http.NewResponseController(w).Flush()
		}
		select {
		case <-block:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(block) })
	c := fresh()
	c.Timeout = 50 * time.Millisecond
	d, err := c.Open(t.Context(), Request{Method: "GET", URL: server.URL}, 1000)
	require.NoError(t, err)
	defer d.Body.Close()
	body, err := io.ReadAll(d.Body)
	assert.Equal(t, "begin", string(body))
	assert.ErrorIs(t, err, context.DeadlineExceeded)

	_, err = c.Do(t.Context(), Request{Method: "POST", URL: server.URL, Stream: &Stream{Open: content("hello"), Size: 5}})
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	assert.ErrorContains(t, err, "no answer in time")
}

// The other side may need a while for what is large, after all of it has come.
func TestALargeStreamMayTakeTheOtherSideAWhile(t *testing.T) {
	for size, lost := range map[int64]bool{1 << 20: false, 1: true} {
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // the client's own error tells
			select {
			case <-time.After(250 * time.Millisecond):
			case <-r.Context().Done():
			}
		}))
		c := fresh()
		c.Timeout = 50 * time.Millisecond
		_, err := c.Do(t.Context(), Request{Method: "POST", URL: server.URL, Stream: &Stream{Open: content(strings.Repeat("x", int(size))), Size: size}})
		assert.Equal(t, lost, err != nil, "%d bytes: %v", size, err)
		server.Close()
	}
}
