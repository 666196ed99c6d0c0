package ticket

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Kind classifies how a provider call failed, by what may be done next.
type Kind string

const (
	// Retry: nothing was changed; the same call may be made again.
	Retry Kind = "retry"
	// OutcomeUnknown: the provider may or may not have done it.
	OutcomeUnknown Kind = "outcome_unknown"
	// Permanent: the provider refused the call as it is; a person has to mend it.
	Permanent Kind = "permanent"
	// Credentials: refused for who we are (401, 403); heals when a person
	// renews a token or a permission.
	Credentials Kind = "credentials"
	// NotFound: the ticket (or project) is absent or not visible to us.
	NotFound Kind = "not_found"
	// RateLimited: nothing was changed; call again after RetryAfter.
	RateLimited Kind = "rate_limited"
	// NotSupported: the provider has no such operation.
	NotSupported Kind = "not_supported"
	// Closed: nothing was changed, because the ticket was closed before the time
	// that the call named; ClosedAt says when.
	Closed Kind = "closed"
)

// Error is how every provider package reports a failed call.
type Error struct {
	Kind Kind
	// Op is what was tried, with its object: "create issue in OPS".
	Op string
	// Status is the HTTP status, 0 where there was no answer.
	Status int
	// Message is for a person: what the provider said, redacted, at most 500
	// characters, and what to do where that is known.
	Message string
	// RetryAfter is the least wait; 0 where the provider named none.
	RetryAfter time.Duration
	// ClosedAt is when the ticket was closed, of kind Closed.
	ClosedAt time.Time
	// Parameter is the part of a Query that was refused (filter, order or cursor),
	// and Value what it says; empty where it was none.
	Parameter, Value string
	Err              error
}

func (e *Error) Error() string {
	text := e.Op + ": " + e.Message
	if e.Status != 0 {
		text = fmt.Sprintf("%s: %d: %s", e.Op, e.Status, e.Message)
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// RefusedFor notes on an error which part of a Query it is about, where a part can
// be: one of kind Permanent that is not the provider's answer to something else.
func RefusedFor(parameter, value string, err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Kind != Permanent || e.Status != 0 {
		return err
	}
	noted := *e
	noted.Parameter, noted.Value = parameter, value
	return &noted
}

// Unanswered is how a read fails that got no whole answer: it may be made again.
// The caller's own cancellation stays what it is.
func Unanswered(ctx context.Context, op string, err error) error {
	if cause := ctx.Err(); cause != nil {
		return fmt.Errorf("%s: %w", op, cause)
	}
	return &Error{Kind: Retry, Op: op, Message: err.Error(), Err: err}
}

// KindOf is the kind of err; an error that no provider classified may have
// happened anywhere, so its outcome is unknown.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return OutcomeUnknown
}
