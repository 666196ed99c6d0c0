package servicenow

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	sim "github.com/ticketbridge/ticketbridge/internal/simulator/servicenow"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// A file whose answer was lost is found by name, time and content, and by nothing
// less; with the instance's hash, and without one, and with one of another kind.
func TestALostAttachmentIsFound(t *testing.T) {
	hashes := map[string]func([]byte) string{
		"SHA-256": nil, "no hash": func([]byte) string { return "" }, "another hash": func([]byte) string { return strings.Repeat("0", 64) },
	}
	for name, c := range map[string]struct {
		fault sim.Fault
		found bool
		kind  ticket.Kind
	}{
		"carried out, no answer": {sim.Fault{Kind: sim.DropAfter}, true, ticket.OutcomeUnknown},
		"carried out, 500":       {sim.Fault{Kind: sim.ErrorAfter}, true, ticket.OutcomeUnknown},
		"carried out, a page":    {sim.Fault{Kind: sim.HTML}, true, ticket.OutcomeUnknown},
		"carried out, an error":  {sim.Fault{Kind: sim.Poisoned}, true, ticket.OutcomeUnknown},
		"carried out late":       {sim.Fault{Kind: sim.DropLate, Delay: 60_000}, true, ticket.OutcomeUnknown},
		"not carried out":        {sim.Fault{Kind: sim.DropBefore}, false, ticket.OutcomeUnknown},
		"dropped with 202":       {sim.Fault{Kind: sim.Queued}, false, ticket.OutcomeUnknown},
		"refused":                {sim.Fault{Kind: sim.ErrorBefore, Status: 401}, false, ticket.Credentials},
		"limited":                {sim.Fault{Kind: sim.TooMany, RetryAfter: 5}, false, ticket.RateLimited},
	} {
		for kind, hash := range hashes {
			t.Run(name+"/"+kind, func(t *testing.T) {
				w := newWorld(t, func(o *sim.Options, _ *Config) { o.FileHash = hash })
				ctx := context.Background()
				one := w.create(newTicket(1))
				w.attach(one.ID, newFile("log.txt", "the old one")) // same name and size, before
				w.clock.move(time.Hour)
				attempt := ticket.Attempt{FirstScheduledAt: w.clock.now()}
				w.attach(one.ID, newFile("log.txt", "another one"))
				w.attach(one.ID, newFile("other.txt", "the new one"))
				fault := c.fault
				fault.Op, fault.Times = "attach", 1
				w.fail(fault)
				lost := newFile("log.txt", "the new one")
				_, err := w.client.CreateAttachment(ctx, one.ID, lost)
				assert.Equal(t, c.kind, kindOf(t, err), "%v", err)
				w.clock.move(w.client.Settling())

				hit, found, err := w.client.RecoverAttachment(ctx, one.ID, lost, attempt)
				require.NoError(t, err)
				assert.Equal(t, c.found, found)
				stored := w.sim.Attachments(one.ID)
				assert.Equal(t, c.found, len(stored) == 4)
				if found {
					assert.Equal(t, stored[3].ID, hit.ID)
				}
				_, old, err := w.client.RecoverAttachment(ctx, one.ID, newFile("log.txt", "the old one"), attempt)
				require.NoError(t, err)
				assert.False(t, old, "it is older than the operation")
			})
		}
	}
}

// A hash that is the content's own SHA-256 spares the download.
func TestTheInstancesHashIsEnough(t *testing.T) {
	w := newWorld(t)
	one := w.create(newTicket(1))
	attempt := ticket.Attempt{FirstScheduledAt: w.clock.now()}
	w.attach(one.ID, newFile("log.txt", "the new one"))
	_, found, err := w.client.RecoverAttachment(context.Background(), one.ID, newFile("log.txt", "the new one"), attempt)
	require.NoError(t, err)
	assert.True(t, found)
	assert.Zero(t, w.sim.Stats().Requests["download"])
}

// A comparison that could not be made is not "not found".
func TestRecoveryOfAnAttachmentThatCannotBeReadIsAnError(t *testing.T) {
	w := newWorld(t, func(o *sim.Options, _ *Config) { o.FileHash = func([]byte) string { return "" } })
	one := w.create(newTicket(1))
	attempt := ticket.Attempt{FirstScheduledAt: w.clock.now()}
	lost := newFile("log.txt", "the new one")
	w.attach(one.ID, lost)
	for _, fault := range []sim.Fault{{Kind: sim.Cut, Op: "download"}, {Kind: sim.ErrorBefore, Op: "download"}, {Kind: sim.DropAfter, Op: "files"}, {Kind: sim.HTML, Op: "download"}} {
		w.fail(fault)
		_, _, err := w.client.RecoverAttachment(context.Background(), one.ID, lost, attempt)
		assert.Equal(t, ticket.Retry, kindOf(t, err), "%+v: %v", fault, err)
	}
	_, _, err := w.client.RecoverAttachment(context.Background(), one.ID, lost, ticket.Attempt{})
	assert.Equal(t, ticket.Permanent, kindOf(t, err))
}

