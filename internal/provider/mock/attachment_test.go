package mock

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// upload is a file with this content.
func upload(name, content string) ticket.NewAttachment {
	return ticket.NewAttachment{
		FileName: name, Size: int64(len(content)),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil },
	}
}

func TestFiles(t *testing.T) {
	c, clock := newWorld(t, Config{})
	made := c.must(t, ticket.New{})
	n := upload("log.json", `{"a": 1}`)
	n.Operation = "op-1"
	_, ok, err := c.RecoverAttachment(t.Context(), made.ID, n, ticket.Attempt{})
	require.NoError(t, err)
	assert.False(t, ok)
	first, err := c.CreateAttachment(t.Context(), made.Key, n)
	require.NoError(t, err)
	assert.Equal(t, ticket.Attachment{
		ID: first.ID, TicketID: made.ID, FileName: "log.json", FileType: "application/json", Creator: "ticketbridge", CreatedAt: clock.at, Size: 8,
	}, first)
	again, err := c.CreateAttachment(t.Context(), made.ID, n)
	require.NoError(t, err)
	assert.Equal(t, first, again, "an operation adds one file")
	found, ok, err := c.RecoverAttachment(t.Context(), made.ID, n, ticket.Attempt{})
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Equal(t, first, found)

	other := upload("empty", "")
	other.Size = -1
	second, err := c.CreateAttachment(t.Context(), made.ID, other)
	require.NoError(t, err)
	assert.Equal(t, "application/octet-stream", second.FileType)
	assert.Zero(t, second.Size)
	typed := upload("x.json", "x")
	typed.FileType = "text/plain"
	third, err := c.CreateAttachment(t.Context(), made.ID, typed)
	require.NoError(t, err)
	assert.Equal(t, "text/plain", third.FileType)
	all, err := c.ListAttachments(t.Context(), made.ID)
	require.NoError(t, err)
	assert.Equal(t, []ticket.Attachment{first, second, third}, all)
	assert.EqualValues(t, 9, c.memory.files, "what was said to be longer was given back")

	down, err := c.DownloadAttachment(t.Context(), made.ID, first.ID)
	require.NoError(t, err)
	content, err := io.ReadAll(down.Body)
	require.NoError(t, err)
	require.NoError(t, down.Body.Close())
	assert.Equal(t, `{"a": 1}`, string(content))
	assert.Equal(t, first, down.Attachment)

	require.NoError(t, c.DeleteAttachment(t.Context(), made.ID, first.ID))
	requireKind(t, ticket.NotFound, c.DeleteAttachment(t.Context(), made.ID, first.ID), "no such file")
	_, err = c.DownloadAttachment(t.Context(), made.ID, first.ID)
	requireKind(t, ticket.NotFound, err, "no such file")
	assert.EqualValues(t, 1, c.memory.files)
}

func TestFilesThatAreRefused(t *testing.T) {
	c, _ := newWorld(t, Config{})
	made := c.must(t, ticket.New{})
	long, short, huge, broken, closed := upload("a", "abc"), upload("a", "abc"), upload("a", ""), upload("a", "abc"), upload("a", "abc")
	long.Size, short.Size, huge.Size = 2, 4, MaxFileBytes+1
	unsaid := ticket.NewAttachment{FileName: "a", Size: -1, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.LimitReader(zeros{}, MaxFileBytes+10)), nil
	}}
	broken.Open = func() (io.ReadCloser, error) {
		return io.NopCloser(iotest.ErrReader(errors.New("torn"))), nil
	}
	closed.Open = func() (io.ReadCloser, error) { return nil, errors.New("gone") }
	for _, r := range []struct {
		name string
		file ticket.NewAttachment
		kind ticket.Kind
		says string
	}{
		{"longer than said", long, ticket.Permanent, "not as long as was said"},
		{"shorter than said", short, ticket.Permanent, "not as long as was said"},
		{"too long", huge, ticket.Permanent, "at most 16 MiB"},
		{"too long, unsaid", unsaid, ticket.Permanent, "not as long as was said"},
		{"without a name", upload("", "abc"), ticket.Permanent, "file_name: empty"},
		{"unreadable", broken, ticket.Retry, "cannot be read"},
		{"not there", closed, ticket.Retry, "cannot be read"},
	} {
		_, err := c.CreateAttachment(t.Context(), made.ID, r.file)
		requireKind(t, r.kind, err, r.says)
		assert.Zero(t, c.memory.files, "%s: its room is given back", r.name)
	}
	_, err := c.CreateAttachment(t.Context(), "gone", upload("a", "abc"))
	requireKind(t, ticket.NotFound, err, "there is no ticket")
	_, err = c.ListAttachments(t.Context(), "gone")
	requireKind(t, ticket.NotFound, err, "there is no ticket")
	_, _, err = c.RecoverAttachment(t.Context(), made.ID, upload("a", ""), ticket.Attempt{})
	requireKind(t, ticket.Permanent, err, "no operation")
	assert.Zero(t, c.memory.files)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestFilesAreBounded(t *testing.T) {
	c, clock := newWorld(t, Config{})
	made := c.must(t, ticket.New{})
	big := upload("big", string(bytes.Repeat([]byte("x"), MaxFileBytes)))
	for range MaxAllFileBytes / MaxFileBytes {
		_, err := c.CreateAttachment(t.Context(), made.ID, big)
		require.NoError(t, err)
	}
	_, err := c.CreateAttachment(t.Context(), c.must(t, ticket.New{}).ID, upload("one", "x"))
	requireKind(t, ticket.Permanent, err, "more than the 64 MiB that a test provider keeps: delete some")
	clock.advance(TicketLife)
	other := c.must(t, ticket.New{})
	assert.Zero(t, c.memory.files, "the files went with their ticket")
	for range MaxFiles {
		_, err = c.CreateAttachment(t.Context(), other.ID, upload("one", "x"))
		require.NoError(t, err)
	}
	_, err = c.CreateAttachment(t.Context(), other.ID, upload("one", "x"))
	requireKind(t, ticket.Permanent, err, "at most 100 files")
	assert.EqualValues(t, MaxFiles, c.memory.files)
}
