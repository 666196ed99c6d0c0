package workflows

import (
	"errors"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/ticketbridge/ticketbridge/internal/contract"
)

// A file that is too large for Temporal is on the disk of the process that took
// it in. The calls that need it go to that process's own task queue.

const (
	// takenWithin is how long a call waits for the process that holds its file.
	// Who holds it may have changed then.
	takenWithin = 20 * time.Second
	// missedFor is how long nobody may be found who holds the file, before
	// somebody has to send it again.
	missedFor = 15 * time.Minute
	// slowestUpload is what a provider's line bears at least, in bytes a second.
	slowestUpload = 128 << 10
)

// onHolder directs a call to who holds the file, where the write has one. Such a
// call may take as long as the file: one sends it, the other reads what the provider
// has, to tell whether it is that.
func (w *write) onHolder(options workflow.ActivityOptions) workflow.ActivityOptions {
	if w.input.HeldBy == "" {
		return options
	}
	w.asked = w.input.HeldBy
	options.StartToCloseTimeout += time.Duration(w.input.File().Size/slowestUpload) * time.Second
	options.TaskQueue = w.asked
	options.ScheduleToStartTimeout = takenWithin
	return options
}

// upload are the options of the call that sends the file. Its heartbeat may end
// the attempt early: whoever makes it stops sending before that.
func (w *write) upload(options workflow.ActivityOptions) workflow.ActivityOptions {
	if w.input.HeldBy == "" {
		return options
	}
	options.HeartbeatTimeout = contract.UploadHeartbeat
	return w.onHolder(options)
}

// unheld: the call was not begun, because nobody took it, or because who took it
// does not have the file.
func unheld(err error) bool {
	timeout, ok := errors.AsType[*temporal.TimeoutError](err)
	return ok && timeout.TimeoutType() == enums.TIMEOUT_TYPE_SCHEDULE_TO_START || isType(err, contract.ErrorNotHeld)
}

// missed decides what becomes of a write whose file was not found where it was
// said to be: it goes on with who holds it by now, or who may come back, or waits
// for somebody to send it again.
func (w *write) missed(ctx workflow.Context, err error) {
	now := workflow.Now(ctx)
	switch {
	case w.asked != w.input.HeldBy:
		w.state.Missed = time.Time{}
		return
	case w.state.Missed.IsZero():
		w.state.Missed = now.UTC()
	}
	if isType(err, contract.ErrorNotHeld) || now.Sub(w.state.Missed) >= missedFor {
		w.state.Missed = time.Time{}
		w.park(ctx, contract.WriteError{
			Kind: contract.KindFileMissing, Message: "the file is no longer there: send it again, and the write goes on; or discard it",
		})
	}
}

// isHeld: a process says that it holds the file. A write that was parked for want
// of it goes on.
func (w *write) isHeld(ctx workflow.Context, s contract.HeldSignal) {
	if w.input.HeldBy == "" || s.SHA256 != w.input.File().SHA256 {
		w.reject(contract.SignalHeld)(errors.New("sha256: it is not the file of this write"))
		return
	}
	w.input.HeldBy, w.state.Missed = s.By, time.Time{}
	if w.state.Parked != nil && w.state.Parked.Kind == contract.KindFileMissing {
		w.free(ctx, contract.SignalHeld, "", nil)
	}
}