func TestADownloadThatIsCutSaysSo(t *testing.T) {
	w := newWorld(t)
	one := w.create(newTicket(1))
	made := w.attach(one.ID, newFile("log.txt", strings.Repeat("0123456789", 1000)))
	w.fail(sim.Fault{Kind: sim.Cut, Op: "download", Times: 1})
	text, err := w.download(one.ID, made.ID)
	assert.Error(t, err)
	assert.Less(t, len(text), 10000)
	w.fail(sim.Fault{Kind: sim.ErrorBefore, Op: "download", Times: 2})
	text, err = w.download(one.ID, made.ID)
	assert.NoError(t, err, "what failed before it began is tried again")
	assert.Len(t, text, 10000)
	for name, c := range map[string]struct {
		kind  ticket.Kind
		fault sim.Fault
	}{
		"401": {ticket.Credentials, sim.Fault{Kind: sim.ErrorBefore, Status: 401}}, "404": {ticket.NotFound, sim.Fault{Kind: sim.ErrorBefore, Status: 404}},
		"429": {ticket.RateLimited, sim.Fault{Kind: sim.TooMany, RetryAfter: 30}}, "503": {ticket.Retry, sim.Fault{Kind: sim.ErrorBefore}},
		"asleep": {ticket.Retry, sim.Fault{Kind: sim.Hibernating}}, "page": {ticket.Retry, sim.Fault{Kind: sim.HTML}}, "202": {ticket.Retry, sim.Fault{Kind: sim.Queued}},
	} {
		c.fault.Op = "download"
		w.fail(c.fault)
		w.client = w.newClient()
		_, err := w.download(one.ID, made.ID)
		assert.Equal(t, c.kind, kindOf(t, err), "%s: %v", name, err)
	}
}

// A token that the instance no longer takes is got anew in the middle, both ways.
func TestFilesWithATokenThatIsNoLongerGood(t *testing.T) {
	w := newWorld(t, func(o *sim.Options, c *Config) {
		o.Username, o.Secret, o.ClientID, o.ClientSecret = "", "", "tb", testPassword
		c.Credential = Credential{Type: OAuthClient, ClientID: "tb", Secret: testPassword}
	})
	one := w.create(newTicket(1))
	made := w.attach(one.ID, newFile("a.txt", "content"))
	text, err := w.download(one.ID, made.ID)
	require.NoError(t, err)
	assert.Equal(t, "content", text)
	w.fail(sim.Fault{Kind: sim.ErrorBefore, Status: 401, Op: "attach", Times: 1}, sim.Fault{Kind: sim.ErrorBefore, Status: 401, Op: "download", Times: 1})
	w.attach(one.ID, newFile("b.txt", "again"))
	text, err = w.download(one.ID, made.ID)
	require.NoError(t, err)
	assert.Equal(t, "content", text)
	assert.Equal(t, "again", string(w.sim.Attachments(one.ID)[1].Content))
}

// The size is the instance's word; neither more nor less passes for the file, nor
// does another file's description.
func TestAFileIsAsLongAsServiceNowSays(t *testing.T) {
	id, other := strings.Repeat("a", 32), strings.Repeat("c", 32)
	for name, c := range map[string]struct {
		size, described string
		opens, ok       bool
	}{
		"equal": {"5", id, true, true}, "longer": {"4", id, true, false}, "shorter": {"6", id, true, false},
		"another file": {"5", other, false, false},
	} {
		client := answering(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if !strings.HasSuffix(r.URL.Path, "/file") {
				fmt.Fprintf(w, `{"result":{"sys_id":"%s","table_sys_id":"%s","size_bytes":"%s","file_name":"a"}}`, id, id, c.size)
				return
			}
			w.Header().Set("X-Attachment-Metadata", `{"sys_id":"`+c.described+`"}`)
			_, _ = io.WriteString(w, "12345")
		})
		got, err := client.DownloadAttachment(t.Context(), id, id)
		assert.Equal(t, c.opens, err == nil, "%s: %v", name, err)
		if err != nil {
			continue
		}
		_, err = io.ReadAll(got.Body)
		assert.Equal(t, c.ok, err == nil, "%s: %v", name, err)
		require.NoError(t, got.Body.Close())
	}
}

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
	const size = 64 << 20
	id, received := strings.Repeat("a", 32), int64(0)
	client := answering(t, func(w http.ResponseWriter, r *http.Request) {
		meta := fmt.Sprintf(`{"sys_id":"%s","table_sys_id":"%s","size_bytes":"%d","file_name":"a.bin","sys_created_on":"2026-03-04 12:00:00"}`, id, id, size)
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.Method == http.MethodPost:
			n, err := io.Copy(io.Discard, r.Body)
			assert.NoError(t, err)
			assert.Equal(t, r.ContentLength, n)
			received = n
			fmt.Fprintf(w, `{"result":%s}`, meta)
		case strings.HasSuffix(r.URL.Path, "/file"):
			w.Header().Set("X-Attachment-Metadata", meta)
			w.Header().Set("Content-Length", fmt.Sprint(size))
			_, _ = io.Copy(w, &endless{size})
		case r.URL.Path == "/api/now/attachment":
			fmt.Fprintf(w, `{"result":[%s]}`, meta)
		default:
			fmt.Fprintf(w, `{"result":%s}`, meta)
		}
	})
	upload := ticket.NewAttachment{FileName: "a.bin", Size: size, Open: func() (io.ReadCloser, error) { return &endless{size}, nil }}
	for name, do := range map[string]func() error{
		"up": func() error {
			_, err := client.CreateAttachment(context.Background(), id, upload)
			return err
		},
		"down": func() error {
			got, err := client.DownloadAttachment(context.Background(), id, id)
			if err != nil {
				return err
			}
			defer got.Body.Close()
			n, err := io.Copy(io.Discard, got.Body)
			assert.EqualValues(t, size, n)
			return err
		},
		"compared": func() error {
			_, found, err := client.RecoverAttachment(context.Background(), id, upload, ticket.Attempt{FirstScheduledAt: parseTime("2026-03-04")})
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
	assert.EqualValues(t, size, received)
}
