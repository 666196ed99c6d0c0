package workflows

import "go.temporal.io/sdk/workflow"

// Counters of what waits for a person, by kind; exported with the suffix _total.
// They are counted here, not in activities, because only the workflow knows
// when something begins and ends to wait; the SDK leaves them alone in a replay.
const (
	parkedCounter   = "ticketbridge_parked"
	unparkedCounter = "ticketbridge_unparked"
)

func countParked(ctx workflow.Context, counter, kind string) {
	workflow.GetMetricsHandler(ctx).WithTags(map[string]string{"kind": kind}).Counter(counter).Inc(1)
}
