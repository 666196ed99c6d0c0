package operate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/ticketbridge/ticketbridge/internal/contract"
)

// ErrConflict: it is not, or no longer, as the caller thinks.
var ErrConflict = errors.New("conflict")

// Integrations are those made by the API: one KeepIntegration workflow each.
type Integrations struct {
	Temporal client.Client
	// Namespace is where Temporal works.
	Namespace string
}

// Create makes an integration; ErrConflict where there is one of that name.
func (i *Integrations) Create(ctx context.Context, in contract.KeepIntegrationInput) error {
	if err := in.Validate(contract.IntegrationID(in.Name)); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if in.At.IsZero() {
		in.At = time.Now().UTC()
	}
	_, err := i.Temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                                       contract.IntegrationID(in.Name),
		TaskQueue:                                contract.QueueWorkflows,
		WorkflowIDReusePolicy:                    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy:                 enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		Memo:                                     map[string]any{contract.MemoIntegration: first(in)},
		StaticSummary:                            "Integration " + in.Name,
		StaticDetails:                            fmt.Sprintf("Keeps integration **%s**, made by the API. Signal and update `change`; query `state`.", in.Name),
		TypedSearchAttributes: temporal.NewSearchAttributes(
			temporal.NewSearchAttributeKeyKeyword(contract.AttributeState).ValueSet(contract.StateActive),
			temporal.NewSearchAttributeKeyKeyword(contract.AttributeIntegration).ValueSet(in.Name),
		),
	}, contract.KeepIntegration, in)
	if errors.As(err, new(*serviceerror.WorkflowExecutionAlreadyStarted)) {
		return fmt.Errorf("there is an integration %q already; if its token is not known, make another one: %w", in.Name, ErrConflict)
	}
	if err != nil {
		return fmt.Errorf("create integration %s: %w", in.Name, classify(err))
	}
	return nil
}

// first is the view of an integration whose workflow has not begun.
func first(in contract.KeepIntegrationInput) contract.IntegrationView {
	view := contract.IntegrationView{
		Name: in.Name, Spec: in.Spec, Version: 1, CreatedAt: in.At, CreatedBy: in.By, UpdatedAt: in.At, UpdatedBy: in.By,
	}
	if in.Token != nil {
		view.Tokens = []contract.IntegrationToken{*in.Token}
	}
	return view.Brief()
}

// Get reads an integration; ErrNotFound where there is none, or it was deleted.
// While no worker runs it comes without its changes.
func (i *Integrations) Get(ctx context.Context, name string) (contract.IntegrationView, error) {
	var view contract.IntegrationView
	err := within(ctx, firstPatience, func(ctx context.Context) error {
		return queryRunning(ctx, i.Temporal, contract.IntegrationID(name), contract.QueryState, &view)
	})
	if errors.Is(err, ErrUnavailable) && ctx.Err() == nil {
		view, err = i.fromMemo(ctx, name)
	}
	if err == nil && view.Deleted {
		err = ErrNotFound
	}
	if err != nil {
		return view, fmt.Errorf("integration %s: %w", name, err)
	}
	return view, nil
}

// fromMemo reads what the server can tell without a worker.
func (i *Integrations) fromMemo(ctx context.Context, name string) (contract.IntegrationView, error) {
	var view contract.IntegrationView
	found, err := i.Temporal.DescribeWorkflowExecution(ctx, contract.IntegrationID(name), "")
	if err != nil {
		return view, classify(err)
	}
	info := found.GetWorkflowExecutionInfo()
	memo, ok := info.GetMemo().GetFields()[contract.MemoIntegration]
	switch {
	case info.GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING:
		return view, fmt.Errorf("its workflow has ended: %w", ErrNotFound)
	case !ok:
		return view, fmt.Errorf("no worker has begun its workflow yet: %w", ErrUnavailable)
	}
	err = Converter().FromPayload(memo, &view)
	return view, err
}

// Change changes an integration and gives it as it is then. ErrConflict and
// ErrInvalid say why it was not changed.
func (i *Integrations) Change(ctx context.Context, name string, change contract.IntegrationChange) (contract.IntegrationView, error) {
	var view contract.IntegrationView
	handle, err := i.Temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: contract.IntegrationID(name), UpdateName: contract.ChangeIntegration, Args: []any{change},
		WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err == nil {
		err = handle.Get(ctx, &view)
	}
	if err != nil {
		return view, fmt.Errorf("integration %s: %w", name, classifyChange(err))
	}
	return view, nil
}

// classifyChange turns the error of an update into one of ours.
func classifyChange(err error) error {
	var refused *temporal.ApplicationError
	if errors.As(err, &refused) {
		switch refused.Type() {
		case contract.ErrorConflict:
			return fmt.Errorf("%w: %s", ErrConflict, refused.Message())
		case contract.ErrorNotFound:
			return fmt.Errorf("%w: %s", ErrNotFound, refused.Message())
		case contract.ErrorInvalidInput:
			return fmt.Errorf("%w: %s", ErrInvalid, refused.Message())
		}
	}
	if errors.As(err, new(*client.WorkflowUpdateServiceTimeoutOrCanceledError)) {
		return &noAnswer{err}
	}
	return classify(err)
}

// pageOfWorkflows is how many workflows are listed at a time.
const pageOfWorkflows = 200

// List reads the integrations made by the API without their changes, by name. What
// was made or changed a moment ago may be missing.
func (i *Integrations) List(ctx context.Context) ([]contract.IntegrationView, error) {
	var views []contract.IntegrationView
	var token []byte
	for {
		page, err := i.Temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
			Namespace: i.Namespace, PageSize: pageOfWorkflows, NextPageToken: token,
			Query: fmt.Sprintf("WorkflowType = '%s' AND ExecutionStatus = 'Running'", contract.KeepIntegration),
		})
		if err != nil {
			return nil, fmt.Errorf("list integrations: %w", classify(err))
		}
		for _, execution := range page.GetExecutions() {
			memo, ok := execution.GetMemo().GetFields()[contract.MemoIntegration]
			if !ok {
				continue // started by hand, and not begun yet
			}
			var view contract.IntegrationView
			if err := Converter().FromPayload(memo, &view); err != nil {
				return nil, fmt.Errorf("list integrations: memo of %s: %w", execution.GetExecution().GetWorkflowId(), err)
			}
			views = append(views, view)
		}
		if token = page.GetNextPageToken(); len(token) == 0 {
			slices.SortFunc(views, func(a, b contract.IntegrationView) int { return strings.Compare(a.Name, b.Name) })
			return views, nil
		}
	}
}

// InUse counts the workflows of an integration that still have something to do.
func (i *Integrations) InUse(ctx context.Context, name string) (int64, error) {
	count, err := i.Temporal.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{
		Namespace: i.Namespace,
		Query: fmt.Sprintf("%s = '%s' AND ExecutionStatus = 'Running' AND WorkflowType != '%s' AND %s != '%s'",
			contract.AttributeIntegration, name, contract.KeepIntegration, contract.AttributeState, contract.StateClosed),
	})
	if err != nil {
		return 0, fmt.Errorf("what runs for integration %s: %w", name, classify(err))
	}
	return count.GetCount(), nil
}
