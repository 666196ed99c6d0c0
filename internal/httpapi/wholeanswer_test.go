package httpapi

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// slowWrites take until read to note that a caller has its answer.
type slowWrites struct {
	*fakeWrites
	read chan struct{}
}

func (s slowWrites) Start(context.Context, TicketWrite) (StartedWrite, error) { return s, nil }

func (s slowWrites) Answered(ctx context.Context) error {
	select {
	case <-s.read:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// Who is killed after it said that a caller has its answer must not have kept the
// end of it: sent again, it would make a second ticket.
func TestAnAnswerIsOutBeforeTheWriteHearsOfIt(t *testing.T) {
	certFile, keyFile, roots := certificate(t)
	for scheme, files := range map[string][2]string{"http": {}, "https": {certFile, keyFile}} {
		t.Run(scheme, func(t *testing.T) {
			writes := slowWrites{&fakeWrites{outcome: made(t, ticket.Ticket{ID: "1", Name: "Disk full"}), ended: true}, make(chan struct{})}
			e := newEnv(t, func(o *Options) { o.Writes = writes })
			l := listen(t)
			serving, stop := context.WithCancel(t.Context())
			served := make(chan error, 1)
			go func() { served <- ServeOn(serving, l, e.handler, files[0], files[1], quiet()) }()
			defer func() {
				close(writes.read)
				stop()
				assert.NoError(t, <-served)
			}()
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			request, err := http.NewRequestWithContext(ctx, http.MethodPost, scheme+"://"+l.Addr().String()+"/v1/ticketing/tickets", strings.NewReader(`{"name":"Disk full"}`))
			require.NoError(t, err)
			request.Header.Set("Authorization", "Bearer "+token)
			request.Header.Set("Content-Type", "application/json")
			client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}}
			defer client.CloseIdleConnections()
			answer, err := client.Do(request)
			require.NoError(t, err)
			defer answer.Body.Close()
			text, err := io.ReadAll(answer.Body)
			require.NoError(t, err)
			assert.Equal(t, http.StatusCreated, answer.StatusCode)
			assert.Contains(t, string(text), "Disk full")
		})
	}
}

// Whoever has gone did not get the answer.
func TestACallerWhoHasGoneIsNotAnswered(t *testing.T) {
	writes := &fakeWrites{outcome: made(t, ticket.Ticket{ID: "1", Name: "Disk full"}), ended: true}
	e := newEnv(t, func(o *Options) { o.Writes = writes })
	ctx, leave := context.WithCancel(t.Context())
	leave()
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/v1/ticketing/tickets", strings.NewReader(`{"name":"Disk full"}`))
	r.Header.Set("Authorization", "Bearer "+token)
	e.handler.ServeHTTP(httptest.NewRecorder(), r)
	assert.Equal(t, "499", e.log.last("call", "status"))
	assert.Zero(t, writes.answered)
}
