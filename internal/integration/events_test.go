package integration

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// An event becomes a request at once and a ticket soon; a second one with
// another note becomes a comment; a recovery closes the ticket.
func TestEventBecomesTicket(t *testing.T) {
	t.Parallel()
	s := start(t, options{})

	created, err := s.post(map[string]any{"subject": "Server down", "source": "Nagios", "ci": "srv-001", "note": "not reachable"})
	require.NoError(t, err)
	require.Equal(t, 201, created.status, created.text)
	require.Eventually(t, func() bool { return len(s.issues()["Server down"]) == 1 }, 20*time.Second, 50*time.Millisecond)

	updated, err := s.post(map[string]any{"subject": "Server down", "source": "Nagios", "ci": "srv-001", "note": "still down"})
	require.NoError(t, err)
	assert.Equal(t, 200, updated.status, updated.text)
	assert.Equal(t, created.body["id"], updated.body["id"])
	require.Eventually(t, func() bool { return len(s.issues()["Server down"][0].Comments) == 1 }, 20*time.Second, 50*time.Millisecond)

	recovered, err := s.post(map[string]any{
		"subject": "Server up", "source": "Nagios", "ci": "srv-001", "note": "up again", "status": "completed", "completion_reason": "solved",
	})
	require.NoError(t, err)
	assert.Equal(t, 200, recovered.status, recovered.text)
	require.Eventually(t, func() bool { return s.issues()["Server down"][0].Status == "Done" }, 20*time.Second, 50*time.Millisecond)
	assert.Len(t, s.issues()["Server down"], 1)
}
