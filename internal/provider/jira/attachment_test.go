package jira

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/rest"
	sim "github.com/ticketbridge/ticketbridge/internal/simulator/jira"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func file(name, text string) ticket.NewAttachment {
	return ticket.NewAttachment{
		FileName: name, Size: int64(len(text)), Operation: "op " + name,
		Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil },
	}
}

func (w *world) attach(id string, a ticket.NewAttachment) ticket.Attachment {
	w.t.Helper()
	made, err := w.client.CreateAttachment(context.Background(), id, a)
	require.NoError(w.t, err)
	return made
}

func (w *world) download(id, attachment string) (string, error) {
	w.t.Helper()
	got, err := w.client.DownloadAttachment(context.Background(), id, attachment)
	require.NoError(w.t, err)
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	return string(text), err
}

func TestAttachmentsGoUpAndComeDown(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	issue, other := w.create(newTicket(1)), w.create(newTicket(2))
	made := w.attach(issue.ID, file("log.txt", "line one\nline two"))
	w.clock.move(time.Second)
	odd := w.attach(issue.Key, ticket.NewAttachment{
		FileName: `C:\logs\größe "x": 1?.bin`, FileType: "nonsense", Open: file("", "").Open, Size: 0,
	})
	assert.Equal(t, "log.txt", made.FileName)
	assert.True(t, strings.HasPrefix(made.FileType, "text/plain"), made.FileType)
	assert.EqualValues(t, 17, made.Size)
	assert.Equal(t, "bridge@acme.example", made.Creator)
	assert.Equal(t, issue.ID, made.TicketID)
	assert.True(t, made.CreatedAt.Equal(w.clock.now().Add(-time.Second)))
	assert.Equal(t, "größe _x__ 1_.bin", odd.FileName, "no folders, no signs that file systems refuse")

	listed, err := w.client.ListAttachments(ctx, issue.ID)
	require.NoError(t, err)
	require.Len(t, listed, 2)
	assert.Equal(t, made, listed[0])
	whole, err := w.client.GetTicket(ctx, issue.ID)
	require.NoError(t, err)
	assert.Len(t, whole.Unmapped["attachments"], 2)

	text, err := w.download(issue.ID, made.ID)
	require.NoError(t, err)
	assert.Equal(t, "line one\nline two", text)
	text, err = w.download(issue.ID, odd.ID)
	require.NoError(t, err)
	assert.Empty(t, text)

	_, err = w.client.DownloadAttachment(ctx, other.ID, made.ID)
	assert.Equal(t, ticket.NotFound, kindOf(t, err), "it is another ticket's")
	assert.Equal(t, ticket.NotFound, kindOf(t, w.client.DeleteAttachment(ctx, other.ID, made.ID)))
	require.NoError(t, w.client.DeleteAttachment(ctx, issue.ID, made.ID))
	assert.Equal(t, ticket.NotFound, kindOf(t, w.client.DeleteAttachment(ctx, issue.ID, made.ID)))
	_, err = w.client.ListAttachments(ctx, "OPS-99")
	assert.Equal(t, ticket.NotFound, kindOf(t, err))
}

func TestFileNames(t *testing.T) {
	for name, want := range map[string]string{
		"a.txt": "a.txt", "/etc/passwd": "passwd", `..\..\x`: "x", "..": "", ".": "", "": "", " / ": "", "a\nb\x00.txt": "a_b\uFFFD.txt",
		strings.Repeat("ü", 300) + ".log": strings.Repeat("ü", 245) + "….log", "x." + strings.Repeat("y", 300): "x." + strings.Repeat("y", 247) + "…",
	} {
		assert.Equal(t, want, fileName(name))
		assert.LessOrEqual(t, units(fileName(name)), maxFileName)
	}
}

