// Package matching decides which request an event belongs to and what it
// changes there. It follows the rules of the R-Service Events API ("Submit
// Event", "Event matching") and, for feeds whose events belong to a ticket
// elsewhere, the ticket policy.
//
// It runs inside workflow code: it reads no clock, does no I/O and gives the
// same answer for the same arguments.
//
// An event goes through two steps. Resolve applies the catalog and the
// defaults; its result needs no catalog any more. Decide compares the result
// with the requests of its match key, and Apply carries the decision out.
package matching

import (
	"fmt"
	"strings"

	"github.com/ticketbridge/ticketbridge/internal/catalog"
	"github.com/ticketbridge/ticketbridge/internal/event"
)

// Options change where the rules leave a choice. The zero value is the
// documented behaviour of the Events API.
type Options struct {
	// ApplyOnRepeat applies an event's status, team and the like even when its
	// note is absent or repeats a previous one.
	ApplyOnRepeat bool `json:"apply_on_repeat,omitempty"`
	// StrictCI refuses an event whose configuration item is not in the catalog,
	// instead of going on without one.
	StrictCI bool `json:"strict_ci,omitempty"`
	// IgnoreOrphanRecovery lets an event with status completed that matches no
	// request change nothing, instead of creating a completed request.
	IgnoreOrphanRecovery bool `json:"ignore_orphan_recovery,omitempty"`
}

// Caller is who sent an event.
type Caller struct {
	// Account is the catalog account of the call; empty means the catalog's own.
	Account string
	// Person is the e-mail address of the rules' "current user"; empty means
	// the catalog's own.
	Person string
	// CurrentUser, where set, is the current user, whatever Person says.
	CurrentUser *catalog.Person
}

// Invalid says what is wrong with an event's parameters.
type Invalid struct {
	// Errors are pairs of parameter and text.
	Errors [][2]string
}

func (e *Invalid) Error() string {
	texts := make([]string, len(e.Errors))
	for i, pair := range e.Errors {
		texts[i] = fmt.Sprintf("%s %s", pair[0], pair[1])
	}
	return "invalid event: " + strings.Join(texts, "; ")
}

// Resolve applies the catalog and the defaults to an event's parameters, with
// the documented behaviour. The error is always an *Invalid.
func Resolve(ix *catalog.Index, as Caller, p event.Params) (event.Resolved, error) {
	return Options{}.Resolve(ix, as, p)
}
