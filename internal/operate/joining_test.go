package operate

import (
	"context"
	"encoding/json"
	"testing"
	"testing/synctest"
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
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// oneRun knows the last run of a write, and starts others as "new".
type oneRun struct {
	client.Client
	status enumspb.WorkflowExecutionStatus
	made   bool // and runs
	closed time.Time
	events []*historypb.HistoryEvent
	// ends: it ends when that is waited for; endsAtOnce: when another is started.
	ends, endsAtOnce bool

	inputs []contract.WriteTicketInput
}

func (o *oneRun) runs() bool { return o.status == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING }

func (o *oneRun) end() {
	if o.ends {
		o.status = enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED
	}
}

func (o *oneRun) GetWorkflow(context.Context, string, string) client.WorkflowRun {
	return waited{of: o}
}

// waited is the run whose end somebody waits for.
type waited struct {
	client.WorkflowRun
	of *oneRun
}

func (w waited) Get(ctx context.Context, _ any) error {
	if w.of.end(); w.of.runs() {
		<-ctx.Done()
	}
	return ctx.Err()
}

type newRun struct{ client.WorkflowRun }

func (newRun) GetRunID() string { return "new" }

func (o *oneRun) ExecuteWorkflow(_ context.Context, _ client.StartWorkflowOptions, _ any, args ...any) (client.WorkflowRun, error) {
	o.inputs = append(o.inputs, args[0].(contract.WriteTicketInput))
	if o.runs() {
		if o.endsAtOnce {
			o.status = enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED
		}
		return nil, serviceerror.NewWorkflowExecutionAlreadyStarted("it runs", "", "old")
	}
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
	attributes := &commonpb.SearchAttributes{}
	if o.made {
		closed, _ := Converter().ToPayload(contract.StateClosed)
		attributes.IndexedFields = map[string]*commonpb.Payload{contract.AttributeState: closed}
	}
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{
		SearchAttributes: attributes, Execution: &commonpb.WorkflowExecution{RunId: "old"}, Status: o.status, CloseTime: timestamppb.New(o.closed),
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

// endOf is what a history says of a run's end, nothing where a person ended it.
func endOf(t *testing.T, signal, result string) []*historypb.HistoryEvent {
	t.Helper()
	if result == "" {
		return []*historypb.HistoryEvent{signalled(signal)}
	}
	return []*historypb.HistoryEvent{signalled(signal), completed(t, result)}
}

func (o *oneRun) writes() *Writes {
	return NewWrites(o, func(context.Context, string) (string, error) { return "jira", nil })
}

func largeFile(came time.Time) WriteRequest {
	return WriteRequest{
		Integration: "ops", Operator: contract.WriteCreateAttachment, TicketID: "1", HeldBy: contract.UploadQueue("spool"), Came: came,
		Body: contract.NewAttachment{FileName: "a", Size: contract.MaxAttachment + 1, SHA256: "1f825aa2f0020ef7cf91dfa30da4668d791c5d4824fc8e41354b89ec05795ab3"},
	}
}

// patchOf is a patch that is made of what is there.
func patchOf(derive func() []string) WriteRequest {
	return WriteRequest{
		Integration: "ops", Operator: contract.WritePatchTicket, TicketID: "1", Said: json.RawMessage(`[{"op":"remove","path":"/tags/0"}]`),
		Derive: func(context.Context) (any, error) {
			tags := derive()
			return ticket.Patch{Tags: &tags}, nil
		},
	}
}

// Whatever is asked for: what ran when it came is joined, unless somebody got its 2xx.
func TestWhatRanWhenAnEqualWriteCameIsJoinedUntilItIsAnswered(t *testing.T) {
	const other = contract.SignalRetry
	for _, c := range []struct {
		name           string
		made, ends     bool
		signal, result string
		want           string
	}{
		{"under way", false, false, other, contract.WriteOK, "old"},
		{"made, its caller may still get the answer", true, false, other, contract.WriteOK, "old"},
		{"made, its caller gets the answer", true, true, contract.SignalAnswered, contract.WriteOK, "new"},
		{"made, its two minutes end", true, true, other, contract.WriteOK, "old"},
		{"discarded, its two minutes end", true, true, other, contract.WriteDiscarded, "old"},
		{"refused", true, true, other, contract.WriteRefused, "new"},
		{"a person ends it", true, true, other, "", "new"},
	} {
		for kind, request := range map[string]WriteRequest{
			"small":   {Integration: "ops", Operator: contract.WriteCreateComment, TicketID: "1", Body: ticket.NewComment{Content: "hello"}},
			"derived": patchOf(func() []string { return nil }),
			"large":   largeFile(time.Now().Add(-time.Minute)),
		} {
			t.Run(c.name+", "+kind, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					o := &oneRun{status: enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, made: c.made, ends: c.ends, events: endOf(t, c.signal, c.result)}
					begin := time.Now()
					h, err := o.writes().Start(t.Context(), request)
					require.NoError(t, err)
					assert.Equal(t, c.want, h.run)
					want := time.Duration(0)
					if c.made && !c.ends {
						want = answeredSoon
					}
					assert.Equal(t, want, time.Since(begin))
				})
			})
		}
	}
}

