package workflows

import (
	"cmp"
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/rest"
)

// verdict is what an activity's final error means for the act it was to do.
type verdict struct {
	// stop leaves the act to the next run: it was cancelled.
	stop error
	// unknown: the attempt may have had its effect, which must be looked for
	// before it is made again.
	unknown bool
	// person: nothing helps but a person.
	person bool
}

// judge reads an activity's error; once says that the act must not be done twice.
func judge(ctx workflow.Context, err error, once bool) verdict {
	if temporal.IsCanceledError(err) {
		return verdict{stop: err}
	}
	panicked := isPanic(err)
	v := verdict{unknown: once && (panicked || unknownOutcome(err))}
	switch {
	case v.unknown && !panicked:
	case ctx.Err() != nil && !isFinal(err):
		v.stop = ctx.Err() // cancelled between two attempts
	default:
		v.person = true
	}
	return v
}

// unknown is how far the search for a lost effect is.
type unknown struct {
	EndedAt time.Time `json:"ended_at"`
	Scans   int       `json:"scans,omitempty"`
}

// scans is how often a lost create is searched for before it is made again.
const scans = 2

// scanned notes that a search found nothing. After the last one nothing is
// unknown any more.
func (u *unknown) scanned(now time.Time) *unknown {
	if u.Scans+1 >= scans {
		return nil
	}
	return &unknown{EndedAt: now, Scans: u.Scans + 1}
}

func isType(err error, errorType string) bool {
	app, ok := errors.AsType[*temporal.ApplicationError](err)
	return ok && app.Type() == errorType
}

// unknownOutcome: the provider did not answer, or the worker died on the way.
func unknownOutcome(err error) bool {
	_, timeout := errors.AsType[*temporal.TimeoutError](err)
	return timeout || isType(err, contract.ErrorOutcomeUnknown)
}

// isPanic: the activity's code panicked; a person has to look, and what the
// call did before is unknown.
func isPanic(err error) bool {
	_, ok := errors.AsType[*temporal.PanicError](err)
	return ok
}

// isFinal: another attempt would end the same way.
func isFinal(err error) bool {
	app, ok := errors.AsType[*temporal.ApplicationError](err)
	return ok && app.NonRetryable() || isPanic(err)
}

// errorText is what an activity's error says, without Temporal's frame around it.
func errorText(err error) string {
	if app, ok := errors.AsType[*temporal.ApplicationError](err); ok {
		return app.Message()
	}
	return err.Error()
}

// parkedText is the reason that a person is shown.
func parkedText(err error) string {
	return cmp.Or(rest.Truncate(errorText(err), 4*keptText), "unknown error")
}
