package workflows

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/suite"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/ticketbridge/ticketbridge/internal/contract"
)

// integrationSuite runs KeepIntegration.
type integrationSuite struct {
	suite.Suite
	env   *testsuite.TestWorkflowEnvironment
	begin time.Time
	sent  int
	input contract.KeepIntegrationInput
}

func TestKeepIntegration(t *testing.T) { suite.Run(t, new(integrationSuite)) }

func specOf(config string) contract.IntegrationSpec {
	return contract.IntegrationSpec{ProviderConfig: json.RawMessage(config)}
}

func tokenOf(id string) *contract.IntegrationToken {
	return &contract.IntegrationToken{ID: id, Hash: strings.Repeat("ab", 32)}
}

func (s *integrationSuite) SetupTest() {
	s.begin = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	s.input = contract.KeepIntegrationInput{
		Name: "acme", By: "ann", Spec: specOf(`{"type":"ticketing_jira","credential":{"secret":"env:A"}}`), Token: tokenOf("t1"),
	}
	s.newRun()
}

func (s *integrationSuite) newRun() {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(silent{})
	s.env = suite.NewTestWorkflowEnvironment()
	s.env.SetWorkerOptions(worker.Options{WorkflowPanicPolicy: worker.FailWorkflow})
	s.env.SetTestTimeout(time.Minute)
	s.env.RegisterWorkflow(KeepIntegration)
	s.env.SetStartTime(s.begin)
	s.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: contract.IntegrationID("acme"), TaskQueue: contract.QueueWorkflows})
}

// changed is what became of an update.
type changed struct {
	view contract.IntegrationView
	err  error
}

// change sends an update after a while.
func (s *integrationSuite) change(after time.Duration, c contract.IntegrationChange) *changed {
	out := &changed{err: errors.New("never answered")}
	s.sent++
	id := fmt.Sprint(s.sent)
	s.env.RegisterDelayedCallback(func() {
		s.env.UpdateWorkflow(contract.ChangeIntegration, id, &testsuite.TestUpdateCallback{
			OnAccept: func() {},
			OnReject: func(err error) { out.err = err },
			OnComplete: func(result any, err error) {
				out.err = err
				if view, ok := result.(contract.IntegrationView); ok {
					out.view = view
				}
			},
		}, c)
	}, after)
	return out
}

func (s *integrationSuite) delete(after time.Duration) {
	s.change(after, contract.IntegrationChange{By: "zoe", Delete: true})
}

func (s *integrationSuite) run() contract.IntegrationView {
	s.env.ExecuteWorkflow(KeepIntegration, s.input)
	s.Require().True(s.env.IsWorkflowCompleted())
	s.Require().NoError(s.env.GetWorkflowError())
	var view contract.IntegrationView
	s.Require().NoError(s.env.GetWorkflowResult(&view))
	return view
}

func (s *integrationSuite) isType(err error, want string) {
	var refused *temporal.ApplicationError
	if s.ErrorAs(err, &refused) {
		s.Equal(want, refused.Type())
	}
}

func (s *integrationSuite) TestWhoChangedWhatAndWhen() {
	next := specOf(`{"type":"ticketing_jira","credential":{"secret":"sealed:v1:x:y"},"rate":{"per_second":2},"custom_field_mappings":[]}`)
	s.change(time.Minute, contract.IntegrationChange{By: "bob", Spec: &next, IfVersion: 1})
	same := s.change(2*time.Minute, contract.IntegrationChange{By: "cid", Spec: &next})
	s.change(3*time.Minute, contract.IntegrationChange{By: "bob", Token: tokenOf("t2")})
	s.change(4*time.Minute, contract.IntegrationChange{By: "bob", Revoke: "t1"})
	s.delete(5 * time.Minute)
	view := s.run()
	s.EqualValues(2, same.view.Version, "nothing changed, so nothing is remembered")
	s.True(view.Deleted)
	s.Empty(view.Tokens, "no token outlives it")
	var story []string
	for _, c := range view.Changes {
		story = append(story, fmt.Sprintf("%s %s %s %v", c.At.Sub(s.begin).Round(time.Second), c.By, c.What, c.Fields))
	}
	s.Equal([]string{
		"5m0s zoe deleted []",
		"4m0s bob token revoked [t1]",
		"3m0s bob token created [t2]",
		"1m0s bob changed [provider_config.credential.secret provider_config.custom_field_mappings provider_config.rate.per_second]",
		"0s ann token created [t1]",
		"0s ann created []",
	}, story)
}

