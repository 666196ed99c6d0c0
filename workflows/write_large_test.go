package workflows

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/worker"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/operate"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// startedWith is the body that a run was started with, without a server.
type startedWith struct{ input *contract.WriteTicketInput }

func (s startedWith) StartedWith(context.Context, string, string, string) (json.RawMessage, error) {
	return s.input.Body, nil
}

// inputs are those of calls that create.
func (s *writeSuite) inputs() *[]activities.WriteInput {
	var all []activities.WriteInput
	s.env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, args converter.EncodedValues) {
		if strings.HasPrefix(info.ActivityType.Name, "WriteCreate") {
			var in activities.WriteInput
			s.Require().NoError(args.Get(&in))
			all = append(all, in)
		}
	})
	return &all
}

func (s *writeSuite) TestOnlyALargeBodyIsLeftOutOfCalls() {
	for size, large := range map[int]bool{100: false, largestInCalls: true} {
		s.SetupTest()
		text := strings.Repeat("x", size)
		s.write(contract.WriteCreateTicket, "", "", ticket.New{Name: "Disk full", Description: text})
		inputs := s.inputs()
		s.Equal(contract.WriteOK, s.run().Status)
		s.Equal([]string{"create T1 Disk full: " + text}, s.desk.written())
		s.Require().Len(*inputs, 1)
		s.Equal(large, len((*inputs)[0].Body) == 0)
	}
}

// The run's first event has the body as it was before a person amended it; that of
// the next run has it as it is.
func (s *writeSuite) TestALargeBodyIsMadeAsItWasAmended() {
	text := strings.Repeat("x", largestInCalls)
	s.write(contract.WriteCreateTicket, "", "", ticket.New{Name: "Disk full", Description: text})
	s.desk.on["create"] = func(n int) (bool, error) {
		switch n {
		case 1:
			return false, refused("name is too long")
		case 2:
			return false, refused("no such issue type")
		case 3:
			return false, down(time.Hour)
		}
		return true, nil
	}
	s.signal(0, contract.SignalAsync, nil)
	s.signal(time.Minute, contract.SignalAmend, contract.AmendSignal{Item: "1", Set: map[string]string{"name": "Short"}})
	s.signal(2*time.Minute, contract.SignalAmend, contract.AmendSignal{Item: "1", Set: map[string]string{"issue_type": "Task"}})
	s.at(3*time.Minute, func() { s.env.SetContinueAsNewSuggested(true); s.env.SignalWorkflow(contract.SignalRetry, nil) })
	inputs := s.inputs()
	s.runToNext()
	s.Require().Len(*inputs, 3)
	s.Equal([]map[string]string{nil, {"name": "Short"}, {"name": "Short", "issue_type": "Task"}},
		[]map[string]string{(*inputs)[0].Set, (*inputs)[1].Set, (*inputs)[2].Set})
	inputs = s.inputs()
	s.Equal(contract.WriteOK, s.run().Status)
	s.Equal([]string{"create T1 Short: " + text}, s.desk.written())
	s.Empty((*inputs)[0].Set)
	s.Empty((*inputs)[0].Body)
}

// What a person set is in the body of the next run, not in each call of this one.
func (s *writeSuite) TestALargeAmendmentGoesOnInAnotherRun() {
	text := strings.Repeat("x", largestInCalls)
	s.desk.on["create"] = upTo(1, false, refused("description is missing"))
	s.signal(0, contract.SignalAsync, nil)
	s.signal(time.Minute, contract.SignalAmend, contract.AmendSignal{Item: "1", Set: map[string]string{"description": text + text}})
	inputs := s.inputs()
	s.runToNext()
	s.Len(*inputs, 1, "nothing is called with it")
	inputs = s.inputs()
	s.Equal(contract.WriteOK, s.run().Status)
	s.Equal([]string{"create T1 Disk full: " + text + text}, s.desk.written())
	s.Empty((*inputs)[0].Body)
	s.Empty((*inputs)[0].Set)
}

// A run that may end when it is to go on in another has nothing to go on with.
func (s *writeSuite) TestAWriteThatIsOverEndsRatherThanContinues() {
	s.desk.on["create"] = func(int) (bool, error) {
		s.env.SetContinueAsNewSuggested(true)
		return false, refused("name is too long")
	}
	s.Equal(contract.WriteRefused, s.run().Status)
}

