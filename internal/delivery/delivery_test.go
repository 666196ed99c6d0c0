package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/ticketbridge/ticketbridge/internal/catalog"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/matching"
)

// temporalClient remembers what was signalled.
type temporalClient struct {
	mu      sync.Mutex
	signals map[string][]contract.EventsSignal
	inputs  map[string]contract.MatchEventsInput
	options map[string]client.StartWorkflowOptions
	running int
	most    int
	err     func(workflowID string) error
}

func newClient() *temporalClient {
	return &temporalClient{
		signals: map[string][]contract.EventsSignal{}, inputs: map[string]contract.MatchEventsInput{},
		options: map[string]client.StartWorkflowOptions{}, err: func(string) error { return nil },
	}
}

func (c *temporalClient) SignalWithStartWorkflow(ctx context.Context, id, name string, arg any, o client.StartWorkflowOptions, workflow any, args ...any) (client.WorkflowRun, error) {
	c.mu.Lock()
	c.running++
	c.most = max(c.most, c.running)
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.running--
	}()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := c.err(id); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if name != contract.SignalEvent || workflow != contract.MatchEvents {
		return nil, fmt.Errorf("unexpected %s to %v", name, workflow)
	}
	c.signals[id] = append(c.signals[id], arg.(contract.EventsSignal))
	c.inputs[id], c.options[id] = args[0].(contract.MatchEventsInput), o
	return nil, nil
}

// ids are the ids of the events that a workflow got, in order.
func (c *temporalClient) ids(workflowID string) []string {
	var ids []string
	for _, s := range c.signals[workflowID] {
		for _, e := range s.Events {
			ids = append(ids, e.ID)
		}
	}
	return ids
}

func rules() *Resolver {
	return &Resolver{
		Catalog: catalog.New(catalog.Catalog{Account: "widget", CurrentUser: &catalog.Person{ID: 1, Email: "me@widget.example", Account: "widget"}}),
		FeedRoute: func(feed string) (Route, error) {
			switch feed {
			case "lon":
				return Route{Integration: "ops", Policy: event.PolicyTicket}, nil
			case "acronis":
				return Route{Integration: "ops", Policy: event.PolicyEvent}, nil
			}
			return Route{}, errors.New("unknown feed")
		},
		CallerRoute: func(_ context.Context, caller string) (Route, error) {
			if caller != "monitoring" {
				return Route{}, errors.New("unknown caller")
			}
			return Route{Integration: "ops", As: matching.Caller{Account: "acme"}}, nil
		},
	}
}

func deliverer(c *temporalClient) *Delivery {
	return &Delivery{Temporal: c, Target: func(_ context.Context, integration string) (Target, error) {
		if integration != "ops" {
			return Target{}, errors.New(`unknown integration "` + integration + `"`)
		}
		return Target{Provider: "jira", Memory: time.Hour}, nil
	}}
}

// alarm is a resolved event about a subject.
func alarm(t *testing.T, id, subject, note string) event.Event {
	t.Helper()
	e, err := rules().Resolve(Route{}, event.Event{ID: id, Params: event.Params{"subject": subject, "source": "Nagios", "note": note}})
	require.NoError(t, err)
	return e
}

func TestEventsGoToTheirKeysInOrder(t *testing.T) {
	c := newClient()
	var events []event.Event
	for n := range 300 {
		events = append(events, alarm(t, fmt.Sprint(n), fmt.Sprint("subject ", n%30), "note"))
	}
	require.NoError(t, deliverer(c).Deliver(t.Context(), "ops", events))
	assert.Len(t, c.signals, 30)
	for n := range 30 {
		id := contract.MatchID("ops", events[n].Resolved.Key)
		assert.Len(t, c.signals[id], 1, "one signal a key")
		var want []string
		for i := n; i < 300; i += 30 {
			want = append(want, fmt.Sprint(i))
		}
		assert.Equal(t, want, c.ids(id))
		assert.Equal(t, contract.MatchEventsInput{Integration: "ops", Provider: "jira", Memory: "1h0m0s", Key: events[n].Resolved.Key}, c.inputs[id])
	}
	assert.LessOrEqual(t, c.most, parallel)
}

