package activities

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/contract"
	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func write(t *testing.T, client any, method string, in any) (WriteResult, *counted, error) {
	t.Helper()
	count := &counted{}
	result, err := call[WriteResult](t, &Writes{Integrations: one{client: client}, Recorder: count}, method, in)
	return result, count, err
}

func newTicketInput() WriteInput {
	return WriteInput{
		Integration: "ops", Operator: contract.WriteCreateTicket, Operation: "write:ops:k/1", Key: "k", FirstScheduledAt: time.Unix(1e9, 0).UTC(),
		Body: json.RawMessage(`{"name":"Disk full","status":"Open","due_date":"2026-05-06T07:08:09Z","custom_fields":{"a":1}}`),
	}
}

func TestAWriteAsksForWhatItsBodySays(t *testing.T) {
	p := &provider{ticket: ticket.Ticket{ID: "1", Key: "OPS-1", Status: "Open", CreatedAt: time.Unix(2e9, 0).UTC()}}
	result, count, err := write(t, p, "WriteCreate", newTicketInput())
	require.NoError(t, err)
	assert.Equal(t, ticket.New{
		Name: "Disk full", Status: "Open", DueDate: time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC), CustomFields: map[string]any{"a": 1.0},
		Marker: ticket.Marker{Key: "k", Operation: "write:ops:k/1"},
	}, p.created)
	assert.Equal(t, []string{"create_ticket ok", "ticket"}, count.outcomes)
	assert.Equal(t, []string{"create"}, p.calls, "the provider answered all of it")
	assert.Equal(t, "OPS-1", result.Key)
	assert.Empty(t, result.Status, "it has the status that was asked for")
}

// readBack answers a new ticket in part, as Jira does.
type readBack struct {
	*provider
	read    ticket.Ticket
	readErr error
	// fails is how often readErr is answered.
	fails int
}

func (p *readBack) GetTicket(context.Context, string) (ticket.Ticket, error) {
	if p.fails--; p.fails >= 0 {
		return ticket.Ticket{}, p.readErr
	}
	return p.read, nil
}

// A new ticket is answered whole; that it could not be read is no reason to say
// that it was not made.
func TestANewTicketIsReadBack(t *testing.T) {
	made := ticket.Ticket{ID: "1", Key: "OPS-1", Name: "Disk full", Unmapped: map[string]any{ticket.WarningsKey: []string{"assignee: unknown"}}}
	p := &readBack{provider: &provider{ticket: made}, read: ticket.Ticket{ID: "1", Key: "OPS-1", Status: "To Do", CreatedAt: time.Unix(2e9, 0).UTC(), Unmapped: map[string]any{"votes": 3.0}}}
	result, _, err := write(t, p, "WriteCreate", newTicketInput())
	require.NoError(t, err)
	assert.Equal(t, []string{"assignee: unknown"}, result.Warnings)
	assert.Equal(t, "Open", result.Status, "is still to be set")
	var told ticket.Ticket
	require.NoError(t, json.Unmarshal(result.Result, &told))
	assert.Equal(t, map[string]any{"votes": 3.0}, told.Unmapped)
	assert.Equal(t, "To Do", told.Status)

	p.readErr, p.fails = &ticket.Error{Kind: ticket.RateLimited, Op: "get", Message: "slow down"}, 2
	result, _, err = write(t, p, "WriteCreate", newTicketInput())
	require.NoError(t, err)
	assert.Equal(t, []string{"assignee: unknown"}, result.Warnings, "it waited for its turn")

	p.readErr, p.fails = &ticket.Error{Kind: ticket.RateLimited, Op: "get", Message: "slow down", RetryAfter: time.Hour}, 1
	result, _, err = write(t, p, "WriteCreate", newTicketInput())
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(result.Result, &told))
	assert.WithinDuration(t, time.Now(), told.CreatedAt, time.Minute)
	assert.Equal(t, "Disk full", told.Name)
	require.Len(t, result.Warnings, 2)
	assert.Contains(t, result.Warnings[0], "could not be read")
}

// An answer must fit through Temporal.
func TestAVeryLongTicketIsAnsweredInPart(t *testing.T) {
	p := &provider{ticket: ticket.Ticket{ID: "1", CreatedAt: time.Unix(2e9, 0), Unmapped: map[string]any{"log": strings.Repeat("x", maxResult)}}}
	result, _, err := write(t, p, "WriteApply", WriteInput{Integration: "ops", Operator: contract.WritePatchTicket, TicketID: "1", Body: json.RawMessage(`{"name":"n"}`)})
	require.NoError(t, err)
	assert.Less(t, len(result.Result), 1000)
	assert.Equal(t, []string{"unmapped: left out of this answer: too long"}, result.Warnings)
}