// largeFile is the largest that Temporal carries.
func largeFile() operate.WriteRequest {
	return operate.WriteRequest{
		Integration: integrationName, Operator: contract.WriteCreateAttachment, TicketID: "T1",
		Body: contract.NewAttachment{FileName: "a.log", Content: bytes.Repeat([]byte("l"), contract.MaxAttachment)},
	}
}

// sizes are those of the histories of a workflow's runs, in bytes, the last one
// first.
func (r *recorder) sizes(id string) (all []int64) {
	r.t.Helper()
	for run := ""; ; {
		described, err := r.client.DescribeWorkflowExecution(r.t.Context(), id, run)
		require.NoError(r.t, err)
		all = append(all, described.GetWorkflowExecutionInfo().GetHistorySizeBytes())
		run = r.history(id, run).Events[0].GetWorkflowExecutionStartedEventAttributes().GetContinuedExecutionRunId()
		if run == "" {
			return all
		}
	}
}

// However often a large file is sent, and looked for, it stands in a history only
// where a run begins, and where it hands on to the next. The server here lets it do
// so after every second round.
func TestALargeFileStandsOnceInARun(t *testing.T) {
	r := newRecorder(t)
	const rounds = 4
	r.desk.on["file"] = upTo(rounds, false, unanswered())
	w := r.start(largeFile())
	require.Eventually(t, func() bool {
		outcome, known, err := w.Wait(t.Context(), time.Second)
		return err == nil && known && outcome.Status == contract.WriteOK
	}, 2*time.Minute, time.Millisecond)
	require.NoError(t, w.Answered(t.Context()))
	assert.Equal(t, rounds+1, r.desk.count("file"))
	require.Len(t, r.desk.written(), 1)
	assert.Equal(t, "file T1: a.log, "+strings.Repeat("l", contract.MaxAttachment), r.desk.written()[0])

	const input = contract.MaxAttachment / 3 * 4 // in base64
	sizes := r.sizes(w.WorkflowID())
	require.Greater(t, len(sizes), 1, "it has continued as new")
	beside := int64(input) // a last run hands nothing on
	for _, size := range sizes {
		beside += size - 2*input
	}
	t.Logf("%d rounds, %d runs: %d bytes beside the file", rounds, len(sizes), beside)
	assert.Less(t, beside, int64(rounds*16<<10))
}

func TestALargeBodyIsReadFromWhereItStands(t *testing.T) {
	r := idleRecorder(t)
	request := largeFile()
	w := r.start(request)
	want, err := json.Marshal(request.Body)
	require.NoError(t, err)
	body, err := r.bodies().StartedWith(t.Context(), client.DefaultNamespace, w.WorkflowID(), r.firstRun(w.WorkflowID()))
	require.NoError(t, err)
	assert.True(t, bytes.Equal(want, body))
	_, err = r.bodies().StartedWith(t.Context(), client.DefaultNamespace, "write:none", "")
	require.ErrorIs(t, err, operate.ErrNotFound)
}

// A worker of an older version does not know the calls without a body. Nobody is told
// that the write is refused, and nothing is searched for: it waits for a newer one.
func TestALargeBodyWaitsForAWorkerThatKnowsItsCalls(t *testing.T) {
	r := newRecorder(t)
	r.workers[1].Stop()
	tickets := &activities.Writes{Integrations: fullDeskOf(r.desk), Recorder: silent{}, Bodies: r.bodies()}
	older := worker.New(r.client, contract.ProviderQueue("desk"), worker.Options{DisableWorkflowWorker: true})
	older.RegisterActivity(tickets.WriteCreate)
	older.RegisterActivity(tickets.WriteRecover)
	require.NoError(t, older.Start())
	w := r.start(largeFile())
	require.Eventually(t, func() bool {
		return strings.Contains(w.Trouble(t.Context()), "unable to find activityType=WriteCreateAsStarted")
	}, 20*time.Second, 50*time.Millisecond)
	older.Stop()
	newer := worker.New(r.client, contract.ProviderQueue("desk"), worker.Options{DisableWorkflowWorker: true})
	newer.RegisterActivity(tickets)
	require.NoError(t, newer.Start())
	defer newer.Stop()
	r.wait(w, contract.WriteOK)
	assert.Equal(t, 1, r.desk.count("file"))
	assert.Zero(t, r.desk.count("recover file"))
}
