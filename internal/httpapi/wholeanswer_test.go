package httpapi

import (
	"context"
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
	writes := slowWrites{&fakeWrites{outcome: made(t, ticket.Ticket{ID: "1", Name: "Disk full"}), ended: true}, make(chan struct{})}
	e := newEnv(t, func(o *Options) { o.Writes = writes })
	server := httptest.NewServer(e.handler)
	defer server.Close()
	defer close(writes.read)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/v1/ticketing/tickets", strings.NewReader(`{"name":"Disk full"}`))
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	assert.Equal(t, http.StatusCreated, answer.StatusCode)
	assert.Contains(t, string(text), "Disk full")
}