func TestARunThatEndsRightAfterItWasInTheWayIsJoined(t *testing.T) {
	o := &oneRun{status: enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, endsAtOnce: true, events: endOf(t, contract.SignalRetry, contract.WriteOK)}
	h, err := o.writes().Start(t.Context(), WriteRequest{Integration: "ops", Operator: contract.WriteDeleteComment, TicketID: "1", PartID: "2"})
	require.NoError(t, err)
	assert.Equal(t, "old", h.run)
}

// What a patch is made of may have been changed by the equal one that was in its way.
func TestAPatchIsMadeAnewWhereAnotherWasStarted(t *testing.T) {
	o := &oneRun{made: true, ends: true, events: endOf(t, contract.SignalAnswered, contract.WriteOK)}
	tags := [][]string{{"b", "c"}, {"c"}}
	h, err := o.writes().Start(t.Context(), patchOf(func() []string {
		if len(o.inputs) == 0 { // another is started between the look and the start
			o.status = enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
		}
		return tags[len(o.inputs)]
	}))
	require.NoError(t, err)
	assert.Equal(t, "new", h.run)
	require.Len(t, o.inputs, 2)
	assert.JSONEq(t, `{"tags":["c"]}`, string(o.inputs[1].Body))
}

// A run that is over cannot note that somebody got its 2xx; this process does.
func TestARunThatWasOverWhenItWasAnsweredIsNotJoinedAgain(t *testing.T) {
	came := time.Now()
	o := &oneRun{status: enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED, closed: came.Add(time.Minute), events: endOf(t, contract.SignalHeld, contract.WriteOK)}
	w := o.writes()
	first, err := w.Start(t.Context(), largeFile(came))
	require.NoError(t, err)
	require.Equal(t, "old", first.run)
	require.NoError(t, first.Answered(t.Context()))
	next, err := w.Start(t.Context(), largeFile(came))
	require.NoError(t, err)
	assert.Equal(t, "new", next.run)
}

// Who waits at a gate may find that the two minutes have ended meanwhile.
func TestARunThatEndsWhileAnEqualWriteWaitsAtTheGateIsJoined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &oneRun{status: enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED, closed: time.Now().Add(time.Second), events: endOf(t, contract.SignalHeld, contract.WriteOK)}
		w, request := o.writes(), WriteRequest{Integration: "ops", Operator: contract.WriteDeleteComment, TicketID: "1", PartID: "2"}
		id, err := w.ID(t.Context(), request)
		require.NoError(t, err)
		time.AfterFunc(2*time.Second, w.gates.close(id))
		h, err := w.Start(t.Context(), request)
		require.NoError(t, err)
		assert.Equal(t, "old", h.run)
	})
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
		{"it runs", came, "", enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, 0, contract.SignalHeld, contract.WriteOK, "old"},
		{"a person ended it", came, "", enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED, time.Minute, contract.SignalHeld, "", "new"},
		{"the first", came, "", enumspb.WORKFLOW_EXECUTION_STATUS_UNSPECIFIED, 0, contract.SignalHeld, contract.WriteOK, "new"},
		{"a small one", time.Time{}, "", over, time.Minute, contract.SignalHeld, contract.WriteOK, "new"},
		{"with a key", came, "k", over, time.Minute, contract.SignalHeld, contract.WriteOK, "new"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := &oneRun{status: c.status, closed: came.Add(c.closed), events: endOf(t, c.signal, c.result)}
			file := largeFile(c.came)
			file.IdempotencyKey = c.key
			h, err := o.writes().Start(t.Context(), file)
			require.NoError(t, err)
			assert.Equal(t, c.want, h.run)
		})
	}
}

func TestWhatSomebodyWasToldIsNotKeptForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told told
		told.add("a")
		<-time.After(toldFor + time.Second)
		told.add("b")
		assert.False(t, told.has("a"))
		assert.True(t, told.has("b"))
	})
}
