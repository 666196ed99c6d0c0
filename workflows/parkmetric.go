package workflows

import "go.temporal.io/sdk/workflow"

// countParked counts what begins or ends to wait for a person. It is counted
// here, not in activities, because only the workflow knows; the SDK leaves the
// counters alone in a replay.
func countParked(ctx workflow.Context, counter, kind string) {
	workflow.GetMetricsHandler(ctx).WithTags(map[string]string{"kind": kind}).Counter(counter).Inc(1)
}
