package activities

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// shelf are the files that a process holds, by workflow and SHA-256.
type shelf map[string]string

func (s shelf) Open(workflowID, sha256 string) (io.ReadCloser, error) {
	text, ok := s[workflowID+" "+sha256]
	if !ok {
		return nil, errors.New("no such file")
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

// taker takes files, and reads them twice, as a client may that sends them anew.
type taker struct {
	read []string
	size int64
}

func (p *taker) take(n ticket.NewAttachment) (ticket.Attachment, error) {
	p.size = n.Size
	for range 2 {
		content, err := n.Open()
		if err != nil {
			return ticket.Attachment{}, err
		}
		text, err := io.ReadAll(content)
		if err != nil {
			return ticket.Attachment{}, err
		}
		p.read = append(p.read, string(text))
	}
	return ticket.Attachment{ID: "7"}, nil
}

func (p *taker) CreateAttachment(_ context.Context, _ string, n ticket.NewAttachment) (ticket.Attachment, error) {
	return p.take(n)
}

func (p *taker) RecoverAttachment(_ context.Context, _ string, n ticket.NewAttachment, _ ticket.Attempt) (ticket.Attachment, bool, error) {
	a, err := p.take(n)
	return a, true, err
}

func upload(sha256 string) WriteInput {
	return WriteInput{
		Integration: "ops", Operator: contract.WriteCreateAttachment, TicketID: "1", Key: "k", Operation: "write:ops:k",
		Body: json.RawMessage(`{"file_name":"a.log","size":4,"sha256":"` + sha256 + `"}`),
	}
}

func TestAHeldFileIsReadWhereItIs(t *testing.T) {
	for method, in := range map[string]any{"WriteCreate": upload("abc"), "WriteRecover": WriteRecoverInput{Write: upload("abc")}} {
		p := &taker{}
		a := &Writes{
			Integrations: one{client: p}, Recorder: &counted{}, Files: shelf{"write:ops:k abc": "line"},
			StillWanted: func(context.Context, []byte) error { return nil },
		}
		result, err := call[WriteResult](t, a, method, in)
		require.NoError(t, err)
		assert.Equal(t, "7", result.PartID)
		assert.Equal(t, []string{"line", "line"}, p.read)
		assert.EqualValues(t, 4, p.size)
	}
}

// The workflow asks somebody else then; the provider was not called.
func TestAFileThatIsNotHereIsToldApart(t *testing.T) {
	for name, files := range map[string]Files{"none here": nil, "another content": shelf{"write:ops:k abd": "line"}, "another write's": shelf{"write:ops:l abc": "line"}} {
		for method, in := range map[string]any{"WriteCreate": upload("abc"), "WriteRecover": WriteRecoverInput{Write: upload("abc")}} {
			p, count := &taker{}, &counted{}
			_, err := call[WriteResult](t, &Writes{Integrations: one{client: p}, Recorder: count, Files: files}, method, in)
			app := appError(t, err)
			assert.Equal(t, contract.ErrorNotHeld, app.Type(), name)
			assert.True(t, app.NonRetryable(), name)
			assert.Empty(t, p.read, name)
			assert.Empty(t, count.outcomes, name)
		}
	}
}

// heartbeats answer with err from a moment on.
func heartbeats(after time.Duration, err error) (func(context.Context) error, func() int) {
	begin, count := time.Now(), 0
	return func(context.Context) error {
		count++
		if time.Since(begin) > after {
			return err
		}
		return nil
	}, func() int { return count }
}

// Whoever is not heard of sends nothing any more before Temporal takes it for dead.
func TestALeaseRunsOutBeforeTemporalGivesUp(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		lost bool
	}{
		{"cut off", errors.New("unavailable"), true},
		{"given up", errors.New("not found"), true},
		{"cancelled", temporal.NewCanceledError(), false},
		{"paused", activity.ErrActivityPaused, false},
		{"well", nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				heartbeat, count := heartbeats(time.Minute, c.err)
				l, stop := newLease(t.Context(), heartbeat)
				content := leased{io.NopCloser(endless{}), l}
				read := func() error { _, err := content.Read(make([]byte, 1)); return err }
				time.Sleep(time.Minute + leaseBeat/2)
				require.NoError(t, read())
				last := time.Now() // at most leaseBeat after the last answer
				time.Sleep(contract.UploadHeartbeat - leaseBeat)
				synctest.Wait()
				assert.Equal(t, c.lost, read() != nil, "%s after it was heard of", time.Since(last))
				stop()
				before := count()
				time.Sleep(time.Minute)
				assert.Equal(t, before, count(), "nobody goes on")
			})
		})
	}
}

// A heartbeat that hangs renews nothing, and an answer to it counts from when it
// was asked.
func TestAHeartbeatThatHangsRenewsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, stop := newLease(t.Context(), func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		defer stop()
		time.Sleep(leaseFor - time.Second)
		assert.False(t, l.over())
		time.Sleep(2 * time.Second)
		assert.True(t, l.over())
	})
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