func TestAKeysWorkflowCanBeFoundFromItsStart(t *testing.T) {
	c := newClient()
	e := alarm(t, "1", "Server down", "n")
	e.Resolved.Fields.CI = event.Ref{ID: 5, Name: strings.Repeat("rack ", 100)}
	e.Resolved.Key = matching.EventKey(e.Resolved.Fields, "n")
	require.NoError(t, deliverer(c).Deliver(t.Context(), "ops", []event.Event{e}))
	id := contract.MatchID("ops", e.Resolved.Key)
	o := c.options[id]
	assert.Equal(t, contract.QueueWorkflows, o.TaskQueue)
	assert.Equal(t, "Nagios: Server down", o.StaticSummary)
	request, ok := o.TypedSearchAttributes.GetInt64(temporal.NewSearchAttributeKeyInt64(contract.AttributeRequest))
	assert.True(t, ok)
	assert.Equal(t, contract.RequestID(id, "1"), request)
	ci, ok := o.TypedSearchAttributes.GetKeyword(temporal.NewSearchAttributeKeyKeyword(contract.AttributeCI))
	assert.True(t, ok)
	assert.LessOrEqual(t, len(ci), 255, "what a search attribute may hold")
}

func TestSignalsStaySmall(t *testing.T) {
	c := newClient()
	var events []event.Event
	for n := range 20 {
		e := alarm(t, fmt.Sprint(n), "s", "same")
		e.Raw = strings.Repeat("<", 30_000)
		events = append(events, e)
	}
	require.NoError(t, deliverer(c).Deliver(t.Context(), "ops", events))
	id := contract.MatchID("ops", events[0].Resolved.Key)
	assert.Len(t, c.ids(id), 20)
	assert.Greater(t, len(c.signals[id]), 1)
	for _, s := range c.signals[id] {
		data, err := json.Marshal(s)
		require.NoError(t, err)
		assert.LessOrEqual(t, len(data), maxSignalBytes+1000)
	}
}

func TestOneEventLargerThanASignalGoesAlone(t *testing.T) {
	big := event.Event{ID: "big", Raw: strings.Repeat("x", maxSignalBytes+1)}
	small := event.Event{ID: "small"}
	assert.Equal(t, [][]event.Event{{small, small}, {big}, {small}}, chunks([]event.Event{small, small, big, small}))
}

func TestAFailureIsToldSoThatAllAreDeliveredAgain(t *testing.T) {
	c := newClient()
	bad := alarm(t, "2", "b", "n")
	c.err = func(id string) error {
		if id == contract.MatchID("ops", bad.Resolved.Key) {
			return errors.New("unavailable")
		}
		return nil
	}
	err := deliverer(c).Deliver(t.Context(), "ops", []event.Event{alarm(t, "1", "a", "n"), bad})
	require.Error(t, err)
	assert.Contains(t, err.Error(), contract.MatchID("ops", bad.Resolved.Key))

	assert.ErrorContains(t, deliverer(c).Deliver(t.Context(), "typo", nil), "typo")
}

