package operate

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func TestADerivedWriteIsMadeOnlyWhereNoneIsJoined(t *testing.T) {
	for _, c := range []struct {
		name   string
		status enumspb.WorkflowExecutionStatus
		run    string
	}{
		{"the first", enumspb.WORKFLOW_EXECUTION_STATUS_UNSPECIFIED, "new"},
		{"under way", enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, "old"},
		{"over", enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED, "new"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := &oneRun{status: c.status, closed: time.Now(), events: []*historypb.HistoryEvent{}}
			derived := 0
			said := json.RawMessage(`[{"op":"add","path":"/tags/-","value":"c"}]`)
			h, err := NewWrites(o, func(context.Context, string) (string, error) { return "jira", nil }).Start(t.Context(), WriteRequest{
				Integration: "ops", Operator: contract.WritePatchTicket, TicketID: "1", Said: said,
				Derive: func(context.Context) (any, error) { derived++; return ticket.Patch{Tags: &[]string{"a", "c"}}, nil },
			})
			require.NoError(t, err)
			assert.Equal(t, c.run, h.run)
			assert.Equal(t, c.run == "new", derived == 1)
			hash, err := contract.WriteHash(contract.WritePatchTicket, "1", "", said)
			require.NoError(t, err)
			assert.Equal(t, contract.WriteID("ops", hash), h.id, "it is known by what was said")
		})
	}
}

func TestADerivedWriteThatCannotBeMadeStartsNothing(t *testing.T) {
	o := &oneRun{}
	_, err := NewWrites(o, func(context.Context, string) (string, error) { return "jira", nil }).Start(t.Context(), WriteRequest{
		Integration: "ops", Operator: contract.WritePatchTicket, TicketID: "1", Said: json.RawMessage(`[]`),
		Derive: func(context.Context) (any, error) { return nil, errors.New("a test does not hold") },
	})
	assert.EqualError(t, err, "a test does not hold")
}
