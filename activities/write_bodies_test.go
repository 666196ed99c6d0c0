package activities

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// bodies has one body, or none.
type bodies struct {
	body json.RawMessage
	err  error
	of   []string
}

func (b *bodies) StartedWith(_ context.Context, namespace, workflowID, runID string) (json.RawMessage, error) {
	b.of = []string{namespace, workflowID, runID}
	return b.body, b.err
}

func TestALargeBodyIsReadWhereItStands(t *testing.T) {
	in := newTicketInput()
	stored := &bodies{body: in.Body}
	in.Body, in.Set = nil, map[string]string{"name": "Short"}
	patch := WriteInput{Integration: "ops", Operator: contract.WritePatchTicket, TicketID: "1", Set: in.Set}
	for method, in := range map[string]any{"WriteCreateAsStarted": in, "WriteRecoverAsStarted": WriteRecoverInput{Write: in}, "WriteApplyAsStarted": patch} {
		p := &provider{ticket: ticket.Ticket{ID: "1"}}
		_, err := call[WriteResult](t, &Writes{Integrations: one{client: p}, Recorder: &counted{}, Bodies: stored}, method, in)
		require.NoError(t, err, method)
		assert.Equal(t, []string{"default-test-namespace", "default-test-workflow-id", "default-test-run-id"}, stored.of)
		if method == "WriteApplyAsStarted" {
			assert.Equal(t, "Short", *p.patch.Name)
			continue
		}
		assert.Equal(t, "Short", p.created.Name)
		assert.Equal(t, "Open", p.created.Status)
	}
}

// What is not sent has changed nothing.
func TestABodyThatCannotBeReadIsReadAgain(t *testing.T) {
	for _, stored := range []*bodies{{err: errors.New("no answer")}, {body: json.RawMessage(`[]`)}} {
		in := newTicketInput()
		in.Body, in.Set = nil, map[string]string{"name": "Short"}
		p := &provider{}
		_, err := call[WriteResult](t, &Writes{Integrations: one{client: p}, Recorder: &counted{}, Bodies: stored}, "WriteCreateAsStarted", in)
		assert.Equal(t, contract.ErrorRetry, appError(t, err).Type())
		assert.False(t, appError(t, err).NonRetryable())
		assert.ErrorContains(t, err, "read what is to be written")
		assert.Empty(t, p.calls)
	}
}
