package activities

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/event"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func tickets(p *provider) (*Tickets, *counted) {
	c := &counted{}
	return &Tickets{Integrations: one{client: p}, Recorder: c}, c
}

// Every kind of error makes Temporal do the right thing next.
func TestErrorsOfAProviderBecomeTemporalErrors(t *testing.T) {
	for _, c := range []struct {
		name      string
		err       error
		errorType string
		retried   bool
		delay     time.Duration
	}{
		{"unavailable", &ticket.Error{Kind: ticket.Retry, Op: "x"}, contract.ErrorRetry, true, 0},
		{"rate limited", &ticket.Error{Kind: ticket.RateLimited, Op: "x", RetryAfter: 30 * time.Second}, contract.ErrorRateLimited, true, 30 * time.Second},
		{"credentials", &ticket.Error{Kind: ticket.Credentials, Op: "x"}, contract.ErrorCredentials, true, 0},
		{"credentials for a while", &ticket.Error{Kind: ticket.Credentials, Op: "x", RetryAfter: time.Minute}, contract.ErrorCredentials, true, time.Minute},
		{"refused", &ticket.Error{Kind: ticket.Permanent, Op: "x"}, contract.ErrorRefused, false, 0},
		{"not supported", &ticket.Error{Kind: ticket.NotSupported, Op: "x"}, contract.ErrorRefused, false, 0},
		{"not found", &ticket.Error{Kind: ticket.NotFound, Op: "x"}, contract.ErrorNotFound, false, 0},
		{"unknown", &ticket.Error{Kind: ticket.OutcomeUnknown, Op: "x"}, contract.ErrorOutcomeUnknown, false, 0},
		{"not classified", errors.New("?"), contract.ErrorOutcomeUnknown, false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, counted := tickets(&provider{err: c.err})
			_, err := call[TicketResult](t, a, "CreateTicket", CreateTicketInput{Integration: "ops"})
			app := appError(t, err)
			assert.Equal(t, c.errorType, app.Type())
			assert.Equal(t, c.retried, !app.NonRetryable())
			assert.Equal(t, c.delay, app.NextRetryDelay())
			assert.Equal(t, []string{"create_ticket " + string(ticket.KindOf(c.err))}, counted.outcomes)
		})
	}
}

// Reads, searches and updates may be repeated, whatever became of them.
func TestWhatMayBeRepeatedIsRepeatedAfterAnUnknownOutcome(t *testing.T) {
	unknown := &ticket.Error{Kind: ticket.OutcomeUnknown, Op: "x", Message: "cut"}
	for method, in := range map[string]any{
		"GetTicket":      GetTicketInput{Integration: "ops"},
		"PatchTicket":    PatchTicketInput{Integration: "ops"},
		"RecoverTicket":  RecoverTicketInput{Create: CreateTicketInput{Integration: "ops"}},
		"RecoverComment": RecoverCommentInput{Comment: AddCommentInput{Integration: "ops"}},
	} {
		a, _ := tickets(&provider{err: unknown})
		_, err := call[TicketResult](t, a, method, in)
		app := appError(t, err)
		assert.Equal(t, contract.ErrorRetry, app.Type(), method)
		assert.False(t, app.NonRetryable(), method)
	}
}

func TestAnUnknownIntegrationOrOperatorIsAConfigurationError(t *testing.T) {
	a, _ := tickets(&provider{})
	_, err := call[TicketResult](t, a, "CreateTicket", CreateTicketInput{Integration: "nope"})
	assert.Equal(t, contract.ErrorConfiguration, appError(t, err).Type())
	assert.Contains(t, err.Error(), `"nope"`)

	a.Integrations = one{client: struct{}{}}
	_, err = call[TicketResult](t, a, "CreateTicket", CreateTicketInput{Integration: "ops"})
	assert.Contains(t, err.Error(), "does not support")
}

func TestACreatedTicketIsReported(t *testing.T) {
	p := &provider{ticket: ticket.Ticket{ID: "10001", Key: "OPS-1", URL: "https://x/OPS-1"}}
	a, counted := tickets(p)
	got, err := call[TicketResult](t, a, "CreateTicket", CreateTicketInput{
		Integration: "ops", Fields: event.Fields{Subject: "Down", Impact: "top", Source: "Nagios"}, Note: "since noon",
		Marker: ticket.Marker{Key: "k", Request: 7, Operation: "o"}, Set: map[string]string{"priority": "LOW"},
	})
	require.NoError(t, err)
	assert.Equal(t, TicketResult{Found: true, ID: "10001", Key: "OPS-1", URL: "https://x/OPS-1"}, got)
	assert.Equal(t, "Down", p.created.Name)
	assert.Equal(t, "since noon\n\nSource: Nagios", p.created.Description)
	assert.Equal(t, ticket.Low, p.created.Priority, "what a person amended wins")
	assert.Equal(t, ticket.Marker{Key: "k", Request: 7, Operation: "o"}, p.created.Marker)
	assert.Equal(t, []string{"create_ticket ok", "ticket"}, counted.outcomes)
}

