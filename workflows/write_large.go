package workflows

import (
	"maps"

	"go.temporal.io/sdk/workflow"
)

// A large body stands in the history of a run once, in its first event. The calls
// that need it read it from there.

// largestInCalls is the largest body, in bytes, that stands in the input of each
// call as well, which spares the call a request to the server.
const largestInCalls = 16 << 10

// isLarge: the calls read the body from where it stands already.
func (w *write) isLarge(ctx workflow.Context) bool {
	return len(w.input.Body) > largestInCalls &&
		workflow.GetVersion(ctx, "large-body-stands-once", workflow.DefaultVersion, 1) == 1
}

// writeCalls are the activities that make a write.
type writeCalls struct{ create, recover, apply any }

func (w *write) calls(ctx workflow.Context) writeCalls {
	if w.isLarge(ctx) {
		return writeCalls{writeActivities.WriteCreateAsStarted, writeActivities.WriteRecoverAsStarted, writeActivities.WriteApplyAsStarted}
	}
	return writeCalls{writeActivities.WriteCreate, writeActivities.WriteRecover, writeActivities.WriteApply}
}

// isOutgrown: what a person set is too long to stand in each call. The next run's first
// event has it in the body.
func (w *write) isOutgrown(ctx workflow.Context) bool {
	set := 0
	for _, name := range workflow.DeterministicKeys(w.amended) {
		set += len(w.amended[name])
	}
	return set > largestInCalls && w.isLarge(ctx)
}

// remember keeps what a person set: the run's first event does not know it.
func (w *write) remember(set map[string]string) {
	amended := maps.Clone(w.amended) // an input of a call may hold the map
	if amended == nil {
		amended = map[string]string{}
	}
	maps.Copy(amended, set)
	w.amended = amended
}
