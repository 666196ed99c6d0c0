package activities

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

// provider is a client of every operator; each answers what the test set.
type provider struct {
	created  ticket.New
	comment  ticket.NewComment
	patch    ticket.Patch
	attempt  ticket.Attempt
	marker   ticket.Marker
	calls    []string
	ticket   ticket.Ticket
	found    []ticket.Ticket
	ok       bool
	err      error
	settling time.Duration
}

func (p *provider) CreateTicket(_ context.Context, n ticket.New) (ticket.Ticket, error) {
	p.calls, p.created = append(p.calls, "create"), n
	return p.ticket, p.err
}

func (p *provider) RecoverTicket(_ context.Context, n ticket.New, a ticket.Attempt) (ticket.Ticket, bool, error) {
	p.calls, p.created, p.attempt = append(p.calls, "recover"), n, a
	return p.ticket, p.ok, p.err
}

func (p *provider) Settling() time.Duration { return p.settling }

func (p *provider) FindTicket(_ context.Context, m ticket.Marker) ([]ticket.Ticket, error) {
	p.calls, p.marker = append(p.calls, "find"), m
	return p.found, p.err
}

func (p *provider) GetTicket(context.Context, string) (ticket.Ticket, error) {
	p.calls = append(p.calls, "get")
	return p.ticket, p.err
}

func (p *provider) PatchTicket(_ context.Context, _ string, patch ticket.Patch) (ticket.Ticket, error) {
	p.calls, p.patch = append(p.calls, "patch"), patch
	return p.ticket, p.err
}

func (p *provider) CreateComment(_ context.Context, _ string, c ticket.NewComment) (ticket.Comment, error) {
	p.calls, p.comment = append(p.calls, "comment"), c
	return ticket.Comment{ID: "c1"}, p.err
}

func (p *provider) RecoverComment(_ context.Context, _ string, c ticket.NewComment, a ticket.Attempt) (ticket.Comment, bool, error) {
	p.calls, p.comment, p.attempt = append(p.calls, "recover comment"), c, a
	return ticket.Comment{ID: "c1"}, p.ok, p.err
}

// one is the only integration.
type one struct {
	client   any
	fieldMap map[string]string
}

func (o one) Integration(_ context.Context, name string) (Integration, error) {
	if name != "ops" {
		return Integration{}, errors.New(`unknown integration "` + name + `"`)
	}
	return Integration{Name: name, Provider: "fake", Client: o.client, FieldMap: o.fieldMap}, nil
}

// counted remembers the outcomes of calls.
type counted struct {
	outcomes, polls []string
	dropped, holes  int
}

func (c *counted) ProviderCall(_, operation, outcome string, _ time.Duration) {
	c.outcomes = append(c.outcomes, operation+" "+outcome)
}
func (c *counted) TicketCreated(string)         { c.outcomes = append(c.outcomes, "ticket") }
func (c *counted) CommentCreated(string)        { c.outcomes = append(c.outcomes, "comment") }
func (c *counted) FeedPolled(_, outcome string) { c.polls = append(c.polls, outcome) }

func (c *counted) FeedNewest(string, time.Time)   {}
func (c *counted) FeedLag(string, time.Duration)  {}
func (c *counted) EventsHandedOver(string, int)   {}
func (c *counted) EntriesRefused(string, int)     {}
func (c *counted) EntriesDropped(_ string, n int) { c.dropped += n }
func (c *counted) HolesSeen(_ string, n int)      { c.holes += n }
func (c *counted) GapRecorded(string)             {}

// call runs an activity the way a worker does.
func call[T any](t *testing.T, receiver, method, in any) (T, error) {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(receiver)
	var out T
	value, err := env.ExecuteActivity(method, in)
	if err == nil && value.HasValue() {
		require.NoError(t, value.Get(&out))
	}
	return out, err
}

// appError is the Temporal error that an activity ended with.
func appError(t *testing.T, err error) *temporal.ApplicationError {
	t.Helper()
	app, ok := errors.AsType[*temporal.ApplicationError](err)
	require.True(t, ok, "%v", err)
	return app
}
