package operate

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/ticketbridge/ticketbridge/internal/contract"
)

// oneRun knows the last run of a write, and starts others as "new".
type oneRun struct {
	client.Client
	status enumspb.WorkflowExecutionStatus
	closed time.Time
	events []*historypb.HistoryEvent
}

type newRun struct{ client.WorkflowRun }

func (newRun) GetRunID() string { return "new" }

func (o *oneRun) ExecuteWorkflow(context.Context, client.StartWorkflowOptions, any, ...any) (client.WorkflowRun, error) {
	return newRun{}, nil
}

func (o *oneRun) SignalWorkflow(_ context.Context, _, run, _ string, _ any) error {
	if run == "new" {
		return nil
	}
	return serviceerror.NewNotFound("it is over")
}

func (o *oneRun) DescribeWorkflowExecution(context.Context, string, string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	if o.status == enumspb.WORKFLOW_EXECUTION_STATUS_UNSPECIFIED {
		return nil, serviceerror.NewNotFound("there is none")
	}
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{
		Execution: &commonpb.WorkflowExecution{RunId: "old"}, Status: o.status, CloseTime: timestamppb.New(o.closed),
	}}, nil
}

func (o *oneRun) GetWorkflowHistory(_ context.Context, _, _ string, _ bool, filter enumspb.HistoryEventFilterType) client.HistoryEventIterator {
	if filter == enumspb.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT {
		return &eventList{o.events[len(o.events)-1:]}
	}
	return &eventList{o.events}
}

type eventList struct{ left []*historypb.HistoryEvent }

func (l *eventList) HasNext() bool { return len(l.left) > 0 }

func (l *eventList) Next() (*historypb.HistoryEvent, error) {
	next := l.left[0]
	l.left = l.left[1:]
	return next, nil
}

func signalled(name string) *historypb.HistoryEvent {
	return &historypb.HistoryEvent{Attributes: &historypb.HistoryEvent_WorkflowExecutionSignaledEventAttributes{
		WorkflowExecutionSignaledEventAttributes: &historypb.WorkflowExecutionSignaledEventAttributes{SignalName: name},
	}}
}

func completed(t *testing.T, status string) *historypb.HistoryEvent {
	t.Helper()
	result, err := converter.GetDefaultDataConverter().ToPayloads(contract.WriteOutcome{Done: true, Status: status})
	require.NoError(t, err)
	return &historypb.HistoryEvent{Attributes: &historypb.HistoryEvent_WorkflowExecutionCompletedEventAttributes{
		WorkflowExecutionCompletedEventAttributes: &historypb.WorkflowExecutionCompletedEventAttributes{Result: result},
	}}
}

// A file that took longer to be sent again than its write stayed is not attached a
// second time.
func TestAFileThatArrivesSlowlyJoinsWhatEndedMeanwhile(t *testing.T) {
	const over = enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED
	came := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name   string
		came   time.Time
		key    string
		status enumspb.WorkflowExecutionStatus
		closed time.Duration
		signal string
		result string
		want   string
	}{
		{"made, told nobody", came, "", over, time.Minute, contract.SignalHeld, contract.WriteOK, "old"},
		{"discarded", came, "", over, time.Minute, contract.SignalDiscard, contract.WriteDiscarded, "old"},
		{"a 2xx was read", came, "", over, time.Minute, contract.SignalAnswered, contract.WriteOK, "new"},
		{"refused", came, "", over, time.Minute, contract.SignalHeld, contract.WriteRefused, "new"},
		{"clocks differ", came, "", over, -5 * time.Second, contract.SignalHeld, contract.WriteOK, "old"},
		{"over before", came, "", over, -time.Minute, contract.SignalHeld, contract.WriteOK, "new"},
		{"it runs", came, "", enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, 0, contract.SignalHeld, contract.WriteOK, "new"},
		{"the first", came, "", enumspb.WORKFLOW_EXECUTION_STATUS_UNSPECIFIED, 0, contract.SignalHeld, contract.WriteOK, "new"},
		{"a small one", time.Time{}, "", over, time.Minute, contract.SignalHeld, contract.WriteOK, "new"},
		{"with a key", came, "k", over, time.Minute, contract.SignalHeld, contract.WriteOK, "new"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := &oneRun{status: c.status, closed: came.Add(c.closed), events: []*historypb.HistoryEvent{signalled(c.signal), completed(t, c.result)}}
			w := NewWrites(o, func(context.Context, string) (string, error) { return "jira", nil })
			h, err := w.Start(t.Context(), WriteRequest{
				Integration: "ops", Operator: contract.WriteCreateAttachment, TicketID: "1", HeldBy: contract.UploadQueue("spool"), IdempotencyKey: c.key, Came: c.came,
				Body: contract.NewAttachment{FileName: "a", Size: contract.MaxAttachment + 1, SHA256: "1f825aa2f0020ef7cf91dfa30da4668d791c5d4824fc8e41354b89ec05795ab3"},
			})
			require.NoError(t, err)
			assert.Equal(t, c.want, h.run)
		})
	}
}
