package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/delivery"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/matching"
	"github.com/ticketbridge/ticketbridge/internal/operate"
)

// requestsThere tells, by queries alone, what MatchEvents workflows keep.
type requestsThere interface {
	Running(ctx context.Context, workflowID string) (contract.MatchView, error)
	Decided(ctx context.Context, workflowID, eventID string) (contract.OutcomeAnswer, error)
}

// trial decides a feed's events one after the other, as their workflows would,
// and changes nothing.
type trial struct {
	rules *delivery.Resolver
	feed  string
	route delivery.Route
	at    time.Time
	// there is nil where Temporal is not asked, or silent says why no longer.
	there  requestsThere
	silent error
	keys   map[string]*trialKey
}

// trialKey is what a match key would keep.
type trialKey struct {
	requests []matching.Request
	// running is the workflow's view, nil where none runs or it is not known.
	running *contract.MatchView
}

// tried is one event, what becomes of it and what it would do.
type tried struct {
	ID string `json:"id"`
	// Item is what `parked` commands would know the event by.
	Item     string    `json:"item"`
	StoredAt time.Time `json:"stored_at,omitzero"`
	Raw      string    `json:"raw"`
	// Data is what the feed's transform gets.
	Data    map[string]any `json:"data,omitempty"`
	Dropped bool           `json:"dropped,omitempty"`
	// Parked is why the event would be parked.
	Parked   string         `json:"parked,omitempty"`
	Params   event.Params   `json:"params,omitempty"`
	Foreign  *event.Foreign `json:"foreign,omitempty"`
	Warnings []string       `json:"warnings,omitempty"`
	Effect   *effect        `json:"effect,omitempty"`
}

// effect is what an event would do, or has done.
type effect struct {
	Workflow string    `json:"workflow"`
	Key      event.Key `json:"key"`
	// Before: the event was handed over earlier, and this is what it did.
	Before    bool           `json:"before,omitempty"`
	Outcome   event.Outcome  `json:"outcome"`
	NoteAdded bool           `json:"note_added,omitempty"`
	Changed   map[string]any `json:"changed,omitempty"`
	// Unless is what cannot be seen from outside and would make it do less.
	Unless string      `json:"unless,omitempty"`
	Errors [][2]string `json:"errors,omitempty"`
	// Request is the one it creates or changes.
	Request *triedRequest `json:"request,omitempty"`
	// Would says all this in a sentence.
	Would string `json:"would"`
}

type triedRequest struct {
	ID int64 `json:"id"`
	// Exists: it is there already, or was made by an event that was handed over.
	Exists bool                 `json:"exists"`
	Ticket *contract.TicketView `json:"ticket,omitempty"`
	// Fields are those of a request that the event would create.
	Fields map[string]any `json:"fields,omitempty"`
}

func newTrial(rules *delivery.Resolver, feed string, at time.Time) (*trial, error) {
	route, err := rules.FeedRoute(feed)
	return &trial{rules: rules, feed: feed, route: route, at: at, keys: map[string]*trialKey{}}, err
}

// take tries one event; those before it are taken into account.
func (t *trial) take(ctx context.Context, entry event.Entry) tried {
	out := tried{
		ID: entry.ID, Item: entry.Item(), StoredAt: entry.StoredAt, Raw: entry.Raw,
		Dropped: entry.Dropped, Parked: entry.Malformed,
	}
	if t.route.Policy == event.PolicyEvent {
		out.Data, out.Params = entry.Data, entry.Params
	} else {
		out.Foreign = entry.Foreign
	}
	if out.Dropped || out.Parked != "" {
		return out
	}
	e, err := t.rules.Entry(t.feed, t.route, entry, t.at)
	if err != nil {
		out.Parked = err.Error()
		return out
	}
	out.Warnings = e.Resolved.Warnings
	out.Effect = t.decide(ctx, e)
	return out
}

