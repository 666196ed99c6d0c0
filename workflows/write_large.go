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

// remember keeps what a person set: the run's first event does not know it.
func (w *write) remember(set map[string]string) {
	amended := maps.Clone(w.amended) // an input of a call may hold the map
	if amended == nil {
		amended = map[string]string{}
	}
	maps.Copy(amended, set)
	w.amended = amended
}
