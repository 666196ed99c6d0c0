package main

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/catalog"
	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/delivery"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/operate"
)

// keptThere are the workflows that run, by id, and what they decided.
type keptThere struct {
	views   map[string]contract.MatchView
	decided map[string]contract.OutcomeAnswer
	err     error
	asked   int
}

func (k *keptThere) Running(_ context.Context, id string) (contract.MatchView, error) {
	k.asked++
	if k.err != nil {
		return contract.MatchView{}, k.err
	}
	view, ok := k.views[id]
	if !ok {
		return view, fmt.Errorf("%s: %w", id, operate.ErrNotFound)
	}
	return view, nil
}

func (k *keptThere) Decided(_ context.Context, _, eventID string) (contract.OutcomeAnswer, error) {
	k.asked++
	return k.decided[eventID], k.err
}

var tryTime = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// triedBy is a trial of a feed with this policy; srv-1 is in its catalog.
func triedBy(t *testing.T, policy event.Policy, there requestsThere) *trial {
	t.Helper()
	rules := &delivery.Resolver{
		Catalog: catalog.New(catalog.Catalog{
			Account: "widget", CurrentUser: &catalog.Person{ID: 1, Email: "me@widget.example", Account: "widget"},
			CIs: []catalog.CI{{ID: 7, Label: "srv-1"}},
		}),
		FeedRoute: func(string) (delivery.Route, error) { return delivery.Route{Integration: "ops", Policy: policy}, nil },
	}
	trial, err := newTrial(rules, "lon", tryTime)
	require.NoError(t, err)
	trial.there = there
	return trial
}

func alarm(id, note string, more ...string) event.Entry {
	e := event.Entry{ID: id, Params: event.Params{"source": "Desk", "subject": "Disk full", "ci": "srv-1", "note": note}}
	for i := 0; i < len(more); i += 2 {
		e.Params[more[i]] = more[i+1]
	}
	return e
}

func mirrored(id, status string, at time.Time, comment string) event.Entry {
	f := &event.Foreign{TicketID: "T1", Subject: "Disk full", Status: status, UpdatedAt: at}
	if comment != "" {
		f.Comment = &event.ForeignComment{ID: comment, Text: comment}
	}
	return event.Entry{ID: id, Foreign: f}
}

// openRequest is a running key's view with one request, whose ticket is OPS-12.
func openRequest(key event.Key, subject string, created time.Time) contract.MatchView {
	return contract.MatchView{Integration: "ops", Key: key, Requests: []contract.RequestView{{
		ID: 123, CreatedAt: created, UpdatedAt: created, Notes: 1,
		Fields: event.Fields{Subject: subject, Status: "assigned"}, Ticket: &contract.TicketView{ID: "10012", Key: "OPS-12"},
	}}}
}

// keyOf is the match key of an entry, as a trial without Temporal finds it.
func keyOf(t *testing.T, policy event.Policy, e event.Entry) (string, event.Key) {
	t.Helper()
	effect := triedBy(t, policy, nil).take(t.Context(), e).Effect
	require.NotNil(t, effect)
	return effect.Workflow, effect.Key
}

func TestATrialSeesTheRequestThatIsThere(t *testing.T) {
	id, key := keyOf(t, event.PolicyEvent, alarm("e1", "n"))
	view := openRequest(key, "Disk full", tryTime.Add(-time.Hour))
	for name, tc := range map[string]struct {
		entry event.Entry
		want  string
	}{
		"note":     {alarm("e1", "97 %"), "would be a note on OPS-12 (request 123)"},
		"recovery": {alarm("e1", "up", "status", "completed", "completion_reason", "solved"), "would be a note on OPS-12 (request 123); changes completion_reason to solved, status to completed"},
		"nothing":  {alarm("e1", ""), "would change nothing at OPS-12 (request 123)"},
	} {
		t.Run(name, func(t *testing.T) {
			there := &keptThere{views: map[string]contract.MatchView{id: view}}
			effect := triedBy(t, event.PolicyEvent, there).take(t.Context(), tc.entry).Effect
			assert.Equal(t, tc.want, effect.Would)
			assert.Equal(t, "OPS-12", effect.Request.Ticket.Key)
			assert.Equal(t, effect.NoteAdded, effect.Unless != "", "its notes cannot be seen from outside")
		})
	}
	old := &keptThere{views: map[string]contract.MatchView{id: openRequest(key, "Disk full", tryTime.Add(-25*time.Hour))}}
	effect := triedBy(t, event.PolicyEvent, old).take(t.Context(), alarm("e1", "97 %")).Effect
	assert.Equal(t, event.Created, effect.Outcome, "its window is over")
	assert.False(t, effect.Request.Exists)
}