func (t *trial) decide(ctx context.Context, e event.Event) *effect {
	id := contract.MatchID(t.route.Integration, e.Resolved.Key)
	out := &effect{Workflow: id, Key: e.Resolved.Key}
	key := t.key(ctx, id, e.Resolved.Key)
	if before := t.decided(ctx, key, id, e.ID); before.Known {
		out.handedOver(before)
		return out
	}
	for i := range key.requests {
		key.requests[i].Wake(t.at)
	}
	r := *e.Resolved
	options := matching.Options{ApplyOnRepeat: r.ApplyOnRepeat, IgnoreOrphanRecovery: r.IgnoreOrphanRecovery}
	d := options.Decide(key.requests, r, t.at)
	key.requests = matching.Apply(key.requests, d, r, t.at, contract.RequestID(id, e.ID), e.ID)
	out.Outcome, out.NoteAdded, out.Changed, out.Errors = d.Outcome, d.NoteAdded, d.Changed(), d.Errors
	switch {
	case d.Outcome == event.Created:
		q := key.requests[len(key.requests)-1]
		out.Request = &triedRequest{ID: q.ID, Fields: matching.FieldValues(q.Fields)}
	case d.Index >= 0:
		out.Request = key.request(key.requests[d.Index].ID)
		if out.Request.Exists && d.NoteAdded {
			out.Unless = "it has this note already"
		}
	}
	out.Would = would(out, d)
	return out
}

// key is what the match key keeps so far, asked for once.
func (t *trial) key(ctx context.Context, id string, key event.Key) *trialKey {
	if known := t.keys[id]; known != nil {
		return known
	}
	k := &trialKey{}
	t.keys[id] = k
	t.ask(ctx, func(ctx context.Context) error {
		view, err := t.there.Running(ctx, id)
		if err == nil {
			k.running, k.requests = &view, requestsOf(view, key)
		}
		return err
	})
	return k
}

// decided is what was decided about an event that was handed over before.
func (t *trial) decided(ctx context.Context, k *trialKey, id, eventID string) (answer contract.OutcomeAnswer) {
	if k.running == nil {
		return answer
	}
	t.ask(ctx, func(ctx context.Context) (err error) {
		answer, err = t.there.Decided(ctx, id, eventID)
		return err
	})
	return answer
}

// askWithin bounds one question to a worker.
const askWithin = 5 * time.Second

// ask puts a question, until one has no answer: then the others would have none
// either. That nothing runs is an answer.
func (t *trial) ask(ctx context.Context, question func(context.Context) error) {
	if t.there == nil || t.silent != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	if err := question(ctx); err != nil && !errors.Is(err, operate.ErrNotFound) {
		t.silent = err
	}
}

// requestsOf are a key's requests as far as a view shows them: which notes they
// have, it does not, but for the one that belongs to the key.
func requestsOf(view contract.MatchView, key event.Key) []matching.Request {
	requests := make([]matching.Request, 0, len(view.Requests))
	for _, v := range view.Requests {
		q := matching.Request{
			ID: v.ID, Policy: key.Policy, Fields: v.Fields,
			CreatedAt: v.CreatedAt, UpdatedAt: v.UpdatedAt, CompletedAt: v.CompletedAt,
		}
		q.AddAgentNote(key.Note)
		q.Notes = v.Notes
		if key.Policy == event.PolicyTicket && !v.CompletedAt.IsZero() {
			q.Foreign = &matching.ForeignState{Status: v.Fields.Status, StatusAt: v.CompletedAt, LastAt: v.CompletedAt}
		}
		requests = append(requests, q)
	}
	return requests
}

// request says what is known of a request of the key.
func (k *trialKey) request(id int64) *triedRequest {
	if k.running != nil {
		for _, v := range k.running.Requests {
			if v.ID == id {
				return &triedRequest{ID: id, Exists: true, Ticket: v.Ticket}
			}
		}
	}
	return &triedRequest{ID: id}
}

// handedOver tells what an event did that was handed over before.
func (e *effect) handedOver(a contract.OutcomeAnswer) {
	e.Before, e.Outcome, e.NoteAdded, e.Errors = true, a.Outcome, a.NoteAdded, a.Errors
	if a.Request != nil {
		e.Request = &triedRequest{ID: a.Request.ID, Exists: true, Ticket: a.Request.Ticket}
	}
	e.Would = fmt.Sprintf("was handed over already: %s%s", a.Outcome, e.Request.suffix(" "))
}