func TestWhatCannotBeAttachedIsToldBeforeItIsSent(t *testing.T) {
	w := newWorld(t, func(o *sim.Options, _ *Config) { o.UploadLimit = 10 })
	issue := w.create(newTicket(1))
	short, broken := file("a", "12345"), file("a", "12345")
	short.Size = 6
	gone := errors.New("the disk is gone")
	broken.Open = func() (io.ReadCloser, error) { return nil, gone }
	for want, a := range map[string]ticket.NewAttachment{
		"takes at most 10": file("big", "12345678901"), "names no file": file("..", "x"), "not as long as": short, "its size is not known": {FileName: "a", Size: -1},
		gone.Error(): broken,
	} {
		_, err := w.client.CreateAttachment(context.Background(), issue.ID, a)
		kind := ticket.Permanent
		if want == gone.Error() {
			kind = ticket.Retry
		}
		assert.Equal(t, kind, kindOf(t, err), "%v", err)
		assert.ErrorContains(t, err, want)
	}
	assert.Empty(t, w.stored(issue.ID).Attachments)
	_, err := w.client.CreateAttachment(context.Background(), "OPS-99", file("a", "x"))
	assert.Equal(t, ticket.NotFound, kindOf(t, err))
}

// A file whose answer was lost is found by name, time and content, and by nothing less.
func TestALostAttachmentIsFound(t *testing.T) {
	for name, fault := range map[string]struct {
		fault sim.Fault
		found bool
		kind  ticket.Kind
	}{
		"carried out, no answer": {sim.Fault{Kind: sim.DropAfter}, true, ticket.OutcomeUnknown},
		"carried out, 500":       {sim.Fault{Kind: sim.ErrorAfter}, true, ticket.OutcomeUnknown},
		"carried out, a page":    {sim.Fault{Kind: sim.HTML}, true, ticket.OutcomeUnknown},
		"not carried out":        {sim.Fault{Kind: sim.DropBefore}, false, ticket.OutcomeUnknown},
		"refused":                {sim.Fault{Kind: sim.ErrorBefore, Status: 403}, false, ticket.Credentials},
		"limited":                {sim.Fault{Kind: sim.TooMany, RetryAfter: 5}, false, ticket.RateLimited},
		"too large after all":    {sim.Fault{Kind: sim.ErrorBefore, Status: 413}, false, ticket.Permanent},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			ctx := context.Background()
			issue := w.create(newTicket(1))
			w.attach(issue.ID, file("log.txt", "the old one")) // same name and size, before
			w.clock.move(time.Hour)
			attempt := ticket.Attempt{FirstScheduledAt: w.clock.now()}
			w.attach(issue.ID, file("log.txt", "another one"))
			w.attach(issue.ID, file("other.txt", "the new one"))
			fault.fault.Op, fault.fault.Times = "attach", 1
			w.fail(fault.fault)
			lost := file("log.txt", "the new one")
			_, err := w.client.CreateAttachment(ctx, issue.ID, lost)
			assert.Equal(t, fault.kind, kindOf(t, err), "%v", err)
			w.clock.move(time.Minute)

			hit, found, err := w.client.RecoverAttachment(ctx, issue.ID, lost, attempt)
			require.NoError(t, err)
			assert.Equal(t, fault.found, found)
			if found {
				stored := w.stored(issue.ID).Attachments
				assert.Equal(t, stored[len(stored)-1].ID, hit.ID)
			}
			_, old, err := w.client.RecoverAttachment(ctx, issue.ID, file("log.txt", "the old one"), attempt)
			require.NoError(t, err)
			assert.False(t, old, "it is older than the operation")
		})
	}
}

// A comparison that could not be made is not "not found".
func TestRecoveryOfAnAttachmentThatCannotBeReadIsAnError(t *testing.T) {
	w := newWorld(t)
	issue := w.create(newTicket(1))
	attempt := ticket.Attempt{FirstScheduledAt: w.clock.now()}
	lost := file("log.txt", "the new one")
	w.attach(issue.ID, lost)
	for _, fault := range []sim.Fault{{Kind: sim.Cut, Op: "download"}, {Kind: sim.ErrorBefore, Op: "download"}, {Kind: sim.DropAfter, Op: "get"}} {
		w.fail(fault)
		_, _, err := w.client.RecoverAttachment(context.Background(), issue.ID, lost, attempt)
		assert.Equal(t, ticket.Retry, kindOf(t, err), "%+v: %v", fault, err)
	}
}

