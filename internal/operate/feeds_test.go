package operate

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/ticketbridge/ticketbridge/internal/contract"
)

// starts remembers how workflows are started.
type starts struct {
	client.Client
	options []client.StartWorkflowOptions
	inputs  []any
}

func (s *starts) ExecuteWorkflow(_ context.Context, o client.StartWorkflowOptions, workflow any, args ...any) (client.WorkflowRun, error) {
	s.options, s.inputs = append(s.options, o), append(s.inputs, workflow, args[0])
	return nil, nil
}

// However often and wherever a feed is started, one workflow reads it: its id
// is made of the feed's name alone, and a second start joins the first.
func TestAFeedIsReadByOneWorkflow(t *testing.T) {
	s := &starts{}
	for range 2 {
		require.NoError(t, (&Feeds{Temporal: s}).Start(t.Context(), "lon", "jira-ops"))
	}
	for _, o := range s.options {
		assert.Equal(t, "feed:lon", o.ID)
		assert.Equal(t, enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING, o.WorkflowIDConflictPolicy)
	}
	assert.Equal(t, []any{contract.PollFeed, contract.PollFeedInput{Feed: "lon"}, contract.PollFeed, contract.PollFeedInput{Feed: "lon"}}, s.inputs)
}
