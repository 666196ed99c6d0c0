package mock

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ticketbridge/ticketbridge/internal/ticket"
)

func TestTicketsExpireAfterTheirLastChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := New(Config{Name: "try"})
		require.NoError(t, err)
		left, kept := c.must(t, ticket.New{Name: "left alone"}), c.must(t, ticket.New{Name: "commented"})
		time.Sleep(TicketLife - time.Second)
		_, err = c.CreateComment(t.Context(), kept.ID, ticket.NewComment{Content: "x"})
		require.NoError(t, err)
		_, err = c.GetTicket(t.Context(), left.ID)
		require.NoError(t, err, "to read is no change, and it is not over yet")
		time.Sleep(time.Second)
		_, err = c.GetTicket(t.Context(), left.ID)
		requireKind(t, ticket.NotFound, err, "forgets tickets 24h0m0s after their last change")
		assert.Equal(t, []string{"commented"}, names(c.list(t.Context(), t, ticket.Query{})))
		time.Sleep(TicketLife)
		assert.Empty(t, c.list(t.Context(), t, ticket.Query{}))
		assert.Zero(t, c.memory.bytes)
		assert.Empty(t, c.memory.keys)
	})
}

// What an operation made is made again after it expired, under the same id; what
// had no operation never gets an id that was given before.
func TestIDs(t *testing.T) {
	c, clock := newWorld(t, Config{})
	first, bare := c.must(t, ticket.New{Marker: marked("op-1")}), c.must(t, ticket.New{})
	clock.advance(TicketLife)
	again := c.must(t, ticket.New{Marker: marked("op-1")})
	assert.Equal(t, first.ID, again.ID)
	assert.Equal(t, "DEMO-3", again.Key)
	assert.NotEqual(t, bare.ID, c.must(t, ticket.New{}).ID)
	restarted, later := newWorld(t, Config{})
	later.advance(time.Hour)
	restarted.memory = newMemory(later.at)
	restarted.must(t, ticket.New{})
	assert.NotEqual(t, bare.ID, restarted.must(t, ticket.New{}).ID)
}

func TestTheLongestUnchangedTicketMakesRoom(t *testing.T) {
	c, clock := newWorld(t, Config{})
	first, second := c.must(t, ticket.New{}), c.must(t, ticket.New{})
	for range MaxTickets - 2 {
		clock.advance(time.Millisecond)
		c.must(t, ticket.New{})
	}
	_, err := c.PatchTicket(t.Context(), first.ID, ticket.Patch{Name: ptr("changed")})
	require.NoError(t, err)
	c.must(t, ticket.New{})
	assert.Len(t, c.memory.tickets, MaxTickets)
	_, err = c.GetTicket(t.Context(), first.ID)
	require.NoError(t, err)
	_, err = c.GetTicket(t.Context(), second.ID)
	requireKind(t, ticket.NotFound, err, "no ticket")
}

func TestTextsAreBounded(t *testing.T) {
	c, _ := newWorld(t, Config{})
	const share = MaxTicketBytes - 2*recordBytes
	large := strings.Repeat("x", share)
	first := c.must(t, ticket.New{Description: large})
	for range MaxBytes / MaxTicketBytes {
		c.must(t, ticket.New{Description: large})
	}
	assert.LessOrEqual(t, c.memory.bytes, MaxBytes)
	_, err := c.GetTicket(t.Context(), first.ID)
	requireKind(t, ticket.NotFound, err, "no ticket")
	c.assertCounted(t)

	made := c.must(t, ticket.New{Description: large})
	over := strings.Repeat("x", 2*recordBytes)
	_, patched := c.PatchTicket(t.Context(), made.ID, ticket.Patch{Summary: &over})
	_, created := c.CreateTicket(t.Context(), ticket.New{Name: "n", Description: large + over})
	_, commented := c.CreateComment(t.Context(), made.ID, ticket.NewComment{Content: over})
	_, noted := c.CreateNote(t.Context(), made.ID, ticket.NewNote{Content: over})
	for _, err := range []error{patched, created, commented, noted} {
		requireKind(t, ticket.Permanent, err, "at most 4 MiB of text")
	}
	after, err := c.GetTicket(t.Context(), made.ID)
	require.NoError(t, err)
	assert.Equal(t, made, after)
}

func TestEntriesAreBounded(t *testing.T) {
	c, _ := newWorld(t, Config{})
	made := c.must(t, ticket.New{})
	for n := range MaxEntries {
		_, err := c.CreateComment(t.Context(), made.ID, ticket.NewComment{Content: "x", Internal: n%2 == 0})
		require.NoError(t, err)
	}
	_, err := c.CreateComment(t.Context(), made.ID, ticket.NewComment{Content: "x"})
	requireKind(t, ticket.Permanent, err, fmt.Sprintf("at most %d comments and notes", MaxEntries))
}