// Without a CI the note belongs to the key, so the request there has it.
func TestATrialKnowsTheNoteOfAKeyWithoutCI(t *testing.T) {
	e := alarm("e1", "97 %")
	delete(e.Params, "ci")
	id, key := keyOf(t, event.PolicyEvent, e)
	there := &keptThere{views: map[string]contract.MatchView{id: openRequest(key, "Disk full", tryTime.Add(-time.Hour))}}
	effect := triedBy(t, event.PolicyEvent, there).take(t.Context(), e).Effect
	assert.Equal(t, "would change nothing at OPS-12 (request 123)", effect.Would)
}

func TestATrialSeesTheTicketThatIsThere(t *testing.T) {
	id, key := keyOf(t, event.PolicyTicket, mirrored("e1", "open", tryTime, ""))
	closed := openRequest(key, "Disk full", tryTime.Add(-48*time.Hour))
	closed.Requests[0].Fields.Status, closed.Requests[0].CompletedAt = "completed", tryTime.Add(-time.Hour)
	for name, tc := range map[string]struct {
		view  contract.MatchView
		entry event.Entry
		want  string
	}{
		"comment": {openRequest(key, "Disk full", tryTime.Add(-48*time.Hour)), mirrored("e1", "open", tryTime, "c1"), "would be a note on OPS-12 (request 123)"},
		"subject": {openRequest(key, "Disk", tryTime), mirrored("e1", "", tryTime, ""), "would change OPS-12 (request 123): subject to Disk full"},
		"late":    {closed, mirrored("e1", "open", tryTime.Add(-2*time.Hour), "c1"), "would be a note on OPS-12 (request 123)"},
		"status":  {openRequest(key, "Disk full", tryTime), mirrored("e1", "odd", tryTime, ""), "would be a comment on OPS-12 (request 123)"},
	} {
		t.Run(name, func(t *testing.T) {
			there := &keptThere{views: map[string]contract.MatchView{id: tc.view}}
			assert.Equal(t, tc.want, triedBy(t, event.PolicyTicket, there).take(t.Context(), tc.entry).Effect.Would)
		})
	}
	there := &keptThere{views: map[string]contract.MatchView{id: closed}}
	next := triedBy(t, event.PolicyTicket, there).take(t.Context(), mirrored("e1", "open", tryTime, "c1"))
	assert.Equal(t, event.Created, next.Effect.Outcome, "the foreign ticket was opened again")
}

func TestATrialTellsWhatWasHandedOverAlready(t *testing.T) {
	id, key := keyOf(t, event.PolicyEvent, alarm("e1", "n"))
	view := openRequest(key, "Disk full", tryTime.Add(-time.Hour))
	there := &keptThere{
		views:   map[string]contract.MatchView{id: view},
		decided: map[string]contract.OutcomeAnswer{"e1": {Known: true, Outcome: event.Created, NoteAdded: true, Request: &view.Requests[0]}},
	}
	trial := triedBy(t, event.PolicyEvent, there)
	first := trial.take(t.Context(), alarm("e1", "n")).Effect
	assert.True(t, first.Before)
	assert.Equal(t, "was handed over already: created OPS-12 (request 123)", first.Would)
	assert.Equal(t, "would be a note on OPS-12 (request 123)", trial.take(t.Context(), alarm("e2", "m")).Effect.Would)
	assert.Equal(t, 3, there.asked, "the key once, and each event")
}

func TestATrialDecidesItsEventsInOrder(t *testing.T) {
	trial := triedBy(t, event.PolicyEvent, &keptThere{})
	first := trial.take(t.Context(), alarm("e1", "a")).Effect
	assert.Equal(t, fmt.Sprintf("would create request %d and its ticket: %q", first.Request.ID, "Disk full"), first.Would)
	assert.Equal(t, contract.RequestID(first.Workflow, "e1"), first.Request.ID, "the number it would really have")
	second := trial.take(t.Context(), alarm("e2", "b")).Effect
	assert.Equal(t, fmt.Sprintf("would be a note on request %d, which an event above would create", first.Request.ID), second.Would)
	assert.Empty(t, second.Unless)
	assert.Contains(t, trial.take(t.Context(), alarm("e3", "b")).Effect.Would, "would change nothing at request")
	other := trial.take(t.Context(), alarm("e4", "a", "source", "Other")).Effect
	assert.Equal(t, event.Created, other.Outcome)

	refused := trial.take(t.Context(), event.Entry{ID: "e5", Params: event.Params{"source": "Desk", "note": "n"}}).Effect
	assert.Equal(t, event.Rejected, refused.Outcome)
	assert.Contains(t, refused.Would, "subject")
}

// Where no worker answers, asking on would only take time.
func TestATrialStopsAskingWhereNobodyAnswers(t *testing.T) {
	there := &keptThere{err: errors.New("no worker answered in time")}
	trial := triedBy(t, event.PolicyEvent, there)
	for n := range 3 {
		e := alarm(fmt.Sprint(n), "a", "source", fmt.Sprint("source ", n))
		assert.Equal(t, event.Created, trial.take(t.Context(), e).Effect.Outcome)
	}
	assert.Equal(t, 1, there.asked)
	assert.ErrorContains(t, trial.silent, "no worker")
}