func TestAdoptTakesTheNewestOpenTicketElseTheNewest(t *testing.T) {
	closed := ticket.Ticket{ID: "2", Closed: true, CompletionDate: time.Unix(5, 0)}
	for _, c := range []struct {
		name  string
		found []ticket.Ticket
		only  bool
		want  string
		calls []string
	}{
		{"open one", []ticket.Ticket{closed, {ID: "1"}}, false, "1", []string{"find"}},
		{"closed ones", []ticket.Ticket{closed, {ID: "1", Closed: true}}, false, "2", []string{"find"}},
		{"none", nil, false, "new", []string{"find", "create"}},
		{"none, and none is made", nil, true, "", []string{"find"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &provider{found: c.found, ticket: ticket.Ticket{ID: "new"}}
			a, _ := tickets(p)
			got, err := call[TicketResult](t, a, "CreateTicket", CreateTicketInput{Integration: "ops", Adopt: true, OnlyAdopt: c.only, Marker: ticket.Marker{Key: "k", Request: 3}})
			require.NoError(t, err)
			assert.Equal(t, c.want, got.ID)
			assert.Equal(t, c.calls, p.calls)
			assert.Equal(t, ticket.Marker{Key: "k"}, p.marker, "any ticket of the key")
		})
	}
}

// A search that failed found nothing, which is not: there is nothing.
func TestASearchThatFailsMakesNoTicket(t *testing.T) {
	for _, kind := range []ticket.Kind{ticket.Retry, ticket.Permanent, ticket.Credentials, ticket.NotFound, ticket.OutcomeUnknown} {
		p := &provider{err: &ticket.Error{Kind: kind, Op: "find"}}
		a, _ := tickets(p)
		_, err := call[TicketResult](t, a, "CreateTicket", CreateTicketInput{Integration: "ops", Adopt: true, Marker: ticket.Marker{Key: "k"}})
		appError(t, err)
		assert.Equal(t, []string{"find"}, p.calls, kind)

		a.Integrations = one{client: &lostIndex{provider: &provider{}, err: p.err}}
		got, err := call[TicketResult](t, a, "RecoverTicket", RecoverTicketInput{Create: CreateTicketInput{Integration: "ops"}, Last: true})
		appError(t, err)
		assert.Equal(t, TicketResult{}, got, "the reads by key found nothing, but the index was not asked")
	}
}

// lostIndex is a provider whose index does not answer.
type lostIndex struct {
	*provider
	err error
}

func (l *lostIndex) FindTicket(context.Context, ticket.Marker) ([]ticket.Ticket, error) {
	return nil, l.err
}

func TestASearchWaitsUntilTheProviderHasSettled(t *testing.T) {
	p := &provider{settling: time.Hour}
	a, _ := tickets(p)
	_, err := call[TicketResult](t, a, "RecoverTicket", RecoverTicketInput{Create: CreateTicketInput{Integration: "ops"}, EndedAt: time.Now()})
	app := appError(t, err)
	assert.Equal(t, contract.ErrorRateLimited, app.Type())
	assert.InDelta(t, time.Hour, app.NextRetryDelay(), float64(time.Minute))
	assert.Empty(t, p.calls)
}

func TestTheLastSearchAsksTheIndexToo(t *testing.T) {
	since := time.Unix(100, 0).UTC()
	p := &provider{found: []ticket.Ticket{{ID: "9"}}}
	a, _ := tickets(p)
	in := RecoverTicketInput{Create: CreateTicketInput{Integration: "ops", FirstScheduledAt: since, Marker: ticket.Marker{Key: "k", Request: 3}}}
	got, err := call[TicketResult](t, a, "RecoverTicket", in)
	require.NoError(t, err)
	assert.False(t, got.Found)
	assert.True(t, since.Equal(p.attempt.FirstScheduledAt))

	in.Last = true
	got, err = call[TicketResult](t, a, "RecoverTicket", in)
	require.NoError(t, err)
	assert.Equal(t, "9", got.ID)
	assert.Equal(t, ticket.Marker{Key: "k", Request: 3}, p.marker, "this very request's")
}

