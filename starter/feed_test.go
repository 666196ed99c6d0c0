package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ticketbridge/ticketbridge/internal/contract"
)

// What a feed says though nothing is wrong shows in the list and in its state;
// an error goes before it in the list.
func TestAFeedsNoteIsShown(t *testing.T) {
	view := contract.FeedView{Feed: "tenants", State: contract.StatePolling, Note: "standing by: another consumer reads it"}
	var list, state strings.Builder
	writeFeeds(&list, []contract.FeedView{view})
	assert.Contains(t, list.String(), "LAST ERROR OR NOTE")
	assert.Contains(t, list.String(), "standing by: another consumer reads it")

	view.LastError = "no answer in 20s"
	writeFeed(&state, view)
	assert.Contains(t, state.String(), "no answer in 20s\nnote standing by: another consumer reads it\n")

	state.Reset()
	writeFeed(&state, contract.FeedView{Feed: "tenants"})
	assert.NotContains(t, state.String(), "\nnote")
}
