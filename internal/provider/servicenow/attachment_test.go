package servicenow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/servicenow"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
	"github.com/ticketbridge/ticketbridge/internal/ticketing"
)

var (
	_ ticketing.AttachmentCreator    = (*Client)(nil)
	_ ticketing.AttachmentRecoverer  = (*Client)(nil)
	_ ticketing.AttachmentLister     = (*Client)(nil)
	_ ticketing.AttachmentDownloader = (*Client)(nil)
	_ ticketing.AttachmentDeleter    = (*Client)(nil)
)

func newFile(name, text string) ticket.NewAttachment {
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
	if err != nil {
		return "", err
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	return string(text), err
}

func TestAttachmentsGoUpAndComeDown(t *testing.T) {
	for name, change := range map[string]func(*sim.Options, *Config){
		"incidents": func(*sim.Options, *Config) {}, "security incidents": security,
		"a table of its own": func(_ *sim.Options, c *Config) { c.DefaultProject = "u_ops_incident" },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, change)
			ctx := context.Background()
			one, other := w.create(newTicket(1)), w.create(newTicket(2))
			made := w.attach(one.ID, newFile("log.txt", "line one\nline two"))
			w.clock.move(time.Second)
			odd := newFile(`C:\logs\größe "x": 1?.bin`, "")
			odd.FileType = "nonsense"
			empty := w.attach(one.Key, odd)
			assert.Equal(t, "log.txt", made.FileName)
			assert.True(t, strings.HasPrefix(made.FileType, "text/plain"), made.FileType)
			assert.EqualValues(t, 17, made.Size)
			assert.Equal(t, "bridge", made.Creator)
			assert.Equal(t, []string{one.ID, one.ID}, []string{made.TicketID, empty.TicketID})
			assert.True(t, made.CreatedAt.Equal(w.clock.now().Add(-time.Second)))
			assert.Equal(t, "größe _x__ 1_.bin", empty.FileName, "no folders, no signs that file systems refuse")
			stored := w.sim.Attachments(one.ID)
			require.Len(t, stored, 2)
			assert.Equal(t, one.Project, stored[0].Table, "the record's own table")

			listed, err := w.client.ListAttachments(ctx, one.Key)
			require.NoError(t, err)
			require.Len(t, listed, 2)
			assert.Equal(t, made, listed[0])
			for id, want := range map[string]string{made.ID: "line one\nline two", empty.ID: ""} {
				text, err := w.download(one.ID, id)
				require.NoError(t, err)
				assert.Equal(t, want, text)
			}
			_, err = w.download(other.ID, made.ID)
			assert.Equal(t, ticket.NotFound, kindOf(t, err), "it is another ticket's")
			assert.Equal(t, ticket.NotFound, kindOf(t, w.client.DeleteAttachment(ctx, other.ID, made.ID)))
			require.NoError(t, w.client.DeleteAttachment(ctx, one.ID, made.ID))
			assert.Len(t, w.sim.Attachments(one.ID), 1)
			assert.Equal(t, ticket.NotFound, kindOf(t, w.client.DeleteAttachment(ctx, one.ID, made.ID)))
			_, err = w.client.ListAttachments(ctx, "INC0099999")
			assert.Equal(t, ticket.NotFound, kindOf(t, err))
		})
	}
}

// The record's class decides, not the integration's default project.
func TestAFileGoesToTheTableOfItsRecord(t *testing.T) {
	w := newWorld(t, func(_ *sim.Options, c *Config) { c.DefaultProject = "u_ops_incident" })
	n := newTicket(1)
	n.Project = "incident"
	plain, own := w.create(n), w.create(newTicket(2))
	w.attach(plain.ID, newFile("a.txt", "x"))
	w.attach(own.ID, newFile("a.txt", "x"))
	assert.Equal(t, "incident", w.sim.Attachments(plain.ID)[0].Table)
	assert.Equal(t, "u_ops_incident", w.sim.Attachments(own.ID)[0].Table)
	w.client = func() *Client { w.config.DefaultProject = ""; return w.newClient() }()
	w.attach(own.Key, newFile("b.txt", "x"))
	assert.Equal(t, "u_ops_incident", w.sim.Attachments(own.ID)[1].Table, "though it was found in incident")
}

func TestFileNames(t *testing.T) {
	for name, want := range map[string]string{
		"a.txt": "a.txt", "/etc/passwd": "passwd", `..\..\x`: "x", "..": "", ".": "", "": "", " / ": "", "a\nb\x00.txt": "a_b\uFFFD.txt",
		"a&table_name=sys_user": "a&table_name=sys_user", strings.Repeat("ü", 300) + ".log": strings.Repeat("ü", 95) + "….log",
		"x." + strings.Repeat("y", 300): "x." + strings.Repeat("y", 97) + "…",
	} {
		assert.Equal(t, want, fileName(name))
		assert.LessOrEqual(t, len([]rune(fileName(name))), maxFileName)
	}
}

// Ids are ids before they go into a query or a path.
func TestIdsOfAttachmentsAreChecked(t *testing.T) {
	w := newWorld(t)
	one := w.create(newTicket(1))
	w.attach(one.ID, newFile("a.txt", "x"))
	for _, evil := range []string{"", "x", "../table/incident", strings.Repeat("A", 32), strings.Repeat("a", 31) + "^", "file"} {
		_, err := w.download(one.ID, evil)
		assert.Equal(t, ticket.NotFound, kindOf(t, err), "%q", evil)
		assert.Equal(t, ticket.NotFound, kindOf(t, w.client.DeleteAttachment(context.Background(), one.ID, evil)), "%q", evil)
	}
	for _, evil := range []string{"", "x^NQactive=true", "javascript:1", one.ID + "^"} {
		_, err := w.client.ListAttachments(context.Background(), evil)
		assert.Error(t, err, "%q", evil)
	}
	assert.Len(t, w.sim.Attachments(one.ID), 1)
}