// Only an attempt that certainly changed nothing is repeated; what a refusal was
// goes to the caller.
func TestHowWritesFail(t *testing.T) {
	patch := WriteInput{Integration: "ops", Operator: contract.WritePatchTicket, TicketID: "1", Body: json.RawMessage(`{"name":"n"}`)}
	for _, c := range []struct {
		method     string
		in         WriteInput
		err        error
		want       string
		repeatable bool
	}{
		{"WriteCreate", newTicketInput(), &ticket.Error{Kind: ticket.Retry}, contract.ErrorRetry, true},
		{"WriteCreate", newTicketInput(), &ticket.Error{Kind: ticket.Credentials}, contract.ErrorCredentials, true},
		{"WriteCreate", newTicketInput(), &ticket.Error{Kind: ticket.OutcomeUnknown}, contract.ErrorOutcomeUnknown, false},
		{"WriteCreate", newTicketInput(), errors.New("who knows"), contract.ErrorOutcomeUnknown, false},
		{"WriteCreate", newTicketInput(), &ticket.Error{Kind: ticket.Permanent, Status: 422, Op: "create", Message: "too long"}, contract.ErrorRefused, false},
		{"WriteApply", patch, &ticket.Error{Kind: ticket.OutcomeUnknown}, contract.ErrorRetry, true},
		{"WriteApply", patch, &ticket.Error{Kind: ticket.NotFound, Status: 404}, contract.ErrorNotFound, false},
	} {
		_, _, err := write(t, &provider{err: c.err}, c.method, c.in)
		app := appError(t, err)
		assert.Equal(t, c.want, app.Type(), "%v", c.err)
		assert.Equal(t, c.repeatable, !app.NonRetryable(), "%v", c.err)
		if c.want == contract.ErrorRefused {
			var told contract.WriteError
			require.NoError(t, app.Details(&told))
			assert.Equal(t, contract.WriteError{Kind: "permanent", Status: 422, Message: "create: 422: too long"}, told)
		}
	}
}

func TestWhatAProviderLacksIsNotSupported(t *testing.T) {
	for operator, method := range map[string]string{
		contract.WriteCreateNote: "WriteCreate", contract.WriteCreateAttachment: "WriteCreate", contract.WritePatchNote: "WriteApply",
		contract.WriteDeleteComment: "WriteApply", contract.WriteDeleteNote: "WriteApply", contract.WriteDeleteAttachment: "WriteApply",
	} {
		_, count, err := write(t, &provider{}, method, WriteInput{Integration: "ops", Operator: operator, TicketID: "1", PartID: "2"})
		var told contract.WriteError
		require.NoError(t, appError(t, err).Details(&told), operator)
		assert.Equal(t, "not_supported", told.Kind, operator)
		assert.Contains(t, told.Message, "integration ops", operator)
		assert.Equal(t, []string{operator + " not_supported"}, count.outcomes)
	}
	_, _, err := write(t, &provider{}, "WriteRecover", WriteRecoverInput{Write: WriteInput{Integration: "ops", Operator: contract.WriteCreateNote}})
	assert.Equal(t, contract.ErrorRefused, appError(t, err).Type(), "what cannot be looked for is never made again")
}

func TestASearchForAWriteWaitsForTheProviderToSettle(t *testing.T) {
	in := WriteRecoverInput{Write: newTicketInput(), EndedAt: time.Now()}
	p := &provider{settling: time.Hour}
	_, _, err := write(t, p, "WriteRecover", in)
	assert.Equal(t, contract.ErrorRateLimited, appError(t, err).Type())
	assert.Empty(t, p.calls)

	p = &provider{}
	result, _, err := write(t, p, "WriteRecover", in)
	require.NoError(t, err)
	assert.False(t, result.Found)
	assert.Equal(t, []string{"recover"}, p.calls)
	assert.Equal(t, in.Write.FirstScheduledAt, p.attempt.FirstScheduledAt)

	in.Last = true
	p = &provider{found: []ticket.Ticket{{ID: "2", CreatedAt: time.Unix(2, 0)}, {ID: "1", CreatedAt: time.Unix(1, 0)}}}
	result, _, err = write(t, p, "WriteRecover", in)
	require.NoError(t, err)
	assert.Equal(t, []string{"recover", "find"}, p.calls)
	assert.Equal(t, ticket.Marker{Key: "k", Operation: "write:ops:k/1"}, p.marker)
	assert.Equal(t, "1", result.TicketID)
}
