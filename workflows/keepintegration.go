package workflows

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/rest"
)

// integration is one run of KeepIntegration.
type integration struct {
	state   contract.IntegrationView
	changes workflow.ReceiveChannel
	// changed: an update changed something that is not shown yet.
	changed bool
}

// KeepIntegration keeps an integration made by the integrations API: what it is
// made of, its tokens and its last changes. It runs until the integration is
// deleted. It calls nobody: whoever needs the integration asks it by query.
func KeepIntegration(ctx workflow.Context, in contract.KeepIntegrationInput) (contract.IntegrationView, error) {
	if err := in.Validate(workflow.GetInfo(ctx).WorkflowExecution.ID); err != nil {
		return contract.IntegrationView{}, temporal.NewNonRetryableApplicationError(err.Error(), contract.ErrorInvalidInput, err)
	}
	i := &integration{changes: workflow.GetSignalChannel(ctx, contract.ChangeIntegration)}
	if in.State != nil {
		i.state = *in.State
	} else {
		if in.At.IsZero() { // a person started it
			in.At = workflow.Now(ctx).UTC()
		}
		i.create(in.At, in)
	}
	if err := i.handle(ctx); err != nil {
		return i.state, err
	}
	return i.run(ctx)
}

func (i *integration) create(now time.Time, in contract.KeepIntegrationInput) {
	i.state = contract.IntegrationView{
		Name: in.Name, Spec: in.Spec, Version: 1, CreatedAt: now, CreatedBy: in.By, UpdatedAt: now, UpdatedBy: in.By,
	}
	i.remember(now, in.By, "created")
	if in.Token != nil {
		i.addToken(now, in.By, *in.Token)
	}
}

func (i *integration) handle(ctx workflow.Context) error {
	if err := workflow.SetQueryHandler(ctx, contract.QueryState, func() (contract.IntegrationView, error) { return i.state, nil }); err != nil {
		return err
	}
	return workflow.SetUpdateHandlerWithOptions(ctx, contract.ChangeIntegration, i.update, workflow.UpdateHandlerOptions{
		Validator: func(ctx workflow.Context, c contract.IntegrationChange) error { return i.refuses(workflow.Now(ctx), c) },
	})
}

func (i *integration) run(ctx workflow.Context) (contract.IntegrationView, error) {
	for {
		i.receive(ctx)
		i.changed = false
		i.show(ctx)
		if i.state.Deleted {
			return i.state, nil
		}
		if err := workflow.Await(ctx, func() bool { return i.changed || i.changes.Len() > 0 || continueSuggested(ctx) }); err != nil {
			return i.state, err
		}
		if continueSuggested(ctx) && !i.state.Deleted {
			i.receive(ctx) // nothing from here on may block; no handler ever does
			return i.state, workflow.NewContinueAsNewError(ctx, contract.KeepIntegration,
				contract.KeepIntegrationInput{Name: i.state.Name, State: &i.state})
		}
	}
}

// update makes a change and answers with what came of it.
func (i *integration) update(ctx workflow.Context, c contract.IntegrationChange) (contract.IntegrationView, error) {
	if err := i.apply(workflow.Now(ctx).UTC(), c); err != nil {
		return i.state, err
	}
	i.changed = true
	return i.state, nil
}

// receive makes every change that was signalled.
func (i *integration) receive(ctx workflow.Context) {
	reject := func(err error) {
		i.state.Rejected++
		i.state.LastRejection = rest.Truncate(contract.ChangeIntegration+": "+errorText(err), 2*keptText)
	}
	each(i.changes, reject, func(c contract.IntegrationChange) {
		if err := i.apply(workflow.Now(ctx).UTC(), c); err != nil {
			reject(err)
		}
	})
}

// refuses says why a change cannot be made.
func (i *integration) refuses(now time.Time, c contract.IntegrationChange) error {
	if err := c.Validate(); err != nil {
		return temporal.NewNonRetryableApplicationError(err.Error(), contract.ErrorInvalidInput, nil)
	}
	conflict := func(format string, args ...any) error {
		return temporal.NewNonRetryableApplicationError(fmt.Sprintf(format, args...), contract.ErrorConflict, nil)
	}
	switch {
	case i.state.Deleted:
		return conflict("integration %s is deleted", i.state.Name)
	case c.IfVersion != 0 && c.IfVersion != i.state.Version:
		return conflict("integration %s is at version %d by now, not %d; read it again", i.state.Name, i.state.Version, c.IfVersion)
	case c.Token != nil && i.token(c.Token.ID) >= 0:
		return conflict("integration %s has a token %s already", i.state.Name, c.Token.ID)
	case c.Token != nil && len(alive(i.state.Tokens, now)) >= contract.MaxIntegrationTokens:
		return conflict("integration %s has %d tokens, the most that it may have; revoke one", i.state.Name, contract.MaxIntegrationTokens)
	case c.Revoke != "" && i.token(c.Revoke) < 0:
		return temporal.NewNonRetryableApplicationError(
			fmt.Sprintf("integration %s has no token %s", i.state.Name, c.Revoke), contract.ErrorNotFound, nil)
	}
	return nil
}

// apply makes a change and remembers it.
func (i *integration) apply(now time.Time, c contract.IntegrationChange) error {
	if err := i.refuses(now, c); err != nil {
		return err
	}
	switch {
	case c.Spec != nil:
		fields := changedFields(i.state.Spec, *c.Spec)
		if len(fields) == 0 {
			return nil
		}
		i.state.Spec, i.state.UpdatedAt, i.state.UpdatedBy = *c.Spec, now, c.By
		i.state.Version++
		i.remember(now, c.By, "changed", fields...)
	case c.Token != nil:
		i.addToken(now, c.By, *c.Token)
	case c.Revoke != "":
		at := i.token(c.Revoke)
		gone := i.state.Tokens[at]
		i.state.Tokens = slices.Delete(i.state.Tokens, at, at+1)
		i.remember(now, c.By, "token revoked", tokenLabel(gone))
	case c.Delete:
		i.state.Deleted, i.state.Tokens = true, nil
		i.state.UpdatedAt, i.state.UpdatedBy = now, c.By
		i.remember(now, c.By, "deleted")
	}
	return nil
}

// addToken takes a token in; those that are good no more make room.
func (i *integration) addToken(now time.Time, by string, t contract.IntegrationToken) {
	i.state.Tokens = alive(i.state.Tokens, now)
	t.CreatedAt, t.CreatedBy = now, by
	i.state.Tokens = append(i.state.Tokens, t)
	i.remember(now, by, "token created", tokenLabel(t))
}

// alive are the tokens that have not expired.
func alive(tokens []contract.IntegrationToken, now time.Time) []contract.IntegrationToken {
	return slices.DeleteFunc(slices.Clone(tokens), func(t contract.IntegrationToken) bool {
		return !t.ExpiresAt.IsZero() && t.ExpiresAt.Before(now)
	})
}

// token is where a token is among those there are; -1 for none.
func (i *integration) token(id string) int {
	return slices.IndexFunc(i.state.Tokens, func(t contract.IntegrationToken) bool { return t.ID == id })
}

func tokenLabel(t contract.IntegrationToken) string {
	if t.Name == "" {
		return t.ID
	}
	return t.Name + " (" + t.ID + ")"
}

// remember keeps who did what, the newest first.
func (i *integration) remember(now time.Time, by, what string, fields ...string) {
	i.state.Changes = slices.Insert(i.state.Changes, 0, contract.IntegrationChanged{At: now, By: by, What: what, Fields: fields})
	i.state.Changes = i.state.Changes[:min(len(i.state.Changes), contract.KeptChanges)]
}