func TestADownloadThatIsCutSaysSo(t *testing.T) {
	w := newWorld(t)
	issue := w.create(newTicket(1))
	made := w.attach(issue.ID, file("log.txt", strings.Repeat("0123456789", 1000)))
	w.fail(sim.Fault{Kind: sim.Cut, Op: "download", Times: 1})
	text, err := w.download(issue.ID, made.ID)
	assert.Error(t, err)
	assert.Less(t, len(text), 10000)
	w.fail(sim.Fault{Kind: sim.ErrorBefore, Op: "download", Times: 2})
	text, err = w.download(issue.ID, made.ID)
	assert.NoError(t, err, "what failed before it began is tried again")
	assert.Len(t, text, 10000)
	for kind, fault := range map[ticket.Kind]sim.Fault{
		ticket.Credentials: {Kind: sim.Anonymous, Op: "download"}, ticket.NotFound: {Kind: sim.ErrorBefore, Op: "download", Status: 404},
		ticket.RateLimited: {Kind: sim.TooMany, Op: "download", RetryAfter: 30}, ticket.Retry: {Kind: sim.ErrorBefore, Op: "download"},
	} {
		w.fail(fault)
		_, err := w.newClient().DownloadAttachment(context.Background(), issue.ID, made.ID)
		assert.Equal(t, kind, kindOf(t, err), "%v", err)
	}
}

// Whoever Jira sends us to for the file does not get what proves us to Jira.
func TestARedirectTakesNoCredentialElsewhere(t *testing.T) {
	var headers []http.Header
	media := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		headers = append(headers, r.Header.Clone())
		if r.URL.Path != "/again" {
			http.Redirect(rw, r, "/again", http.StatusFound)
			return
		}
		_, _ = io.WriteString(rw, "the file")
	}))
	defer media.Close()
	w := newWorld(t, func(o *sim.Options, _ *Config) { o.MediaURL = media.URL })
	issue := w.create(newTicket(1))
	made := w.attach(issue.ID, file("log.txt", "the file"))
	w.client.rest.HTTP = rest.WithoutRedirects(w.server.Client()) // the other host is in nobody's document
	text, err := w.download(issue.ID, made.ID)
	require.NoError(t, err)
	assert.Equal(t, "the file", text)
	require.Len(t, headers, 2)
	for _, h := range headers {
		assert.Empty(t, h.Get("Authorization"))
		assert.Empty(t, h.Get("Cookie"))
	}
}

func TestRedirectsThatAreNotFollowed(t *testing.T) {
	for to, want := range map[string]string{"ftp://x/y": "ftp://x", "https://u:p@x/y": "https://x", "file:///etc/passwd": "file://", "/loop": "redirects"} {
		c := answering(t, func(rw http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, api+"/issue") {
				_, _ = io.WriteString(rw, `{"id":"1","key":"OPS-1","fields":{"attachment":[{"id":"7","filename":"a","size":1}]}}`)
				return
			}
			rw.Header().Set("Location", to)
			rw.WriteHeader(http.StatusSeeOther)
		})
		_, err := c.DownloadAttachment(t.Context(), "1", "7")
		assert.Equal(t, ticket.Permanent, kindOf(t, err))
		assert.ErrorContains(t, err, want)
	}
}

// The answer's size is Jira's word; neither more nor less passes for the file.
func TestAFileIsAsLongAsJiraSays(t *testing.T) {
	for size, ok := range map[string]bool{"5": true, "4": false, "6": false} {
		c := answering(t, func(rw http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, api+"/issue") {
				_, _ = io.WriteString(rw, `{"id":"1","key":"OPS-1","fields":{"attachment":[{"id":"7","filename":"a","size":`+size+`}]}}`)
				return
			}
			_, _ = io.Copy(rw, bytes.NewReader([]byte("12345")))
		})
		got, err := c.DownloadAttachment(t.Context(), "1", "7")
		require.NoError(t, err)
		_, err = io.ReadAll(got.Body)
		assert.Equal(t, ok, err == nil, "%s: %v", size, err)
		require.NoError(t, got.Body.Close())
	}
}
