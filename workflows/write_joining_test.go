package workflows

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/operate"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// startElsewhere starts a write in another process than r's, which knows nothing of
// what r's callers were answered.
func (r *recorder) startElsewhere(request operate.WriteRequest) <-chan *operate.Write {
	elsewhere := operate.NewWrites(r.client, func(context.Context, string) (string, error) { return "desk", nil })
	started := make(chan *operate.Write, 1)
	go func() {
		w, err := elsewhere.Start(r.t.Context(), request)
		assert.NoError(r.t, err)
		started <- w
	}()
	select {
	case <-started:
		require.Fail(r.t, "did not wait for whether the first is answered")
	case <-time.After(300 * time.Millisecond):
	}
	return started
}

// A patch that is made of what is there is another one where the one before was
// answered, by whatever process, and is made of what that one left.
func TestAPatchAfterA2xxIsMadeOfWhatIsThereThen(t *testing.T) {
	r := newRecorder(t)
	r.desk.add("T1", time.Time{})
	names := []string{"first", "second"}
	request := operate.WriteRequest{
		Integration: integrationName, Operator: contract.WritePatchTicket, TicketID: "T1",
		Said: json.RawMessage(`[{"op":"remove","path":"/tags/0"}]`),
		Derive: func(context.Context) (any, error) {
			return ticket.Patch{Name: &names[r.desk.count("patch")]}, nil
		},
	}
	first := r.start(request)
	r.wait(first, contract.WriteOK)
	started := r.startElsewhere(request)
	require.NoError(t, first.Answered(t.Context()))
	next := <-started
	defer next.Close()
	assert.NotEqual(t, first.OperationID(), next.OperationID())
	r.wait(next, contract.WriteOK)
	assert.Equal(t, 2, r.desk.count("patch"))
	assert.Contains(t, r.desk.written()[1], "second")
}

// A run whose time is over just when an equal write comes was answered to nobody.
func TestAWriteThatEndsUnansweredWhileAnEqualOneComesIsNotMadeTwice(t *testing.T) {
	for name, request := range map[string]operate.WriteRequest{"small": newTicketWrite("Disk full", ""), "large": func() operate.WriteRequest {
		late := newTicketWrite("Disk full", "")
		late.Came = time.Now().Add(-time.Minute)
		return late
	}()} {
		t.Run(name, func(t *testing.T) {
			r := newRecorder(t)
			first := r.start(newTicketWrite("Disk full", ""))
			r.wait(first, contract.WriteOK)
			started := r.startElsewhere(request)
			r.signal(first.WorkflowID(), contract.SignalAsync, nil) // ends the run as its timer does
			again := <-started
			defer again.Close()
			assert.Equal(t, first.OperationID(), again.OperationID())
			assert.Equal(t, "T1", r.wait(again, contract.WriteOK).TicketID)
			assert.Equal(t, 1, r.desk.count("create"))
		})
	}
}
