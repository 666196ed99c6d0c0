package workflows

import (
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/operate"
)

// integrationChanged is an integration's whole life: changed by update and by
// signal, a change that is refused, tokens, its end.
func (r *recorder) integrationChanged() (string, string) {
	kept := operate.Integrations{Temporal: r.client, Namespace: "default"}
	ctx := r.t.Context()
	require.NoError(r.t, kept.Create(ctx, contract.KeepIntegrationInput{
		Name: "acme", By: "ann", Spec: specOf(`{"type":"ticketing_jira","credential":{"secret":"env:A"}}`), Token: tokenOf("t1"),
	}))
	next := specOf(`{"type":"ticketing_jira","credential":{"secret":"env:B"},"rate":{"per_second":2}}`)
	view, err := kept.Change(ctx, "acme", contract.IntegrationChange{By: "bob", Spec: &next, IfVersion: 1})
	require.NoError(r.t, err)
	require.EqualValues(r.t, 2, view.Version)
	_, err = kept.Change(ctx, "acme", contract.IntegrationChange{By: "bob", Spec: &next, IfVersion: 1})
	require.ErrorIs(r.t, err, operate.ErrConflict)
	_, err = kept.Change(ctx, "acme", contract.IntegrationChange{By: "bob", Revoke: "t9"})
	require.ErrorIs(r.t, err, operate.ErrNotFound)
	third := specOf(`{"type":"ticketing_jira","credential":{"secret":"env:C"}}`)
	id := contract.IntegrationID("acme")
	require.NoError(r.t, r.client.SignalWorkflow(ctx, id, "", contract.ChangeIntegration, contract.IntegrationChange{By: "tim", Spec: &third}))
	require.NoError(r.t, r.client.SignalWorkflow(ctx, id, "", contract.ChangeIntegration, "nonsense"))
	require.Eventually(r.t, func() bool {
		view, err := kept.Get(ctx, "acme")
		return err == nil && view.Version == 3 && view.Rejected == 1
	}, 20*time.Second, 20*time.Millisecond)
	for _, change := range []contract.IntegrationChange{{By: "bob", Token: tokenOf("t2")}, {By: "bob", Revoke: "t1"}, {By: "zoe", Delete: true}} {
		_, err := kept.Change(ctx, "acme", change)
		require.NoError(r.t, err)
	}
	_, err = kept.Get(ctx, "acme")
	require.ErrorIs(r.t, err, operate.ErrNotFound)
	return id, ""
}
