package workflows

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"github.com/ticketbridge/ticketbridge/activities"
	"github.com/ticketbridge/ticketbridge/internal/contract"
)

// held is what processes hold: files by workflow and SHA-256.
type held struct {
	mu    sync.Mutex
	files map[string]string
}

func (h *held) put(workflowID, text string) (sum string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.files == nil {
		h.files = map[string]string{}
	}
	sum = sumOf(text)
	h.files[workflowID+sum] = text
	return sum
}

func (h *held) Open(workflowID, sha256 string) (io.ReadCloser, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	text, ok := h.files[workflowID+sha256]
	if !ok {
		return nil, errors.New("gone")
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

func sumOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func heldFile(text string) contract.NewAttachment {
	return contract.NewAttachment{FileName: "a.log", Size: int64(len(text)), SHA256: sumOf(text)}
}

const first, second = "ticketbridge-uploads-one", "ticketbridge-uploads-two"

// attach is a write of a file that first holds.
func (s *writeSuite) attach() {
	s.desk.add("other", time.Time{})
	s.write(contract.WriteCreateAttachment, "T1", "", heldFile("line"))
	s.input.HeldBy = first
	s.held.put(s.id(), "line")
}

func (s *writeSuite) holds(after time.Duration, by, sum string) {
	s.signal(after, contract.SignalHeld, contract.HeldSignal{By: by, SHA256: sum})
}

// queues are those that the calls go to.
func (s *writeSuite) queues() *[]string {
	var names []string
	s.env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
		names = append(names, info.TaskQueue)
	})
	return &names
}

// nobodyTakes makes calls wait in vain until, and by the tasks of other queues
// than only, as often as they come.
func (s *writeSuite) nobodyTakes(name string, only string) {
	gone := func(ctx context.Context) error {
		if only != "" && activity.GetInfo(ctx).TaskQueue != only {
			return nil
		}
		return temporal.NewTimeoutError(enums.TIMEOUT_TYPE_SCHEDULE_TO_START, nil)
	}
	real := &activities.Writes{Integrations: s.desk, Recorder: silent{}, Files: &s.held, StillWanted: heard}
	switch name {
	case "WriteCreate":
		s.env.OnActivity(name, mock.Anything, mock.Anything).Return(func(ctx context.Context, in activities.WriteInput) (activities.WriteResult, error) {
			if err := gone(ctx); err != nil {
				return activities.WriteResult{}, err
			}
			return real.WriteCreate(ctx, in)
		}).After(takenWithin)
	case "WriteRecover":
		s.env.OnActivity(name, mock.Anything, mock.Anything).Return(func(ctx context.Context, in activities.WriteRecoverInput) (activities.WriteResult, error) {
			if err := gone(ctx); err != nil {
				return activities.WriteResult{}, err
			}
			return real.WriteRecover(ctx, in)
		}).After(takenWithin)
	}
}

func heard(context.Context, []byte) error { return nil }

func (s *writeSuite) TestAHeldFileIsAskedOfWhoHoldsIt() {
	s.attach()
	s.desk.on["file"] = upTo(1, true, unanswered())
	queues := s.queues()
	outcome := s.run()
	s.Equal(contract.WriteOK, outcome.Status)
	s.Equal([]string{"file T1: a.log, line"}, s.desk.written())
	s.Equal([]string{first, first}, *queues, "the call, and the search for what it did")
}

func (s *writeSuite) TestALargeFileMayTakeLonger() {
	w := write{input: contract.WriteTicketInput{Operator: contract.WriteCreateAttachment, HeldBy: first, Body: []byte(`{"file_name":"a","size":268435456,"sha256":"x"}`)}}
	options := w.upload(once("desk", callTimeout, "x"))
	s.Equal(callTimeout+2048*time.Second, options.StartToCloseTimeout)
	s.Equal(contract.UploadHeartbeat, options.HeartbeatTimeout)
	s.Contains(options.RetryPolicy.NonRetryableErrorTypes, "TemporalTimeout:Heartbeat", "it may have been sent")
	s.Equal(first, options.TaskQueue)
	look := w.onHolder(search("desk", "x"))
	s.Equal(searchTimeout+2048*time.Second, look.StartToCloseTimeout, "it reads the file at the provider")
	s.Equal(search("desk", "x").HeartbeatTimeout, look.HeartbeatTimeout)
	w.input.HeldBy = ""
	s.Equal(search("desk", "x"), w.onHolder(search("desk", "x")))
	s.Equal(once("desk", callTimeout, "x"), w.upload(once("desk", callTimeout, "x")), "a small one goes as before")
}