// The provider itself refuses, within the one call; the workflow learns since when.
func TestAClosedTicketRefusesWhatCameAfterwards(t *testing.T) {
	closedAt := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	received := closedAt.Add(time.Second)
	p := &provider{err: &ticket.Error{Kind: ticket.Closed, Op: "x", ClosedAt: closedAt}}
	a, _ := tickets(p)
	for method, in := range map[string]any{
		"AddComment":  AddCommentInput{Integration: "ops", Note: "n", UnlessClosedBefore: received},
		"PatchTicket": PatchTicketInput{Integration: "ops", UnlessClosedBefore: received},
	} {
		_, err := call[CommentResult](t, a, method, in)
		app := appError(t, err)
		assert.Equal(t, contract.ErrorTicketClosed, app.Type(), method)
		assert.True(t, app.NonRetryable(), method)
		var found TicketResult
		require.NoError(t, app.Details(&found))
		assert.True(t, closedAt.Equal(found.ClosedAt), method)
	}
	assert.Equal(t, received, p.comment.UnlessClosedBefore)
	assert.Equal(t, received, p.patch.UnlessClosedBefore)
}

// What a later event changes is set at the ticket's own fields; what it has no
// field for is told in a comment.
func TestLaterChangesReachTheTicket(t *testing.T) {
	p := &provider{}
	a, _ := tickets(p)
	a.Integrations = one{client: p, fieldMap: map[string]string{"downtime_start_at": "began"}}
	subject, status, reason := "Still down", "completed", "solved"
	due, began := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	changes := event.Changes{
		Subject: &subject, Status: &status, CompletionReason: &reason, DesiredCompletionAt: &due, DowntimeStartAt: &began,
		Member: &event.Ref{ID: 2, Email: "ann@acme.example"}, Team: &event.Ref{ID: 1, Name: "Unix"},
	}
	_, err := call[TicketResult](t, a, "PatchTicket", PatchTicketInput{Integration: "ops", Changes: changes})
	require.NoError(t, err)
	email := "ann@acme.example"
	assert.Equal(t, ticket.Patch{
		Name: &subject, Status: &status, Resolution: &reason, DueDate: &due, Assignee: &email,
		CustomFields: map[string]any{"began": "2026-03-01 09:00:00 UTC"}, KeepClosed: true,
	}, p.patch)
	_, err = call[CommentResult](t, a, "AddComment", AddCommentInput{Integration: "ops", Changes: changes})
	require.NoError(t, err)
	assert.Equal(t, "Team: Unix", p.comment.Content)
}

func TestACommentWithNothingToSayIsNotMade(t *testing.T) {
	p := &provider{}
	a, _ := tickets(p)
	a.Integrations = one{client: p, fieldMap: map[string]string{"team": "squad"}}
	team := event.Ref{ID: 1, Name: "Unix"}
	got, err := call[CommentResult](t, a, "AddComment", AddCommentInput{Integration: "ops", Changes: event.Changes{Team: &team}})
	require.NoError(t, err)
	assert.True(t, got.Found)
	assert.Empty(t, p.calls, "the team has a field at the ticket")

	a.Integrations = one{client: p}
	_, err = call[CommentResult](t, a, "AddComment", AddCommentInput{Integration: "ops", Changes: event.Changes{Team: &team}})
	require.NoError(t, err)
	assert.Equal(t, "Team: Unix", p.comment.Content)
}

func TestAnAmendmentWithoutAPlaceIsRefused(t *testing.T) {
	a, _ := tickets(&provider{})
	_, err := call[TicketResult](t, a, "CreateTicket", CreateTicketInput{Integration: "ops", Set: map[string]string{"colour": "red"}})
	assert.Equal(t, contract.ErrorRefused, appError(t, err).Type())
	assert.Contains(t, err.Error(), "set.colour")
	_, err = call[TicketResult](t, a, "PatchTicket", PatchTicketInput{Integration: "ops", Set: map[string]string{"colour": "red"}})
	assert.Contains(t, err.Error(), "set.colour")
}

func TestWhatAPatchCouldNotSetIsReported(t *testing.T) {
	p := &provider{ticket: ticket.Ticket{ID: "1", Unmapped: map[string]any{ticket.WarningsKey: []string{"priority: no"}}}}
	a, _ := tickets(p)
	got, err := call[PatchTicketResult](t, a, "PatchTicket", PatchTicketInput{Integration: "ops"})
	require.NoError(t, err)
	assert.Equal(t, []string{"priority: no"}, got.Warnings)
}

// Only a person, who says so, opens a closed ticket again.
func TestAClosedTicketStaysClosedUnlessAPersonAmendsItsStatus(t *testing.T) {
	p := &provider{}
	a, _ := tickets(p)
	for status, keep := range map[string]bool{"": true, "in_progress": false} {
		in := PatchTicketInput{Integration: "ops", Set: map[string]string{"name": "n"}}
		if status != "" {
			in.Set["status"] = status
		}
		_, err := call[PatchTicketResult](t, a, "PatchTicket", in)
		require.NoError(t, err)
		assert.Equal(t, keep, p.patch.KeepClosed, status)
	}
}
