package activities

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// cutOff is a provider whose calls are cancelled in the middle; an answer that
// a call did not wait for is lost.
type cutOff struct {
	provider
	cancel context.CancelFunc
}

func (c *cutOff) end(ctx context.Context) error {
	c.cancel()
	if err := ctx.Err(); err != nil {
		return &ticket.Error{Kind: ticket.OutcomeUnknown, Op: "call", Err: err}
	}
	return nil
}

func (c *cutOff) CreateTicket(ctx context.Context, _ ticket.New) (ticket.Ticket, error) {
	return ticket.Ticket{ID: "1"}, c.end(ctx)
}

func (c *cutOff) CreateComment(ctx context.Context, _ string, _ ticket.NewComment) (ticket.Comment, error) {
	return ticket.Comment{ID: "1"}, c.end(ctx)
}

func (c *cutOff) PatchTicket(ctx context.Context, _ string, _ ticket.Patch) (ticket.Ticket, error) {
	return ticket.Ticket{ID: "1"}, c.end(ctx)
}

// A run that ends cancels its activities; a call that changes something is not
// cut off by it, and what it did is reported.
func TestACallInProgressIsNotCutOffByACancellation(t *testing.T) {
	for method, in := range map[string]any{
		"CreateTicket": CreateTicketInput{Integration: "ops"},
		"AddComment":   AddCommentInput{Integration: "ops", Note: "n"},
		"PatchTicket":  PatchTicketInput{Integration: "ops"},
	} {
		ctx, cancel := context.WithCancel(context.Background())
		p := &cutOff{cancel: cancel}
		a, counted := tickets(&p.provider)
		a.Integrations = one{client: p}
		var suite testsuite.WorkflowTestSuite
		env := suite.NewTestActivityEnvironment()
		env.SetWorkerOptions(worker.Options{BackgroundActivityContext: ctx})
		env.RegisterActivity(a)
		_, err := env.ExecuteActivity(method, in)
		assert.NoError(t, err, method)
		require.NotEmpty(t, counted.outcomes, method)
		assert.Contains(t, counted.outcomes[0], " ok", method)
	}
}

// It still ends, early enough to be reported.
func TestACallEndsBeforeItsAttemptDoes(t *testing.T) {
	at := time.Now().Add(time.Minute)
	ctx, cancel := context.WithDeadline(context.Background(), at)
	defer cancel()
	own, done := inTime(ctx)
	defer done()
	deadline, ok := own.Deadline()
	assert.True(t, ok)
	assert.Equal(t, at.Add(-reportTime), deadline)
}