// Whoever got no 2xx sends the file again, and another process takes it in.
func (s *writeSuite) TestAnotherWhoHoldsTheFileTakesOver() {
	for _, unknown := range []bool{false, true} {
		s.SetupTest()
		s.attach()
		queues := s.queues()
		call := "WriteCreate"
		if unknown {
			s.desk.on["file"] = upTo(1, true, unanswered())
			call = "WriteRecover"
		}
		s.nobodyTakes(call, first)
		s.look(2*takenWithin+time.Second, func(v contract.WriteView) { s.Contains(v.Waiting, "does not answer") })
		s.holds(3*takenWithin+time.Second, second, sumOf("line"))
		s.Equal(contract.WriteOK, s.run().Status)
		s.Equal([]string{"file T1: a.log, line"}, s.desk.written(), "once")
		s.Equal(second, (*queues)[len(*queues)-1])
		s.Equal(first, (*queues)[len(*queues)-2])
	}
}

// Where nobody comes, a person sees it, and the file sent again lets it go on.
func (s *writeSuite) TestAFileThatIsGoneIsAskedForAgain() {
	s.attach()
	s.nobodyTakes("WriteCreate", first)
	s.look(missedFor-time.Minute, func(v contract.WriteView) { s.Empty(v.Parked) })
	s.look(missedFor+time.Minute, func(v contract.WriteView) {
		s.Require().Len(v.Parked, 1)
		s.Contains(v.Parked[0].Parked, "send it again")
		s.Equal(contract.KindFileMissing, v.Outcome.Error.Kind)
	})
	told := s.ask(missedFor+time.Minute, "1s")
	s.holds(time.Hour, second, sumOf("other"))
	s.look(time.Hour+time.Second, func(v contract.WriteView) {
		s.Len(v.Parked, 1)
		s.Contains(v.LastRejection, "not the file of this write")
	})
	s.holds(2*time.Hour, second, sumOf("line"))
	late := s.ask(2*time.Hour, "")
	outcome := s.run()
	s.Equal(contract.WriteParked, told.answer.Outcome.Status)
	s.Equal(contract.WriteOK, outcome.Status)
	s.Equal(contract.WritePending, late.answer.Outcome.Status, "who brings the file is not told that it is missing")
	s.Equal([]string{"file T1: a.log, line"}, s.desk.written())
}

// A process that has the queue, but not the file: nothing is gained by waiting.
func (s *writeSuite) TestAFileThatIsNotWhereItWasIsAskedForAtOnce() {
	s.attach()
	s.held.files = nil
	s.look(time.Minute, func(v contract.WriteView) {
		s.Require().Len(v.Parked, 1)
		s.Equal(contract.KindFileMissing, v.Outcome.Error.Kind)
	})
	s.at(2*time.Minute, func() { s.held.put(s.id(), "line") })
	s.holds(2*time.Minute+time.Second, first, sumOf("line"))
	s.Equal(contract.WriteOK, s.run().Status)
	s.Equal([]string{"file T1: a.log, line"}, s.desk.written())
}

// What is refused for another reason is none of this.
func (s *writeSuite) TestAFileThatComesAgainFreesNothingElse() {
	s.attach()
	s.desk.on["file"] = always(false, refused("too large"))
	s.signal(0, contract.SignalAsync, nil)
	s.holds(time.Minute, second, sumOf("line"))
	s.look(2*time.Minute, func(v contract.WriteView) { s.Len(v.Parked, 1) })
	s.signal(3*time.Minute, contract.SignalDiscard, nil)
	s.Equal(contract.WriteDiscarded, s.run().Status)
	s.Equal(1, s.desk.count("file"))
}

func (s *writeSuite) TestARunThatContinuesKnowsWhoHoldsTheFile() {
	s.attach()
	id := s.id()
	s.desk.on["file"] = upTo(1, false, down(time.Hour))
	s.holds(time.Second, second, sumOf("line"))
	s.at(time.Minute, func() { s.env.SetContinueAsNewSuggested(true) })
	s.holds(time.Minute+time.Second, second, sumOf("line")) // wakes the run
	s.runToNext()
	s.Equal(second, s.input.HeldBy)
	queues := s.queues()
	s.Equal(id, contract.WriteID(integrationName, s.input.BodyHash))
	s.Equal(contract.WriteOK, s.run().Status)
	s.Equal([]string{second}, *queues)
}

// Who brings the file again is never told that it is missing, also where that and
// the question arrive together.
func TestWhoBringsTheFileIsNotToldThatItIsMissing(t *testing.T) {
	r := newRecorder(t)
	files := &held{}
	r.startHolder(second, files)
	w := r.start(newUpload("line", second))
	r.wait(w, contract.WriteParked)
	r.workers[0].Stop()
	files.put(w.WorkflowID(), "line")
	again := r.start(newUpload("line", second)) // signals
	asked := make(chan contract.WriteOutcome, 1)
	go func() {
		outcome, _, err := again.Wait(t.Context(), 20*time.Second)
		assert.NoError(t, err)
		asked <- outcome
	}()
	select {
	case <-asked:
		require.Fail(t, "nobody could answer")
	case <-time.After(time.Second): // the question is there by now
	}
	r.startWorkers()
	assert.Equal(t, contract.WriteOK, (<-asked).Status)
}
