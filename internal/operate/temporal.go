// Package operate does what people and the HTTP interfaces ask for, through the
// Temporal client: take in events, find requests, steer feeds, settle what is
// parked.
package operate

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/ticketbridge/ticketbridge/internal/contract"
)

// What operations fail with. The text around them is for the user.
var (
	// ErrNotFound: there is no such workflow, request or item.
	ErrNotFound = errors.New("not found")
	// ErrNotRunning: it exists but does not run.
	ErrNotRunning = errors.New("not running")
	// ErrUnavailable: Temporal, or a worker, cannot be reached.
	ErrUnavailable = errors.New("Temporal cannot be reached")
)

// noAnswer is ErrUnavailable of a question that only a worker can answer.
type noAnswer struct{ cause error }

func (e *noAnswer) Error() string {
	return "no worker answered in time: does one run, and is it very busy? (" + e.cause.Error() + ")"
}
func (e *noAnswer) Is(target error) bool { return target == ErrUnavailable }
func (e *noAnswer) Unwrap() error        { return e.cause }

// classifyQuery turns an error of a query into one of ours. A server that has not
// seen a worker for a while says so at once.
func classifyQuery(err error) error {
	if timedOut(err) || errors.As(err, new(*serviceerror.FailedPrecondition)) {
		return &noAnswer{err}
	}
	return classify(err)
}

func timedOut(err error) bool {
	return errors.As(err, new(*serviceerror.DeadlineExceeded)) || errors.Is(err, context.DeadlineExceeded)
}

// classify turns an error of the Temporal client into one of ours.
func classify(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.As(err, new(*serviceerror.NotFound)), errors.As(err, new(*serviceerror.WorkflowNotReady)):
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	case errors.As(err, new(*serviceerror.Unavailable)), errors.As(err, new(*serviceerror.ResourceExhausted)),
		errors.As(err, new(*serviceerror.FailedPrecondition)), timedOut(err):
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	case unknownAttribute(err):
		return attributesByHand("this Temporal namespace does not have the search attributes", err)
	default:
		return err
	}
}

// unknownAttribute: the server has a kind of error for it, but no details in it.
func unknownAttribute(err error) bool {
	var invalid *serviceerror.InvalidArgument
	return errors.As(err, &invalid) && strings.Contains(invalid.Message, "search attribute") &&
		(strings.Contains(invalid.Message, "no mapping defined") || strings.Contains(invalid.Message, "is not defined"))
}

// SearchAttributes are the custom attributes of the program, by name.
func SearchAttributes() map[string]enums.IndexedValueType {
	const keyword = enums.INDEXED_VALUE_TYPE_KEYWORD
	return map[string]enums.IndexedValueType{
		contract.AttributeState:       keyword,
		contract.AttributeFeed:        keyword,
		contract.AttributeIntegration: keyword,
		contract.AttributeSource:      keyword,
		contract.AttributeCI:          keyword,
		contract.AttributeTicket:      keyword,
		contract.AttributeRequest:     enums.INDEXED_VALUE_TYPE_INT,
	}
}

// Register makes sure that the namespace exists and has our search attributes.
func Register(ctx context.Context, c client.Client, namespace string) error {
	_, err := c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: namespace})
	if errors.As(err, new(*serviceerror.NamespaceNotFound)) || errors.As(err, new(*serviceerror.NotFound)) {
		return fmt.Errorf("namespace %q does not exist on this Temporal server; create it with `temporal operator namespace create %s`, or set TEMPORAL_NAMESPACE", namespace, namespace)
	}
	if err != nil {
		return fmt.Errorf("look at namespace %q: %w", namespace, classify(err))
	}
	listed, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if errors.As(err, new(*serviceerror.PermissionDenied)) || errors.As(err, new(*serviceerror.Unimplemented)) {
		return nil // a managed server: its owner registers them, and starting workflows tells if not
	}
	if err != nil {
		return attributesByHand(notRegistered, err)
	}
	missing := map[string]enums.IndexedValueType{}
	for name, kind := range SearchAttributes() {
		switch have, ok := listed.GetCustomAttributes()[name]; {
		case !ok:
			missing[name] = kind
		case have != kind:
			return fmt.Errorf("search attribute %s is %s on this server; ticketbridge needs %s. Remove it with `temporal operator search-attribute remove --name %s` and start again", name, have, kind, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	_, err = c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{Namespace: namespace, SearchAttributes: missing})
	if err != nil && !errors.As(err, new(*serviceerror.AlreadyExists)) {
		return attributesByHand(notRegistered, err)
	}
	return nil
}

const notRegistered = "the search attributes could not be registered"

// attributesByHand tells the person what the program was not allowed to do.
func attributesByHand(what string, err error) error {
	var b strings.Builder
	for _, name := range attributeNames() {
		kind := "Keyword"
		if SearchAttributes()[name] == enums.INDEXED_VALUE_TYPE_INT {
			kind = "Int"
		}
		fmt.Fprintf(&b, " --name %s --type %s", name, kind)
	}
	return fmt.Errorf("%s (%w); register them once with `temporal operator search-attribute create%s`", what, err, b.String())
}

func attributeNames() []string {
	return []string{
		contract.AttributeState, contract.AttributeFeed, contract.AttributeIntegration, contract.AttributeSource,
		contract.AttributeCI, contract.AttributeRequest, contract.AttributeTicket,
	}
}