// What an instance takes from nobody is refused, and not tried for ever; what the
// account may not do is waited for, but for a deletion.
func TestFilesThatAreRefused(t *testing.T) {
	w := newWorld(t, func(o *sim.Options, _ *Config) { o.UploadLimit, o.Extensions = 10, []string{"txt"} })
	one := w.create(newTicket(1))
	short, broken := newFile("a.txt", "12345"), newFile("a.txt", "12345")
	short.Size = 6
	gone := errors.New("the disk is gone")
	broken.Open = func() (io.ReadCloser, error) { return nil, gone }
	for _, c := range []struct {
		want string
		kind ticket.Kind
		a    ticket.NewAttachment
	}{
		{"com.glide.attachment.max_size", ticket.Permanent, newFile("big.txt", "12345678901")},
		{"glide.attachment.extensions", ticket.Permanent, newFile("x.exe", "x")},
		{"names no file", ticket.Permanent, newFile("..", "x")},
		{"not as long as", ticket.Permanent, short},
		{"its size is not known", ticket.Permanent, ticket.NewAttachment{FileName: "a.txt", Size: -1}},
		{gone.Error(), ticket.Retry, broken},
	} {
		_, err := w.client.CreateAttachment(context.Background(), one.ID, c.a)
		assert.Equal(t, c.kind, kindOf(t, err), "%v", err)
		assert.ErrorContains(t, err, c.want)
	}
	assert.Empty(t, w.sim.Attachments(one.ID))
	made := w.attach(one.ID, newFile("a.txt", "x"))
	w.sim.AllowDelete("sys_attachment", false)
	err := w.client.DeleteAttachment(context.Background(), one.ID, made.ID)
	assert.Equal(t, ticket.Permanent, kindOf(t, err))
	assert.ErrorContains(t, err, "lacks the right to delete records of sys_attachment")
	w.sim.AllowDelete("sys_attachment", true)
	w.fail(sim.Fault{Kind: sim.ErrorBefore, Op: "detach", Status: 404, Times: 1})
	err = w.client.DeleteAttachment(context.Background(), one.ID, made.ID)
	assert.Equal(t, ticket.Permanent, kindOf(t, err), "a 404 that means a right")
	w.sim.Deny("sys_attachment")
	_, err = w.client.CreateAttachment(context.Background(), one.ID, newFile("b.txt", "x"))
	assert.Equal(t, ticket.Credentials, kindOf(t, err), "it heals when the right is given")
	w.sim.HideRows("sys_attachment")
	_, err = w.client.CreateAttachment(context.Background(), strings.Repeat("e", 32), newFile("b.txt", "x"))
	assert.Equal(t, ticket.NotFound, kindOf(t, err))
}

// Files that the account may not see are not "no files".
func TestHiddenFilesAreTold(t *testing.T) {
	w := newWorld(t)
	one := w.create(newTicket(1))
	none, err := w.client.ListAttachments(context.Background(), one.ID)
	require.NoError(t, err)
	assert.Empty(t, none)
	w.attach(one.ID, newFile("a.txt", "x"))
	w.sim.HideRows("sys_attachment")
	_, err = w.client.ListAttachments(context.Background(), one.ID)
	assert.ErrorContains(t, err, "may not see them")
	w = newWorld(t)
	one = w.create(newTicket(1))
	w.attach(w.create(newTicket(2)).ID, newFile("a.txt", "x"))
	w.sim.RemoveColumn("sys_attachment", "table_sys_id")
	_, err = w.client.ListAttachments(context.Background(), one.ID)
	assert.ErrorContains(t, err, "ignored the query")
}

// An upload is held to the same rules as a create: a 2xx proves nothing by itself.
func TestWhatAnswersAnUpload(t *testing.T) {
	for name, c := range map[string]struct {
		status            int
		contentType, body string
		kind              ticket.Kind
	}{
		"hibernating":      {200, "text/html", "<title>Instance Hibernating page</title>", ticket.Retry},
		"another page":     {200, "text/html", "<html>log in</html>", ticket.OutcomeUnknown},
		"result and error": {201, "application/json", `{"result":{"sys_id":"x"},"error":{"message":"Transaction cancelled"}}`, ticket.OutcomeUnknown},
		"no id":            {201, "application/json", `{"result":{"file_name":"a.txt"}}`, ticket.OutcomeUnknown},
		"202":              {202, "application/json", "", ticket.OutcomeUnknown},
		"500":              {500, "application/json", `{"error":{"message":"Transaction cancelled"}}`, ticket.OutcomeUnknown},
		"another size":     {201, "application/json", `{"result":{"sys_id":"` + strings.Repeat("b", 32) + `","size_bytes":"3"}}`, ticket.Permanent},
		"413":              {413, "text/html", "Request Entity Too Large", ticket.Permanent},
		"429":              {429, "application/json", "", ticket.RateLimited},
		"404":              {404, "application/json", `{"error":{"message":"No Record found"}}`, ticket.NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			client := answering(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				if r.Method == http.MethodGet {
					fmt.Fprintf(w, `{"result":{"sys_id":"%s","number":"INC1"}}`, strings.Repeat("a", 32))
					return
				}
				_, _ = io.Copy(io.Discard, r.Body)
				w.Header().Set("Content-Type", c.contentType)
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.body)
			})
			_, err := client.CreateAttachment(context.Background(), strings.Repeat("a", 32), newFile("a.txt", "12345"))
			assert.Equal(t, c.kind, kindOf(t, err), "%v", err)
			assert.NotContains(t, err.Error(), testPassword)
		})
	}
}