func (s *integrationSuite) TestWhatIsRefusedChangesNothing() {
	open := specOf(`{"type":"ticketing_jira","credential":{"secret":"hunter2"}}`)
	fine := specOf(`{"type":"ticketing_jira"}`)
	refused := map[string]*changed{}
	for i, c := range []struct {
		want   string
		change contract.IntegrationChange
	}{
		{contract.ErrorInvalidInput, contract.IntegrationChange{Spec: &fine}},
		{contract.ErrorInvalidInput, contract.IntegrationChange{By: "x"}},
		{contract.ErrorInvalidInput, contract.IntegrationChange{By: "x", Delete: true, Revoke: "t1"}},
		{contract.ErrorInvalidInput, contract.IntegrationChange{By: "x", Spec: &open}},
		{contract.ErrorInvalidInput, contract.IntegrationChange{By: "x", Token: &contract.IntegrationToken{ID: "open", Hash: "tb_acme_x"}}},
		{contract.ErrorConflict, contract.IntegrationChange{By: "x", Spec: &fine, IfVersion: 7}},
		{contract.ErrorConflict, contract.IntegrationChange{By: "x", Token: tokenOf("t1")}},
		{contract.ErrorNotFound, contract.IntegrationChange{By: "x", Revoke: "t9"}},
	} {
		refused[fmt.Sprint(c.want, i)] = s.change(time.Duration(i+1)*time.Second, c.change)
	}
	s.delete(time.Minute)
	view := s.run()
	s.EqualValues(1, view.Version)
	s.Len(view.Changes, 3)
	for want, r := range refused {
		s.isType(r.err, strings.TrimRight(want, "0123456789"))
	}
}

// tctl knows no updates; what it cannot do right is counted and shown.
func (s *integrationSuite) TestASignalDoesTheSame() {
	next := specOf(`{"type":"ticketing_jira","url":"https://b.example"}`)
	at := func(after time.Duration, payload any) {
		s.env.RegisterDelayedCallback(func() { s.env.SignalWorkflow(contract.ChangeIntegration, payload) }, after)
	}
	at(time.Second, contract.IntegrationChange{By: "tim", Spec: &next})
	at(2*time.Second, "nonsense")
	at(3*time.Second, contract.IntegrationChange{By: "tim", Revoke: "t9"})
	at(4*time.Second, converter.NewRawValue(nil))
	s.env.RegisterDelayedCallback(func() {
		value, err := s.env.QueryWorkflow(contract.QueryState)
		s.Require().NoError(err)
		var view contract.IntegrationView
		s.Require().NoError(value.Get(&view))
		s.EqualValues(2, view.Version)
		s.EqualValues(3, view.Rejected)
		s.Contains(view.LastRejection, "by: missing")
	}, 5*time.Second)
	at(time.Minute, contract.IntegrationChange{By: "tim", Delete: true})
	s.True(s.run().Deleted)
}

func (s *integrationSuite) TestExpiredTokensMakeRoom() {
	old := tokenOf("old")
	old.ExpiresAt = s.begin.Add(time.Hour)
	s.input.Token = old
	for n := range contract.MaxIntegrationTokens - 1 {
		s.change(time.Second, contract.IntegrationChange{By: "x", Token: tokenOf(fmt.Sprint("t", n))})
	}
	full := s.change(time.Minute, contract.IntegrationChange{By: "x", Token: tokenOf("more")})
	later := s.change(2*time.Hour, contract.IntegrationChange{By: "x", Token: tokenOf("more")})
	s.delete(3 * time.Hour)
	s.run()
	s.NoError(later.err)
	s.isType(full.err, contract.ErrorConflict)
}

// The next run has all that this one knew.
func (s *integrationSuite) TestARunGoesOnAsANewOne() {
	s.input.Spec.ProviderConfig = json.RawMessage(`{"type":"x","url":"` + strings.Repeat("u", contract.MaxIntegrationBytes-100) + `"}`)
	for n := range 300 {
		spec := specOf(fmt.Sprintf(`{"type":"ticketing_jira","seed":%d}`, n))
		s.change(time.Duration(n+1)*time.Second, contract.IntegrationChange{By: strings.Repeat("b", 200), Spec: &spec})
	}
	last := specOf(`{"type":"ticketing_jira","seed":"last"}`)
	s.env.RegisterDelayedCallback(func() {
		s.env.SignalWorkflow(contract.ChangeIntegration, contract.IntegrationChange{By: "tim", Spec: &last})
	}, time.Hour)
	s.env.RegisterDelayedCallback(func() { s.env.SetContinueAsNewSuggested(true) }, time.Hour+time.Second)
	s.env.ExecuteWorkflow(KeepIntegration, s.input)
	var next *workflow.ContinueAsNewError
	s.Require().ErrorAs(s.env.GetWorkflowError(), &next)
	s.Less(len(next.Input.GetPayloads()[0].GetData()), 512<<10)
	var in contract.KeepIntegrationInput
	s.Require().NoError(converter.GetDefaultDataConverter().FromPayloads(next.Input, &in))
	s.JSONEq(string(last.ProviderConfig), string(in.State.Spec.ProviderConfig))
	s.EqualValues(302, in.State.Version)
	s.Len(in.State.Changes, contract.KeptChanges)
	s.Len(in.State.Tokens, 1)

	s.input = in
	s.newRun()
	s.delete(time.Minute)
	view := s.run()
	s.Equal("deleted", view.Changes[0].What)
	s.Equal("changed", view.Changes[1].What)
	s.EqualValues(302, view.Version)
}

func (s *integrationSuite) TestAWrongIdIsRefused() {
	s.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: "acme", TaskQueue: contract.QueueWorkflows})
	s.env.ExecuteWorkflow(KeepIntegration, s.input)
	s.ErrorContains(s.env.GetWorkflowError(), `belongs to the workflow id "integration:acme"`)
}
