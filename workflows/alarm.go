package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"
)

// alarm is one durable timer that is moved only when it must ring earlier:
// every new timer costs an action.
type alarm struct {
	timer  workflow.Future
	cancel func()
	at     time.Time
}

// longestTimer is less than what a Temporal server takes; the alarm rings early
// then, and is set again.
const longestTimer = 365 * 24 * time.Hour

// set makes the alarm ring at the latest at this time and what there is to spare
// after it; it may ring before. A zero time needs no alarm.
func (a *alarm) set(ctx workflow.Context, at time.Time, spare time.Duration) {
	if a.rang() {
		a.timer = nil
	}
	if at.IsZero() || a.timer != nil && !at.Add(spare).Before(a.at) {
		return
	}
	if a.cancel != nil {
		a.cancel()
	}
	timerCtx, cancel := workflow.WithCancel(ctx)
	wait := min(max(at.Sub(workflow.Now(ctx)), 0), longestTimer)
	a.cancel, a.at = cancel, at
	a.timer = workflow.NewTimerWithOptions(timerCtx, wait,
		workflow.TimerOptions{Summary: "look again at " + timeText(at)})
}

func (a *alarm) rang() bool { return a.timer != nil && a.timer.IsReady() }
