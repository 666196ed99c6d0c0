package httpapi

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/contract"
)

// Outcomes are kept for longer than a version lasts.
func TestKeptFilesAreShownAsTheyWereAnswered(t *testing.T) {
	const kept = `{"ID":"4","TicketID":"1","FileName":"a.txt","FileType":"text/plain","Creator":"ann","CreatedAt":"2026-03-01T12:00:00Z","Size":5,"Unmapped":{"x":1}}`
	const want = `{"id":"4","ticket_id":"1","file_name":"a.txt","file_type":"text/plain","creator":"ann","created_date":"2026-03-01T12:00:00Z","file_size":5,"unmapped":{"x":1}}`
	for operator, want := range map[string]string{
		contract.WriteCreateAttachment: want,
		"":                             want, // ended by an older worker
		contract.WriteCreateComment:    kept, // what is in it decides nothing
	} {
		result, err := resultOf(contract.WriteOutcome{Operator: operator, Result: json.RawMessage(kept)})
		require.NoError(t, err)
		assert.JSONEq(t, want, string(result), operator)
	}
}