func TestAFeedsEntriesAreHandedOver(t *testing.T) {
	c := newClient()
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	f := &Feeds{Resolver: rules(), Delivery: deliverer(c), Now: func() time.Time { return now }}
	malformed, err := f.HandOver(t.Context(), "lon", []event.Entry{
		{ID: "1", Foreign: &event.Foreign{TicketID: "77", Subject: "s"}, Raw: "<entry/>", Replayed: true},
		{ID: "2"},
		{ID: "", Foreign: &event.Foreign{TicketID: "77"}},
		{ID: strings.Repeat("x", contract.MaxEventID+1), Foreign: &event.Foreign{TicketID: "77"}},
		{ID: "5", Foreign: &event.Foreign{TicketID: "77"}},
	}, true)
	require.NoError(t, err)
	require.Len(t, malformed, 3)
	assert.Equal(t, "names no ticket", malformed[0].Malformed)
	assert.Contains(t, malformed[1].Malformed, "id is missing")
	assert.Contains(t, malformed[2].Malformed, "longer than")

	id := contract.MatchID("ops", event.Key{Policy: event.PolicyTicket, Feed: "lon", ForeignTicket: "77"})
	assert.Equal(t, []string{"1", "5"}, c.ids(id))
	first := c.signals[id][0].Events[0]
	assert.Equal(t, "feed:lon", first.Caller)
	assert.True(t, first.Replayed)
	assert.True(t, first.Create)
	assert.Equal(t, "<entry/>", first.Raw)
	assert.Equal(t, now, first.ReceivedAt)
}

// An entry that the rules refuse does not hold up the others.
func TestAnEntryThatTheRulesRefuseComesBackAsMalformed(t *testing.T) {
	c := newClient()
	f := &Feeds{Resolver: rules(), Delivery: deliverer(c), Now: time.Now}
	malformed, err := f.HandOver(t.Context(), "acronis", []event.Entry{
		{ID: "1", Params: event.Params{"subject": "s", "impact": "enormous"}},
		{ID: "2", Params: event.Params{"subject": "s"}},
	}, false)
	require.NoError(t, err)
	require.Len(t, malformed, 1)
	assert.Contains(t, malformed[0].Malformed, "impact")
	assert.Len(t, c.signals, 1)

	// One that no signal can carry would stop the whole feed for ever.
	malformed, err = f.HandOver(t.Context(), "acronis", []event.Entry{
		{ID: "3", Params: event.Params{"subject": "s", "custom_fields": strings.Repeat("x", 300<<10)}}, {ID: "4", Params: event.Params{"subject": "s"}},
	}, false)
	require.NoError(t, err)
	require.Len(t, malformed, 1)
	assert.Equal(t, "3", malformed[0].ID)
	assert.Contains(t, malformed[0].Malformed, "256 KB")

	_, err = f.HandOver(t.Context(), "typo", nil, false)
	assert.Error(t, err)
}

// An event means the same, whether it was resolved at intake or was typed.
func TestATypedEventIsResolvedAsItsCaller(t *testing.T) {
	r := rules()
	params := event.Params{"subject": "s"}
	got, err := r.ResolveEvent(t.Context(), event.Event{Caller: "monitoring", Params: params})
	require.NoError(t, err)
	assert.Equal(t, "acme", got.Key.Account)

	got, err = r.ResolveEvent(t.Context(), event.Event{Params: params})
	require.NoError(t, err)
	assert.Equal(t, "widget", got.Key.Account)

	got, err = r.ResolveEvent(t.Context(), event.Event{Caller: "feed:lon", Foreign: &event.Foreign{TicketID: "7"}})
	require.NoError(t, err)
	assert.Equal(t, event.PolicyTicket, got.Key.Policy)

	got, err = r.ResolveEvent(t.Context(), event.Event{Caller: "feed:acronis", Params: params})
	require.NoError(t, err)
	assert.Equal(t, event.PolicyEvent, got.Key.Policy)

	_, err = r.ResolveEvent(t.Context(), event.Event{Caller: "stranger", Params: params})
	assert.ErrorContains(t, err, "unknown caller")
}

// The rules in force travel with the event: a change of configuration does not
// change what was taken in before.
func TestTheOptionsInForceTravelWithTheEvent(t *testing.T) {
	r := rules()
	r.Options = matching.Options{ApplyOnRepeat: true, IgnoreOrphanRecovery: true}
	e, err := r.Resolve(Route{}, event.Event{Params: event.Params{"subject": "s"}})
	require.NoError(t, err)
	assert.True(t, e.Resolved.ApplyOnRepeat)
	assert.True(t, e.Resolved.IgnoreOrphanRecovery)
}
